"""How a corpus is written: names of fields, columns and labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stancewire.codebook import Codebook
from stancewire.errors import InputError

ARTICLE_FIELDS = ("id", "event", "outlet", "date", "countries", "title", "text")
STANCE_FIELDS = ("sentence", "target", "target_topic", "holder", "label", "context")
FIELDS = (*ARTICLE_FIELDS, "topics", "stances", "split", *STANCE_FIELDS)
SPLITS = {"train": "train", "dev": "dev", "validation": "dev", "test": "test"}
# How a CSV cell says that no topic holds: an empty one says that nobody looked.
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What the rows of a corpus mean.

    Attributes:
        topics: sorted topic ids of the codebook.
        stances: sorted stance labels of the codebook; empty where it has none.
        columns: their column by our field (or topic, for one column per topic), where the names differ.
        label_map: our label by theirs, for topics and stances; matched exactly.
        separator: what parts topics and countries in one CSV cell.
        left_out: stance labels of theirs that are none of ours.
    """

    topics: tuple[str, ...]
    stances: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    label_map: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    separator: str = ";"
    left_out: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a mapping of columns or labels that cannot be meant."""
        known = (*FIELDS, *self.topics)
        if unknown := sorted(set(self.columns) - set(known)):
            raise InputError(f"columns: no field is named {unknown[0]!r}; the fields are {', '.join(known)}")
        taken = list(self.columns.values())
        if twice := sorted({name for name in taken if taken.count(name) > 1}):
            raise InputError(f"columns: {twice[0]!r} is mapped to two fields; map it to one")
        labels = {*self.topics, *self.stances}
        if unknown := sorted(set(self.label_map.values()) - labels):
            raise InputError(
                f"label_map: the codebook has no label {unknown[0]!r}; it has {', '.join(sorted(labels))}"
            )
        if not self.separator.strip():
            raise InputError("topics_separator: wanted a visible text such as ';'")

    def column(self, name: str) -> str:
        """Return the column that holds a field."""
        return self.columns.get(name, name)


def schema_of(
    codebook: Codebook,
    *,
    columns: Mapping[str, str] | None = None,
    label_map: Mapping[str, str] | None = None,
    separator: str = ";",
    left_out: Collection[str] = (),
) -> Schema:
    """Return the schema that a codebook and the user's mapping give."""
    return Schema(
        topics=codebook.labels("topics"),
        stances=codebook.labels("stance") if codebook.stance else (),
        columns=columns or {},
        label_map=label_map or {},
        separator=separator,
        left_out=frozenset(left_out),
    )
