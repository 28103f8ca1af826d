"""Macro-F1 from 8 to 64 labels of a class: contrastive tuning beside fine-tuning, SetFit and linear models.

Run `python -m benchmarks.fewshot [--public FOLDER] [--only NAME …] [--models NAME …] [--shots 8,16,32,64]
[--seeds 0,1,2]`. The rows are drawn from train, stories spread; all models of a seed learn from the same, and
are judged on dev by plain decisions: above one half for topics, the likeliest for stance. No model sees dev
before. FOLDER may hold public sets (benchmarks/public_sets.py). SetFit is left out where it is not installed.
The seconds are of the processor, so that other work on the machine hardly counts.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.peers import PEERS, Decisions, Peer, decided, missing
from benchmarks.public_sets import STANCE_SETS, TOPIC_SETS, read_public
from benchmarks.quality import corpus_sets
from benchmarks.told import end_with
from models.base import LabelledSet
from models.fewshot.config import FewshotConfig
from models.registry import family
from models.scoring import counts_of, macro
from training.data.shots import few_rows

FOLDS, FIXED, UNTUNED = "few-shot, steps by folds", "few-shot, all steps", "few-shot, no steps"
_MOST = 500  # rows of dev that judge
Set = tuple[LabelledSet, LabelledSet]


def ours(name: str, **settings: object) -> Peer:
    """Return a family of ours as a peer; it gets the training rows for dev too."""

    def learn(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
        kind = family(name)
        config = kind.Config.model_validate({"family": name} | settings)
        model = kind(config, seed=seed).fit(train, train)
        return decided(model.predict_probabilities(asked.examples), train.task)

    return learn


def fine_tuned(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
    """The encoder family, until it has seen as many rows as the few-shot family sees."""
    defaults = FewshotConfig()
    epochs = math.ceil(defaults.steps * defaults.batch_size / len(train))
    return ours("encoder", epochs=epochs, metric="loss")(train, asked, seed)


MODELS: dict[str, Peer] = {
    FOLDS: ours("fewshot", judged_on="folds"),
    FIXED: ours("fewshot", judged_on="none"),
    UNTUNED: ours("fewshot", steps=0),
    "encoder, as many rows": fine_tuned,
    "linear": ours("linear", regularisation=[3.0]),
    **{
        name: peer
        for name, (peer, package) in PEERS.items()
        if not missing(package) and name.startswith("SetFit")
    },
}


def figures(learn: Peer, rows: Set, shots: int, seed: int) -> tuple[float, float]:
    """Return macro-F1 in percent, and seconds of the processor, of one model on one draw."""
    train, dev = rows
    few = train.take(few_rows(train.truth, train.groups, train.task, shots, seed=seed))
    start = time.process_time()
    decisions = learn(few, dev, seed)
    return 100 * float(macro(counts_of(dev.truth, decisions).sum(axis=0))), time.process_time() - start


def judged(rows: Set) -> Set:
    """Return the set with no more rows of dev than judge."""
    train, dev = rows
    order = np.random.default_rng(0).permutation(len(dev))[:_MOST]
    return train, dev.take(np.sort(order))


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, learn, judge, print one table."""
    options = _parser().parse_args(arguments)
    sets: dict[str, Callable[[], Any]] = dict(corpus_sets(on_test=False))
    for name in (*STANCE_SETS, *TOPIC_SETS) if options.public else ():
        if (options.public / name / "train.jsonl").is_file():
            sets[name] = partial(read_public, options.public / name)
    shots, seeds = ([int(part) for part in text.split(",")] for text in (options.shots, options.seeds))
    table = Table("set", "model", *(f"{n} labels" for n in shots), title=f"macro-F1, seeds {options.seeds}")
    console = Console(width=150)
    with threadpool_limits(1):
        for name in options.only or sets:
            rows = judged(sets[name]())
            for model in options.models or MODELS:
                cells = []
                for n in shots:
                    found = [figures(MODELS[model], rows, n, seed) for seed in seeds]
                    scores, seconds = np.mean(found, axis=0)
                    spread = np.std([score for score, _ in found])
                    cells.append(f"{scores:.1f} ± {spread:.1f} ({seconds:.0f} s)")
                    console.print(f"{name} | {model} | {n} | {cells[-1]}", style="dim", highlight=False)
                table.add_row(name, model, *cells)
    console.print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, help="folder of public sets")
    parser.add_argument("--only", nargs="+", help="sets by name; default: all there are")
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, metavar="NAME", help=f"of: {', '.join(MODELS)}"
    )
    parser.add_argument("--shots", default="8,16,32,64", help="rows of each label")
    parser.add_argument("--seeds", default="0,1,2", help="of the draw and of the fit")
    return parser


if __name__ == "__main__":
    raise SystemExit(end_with(main))
