"""What articles teach beside their rows: their single sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from models.base import LabelledSet
from stancewire.calibration import Task
from training.data.load import Corpus
from training.data.sentences import sentence_rows
from training.data.split import Split
from training.data.tables import articles_of
from training.data.unconcerned import unconcerned_rows

# Rows, and how often each is drawn in an epoch.
Weighted: TypeAlias = tuple[LabelledSet, float]


@dataclass(frozen=True)
class Sentences:
    """How many sentences of articles are learned from, and what they are asked.

    Attributes:
        task: "topics": titles and sentences with what the corpus tells of their topics; "stance": sentences
            asked about what their article is not about.
        times: sentences that are drawn in an epoch for each article; 0: none.
        targets: of stance, with their topics, one for each record of training.
        seed: of the targets that are drawn.
    """

    task: Task
    times: float
    targets: tuple[tuple[str, str | None], ...] = ()
    seed: int = 0

    @classmethod
    def beside(cls, corpus: Corpus, task: Task, split: Split, times: float, seed: int) -> Sentences:
        """Return how a corpus that is split so teaches by its sentences, and others beside it."""
        records = [corpus.stances[row] for row in split.train] if task == "stance" else []
        return cls(task, times, tuple((one.target, one.target_topic) for one in records), seed)

    def of_train(self, corpus: Corpus, split: Split) -> Weighted | None:
        """Return the sentences of the articles that are learned from and have no part in what is judged."""
        judged = articles_of(corpus, self.task, (*split.dev, *split.test))
        return self.of(corpus, sorted(articles_of(corpus, self.task, split.train) - judged))

    def of(self, corpus: Corpus, articles: Sequence[int], weight: float = 1.0) -> Weighted | None:
        """Return the sentences of articles, each with how often it is drawn in an epoch, if there are any.

        Args:
            corpus: of the articles.
            articles: positions of those that may be learned from.
            weight: of the corpus.
        """
        if not self.times:
            return None
        if self.task == "topics":
            found = sentence_rows(corpus, articles)
        else:
            found = unconcerned_rows(corpus, articles, self.targets, self.seed)
        return (found, self.times * weight * len(articles) / len(found)) if len(found) else None
