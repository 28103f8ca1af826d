"""Terms of a sentence, its target and holder for a stance. docs/linear.md says why each block is there.

The target's own words are no term: they would only teach which targets are popular. What counts is where the
target stands in the sentence, what leads to it, and its kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stancewire.examples import StanceExample
from stancewire.features.base import Features, Form, Ints, Runs, Sheet, numbering, ranges
from stancewire.features.kinds import kind_of
from stancewire.features.mentions import Mentions, Names, end_of
from stancewire.features.sentence import KIND_NAMES, Reader, Sentences, keys_of
from stancewire.features.words import words
from stancewire.memo import Memo
from stancewire.text import clean

_TARGET = "TARGET"  # terms are lower case otherwise
_MAX_HOLDER = 16  # words of a holder that are looked for
_MAX_TARGET = 1_000  # characters of a target that are read
_SHARES = ("not", "in part", "whole")


class _Target(NamedTuple):
    """A target: the keys of its words, and its kind."""

    keys: frozenset[str]
    kind: str


def _read_target(target: str) -> _Target:
    found = words(clean(target))
    return _Target(keys_of(found), kind_of(found))


_TARGETS = Memo(_read_target)


class _Stances(Sheet[StanceExample]):
    """Reads the rows of a stance model; what several rows ask of one sentence is read once."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._reader = Reader(max_chars)
        self._targets: dict[str, int] = {}
        self._read_targets: list[_Target] = []
        self._rows: list[tuple[int, int, int]] = []  # sentence, context or -1, target
        self._holders: list[str | None] = []

    def add(self, example: StanceExample) -> None:
        """Take a row, and read its sentence; of the context only what may name the target."""
        if (number := self._targets.get(example.target)) is None:
            number = self._targets[example.target] = len(self._read_targets)
            self._read_targets.append(_TARGETS[example.target[: min(self._max_chars, _MAX_TARGET)]])
        reader, context = self._reader, -1
        sentence = reader.read(example.sentence)
        if example.context:
            plain = reader.plain(example.context)
            # A word begins with its key.
            for key in self._read_targets[number].keys:
                if key in plain:
                    context = reader.read(example.context)
                    break
        self._rows.append((sentence, context, number))
        self._holders.append(example.holder)
        self.size = reader.size

    def finish(self) -> Runs:
        """Return the runs of all rows: of the marked sentences first."""
        lexicon = numbering()
        wanted, names = _numbered(self._read_targets)
        read = self._reader.finish(lexicon, wanted)
        sentence, context, target = np.asarray(self._rows, dtype=np.int64).reshape(-1, 3).T
        mentions = Mentions.find(read, sentence, names, target)
        runs = _Runs(lexicon)
        runs.put(read.marked, read.lengths)
        masked, lead = sentence.copy(), np.full(len(sentence), runs.put(_NOTHING, np.zeros(1, np.int64))[0])
        if mentions.found.any():
            masked[mentions.found] = runs.put(*mentions.masked(lexicon[_TARGET]))
            lead[mentions.found] = runs.put(*mentions.lead(self._behind_holders(read, sentence, mentions)))
        kind = self._kinds(runs, read, sentence, target)
        before = np.zeros_like(mentions.named)
        asked = np.flatnonzero(context >= 0)
        before[asked] = Mentions.find(read, context[asked], names, target[asked]).named
        relation = self._relations(runs, read.kinds[sentence], target, mentions.named, before)
        return runs.finish(np.column_stack((sentence, masked, kind, relation, lead)))

    def _kinds(self, runs: _Runs, read: Sentences, sentence: Ints, target: Ints) -> Ints:
        """Return for each row the run of the kind of its target and the stems of its sentence."""
        lexicon = runs.lexicon
        kinds = np.asarray([lexicon[found.kind] for found in self._read_targets], dtype=np.int64)
        different, which = np.unique(sentence * len(lexicon) + kinds[target], return_inverse=True)
        sentences, heads = np.divmod(different, len(lexicon))
        lengths = read.lengths[sentences] + 1
        begins = np.cumsum(lengths) - lengths
        is_stem = np.ones(lengths.sum(), dtype=np.bool_)
        is_stem[begins] = False
        words = np.empty(len(is_stem), dtype=np.int64)
        words[begins] = heads
        words[is_stem] = read.stems[ranges(read.starts[sentences], lengths - 1)]
        return runs.put(words, lengths)[which]

    def _relations(self, runs: _Runs, kinds: Ints, target: Ints, named: Ints, before: Ints) -> Ints:
        """Return for each row the run of how its target, sentence and context relate."""
        wanted = np.asarray([len(found.keys) for found in self._read_targets], dtype=np.int64)[target]
        rows = zip(
            [self._read_targets[number].kind for number in target.tolist()],
            _shares(named, wanted).tolist(),
            _shares(before, wanted).tolist(),
            np.minimum(named, 3).tolist(),
            kinds.tolist(),
            strict=True,
        )
        numbers: dict[tuple[str, int, int, int, int], int] = {}
        which = [numbers.setdefault(row, len(numbers)) for row in rows]
        terms = [[runs.lexicon[term] for term in _relation(*row)] for row in numbers]
        words = np.asarray([term for run in terms for term in run], dtype=np.int64)
        return runs.put(words, np.asarray([len(run) for run in terms]))[which]

    def _behind_holders(self, read: Sentences, sentence: Ints, mentions: Mentions) -> Ints:
        """Return for each row that names its target where in its sentence the holder ends, or 0."""
        phrases: dict[str, list[int]] = {}
        ends = []
        for row in np.flatnonzero(mentions.found).tolist():
            end = 0
            if holder := self._holders[row]:
                if (phrase := phrases.get(holder)) is None:
                    phrase = phrases[holder] = self._phrase(holder, read.vocabulary)
                if phrase:
                    start = read.starts[sentence[row]]
                    end = end_of(phrase, read.words[start : start + read.lengths[sentence[row]]].tolist())
            ends.append(end)
        return np.asarray(ends, dtype=np.int64)

    def _phrase(self, holder: str, vocabulary: Mapping[str, int]) -> list[int]:
        """Return the numbers of a holder's words; none if a word is in no sentence."""
        found = words(clean(holder, max_chars=self._max_chars))[:_MAX_HOLDER]
        return [vocabulary[word] for word in found] if all([word in vocabulary for word in found]) else []


