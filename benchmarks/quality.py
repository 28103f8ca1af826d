"""Macro-F1 of every family beside well-known tools, on the same rows and the same backbone.

Run `python -m benchmarks.quality [--public FOLDER] [--only NAME …] [--models NAME …] [--seeds 0,1,2]`. The
bundled corpus is split by events, learned on train, and judged on dev (or, with --test, on test: once, for a
finished model). FOLDER may hold public sets (benchmarks/public_sets.py), learned on train and judged on dev.
What our families need to stop, calibrate and set thresholds is taken from train: a tenth of its events, which
the peers learn from and ours do not. Peers that are not installed are left out, and the pip line is told.
The seconds are of the processor, so that other work on the machine hardly counts; what a peer makes ready
once, for all sets, is told apart.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.peers import PEERS, READY, Decisions, Peer, missing
from benchmarks.public_sets import STANCE_SETS, TOPIC_SETS, read_public
from benchmarks.told import end_with
from models.base import LabelledSet
from models.scoring import counts_of, macro
from stancewire.calibration import Task
from training.config import RunConfig
from training.data.load import read_corpus
from training.data.split import Plan, split_corpus
from training.data.tables import labelled_set
from training.fit import fit
from training.prepare import Parts

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
# A tenth of the events, by their digest.
_DEV_BYTE = 26
OURS = {"stancewire linear": "linear", "stancewire encoder": "encoder"}
Set: TypeAlias = tuple[LabelledSet, LabelledSet]


def ours(family: str) -> Peer:
    """Return a family of ours, with its defaults, as a peer."""

    def learn(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
        config = RunConfig.model_validate(
            {"task": train.task, "seed": seed, "model": {"family": family}, "conformal": {"level": None}}
        )
        held = np.array([_byte(group) < _DEV_BYTE for group in train.groups])
        parts = Parts(train.take(np.flatnonzero(~held)), train.take(np.flatnonzero(held)), asked)
        return fit(config, config.model, parts).decisions

    return learn


def corpus_sets(*, on_test: bool) -> Iterator[tuple[str, Callable[[], Set]]]:
    """Yield the two tasks of the bundled corpus, split by events as the shipped configs do."""
    corpus = read_corpus(str(CORPUS))
    tasks: tuple[Task, ...] = ("topics", "stance")
    for task in tasks:
        split = split_corpus(corpus, task, Plan(), seed=0)
        learned, judged = ((*split.train, *split.dev), split.test) if on_test else (split.train, split.dev)
        train, asked = (labelled_set(corpus, task, rows) for rows in (learned, judged))
        yield f"corpus {task}", partial(_given, train, asked)


def _given(train: LabelledSet, asked: LabelledSet) -> Set:
    return train, asked


def main(arguments: Sequence[str] | None = None) -> None:
    """Learn, judge, print one table."""
    options = _parser().parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    models: dict[str, Peer] = {name: ours(family) for name, family in OURS.items()}
    for name, (peer, package) in PEERS.items():
        if line := missing(package):
            print(f"{name}: not installed, left out; {line}")
        else:
            models[name] = peer
    sets: dict[str, Callable[[], Set]] = dict(corpus_sets(on_test=options.test))
    if options.public is not None:
        for name in (*STANCE_SETS, *TOPIC_SETS):
            sets[name] = partial(read_public, options.public / name)
    sets = {name: load for name, load in sets.items() if not options.only or name in options.only}
    models = {name: peer for name, peer in models.items() if not options.models or name in options.models}
    for name in models.keys() & READY.keys():
        began = time.process_time()
        READY[name]()
        print(f"{name}: made ready in {time.process_time() - began:.0f} s", flush=True)
    table = Table(title="macro-F1, mean ± spread over seeds; seconds to learn and answer in brackets")
    table.add_column("set")
    for name in models:
        table.add_column(name, justify="right")
    for name, load in sets.items():
        train, asked = load()
        cells = [_cell(name, title, peer, train, asked, seeds) for title, peer in models.items()]
        table.add_row(f"{name} ({len(train):,} → {len(asked):,})", *cells)
    Console(width=200).print(table)


def _cell(
    name: str, title: str, peer: Peer, train: LabelledSet, asked: LabelledSet, seeds: Sequence[int]
) -> str:
    scores, began = [], time.process_time()
    for seed in seeds:
        with threadpool_limits(1, user_api="blas"):
            decisions = peer(train, asked, seed)
        counts = counts_of(asked.truth, decisions).sum(axis=0).astype(np.float64)
        scores.append(100 * float(macro(counts)))
    seconds = (time.process_time() - began) / len(seeds)
    said = f"{np.mean(scores):.1f}" + (f" ± {np.std(scores):.1f}" if len(seeds) > 1 else "")
    print(f"{name}: {title}: {said} ({seconds:.0f} s)", flush=True)
    return f"{said} ({seconds:.0f})"


def _byte(group: str) -> int:
    return hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--public", type=Path, help="folder of public sets")
    parser.add_argument("--only", nargs="*", default=[], help="sets, such as 'corpus stance' or newsmtsc")
    parser.add_argument("--models", nargs="*", default=[], help="models, such as 'stancewire encoder'")
    parser.add_argument("--seeds", default="0", help="such as 0,1,2")
    parser.add_argument("--test", action="store_true", help="judge the bundled corpus on its test part")
    return parser


if __name__ == "__main__":
    raise SystemExit(end_with(main))
