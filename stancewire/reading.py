"""An article in, a reading out: its topics, and who stands how toward what in which sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from stancewire.errors import CodebookError, InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.holders import Holder, find_holder
from stancewire.predictor import Provenance, Score, StancePredictor, TopicsPrediction, TopicsPredictor
from stancewire.rollup import AGAINST, FAVOR, NEUTRAL, UNRELATED, SentenceStance, TargetReading, roll_up
from stancewire.section import shown
from stancewire.sentences import Span, split_sentences
from stancewire.text import CleanText, clean, clean_with_offsets

SCHEMA_VERSION = 1
MAX_TARGETS = 50
MAX_TARGET_CHARS = 200

_MAX_HEADLINE_CHARS = 200
_LINE_END = r"(?:\r\n|\n|\r(?!\n))"
# One line, then a blank one. A lead paragraph ends with a full stop, a headline hardly ever does.
_HEADLINE = re.compile(
    rf"\s*(?P<title>\S[^\r\n]{{0,{_MAX_HEADLINE_CHARS - 1}}}(?<![.\s]))[ \t]*"
    rf"{_LINE_END}[ \t]*{_LINE_END}\s*(?=\S)"
)


@dataclass(frozen=True, slots=True)
class TopicReading:
    """One topic of the codebook: its phrase for people, calibrated probability, threshold and decision.

    `review` tells whether a person should look at the decision, as in Score.
    """

    label: str
    name: str
    probability: float
    threshold: float
    decision: bool
    review: bool = False


_Storable: TypeAlias = TopicReading | TargetReading | SentenceStance | Holder | Provenance


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
        mixed_script: words that mix look-alike alphabets, at most 20.
        warnings: as in TopicsPrediction.
        topics_model: which model answered for the topics.
        stance_model: which model answered for the stances.
    """

    article: Article
    topics: tuple[TopicReading, ...]
    targets: tuple[TargetReading, ...]
    stances: tuple[SentenceStance, ...]
    sentences: int
    cut_chars: int
    mixed_script: tuple[str, ...]
    warnings: tuple[str, ...]
    topics_model: Provenance
    stance_model: Provenance

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
            "mixed_script": list(self.mixed_script),
            "warnings": list(self.warnings),
            "models": {"topics": _fields(self.topics_model), "stance": _fields(self.stance_model)},
        }

    def _target_dict(self, target: TargetReading) -> dict[str, Any]:
        positions = [self.stances.index(stance) for stance in target.deciding]
        return _fields(target) | {"counts": dict(target.counts), "deciding": positions}


