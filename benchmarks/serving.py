"""The real server under load, on loopback: requests a second, latency, memory, and a worker that is killed.

Run `python -m benchmarks.serving` after `make train`; it starts `stancewire serve`, in other processes. A
closed loop: each client keeps one connection and asks again as soon as it has its answer. The clients run on
the same machine and take their share of its cores: figures are for comparing within one run.

Four parts: what serving adds to a direct call of the same model (one client, one article), on the wall and in
processor time of both sides; throughput and latency with several workers, for requests of one and of several
articles; a worker killed under load, with clients that ask again when their connection breaks; and, when they
are given, an encoder beside `mlflow models serve` of the same encoder logged with the transformers flavour.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.processes import tree
from benchmarks.reading import read_articles
from benchmarks.serving_load import Load, Served, load_of, send, serving
from benchmarks.serving_peers import mlflow_transformers, tiny_bert
from benchmarks.told import end_with
from stancewire.examples import Article
from stancewire.location import DEFAULT_MODELS, default_model
from stancewire.predictor import TopicsPredictor, load

T = TypeVar("T")
WORKERS = (1, 2, 4)
_DIRECT, _WARM = 200, 20
_TRIES = 20
_TARGET = "the arms embargo"
_HEAD = f"{'articles':>8} {'requests/s':>10} {'articles/s':>10} {Load.HEAD} {'RSS MB':>7}"


def main() -> None:
    """Run what was asked for and print it."""
    options = _options()
    articles = read_articles()
    print(f"{os.cpu_count()} cores, {options.clients} clients on the same machine")
    overhead(options.model, articles)
    throughput(options, articles)
    restart(options, articles)
    if options.encoder_artefact or options.transformers_folder or options.tiny_bert:
        beside_transformers(options, articles)


def overhead(model: str, articles: Sequence[Article]) -> None:
    """Compare one client's requests with direct calls of the same model."""
    direct = load(model)
    assert isinstance(direct, TopicsPredictor)
    parts = list(islice(cycle(chunks(articles, 1)), _WARM + _DIRECT))
    called = _timed(direct.predict, parts)
    with serving(["stancewire", "serve", model]) as server:
        connection = server.connect()
        bodies = [request(part) for part in parts]
        before = server.processor_seconds()
        asked = _timed(lambda body: send(connection, body), bodies)
        # The warm-up counts in the server's share: it is too short to be told apart.
        served = 1000 * (server.processor_seconds() - before) / len(bodies)
    print(f"\n{direct.provenance.model}, one client, one article a request, milliseconds (budget: 3 added)")
    print(f"{'':<26} {'direct':>8} {'HTTP':>8} {'added':>8}")
    for what, one, other in (
        ("median, on the wall", called[0], asked[0]),
        ("processor, of both sides", called[1], asked[1] + served),
    ):
        print(f"{what:<26} {one:>8.2f} {other:>8.2f} {other - one:>8.2f}")


def _timed(call: Callable[[T], object], arguments: Sequence[T]) -> tuple[float, float]:
    """Return the median time of a call on the wall, and its mean processor time here, in milliseconds."""
    for argument in arguments[:_WARM]:
        call(argument)
    times = []
    processor = time.process_time()
    for argument in arguments[_WARM:]:
        start = time.perf_counter()
        call(argument)
        times.append(time.perf_counter() - start)
    spent = time.process_time() - processor
    return 1000 * statistics.median(times), 1000 * spent / len(times)


def throughput(options: argparse.Namespace, articles: Sequence[Article]) -> None:
    """Load servers of several workers, with requests of one and of several articles."""
    print(f"\n{'workers':<8} {_HEAD}  wrong answers")
    for workers in options.workers:
        with serving(["stancewire", "serve", options.model, "--workers", str(workers)]) as server:
            for size in (1, options.rows):
                bodies = [request(part) for part in chunks(articles, size)]
                expected = alone(server, bodies)
                found = load_of(server, bodies, clients=options.clients, seconds=options.seconds)
                print(f"{workers:<8} {_figures(found, size, server)}  {found.wrong(expected)}")


