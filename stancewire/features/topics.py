"""Terms of an article for its topics: the stems of its words. docs/linear.md says what else was tried."""

from __future__ import annotations

import numpy as np

from stancewire.examples import Article
from stancewire.features.base import Features, Form, Runs, Sheet, numbering
from stancewire.features.words import STEMS, words
from stancewire.text import clean


class _Articles(Sheet[Article]):
    """The stems of the words of title and text."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._numbers = numbering()
        self._words: list[int] = []
        self._ends = [0]

    def add(self, example: Article) -> None:
        """Read title and text."""
        number = self._numbers.__getitem__
        for text in (example.title, example.text):
            self._words += map(number, words(clean(text, max_chars=self._max_chars)))
        self.size = len(self._words)
        self._ends.append(self.size)

    def finish(self) -> Runs:
        """Return one run for each article."""
        lexicon = numbering()
        stems = np.asarray(
            list(map(lexicon.__getitem__, map(STEMS.__getitem__, self._numbers))), dtype=np.int64
        )
        rows = np.arange(len(self._ends) - 1)[:, np.newaxis]
        return Runs(list(lexicon), stems[np.asarray(self._words, dtype=np.int64)], np.diff(self._ends), rows)


TOPICS = Features(
    forms={"words": Form.ALONE},
    content=frozenset({"words"}),
    target_blind=frozenset({"words"}),
    sheet=_Articles,
)
"""Terms of an article for its topics."""
