"""More rows to learn from: other corpora under our labels, without what dev and test ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.wording import fold
from training.data.duplicates import near_duplicates
from training.data.load import Corpus, read_corpus
from training.data.tables import labelled_set, truth_of

if TYPE_CHECKING:
    from training.config import ExtraConfig


@dataclass(frozen=True)
class Extra:
    """One more corpus.

    Attributes:
        source: where it is from.
        digest: sha256 of it.
        weight: how often a row is seen in an epoch, on average.
        rows: that are learned from.
        left_out: number of rows that dev or test ask about in nearly the same words.
    """

    source: str
    digest: str
    weight: float
    rows: LabelledSet
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Return what the provenance gets."""
        return {
            "source": self.source,
            "sha256": self.digest,
            "weight": self.weight,
            "rows": len(self.rows),
            "left_out": self.left_out,
        }


def load_extra(
    config: ExtraConfig, corpus: Corpus, task: Task, judged: Sequence[int], threshold: float
) -> Extra:
    """Load one more corpus to learn from.

    Args:
        config: of it.
        corpus: the run's own, whose codebook holds.
        task: of the run.
        judged: positions of the run's rows that are not to be learned from, in whatever words nearly theirs.
        threshold: similarity from which two texts are nearly the same.

    Raises:
        InputError: if it cannot be read, has faults, or leaves no row to learn from.
    """
    more = read_corpus(
        config.path,
        codebook=corpus.codebook,
        format=config.format,
        columns=config.columns,
        label_map=config.label_map,
        separator=config.topics_separator,
        delimiter=config.delimiter,
        near_duplicate_threshold=threshold,
        left_out=config.leave_out,
    )
    labelled = ~np.isnan(truth_of(more, task)).all(axis=1)
    known = _asked_again(more, corpus, task, judged, threshold)
    kept = np.flatnonzero(labelled & ~known)
    if not len(kept):
        raise InputError(
            f"extra_data: {config.path}: wanted rows to learn {task} from, found {int(labelled.sum()):,}, "
            "all of which dev or test ask about; leave it out"
        )
    return Extra(
        more.source, more.digest, config.weight, labelled_set(more, task, kept), int((labelled & known).sum())
    )


def _asked_again(
    more: Corpus, corpus: Corpus, task: Task, judged: Sequence[int], threshold: float
) -> NDArray[np.bool_]:
    """Tell which rows of another corpus are, or stand in, a text of dev or test."""
    articles = sorted({row if task == "topics" else int(corpus.article_of[row]) for row in judged})
    texts = [corpus.articles[row].text for row in articles]
    pairs = near_duplicates(texts + [article.text for article in more.articles], threshold=threshold)
    copies = {pair.second - len(texts) for pair in pairs if pair.first < len(texts) <= pair.second}
    by_article = np.array([row in copies for row in range(len(more))], bool)
    if task == "topics":
        return by_article
    sentences = {fold(corpus.stances[row].sentence) for row in judged}
    by_sentence = [fold(record.sentence) in sentences for record in more.stances]
    return np.asarray(by_article[more.article_of] | np.array(by_sentence, bool))
