"""Load a corpus for training: read strictly, refuse faults, hold it as a typed `datasets` table.

Files are read by our own readers first: the loaders of `datasets` know no line numbers, take NaN and
duplicate keys, guess types ("007" becomes 7) and keep copies in a cache. What `datasets` is good at follows:
one table with explicit features that every family can map, select from and write to Parquet, and the hub.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import datasets
import numpy as np
from numpy.typing import NDArray

from stancewire.codebook import Codebook
from stancewire.errors import InputError
from stancewire.examples import Article
from training.data.codebook import BUNDLED, load_codebook
from training.data.duplicates import THRESHOLD, Pair, clusters, near_duplicates
from training.data.examine import examine
from training.data.faults import refusal
from training.data.rows import LabelledArticle, StanceRecord
from training.data.schema import Schema, schema_of
from training.data.sources import Format, open_source

if TYPE_CHECKING:
    from training.config_sections import DataConfig


@dataclass(frozen=True)
class Corpus:
    """Articles with their labels. Positions count articles, or stance records, in the order of the source.

    Attributes:
        source: file, folder or hub dataset that it came from.
        digest: sha256 of the source.
        codebook: what the labels mean.
        table: the whole corpus as a `datasets` table, one row an article; see `features`.
        articles: what the model sees.
        topics: float32 [n_articles, n_topics] of 1, 0 or NaN (not labelled); columns in sorted order.
        stances: every stance record.
        article_of: int [n_stances], the position of each record's article.
        splits: the part that the corpus gives each article, or None.
        groups: story cluster of each article: events, joined by near-duplicates.
        pairs: the near-duplicates, by position.
        threshold: similarity from which texts are near-duplicates.
        warnings: what `check` would warn of, counted by code.
    """

    source: str
    digest: str
    codebook: Codebook
    table: datasets.Dataset
    articles: tuple[Article, ...]
    topics: NDArray[np.float32]
    stances: tuple[StanceRecord, ...]
    article_of: NDArray[np.intp]
    splits: tuple[str | None, ...]
    groups: tuple[str, ...]
    pairs: tuple[Pair, ...]
    threshold: float
    warnings: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.articles)

    @property
    def dates(self) -> tuple[str, str] | None:
        """The first and last date, or None where no article has one."""
        known = sorted(article.date for article in self.articles if article.date)
        return (known[0], known[-1]) if known else None


def load_corpus(config: DataConfig, *, near_duplicate_threshold: float = THRESHOLD) -> Corpus:
    """Load the corpus of a config; see `read_corpus`."""
    return read_corpus(
        config.path,
        codebook=load_codebook(config.codebook),
        format=config.format,
        columns=config.columns,
        label_map=config.label_map,
        separator=config.topics_separator,
        delimiter=config.delimiter,
        near_duplicate_threshold=near_duplicate_threshold,
    )


def read_corpus(
    path: str,
    *,
    codebook: Codebook | None = None,
    format: Format = "auto",
    columns: Mapping[str, str] | None = None,
    label_map: Mapping[str, str] | None = None,
    separator: str = ";",
    delimiter: str | None = None,
    near_duplicate_threshold: float = THRESHOLD,
    left_out: Collection[str] = (),
) -> Corpus:
    """Load a corpus, or refuse it whole.

    Args:
        path: a file, a folder with train, dev and test files, or a dataset of the hub.
        codebook: what the labels mean; None is the bundled one.
        format: "auto" goes by the suffix.
        columns: their column by our field.
        label_map: our label by theirs.
        separator: what parts topics in a CSV cell.
        delimiter: what parts cells in a CSV row; None goes by the suffix.
        near_duplicate_threshold: similarity from which texts share a cluster.
        left_out: stance labels of theirs whose records are skipped.

    Raises:
        InputError: if it cannot be read, is empty, or has faults; the text counts them.
    """
    book = codebook or load_codebook(BUNDLED)
    schema = schema_of(book, columns=columns, label_map=label_map, separator=separator, left_out=left_out)
    found = examine(open_source(path, format=format, delimiter=delimiter), schema)
    if found.errors:
        raise InputError(refusal(path, found.errors, n_rows=len(found.articles)))
    if not found.articles:
        raise InputError(f"{path}: wanted a corpus, found no row; see docs/data.md for the schema")
    articles = tuple(row.article for row in found.articles)
    pairs = near_duplicates([article.text for article in articles], threshold=near_duplicate_threshold)
    names, events = [article.id for article in articles], [article.event for article in articles]
    return Corpus(
        source=found.source,
        digest=found.digest,
        codebook=book,
        table=to_table(found.articles, schema),
        articles=articles,
        topics=_topics_truth(found.articles, schema.topics),
        stances=tuple(record for row in found.articles for record in row.stances),
        article_of=np.repeat(np.arange(len(articles)), [len(row.stances) for row in found.articles]),
        splits=tuple(row.split for row in found.articles),
        groups=clusters(names, events, pairs),
        pairs=pairs,
        threshold=near_duplicate_threshold,
        warnings=found.warnings,
    )


def features(topics: Sequence[str]) -> datasets.Features:
    """Return the types of the table's columns: ids and labels are texts, a topic is true, false or null."""
    text = datasets.Value("string")
    stance = dict.fromkeys(("sentence", "context", "target", "target_topic", "holder", "label"), text)
    return datasets.Features(
        {
            **dict.fromkeys(("id", "event", "outlet", "date", "title", "text", "split"), text),
            "countries": datasets.List(text),
            "topics": dict.fromkeys(topics, datasets.Value("bool")),
            "stances": datasets.List(stance),
            "extra": text,
        }
    )


def to_table(rows: Sequence[LabelledArticle], schema: Schema) -> datasets.Dataset:
    """Return the rows as a `datasets` table in memory; further columns become one JSON text."""
    records = [
        {
            "id": row.article.id,
            "event": row.article.event,
            "outlet": row.article.outlet,
            "date": row.article.date,
            "title": row.article.title,
            "text": row.article.text,
            "split": row.split,
            "countries": list(row.article.countries),
            "topics": dict(row.topics),
            "stances": [{name: getattr(record, name) for name in record.__slots__} for record in row.stances],
            "extra": json.dumps(dict(row.article.extra), ensure_ascii=False, sort_keys=True, default=str),
        }
        for row in rows
    ]
    return datasets.Dataset.from_list(records, features=features(schema.topics))


def _topics_truth(rows: Sequence[LabelledArticle], topics: Sequence[str]) -> NDArray[np.float32]:
    held = [[row.topics[topic] for topic in topics] for row in rows]
    return np.array([[np.nan if one is None else float(one) for one in row] for row in held], np.float32)
