"""From a row to an article, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stancewire.batch.rows import Row
from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.readers import Reject, article_from_record, json_row


class Opened(NamedTuple):
    """A row that was parsed.

    Attributes:
        id: as the row names itself, or "".
        article: an article, or the bare text of a file; None where the row is neither.
        fault: what is wrong, where something is.
    """

    id: str
    article: Article | str | None
    fault: InputError | None = None


def opened(row: Row, columns: Mapping[str, str] | None = None) -> Opened:
    """Parse a row.

    Args:
        row: of JSON, or of a file's bytes where it has a source.
        columns: the input's column by field of an article, where the two names differ.
    """
    if row.data is None:
        return Opened(row.source, None, InputError(row.detail, reason=row.reason))
    if row.source:
        return _of_file(row.source, row.data)
    parsed = json_row(row.line, row.data)
    if isinstance(parsed, Reject):
        return Opened("", None, InputError(parsed.detail, reason=parsed.reason))
    record = parsed[1]
    try:
        article = article_from_record(record, columns=columns)
    except InputError as error:
        found = record.get((columns or {}).get("id", "id"))
        fault = InputError(str(error), reason="not_an_article")
        return Opened(found if isinstance(found, str) else "", None, fault)
    return Opened(article.id, article)


def _of_file(name: str, data: bytes) -> Opened:
    """Decode a file that holds one article's text."""
    fault = None
    text = ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = InputError(f"not UTF-8 at byte {error.start}; save it as UTF-8", reason="encoding")
    if b"\0" in data:
        fault = InputError("binary data (or UTF-16); save it as UTF-8 text", reason="nul")
    return Opened(name, None, fault) if fault else Opened(name, text)
