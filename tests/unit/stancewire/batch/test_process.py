"""Rows in, tables out: every row once, and the tables say what the readings say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.batch.columns import TABLES, schemas
from stancewire.batch.process import process
from stancewire.batch.rows import Row
from stancewire.examples import Article
from stancewire.predictor import TopicsPredictor, load
from stancewire.reading import Reader
from stancewire.windows import WINDOW_ROWS
from tests.batch_cases import TEXTS, record
from tests.encoders import tiny_encoder


def row(line: int, item: object, *, copy_of: int | None = None, reach: int = 1) -> Row:
    data = item if isinstance(item, bytes) else json.dumps(item).encode()
    return Row(line, data, copy_of=copy_of, reach=reach)


def test_the_tables_say_what_the_reading_says(reader: Reader) -> None:
    extra = {"desk": "Ω", "n": 7, "tags": [None, 0.5]}
    item = record(0, date="2024-05-01", outlet="wire", countries=["KEN"], event="e1") | extra
    tables = process([row(3, item)], reader)
    reading = reader.read(Article(text=TEXTS[0], title="Row 0", id="a0", date="2024-05-01", outlet="wire"))
    (found,) = tables.readings.to_pylist()
    assert json.loads(found.pop("reading")) == reading.to_dict()
    assert json.loads(found.pop("extra")) == extra
    targets = found.pop("targets")
    assert found == {
        "line": 3,
        "source": "",
        "id": "a0",
        "title": "Row 0",
        "date": "2024-05-01",
        "outlet": "wire",
        "countries": ["KEN"],
        "event": "e1",
        "copy_of": None,
        "reach": 1,
        "topics": ["arms_trade", "diplomacy"],
        "sentences": 3,
        "cut_chars": 0,
        "cut_share": 0.0,
        "mixed_script": [],
        "warnings": [],
        "topics_model": "small-topics",
        "topics_digest": reader.topics.provenance.digest,
        "stance_model": "small-stance",
        "stance_digest": reader.stance.provenance.digest if reader.stance else "",
    }
    assert [(one["target"], one["verdict"], one["net"], one["favor"]) for one in targets] == [
        (target.target, target.verdict, target.net, target.counts["favor"]) for target in reading.targets
    ]
    assert [
        (one["line"], one["id"], one["label"], one["probability"], one["threshold"], one["decision"])
        for one in tables.topics.to_pylist()
    ] == [(3, "a0", t.label, t.probability, t.threshold, t.decision) for t in reading.topics]
    assert reading.stances
    for one, stance in zip(tables.stances.to_pylist(), reading.stances, strict=True):
        holder = stance.holder
        for name in ("target", "label", "probability", "sentence", "start", "end", "review"):
            assert one[name] == getattr(stance, name)
        assert (one["holder"], one["holder_start"], one["holder_mention"]) == (
            (holder.text, holder.start, holder.mention) if holder else (None, None, None)
        )
    assert tables.rejects.num_rows == 0


def test_what_no_chunk_held_is_told(tmp_path: Path) -> None:
    topics = load(tiny_encoder(tmp_path, "topics").path, runtime="onnxruntime", threads=1)
    assert isinstance(topics, TopicsPredictor)
    texts = ["The minister welcomed the embargo. " * n for n in (2, 60)]
    rows = [row(n, {"text": text}) for n, text in enumerate(texts, 1)]
    tables = process([*rows, row(3, {"text": texts[0]}, copy_of=1, reach=0)], Reader(topics))
    short, long, copy = tables.readings.to_pylist()
    assert (short["cut_share"], short["cut_chars"]) == (0, 0)
    assert (long["cut_share"], long["cut_chars"]) == (pytest.approx(0.6, abs=0.1), 0)
    assert long["cut_share"] == json.loads(long["reading"])["cut_share"]
    assert copy["cut_share"] is None


def test_a_file_is_named_by_its_path_and_offsets_are_into_it(reader: Reader) -> None:
    text = f"\ufeffA headline\n\n{TEXTS[0]}"
    tables = process([Row(1, text.encode(), "sub/a.txt")], reader, targets=["talks"])
    (found,) = tables.readings.to_pylist()
    assert (found["id"], found["source"], found["title"]) == ("sub/a.txt", "sub/a.txt", "A headline")
    assert json.loads(found["reading"])["id"] == "sub/a.txt"
    stance = tables.stances.to_pylist()[-1]
    assert text[1:][stance["start"] : stance["end"]] == stance["sentence"]
    assert stance["id"] == "sub/a.txt"


REJECTED: dict[str, tuple[Row, str]] = {
    "syntax": (row(1, b"{"), "syntax"),
    "array": (row(1, []), "not_an_object"),
    "no text": (row(1, {"id": "x"}), "not_an_article"),
    "text of another type": (row(1, {"id": "x", "text": ["secret"]}), "not_an_article"),
    "title of another type": (row(1, {"id": "x", "text": "a", "title": {"secret": 1}}), "not_an_article"),
    "invisible": (row(1, {"id": "x", "text": "\u200b"}), "unreadable"),
    "empty file": (Row(1, b"", "x"), "unreadable"),
    "latin file": (Row(1, b"secret \xe9", "x"), "encoding"),
    "binary file": (Row(1, b"secret \0", "x"), "nul"),
    "of the source": (Row(1, None, "x", "kind", "no text"), "kind"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_rejected(reader: Reader, name: str) -> None:
    bad, reason = REJECTED[name]
    tables = process([bad, row(2, record(0))], reader)
    (found,) = tables.rejects.to_pylist()
    assert (found["line"], found["reason"]) == (1, reason)
    assert found["id"] == ("" if reason in ("syntax", "not_an_object") else "x")
    assert found["detail"] and "secret" not in found["detail"]
    assert tables.readings.column("line").to_pylist() == [2]


def test_columns_may_have_other_names(reader: Reader) -> None:
    item = {"body": TEXTS[0], "key": "7", "text": "not this"}
    tables = process([row(1, item)], reader, columns={"text": "body", "id": "key"})
    (found,) = tables.readings.to_pylist()
    assert (found["id"], json.loads(found["extra"])) == ("7", {"text": "not this"})
    assert found["sentences"] == 3
    (reject,) = process(
        [row(1, {"key": "7"})], reader, columns={"text": "body", "id": "key"}
    ).rejects.to_pylist()
    assert reject["id"] == "7"


def test_a_copy_is_a_row_that_is_not_predicted(reader: Reader) -> None:
    tables = process([row(1, record(0), reach=2), row(2, record(0), copy_of=1, reach=0)], reader)
    one, other = tables.readings.to_pylist()
    assert (one["reach"], other["reach"], other["copy_of"]) == (2, 0, 1)
    assert other["id"] == "a0"
    assert {other[name] for name in ("reading", "topics", "targets", "sentences", "topics_model")} == {None}
    assert set(tables.topics.column("line").to_pylist()) == {1}
    assert set(tables.stances.column("line").to_pylist()) == {1}


def test_windows_are_told_before_they_are_predicted(reader: Reader) -> None:
    rows = [row(n, record(n) if n % 3 else {"id": "x"}) for n in range(2 * WINDOW_ROWS)]
    told: list[tuple[int, int]] = []
    process(rows, reader, watch=lambda first, last: told.append((first, last)))
    good = [n for n in range(2 * WINDOW_ROWS) if n % 3]
    assert told == [
        (good[0], good[WINDOW_ROWS - 1]),
        (good[WINDOW_ROWS], good[-1]),
    ]


ITEM = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda **fields: json.dumps(fields).encode(),
        text=st.one_of(st.text(max_size=30), st.none(), st.integers(), st.sampled_from(TEXTS)),
        id=st.one_of(st.text(max_size=5), st.none(), st.integers()),
        title=st.one_of(st.text(max_size=9), st.none()),
        other=st.one_of(st.floats(allow_nan=False), st.lists(st.none(), max_size=2)),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, max_size=12), st.booleans())
def test_in_is_out_and_rejected_whatever_the_bytes(
    reader: Reader, items: list[bytes], as_files: bool
) -> None:
    rows = [Row(n, item, f"{n}.txt" if as_files else "") for n, item in enumerate(items, 1)]
    tables = process(rows, reader)
    out, rejected = tables.readings.column("line").to_pylist(), tables.rejects.column("line").to_pylist()
    assert sorted(out + rejected) == list(range(1, len(items) + 1))
    assert out == sorted(out)
    for name in TABLES:
        assert tables.table(name).schema == schemas()[name]
