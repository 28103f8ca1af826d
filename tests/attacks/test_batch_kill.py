"""Fault 21: a job that is killed anywhere shows no partial file, and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from stancewire.batch import Summary, run
from stancewire.batch.columns import TABLES
from tests.batch_cases import (
    ROOT,
    command,
    content,
    here,
    killed_at,
    record,
    rows_of,
    run_command,
    write_jsonl,
)

RECORDS = [record(n) if n % 3 else {"id": f"a{n}"} for n in range(7)]

Models = tuple[Path, Path]
Job = Callable[[Path], Summary]


@pytest.fixture
def job(tmp_path: Path, batch_models: Models, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job of two shards into a folder, in this process."""
    monkeypatch.setattr(
        "stancewire.batch.engines.local.run_local", lambda shards, work, **_: here(shards, work)
    )
    source = write_jsonl(tmp_path / "in.jsonl", RECORDS)
    topics, stance = batch_models
    return lambda output: run(source, output, topics=topics, stance=stance, shard_rows=4, format="jsonl")


HEARS_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


def visible(folder: Path) -> dict[str, str]:
    """The files that a reader of the tables sees."""
    return {name: digest for name, digest in content(folder).items() if name.split("/")[0] in TABLES}


def test_killed_before_every_step_on_the_disk(tmp_path: Path, job: Job) -> None:
    expected_folder = tmp_path / "expected"
    assert job(expected_folder).is_done
    expected = content(expected_folder)
    steps = 0
    while killed_at(steps, partial(job, tmp_path / f"out{steps}")):
        output = tmp_path / f"out{steps}"
        assert visible(output).items() <= expected.items(), f"a partial file after step {steps}"
        if (output / "_SUCCESS").exists():
            assert expected.items() <= content(output).items()
        summary = job(output)
        assert content(output) == expected, f"other bytes after step {steps}"
        assert (summary.rows, summary.read, summary.n_rejected) == (7, 4, 3)
        steps += 1
    assert steps > 30  # two shards of four files, each forced to disk and renamed
    assert content(tmp_path / f"out{steps}") == expected


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again(tmp_path: Path, job: Job, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    expected, output = tmp_path / "expected", tmp_path / "out"
    job(expected)
    kills = sum(killed_at(chance.randrange(30), partial(job, output)) for _ in range(10))
    job(output)
    assert kills > 2
    assert content(output) == content(expected)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def workers_of(output: Path) -> list[str]:
    """The processes that work into a folder, but for the one that was asked to."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if str(output / "_temporary").encode() in line:
            found.append(path.parent.name)
    return found


def has_come_to(process: subprocess.Popen[bytes], output: Path, shards: int) -> bool:
    """Tell whether a job has workers, and so many shards in place; or has ended."""
    done = len(list((output / "_shards").glob("*")))
    return process.poll() is not None or (done >= shards and len(workers_of(output)) > 0)


def test_the_real_process_killed_while_its_workers_work(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(400)])
    topics, stance = batch_models
    options = ("--topics", topics, "--stance", stance, "--shard-rows", "25")
    expected, output = tmp_path / "expected", tmp_path / "out"
    assert run_command(source, expected, *options).returncode == 0
    kills = 0
    for shards in (0, 1, 5):
        process = subprocess.Popen(  # noqa: S603 - our own program
            command(source, output, *options, "--workers", "2"), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        wait_for(partial(has_come_to, process, output, shards))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        wait_for(lambda: not workers_of(output), 10)
        assert visible(output).items() <= content(expected).items()
    assert kills == 3
    done = run_command(source, output, *options)
    assert done.returncode == 0
    assert "rows done before" in done.stdout
    assert content(output) == content(expected)
    assert [row["line"] for row in rows_of(output, "readings")] == list(range(1, 401))


def test_interrupted_it_ends_with_130_and_goes_on(tmp_path: Path, batch_models: Models) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(3000)])
    topics, stance = batch_models
    options = ("--topics", topics, "--stance", stance, "--shard-rows", "20")
    output = tmp_path / "out"
    process = subprocess.Popen(  # noqa: S603 - our own program
        # A process that runs in the background hands on to its children that SIGINT is ignored.
        command(source, output, *options, prepare=HEARS_SIGINT),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: len(list((output / "_shards").glob("*"))) > 0)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, b"")
    assert not (output / "_SUCCESS").exists()
    assert not (output / ".lock").exists()
    assert not (output / "_temporary").exists()
    assert workers_of(output) == []