def restart(options: argparse.Namespace, articles: Sequence[Article]) -> None:
    """Kill one of two workers under load; clients ask again when their connection breaks."""
    bodies = [request(part) for part in chunks(articles, 1)]
    with serving(["stancewire", "serve", options.model, "--workers", "2"]) as server:
        expected = alone(server, bodies)
        victim = next(pid for pid in tree(server.pid) if _is_worker(pid))
        killing = threading.Timer(options.seconds / 3, os.kill, (victim, signal.SIGKILL))
        killing.start()
        found = load_of(server, bodies, clients=options.clients, seconds=options.seconds, tries=_TRIES)
        killing.join()
    print(f"\none of two workers killed under load; a request is sent {_TRIES} times at most:")
    print(
        f"{found.requests} requests, {found.again} sent again after a broken connection, {found.lost} lost, "
        f"{found.wrong(expected)} wrong answers, the longest took {1000 * max(found.times):.0f} ms"
    )


def beside_transformers(options: argparse.Namespace, articles: Sequence[Article]) -> None:
    """Load an encoder served by stancewire, and by MLflow's transformers flavour, on the same texts.

    A stance model is asked about one target in each text, which a transformers pipeline gets behind the text.
    """
    texts = [Article(text=article.text[: options.chars], id=article.id) for article in articles]
    print(f"\nan encoder, texts of at most {options.chars} characters\n{'served by':<34} {_HEAD}")
    with TemporaryDirectory() as temporary:
        if options.encoder_artefact:
            command = ["stancewire", "serve", options.encoder_artefact]
            stance = load(options.encoder_artefact).task == "stance"
            _load_peer("stancewire serve", command, texts, options, stance_request if stance else request)
        checkpoint = options.transformers_folder
        if options.tiny_bert:
            checkpoint = tiny_bert(Path(temporary) / "checkpoint")
        if checkpoint:
            folder = mlflow_transformers(Path(checkpoint), Path(temporary) / "model")
            command = ["mlflow", "models", "serve", "--model-uri", str(folder), "--env-manager", "local"]
            _load_peer("mlflow models serve, transformers", command, texts, options, plain_request)


def _load_peer(
    name: str,
    command: Sequence[str],
    texts: Sequence[Article],
    options: argparse.Namespace,
    body_of: Callable[[Sequence[Article]], bytes],
) -> None:
    with serving(command) as server:
        for size in (1, options.rows):
            bodies = [body_of(part) for part in chunks(texts, size)]
            found = load_of(server, bodies, clients=options.clients, seconds=options.seconds)
            print(f"{name:<34} {_figures(found, size, server)}")


def chunks(articles: Sequence[Article], size: int) -> list[Sequence[Article]]:
    """Return groups of articles, all of one size."""
    return [articles[start : start + size] for start in range(0, len(articles) - size + 1, size)]


def rows_of(articles: Sequence[Article]) -> list[dict[str, str]]:
    """Return articles as rows of a topics model."""
    return [{"id": one.id, "title": one.title, "text": one.text} for one in articles]


def request(articles: Sequence[Article]) -> bytes:
    """Return the body of a request to a model of stancewire."""
    return json.dumps({"dataframe_records": rows_of(articles)}).encode()


def plain_request(articles: Sequence[Article]) -> bytes:
    """Return the body of a request to a pipeline of texts."""
    return json.dumps({"inputs": [f"{one.text} {_TARGET}" for one in articles]}).encode()


def stance_request(articles: Sequence[Article]) -> bytes:
    """Return the body of a request to a stance model, each text as a sentence."""
    rows = [{"id": one.id, "sentence": one.text, "target": _TARGET} for one in articles]
    return json.dumps({"dataframe_records": rows}).encode()


def alone(server: Served, bodies: Sequence[bytes]) -> list[bytes]:
    """Return the answer that every request gets when nothing else is asked."""
    connection = server.connect()
    return [send(connection, body) for body in bodies]


def _figures(found: Load, size: int, server: Served) -> str:
    rate = found.requests / found.seconds
    return f"{size:>8} {rate:>10.1f} {rate * size:>10.1f} {found.latency()} {server.memory_mb():>7.0f}"


def _is_worker(pid: int) -> bool:
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help=f"a topics model (default: the one under {DEFAULT_MODELS}/)")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rows", type=int, default=16, help="articles of the larger requests")
    parser.add_argument("--seconds", type=float, default=4, help="of load for each figure")
    parser.add_argument("--encoder-artefact", help="an encoder for topics or stance")
    parser.add_argument("--transformers-folder", help="the same as a transformers checkpoint")
    parser.add_argument("--tiny-bert", action="store_true", help="instead a small one with random weights")
    parser.add_argument("--chars", type=int, default=400, help="of the texts that both encoders read")
    options = parser.parse_args()
    options.model = options.model or str(default_model("topics", "name one with --model"))
    return options


if __name__ == "__main__":
    raise SystemExit(end_with(main))
