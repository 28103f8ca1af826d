"""Strict readers: every row once, as a record or as a reject."""

from __future__ import annotations

from pathlib import Path

import pytest

from stancewire.errors import InputError
from stancewire.readers import Reject, article_from_record, read_csv, read_jsonl

GOOD = b'{"id": "007", "text": "NA"}'


def write(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


def jsonl(folder: Path, data: bytes, **options: int) -> list[object]:
    return list(read_jsonl(write(folder, data), **options))


def csv(folder: Path, data: bytes, delimiter: str = ",") -> list[object]:
    return list(read_csv(write(folder, data), delimiter=delimiter))


def only_reject(items: list[object]) -> Reject:
    (reject,) = (item for item in items if isinstance(item, Reject))
    return reject


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\n\n \t\r\n"])
def test_jsonl_lines_end_at_lf_and_crlf_only(tmp_path: Path, start: bytes, end: bytes, last: bytes) -> None:
    odd = '{"id": "2", "text": "a\u2028b\u0085c\u000c"}'.replace("\u000c", "\\f").encode()
    found = jsonl(tmp_path, start + GOOD + end + end + odd + last)
    assert found == [
        (1, {"id": "007", "text": "NA"}),
        (3, {"id": "2", "text": "a\u2028b\u0085c\u000c"}),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "syntax"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"text": NaN}', "constant"),
        (b'{"text": 1e999}', "number_range"),
        (b'{"text": ' + b"1" * 5_000 + b"}", "number_range"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b"[" * 100_000, "depth"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "depth"),
        (b'{"text": "\xff"}', "encoding"),
        (b'{"text": "\xed\xa0\x80"}', "encoding"),
        (b'{"text": "\\ud800"}', "surrogate"),
        (b'{"text": "\0"}', "nul"),
        (b'{"text": ["x\\u0000"]}', "nul"),
        (b'{"text\\u0000": 1}', "nul"),
        (b"\xef\xbb\xbf" + GOOD, "bom"),
        (GOOD + b"\r" + GOOD, "syntax"),
        (b'{"text": "' + b"x" * 300_000 + b'"}', "too_long"),
    ],
)
def test_a_bad_line_costs_that_line_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    found = jsonl(tmp_path, GOOD + b"\n" + line + b"\n" + GOOD, max_line_bytes=200_000)
    assert [item[0] for item in found if isinstance(item, tuple)] == [1, 3]
    assert (only_reject(found).line, only_reject(found).reason) == (2, reason)


def test_an_escaped_backslash_before_u0000_is_no_nul(tmp_path: Path) -> None:
    assert jsonl(tmp_path, b'{"text": "\\\\u0000"}') == [(1, {"text": "\\u0000"})]


def test_a_bare_cr_in_jsonl_is_named(tmp_path: Path) -> None:
    assert "bare CR" in only_reject(jsonl(tmp_path, GOOD + b"\r" + GOOD)).detail


def test_details_never_repeat_the_text(tmp_path: Path) -> None:
    lines = [
        b'{"text": "secret" x}',
        b'{"text": "secret\xff"}',
        b'{"text": "secret\\ud800"}',
        b'"secret"',
        b'{"a": "secret", "n": NaN}',
        b'{"a": "secret\0"}',
    ]
    rejects = jsonl(tmp_path, b"\n".join(lines))
    rejects += csv(tmp_path, b'id,text\n1,secret,3\n2,"secret"x\n3,secret\xff\n4,se\rcret\n5,"secret')
    assert len(rejects) == len(lines) + 5
    assert all(isinstance(item, Reject) and "secret" not in item.detail for item in rejects)


def test_csv_cells_stay_text(tmp_path: Path) -> None:
    data = 'id,text,topics\n007,NA,None\n1234567890123456789,"a ""b""\nc\u2028",\n,n/a,nan\n'.encode()
    assert csv(tmp_path, data) == [
        (2, {"id": "007", "text": "NA", "topics": "None"}),
        (3, {"id": "1234567890123456789", "text": 'a "b"\nc\u2028', "topics": ""}),
        (5, {"id": "", "text": "n/a", "topics": "nan"}),
    ]


def test_csv_lines_are_counted_over_blank_lines_and_quoted_line_ends(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbf\r\nid,text\r\n\r\n1,"x\r\ny\rz"\r\n\r\n2,b'
    assert csv(tmp_path, data) == [(4, {"id": "1", "text": "x\r\ny\rz"}), (7, {"id": "2", "text": "b"})]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1", "ragged"),
        (b"1,a,b", "ragged"),
        (b'1,"a"b', "stray_quote"),
        (b"1,a\xff", "encoding"),
        (b"1,a\0", "nul"),
        (b"1,a\rb", "bare_cr"),
        (b'"a\nb"c,2', "stray_quote"),
    ],
)
def test_a_bad_csv_row_costs_that_row_alone(tmp_path: Path, row: bytes, reason: str) -> None:
    found = csv(tmp_path, b"id,text\n0,a\n" + row + b"\n2,b\n")
    assert [item[1]["id"] for item in found if isinstance(item, tuple)] == ["0", "2"]
    assert (only_reject(found).line, only_reject(found).reason) == (3, reason)


