"""Find the copies of an article, as news wires make them: read once, counted as one story and as its reach.

An article is a copy when four fifths of its wording, by word trigrams, stand in one that came before and is
no copy itself. So an excerpt is a copy of the whole; a longer version is none of the shorter one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from stancewire.batch.articles import opened
from stancewire.batch.rows import Row
from stancewire.sketches import Sketches
from stancewire.wording import Trigrams, trigrams

COPIED = 0.8
# These keep the time linear: of the earlier articles that one may be a copy of, so many meet it in one bucket
# of wording, and so many are compared with it.
_CROWD = 200
_RIVALS = 100


@dataclass(frozen=True, slots=True)
class Copies:
    """Which rows are copies of which.

    Attributes:
        originals: by the line of each copy, that of the article it is a copy of.
        reach: how many rows tell the story of an original, itself included; no entry is one.
    """

    originals: Mapping[int, int]
    reach: Mapping[int, int]

    def marked(self, row: Row) -> Row:
        """Return a row with what is known of its copies."""
        original = self.originals.get(row.line)
        if original is not None:
            return row._replace(copy_of=original, reach=0)
        return row._replace(reach=self.reach.get(row.line, 1))


def find_copies(rows: Iterable[Row], columns: Mapping[str, str] | None = None) -> Copies:
    """Look through a whole input for copies; docs/batch.md tells what memory that takes.

    Args:
        rows: in the order of the input.
        columns: the input's column by field of an article, where the two names differ.
    """
    lines: list[int] = []
    sets: list[Trigrams] = []
    for row in rows:
        article = opened(row, columns).article
        if article is not None:
            lines.append(row.line)
            sets.append(trigrams(article if isinstance(article, str) else article.text))
    originals = {lines[copy]: lines[original] for copy, original in _originals(sets).items()}
    return Copies(originals, {line: copies + 1 for line, copies in Counter(originals.values()).items()})


def _originals(sets: list[Trigrams]) -> dict[int, int]:
    """Return for each copy which of the earlier ones it is a copy of, by position."""
    sketches = Sketches(sets)
    standing: dict[int, list[int]] = {}
    found: dict[int, int] = {}
    for position, buckets in enumerate(sketches.buckets()):
        rivals = {rival for bucket in buckets for rival in standing.get(bucket, ())}
        for rival in sketches.likeliest(position, rivals, _RIVALS):
            if _contained(sets[position], sets[rival]) >= COPIED:
                found[position] = rival
                break
        else:
            for bucket in buckets:
                if len(members := standing.setdefault(bucket, [])) < _CROWD:
                    members.append(position)
    return found


def _contained(one: Trigrams, other: Trigrams) -> float:
    """Return the share of the one that is in the other."""
    return len(np.intersect1d(one, other, assume_unique=True)) / len(one)
