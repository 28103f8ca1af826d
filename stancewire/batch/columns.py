"""The columns of the output: four tables, one schema each, whatever the engine and the models.

`line` tells the rows of an input apart and joins the tables; ids are the caller's, and may repeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = ("readings", "topics", "stances", "rejects")
# Columns that hold JSON as text in Parquet, and as it is in JSONL.
JSON_COLUMNS = ("reading", "extra")


@dataclass(frozen=True, slots=True)
class ShardTables:
    """What comes of one shard.

    Attributes:
        readings: one row per article that was read, and per copy of one.
        topics: one row per article and topic of the model, decided or not.
        stances: one row per sentence and target that it concerns.
        rejects: one row per row of the input that is no article, or cannot be read.
    """

    readings: pa.Table
    topics: pa.Table
    stances: pa.Table
    rejects: pa.Table

    def table(self, name: str) -> pa.Table:
        """Return the table of a name in TABLES."""
        found: pa.Table = getattr(self, name)
        return found


@cache
def schemas() -> dict[str, pa.Schema]:
    """Return the schema of each table."""
    import pyarrow as pa

    text, number, share, flag = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    target: list[tuple[str, Any]] = [
        ("target", text),
        ("topic", text),
        ("verdict", text),
        ("net", share),
        ("against", number),
        ("favor", number),
        ("neutral", number),
    ]
    fields: dict[str, dict[str, Any]] = {
        "readings": {
            "line": number,
            "source": text,
            "id": text,
            "title": text,
            "date": text,
            "outlet": text,
            "countries": pa.list_(text),
            "event": text,
            "copy_of": number,
            "reach": number,
            "topics": pa.list_(text),
            "targets": pa.list_(pa.struct(target)),
            "sentences": number,
            "cut_chars": number,
            "cut_share": share,
            "mixed_script": pa.list_(text),
            "warnings": pa.list_(text),
            "topics_model": text,
            "topics_digest": text,
            "stance_model": text,
            "stance_digest": text,
            "reading": text,
            "extra": text,
        },
        "topics": {
            "line": number,
            "id": text,
            "label": text,
            "name": text,
            "probability": share,
            "threshold": share,
            "decision": flag,
            "review": flag,
        },
        "stances": {
            "line": number,
            "id": text,
            "target": text,
            "label": text,
            "probability": share,
            "sentence": text,
            "start": number,
            "end": number,
            "holder": text,
            "holder_start": number,
            "holder_end": number,
            "holder_mention": text,
            "holder_cue": text,
            "review": flag,
        },
        "rejects": {"line": number, "source": text, "id": text, "reason": text, "detail": text},
    }
    return {name: pa.schema(list(columns.items())) for name, columns in fields.items()}


def table_of(name: str, rows: Iterable[Sequence[object]]) -> pa.Table:
    """Make one of the tables of its rows; values in the order of its columns."""
    import pyarrow as pa

    schema = schemas()[name]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
