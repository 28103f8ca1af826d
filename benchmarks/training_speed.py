"""One epoch of fine-tuning MiniLM, beside the transformers example recipe with its defaults.

Run `python -m benchmarks.training_speed FOLDER [--rows N] [--epochs N]`. FOLDER is a public set with text,
target and label (benchmarks/public_sets.py). Both learn the same rows and are judged on the whole of dev;
the recipe pads to 128 tokens and computes in fp32, as it stands. The seconds hold reading the weights and, of
ours, judging dev after every epoch.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.peers import Decisions, decided, transformers_recipe
from benchmarks.public_sets import read_public
from benchmarks.told import end_with
from models.base import LabelledSet
from models.encoder.config import EncoderConfig
from models.encoder.family import EncoderFamily
from models.scoring import counts_of, macro


def main(arguments: Sequence[str] | None = None) -> None:
    """Time both, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of a public set, such as newsmtsc")
    parser.add_argument("--rows", type=int, help="learn the first so many rows of a shuffled train; else all")
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args(arguments)
    train, dev = read_public(options.folder)
    rows = np.random.default_rng(0).permutation(len(train))[: options.rows]
    train = train.take(rows)

    def ours() -> Decisions:
        config = EncoderConfig(epochs=options.epochs)
        model = EncoderFamily(config, seed=0).fit(train, dev)
        return decided(model.predict_probabilities(dev.examples), train.task)

    def recipe() -> Decisions:
        return transformers_recipe(train, dev, 0, epochs=options.epochs, as_it_stands=True)

    seconds = {name: _timed(name, learn, dev) for name, learn in (("ours", ours), ("recipe", recipe))}
    share = seconds["ours"] / seconds["recipe"]
    print(f"{len(train):,} rows, {options.epochs} epoch(s): ours takes {share:.2f} of the recipe's time")


def _timed(name: str, learn: Callable[[], Decisions], dev: LabelledSet) -> float:
    began = time.perf_counter()
    decisions = learn()
    seconds = time.perf_counter() - began
    score = float(macro(counts_of(dev.truth, decisions).sum(axis=0).astype(np.float64)))
    print(f"{name}: {seconds:.0f} s, macro-F1 on dev {100 * score:.1f}", flush=True)
    return seconds


if __name__ == "__main__":
    raise SystemExit(end_with(main))
