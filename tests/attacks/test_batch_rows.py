"""Fault 24: rows that raise, kill or keep their worker cost themselves alone; limits and pipes hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stancewire.batch import Progress, Summary, run
from stancewire.batch.engines import local, process
from stancewire.errors import StancewireError
from tests.batch_cases import (
    FAULTY,
    ROOT,
    command,
    content,
    processes_naming,
    reasons,
    record,
    rows_of,
    run_command,
    write_jsonl,
)

Models = tuple[Path, Path]
SECRET = "the president's secret plan"  # noqa: S105 - a text that must not be told


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers whose models kill, sleep or raise on such words."""
    monkeypatch.setattr(process, "PROGRAM", FAULTY)


class Jobs:
    def __init__(self, folder: Path, models: Models) -> None:
        self.folder = folder
        self.topics, self.stance = models

    def run(self, texts: dict[int, str], rows: int = 12, *, name: str = "out", **options: Any) -> Summary:  # noqa: ANN401
        """Run a job over good rows, but for those with a text of their own."""
        records = [record(n, texts.get(n, "")) for n in range(rows)]
        source = write_jsonl(self.folder / f"{name}.jsonl", records)
        return run(source, self.folder / name, topics=self.topics, stance=self.stance, **options)

    def rejects(self, name: str = "out") -> dict[int, str]:
        return reasons(rows_of(self.folder / name, "rejects"))

    def read(self, name: str = "out") -> list[int]:
        return [row["line"] for row in rows_of(self.folder / name, "readings")]


@pytest.fixture
def jobs(tmp_path: Path, batch_models: Models) -> Jobs:
    return Jobs(tmp_path, batch_models)


def told(folder: Path) -> str:
    """All that a job says of its rejects."""
    return json.dumps(rows_of(folder, "rejects"))


@pytest.mark.usefixtures("faulty")
def test_rows_that_raise_cost_themselves_alone(jobs: Jobs) -> None:
    texts = {2: f"It RAISES: {SECRET}.", 5: f"It STARVES: {SECRET}.", 7: "\u200b"}
    summary = jobs.run(texts, shard_rows=5)
    assert jobs.rejects() == {3: "model_error", 6: "model_error", 8: "unreadable"}
    assert jobs.read() == [line for line in range(1, 13) if line not in (3, 6, 8)]
    assert summary.rejected == {"model_error": 2, "unreadable": 1}
    assert "ValueError" in told(jobs.folder / "out") and "MemoryError" in told(jobs.folder / "out")
    assert "secret" not in told(jobs.folder / "out")


