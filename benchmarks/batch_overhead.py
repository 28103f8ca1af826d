"""What a shard costs beside the bare loop over its articles, in turns in one process.

Run `python -m benchmarks.batch_overhead --topics ARTEFACT [--stance ARTEFACT] [--articles 6000]`. Of every
shard both are measured, one directly after the other, now the one first and now the other: what else the
machine does meets both. The shard is read, packed and unpacked as for another process, parsed, predicted and
staged; what a job costs once is not in it, and `benchmarks.batch` prints that.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.batch_corpus import write_records
from benchmarks.told import end_with
from stancewire.artefact import read_artefact
from stancewire.batch.articles import opened
from stancewire.batch.engines.worker import spare_garbage
from stancewire.batch.rows import Shard, shards
from stancewire.batch.shard_work import load_reader, work_on
from stancewire.batch.sources import open_source
from stancewire.batch.work import Work
from stancewire.reading import Reader

Step = tuple[list[float], Callable[[], object]]


def taken(do: Callable[[], object]) -> float:
    """Return the seconds of the processor that a call takes."""
    began = time.process_time()
    do()
    return time.process_time() - began


def measured(folder: Path, work: Work, n_articles: int) -> tuple[list[float], list[float]]:
    """Return the seconds of every shard: of all that a job does with it, and of the bare loop."""
    articles = write_records(folder / "articles.jsonl", n_articles)
    reader = load_reader(work)
    spare_garbage()
    whole: list[float] = []
    bare: list[float] = []
    ahead = shards(open_source(articles).rows())
    while True:
        began = time.process_time()
        shard = next(ahead, None)
        reading = time.process_time() - began
        if shard is None:
            return whole, bare
        job: Step = (whole, partial(job_of, shard, reader, work))
        loop: Step = (bare, loop_over(shard, reader))
        for costs, do in (job, loop) if shard.number % 2 else (loop, job):
            costs.append(taken(do))
        whole[-1] += reading


def job_of(shard: Shard, reader: Reader, work: Work) -> None:
    """Do all that a job does with a shard."""
    work_on(Shard.from_bytes(shard.to_bytes()), reader, work)


def loop_over(shard: Shard, reader: Reader) -> Callable[[], object]:
    """Return the loop over its articles, which are parsed already."""
    articles = [article for row in shard.rows if (article := opened(row).article) is not None]
    return lambda: sum(1 for _ in reader.read_many(articles))


def main() -> None:
    """Print the ratio of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--topics", required=True, help="an artefact's folder")
    parser.add_argument("--stance", help="an artefact's folder; without it only topics are read")
    parser.add_argument("--articles", type=int, default=6_000)
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="stancewire-bench-") as name:
        work = Work(
            topics=arguments.topics,
            topics_digest=read_artefact(Path(arguments.topics)).digest,
            stance=arguments.stance,
            stance_digest=read_artefact(Path(arguments.stance)).digest if arguments.stance else None,
            folder=name,
            threads=1,
        )
        whole, bare = measured(Path(name), work, arguments.articles)
    ratios = [job / loop for job, loop in zip(whole[1:], bare[1:], strict=True)]
    print(f"of {len(ratios)} shards, each beside the bare loop over its articles, the first left out:")
    print(f"sums {sum(whole[1:]) / sum(bare[1:]):.3f}, median {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    raise SystemExit(end_with(main))
