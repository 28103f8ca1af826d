"""An article in, a reading out: its topics, and who stands how toward what in which sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, TypeAlias

from stancewire.drafts import Draft, TopicReading, readable, stance_of, topic_of, warnings_of
from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article
from stancewire.headline import split_headline
from stancewire.holders import Holder
from stancewire.pairs import check_pair
from stancewire.predictor import Provenance, StancePredictor, TopicsPrediction, TopicsPredictor
from stancewire.questions import sentences_of
from stancewire.rollup import SentenceStance, TargetReading, roll_up
from stancewire.section import shown
from stancewire.sentences import split_sentences
from stancewire.text import clean
from stancewire.windows import spared, windows

__all__ = [
    "MAX_TARGETS",
    "MAX_TARGET_CHARS",
    "SCHEMA_VERSION",
    "Reader",
    "Reading",
    "TopicReading",
    "checked_targets",
]

SCHEMA_VERSION = 1
MAX_TARGETS = 50
MAX_TARGET_CHARS = 200


_Storable: TypeAlias = TopicReading | TargetReading | SentenceStance | Holder | Provenance
# Of each, the names of its fields, and what fetches them all at once: readings are written by the million.
_GETTERS: dict[type[_Storable], tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]] = {
    kind: (tuple(kind.__dataclass_fields__), attrgetter(*kind.__dataclass_fields__))
    for kind in (TopicReading, TargetReading, SentenceStance, Holder, Provenance)
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one article; `to_dict` is the one JSON of every engine.

    Attributes:
        article: what was read. For a bare text its `text` is the part below the headline, if there is one.
        topics: one per label of the topics model, decided or not.
        targets: one roll-up per target, in the order they were asked.
        stances: every sentence that concerns a target, by target and then in the order of the text.
        sentences: how many sentences were read.
        cut_chars: how many characters at the end of the text were not read.
        cut_share: how much of the article the topics model did not read, from 0 to 1: also what is beyond
            the chunks of an encoder.
        mixed_script: words that mix look-alike alphabets, at most 20.
        warnings: as in TopicsPrediction.
        topics_model: which model answered for the topics.
        stance_model: which model answered for the stances; None where only topics were predicted.
    """

    article: Article
    topics: tuple[TopicReading, ...]
    targets: tuple[TargetReading, ...]
    stances: tuple[SentenceStance, ...]
    sentences: int
    cut_chars: int
    cut_share: float
    mixed_script: tuple[str, ...]
    warnings: tuple[str, ...]
    topics_model: Provenance
    stance_model: Provenance | None

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values, keys in a stable order; docs/reading.md has the schema."""
        article = self.article
        return {
            "schema": "stancewire-reading",
            "schema_version": SCHEMA_VERSION,
            "id": _storable(article.id),
            "title": _storable(article.title),
            "date": article.date and _storable(article.date),
            "outlet": article.outlet and _storable(article.outlet),
            "topics": [_fields(topic) for topic in self.topics],
            "targets": [self._target_dict(target) for target in self.targets],
            "stances": [
                _fields(stance) | {"holder": stance.holder and _fields(stance.holder)}
                for stance in self.stances
            ],
            "sentences": self.sentences,
            "cut_chars": self.cut_chars,
            "cut_share": self.cut_share,
            "mixed_script": list(self.mixed_script),
            "warnings": list(self.warnings),
            "models": {
                "topics": _fields(self.topics_model),
                "stance": self.stance_model and _fields(self.stance_model),
            },
        }

    def _target_dict(self, target: TargetReading) -> dict[str, Any]:
        positions = [self.stances.index(stance) for stance in target.deciding]
        return _fields(target) | {"counts": dict(target.counts), "deciding": positions}


class Reader:
    """Reads articles with one model for topics and one for stance. Safe to call from several threads.

    Args:
        topics: the model for topics.
        stance: the model for stance; without one only topics are predicted.
    """

    def __init__(self, topics: TopicsPredictor, stance: StancePredictor | None = None) -> None:
        pair = [predictor.artefact.manifest for predictor in (topics, stance) if predictor is not None]
        check_pair(*pair)
        self.topics = topics
        self.stance = stance
        self._max_chars = min(manifest.max_chars for manifest in pair)

    def read(self, article: Article | str, targets: Sequence[str] | None = None) -> Reading:
        """Read one article.

        Args:
            article: an Article, or a bare text: its first line is the headline when a blank line follows and
                no full stop ends it. Offsets are into the Article's text, or into the whole bare text.
            targets: phrases to ask about, in place of the article's decided topics.

        Raises:
            InputError: for an article without text, or targets that are empty, too long or repeated.
        """
        (answer,) = self.read_many([article], targets)
        if isinstance(answer, InputError):
            raise answer
        return answer

    def read_many(
        self, articles: Iterable[Article | str], targets: Sequence[str] | None = None
    ) -> Iterator[Reading | InputError]:
        """Read articles as they come, a window of them at a time: one answer each, in their order.

        An article that cannot be read costs itself alone: its answer is the error, and no message repeats its
        text. Labels are those of `read`, probabilities the same within 1e-4.

        Args:
            articles: as in `read`.
            targets: as in `read`.

        Raises:
            InputError: for targets that are empty, too long or repeated.
            StancewireError: for targets without a model for stance.
        """
        asked = None if targets is None else checked_targets(targets)
        if asked is not None and self.stance is None:
            raise StancewireError("expected a stance model, to ask about targets; name one, or no targets")
        return chain.from_iterable(self._read_window(window, asked) for window in windows(articles))

    def _read_window(
        self, articles: Sequence[Article | str], asked: Sequence[str] | None
    ) -> list[Reading | InputError]:
        """Read some articles with one call of the topics model and one of the stance model."""
        opened = [self._open(article) for article in articles]
        readable = [draft for draft in opened if isinstance(draft, Draft)]
        predicted = spared(self.topics.predict, [draft.article for draft in readable])
        for draft, answer in zip(readable, predicted, strict=True):
            self._ask(draft, answer, asked)
        asking = [draft for draft in readable if draft.by_target]
        for draft, stances in zip(asking, spared(self._stances, asking), strict=True):
            if isinstance(stances, InputError):
                draft.error = stances
            else:
                draft.stances = stances
        return [draft if isinstance(draft, InputError) else self._reading(draft) for draft in opened]

    def _open(self, article: Article | str) -> Draft | InputError:
        offset = 0
        if isinstance(article, str):
            article, offset = split_headline(article)
        try:
            return Draft(article, readable(article.text, self._max_chars), offset)
        except InputError as error:
            return error

    def _ask(self, draft: Draft, answer: TopicsPrediction | InputError, asked: Sequence[str] | None) -> None:
        """Note the topics of an article, split it, and decide what it is asked about."""
        if isinstance(answer, InputError):
            draft.error = answer
            return
        draft.warnings = answer.warnings
        draft.cut_share = answer.cut_share
        names = self.topics.artefact.manifest.codebook.names
        draft.topics = tuple(topic_of(score, names) for score in answer.scores)
        spans = split_sentences(draft.text.text)
        draft.n_sentences = len(spans)
        if self.stance is None:
            return
        draft.by_target = (
            {topic.name: topic.label for topic in draft.topics if topic.decision}
            if asked is None
            else dict.fromkeys(asked)
        )
        if draft.by_target:
            draft.sentences = list(sentences_of(draft.text, spans, draft.offset))

    def _stances(self, drafts: Sequence[Draft]) -> list[list[SentenceStance]]:
        """Ask about every target in every sentence, in one call, and keep the sentences that concern it."""
        if self.stance is None:
            return [[] for _ in drafts]
        asked = [
            (target, sentence)
            for draft in drafts
            for target in draft.by_target
            for sentence in draft.sentences
        ]
        answers = iter(self.stance.decide([sentence.question(target) for target, sentence in asked]))
        return [
            [
                stance
                for target in draft.by_target
                for sentence in draft.sentences
                if (stance := stance_of(target, sentence, next(answers))) is not None
            ]
            for draft in drafts
        ]

    def _reading(self, draft: Draft) -> Reading | InputError:
        if draft.error is not None:
            return draft.error
        text, stances = draft.text, draft.stances
        return Reading(
            article=draft.article,
            topics=draft.topics,
            targets=tuple(
                roll_up(target, topic, [s for s in stances if s.target == target])
                for target, topic in draft.by_target.items()
            ),
            stances=tuple(stances),
            sentences=draft.n_sentences,
            cut_chars=text.original_chars - text.read_chars,
            cut_share=draft.cut_share,
            mixed_script=text.mixed_script,
            warnings=warnings_of(draft.warnings, text),
            topics_model=self.topics.provenance,
            stance_model=self.stance.provenance if self.stance else None,
        )


def checked_targets(targets: Sequence[str]) -> list[str]:
    """Return the targets, cleaned; each must name something, once."""
    if isinstance(targets, str):
        raise InputError(f"expected a list of targets, found one text; write targets=[{targets[:40]!r}]")
    if not 0 < len(targets) <= MAX_TARGETS:
        raise InputError(
            f"expected 1 to {MAX_TARGETS} targets, found {len(targets)}; leave them out to ask about topics"
        )
    seen: dict[str, str] = {}
    for number, target in enumerate(targets):
        if not isinstance(target, str):
            raise InputError(f"target {number}: expected a text, found a {type(target).__name__}")
        phrase = " ".join(clean(target[: MAX_TARGET_CHARS + 1]).split())
        if not phrase or len(target) > MAX_TARGET_CHARS:
            found = f"{len(target):,}" if phrase else f"{shown(target)}, nothing to read"
            raise InputError(
                f"target {number}: expected a phrase of 1 to {MAX_TARGET_CHARS} characters, found {found}"
            )
        if phrase.casefold() in seen:
            raise InputError(f"target {number}: {phrase!r} stands there twice; name every target once")
        seen[phrase.casefold()] = phrase
    return list(seen.values())


def _fields(value: _Storable) -> dict[str, Any]:
    """Return a dataclass' fields in their order; their texts are of cleaned text, and so storable."""
    names, values = _GETTERS[type(value)]
    return dict(zip(names, values(value), strict=True))


def _storable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold; everything else stays."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
