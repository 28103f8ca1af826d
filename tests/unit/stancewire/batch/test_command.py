"""The command: what it reads, prints and returns; a bar on a terminal, and nothing of it elsewhere."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stancewire.batch import Progress, Summary
from stancewire.batch.progress import shown, summed_up
from stancewire.cli import main
from stancewire.reading import Reader
from tests.batch_cases import TEXTS, content, here, record, rows_of, write_jsonl

Run = Callable[..., int]


@pytest.fixture
def batch(tmp_path: Path, models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process; the models are found where training leaves them."""
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "stancewire-topics").symlink_to(models[0])
    (shelf / "stancewire-stance").symlink_to(models[1])
    monkeypatch.setenv("STANCEWIRE_MODELS", str(shelf))
    return lambda *arguments: main(["batch", *map(str, arguments)])


def test_a_job_from_the_command_line(
    tmp_path: Path, batch: Run, reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n, desk="x") for n in range(5)])
    assert batch(source, tmp_path / "out", "--shard-rows", "2") == 0
    said = capsys.readouterr()
    assert said.out.startswith("5 rows = 5 read + 0 rejected; 3 shards; ")
    assert said.out.endswith(f" s; {tmp_path / 'out'}\n")
    assert said.err == ""
    for row in rows_of(tmp_path / "out", "readings"):
        n = row["line"] - 1
        expected = reader.read(TEXTS[n % 4]).topics
        assert row["topics"] == [topic.label for topic in expected if topic.decision]
    names = {name.split("/")[0] for name in content(tmp_path / "out")}
    assert names == {"readings", "topics", "stances", "rejects", "job.json", "_SUCCESS"}


def test_the_manifest_counts_and_names_every_file(tmp_path: Path, batch: Run) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(0), {"id": "x"}, record(0)])
    assert batch(source, tmp_path / "out", "--dedupe", "--shard-rows", "2") == 0
    found = json.loads((tmp_path / "out" / "job.json").read_bytes())
    digests = {
        f"{table}/part-{number:05}.parquet": file["sha256"]
        for number, shard in enumerate(found["shards"])
        for table, file in shard["files"].items()
    }
    real = content(tmp_path / "out")
    assert digests == {name: digest for name, digest in real.items() if "/" in name}
    assert [(one["rows"], one["read"], one["copies"], one["rejected"]) for one in found["shards"]] == [
        (2, 1, 0, {"not_an_article": 1}),
        (1, 0, 1, {}),
    ]


def test_copies_are_counted_as_stories_and_as_reach(
    tmp_path: Path, batch: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n % 2) for n in range(6)])
    assert batch(source, tmp_path / "out", "--dedupe") == 0
    assert "6 rows = 2 read + 4 copies + 0 rejected" in capsys.readouterr().out
    found = rows_of(tmp_path / "out", "readings")
    assert [(row["copy_of"], row["reach"]) for row in found] == [(None, 3), (None, 3), *[(1, 0), (2, 0)] * 2]
    assert {row["line"] for row in rows_of(tmp_path / "out", "topics")} == {1, 2}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_every_kind_of_input_gives_the_same_readings(tmp_path: Path, batch: Run, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    if suffix == ".jsonl":
        write_jsonl(source, [{"key": str(n), "body": text} for n, text in enumerate(TEXTS)])
    else:
        mark = "," if suffix == ".csv" else "\t"
        rows = [f"{n}{mark}{text}" for n, text in enumerate(TEXTS)]
        source.write_text("\n".join([f"key{mark}body", *rows]))
    assert batch(source, tmp_path / "out", "--column", "text=body", "--column", "id=key") == 0
    found = rows_of(tmp_path / "out", "readings")
    assert [row["id"] for row in found] == ["0", "1", "2", "3"]
    assert [json.loads(row["reading"])["sentences"] for row in found] == [3, 2, 2, 2]


def test_targets_and_topics_only(tmp_path: Path, batch: Run, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(0)])
    assert batch(source, tmp_path / "a", "--target", "the talks", "--format", "jsonl") == 0
    (row,) = rows_of(tmp_path / "a", "readings")
    assert [target["target"] for target in row["targets"]] == ["the talks"]
    assert batch(source, tmp_path / "b", "--topics-only") == 0
    (row,) = rows_of(tmp_path / "b", "readings")
    assert (row["targets"], row["stance_model"], row["sentences"]) == ([], None, 3)
    assert rows_of(tmp_path / "b", "stances") == []
    capsys.readouterr()
    assert batch(source, tmp_path / "c", "--topics-only", "--stance", "x") == 2
    assert batch(source, tmp_path / "c", "--topics-only", "--target", "x") == 2
    assert capsys.readouterr().err.count("error: ") == 2


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "folder"])
def test_an_empty_input_gives_empty_tables(tmp_path: Path, batch: Run, name: str) -> None:
    source = tmp_path / name
    if name == "folder":
        source.mkdir()
    else:
        source.write_text("" if name == "a.jsonl" else "id,text\n")
    assert batch(source, tmp_path / "out") == 0
    for table in ("readings", "topics", "stances", "rejects"):
        assert rows_of(tmp_path / "out", table) == []
        assert (tmp_path / "out" / table / "part-00000.parquet").exists()
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_without_models_the_message_tells_how_to_get_them(
    tmp_path: Path, batch: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STANCEWIRE_MODELS", str(tmp_path / "none"))
    assert batch(tmp_path / "in.jsonl", tmp_path / "out") == 2
    assert "name one with --topics" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(rows: int, share: float, **changes: Any) -> Progress:  # noqa: ANN401 - fields of any type
    fields: dict[str, Any] = {"output": Path("o"), "rows": rows, "read": rows, "copies": 0, "rejected": {}}
    fields |= {"shards": 1, "resumed": 0, "is_done": False}
    return Progress(Summary(**(fields | changes)), share)


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with shown() as report:
        assert report is not None
        report(progress(1500, 0.25, rejected={"syntax": 3}))
    assert "25%" in terminal.getvalue()
    assert "1,500 rows, " in terminal.getvalue()
    assert "/s, 3 rejected" in terminal.getvalue()


def test_no_bar_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with shown() as report:
        assert report is None
    assert stream.getvalue() == ""


def test_the_summary_is_one_line() -> None:
    summary = progress(
        1234, 1.0, copies=200, read=1000, rejected={"nul": 30, "syntax": 4}, resumed=500
    ).summary
    assert summed_up(summary, 12.34) == (
        "1,234 rows = 1,000 read + 200 copies + 34 rejected (nul 30, syntax 4); 1 shard, "
        "500 rows done before; 12.3 s; o"
    )
