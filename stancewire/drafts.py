"""What is known of one article while it is read: cleaned, its topics found, its sentences asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.predictor import Score, Stance
from stancewire.questions import Sentence
from stancewire.rollup import UNRELATED, SentenceStance
from stancewire.text import CleanText, clean_with_offsets


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


@dataclass(slots=True)
class Draft:
    """One article while a window is read."""

    article: Article
    text: CleanText
    offset: int
    error: InputError | None = None
    warnings: Sequence[str] = ()
    cut_share: float = 0.0
    topics: tuple[TopicReading, ...] = ()
    by_target: dict[str, str | None] = field(default_factory=dict)
    n_sentences: int = 0
    sentences: list[Sentence] = field(default_factory=list)
    stances: list[SentenceStance] = field(default_factory=list)


def readable(text: object, max_chars: int) -> CleanText:
    """Clean a text; refuse what is none, or holds nothing that can be read."""
    if not isinstance(text, str):
        raise InputError(f"expected the article's text to be a text, found a {type(text).__name__}")
    cleaned = clean_with_offsets(text, max_chars=max_chars)
    if not cleaned.text.strip():
        raise InputError(f"expected an article's text, found {len(text):,} characters, none of them readable")
    return cleaned


def topic_of(score: Score, names: Mapping[str, str]) -> TopicReading:
    """Return what is told of one topic."""
    name = names.get(score.label) or score.label.replace("_", " ")
    return TopicReading(score.label, name, score.probability, score.threshold, score.decision, score.review)


def stance_of(target: str, sentence: Sentence, answer: Stance) -> SentenceStance | None:
    """Return a sentence's stance, or None where it does not concern the target."""
    if answer.label == UNRELATED:
        return None
    return SentenceStance(
        target=target,
        label=answer.label,
        probability=answer.probability,
        sentence=sentence.text,
        start=sentence.start,
        end=sentence.end,
        holder=sentence.holder,
        review=answer.review,
    )


def warnings_of(predicted: Sequence[str], text: CleanText) -> tuple[str, ...]:
    """Return what a reader of the result should know."""
    cut = ("text_cut",) if text.read_chars < text.original_chars else ()
    return tuple(dict.fromkeys((*predicted, *cut)))
