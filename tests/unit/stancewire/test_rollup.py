"""The roll-up of sentences: counts, net stance, verdict and the sentences that decide it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.rollup import AGAINST, FAVOR, NEUTRAL, SentenceStance, roll_up


def stances(labels: str, probabilities: tuple[float, ...] = ()) -> list[SentenceStance]:
    """One stance per letter: f, a or n."""
    names = {"f": FAVOR, "a": AGAINST, "n": NEUTRAL}
    return [
        SentenceStance(
            "talks", names[letter], probabilities[i] if probabilities else 0.5, f"s{i}", i, i + 1, None
        )
        for i, letter in enumerate(labels)
    ]


@pytest.mark.parametrize(
    ("labels", "verdict", "net"),
    [
        ("", "no_evidence", None),
        ("n", "neutral", None),
        ("nnn", "neutral", None),
        ("f", "favor", 1.0),
        ("a", "against", -1.0),
        ("fa", "divided", 0.0),
        ("ffa", "favor", 1 / 3),
        ("aaf", "against", -1 / 3),
        ("fffaa", "divided", 1 / 5),
        ("aaaff", "divided", -1 / 5),
        ("fnnnnnn", "favor", 1.0),
        ("ffaann", "divided", 0.0),
        ("ffffaa", "favor", 1 / 3),
        ("fffffaaa", "divided", 1 / 4),
        ("aaaaafff", "divided", -1 / 4),
    ],
)
def test_verdict(labels: str, verdict: str, net: float | None) -> None:
    found = roll_up("talks", "diplomacy", stances(labels))
    assert found.verdict == verdict
    assert found.net == (None if net is None else pytest.approx(net))
    assert (found.target, found.topic) == ("talks", "diplomacy")
    assert found.counts == {
        "against": labels.count("a"),
        "favor": labels.count("f"),
        "neutral": labels.count("n"),
    }


@pytest.mark.parametrize(
    ("labels", "probabilities", "deciding"),
    [
        ("fafnf", (0.4, 0.99, 0.9, 0.99, 0.5), ["s2", "s4", "s0"]),
        ("aaaaf", (0.5, 0.5, 0.5, 0.5, 0.9), ["s0", "s1", "s2"]),
        ("fann", (0.4, 0.6, 0.9, 0.9), ["s1", "s0"]),
        ("nn", (0.4, 0.6), ["s1", "s0"]),
        ("", (), []),
    ],
)
def test_the_surest_sentences_of_the_winning_side_decide(
    labels: str, probabilities: tuple[float, ...], deciding: list[str]
) -> None:
    found = roll_up("talks", None, stances(labels, probabilities))
    assert [stance.sentence for stance in found.deciding] == deciding


@given(st.text("fan", max_size=30))
def test_identities(labels: str) -> None:
    found = roll_up("talks", None, stances(labels))
    mirrored = roll_up("talks", None, stances(labels.translate(str.maketrans("fa", "af"))))
    assert sum(found.counts.values()) == len(labels)
    assert (found.verdict == "no_evidence") == (labels == "")
    assert (found.net is None) == (not set(labels) & {"f", "a"})
    if found.net is not None and mirrored.net is not None:
        assert found.net == -mirrored.net
        assert found.net * (found.counts["favor"] + found.counts["against"]) == pytest.approx(
            found.counts["favor"] - found.counts["against"]
        )
    swapped = {"favor": "against", "against": "favor"}
    assert mirrored.verdict == swapped.get(found.verdict, found.verdict)
    assert len(found.deciding) <= 3
    assert bool(found.deciding) == bool(labels)
    behind = {"divided": {"favor", "against"}}.get(found.verdict, {found.verdict})
    assert {stance.label for stance in found.deciding} <= behind
