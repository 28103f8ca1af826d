"""What the batch job costs, and what it adds to the model alone.

Run `python -m benchmarks.batch --topics ARTEFACT [--stance ARTEFACT] [--sizes 1000 10000 100000] [--spark]
[--checkpoint FOLDER]`. The articles are the bundled corpus, repeated and varied, in a temporary folder;
duplicates are not looked for. Every measure is a fresh process, and one thread a worker. What a job of one
article takes is its start, and is taken off. Only ratios within one run count: the machine may be busy.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.batch_corpus import write_records
from benchmarks.processes import Cost, measured
from benchmarks.told import end_with
from stancewire.artefact import read_artefact

MOST_COMPARED = 10_000
MOST_NAIVE = 100
MANY = 100_000_000


@dataclass(frozen=True)
class Taken:
    """Seconds and processor seconds of one article, in milliseconds."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return (
            f"{1000 / self.wall:8,.0f} articles/s   {self.wall:.3f} ms, of the processor {self.processor:.3f}"
        )


@dataclass(frozen=True)
class Bench:
    """A folder to work in, and the models that are asked."""

    folder: Path
    models: Sequence[str]
    environment: dict[str, str]

    def articles(self, n_articles: int) -> Path:
        """Return the file of so many articles."""
        path = self.folder / f"articles-{n_articles}.jsonl"
        return path if path.exists() else write_records(path, n_articles)

    def command(self, n_articles: int, output: str, *options: str) -> list[str]:
        """Return the command line of a job."""
        paths = str(self.articles(n_articles)), str(self.folder / output)
        return [sys.executable, "-m", "stancewire", "batch", *paths, *self.models, *options]

    def job(self, n_articles: int, output: str, *options: str) -> Cost:
        """Run a job into a folder of its own."""
        return measured(self.command(n_articles, output, *options), self.environment)

    def contender(self, name: str, n_articles: int, *options: str) -> Taken:
        """Run a contender; see benchmarks.batch_contenders."""
        module = [sys.executable, "-m", "benchmarks.batch_contenders", name]
        cost = measured([*module, str(self.articles(n_articles)), *options], self.environment)
        return per_article(**json.loads(cost.output), n_articles=n_articles)


def per_article(seconds: float, processor: float, n_articles: int) -> Taken:
    """Return the cost of one of so many."""
    return Taken(1000 * seconds / n_articles, 1000 * processor / n_articles)


def net(cost: Cost, start: Cost, n_articles: int) -> Taken:
    """Return the cost of an article of a job, its start taken off."""
    return per_article(cost.seconds - start.seconds, cost.processor - start.processor, n_articles)


def cheapest(costs: Sequence[Cost]) -> Cost:
    """Return the least seconds and processor seconds of several runs, and the largest memory."""
    return Cost(
        seconds=min(one.seconds for one in costs),
        processor=min(one.processor for one in costs),
        parent=min(one.parent for one in costs),
        peak_mb=max(one.peak_mb for one in costs),
        output=costs[0].output,
    )


def least(found: Sequence[Taken]) -> Taken:
    """Return the least of each: what disturbs a measure only ever adds."""
    return Taken(min(one.wall for one in found), min(one.processor for one in found))


def sizes(bench: Bench, counts: Sequence[int], start: Cost, turns: int, options: Sequence[str]) -> None:
    """Print what an article costs at every size, the memory, and what that makes of MANY."""
    costs, totals = [], []
    for n_articles in counts:
        n_turns = turns if n_articles <= MOST_COMPARED else 1
        folders = [f"size-{n_articles}-{turn}" for turn in range(n_turns)]
        cost = cheapest([bench.job(n_articles, folder, *options) for folder in folders])
        taken = net(cost, start, n_articles)
        feeding = 1000 * (cost.parent - start.parent) / n_articles
        costs.append(taken.processor)
        totals.append(cost.processor)
        print(
            f"job, {n_articles:9,} articles   {taken} ({feeding:.3f} where the input is read)   "
            f"peak {cost.peak_mb:6,.0f} MB"
        )
    print(f"cost of an article, largest over least: {max(costs) / min(costs):.2f} (processor)")
    if len(counts) > 1:
        once, each = line_through(counts, totals)
        print(f"a job: {once:.2f} s of the processor once, and {1000 * each:.3f} ms an article")
    read = bench.articles(n_articles).stat().st_size / n_articles
    written = size_of(bench.folder / folders[0]) / n_articles
    all_of_them, reading = (MANY * cost / 3_600_000 for cost in (taken.processor, feeding))
    print(
        f"{MANY:,} articles: {all_of_them:,.1f} core hours, {reading:.2f} of them where the input is read; "
        f"{MANY * read / 1e9:,.0f} GB read, {MANY * written / 1e9:,.0f} GB written"
    )