@pytest.mark.usefixtures("faulty")
def test_rows_that_kill_a_worker_are_found_and_rejected(
    jobs: Jobs, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = {1: f"It KILLS: {SECRET}.", 3: f"It KILLS again: {SECRET}."}
    summary = jobs.run(texts, rows=5, shard_rows=4)
    assert jobs.rejects() == {2: "killed_worker", 4: "killed_worker"}
    assert (summary.rows, summary.read, summary.n_rejected) == (5, 3, 2)
    assert "signal 9" in told(jobs.folder / "out")
    found = {row["line"]: row["reading"] for row in rows_of(jobs.folder / "out", "readings")}
    jobs.run({}, rows=5, name="plain", shard_rows=4)
    plain = {row["line"]: row["reading"] for row in rows_of(jobs.folder / "plain", "readings")}
    assert found == {line: plain[line] for line in (1, 3, 5)}
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.mark.usefixtures("faulty")
def test_rows_that_take_too_long_are_found_and_rejected(jobs: Jobs) -> None:
    began = time.monotonic()
    summary = jobs.run({3: f"It SLEEPS: {SECRET}."}, rows=6, row_seconds=2.0)
    assert time.monotonic() - began < 60  # it sleeps for 60 seconds each time
    assert jobs.rejects() == {4: "too_slow"}
    assert summary.read == 5
    assert "longer than 2 s" in told(jobs.folder / "out")


def test_a_worker_that_is_killed_from_outside_costs_nothing(jobs: Jobs) -> None:
    """Nobody's fault: the shard is done anew, and its bytes are the same."""
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        found = [] if killed else processes_naming(str(jobs.folder / "out" / "_temporary"))
        for pid in found[:1]:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    summary = jobs.run({}, rows=60, shard_rows=20, progress=kill)
    jobs.run({}, rows=60, name="expected", shard_rows=20)
    assert killed
    assert summary.rejected == {}
    assert content(jobs.folder / "out") == content(jobs.folder / "expected")


def test_workers_that_die_for_no_rows_fault_end_the_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PROGRAM", "import os; os._exit(7)")
    with pytest.raises(StancewireError, match=r"end \(exit code 7\) before they have loaded the models"):
        jobs.run({})
    dies = FAULTY.replace("faulty_worker(", "dying_worker(").replace("faulty_worker;", "dying_worker;")
    monkeypatch.setattr(process, "PROGRAM", dies)
    with pytest.raises(StancewireError, match=r"between lines 1 and 12, though each row passes alone"):
        jobs.run({})
    assert local.MAX_DEATHS == 3


def test_a_model_that_is_replaced_meanwhile_is_refused(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "sys.argv[3] = sys.argv[3].replace('digest\": \"', 'digest\": \"0'); main(int"
    program = process.PROGRAM.replace("main(int", other)
    monkeypatch.setattr(process, "PROGRAM", program)
    with pytest.raises(StancewireError, match="small-topics: was replaced while the job ran"):
        jobs.run({})


@pytest.mark.parametrize(("limit", "is_done"), [(3, True), (2, False), (0, False), (None, True)])
def test_exactly_at_the_reject_limit_and_one_over(jobs: Jobs, limit: int | None, is_done: bool) -> None:
    texts = dict.fromkeys((1, 4, 9), "\u200b")
    summary = jobs.run(texts, shard_rows=2, max_rejects=limit)
    assert (summary.is_done, summary.exit_code) == (is_done, 0 if is_done else 3)
    assert (jobs.folder / "out" / "_SUCCESS").exists() == is_done
    if limit is not None and not is_done:
        assert summary.n_rejected == limit + 1
        with_more = jobs.run(texts, shard_rows=2, max_rejects=3)
        assert (with_more.is_done, with_more.n_rejected, with_more.rows) == (True, 3, 12)


def test_exit_codes_and_messages_of_the_command(tmp_path: Path, batch_models: Models) -> None:
    records = [record(0), {"id": "x", "text": [SECRET]}, f'{{"text": "{SECRET}"'.encode(), record(1)]
    source = write_jsonl(tmp_path / "in.jsonl", records)
    topics, stance = batch_models
    models = ("--topics", topics, "--stance", stance)
    done = run_command(source, tmp_path / "a", *models)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("4 rows = 2 read + 2 rejected (not_an_article 1, syntax 1); 1 shard; ")
    over = run_command(source, tmp_path / "b", *models, "--max-rejects", "1")
    assert over.returncode == 3
    assert over.stderr.startswith("error: stopped: 2 rows were rejected, 1 at most may be; look at ")
    refused = run_command(tmp_path / "none.jsonl", tmp_path / "c", *models)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    wrong = run_command(source, tmp_path / "c", *models, "--workers", "none")
    assert wrong.returncode == 2
    for said in (done, over, refused, wrong):
        assert "secret" not in said.stdout + said.stderr
        assert "Traceback" not in said.stderr
    assert "secret" not in told(tmp_path / "a")


def test_a_closed_pipe_ends_quietly_with_the_work_done(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(5)])
    topics, stance = batch_models
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(  # noqa: S603 - our own program
        command(source, tmp_path / "out", "--topics", topics, "--stance", stance),
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_standard_input_is_a_job_like_any_other(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(5)])
    topics, stance = batch_models
    models = ("--topics", topics, "--stance", stance)
    text = source.read_text()
    assert run_command("-", tmp_path / "piped", *models, data=text).returncode == 0
    assert run_command(source, tmp_path / "file", *models).returncode == 0
    assert content(tmp_path / "piped") == content(tmp_path / "file")
    again = run_command("-", tmp_path / "piped", *models, data=text)
    assert "5 rows done before" in again.stdout
    other = run_command("-", tmp_path / "piped", *models, data=text + text)
    assert other.returncode == 2 and "input.sha256 was" in other.stderr


def test_the_real_process_refuses_a_second_one(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(5)])
    topics, stance = batch_models
    output = tmp_path / "out"
    first = subprocess.Popen(  # noqa: S603 - our own program
        command("-", output, "--topics", topics, "--stance", stance),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    while not (output / "_temporary" / "input.jsonl").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = run_command(source, output, "--topics", topics, "--stance", stance)
    assert (second.returncode, second.stdout) == (2, "")
    assert f"another job (process {first.pid}) is at work here" in second.stderr
    first.communicate(source.read_bytes())
    assert first.returncode == 0
    assert (output / "_SUCCESS").exists()


def test_no_thread_of_ours_stays(jobs: Jobs) -> None:
    before = threading.active_count()
    jobs.run({}, rows=3)
    assert threading.active_count() == before
