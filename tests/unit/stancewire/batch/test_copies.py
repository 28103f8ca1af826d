"""Copies: an excerpt or a retouched text is one, a longer version or another story is not."""

from __future__ import annotations

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.batch.copies import Copies, find_copies
from stancewire.batch.rows import Row


def words(seed: int, count: int) -> str:
    chance = random.Random(seed)  # noqa: S311 - no secret
    return " ".join(f"w{chance.randrange(5000)}" for _ in range(count))


def found(*texts: str) -> Copies:
    return find_copies(Row(n, json.dumps({"text": text}).encode()) for n, text in enumerate(texts, 1))


STORY = words(1, 300)


def test_what_is_a_copy() -> None:
    half = " ".join(STORY.split()[100:250])
    retouched = STORY.replace(" w", " W", 20) + " (Editing by a desk)"
    longer = f"{STORY} {words(2, 300)}"
    copies = found(STORY, words(3, 300), half, retouched, longer, STORY, words(4, 300), longer)
    assert copies.originals == {3: 1, 4: 1, 6: 1, 8: 5}
    assert copies.reach == {1: 4, 5: 2}


def test_a_copy_of_a_copy_is_one_of_the_original_or_none() -> None:
    """What drifts away step by step ends as a story of its own: nothing is chained."""
    parts = STORY.split()
    drifting = [" ".join(parts[n * 30 : n * 30 + 180]) for n in range(5)]
    copies = found(*drifting)
    assert set(copies.originals.values()).isdisjoint(copies.originals)
    assert copies.originals != dict.fromkeys(range(2, 6), 1)


def test_short_and_empty_texts() -> None:
    copies = found("Photo: wire", "Photo: wire", "", "", "!!!", "!!!", "Photo: other wire")
    assert copies.originals == {2: 1}


def test_rows_that_are_no_articles_are_no_copies() -> None:
    rows = [Row(1, b"{"), Row(2, b"{"), Row(3, None, "", "kind", "x"), Row(4, STORY.encode(), "a.txt")]
    rows += [Row(5, STORY.encode(), "b.txt")]
    assert find_copies(rows).originals == {5: 4}


def test_rows_are_marked() -> None:
    copies = Copies({2: 1}, {1: 2})
    assert copies.marked(Row(1, b"")) == Row(1, b"", reach=2)
    assert copies.marked(Row(2, b"")) == Row(2, b"", copy_of=1, reach=0)
    assert copies.marked(Row(3, b"")) == Row(3, b"")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=15))
def test_stories_and_reach_add_up(seeds: list[int]) -> None:
    copies = found(*(words(seed, 60) for seed in seeds))
    rows = [copies.marked(Row(n, b"")) for n in range(1, len(seeds) + 1)]
    assert sum(row.reach for row in rows) == len(seeds)
    assert sum(row.copy_of is None for row in rows) == len(set(seeds))
