"""Where rows come from: JSONL, CSV, Parquet, or a folder of texts. One pass, in order, memory bounded."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

from stancewire.batch.files import PACKED, InputFile, no_text_column
from stancewire.batch.rows import Row
from stancewire.batch.texts import TextFolder
from stancewire.errors import InputError
from stancewire.readers import Reject, read_csv, read_lines
from stancewire.readers import Row as CsvRow
from stancewire.section import shown

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_LINES = (".jsonl", ".ndjson")
# What parts the countries in one cell of CSV, as in the data that training reads.
_SEPARATOR = ";"


class Source(Protocol):
    """An input whose digest is known.

    Attributes:
        kind: how it is read.
        sha256: of all its bytes.
        n_bytes: how many they are.
    """

    kind: str
    sha256: str
    n_bytes: int

    def rows(self) -> Iterator[Row]:
        """Yield every row once, in order.

        Raises:
            InputError: if it cannot be read to its end, or changed since its digest was taken.
        """
        ...

    def share(self) -> float:
        """Return how much of it was read, 0 to 1."""
        ...


def open_source(
    path: Path, *, delimiter: str | None = None, columns: Mapping[str, str] | None = None
) -> Source:
    """Find out how an input is to be read, by its name, and take its digest.

    Args:
        path: a file or a folder.
        delimiter: what parts the cells of CSV, in place of "," and, in .tsv, a tab.
        columns: the input's column by field of an article, where the two names differ.

    Raises:
        InputError: if it is of no kind that is read, or cannot be read.
    """
    if path.is_dir():
        return TextFolder(path)
    file = InputFile(path)
    kind = file.suffix
    if kind in _LINES:
        return Lines(file)
    if kind in _DELIMITERS:
        return Cells(file, delimiter or _DELIMITERS[kind], columns or {})
    if kind == ".parquet" and path.suffix.lower() not in PACKED:
        from stancewire.batch.parquet import Parquet

        return Parquet(file, columns or {})
    raise InputError(
        f"{path}: expected .jsonl, .ndjson, .csv or .tsv (or one of them with .gz or .zst), .parquet, or a "
        f"folder of .txt and .md, found {shown(''.join(path.suffixes) or 'no suffix')}; rename or convert it"
    )


class Lines:
    """JSONL; the lines are parsed where they are predicted."""

    kind = "jsonl"

    def __init__(self, file: InputFile) -> None:
        self._file = file
        self.sha256, self.n_bytes, self.share = file.sha256, file.n_bytes, file.share

    def rows(self) -> Iterator[Row]:
        """Yield every line that is not blank."""
        for item in read_lines(self._file.path, opener=self._file.open):
            yield _rejected(item) if isinstance(item, Reject) else Row(*item)
        self._file.check()


class Cells:
    """CSV: every cell stays the text that it is, but for a list of countries.

    Args:
        file: the file.
        delimiter: what parts its cells.
        columns: the file's column by field of an article, where the two names differ.

    Raises:
        InputError: if its header is faulty, or names no column for the text.
    """

    kind = "csv"

    def __init__(self, file: InputFile, delimiter: str, columns: Mapping[str, str]) -> None:
        self._file = file
        self._delimiter = delimiter
        self._countries = columns.get("countries", "countries")
        text = columns.get("text", "text")
        with closing(self._records()) as records:
            for item in records:
                if not isinstance(item, Reject) and text not in item[1]:
                    raise no_text_column(file.path, text, item[1])
                break
        self.sha256, self.n_bytes, self.share = file.sha256, file.n_bytes, file.share

    def rows(self) -> Iterator[Row]:
        """Yield every row but the header."""
        for item in self._records():
            if isinstance(item, Reject):
                yield _rejected(item)
                continue
            line, record = item
            if isinstance(cell := record.get(self._countries), str):
                record[self._countries] = [part.strip() for part in cell.split(_SEPARATOR) if part.strip()]
            yield Row(line, json.dumps(record, ensure_ascii=False).encode())
        self._file.check()

    def _records(self) -> Generator[CsvRow | Reject, None, None]:
        yield from read_csv(self._file.path, delimiter=self._delimiter, opener=self._file.open)


def _rejected(reject: Reject) -> Row:
    return Row(reject.line, None, "", reject.reason, reject.detail)
