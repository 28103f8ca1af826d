"""Articles and questions of stance as token ids: what an encoder is trained on, and what it is asked.

Training and inference both come through here, so that neither ever sees text that the other would cut, clean
or order in another way. Topics: every chunk of an article is `title | chunk`. Stance: one sequence,
`context | sentence` and, as its second segment, `target | holder`. `|` is the tokenizer's own separator, and
its own template says what stands at the ends. Where target and holder stand in the sentence in so many words,
they may be marked there, `* target *` and `# holder #`, as entities are where relations are extracted (Zhou,
Chen: *An Improved Baseline for Sentence-level Relation Extraction*, AACL 2022).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stancewire.calibration import Task
from stancewire.errors import ArtefactError
from stancewire.examples import Article, StanceExample
from stancewire.strictjson import StrictJsonError, loads
from stancewire.text import clean

# Raised whenever the same text would become other ids: an artefact names the version it was trained with.
ENCODING_VERSION = 1
TOKENIZER = "tokenizer.json"
# Shares of a sequence's tokens that a title, a target and a holder take at most; the rest is the text's.
_TITLE_SHARE, _TARGET_SHARE, _HOLDER_SHARE = 4, 4, 8
_MAX_TOKENIZER_BYTES = 100_000_000

Ids = list[int]
# Sequences, each with where its second segment begins; the share that was cut; whether no token was known.
_Row: TypeAlias = tuple[list[tuple[Ids, int]], float, bool]


@dataclass(frozen=True, slots=True)
class Layout:
    """How examples are laid out as sequences.

    Attributes:
        task: "topics" or "stance".
        tokens: longest sequence, separators included.
        stride: tokens of the text that a chunk shares with the one before; topics only.
        max_chunks: of one article; what comes after is cut. 1 for stance.
        max_chars: longest text read, in characters after cleaning.
        target_blind: leave target and holder out; stance only.
        marked: mark target and holder in the sentence; stance only.
    """

    task: Task
    tokens: int
    stride: int = 0
    max_chunks: int = 1
    max_chars: int = 1_000_000
    target_blind: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """Sequences of some rows.

    Attributes:
        ids: token ids of every sequence, at most `Layout.tokens` each.
        second: for every sequence, where its second segment (type id 1) begins; its length where it has none.
        rows: intp [n_sequences]; the row of each, not decreasing, at least one per row.
        cut: float32 [n_rows]; share of the row's tokens that no sequence holds, from 0 to 1.
        blank: bool [n_rows]; True where the tokenizer knows no token of the text.
    """

    ids: list[Ids]
    second: list[int]
    rows: NDArray[np.intp]
    cut: NDArray[np.float32]
    blank: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Template:
    """What the tokenizer puts before, between and behind the parts of a sequence."""

    first: Ids
    between: Ids
    last: Ids
    typed: bool


class Encoder:
    """Turns examples into sequences of token ids; safe to call from several threads.

    Args:
        tokenizer: content of a `tokenizer.json`.
        layout: of the sequences.

    Raises:
        ArtefactError: if the tokenizer cannot be read, or its separators leave no room for text.
    """

    def __init__(self, tokenizer: bytes, layout: Layout) -> None:
        self.layout = layout
        self._tokenizer = _parsed(tokenizer)
        self._template = _template(self._tokenizer)
        self._unknown = _unknown(self._tokenizer, tokenizer)
        marks = self._tokenizer.encode("* #", add_special_tokens=False).ids if layout.marked else []
        self._of_no_text = {self._unknown, *marks}
        ends = len(self._template.first) + len(self._template.last)
        self._room = layout.tokens - ends - 3 * len(self._template.between)
        if self._room < 8 or layout.stride >= self._room // 2:
            raise ArtefactError(
                f"{TOKENIZER}: sequences of {layout.tokens} tokens with a stride of {layout.stride} leave no "
                "room for text; make them longer, or the stride shorter"
            )

    @property
    def last_token(self) -> int:
        """The largest token id that a sequence may hold."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values())

    def encode(self, examples: Sequence[Article] | Sequence[StanceExample]) -> Encoded:
        """Return the sequences of all rows, in the order of the rows."""
        ids: list[Ids] = []
        second: list[int] = []
        rows: list[int] = []
        cut = np.zeros(len(examples), dtype=np.float32)
        blank = np.zeros(len(examples), dtype=np.bool_)
        for row, (sequences, cut[row], blank[row]) in enumerate(self._rows(examples)):
            for sequence, start in sequences:
                ids.append(sequence)
                second.append(start)
                rows.append(row)
        return Encoded(ids, second, np.asarray(rows, dtype=np.intp), cut, blank)

    def _rows(self, examples: Sequence[Article] | Sequence[StanceExample]) -> Iterator[_Row]:
        """Yield the sequences of every row; every distinct text of the batch is tokenised but once."""
        texts = dict.fromkeys(chain.from_iterable(map(_texts, examples)))
        cleaned = {text: clean(text, max_chars=self.layout.max_chars) for text in texts}
        read = [self._read(tuple(cleaned[text] for text in _texts(example))) for example in examples]
        distinct = list(dict.fromkeys(chain.from_iterable(read)))
        found = self._tokenizer.encode_batch_fast(distinct, add_special_tokens=False)
        ids = {text: encoding.ids for text, encoding in zip(distinct, found, strict=True)}
        lay_out: Callable[..., _Row] = self._article if self.layout.task == "topics" else self._question
        for row in read:
            yield lay_out(*(ids[text] for text in row))

    def _read(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is tokenised of a row's cleaned texts."""
        if not self.layout.marked or self.layout.target_blind:
            return texts
        sentence, target, holder, context = texts
        return (marked(sentence, target, holder), target, holder, context)

    def _article(self, title: Ids, text: Ids) -> _Row:
        kept = title[: self.layout.tokens // _TITLE_SHARE]
        room = self._room - len(kept)
        chunks = list(self._chunks(text, room))
        read = min(len(text), room + (len(chunks) - 1) * (room - self.layout.stride))
        sequences = [
            self._sequence([kept], [chunk]) if kept else self._sequence([chunk], []) for chunk in chunks
        ]
        cut = _unread(len(kept) + read, len(title) + len(text))
        return sequences, cut, self._is_blank(title, text)

    def _chunks(self, text: Ids, room: int) -> Iterator[Ids]:
        step = room - self.layout.stride
        for chunk in range(self.layout.max_chunks):
            start = chunk * step
            if chunk and start + self.layout.stride >= len(text):
                return
            yield text[start : start + room]

    def _question(self, sentence: Ids, target: Ids, holder: Ids, context: Ids) -> _Row:
        """Lay out one question; where it is too long, the context goes first, its oldest words before all."""
        if self.layout.target_blind:
            target, holder = [], []
        total = len(sentence) + len(target) + len(holder) + len(context)
        target = target[: self.layout.tokens // _TARGET_SHARE]
        holder = holder[: self.layout.tokens // _HOLDER_SHARE]
        room = self._room - len(target) - len(holder)
        blank = self._is_blank(sentence)
        sentence = sentence[:room]
        context = context[max(0, len(context) - (room - len(sentence))) :]
        read = len(sentence) + len(target) + len(holder) + len(context)
        asked = [] if self.layout.target_blind else [target, holder] if holder else [target]
        sequence = self._sequence([context, sentence] if context else [sentence], asked)
        return [sequence], _unread(read, total), blank

    def _sequence(self, first: list[Ids], second: list[Ids]) -> tuple[Ids, int]:
        """Join the parts of both segments; return where the second begins."""
        template = self._template
        ids = list(template.first)
        for number, part in enumerate(first):
            ids += (template.between if number else []) + part
        start = None
        for number, part in enumerate(second):
            ids += template.between
            start = len(ids) if not number else start
            ids += part
        ids += template.last
        return ids, len(ids) if start is None or not template.typed else start

    def _is_blank(self, *texts: Ids) -> bool:
        return all(token in self._of_no_text for text in texts for token in text)


def marked(sentence: str, target: str, holder: str) -> str:
    """Return a sentence with `* target *` and `# holder #` wherever these stand in it as whole words.

    Upper and lower case are alike; what stands in other words stays unmarked.
    """
    places = sorted(
        (place, sign)
        for words, mark in ((target, "*"), (holder, "#"))
        if words.strip()
        for found in _standing(words).finditer(sentence)
        for place, sign in ((found.start(), f"{mark} "), (found.end(), f" {mark}"))
    )
    parts, last = [], 0
    for place, sign in places:
        parts += [sentence[last:place], sign]
        last = place
    return "".join([*parts, sentence[last:]])


@lru_cache(maxsize=4096)
def _standing(words: str) -> re.Pattern[str]:
    spelled = r"\s+".join(map(re.escape, words.split()))
    return re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE)


def _unread(read: int, total: int) -> float:
    """Return the share of the tokens that was not read; of none, nothing was left out."""
    return 1 - read / total if total else 0.0


def _texts(example: Article | StanceExample) -> tuple[str, ...]:
    if isinstance(example, Article):
        return (example.title, example.text)
    return (example.sentence, example.target, example.holder or "", example.context)


def _parsed(content: bytes) -> Tokenizer:
    """Read a tokenizer that neither cuts nor pads: both are done here."""
    try:
        tokenizer: Tokenizer = Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises nothing narrower
        raise ArtefactError(f"{TOKENIZER}: expected a tokenizer of the tokenizers library: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _template(tokenizer: Tokenizer) -> _Template:
    """Find what the tokenizer sets around a pair of texts, by asking it for one."""
    pair = tokenizer.encode("a", "b")
    special = pair.special_tokens_mask
    parts: list[Ids] = [[]]
    for token, is_special in zip(pair.ids, special, strict=True):
        if is_special:
            parts[-1].append(token)
        elif parts[-1] or len(parts) == 1:
            parts.append([])
    if len(parts) != 3 or not parts[1]:
        raise ArtefactError(
            f"{TOKENIZER}: expected a tokenizer that sets a separator between two texts, found "
            f"{pair.tokens}; use the tokenizer of an encoder such as BERT or RoBERTa"
        )
    return _Template(parts[0], parts[1], parts[2], typed=max(pair.type_ids) > 0)


def _unknown(tokenizer: Tokenizer, content: bytes) -> int | None:
    """Return the id of the token that stands for unknown words; None where the tokenizer knows all."""
    try:
        model = loads(content, max_bytes=_MAX_TOKENIZER_BYTES)["model"]  # type: ignore[index, call-overload]
    except (StrictJsonError, KeyError, TypeError) as error:
        raise ArtefactError(f"{TOKENIZER}: expected a JSON object with a 'model': {error}") from None
    token = model.get("unk_token") if isinstance(model, dict) else None
    return tokenizer.token_to_id(token) if isinstance(token, str) else None