def test_an_unclosed_quote_is_an_error_at_its_first_line(tmp_path: Path) -> None:
    found = csv(tmp_path, b'id,text\n1,a\n2,"b\n3,c\n4,d\n')
    assert found[0] == (2, {"id": "1", "text": "a"})
    assert (only_reject(found).line, only_reject(found).reason) == (3, "unclosed_quote")
    assert "line 5" in only_reject(found).detail
    assert len(found) == 2


def test_an_unclosed_quote_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = write(tmp_path, b'id,text\n1,"a\n' + b"x" * 99 + b"\n" + b"y,z\n" * 1_000)
    (reject,) = read_csv(path, max_line_bytes=1_000)
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason) == (2, "unclosed_quote")


def test_a_long_csv_row_costs_that_row_alone(tmp_path: Path) -> None:
    path = write(tmp_path, b"id,text\n1," + b"x" * 2_000 + b"\n2,b\n")
    assert list(read_csv(path, max_line_bytes=1_000)) == [
        Reject(2, "too_long", "longer than 1,000 bytes"),
        (3, {"id": "2", "text": "b"}),
    ]


def test_many_short_rows_have_no_limit_together(tmp_path: Path) -> None:
    rows = list(read_csv(write(tmp_path, b"id,text\n" + b"1,a\n" * 50), max_line_bytes=20))
    assert rows == [(line, {"id": "1", "text": "a"}) for line in range(2, 52)]


def test_a_field_of_200k_characters_is_read(tmp_path: Path) -> None:
    assert csv(tmp_path, b'id,text\n1,"' + b"x\n" * 100_000 + b'"\n') == [
        (2, {"id": "1", "text": "x\n" * 100_000})
    ]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"id,id\n1,2\n", "columns 1 and 2 have one name; rename one, or add a header"),
        (b",id\n1,2\n", "column 1 has no name"),
        (b"id;text\n1;2\n", "';'"),
        (b"id\rtext\r", "bare CR"),
        (b'"id,text\n', "not closed"),
        (b"id,\xe9\n", "not UTF-8"),
    ],
)
def test_a_faulty_header_refuses_the_file(tmp_path: Path, header: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        csv(tmp_path, header)


def test_other_delimiters_are_named_by_the_caller(tmp_path: Path) -> None:
    assert csv(tmp_path, b"id;text\n1;a,b\n", ";") == [(2, {"id": "1", "text": "a,b"})]
    with pytest.raises(InputError, match="one character"):
        csv(tmp_path, b"id;text\n", ";;")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_nothing_yields_nothing(tmp_path: Path, data: bytes) -> None:
    assert jsonl(tmp_path, data) == []
    assert csv(tmp_path, data) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_by_name(tmp_path: Path, encoding: str) -> None:
    for read, text in ((read_jsonl, '{"id": "é"}\n'), (read_csv, "id,text\n1,é\n")):
        with pytest.raises(InputError, match=r"UTF-(16|32) text; save it as UTF-8"):
            list(read(write(tmp_path, text.encode(encoding))))


@pytest.mark.parametrize("start", [b"\x1f\x8b\x08", b"PK\x03\x04", b"PAR1"])
def test_packed_files_are_refused_by_name(tmp_path: Path, start: bytes) -> None:
    with pytest.raises(InputError, match=r"gzip|zip|Parquet"):
        jsonl(tmp_path, start + b"\0" * 9)


def test_what_cannot_be_opened_is_one_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("a\0b")):
        with pytest.raises(InputError):
            list(read_jsonl(path))


def test_reading_streams(tmp_path: Path) -> None:
    """The first row comes before the last is looked at."""
    rows = read_jsonl(write(tmp_path, GOOD + b"\n" + b"\xff" * 10))
    assert next(rows) == (1, {"id": "007", "text": "NA"})


def test_an_article_keeps_its_further_columns() -> None:
    article = article_from_record(
        {"body": "Shells.", "id": "007", "event": "", "countries": ["KEN"], "desk": 3, "title": None},
        columns={"text": "body"},
    )
    assert (article.text, article.id, article.event, article.title) == ("Shells.", "007", None, "")
    assert (article.countries, dict(article.extra)) == (("KEN",), {"desk": 3})


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"text": None},
        {"text": ""},
        {"text": " \n"},
        {"text": 5},
        {"text": ["a"]},
        {"text": "a", "id": 7},
        {"text": "a", "countries": "KEN"},
        {"text": "a", "countries": [1]},
    ],
)
def test_a_record_of_other_types_is_no_article(record: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        article_from_record(record)
