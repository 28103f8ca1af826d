"""Near-duplicates and the clusters that they join."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stancewire.sketches import Sketches
from stancewire.wording import Trigrams, fold, similarity, trigrams
from tests.corpora import text_of
from training.data import duplicates
from training.data.duplicates import Pair, clusters, near_duplicates

ROOT = Path(__file__).resolve().parents[3]
BASE = text_of("base", 12).split()


def retouched(words: list[str], every: int) -> str:
    """Replace every so-manieth word."""
    return " ".join(f"new{place}" if place % every == 0 else word for place, word in enumerate(words))


def test_equal_wording_is_equal_whatever_the_typing() -> None:
    assert fold("The  “Talks”\nfailed.") == fold("the talks FAILED") == "the talks failed"
    assert near_duplicates(["One two three four.", "ONE two – three\n\nfour"]) == ((0, 1, 1.0),)


def test_similarity_is_the_share_of_the_shorter_text() -> None:
    # 8 words have 6 trigrams; the other text has 3 of them.
    assert similarity(trigrams("a b c d e f g h"), trigrams("a b c d e x y z 1 2 3")) == 0.5
    assert similarity(trigrams("a b"), trigrams("a b")) == 1.0
    assert similarity(trigrams("a b"), trigrams("b a")) == 0.0
    assert similarity(trigrams("..."), trigrams("...")) == 0.0


def test_trigrams_depend_on_the_order_of_words() -> None:
    assert similarity(trigrams("one two three"), trigrams("three two one")) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_an_excerpt_and_a_retouched_copy_are_found(seed: int) -> None:
    words = text_of(f"long {seed}", 30).split()
    texts = [" ".join(words), " ".join(words[90:180]), retouched(words, 6), text_of(f"other {seed}", 30)]
    assert {(pair.first, pair.second) for pair in near_duplicates(texts)} >= {(0, 1), (0, 2)}
    assert all(pair.second != 3 for pair in near_duplicates(texts))


def test_texts_of_one_formula_are_no_duplicates_while_short() -> None:
    said = "the security council voted on monday to extend its mandate in {} until june of next year"
    short = [said.format(text_of(place, 1, 6)) for place in ("north", "south")]
    assert similarity(trigrams(short[0]), trigrams(short[1])) > 0.4
    assert near_duplicates(short) == ()
    assert len(near_duplicates([short[0], short[0] + " again"])) == 1


def test_the_threshold_is_the_callers() -> None:
    texts = [" ".join(BASE), retouched(BASE, 6)]
    ((_, _, found),) = near_duplicates(texts)
    assert 0.4 < found < 0.6
    assert near_duplicates(texts, threshold=found) != ()
    assert near_duplicates(texts, threshold=found + 0.01) == ()


def compared(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, tuple[Pair, ...]]:
    """Return how many pairs were compared to find the near-duplicates, and these."""
    calls = []

    def counted(one: Trigrams, other: Trigrams) -> float:
        calls.append(1)
        return similarity(one, other)

    monkeypatch.setattr(duplicates, "similarity", counted)
    pairs = near_duplicates(texts)
    return len(calls), pairs


def test_of_very_many_copies_only_some_are_paired_and_all_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    texts = []
    for number in range(300):
        words = list(BASE)
        words[int(rng.integers(len(words)))] = f"new{number}"
        texts.append(" ".join(words))
    names = [str(number) for number in range(len(texts))]
    n_compared, pairs = compared([*texts, text_of("other", 12)], monkeypatch)
    assert len(pairs) == n_compared == sum(range(16)) + 16 * (300 - 16)
    assert set(clusters(names, [None] * len(texts), pairs)) == {"0"}


def test_a_copy_is_found_among_many_texts_of_one_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    formula = text_of("formula", 10).split()
    texts = [f"{' '.join(formula[:40])} {text_of(number, 8)}" for number in range(400)]
    excerpt = " ".join([*formula[20:40], *text_of(7, 8).split()[:40]])
    copy = retouched(texts[5].split(), 12)
    n_compared, pairs = compared([*texts, copy, excerpt], monkeypatch)
    assert {(pair.first, pair.second) for pair in pairs} == {(5, 400), (7, 401)}
    assert sum(range(100)) < n_compared <= 100 * len(texts) + 200 < sum(range(402)) / 1.5


def test_the_likeliest_are_those_with_most_of_the_shorter_text() -> None:
    words = [f"w{number}" for number in range(300)]
    others = [f"v{number}" for number in range(200)]
    texts = [words, words[:60], words[:150] + others[:150], others, words[:20] + others]
    sketches = Sketches([trigrams(" ".join(text)) for text in texts])
    # The excerpt has all of its trigrams in common with the whole, but the fewest of the whole's.
    assert sketches.likeliest(0, {1, 2, 3, 4}, 1) == [1]
    assert sketches.likeliest(0, {4, 3, 2, 1}, 2) == [1, 2]
    assert sketches.likeliest(0, {4, 3}, 2) == [3, 4]


def test_late_copies_of_one_formula_meet_although_its_buckets_are_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(duplicates, "_CROWD", 2)
    formula = text_of("formula", 10).split()
    texts = [f"{' '.join(formula[:40])} {text_of(number, 8)}" for number in range(100)]
    n_compared, pairs = compared([*texts, retouched(texts[95].split(), 12)], monkeypatch)
    assert {(pair.first, pair.second) for pair in pairs} == {(95, 100)}
    assert n_compared < sum(range(101)) / 2


def test_clusters_join_events_and_copies() -> None:
    names = ["a", "b", "c", "d", "e", "f"]
    events = ["x", "y", "x", None, None, "y"]
    assert clusters(names, events, []) == ("a", "b", "a", "d", "e", "b")
    pairs = near_duplicates(["c d e f", "", "x y z w", "c d e f", "", "x y z w"])
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 3), (2, 5)]
    # The second pair joins the events x and y.
    assert clusters(names, events, pairs) == ("a", "a", "a", "a", "e", "a")


def test_an_event_named_like_an_id_joins_nothing() -> None:
    assert clusters(["a", "b"], [None, "a"], []) == ("a", "b")


def test_pairs_are_the_same_under_every_hash_seed() -> None:
    code = (
        "from training.data.duplicates import near_duplicates; "
        "texts = [' '.join(f'w{n // 3}x{i}' for i in range(40)) for n in range(30)]; "
        "print(near_duplicates(texts))"
    )
    told = set()
    for seed in ("0", "1", "2"):
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert told.pop().count("Pair(") == 30