class Reader:
    """Reads articles with one model for topics and one for stance. Safe to call from several threads."""

    def __init__(self, topics: TopicsPredictor, stance: StancePredictor) -> None:
        _check_models(topics, stance)
        self.topics = topics
        self.stance = stance
        self._max_chars = min(topics.artefact.manifest.max_chars, stance.artefact.manifest.max_chars)

    def read(self, article: Article | str, targets: Sequence[str] | None = None) -> Reading:
        """Read one article.

        Args:
            article: an Article, or a bare text: its first line is the headline when a blank line follows and
                no full stop ends it. Offsets are into the Article's text, or into the whole bare text.
            targets: phrases to ask about, in place of the article's decided topics.

        Raises:
            InputError: for an article without text, or targets that are empty, too long or repeated.
        """
        offset = 0
        if isinstance(article, str):
            article, offset = split_headline(article)
        asked = None if targets is None else checked_targets(targets)
        text = _readable(article.text, self._max_chars)
        predicted = self.topics.predict([article])[0]
        names = self.topics.artefact.manifest.codebook.names
        topics = tuple(_topic(score, names) for score in predicted.scores)
        by_target: dict[str, str | None] = (
            {topic.name: topic.label for topic in topics if topic.decision}
            if asked is None
            else dict.fromkeys(asked)
        )
        spans = split_sentences(text.text)
        stances = self._stances(list(_sentences(text, spans, offset)), list(by_target)) if by_target else []
        return Reading(
            article=article,
            topics=topics,
            targets=tuple(
                roll_up(target, topic, [s for s in stances if s.target == target])
                for target, topic in by_target.items()
            ),
            stances=tuple(stances),
            sentences=len(spans),
            cut_chars=text.original_chars - text.read_chars,
            mixed_script=text.mixed_script,
            warnings=_warnings(predicted, text),
            topics_model=self.topics.provenance,
            stance_model=self.stance.provenance,
        )

    def _stances(self, sentences: Sequence[_Sentence], targets: Sequence[str]) -> list[SentenceStance]:
        """Ask about every target in every sentence, in one call, and keep the sentences that concern it."""
        asked = [(target, sentence) for target in targets for sentence in sentences]
        answers = self.stance.predict([sentence.question(target) for target, sentence in asked])
        return [
            SentenceStance(
                target=target,
                label=answer.label,
                probability=answer.probability,
                sentence=sentence.text,
                start=sentence.start,
                end=sentence.end,
                holder=sentence.holder,
                review=answer.review,
            )
            for (target, sentence), answer in zip(asked, answers, strict=True)
            if answer.label != UNRELATED
        ]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A cleaned sentence, the one before, and who holds its stance; offsets into the text that was given."""

    text: str
    context: str
    start: int
    end: int
    holder: Holder | None

    def question(self, target: str) -> StanceExample:
        """Ask how the holder stands toward a target; without a holder, what the sentence conveys."""
        named = self.holder.mention if self.holder else ""
        return StanceExample(sentence=self.text, target=target, holder=named or None, context=self.context)


def split_headline(text: str) -> tuple[Article, int]:
    """Split a bare text into headline and body.

    Returns:
        The article, and where its text starts in the given one. The title is "" when the first line is no
        headline: longer than 200 characters, ended by a full stop, or not followed by a blank line.
    """
    if isinstance(text, str) and (match := _HEADLINE.match(text[: 10 * _MAX_HEADLINE_CHARS])):
        return Article(title=match["title"], text=text[match.end() :]), match.end()
    return Article(text=text), 0


def _sentences(text: CleanText, spans: Iterable[Span], offset: int) -> Iterator[_Sentence]:
    """Yield the sentences of a text in order."""
    before = Span(0, 0)
    last: Holder | None = None
    for span in spans:
        sentence, context = text.text[slice(*span)], text.text[slice(*before)]
        holder = find_holder(sentence, context)
        if holder is not None:
            named_in = before if holder.in_context else span
            start, end = text.original_span(named_in.start + holder.start, named_in.start + holder.end)
            holder = _resolved(replace(holder, start=offset + start, end=offset + end), last)
        last = holder
        start, end = text.original_span(*span)
        yield _Sentence(sentence, context, offset + start, offset + end, holder)
        before = span


def _resolved(holder: Holder, last: Holder | None) -> Holder:
    """Let the same pronoun in a row mean the same: "He said …. He added …"."""
    if last is None or not last.in_context or holder.text.lower() != last.mention.lower():
        return holder
    return replace(last, cue=holder.cue, mention=holder.mention)


def _readable(text: object, max_chars: int) -> CleanText:
    """Clean a text; refuse what is none, or holds nothing that can be read."""
    if not isinstance(text, str):
        raise InputError(f"expected the article's text to be a text, found a {type(text).__name__}")
    cleaned = clean_with_offsets(text, max_chars=max_chars)
    if not cleaned.text.strip():
        raise InputError(f"expected an article's text, found {len(text):,} characters, none of them readable")
    return cleaned


def _topic(score: Score, names: Mapping[str, str]) -> TopicReading:
    name = names.get(score.label) or score.label.replace("_", " ")
    return TopicReading(score.label, name, score.probability, score.threshold, score.decision, score.review)


def _warnings(predicted: TopicsPrediction, text: CleanText) -> tuple[str, ...]:
    cut = ("text_cut",) if text.read_chars < text.original_chars else ()
    return tuple(dict.fromkeys((*predicted.warnings, *cut)))


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


def _check_models(topics: TopicsPredictor, stance: StancePredictor) -> None:
    """Refuse swapped models, and models that were not trained on one codebook."""
    for wanted, predictor in (("topics", topics), ("stance", stance)):
        if predictor.task != wanted:
            raise StancewireError(
                f"expected a {wanted} model, found {predictor.provenance.model}, a {predictor.task} model; "
                "write Reader(topics, stance)"
            )
    one, other = topics.artefact.manifest.codebook, stance.artefact.manifest.codebook
    if (one.id, one.version, one.sha256) != (other.id, other.version, other.sha256):
        raise CodebookError(
            f"expected models of one codebook, found {topics.provenance.model} by {one.id} {one.version} "
            f"({one.sha256[:12]}) and {stance.provenance.model} by {other.id} {other.version} "
            f"({other.sha256[:12]}); train both on the same codebook"
        )
    if missing := {AGAINST, FAVOR, NEUTRAL, UNRELATED} - set(stance.labels):
        raise CodebookError(
            f"{stance.provenance.model}: a reading needs the labels against, favor, neutral and unrelated; "
            f"missing {', '.join(sorted(missing))}"
        )


def _fields(value: _Storable) -> dict[str, Any]:
    """Return a dataclass' fields in their order, texts made storable."""
    return {name: _storable(getattr(value, name)) for name in value.__dataclass_fields__}


def _storable(value: object) -> object:
    """Replace lone surrogates, which UTF-8 cannot hold; everything else stays."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
