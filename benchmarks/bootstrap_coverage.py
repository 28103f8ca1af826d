"""How often do 95 % intervals hold the true macro-F1, over events and, as most tools do it, over rows?

Simulates test sets of articles whose events are hard or easy as a whole, judges each, and counts the
intervals that hold the score of 100,000 events. `python -m benchmarks.bootstrap_coverage` takes a minute.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks.told import end_with
from training.evaluate.metrics import evaluate

LABELS = ("a", "b", "c")
RATES = (0.5, 0.35, 0.2)
POPULATION = 100_000


def main() -> None:
    """Print one line per size of the test set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="test sets of each size")
    parser.add_argument(
        "--events", type=int, nargs="+", default=[15, 30, 60, 120], help="events in a test set"
    )
    options = parser.parse_args()
    random = np.random.default_rng(0)
    truth, decisions, other, groups = simulate(POPULATION, random)
    true = score(truth, decisions, other, groups, 10)[0:2]
    print("events  over events  over rows  margin over events   (share of 95% intervals that hold the truth)")
    for n_events in options.events:
        held = np.zeros(3)
        for _ in range(options.trials):
            truth, decisions, other, groups = simulate(n_events, random)
            _, _, interval, margin = score(truth, decisions, other, groups, 500)
            by_row = score(truth, decisions, other, np.arange(len(groups)), 500)[2]
            held += [low <= value <= high for value, (low, high) in zip(
                (true[0], true[0], true[1]), (interval, by_row, margin), strict=True
            )]  # fmt: skip
        print("{:6d}  {:11.3f}  {:9.3f}  {:18.3f}".format(n_events, *held / options.trials))


def simulate(
    n_events: int, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.intp]]:
    """Return truth, decisions of a model and of a worse one, and the event of each row."""
    groups = np.repeat(np.arange(n_events), random.integers(1, 5, n_events))
    topics = random.random((n_events, 3)) < RATES
    ease = random.normal(1.6, 1.2, n_events)
    truth = np.where(random.random((len(groups), 3)) < 0.9, topics[groups], ~topics[groups])
    answers = []
    for worse in (0.0, 0.5):
        right = 1 / (1 + np.exp(-(ease[groups] - worse)))
        answers.append(np.where(random.random(truth.shape) < right[:, None], truth, ~truth))
    return truth.astype(np.float32), answers[0], answers[1], groups


def score(
    truth: NDArray[np.float32],
    decisions: NDArray[np.bool_],
    other: NDArray[np.bool_],
    groups: NDArray[np.intp],
    samples: int,
) -> tuple[float, float, tuple[float, float], tuple[float, float]]:
    """Return macro-F1 and its margin over the worse model, and the intervals of both."""
    found = evaluate(
        truth,
        decisions.astype(np.float32),
        decisions,
        labels=LABELS,
        task="topics",
        groups=[str(group) for group in groups],
        baselines={"other": other},
        samples=samples,
    )
    margin = found.margins["other"]
    macro = found.macro_f1
    return macro.value, margin.value, (macro.low, macro.high), (margin.low, margin.high)


if __name__ == "__main__":
    raise SystemExit(end_with(main))
