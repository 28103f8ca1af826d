"""Sentences and articles per second of the encoder runtime, beside its peers on the same weights, in one run.

Run `python -m benchmarks.speed`. The weights are those of a checkpoint folder and the stance artefact made of
it (`--checkpoint`, `--artefact`), or MiniLM's with a random head. Every contender gets the same threads and
is asked in turn; the least time of several turns counts. Beside the speed stand the ratio to
`transformers.pipeline` in fp32 (the better of batch 1 and 32), the share of rows with its label, and the
share of what the machine reaches in a plain matrix product of that precision, padding not counted.

Sequences are the same for all: a sentence and its target, no context, no holder. Our times include cleaning,
calibration and the objects that `predict` returns. On a machine that others use, `--clock cpu --threads 1`
counts processor time instead.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from transformers import AutoConfig

from benchmarks.speed_models import (
    TOKENS,
    Answer,
    check_checkpoint,
    cross_encoder,
    make_artefact,
    make_checkpoint,
    pipeline,
    quiet,
)
from benchmarks.told import end_with
from stancewire.artefact import Artefact, read_artefact
from stancewire.encoding import TOKENIZER, Encoder, Layout
from stancewire.errors import StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor
from stancewire.runtime.encoder_model import CHOICES, Choice
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions, Variant

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
TARGET = "the deal"
_PIPELINES: dict[Variant, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
_WORKLOADS, _ARTICLES = ("sentences", "32 tokens", "128 tokens", "mixed lengths"), "articles"


@dataclass(frozen=True)
class Contender:
    """A way to answer: its numbers decide which matrix product is its limit."""

    name: str
    answer: Answer
    variant: Variant = "fp32"


def workloads(encoder: Encoder, count: int) -> dict[str, list[StanceExample]]:
    """Return questions by the name of their workload."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    words = " ".join(row["text"] for row in rows).split()
    numbers = np.random.default_rng(0)

    def of_length(tokens: int) -> StanceExample:
        start = int(numbers.integers(len(words) - 2 * TOKENS))
        taken = tokens
        while True:
            found = StanceExample(sentence=" ".join(words[start : start + taken]), target=TARGET)
            size = len(encoder.encode([found]).ids[0])
            if size <= tokens or taken == 1:
                return found
            taken = max(1, taken - max(1, (size - tokens) // 2))

    stances = [(stance["sentence"], stance["target"]) for row in rows for stance in row["stances"]]
    sentences = [StanceExample(sentence=s, target=t) for s, t in stances]
    lengths = np.exp(numbers.uniform(np.log(10), np.log(TOKENS), count)).astype(int)
    return {
        "sentences": [sentences[int(i)] for i in numbers.permutation(len(sentences))[:count]],
        "32 tokens": [of_length(32) for _ in range(count)],
        "128 tokens": [of_length(128) for _ in range(count // 4)],
        "mixed lengths": [of_length(int(length)) for length in lengths[: count // 2]],
    }


def ours(artefact: Artefact, threads: int) -> dict[Choice, StancePredictor]:
    """Return a predictor for every engine and variant that runs here."""
    found = {}
    for choice in CHOICES:
        try:
            runtime = open_runtime(artefact, RuntimeOptions(choice.engine, choice.variant, threads))
        except StancewireError as error:
            print(f"left out: {choice.name}: {error}")
            continue
        found[choice] = StancePredictor(artefact, runtime)
    return found


def contenders(checkpoint: Path, artefact: Artefact, threads: int) -> list[Contender]:
    """Return all of them, the baseline first."""
    found = [
        Contender(f"pipeline {name}, batch {batch}", pipeline(checkpoint, dtype, batch), name)
        for name, dtype in _PIPELINES.items()
        for batch in (1, 32)
    ]
    try:
        found.append(Contender("sentence-transformers ONNX, batch 32", cross_encoder(checkpoint, 32)))
    except Exception as error:
        print(f"left out: sentence-transformers ONNX: {str(error).splitlines()[0]}")
    labels = artefact.manifest.labels
    for choice, predictor in ours(artefact, threads).items():

        def answer(examples: Sequence[StanceExample], predictor: StancePredictor = predictor) -> list[int]:
            return [labels.index(one.label) for one in predictor.predict(examples)]

        found.append(Contender(f"stancewire {choice.name}", answer, choice.variant))
    return found


def least(run: Callable[[], object], turns: int, clock: Callable[[], float]) -> float:
    """Return the least time of several turns, after one that warms up."""
    run()
    times = []
    for _ in range(turns):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def gemm_limits(clock: Callable[[], float]) -> dict[Variant, float]:
    """Return the operations per second of a plain matrix product; in fp32 the best of torch and numpy."""
    size = 2048
    one = torch.randn(size, size)
    array, short, integers = one.numpy(), one.bfloat16(), (20 * one).to(torch.int8)
    products: dict[Variant, list[Callable[[], object]]] = {
        "fp32": [lambda: one @ one, lambda: array @ array],
        "bf16": [lambda: short @ short],
        "int8": [lambda: torch._int_mm(integers, integers)],
    }
    return {name: 2 * size**3 / min(least(run, 5, clock) for run in runs) for name, runs in products.items()}


def flops(checkpoint: Path, lengths: Sequence[int]) -> float:
    """Return the floating point operations of an encoder over sequences of these lengths."""
    config = AutoConfig.from_pretrained(checkpoint)
    hidden, inner = config.hidden_size, config.intermediate_size
    by_token = 8 * hidden**2 + 4 * hidden * inner
    return float(config.num_hidden_layers * sum(n * by_token + 4 * n * n * hidden for n in lengths))


def compare(
    rows: list[StanceExample], single: bool, all_of: list[Contender], work: float,
    limits: dict[Variant, float], turns: int, clock: Callable[[], float],
) -> None:  # fmt: skip
    """Print one table: every contender on these rows."""

    def asked(contender: Contender) -> list[int]:
        if single:
            return [label for row in rows for label in contender.answer([row])]
        return contender.answer(rows)

    times = {contender.name: float("inf") for contender in all_of}
    labels = {contender.name: asked(contender) for contender in all_of}
    for _ in range(turns):
        for contender in all_of:
            start = clock()
            asked(contender)
            times[contender.name] = min(times[contender.name], clock() - start)
    base = min(times[contender.name] for contender in all_of[:2])
    right = labels[all_of[0].name]
    for contender in all_of:
        took = times[contender.name]
        same = float(np.mean(np.equal(labels[contender.name], right)))
        share = work / took / limits[contender.variant]
        speed = len(rows) / took
        print(f"  {contender.name:40} {speed:8.1f}/s  x{base / took:5.2f}  {same:6.1%}  {share:6.1%}")


def articles(artefact: Artefact, threads: int, clock: Callable[[], float], count: int) -> None:
    """Print articles per second of our engines, every chunk of them read."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()[:count]]
    asked = [Article(title=row["title"], text=row["text"]) for row in rows]
    print(f"\narticles: {len(asked)}, all their chunks of {TOKENS} tokens")
    for choice in CHOICES:
        try:
            runtime = open_runtime(artefact, RuntimeOptions(choice.engine, choice.variant, threads))
        except StancewireError:
            continue
        predictor = TopicsPredictor(artefact, runtime)
        together = least(lambda predictor=predictor: predictor.predict(asked), 2, clock)  # type: ignore[misc]
        alone = least(lambda predictor=predictor: [predictor.predict([a]) for a in asked[:20]], 2, clock)  # type: ignore[misc]
        print(
            f"  stancewire {choice.name:28} {len(asked) / together:8.1f}/s  one at a time {20 / alone:8.1f}/s"
        )


def run(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure and print everything."""
    clock = CLOCKS[arguments.clock]
    given = arguments.checkpoint
    checkpoint = check_checkpoint(given) if given else make_checkpoint(folder / "checkpoint")
    stance = (
        read_artefact(arguments.artefact)
        if arguments.artefact
        else make_artefact(checkpoint, folder / "stance", "stance")
    )
    topics = (
        read_artefact(arguments.topics)
        if arguments.topics
        else (make_artefact(checkpoint, folder / "topics", "topics"))
    )
    torch.set_num_threads(arguments.threads)
    layout = Layout(task="stance", tokens=TOKENS)
    encoder = Encoder(stance.read_bytes(TOKENIZER), layout)
    with threadpool_limits(arguments.threads):
        limits = gemm_limits(clock)
    print(
        "matrix product, 10^9 operations a second: "
        + ", ".join(f"{name} {limit / 1e9:,.0f}" for name, limit in limits.items())
        + f"; {arguments.threads} threads, {arguments.clock} time"
    )
    every = contenders(checkpoint, stance, arguments.threads)
    print("\nrows per second, ratio to pipeline fp32, rows with its label, share of the matrix product")
    for name, rows in workloads(encoder, arguments.texts).items():
        if name not in arguments.workloads:
            continue
        for single in (False, True):
            chosen = rows[: max(8, len(rows) // 8)] if single else rows
            lengths = [len(ids) for ids in encoder.encode(chosen).ids]
            print(
                f"\n{name}{', one at a time' if single else ''}: "
                f"{len(chosen)} of {np.mean(lengths):.0f} tokens"
            )
            work = flops(checkpoint, lengths)
            compare(chosen, single, every, work, limits, arguments.turns, clock)
    if _ARTICLES in arguments.workloads:
        articles(topics, arguments.threads, clock, arguments.texts // 8)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, help="a classifier that transformers reads, head and all")
    parser.add_argument("--artefact", type=Path, help="the stance artefact made of it")
    parser.add_argument("--topics", type=Path, help="a topics artefact, for articles per second")
    every = [*_WORKLOADS, _ARTICLES]
    parser.add_argument(
        "--workloads", nargs="+", choices=every, default=every, metavar="NAME", help=f"{every}"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--texts", type=int, default=512, help="rows of the short workloads")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    arguments = parser.parse_args()
    quiet()
    with TemporaryDirectory(prefix="stancewire-speed-") as folder:
        run(arguments, Path(folder))


if __name__ == "__main__":
    raise SystemExit(end_with(main))
