"""Faults 11 to 15: what bad data does to reading, and that training refuses it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stancewire.errors import InputError, StancewireError
from stancewire.readers import Reject, read_csv, read_jsonl
from tests.corpora import corpus_of, row_of, text_of, write_jsonl
from training.data.examine import Examined, examine
from training.data.leaks import LeakError
from training.data.load import read_corpus
from training.data.schema import Schema
from training.data.sources import open_source
from training.data.split import By, Plan, split_corpus

SCHEMA = Schema(
    topics=("arms_trade", "diplomacy", "sanctions"), stances=("against", "favor", "neutral", "unrelated")
)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Line ends that are none, quotes, delimiters, and whatever else.
ODD = st.sampled_from(
    [
        "\u2028",
        "\u2029",
        "\x85",
        "\x0b",
        "\x0c",
        "\x1c",
        "\r",
        "\n",
        "\r\n",
        '"',
        '""',
        ",",
        ";",
        "\t",
        " ",
        "é",
        "NA",
    ]
)
TEXT = st.lists(ODD | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), max_size=6)
CELL = TEXT.map("".join)
END = st.sampled_from(["\n", "\r\n"])
BLANKS = st.lists(st.integers(0, 2), min_size=8, max_size=8)


def examined(path: Path) -> Examined:
    return examine(open_source(str(path)), SCHEMA)


def write(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


# 11: labels


@pytest.mark.parametrize("label", ["None", "NA", "null", "nan", "N/A", "n/a", "NULL", "0", "pro"])
def test_no_label_is_taken_for_a_missing_one(tmp_path: Path, label: str) -> None:
    """Fault 11: pandas would drop these rows; here they are texts that no codebook has."""
    path = tmp_path / "a.csv"
    path.write_text(
        f"id,text,topics\na,Shells came.,sanctions\nb,Talks failed.,{label}\nc,Rain fell.,{label}\n"
    )
    found = examined(path)
    assert [(fault.line, fault.code) for fault in found.faults] == [
        (3, "unknown_label"),
        (4, "unknown_label"),
    ]
    with pytest.raises(
        InputError, match=f"unknown_label 2.*\n  2 times unknown_label: .* no topic '{label}'"
    ):
        read_corpus(str(path))


def test_variants_of_one_label_are_reported_and_never_merged(tmp_path: Path) -> None:
    """Fault 11."""
    path = tmp_path / "a.csv"
    labels = [" FAVOR ", "FAVOR", "favor", "", " "]
    rows = "".join(f'{n},He said {n}.,talks,"{label}"\n' for n, label in enumerate(labels))
    path.write_text(f"id,sentence,target,label\n{rows}")
    found = examined(path)
    assert [fault.code for fault in found.faults] == [
        "label_variant",
        "label_variant",
        "empty_label",
        "empty_label",
    ]
    assert "' FAVOR '; did you mean favor?" in found.faults[0].detail
    assert [row.article.id for row in found.articles] == ["2"]


def test_variants_in_a_cell_of_topics_are_reported_too(tmp_path: Path) -> None:
    """Fault 11: blanks around a separator write a list, blanks around the cell belong to the label."""
    path = tmp_path / "a.csv"
    cells = [
        " sanctions",
        "sanctions ",
        "sanctions ; diplomacy;arms_trade",
        " sanctions; diplomacy",
        "Diplomacy",
    ]
    cells += [" none", "diplomacy; sanctions "]
    path.write_text("id,text,topics\n" + "".join(f'{n},Text {n}.,"{cell}"\n' for n, cell in enumerate(cells)))
    found = examined(path)
    codes = {fault.line: fault.code for fault in found.faults}
    variant = "label_variant"
    assert codes == {2: variant, 3: variant, 5: variant, 6: variant, 7: "unknown_label", 8: variant}
    assert [set(row.topics.values()) for row in found.articles] == [{True}]
    mapped = read_corpus(str(write(tmp_path, "id,text,topics\na,T., X \n")), label_map={" X ": "sanctions"})
    assert mapped.topics.tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id,text,Topics", "'Topics'; did you mean topics?"),
        ("id,text, topics", "' topics'; did you mean topics?"),
        ("id,text,EVENT", "'EVENT'; did you mean event?"),
        ("id,Text,date", "'Text'; did you mean text?"),
        ("id,target,Sentence", "'Sentence'; did you mean sentence?"),
    ],
)
def test_variants_of_a_column_are_reported_and_never_dropped(tmp_path: Path, header: str, told: str) -> None:
    """Fault 11, for names of columns: without its events a corpus would be split in the middle of a story."""
    found = examined(write(tmp_path, f"{header}\na,One two.,none\n"))
    (fault,) = [fault for fault in found.faults if fault.code == "column_variant"]
    assert (fault.line, fault.severity) == (2, "error")
    assert fault.detail == f"no field is named {told}"


@pytest.mark.parametrize("header", ["id,text,Label", "id,text,topics,Sanctions", "id,text,title,Title"])
def test_a_further_column_is_no_variant_where_nothing_is_missed(tmp_path: Path, header: str) -> None:
    cells = ",".join(["a", "One two.", *["none"] * (header.count(",") - 1)])
    assert examined(write(tmp_path, f"{header}\n{cells}\n")).faults == ()


def test_a_corpus_can_map_its_labels_by_name(tmp_path: Path) -> None:
    """Fault 11: the way out is one that the user writes down."""
    path = tmp_path / "a.csv"
    path.write_text("id,sentence,target,label\n1,He said 1.,talks,FAVOR\n2,He said 2.,talks,favor\n")
    corpus = read_corpus(str(path), label_map={"FAVOR": "favor"})
    assert [record.label for record in corpus.stances] == ["favor", "favor"]


# 12: ids and bytes


def test_ids_stay_texts(tmp_path: Path) -> None:
    """Fault 12: 007, 19 digits beside a blank."""
    path = tmp_path / "a.csv"
    path.write_text(
        "id,event,text\n007,1234567890123456789,Shells.\n1e5,,Talks.\n0x1F,1234567890123456788,Rain.\n"
    )
    corpus = read_corpus(str(path))
    assert [article.id for article in corpus.articles] == ["007", "1e5", "0x1F"]
    assert [article.event for article in corpus.articles] == [
        "1234567890123456789",
        None,
        "1234567890123456788",
    ]
    assert corpus.table["id"][:] == ["007", "1e5", "0x1F"]


def test_duplicate_ids_are_refused_with_the_first_five(tmp_path: Path) -> None:
    """Fault 12."""
    path = write_jsonl(tmp_path / "a.jsonl", [row_of(n, id=f"i{n % 7}", stances=[]) for n in range(14)])
    with pytest.raises(InputError) as caught:
        read_corpus(str(path))
    lines = str(caught.value).splitlines()
    assert "found 7 (duplicate_id 7) beside 7 good articles" in lines[0]
    assert [f"id 'i{n}' is taken by line {n + 1}" in lines[n + 1] for n in range(5)] == [True] * 5
    assert len(lines) == 7


def test_bytes_that_are_no_utf_8_cost_their_row(tmp_path: Path) -> None:
    """Fault 12: latin-1, NUL, lone surrogates; the byte order mark is accepted."""
    good = json.dumps({"id": "a", "text": "Café."}, ensure_ascii=False).encode()
    bad = [b'{"id": "b", "text": "Caf\xe9."}', b'{"id": "c\0"}', b'{"id": "d", "text": "\\ud83d"}']
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join([good, *bad]))
    found = examined(tmp_path / "a.jsonl")
    assert [(f.line, f.code) for f in found.faults] == [(2, "encoding"), (3, "nul"), (4, "surrogate")]
    assert [row.article.text for row in found.articles] == ["Café."]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_one_clear_error(tmp_path: Path, name: str, encoding: str) -> None:
    """Fault 12."""
    (tmp_path / name).write_bytes('id,text\n"a","b"\n'.encode(encoding))
    with pytest.raises(InputError, match="UTF-16 text; save it as UTF-8"):
        read_corpus(str(tmp_path / name))


# 13: lines and cells


@SETTINGS
@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=8),
    end=END,
    blanks=BLANKS,
    last=st.booleans(),
)
def test_csv_rows_come_back_as_written(
    tmp_path: Path, rows: list[list[str]], end: str, blanks: list[int], last: bool
) -> None:
    """Fault 13."""
    expected, line, text = [], 2, f"a,b{end}"
    for row, n_blank in zip(rows, blanks, strict=False):
        written = io.StringIO(newline="")
        csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator=end).writerow(row)
        text += end * n_blank + written.getvalue()
        expected.append((line + n_blank, dict(zip("ab", row, strict=True))))
        line += n_blank + written.getvalue().count("\n")
    path = tmp_path / "a.csv"
    path.write_bytes((text if last else text.removesuffix(end)).encode())
    assert list(read_csv(path)) == expected


@SETTINGS
@given(
    rows=st.lists(st.dictionaries(CELL, CELL, max_size=3), max_size=8),
    end=END,
    blanks=BLANKS,
    last=st.booleans(),
)
def test_jsonl_rows_come_back_as_written(
    tmp_path: Path, rows: list[dict[str, str]], end: str, blanks: list[int], last: bool
) -> None:
    """Fault 13."""
    expected, line, text = [], 1, ""
    for row, n_blank in zip(rows, blanks, strict=False):
        text += f" \t{end}" * n_blank + json.dumps(row, ensure_ascii=False) + end
        expected.append((line + n_blank, row))
        line += n_blank + 1
    path = tmp_path / "a.jsonl"
    path.write_bytes((text if last else text.removesuffix(end)).encode())
    assert list(read_jsonl(path)) == expected


@SETTINGS
@given(
    before=st.integers(0, 5), after=st.lists(st.sampled_from(["x,y", "", "1,2,3", "\u2028,\x85"]), max_size=5)
)
def test_an_unclosed_quote_is_an_error_with_its_first_line(
    tmp_path: Path, before: int, after: list[str]
) -> None:
    """Fault 13."""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["a,b", *["1,2"] * before, '3,"4', *after]), encoding="utf-8")
    *rows, reject = read_csv(path)
    assert rows == [(2 + place, {"a": "1", "b": "2"}) for place in range(before)]
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason) == (before + 2, "unclosed_quote")


@SETTINGS
@given(widths=st.lists(st.integers(1, 5), max_size=10))
def test_a_ragged_row_is_rejected_and_the_others_kept(tmp_path: Path, widths: list[int]) -> None:
    """Fault 13."""
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{line}\n" for line in ["a,b,c", *(",".join("x" * width) for width in widths)]))
    ragged = [isinstance(item, Reject) and item.reason for item in read_csv(path)]
    assert ragged == [False if width == 3 else "ragged" for width in widths]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_field_of_200k_characters_loads(tmp_path: Path, name: str) -> None:
    """Fault 13."""
    text = "word, " * 33_334
    rows = {"a.csv": f'id,text\na,"{text}"\n', "a.jsonl": json.dumps({"id": "a", "text": text})}
    (tmp_path / name).write_text(rows[name])
    assert read_corpus(str(tmp_path / name)).articles[0].text == text


# 14: JSON


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | CELL
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3), max_leaves=8
)
FIELDS = (
    "id",
    "text",
    "title",
    "event",
    "date",
    "countries",
    "topics",
    "stances",
    "split",
    "sentence",
    "label",
)
RECORD = st.dictionaries(st.sampled_from(FIELDS) | CELL, VALUE, max_size=6)
LINE = st.one_of(
    (RECORD | VALUE).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b'{"text": NaN}',
            b'{"a": 1, "a": 2}',
            b"[" * 100_000,
            b'{"a":' * 20_000,
            b'{"id": ' + b"9" * 5_000 + b"}",
            b'{"id": "a", "text": null}',
            b'{"id": "a", "text": 5}',
            b'{"id": "a", "text": ["x"]}',
            b'{"id": "a", "text": "\\udc00"}',
            b'{"id": "a", "text": "\\u0000"}',
            b'"text"',
            b"\xff\xfe{",
            b'{"id":"a"}\r{"id":"b"}',
        ]
    ),
)


@SETTINGS
@given(lines=st.lists(LINE, max_size=6), start=st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_jsonl_line_comes_out_once_whatever_the_bytes(
    tmp_path: Path, lines: list[bytes], start: bytes
) -> None:
    """Fault 14: in = out + rejected, and only our exceptions escape."""
    path = tmp_path / "a.jsonl"
    data = start + b"\n".join(lines)
    path.write_bytes(data)
    try:
        items = list(read_jsonl(path))
    except InputError as error:
        assert "expected UTF-8 text, found" in str(error)
        return
    text = data.removeprefix(b"\xef\xbb\xbf")
    filled = [n for n, line in enumerate(text.split(b"\n"), 1) if line.strip(b" \t\r")]
    assert [item.line if isinstance(item, Reject) else item[0] for item in items] == filled
    assert all(item.reason and item.detail for item in items if isinstance(item, Reject))


@SETTINGS
@given(
    data=st.binary(max_size=200)
    | st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\0", b"\xff"])).map(b"".join)
)
def test_csv_of_any_bytes_ends_in_rows_rejects_or_one_error(tmp_path: Path, data: bytes) -> None:
    """Fault 14."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + data)
    try:
        items = list(read_csv(path))
    except InputError:
        return
    lines = [item.line if isinstance(item, Reject) else item[0] for item in items]
    assert lines == sorted(set(lines))
    assert all(set(item[1]) == {"a", "b"} for item in items if not isinstance(item, Reject))


