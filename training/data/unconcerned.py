"""Sentences of articles about no topic, asked about targets of training: they are unrelated.

The stance records of a corpus mostly stand in articles about its topics. A model that learns from them alone
takes sides in any quarrel: "he tore up the budget deal" is against diplomacy to it. What an article about no
topic says concerns no target of these topics, whatever its tone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.base import LabelledSet
from models.stems import stems
from stancewire.examples import StanceExample
from stancewire.rollup import UNRELATED
from stancewire.sentences import split_sentences
from stancewire.text import clean
from training.data.load import Corpus
from training.data.tables import Rows, sentence_before

_DRAWS = 20


def unconcerned_rows(corpus: Corpus, rows: Rows, targets: Sequence[str], seed: int) -> LabelledSet:
    """Return every sentence of articles about no topic with one of the targets, unrelated to it.

    The target shares no longer word with the sentence; a sentence for which none is drawn is left out.

    Args:
        corpus: articles.
        rows: positions of those about no topic.
        targets: one for each record of training, so that what is asked often is drawn often.
        seed: of what is drawn.
    """
    chance = np.random.default_rng(seed)
    words = [stems(target) for target in targets]
    examples: list[StanceExample] = []
    groups: list[str] = []
    for row in rows:
        text = clean(corpus.articles[row].text)
        spans = split_sentences(text)
        for span in spans:
            sentence = text[slice(*span)]
            said = stems(sentence)
            for drawn in chance.integers(len(targets), size=_DRAWS).tolist():
                if not words[drawn] & said:
                    context = sentence_before(sentence, text, spans)
                    examples.append(StanceExample(sentence=sentence, target=targets[drawn], context=context))
                    groups.append(corpus.groups[row])
                    break
    labels = corpus.codebook.labels("stance")
    truth = np.tile(np.array([label == UNRELATED for label in labels], np.float32), (len(examples), 1))
    return LabelledSet("stance", tuple(examples), labels, truth, tuple(groups))
