"""Strict streaming readers of JSONL and CSV: every row comes out once, as a record or as a reject.

A line ends at LF or CRLF and nowhere else: U+2028, U+0085, a form feed and a bare CR do not end one.
Blank lines are no rows, but count as lines. A byte order mark is accepted at the start of the file. What is
not UTF-8 is refused, and nothing is guessed: a CSV cell stays the text that it is ("NA", "007", "").
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TypeAlias

from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.section import kind, shown
from stancewire.strictjson import JsonValue, StrictJsonError, loads

MAX_LINE_BYTES = 32_000_000
_HEAD_BYTES = 256
_BOM = b"\xef\xbb\xbf"
# What other files than text begin with. UTF-32 (LE) begins like UTF-16: it comes first.
_OTHER_FILES = {
    b"\xff\xfe\x00\x00": "UTF-32 text; save it as UTF-8",
    b"\x00\x00\xfe\xff": "UTF-32 text; save it as UTF-8",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"PK\x03\x04": "a zip file (or a spreadsheet); unpack it, or export it as CSV",
    b"PAR1": "a Parquet file; name it .parquet",
}
_LARGEST_FIELD = 2**31 - 1
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")
_TEXT_FIELDS = ("text", "title", "id", "date", "outlet", "event")
FIELDS = (*_TEXT_FIELDS, "countries")
_OWN_NAMES = {name: name for name in FIELDS}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be read.

    Attributes:
        line: where it begins, from 1.
        reason: a stable code, for counting.
        detail: what is wrong, for people; never a piece of the row's text.
    """

    line: int
    reason: str
    detail: str


Record: TypeAlias = dict[str, JsonValue]
Row: TypeAlias = tuple[int, Record]
Opener: TypeAlias = Callable[[Path], BufferedReader]


def _plain(path: Path) -> BufferedReader:
    return path.open("rb")


def read_lines(
    path: Path, *, max_line_bytes: int = MAX_LINE_BYTES, opener: Opener = _plain
) -> Iterator[tuple[int, bytes] | Reject]:
    """Yield the lines that are not blank with their numbers, unparsed; a reject for each that is too long.

    Args:
        path: the file.
        max_line_bytes: longest line to keep; a longer one is skipped without holding it.
        opener: opens the file where its bytes are not the text, as when it is packed.

    Raises:
        InputError: if the file cannot be read, or is no UTF-8 text at all.
    """
    with _opened(path, opener) as file:
        for line, data in _lines(file, max_line_bytes):
            if data is None:
                yield _too_long(line, max_line_bytes)
            elif data.strip(b" \t\r\n"):
                yield line, data


def read_jsonl(path: Path, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Row | Reject]:
    """Yield each line's object with its line number, and a reject in the place of each line that is none.

    Raises:
        InputError: if the file cannot be read, or is no UTF-8 text at all.
    """
    for item in read_lines(path, max_line_bytes=max_line_bytes):
        yield item if isinstance(item, Reject) else json_row(*item)


def read_csv(
    path: Path,
    *,
    delimiter: str = ",",
    max_line_bytes: int = MAX_LINE_BYTES,
    opener: Opener = _plain,
) -> Iterator[Row | Reject]:
    """Yield each row as {column: text} with the line that it begins on, and a reject for each that is none.

    The first row names the columns. A quote that is never closed swallows what follows: it is reported at the
    line of its row, and reading ends there.

    Raises:
        InputError: if the file cannot be read, is no UTF-8 text at all, or its header is faulty.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(f"expected one character as delimiter, found {shown(delimiter)}")
    with _opened(path, opener) as file:
        columns: list[str] | None = None
        for item in _csv_cells(file, delimiter, max_line_bytes):
            if columns is None:
                columns = _header(item, path, delimiter)
            elif isinstance(item, Reject):
                yield item
            else:
                yield _csv_row(*item, columns)


def article_from_record(record: Mapping[str, object], *, columns: Mapping[str, str] | None = None) -> Article:
    """Make an Article of a record; columns that are not its own are kept as `extra`.

    An empty text in an optional field (event, date, outlet) is none at all.

    Args:
        record: what a reader yielded.
        columns: the record's column by field, where the two names differ.

    Raises:
        InputError: if the text is missing or empty, or a field is of another type.
    """
    names = {name: columns.get(name, name) for name in FIELDS} if columns else _OWN_NAMES
    values = {name: _text_field(record, names[name]) for name in _TEXT_FIELDS}
    if not (values["text"] or "").strip():
        raise InputError(f"expected a non-empty text in {names['text']!r}")
    countries = record.get(names["countries"])
    countries = [] if countries is None else countries
    if not isinstance(countries, list | tuple) or not all(isinstance(one, str) for one in countries):
        raise InputError(f"expected {names['countries']!r} to be a list of texts, found {kind(countries)}")
    own = set(names.values())
    return Article(
        text=values["text"] or "",
        title=values["title"] or "",
        id=values["id"] or "",
        date=values["date"] or None,
        outlet=values["outlet"] or None,
        event=values["event"] or None,
        countries=tuple(countries),
        extra={name: value for name, value in record.items() if name not in own},
    )


def _text_field(record: Mapping[str, object], name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected {name!r} to be a text, found {kind(value)}; quote it")
    return value


@contextmanager
def _opened(path: Path, opener: Opener) -> Iterator[BufferedReader]:
    """Open a file that looks like UTF-8 text, the byte order mark skipped."""
    if "\0" in str(path):
        raise InputError(f"expected the path of a file, found {shown(str(path))}")
    try:
        with opener(path) as file:
            head = file.peek(_HEAD_BYTES)[:_HEAD_BYTES]
            if other := _other_file(head):
                raise InputError(f"{path}: expected UTF-8 text, found {other}")
            if head.startswith(_BOM):
                file.read(len(_BOM))
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _other_file(head: bytes) -> str | None:
    for start, what in _OTHER_FILES.items():
        if head.startswith(start):
            return what
    # Without a mark: every other byte of Western text is NUL in UTF-16, and never both neighbours.
    even, odd = head[::2].count(0), head[1::2].count(0)
    is_utf16 = min(even, odd) == 0 and max(even, odd) > max(1, len(head) // 4)
    return "UTF-16 text; save it as UTF-8" if is_utf16 else None


def _lines(file: BufferedReader, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield the lines with their numbers, their ends kept; None in the place of one that is too long."""
    number = 0
    while data := file.readline(limit + 1):
        number += 1
        too_long = len(data) > limit
        while too_long and data and not data.endswith(b"\n"):
            data = file.readline(limit + 1)
        yield number, None if too_long else data


