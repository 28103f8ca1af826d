"""Leaks of the split that a corpus gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from training.data.leaks import KINDS, Leak, find_leaks
from training.data.load import Corpus
from training.data.split import PARTS

SHOWN = 60


def leakage(corpus: Corpus) -> dict[str, Any] | None:
    """Return the leaks between the parts of a corpus; None where it gives no article a part."""
    given = np.asarray([one or "" for one in corpus.splits], dtype=object)
    if not (given != "").any():
        return None
    articles = {name: np.flatnonzero(given == name).tolist() for name in PARTS}
    leaks = list(find_leaks(corpus, "topics", articles))
    if corpus.stances:
        of = given[corpus.article_of]
        records = {name: np.flatnonzero(of == name).tolist() for name in PARTS}
        leaks += [leak for leak in find_leaks(corpus, "stance", records) if leak.code == "same_sentence"]
    leaks.sort(key=_gravest)
    counts = Counter(leak.code for leak in leaks)
    return {
        "parts": {name: len(rows) for name, rows in articles.items()},
        "without_a_part": int((given == "").sum()),
        "found": len(leaks),
        "kinds": {kind: counts[kind] for kind in KINDS},
        "shown": [asdict(leak) | {"parts": list(leak.parts)} for leak in leaks[:SHOWN]],
    }


def _gravest(leak: Leak) -> tuple[bool, int, float]:
    """Sort what reaches into test before the rest, then by kind and likeness."""
    return ("test" not in leak.parts, KINDS.index(leak.code), -leak.similarity)