@SETTINGS
@given(lines=st.lists(LINE, max_size=5))
@example(lines=[b'{"sentence": null, "label": []}'])
def test_only_our_exceptions_leave_the_loader(tmp_path: Path, lines: list[bytes]) -> None:
    """Fault 14: whatever the rows hold, the examination tells their faults."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([b'{"id": "good", "text": "Shells."}', *lines]))
    try:
        found = examined(path)
    except StancewireError:
        return
    good = {(row.file, row.line) for row in found.articles}
    wrong = {(fault.file, fault.line) for fault in found.errors}
    assert found.n_records == len(good | wrong)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": NaN}', "constant"),
        (b'{"a": -Infinity}', "constant"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b"[" * 100_000, "depth"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "number_range"),
        (b"[]", "not_an_object"),
        (b'{"id": "x", "text": null}', "no_text"),
        (b'{"id": "x", "text": 5}', "wrong_type"),
        (b'{"id": "x", "text": ["a"]}', "wrong_type"),
    ],
)
def test_each_bad_row_has_its_reason(tmp_path: Path, line: bytes, reason: str) -> None:
    """Fault 14."""
    (tmp_path / "a.jsonl").write_bytes(line)
    (fault,) = examined(tmp_path / "a.jsonl").faults
    assert (fault.line, fault.code) == (1, reason)


# 15: corpora that teach nothing, or the test


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", "", "found no row"),
        ("a.jsonl", "\n \n", "found no row"),
        ("a.csv", "", "found no row"),
        ("a.csv", "id,text\n", "found no row"),
        ("a.jsonl", "x\n" * 30, r"found 30 \(syntax 30\) beside 0 good articles"),
        ("a.jsonl", '{"id": "a", "text": ""}\n', r"found 1 \(no_text 1\) beside 0 good articles"),
    ],
)
def test_nothing_to_learn_from_is_refused_with_counts(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    """Fault 15."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=told):
        read_corpus(str(tmp_path / name))


