"""Fault 25: formulas, control characters and escapes pass through exactly, and command no terminal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest

from stancewire.batch import Summary, run
from stancewire.batch.progress import summed_up
from tests.batch_cases import here, rows_of, run_command, write_jsonl

Models = tuple[Path, Path]
NASTY = (
    *("=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a\nb\r\nc", "\x1b[2J\x1b]0;x\x07"),
    *("\u2028\u0085\x0c", "\u202eabc", "\ufeffx", '"; DROP', "NA", "null", "007", "1e5", "{}", "\x7f\x01"),
)


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))


def records() -> list[dict[str, object]]:
    return [
        {
            "id": text,
            "title": text,
            "text": f"{text} The envoys condemned the embargo.",
            "outlet": text,
            text: text,
        }
        for text in NASTY
    ]


@pytest.mark.parametrize("output", ["parquet", "jsonl"])
def test_texts_pass_through_exactly(tmp_path: Path, batch_models: Models, output: str) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", records())
    topics, stance = batch_models
    summary = run(source, tmp_path / "out", topics=topics, stance=stance, format=output)  # type: ignore[arg-type]
    assert summary.n_rejected == 0
    found = rows_of(tmp_path / "out", "readings")
    assert [row["id"] for row in found] == list(NASTY)
    assert [row["title"] for row in found] == list(NASTY)
    assert [row["outlet"] for row in found] == list(NASTY)
    extra = [row["extra"] if output == "jsonl" else json.loads(row["extra"]) for row in found]
    assert extra == [{text: text} for text in NASTY]
    assert {row["id"] for row in rows_of(tmp_path / "out", "topics")} == set(NASTY)
    assert {row["id"] for row in rows_of(tmp_path / "out", "stances")} <= set(NASTY)


def test_both_formats_hold_the_same(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*records(), {"id": "=bad"}])
    topics, stance = batch_models
    run(source, tmp_path / "a", topics=topics, stance=stance)
    run(source, tmp_path / "b", topics=topics, stance=stance, format="jsonl")
    for table in ("topics", "stances", "rejects"):
        assert rows_of(tmp_path / "a", table) == rows_of(tmp_path / "b", table)
    one, other = rows_of(tmp_path / "a", "readings"), rows_of(tmp_path / "b", "readings")
    for row in one:
        row |= {name: json.loads(row[name]) for name in ("reading", "extra")}
    assert one == other


def test_each_line_of_jsonl_is_one_row(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", records())
    topics, stance = batch_models
    run(source, tmp_path / "out", topics=topics, stance=stance, format="jsonl")
    data = (tmp_path / "out" / "readings" / "part-00000.jsonl").read_bytes()
    assert data.count(b"\n") == len(NASTY)
    assert b"\x1b" not in data


def test_odd_cells_of_csv_pass_through(tmp_path: Path, batch_models: Models) -> None:
    cells = [text for text in NASTY if text.strip()]
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "text", "=note"])
        writer.writerows([text, "The envoys condemned the embargo.", text] for text in cells)
    topics, stance = batch_models
    summary = run(path, tmp_path / "out", topics=topics, stance=stance)
    assert (summary.read, summary.n_rejected) == (len(cells), 0)
    found = rows_of(tmp_path / "out", "readings")
    assert [row["id"] for row in found] == cells
    assert [json.loads(row["extra"])["=note"] for row in found] == cells


def test_the_summary_commands_no_terminal(tmp_path: Path) -> None:
    summary = Summary(Path("/tmp/\x1b[2J\n\u202e"), 1, 0, 0, {"odd\x1b": 1}, 1, 0, is_done=True)  # noqa: S108
    line = summed_up(summary, 1.0)
    assert line.isprintable()


def test_errors_command_no_terminal(tmp_path: Path, batch_models: Models) -> None:
    topics, stance = batch_models
    odd = tmp_path / "\x1b[2J\u202e.jsonl"
    done = run_command(odd, tmp_path / "out", "--topics", topics, "--stance", stance)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr and "\u202e" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_parquet_opens_with_plain_types(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", records())
    topics, stance = batch_models
    run(source, tmp_path / "out", topics=topics, stance=stance, shard_rows=4)
    table = pyarrow.parquet.read_table(tmp_path / "out" / "stances")
    assert table.num_rows == len(rows_of(tmp_path / "out", "stances"))
    assert {str(kind) for kind in table.schema.types} == {"int64", "string", "double", "bool"}
