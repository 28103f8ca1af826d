"""Targets: strict JSON, and the readers of JSONL and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from stancewire.errors import InputError
from stancewire.inputs import read_articles
from stancewire.readers import Reject, Row, article_from_record, read_csv, read_jsonl
from stancewire.strictjson import StrictJsonError, dumps, loads
from tests.fuzz.loop import Target

_ROW = {"id": "007", "text": 'Envoys met.\nThey "agreed".', "title": "NA", "countries": ["KEN"], "n": 1.5}
_WORDS = (b'"text":', b'"id":', b'"countries":', b'{"text":"a"}', b"id,text\n", b'"a""b"', b",,", b";")


def strict_json(_folder: Path) -> Target:
    """What is read, Python's own parser reads alike, and it can be written and read back."""

    def check(data: bytes) -> None:
        try:
            value = loads(data, max_bytes=10_000)
        except StrictJsonError as error:
            assert "\n" not in str(error)
            raise InputError(str(error)) from None
        assert json.loads(data) == value
        assert loads(dumps(value), max_bytes=100_000) == value

    return Target(check, [json.dumps(_ROW).encode(), b"[1, -2.5e3, null, true]"], _WORDS)


def jsonl(folder: Path) -> Target:
    """Every line that is not blank comes out once, in order, as a row or as a reject."""
    file = folder / "rows.jsonl"

    def check(data: bytes) -> None:
        file.write_bytes(data)
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        items = list(read_jsonl(file))
        expected = [n for n, line in enumerate(lines, 1) if line.strip(b" \t\r")]
        assert [item.line if isinstance(item, Reject) else item[0] for item in items] == expected
        _articles(items)
        found = [one for _, one in read_articles(str(file))]
        assert len(found) == max(1, len(expected))

    line = json.dumps(_ROW).encode()
    bad = b'{"text": null}\n{"id": 7}\n\n{"text": "a", "text": "b"}\r\n{"text": NaN}\n"text"'
    return Target(check, [line + b"\n" + line, bad], _WORDS)


def csv(folder: Path) -> Target:
    """Rows and rejects come in order, each at a line of its own; every row has every column."""
    file = folder / "rows.csv"

    def check(data: bytes) -> None:
        file.write_bytes(data)
        items = list(read_csv(file))
        lines = [item.line if isinstance(item, Reject) else item[0] for item in items]
        assert lines == sorted(set(lines))
        assert all(1 < line <= data.count(b"\n") + 1 for line in lines)
        assert len({tuple(item[1]) for item in items if not isinstance(item, Reject)}) <= 1
        _articles(items)

    table = b'id,text,title\n007,"Envoys, ""met""\nagain",NA\n8,Talks.,\n9,a\n'
    return Target(check, [table, table.replace(b"\n", b"\r\n")], _WORDS)


def _articles(items: Iterable[Row | Reject]) -> None:
    """Make articles of the rows; none of their words may stand in what is said of those that are none."""
    for item in items:
        if isinstance(item, Reject):
            assert item.reason
            assert item.detail
            continue
        record: Mapping[str, object] = item[1]
        try:
            assert article_from_record(record).text == record["text"]
        except InputError as error:
            words = [value for value in record.values() if isinstance(value, str) and len(value) > 12]
            assert not any(word in str(error) for word in words)
