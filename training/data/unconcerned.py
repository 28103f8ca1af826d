"""Sentences asked about targets of topics that their article is not about: they are unrelated.

The unrelated records of a corpus mostly ask a sentence about another target of its own topic. A model that
learns from them alone takes sides in any quarrel, and sees sanctions in any talks: "he tore up the budget
deal" is against diplomacy to it. What an article says that is not about a topic concerns no target of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.base import LabelledSet
from models.stems import stems
from stancewire.examples import StanceExample
from stancewire.rollup import UNRELATED
from stancewire.sentences import split_sentences
from stancewire.text import clean
from training.data.load import Corpus
from training.data.tables import Rows

_DRAWS = 20


def unconcerned_rows(
    corpus: Corpus, rows: Rows, targets: Sequence[tuple[str, str | None]], seed: int
) -> LabelledSet:
    """Return every sentence of the articles with a target of a topic that its article is not about.

    The target shares no longer word with the sentence; a sentence for which none is drawn is left out, and so
    are articles about all topics, or without labels.

    Args:
        corpus: articles and topics.
        rows: positions of the articles.
        targets: with their topics, one for each record of training, so that what is asked often is drawn
            often; those without a topic are never drawn.
        seed: of what is drawn.
    """
    chance = np.random.default_rng(seed)
    topics = corpus.codebook.labels("topics")
    column = np.array([topics.index(topic) if topic in topics else -1 for _, topic in targets], np.intp)
    words = [stems(target) for target, _ in targets]
    examples: list[StanceExample] = []
    groups: list[str] = []
    for row in rows:
        fitting = np.flatnonzero(np.isin(column, np.flatnonzero(corpus.topics[row] == 0)))
        if not len(fitting):
            continue
        text = clean(corpus.articles[row].text)
        sentences = [text[slice(*span)] for span in split_sentences(text)]
        for context, sentence in pairwise(("", *sentences)):
            said = stems(sentence)
            drawn = fitting[chance.integers(len(fitting), size=_DRAWS)].tolist()
            chosen = next((target for target in drawn if not words[target] & said), None)
            if chosen is not None:
                examples.append(StanceExample(sentence=sentence, target=targets[chosen][0], context=context))
                groups.append(corpus.groups[row])
    labels = corpus.codebook.labels("stance")
    truth = np.tile(np.array([label == UNRELATED for label in labels], np.float32), (len(examples), 1))
    return LabelledSet("stance", tuple(examples), labels, truth, tuple(groups))
