"""The rows whose answer changed: fixed, broken, or wrong in another way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from models.base import LabelledSet
from stancewire.examples import Article, StanceExample
from training.comparing.pairing import Answers, changed

Kind = Literal["fixed", "broken", "other"]
KINDS: tuple[Kind, ...] = ("fixed", "broken", "other")


@dataclass(frozen=True)
class Change:
    """One row that two models decide differently.

    Attributes:
        kind: "fixed" (B alone is right), "broken" (A alone is), "other" (both are wrong, differently, or
            they differ where nobody labelled).
        row: position among the rows judged.
        event: its story.
        true: labels that hold.
        a, b: labels that each model decides.
        moved: largest change of a probability.
        texts: what was asked, by field.
    """

    kind: Kind
    row: int
    event: str
    true: tuple[str, ...]
    a: tuple[str, ...]
    b: tuple[str, ...]
    moved: float
    texts: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def changes(rows: LabelledSet, a: Answers, b: Answers) -> list[Change]:
    """Return every row that two models decide differently, by kind, those that moved most first."""
    fixed, broken = changed(rows, a.decisions, b.decisions)
    moved = np.abs(a.probabilities - b.probabilities).max(axis=1)
    found = []
    for row in np.flatnonzero((a.decisions != b.decisions).any(axis=1)).tolist():
        kind: Kind = "fixed" if fixed[row] else "broken" if broken[row] else "other"
        true, one, two = (
            _names(rows.labels, held[row]) for held in (rows.truth == 1, a.decisions, b.decisions)
        )
        by = round(float(moved[row]), 4)
        found.append(Change(kind, row, rows.groups[row], true, one, two, by, _texts(rows.examples[row])))
    return sorted(found, key=lambda change: (KINDS.index(change.kind), -change.moved, change.row))


def _names(labels: Sequence[str], held: Sequence[bool]) -> tuple[str, ...]:
    return tuple(label for label, holds in zip(labels, held, strict=True) if holds)


def _texts(example: Article | StanceExample) -> dict[str, str]:
    if isinstance(example, Article):
        return {"id": example.id, "title": example.title, "text": example.text}
    return {"sentence": example.sentence, "target": example.target, "holder": example.holder or ""}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
