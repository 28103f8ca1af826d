"""Rows in, tables out: the one function that every engine runs on every shard. It touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from stancewire.batch.articles import Opened, opened
from stancewire.batch.columns import ShardTables, table_of
from stancewire.batch.reading_json import reading_json, to_json
from stancewire.batch.rows import Row
from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.headline import split_headline
from stancewire.predictor import Provenance
from stancewire.reading import Reader, Reading
from stancewire.rollup import AGAINST, FAVOR, NEUTRAL
from stancewire.windows import windows

# Told the first and the last position of the rows that are about to be predicted together.
Watch = Callable[[int, int], None]


def process(
    rows: Sequence[Row],
    reader: Reader,
    *,
    targets: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> ShardTables:
    """Read every row of a shard; each comes out once, as a reading or as a reject, in the order of the input.

    Args:
        rows: of one shard.
        reader: the models.
        targets: phrases to ask about, in place of each article's decided topics.
        columns: the input's column by field of an article, where the two names differ.
        watch: told before each window of rows which are about to be predicted.
    """
    items = [opened(row, columns) for row in rows]
    waiting = [
        (n, item.article)
        for n, item in enumerate(items)
        if item.article is not None and rows[n].copy_of is None
    ]
    answers: dict[int, Reading | InputError] = {}
    for window in windows(article for _, article in waiting):
        positions = [n for n, _ in waiting[len(answers) : len(answers) + len(window)]]
        if watch is not None:
            watch(positions[0], positions[-1])
        answers |= zip(positions, reader.read_many(window, targets), strict=True)
    tables = _Tables()
    for n, (row, item) in enumerate(zip(rows, items, strict=True)):
        tables.add(row, item, answers.get(n))
    return tables.done()


class _Tables:
    """Collects the rows of the four tables."""

    def __init__(self) -> None:
        self._readings: list[tuple[object, ...]] = []
        self._topics: list[tuple[object, ...]] = []
        self._stances: list[tuple[object, ...]] = []
        self._rejects: list[tuple[object, ...]] = []

    def add(self, row: Row, item: Opened, answer: Reading | InputError | None) -> None:
        """Add one row of the input to the tables that it belongs to."""
        fault = answer if isinstance(answer, InputError) else item.fault
        if fault is not None or item.article is None:
            reason = fault.reason if fault else ""
            self._rejects.append((row.line, row.source, item.id, reason, str(fault)))
        elif isinstance(answer, Reading):
            reading = _named(answer, item.id)
            self._readings.append((*_own(row, reading.article), *_told(reading), _extra(reading.article)))
            self._topics += _topic_rows(row.line, reading)
            self._stances += _stance_rows(row.line, reading)
        else:
            article = item.article if isinstance(item.article, Article) else split_headline(item.article)[0]
            article = replace(article, id=item.id)
            self._readings.append((*_own(row, article), *_COPY, _extra(article)))

    def done(self) -> ShardTables:
        """Return the tables."""
        return ShardTables(
            table_of("readings", self._readings),
            table_of("topics", self._topics),
            table_of("stances", self._stances),
            table_of("rejects", self._rejects),
        )


def _named(reading: Reading, name: str) -> Reading:
    """Return a reading by the name of its row; a bare text has none of its own."""
    if reading.article.id == name:
        return reading
    return replace(reading, article=replace(reading.article, id=name))


def _own(row: Row, article: Article) -> tuple[object, ...]:
    """Return what the input says of an article."""
    return (
        row.line,
        row.source,
        article.id,
        article.title,
        article.date,
        article.outlet,
        article.countries,
        article.event,
        row.copy_of,
        row.reach,
    )


def _told(reading: Reading) -> tuple[object, ...]:
    """Return what the models say of an article."""
    return (
        [topic.label for topic in reading.topics if topic.decision],
        [
            {
                "target": target.target,
                "topic": target.topic,
                "verdict": target.verdict,
                "net": target.net,
                "against": target.counts[AGAINST],
                "favor": target.counts[FAVOR],
                "neutral": target.counts[NEUTRAL],
            }
            for target in reading.targets
        ],
        reading.sentences,
        reading.cut_chars,
        reading.cut_share,
        reading.mixed_script,
        reading.warnings,
        *_model(reading.topics_model),
        *_model(reading.stance_model),
        reading_json(reading),
    )


# Of a copy the models say nothing: its story's first article has it.
_COPY = (None,) * 12


def _model(model: Provenance | None) -> tuple[str | None, str | None]:
    return (model.model, model.digest) if model else (None, None)


def _extra(article: Article) -> str | None:
    extra = article.extra
    return to_json(dict(extra)) if extra else None


def _topic_rows(line: int, reading: Reading) -> list[tuple[object, ...]]:
    return [
        (
            line,
            reading.article.id,
            topic.label,
            topic.name,
            topic.probability,
            topic.threshold,
            topic.decision,
            topic.review,
        )
        for topic in reading.topics
    ]


def _stance_rows(line: int, reading: Reading) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for stance in reading.stances:
        holder = stance.holder
        named = (holder.text, holder.start, holder.end, holder.mention, holder.cue) if holder else (None,) * 5
        rows.append(
            (
                line,
                reading.article.id,
                stance.target,
                stance.label,
                stance.probability,
                stance.sentence,
                stance.start,
                stance.end,
                *named,
                stance.review,
            )
        )
    return rows