_NOTHING = np.zeros(0, dtype=np.int64)


class _Runs:
    """Runs of words as they are made."""

    def __init__(self, lexicon: dict[str, int]) -> None:
        self.lexicon = lexicon
        self._words: list[Ints] = []
        self._lengths: list[Ints] = []
        self._size = 0

    def put(self, words: Ints, lengths: Ints) -> Ints:
        """Add runs, and return their numbers."""
        self._words.append(words)
        self._lengths.append(lengths)
        self._size += len(lengths)
        return np.arange(self._size - len(lengths), self._size)

    def finish(self, rows: Ints) -> Runs:
        """Return all runs, for rows."""
        return Runs(list(self.lexicon), np.concatenate(self._words), np.concatenate(self._lengths), rows)


def _numbered(targets: Sequence[_Target]) -> tuple[dict[str, int], Names]:
    """Return the number of each key of any target, from 1; and which keys each target has."""
    numbers: dict[str, int] = {}
    for found in targets:
        for key in found.keys:
            numbers.setdefault(key, len(numbers) + 1)
    width = len(numbers) + 1
    codes = [row * width + numbers[key] for row, found in enumerate(targets) for key in found.keys]
    return numbers, Names(np.sort(np.asarray(codes, dtype=np.int64)), width)


def _shares(found: Ints, wanted: Ints) -> Ints:
    """Return the place in _SHARES of so many found of so many wanted."""
    return np.where(found == 0, 0, np.where(found >= wanted, 2, 1))


def _relation(kind: str, here: int, there: int, named: int, bits: int) -> list[str]:
    kinds = [name for place, name in enumerate(KIND_NAMES) if bits >> place & 1]
    return [
        kind,
        f"named {_SHARES[here]}",
        f"named before {_SHARES[there]}",
        f"named {_SHARES[here]}, before {_SHARES[there]}",
        f"named {named}",
        *[f"{kind} and {other}" for other in kinds],
        f"{kind} among {' '.join(kinds) or 'none'}",
        f"{kind} {'' if kind in kinds else 'not '}spoken of",
    ]


STANCE = Features(
    forms={
        "sentence": Form.PAIRED,
        "masked": Form.PAIRED,
        "kind": Form.BEHIND,
        "relation": Form.ALONE,
        "lead": Form.PAIRED,
    },
    content=frozenset({"sentence"}),
    target_blind=frozenset({"sentence"}),
    sheet=_Stances,
)
"""Terms of a sentence, its target and holder."""
