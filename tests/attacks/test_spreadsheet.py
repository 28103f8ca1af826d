"""Fault 25: what begins like a formula is a text to a spreadsheet; figures stay figures."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.batch import run
from stancewire.batch.spreadsheet import cell, csv_pieces
from stancewire.errors import InputError
from tests.batch_cases import here, rows_of, write_jsonl

Models = tuple[Path, Path]
RUNS = (
    *("=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", '=HYPERLINK("http://x","y")', "-"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x"),
)
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
LETS_BE = (
    "",
    "talks",
    "a=1",
    "a\nb\r\nc",
    'a "quote", and; more',
    "007",
    "1e5",
    "NA",
    "'=1",
    "\x1b[2J",
    "é😀",
)
TEXTS = (*RUNS, *LETS_BE[1:])


@pytest.fixture(params=["parquet", "jsonl"])
def out(
    request: pytest.FixtureRequest, tmp_path: Path, batch_models: Models, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A job whose ids, titles and targets are hostile."""
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))
    rows = [
        {"id": text, "title": text, "outlet": text, "text": f"{text} The envoys condemned the embargo."}
        for text in TEXTS
    ]
    source = write_jsonl(tmp_path / "in.jsonl", [*rows, {"id": "=bad"}])
    topics, stance = batch_models
    options = {"targets": ["=the embargo", "talks"], "shard_rows": 7, "format": request.param}
    run(source, tmp_path / "out", topics=topics, stance=stance, **options)
    return tmp_path / "out"


def parsed(folder: Path, table: str) -> list[dict[str, str]]:
    text = "".join(csv_pieces(folder, table))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def undone(value: str) -> str:
    return value[1:] if value.startswith("'") and value[1:].startswith(BEGINNINGS) else value


def test_no_cell_of_text_runs(out: Path) -> None:
    readings = parsed(out, "readings")
    assert [undone(row["id"]) for row in readings] == [undone(text) for text in TEXTS]
    for row in readings:
        assert row["id"] == row["title"] == row["outlet"]
        assert not row["id"].startswith(BEGINNINGS)
    assert [row["id"] for row in readings][: len(RUNS)] == [f"'{text}" for text in RUNS]
    assert [row["id"] for row in readings][len(RUNS) :] == list(TEXTS[len(RUNS) :])
    assert {row["id"] for row in parsed(out, "rejects")} == {"'=bad"}
    for table in ("topics", "stances"):
        rows = parsed(out, table)
        assert rows
        assert len(rows) == len(rows_of(out, table))
        assert not any(value.startswith(BEGINNINGS) for row in rows for value in row.values())
    assert {row["target"] for row in parsed(out, "stances")} == {"'=the embargo", "talks"}
    assert all(0 <= float(row["probability"]) <= 1 for row in parsed(out, "topics"))


@pytest.mark.parametrize("value", [-0.5, -1, 7, True, None, [], ["=a"], {"a": "-b"}])
def test_figures_and_lists_are_no_texts(value: object) -> None:
    assert not cell(value).startswith("'")


def test_figures_below_zero_stay_figures() -> None:
    assert (cell(-0.5), cell(-3), cell(None), cell(False)) == ("-0.5", "-3", "", "false")


@given(st.text())
def test_every_text_is_one_cell_that_does_not_run(text: str) -> None:
    found = cell(text)
    assert found in (text, f"'{text}")
    assert (found != text) is text.startswith(BEGINNINGS)


def test_the_command(out: Path) -> None:
    command = [sys.executable, "-m", "stancewire", "csv", str(out)]
    done = subprocess.run([*command, "topics"], capture_output=True, check=True)  # noqa: S603 - our own program
    assert done.stdout.decode() == "".join(csv_pieces(out, "topics"))
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda out: (out / "_SUCCESS").unlink(), "a job that is done"),
        (lambda out: (out / "job.json").unlink(), "a job that is done"),
        (lambda out: next((out / "topics").iterdir()).write_bytes(b"PAR1{"), "as the job wrote it"),
    ],
)
def test_what_is_no_finished_job_is_refused(out: Path, break_it: object, says: str) -> None:
    with pytest.raises(InputError, match="expected one of the tables"):
        list(csv_pieces(out, "stance"))
    break_it(out)  # type: ignore[operator]  # a function of the cases above
    with pytest.raises(InputError, match=says):
        list(csv_pieces(out, "topics"))
