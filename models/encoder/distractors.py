"""Questions of stance beside a sentence of another story, which has nothing to say on their target.

A sentence mostly holds one stance, and a model that answers by its tone is often right. Of two sentences of
different stories only the one that concerns the target counts: the target has to be read.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.base import LabelledSet
from models.stems import stems
from stancewire.examples import StanceExample

_DRAWS = 20


def distracted(rows: LabelledSet, seed: int) -> LabelledSet:
    """Return every question with a sentence of another story before or behind its own, and without context.

    The other sentence shares no longer word with the target; a question for which none is drawn is left out.

    Args:
        rows: of stance.
        seed: of what is drawn.
    """
    chance = np.random.default_rng(seed)
    questions = [example for example in rows.examples if isinstance(example, StanceExample)]
    targets = [stems(question.target) for question in questions]
    sentences = [stems(question.sentence) for question in questions]
    made: list[StanceExample] = []
    kept: list[int] = []
    for row, question in enumerate(questions):
        for other in chance.integers(len(questions), size=_DRAWS).tolist():
            if rows.groups[other] != rows.groups[row] and not targets[row] & sentences[other]:
                parts = [question.sentence, questions[other].sentence]
                if chance.random() < 0.5:
                    parts.reverse()
                made.append(replace(question, sentence=" ".join(parts), context=""))
                kept.append(row)
                break
    chosen = rows.take(kept)
    return replace(chosen, examples=tuple(made))