Change = Callable[[int], dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda n: {"topics": ["sanctions"]}, "arms_trade yes: rows 0, stories 0"),
        (lambda n: {"topics": ["sanctions"] * (n == 9)}, "sanctions yes: rows 1, stories 1"),
        (lambda n: {"topics": None}, "diplomacy no: rows 0, stories 0"),
        (lambda n: {"event": "one"}, "sanctions yes: rows 32, stories 1"),
    ],
)
def test_one_class_and_a_class_of_one_row_are_refused_with_counts(
    tmp_path: Path, change: Change, told: str
) -> None:
    """Fault 15."""
    corpus = corpus_of(tmp_path, [row_of(n) | change(n) for n in range(4, 64)])
    ways: tuple[By, ...] = ("event", "time", "outlet")
    for by in ways:
        with pytest.raises(InputError, match=told):
            split_corpus(corpus, "topics", Plan(by=by, outlets=("blog",)), seed=13)


def test_one_text_with_two_labels_is_refused_with_counts(tmp_path: Path) -> None:
    """Fault 15."""
    rows = [row_of(n, text=text_of("one"), topics=["sanctions"] * (n % 2), stances=[]) for n in range(4)]
    with pytest.raises(InputError, match=r"found 2 \(text_conflict 2\)"):
        read_corpus(str(write_jsonl(tmp_path / "a.jsonl", rows)))


def test_one_text_in_train_and_test_fails_unless_allowed_by_name(tmp_path: Path) -> None:
    """Fault 15."""
    parts = ("train", "dev", "test")
    rows = [row_of(n, event=None, split=parts[n // 20]) for n in range(60)]
    rows[50] |= {"text": rows[7]["text"], "topics": rows[7]["topics"], "stances": []}
    corpus = corpus_of(tmp_path, rows)
    with pytest.raises(LeakError, match=r"same_text 1\.00: a007 \(train\) ~ a050 \(test\)"):
        split_corpus(corpus, "topics", Plan(by="given"), seed=13)
    allowed = split_corpus(corpus, "topics", Plan(by="given", allow_leaks=("a050",)), seed=13)
    assert {(leak.first, leak.second) for leak in allowed.leaks} == {("a007", "a050")}
    assert split_corpus(corpus, "topics", Plan(), seed=13).leaks == ()
