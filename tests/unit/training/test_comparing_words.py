"""The verdict in words says what the intervals say, and nothing more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.training.test_comparing_pairing import QUICK, noisy
from training.comparing.pairing import Comparison, compare
from training.comparing.words import main_labels, points, verdict
from training.evaluate.scores import Interval

BASE = compare(*noisy(0), QUICK)
NOTHING = Interval(0.0, -0.01, 0.01)


def found(macro: Interval, **labels: Interval | None) -> Comparison:
    by_label = {name: labels.get(name, NOTHING) for name in ("against", "favor", "neutral", "unrelated")}
    return replace(BASE, differences=replace(BASE.differences, macro_f1=macro, labels=by_label))


def test_the_better_one_is_named_with_its_interval_and_main_label() -> None:
    says = verdict(found(Interval(0.021, 0.004, 0.039), against=Interval(0.08, 0.01, 0.15)), "A", "B")
    assert says == "B is better by 2.1 points of macro-F1 (0.4 to 3.9), mostly on against."


def test_a_loss_of_b_is_told_as_a_win_of_a() -> None:
    lost = found(
        Interval(-0.021, -0.039, -0.004), against=Interval(-0.06, -0.1, -0.01), favor=Interval(-0.05, -0.1, 0)
    )
    assert verdict(lost, "version 1", "version 2") == (
        "version 1 is better by 2.1 points of macro-F1 (0.4 to 3.9), mostly on against."
    )


def test_what_became_worse_is_told_with_what_became_better() -> None:
    mixed = found(
        Interval(0.02, 0.001, 0.04),
        against=Interval(0.1, 0.05, 0.15),
        favor=Interval(-0.02, -0.05, 0.01),  # not shown to be worse
        neutral=Interval(-0.03, -0.05, -0.01),
    )
    assert verdict(mixed, "A", "B") == (
        "B is better by 2.0 points of macro-F1 (0.1 to 4.0), mostly on against. "
        "It is worse on neutral by 3.0 (1.0 to 5.0)."
    )


def test_gains_on_all_labels_alike_name_none() -> None:
    gain = Interval(0.02, 0.001, 0.04)
    even = found(gain, against=gain, favor=gain, neutral=gain, unrelated=None)
    assert verdict(even, "A", "B") == "B is better by 2.0 points of macro-F1 (0.1 to 4.0)."


@pytest.mark.parametrize("macro", [Interval(0.004, -0.012, 0.021), Interval(0.02, 0.0, 0.03)])
def test_what_is_not_shown_is_not_claimed(macro: Interval) -> None:
    says = verdict(found(macro), "A", "B")
    assert says.startswith("Neither is shown to be better: B scores ")
    assert "60 rows in 30 events" in says


def test_the_undecided_tells_its_reach_and_the_labels_that_do_differ() -> None:
    says = verdict(found(Interval(0.004, -0.012, 0.021), favor=Interval(-0.05, -0.09, -0.01)), "A", "B")
    assert says == (
        "Neither is shown to be better: B scores +0.4 points of macro-F1 against A (-1.2 to 2.1) on 60 rows "
        "in 30 events, too few to see a difference of less than about 1.7. "
        "On favor A is better by 5.0 (1.0 to 9.0)."
    )


def test_equal_answers_are_told_as_such() -> None:
    assert verdict(replace(BASE, differing=0), "A", "B") == "A and B decide all 60 rows in 30 events alike."


@pytest.mark.parametrize(
    ("gains", "main"),
    [
        ({"a": 0.5, "b": 0.1, "c": 0.1, "d": -0.9}, ["a"]),
        ({"a": 0.2, "b": 0.3, "c": 0.1, "d": 0.1}, ["b", "a"]),
        ({"a": 0.1, "b": 0.1, "c": 0.1}, []),
        ({"a": 0.1, "b": 0.1, "c": 0.1, "d": 0.1}, []),
        ({"a": -0.1, "b": 0.0}, []),
        ({}, []),
    ],
)
def test_main_labels(gains: dict[str, float], main: list[str]) -> None:
    assert main_labels(gains) == main


def test_points() -> None:
    assert points(Interval(-0.0212, -0.04, 0.001)) == "-2.1 points (-4.0 to 0.1)"
