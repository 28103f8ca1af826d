"""What one row of a corpus says: an article with its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from stancewire.examples import Article

Topics: TypeAlias = Mapping[str, bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceRecord:
    """A labelled stance.

    Attributes:
        sentence: stands in the article's text.
        target: what the stance is toward.
        label: of the codebook.
        holder: who holds it, or None.
        target_topic: the topic that the target belongs to, or None.
        context: the sentence before, where the corpus says it; None where the article's text does.
    """

    sentence: str
    target: str
    label: str
    holder: str | None = None
    target_topic: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledArticle:
    """An article and what people said of it.

    Attributes:
        file: where it stands.
        line: where it begins.
        article: what the model sees, and its metadata.
        topics: by topic True, False, or None where nobody labelled it.
        stances: its stance records.
        split: "train", "dev" or "test" where the corpus says so.
        by_record: made of rows of one stance each; several rows share its id.
        bare: such rows, and no text but their sentences.
    """

    file: str
    line: int
    article: Article
    topics: Topics
    stances: tuple[StanceRecord, ...] = ()
    split: str | None = None
    by_record: bool = False
    bare: bool = False


class SeenId(NamedTuple):
    """Where an id stands, and whether several rows may share it."""

    file: str
    line: int
    id: str
    by_record: bool
