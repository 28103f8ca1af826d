"""A comparison in words, no surer than the figures are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from training.comparing.pairing import Comparison
from training.evaluate.scores import Interval


def verdict(found: Comparison, a: str, b: str) -> str:
    """Say which model is better, by how much and on what, as far as that is shown.

    "B is better by 2.1 points of macro-F1 (0.4 to 3.9), mostly on against." A model is called better where
    the whole interval of the difference is on its side of 0.

    Args:
        found: B minus A.
        a: name of the first.
        b: name of the second.
    """
    first = found.evaluations[0]
    where = f"{first.n_rows:,} rows in {first.n_groups:,} events"
    if not found.differing:
        return f"{a} and {b} decide all {where} alike."
    difference = found.differences.macro_f1
    if difference.low > 0:
        return _better(b, difference, found.differences.labels)
    if difference.high < 0:
        turned = {label: one and turn(one) for label, one in found.differences.labels.items()}
        return _better(a, turn(difference), turned)
    return " ".join([_undecided(a, b, difference, where), *_shown_labels(found, a, b)])


def turn(difference: Interval) -> Interval:
    """Return A minus B of B minus A."""
    return Interval(0.0 - difference.value, 0.0 - difference.high, 0.0 - difference.low)


def points(difference: Interval) -> str:
    """Return "+2.1 points (0.4 to 3.9)"."""
    return f"{100 * difference.value:+.1f} points {_range(difference)}"


def _better(winner: str, difference: Interval, labels: Mapping[str, Interval | None]) -> str:
    known = {label: one for label, one in labels.items() if one is not None}
    main = main_labels({label: one.value for label, one in known.items()})
    mostly = f", mostly on {_and(main)}" if main else ""
    sentence = (
        f"{winner} is better by {100 * difference.value:.1f} points of macro-F1 {_range(difference)}{mostly}."
    )
    worse = [label for label, one in known.items() if one.high < 0]
    told = [f"{label} by {-100 * known[label].value:.1f} {_range(turn(known[label]))}" for label in worse]
    return f"{sentence} It is worse on {_and(told)}." if told else sentence


def main_labels(gains: Mapping[str, float]) -> list[str]:
    """Return the fewest labels that make up over half of what is gained; none, where most are."""
    gained = sorted((label for label in gains if gains[label] > 0), key=lambda label: (-gains[label], label))
    total = sum(gains[label] for label in gained)
    main: list[str] = []
    while gained and 2 * sum(gains[label] for label in main) <= total:
        main.append(gained.pop(0))
    return main if 2 * len(main) <= len(gains) else []


def _undecided(a: str, b: str, difference: Interval, where: str) -> str:
    half = 50 * (difference.high - difference.low)
    return (
        f"Neither is shown to be better: {b} scores {100 * difference.value:+.1f} points of macro-F1 against "
        f"{a} {_range(difference)} on {where}, too few to see a difference of less than about {half:.1f}."
    )


def _shown_labels(found: Comparison, a: str, b: str) -> Iterator[str]:
    """Yield the labels on which one is shown to be better although the whole is undecided."""
    for label, one in found.differences.labels.items():
        if one and (one.low > 0 or one.high < 0):
            winner, by = (b, one) if one.low > 0 else (a, turn(one))
            yield f"On {label} {winner} is better by {100 * by.value:.1f} {_range(by)}."


def _range(difference: Interval) -> str:
    return f"({100 * difference.low:.1f} to {100 * difference.high:.1f})"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
