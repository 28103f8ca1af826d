"""What the command line reads: text files, standard input, JSON and JSONL articles."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.section import kind
from stancewire.strictjson import JsonValue, StrictJsonError, loads

STDIN = "-"
MAX_BYTES = 100_000_000
_TEXT = ("", ".txt", ".md")
_OWN = ("id", "title", "text", "date", "outlet", "event", "countries")


def read_articles(path: str) -> Iterator[tuple[str, Article | str | InputError]]:
    """Yield the articles of a file with where they stand, and an error in the place of each that is none.

    Args:
        path: `.jsonl` of articles, `.json` of one; `.txt`, `.md` or no suffix: the text of one; "-": the text
            of one on standard input.
    """
    try:
        if path != STDIN and Path(path).suffix.lower() == ".jsonl":
            yield from _lines(path)
        else:
            yield path, _whole(path)
    except StrictJsonError as error:
        yield path, InputError(f"{path}: {error}")
    except OSError as error:
        yield path, InputError(f"{path}: cannot be read: {error.strerror}")
    except ValueError as error:  # a NUL in the path
        yield path, InputError(f"{path}: cannot be read: {error}")
    except InputError as error:
        yield path, error


def _whole(path: str) -> Article | str:
    """Read a file that holds one article."""
    if path == STDIN:
        return _text(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input")
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", *_TEXT):
        raise InputError(f"{path}: expected a .txt, .md, .json or .jsonl file; convert it first")
    with Path(path).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if suffix == ".json":
        return article_of(loads(data, max_bytes=MAX_BYTES), path)
    return _text(data, path)


def article_of(record: JsonValue, where: str) -> Article:
    """Make an Article of a JSON object; columns that are not its own are kept as `extra`.

    Raises:
        InputError: if it is no object, has no text, or a field is of another type.
    """
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object with a 'text', found a {type(record).__name__}")
    countries = record.get("countries")
    if countries is None:
        countries = []
    if not isinstance(countries, list) or not all(isinstance(country, str) for country in countries):
        raise InputError(f"{where}: expected 'countries' to be a list of texts, found {kind(countries)}")
    if not _field(record, "text", where):
        raise InputError(f"{where}: expected an object with a non-empty 'text'")
    return Article(
        text=_field(record, "text", where) or "",
        title=_field(record, "title", where) or "",
        id=_field(record, "id", where) or "",
        date=_field(record, "date", where),
        outlet=_field(record, "outlet", where),
        event=_field(record, "event", where),
        countries=tuple(str(country) for country in countries),
        extra={name: value for name, value in record.items() if name not in _OWN},
    )


def _field(record: Mapping[str, JsonValue], name: str, where: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{where}: expected '{name}' to be a text, found {kind(value)}; quote it")
    return value


def _lines(path: str) -> Iterator[tuple[str, Article | InputError]]:
    """Yield every line's article; a bad line costs that line alone."""
    from stancewire.readers import Reject, read_jsonl

    empty = True
    for item in read_jsonl(Path(path)):
        empty = False
        if isinstance(item, Reject):
            where = f"{path}:{item.line}"
            yield where, InputError(f"{where}: {item.reason}: {item.detail}")
            continue
        line, record = item
        where = f"{path}:{line}"
        try:
            yield where, article_of(record, where)
        except InputError as error:
            yield where, error
    if empty:
        raise InputError(f"{path}: expected an article a line, found none")


def _text(data: bytes, where: str) -> str:
    """Decode a text; anything that is none is refused, never guessed."""
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: expected at most {MAX_BYTES:,} bytes; split it")
    if b"\0" in data:
        raise InputError(f"{where}: expected a text, found binary data (or UTF-16); save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{where}: expected a text, found none")
    return text
