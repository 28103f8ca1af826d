"""Inputs: every row once, whatever they are packed in; what is no input is refused with a reason."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from stancewire.batch.rows import Row
from stancewire.batch.sources import Source, open_source
from stancewire.errors import InputError
from tests.batch_cases import ROOT, record, write_jsonl


def zst(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True)) if data else b""


def rows(source: Source) -> list[Row]:
    return list(source.rows())


def records(source: Source) -> list[dict[str, Any]]:
    return [json.loads(row.data) for row in source.rows() if row.data is not None]


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zst,
    ".GZ": lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:]),
}


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".csv", ".tsv"])
def test_rows_of_a_file(tmp_path: Path, suffix: str, packed: str) -> None:
    text = '\n{"id": "007", "text": "x\\n"}\n{"id": "NA", "text": ""}\n'
    if "sv" in suffix:
        text = 'id,text\n\n007,"x\n"\nNA,\n'.replace(",", "\t" if suffix == ".tsv" else ",")
    path = tmp_path / f"news.2024{suffix}{packed}"
    path.write_bytes(PACK[packed](text.encode()))
    source = open_source(path)
    assert records(source) == [{"id": "007", "text": "x\n"}, {"id": "NA", "text": ""}]
    assert [row.line for row in source.rows()] == ([3, 5] if "sv" in suffix else [2, 3])
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.n_bytes == path.stat().st_size
    assert source.share() == 1.0


def test_bad_lines_are_rows_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\na,b,c\nd,\xff\ne,f\n")
    found = rows(open_source(path))
    assert [(row.line, row.reason) for row in found] == [(2, "ragged"), (3, "encoding"), (4, "")]


def test_countries_in_a_cell_are_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,where\nx,KEN; RWA\ny,\n")
    found = records(open_source(path, columns={"countries": "where"}))
    assert [one["where"] for one in found] == [["KEN", "RWA"], []]


def test_a_delimiter_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;x\n")
    assert records(open_source(path, delimiter=";")) == [{"id": "1", "text": "x"}]
    with pytest.raises(InputError, match="name it as the delimiter"):
        rows(open_source(path))


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst"])
@pytest.mark.parametrize("cut", [1, 40])
def test_a_packed_file_that_ends_early_is_no_whole_one(tmp_path: Path, suffix: str, cut: int) -> None:
    """A decoder that stops in silence at the end of the bytes would lose rows."""
    lines = b"".join(json.dumps(record(n, text=f"{n * 7919}")).encode() + b"\n" for n in range(2000))
    path = tmp_path / f"a{suffix}"
    path.write_bytes((gzip.compress if "gz" in suffix else zst)(lines)[:-cut])
    with pytest.raises(InputError, match=r"a\.jsonl.*cannot be read: .*[Tt]runcated"):
        rows(open_source(path))


def test_what_is_packed_but_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match="cannot be read"):
        rows(open_source(path))


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """One line of 400 MB, packed into half a megabyte, under a limit of memory that it would burst."""
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(100):
            file.write(b" " * 4_000_000)
        file.write(b'\n{"text": "after"}\n')
    code = (
        "import sys, resource; from pathlib import Path; from stancewire.batch.sources import open_source; "
        "import pyarrow; s = open_source(Path(sys.argv[1])); "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "print([(r.line, r.reason) for r in s.rows()]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found, grown = done.stdout.splitlines()
    assert found == "[(1, 'too_long'), (2, '')]"
    assert int(grown) * 1024 < 200_000_000


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".parquet":
        parquet.write_table(pa.table({"text": ["x", "y"]}), path)
    else:
        path.write_text("text\nx\ny\n" if suffix == ".csv" else '{"text": "x"}\n{"text": "y"}\n')
    source = open_source(path)
    found = source.rows()
    next(found)
    with path.open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(InputError, match="changed while it was read"):
        list(found)


def test_values_of_parquet_become_json(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "id": pa.array([7, 2**53 + 1, None]),
            "text": ["x", "y", "z"],
            "date": pa.array([datetime.date(2024, 5, 1), None, None]),
            "score": [float("nan"), float("inf"), 0.5],
            "seen": pa.array([datetime.datetime(2024, 5, 1, 12), None, None]),
            "price": pa.array([Decimal("1.10"), None, None]),
            "raw": [b"\xff", None, b""],
            "tags": pa.array([["a", None], [], None]),
            "more": pa.array([{"n": 1}, None, None]),
            "big": pa.array([2**64 - 1, 0, 0], pa.uint64()),
        }
    )
    parquet.write_table(table, path)
    source = open_source(path)
    first, second, third = records(source)
    assert first == {
        "id": "7",
        "text": "x",
        "date": "2024-05-01",
        "score": None,
        "seen": "2024-05-01T12:00:00",
        "price": "1.10",
        "raw": "/w==",
        "tags": ["a", None],
        "more": {"n": 1},
        "big": "18446744073709551615",
    }
    assert (second["id"], second["score"], third["id"], third["score"]) == (
        "9007199254740993",
        None,
        None,
        0.5,
    )
    assert [row.line for row in source.rows()] == [1, 2, 3]


def test_one_bad_text_of_parquet_costs_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = pa.array([b"x", b"\xff", b"z"]).view(pa.string())
    parquet.write_table(pa.table({"text": texts}), path)
    assert [row.reason for row in open_source(path).rows()] == ["", "encoding", ""]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    with pytest.raises(InputError, match="expected an intact Parquet file"):
        open_source(path)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], ["text", "text"]), path)
    with pytest.raises(InputError, match="two columns are named 'text'"):
        open_source(path)


def test_every_file_of_a_folder_is_a_row(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("b.txt", "a.md", "sub/c.TXT", ".hidden/d.txt", ".e.txt"):
        (folder / name).write_text(name)
    (folder / "pic.jpg").write_bytes(b"x")
    (folder / "link.txt").symlink_to("b.txt")
    (folder / "gone.txt").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "fifo.txt")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("odd name")
    found = rows(open_source(folder))
    assert [(row.source, row.reason) for row in found] == [
        ("a.md", ""),
        ("b.txt", ""),
        ("fifo.txt", "kind"),
        ("gone.txt", "cannot_be_read"),
        ("link.txt", ""),
        ("loop", "kind"),
        ("pic.jpg", "kind"),
        ("sub/c.TXT", ""),
        ("\\xff.txt", ""),
    ]
    assert [row.line for row in found] == list(range(1, 10))
    assert found[0].data == b"a.md"


def test_a_folder_is_known_by_its_texts_and_names(tmp_path: Path) -> None:
    def digest(**files: str) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.txt").write_text(text)
        return open_source(folder).sha256

    assert digest(a="x", b="y") == digest(b="y", a="x")
    different = [digest(a="x"), digest(b="x"), digest(a="y"), digest(a="xy"), digest(a="x", b=""), digest()]
    different += [digest(a="b.txtx"), digest(a="", b="x")]
    assert len(set(different)) == len(different)


def test_a_folder_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("x")
    for name in ("b.txt", "c.txt"):
        found = open_source(tmp_path).rows()
        next(found)
        (tmp_path / name).write_text("y")
        with pytest.raises(InputError, match="changed while it was read"):
            list(found)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_without_a_text_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv":
        path.write_text("id,body\n1,x\n")
    else:
        parquet.write_table(pa.table({"id": ["1"], "body": ["x"]}), path)
    with pytest.raises(InputError, match="expected a column 'text', found 'id', 'body'; name it: --column"):
        open_source(path)
    assert records(open_source(path, columns={"text": "body"})) == [{"id": "1", "body": "x"}]


def test_a_long_row_of_parquet_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.batch.parquet.MAX_LINE_BYTES", 100)
    parquet.write_table(pa.table({"text": ["x" * 100, "y"]}), tmp_path / "a.parquet")
    assert [row.reason for row in open_source(tmp_path / "a.parquet").rows()] == ["too_long", ""]


@pytest.mark.parametrize("name", ["a.json", "a", "a.gz", "a.parquet.gz", "a.zip", "a.jsonl.bz2"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(InputError, match=r"expected \.jsonl, \.ndjson, \.csv"):
        open_source(tmp_path / name)


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read: No such file"):
        open_source(tmp_path / "none.jsonl")
    os.mkfifo(tmp_path / "fifo.jsonl")
    with pytest.raises(InputError, match="expected a file or a folder; pipe a stream to -"):
        open_source(tmp_path / "fifo.jsonl")
    with pytest.raises(InputError, match="expected the path of a file"):
        open_source(tmp_path / "a\0.jsonl")


def test_an_open_file_is_read_in_pieces(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [record(n, text="x" * 10_000) for n in range(1000)])
    source = open_source(path)
    found = source.rows()
    next(found)
    assert 0 < source.share() < 0.5
