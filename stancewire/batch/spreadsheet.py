"""A table of a finished job as CSV for a spreadsheet; one way, as texts that it would run are changed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from stancewire.batch.columns import TABLES, schemas
from stancewire.batch.output import JOB, SUCCESS
from stancewire.errors import InputError, MissingExtraError
from stancewire.section import listed

# What a spreadsheet takes for the beginning of a formula, or passes over before one; wide forms too.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the local code page
_BATCH_ROWS = 256


def csv_pieces(folder: Path, table: str) -> Iterator[str]:
    """Yield a table as CSV (RFC 4180): a header, then a row each; lists and objects as JSON.

    Args:
        folder: the output of a job that is done.
        table: one of readings, topics, stances and rejects.

    Raises:
        InputError: if there is no such table, the job is not done, or a file cannot be read.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError.of("stancewire csv", "batch")
    if table not in TABLES:
        raise InputError(f"expected one of the tables {listed(TABLES)}, found {listed([table])}")
    if not (folder / JOB).is_file() or not (folder / SUCCESS).is_file():
        raise InputError(f"{folder}: expected the output of a job that is done, with {JOB} and {SUCCESS}")
    columns = schemas()[table].names
    yield _BYTE_ORDER_MARK + _lines([columns])
    for path in sorted((folder / table).iterdir()):
        read = _jsonl if path.suffix == ".jsonl" else _parquet
        try:
            for rows in read(path):
                yield _lines([cell(row[name]) for name in columns] for row in rows)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: expected a file as the job wrote it ({type(error).__name__}); put it back"
            ) from None


def cell(value: object) -> str:
    """Return a value as a cell; a text that would run gets an apostrophe, which spreadsheets do not show."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_RUNS) else value
    return json.dumps(value, ensure_ascii=False)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    stream = StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(rows)
    return stream.getvalue()


def _jsonl(path: Path) -> Iterator[list[dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield [json.loads(line)]


def _parquet(path: Path) -> Iterator[list[dict[str, Any]]]:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            yield batch.to_pylist()