def _too_long(line: int, limit: int) -> Reject:
    return Reject(line, "too_long", f"longer than {limit:,} bytes")


def json_row(line: int, data: bytes) -> Row | Reject:
    """Parse one line of JSONL."""
    if b"\0" in data:
        return Reject(line, "nul", "holds a NUL byte")
    try:
        value = loads(data.strip(b" \t\r\n"), max_bytes=len(data))
    except StrictJsonError as error:
        # The reader counts the lines of a file, the parser those of one row: only its column helps.
        detail = str(error).replace("line 1, ", "")
        hint = "; it holds a bare CR: end lines with LF" if b"\r" in data.rstrip(b"\r\n") else ""
        return Reject(line, error.reason, detail + hint)
    if not isinstance(value, dict):
        return Reject(line, "not_an_object", 'expected an object, as in {"id": "a1", ...}')
    if b"\\u0000" in data and _holds_nul(value):
        return Reject(line, "nul", "a text holds a NUL (\\u0000)")
    return line, value


def _holds_nul(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


def _csv_cells(file: BufferedReader, delimiter: str, limit: int) -> Iterator[tuple[int, list[str]] | Reject]:
    """Yield the cells of each row with its first line."""
    # The module's own limit holds for the whole process; here rows are limited by their bytes.
    csv.field_size_limit(max(csv.field_size_limit(), _LARGEST_FIELD))
    feed = _Feed(file, limit)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        first = feed.begin_row()
        try:
            cells = next(reader, None)
        except _TooLongError:
            if feed.line > first:  # inside a quote: where the next row begins is not known
                detail = (
                    f"a quote is opened here and not closed within {limit:,} bytes; the rest was not read"
                )
                yield Reject(first, "unclosed_quote", detail)
                return
            yield _too_long(first, limit)
        except csv.Error as error:
            yield _csv_reject(first, feed, str(error))
        else:
            if cells is None:
                return
            if cells:
                yield first, cells


class _TooLongError(Exception):
    """A row is longer than the limit."""


class _Feed:
    """The lines of a file as the csv module wants them; bytes that are no UTF-8 become surrogates for now."""

    def __init__(self, file: BufferedReader, limit: int) -> None:
        self.line = 0
        self.ended = False
        self._lines = _lines(file, limit)
        self._limit, self._taken = limit, 0

    def begin_row(self) -> int:
        """Return the line that a row begins on; all its lines count toward one limit."""
        self._taken = 0
        return self.line + 1

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        for number, data in self._lines:
            self.line = number
            self._taken += len(data or b"")
            if data is None or self._taken > self._limit:
                raise _TooLongError
            return data.decode("utf-8", "surrogateescape")
        self.ended = True
        raise StopIteration


def _csv_reject(first: int, feed: _Feed, message: str) -> Reject:
    if feed.ended:
        last = f"{feed.line:,}, the last line"
        return Reject(first, "unclosed_quote", f"a quote is opened here and not closed up to line {last}")
    if "new-line character" in message:
        return Reject(first, "bare_cr", "holds a bare CR outside quotes; end lines with LF or CRLF")
    through = f"; the row runs to line {feed.line:,}" if feed.line > first else ""
    return Reject(first, "stray_quote", f"text after a closing quote: double each quote in a cell{through}")


def _csv_row(line: int, cells: list[str], columns: list[str]) -> Row | Reject:
    if len(cells) != len(columns):
        return Reject(line, "ragged", f"expected {len(columns)} cells, found {len(cells)}")
    if any(map(_NOT_UTF8.search, cells)):
        return Reject(line, "encoding", "not UTF-8")
    if any("\0" in cell for cell in cells):
        return Reject(line, "nul", "holds a NUL byte")
    return line, dict(zip(columns, cells, strict=True))


def _header(item: tuple[int, list[str]] | Reject, path: Path, delimiter: str) -> list[str]:
    """Return the names of the columns, each one there and unlike the others."""
    if isinstance(item, Reject):
        raise InputError(f"{path}:{item.line}: the header cannot be read: {item.detail}")
    line, columns = item
    if any(map(_NOT_UTF8.search, columns)):
        raise InputError(f"{path}:{line}: the header is not UTF-8; save the file as UTF-8")
    if "" in columns:
        raise InputError(f"{path}:{line}: column {columns.index('') + 1} has no name; name it or remove it")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        places = [number for number, name in enumerate(columns, 1) if name == twice[0]]
        raise InputError(
            f"{path}:{line}: columns {places[0]} and {places[1]} have one name; rename one, or add a header"
        )
    others = [mark for mark in (",", ";", "\t", "|") if mark != delimiter and mark in columns[0]]
    if len(columns) == 1 and others:
        raise InputError(
            f"{path}:{line}: one column only; if {others[0]!r} parts the cells, name it as the delimiter"
        )
    return columns