def line_through(counts: Sequence[int], totals: Sequence[float]) -> tuple[float, float]:
    """Return what a job costs once, and for each article: through its smallest size and its largest."""
    (few, cheap), *_, (many, dear) = sorted(zip(counts, totals, strict=True))
    each = (dear - cheap) / (many - few)
    return cheap - few * each, each


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def compared(bench: Bench, n_articles: int, start: Cost, arguments: argparse.Namespace) -> None:
    """Print the job beside the bare loop and the others, in turn on the same articles."""
    options = job_options(arguments)
    found: dict[str, list[Taken]] = {}
    names = ("topics", "stance", "variant")
    loop = [f"--{name}={value}" for name in names if (value := getattr(arguments, name))]
    for turn in range(arguments.turns):
        job = bench.job(n_articles, f"turn-{turn}", *options)
        found.setdefault("job", []).append(net(job, start, n_articles))
        found.setdefault("bare loop", []).append(bench.contender("loop", n_articles, *loop))
        found.setdefault("reading alone", []).append(bench.contender("reading", n_articles))
        if not arguments.stance and is_linear(arguments.topics):
            for longest, words in ((1, "words"), (2, "words and pairs")):
                taken = bench.contender("sklearn", n_articles, "--longest", str(longest))
                found.setdefault(f"scikit-learn, {words}", []).append(taken)
    if arguments.checkpoint:
        few = min(n_articles, MOST_NAIVE)
        found["transformers.pipeline"] = [
            bench.contender("pipeline", few, "--checkpoint", arguments.checkpoint)
        ]
    job_cost = least(found["job"])
    for name, turns in found.items():
        best = least(turns)
        ratio = (
            f"the job is {best.wall / job_cost.wall:.2f} as fast, {best.processor / job_cost.processor:.2f}"
        )
        print(f"{name:28} {best}   {ratio} by processor")


def spark(bench: Bench, n_articles: int, start: Cost) -> None:
    """Print Spark with two workers beside two local ones, and what its start takes."""
    local = bench.job(n_articles, "local-2", "--workers", "2", "--threads", "1")
    options = ["--engine", "spark", "--master", "local[2]", "--threads", "1"]
    spark_start = cheapest([bench.job(1, f"spark-start-{turn}", *options) for turn in range(2)])
    cost = bench.job(n_articles, "spark-2", *options)
    ours, theirs = net(local, start, n_articles), net(cost, spark_start, n_articles)
    print(f"{'two local workers':28} {ours}   peak {local.peak_mb:6,.0f} MB")
    print(f"{'Spark, local[2]':28} {theirs}   peak {cost.peak_mb:6,.0f} MB")
    print(f"Spark starts in {spark_start.seconds:.1f} s, the job in {start.seconds:.1f} s")


def resumed(bench: Bench, n_articles: int, options: Sequence[str]) -> None:
    """Print what being killed half-way costs, and what a job that is done does when asked again."""
    whole = bench.job(n_articles, "whole", *options)
    again = bench.job(n_articles, "whole", *options)
    command = bench.command(n_articles, "killed", *options)
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the benchmark's own command
        command, env=bench.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(whole.seconds / 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    killed = time.perf_counter() - start
    rest = bench.job(n_articles, "killed", *options)
    extra = killed + rest.seconds - whole.seconds
    print(
        f"killed half-way and resumed: {extra:+.1f} s on {whole.seconds:.1f} s ({extra / whole.seconds:+.0%})"
    )
    print(f"asked again when done: {again.seconds:.1f} s")


def is_linear(artefact: str) -> bool:
    """Tell whether an artefact is of the linear family."""
    return read_artefact(Path(artefact)).manifest.family == "linear"


def job_options(arguments: argparse.Namespace) -> list[str]:
    """Return what every job of the comparison is told."""
    variant = ["--variant", arguments.variant] if arguments.variant else []
    return ["--workers", str(arguments.workers), "--threads", "1", *variant]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", required=True, help="an artefact's folder")
    parser.add_argument("--stance", help="an artefact's folder; without it only topics are read")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--variant", help="the numbers that an encoder computes with: fp32, bf16 or int8")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--turns", type=int, default=3, help="of each, up to 10,000 articles; the least counts"
    )
    parser.add_argument("--spark", action="store_true", help="Spark on local[2] beside two local workers")
    parser.add_argument("--checkpoint", help="of the encoder, for a loop with transformers.pipeline beside")
    arguments = parser.parse_args()
    others = ["--stance", arguments.stance] if arguments.stance else ["--topics-only"]
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with TemporaryDirectory(prefix="stancewire-bench-") as folder:
        bench, options = (
            Bench(Path(folder), ["--topics", arguments.topics, *others], environment),
            job_options(arguments),
        )
        start = cheapest([bench.job(1, f"start-{turn}", *options) for turn in range(3)])
        print(
            f"a job of one article: {start.seconds:.2f} s, of the processor {start.processor:.2f} "
            f"({start.parent:.2f} in the parent), peak {start.peak_mb:,.0f} MB"
        )
        sizes(bench, arguments.sizes, start, arguments.turns, options)
        n_compared = min(max(arguments.sizes), MOST_COMPARED)
        print(f"\non {n_compared:,} articles:")
        compared(bench, n_compared, start, arguments)
        if arguments.spark:
            spark(bench, n_compared, start)
        resumed(bench, n_compared, options)


if __name__ == "__main__":
    raise SystemExit(end_with(main))
