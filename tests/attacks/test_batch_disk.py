"""Fault 22: a full or refusing disk ends a batch job with the path and the errno; what is done stays."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stancewire.batch import Summary, run
from stancewire.errors import StancewireError
from tests.batch_cases import STEPS, at_step, content, here, record, run_command, write_jsonl

Models = tuple[Path, Path]
Job = Callable[[Path], Summary]


@pytest.fixture
def job(tmp_path: Path, batch_models: Models, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job of two shards into a folder, in this process."""
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(4)])
    topics, stance = batch_models
    return lambda output: run(source, output, topics=topics, stance=stance, shard_rows=2, format="jsonl")


def test_a_disk_that_refuses_at_any_step(tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    code = errno.ENOSPC
    job(tmp_path / "expected")
    expected = content(tmp_path / "expected")
    fired = steps = 0
    while True:
        output = tmp_path / f"out{steps}"
        hits: list[int] = []

        def refuse(hits: list[int] = hits) -> None:
            hits.append(1)
            raise OSError(code, os.strerror(code), "/the/disk")

        with monkeypatch.context() as patch:
            for name, do in at_step(steps, refuse).items():
                patch.setattr(os, name, do)
            try:
                job(output)
            except StancewireError as error:
                assert str(error).startswith(
                    f"/the/disk: cannot be written: {os.strerror(code)} (errno {code});"
                )
                fired += 1
        if not hits:
            break
        assert job(output).is_done
        assert content(output) == expected, f"other bytes after step {steps}"
        steps += 1
    assert fired > 20  # the rest is clean-up, which may fail in silence


def test_what_is_renamed_is_on_disk_and_so_is_its_name(
    tmp_path: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut keeps what was forced to disk: the file before its name, the names before the record."""
    done: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def syncing(descriptor: int) -> None:
        done.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def replacing(source: Path, target: Path) -> None:
        assert ("sync", str(source)) in done, f"{source.name} was not forced to disk"
        done.append(("name", str(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", replacing)
    output = tmp_path / "out"
    job(output)
    names = [(n, Path(path)) for n, (what, path) in enumerate(done) if what == "name"]
    assert [str(path.relative_to(output)) for _, path in names] == [
        "job.json",
        *(f"{table}/part-00000.jsonl" for table in ("rejects", "stances", "topics", "readings")),
        "_shards/00000.json",
        *(f"{table}/part-00001.jsonl" for table in ("rejects", "stances", "topics", "readings")),
        "_shards/00001.json",
        "job.json",
        "_SUCCESS",
    ]
    for position, path in names:
        assert done[position + 1] == ("sync", str(path.parent)), f"the name of {path.name} may be lost"


@pytest.mark.parametrize("most", [0, 400, 3000])
def test_the_real_process_on_a_full_disk(tmp_path: Path, batch_models: Models, most: int) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(60)])
    topics, stance = batch_models
    options = ("--topics", topics, "--stance", stance, "--shard-rows", "20")
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    full = run_command(source, tmp_path / "out", *options, prepare=limit)
    assert full.returncode == 2
    assert full.stderr.count("\n") == 1
    assert f"(errno {errno.EFBIG})" in full.stderr and str(tmp_path / "out") in full.stderr
    assert full.stdout == ""
    assert run_command(source, tmp_path / "out", *options).returncode == 0
    assert run_command(source, tmp_path / "expected", *options).returncode == 0
    assert content(tmp_path / "out") == content(tmp_path / "expected")


def test_a_folder_that_cannot_be_made(tmp_path: Path, job: Job) -> None:
    with pytest.raises(StancewireError, match=r"/proc/none.*: cannot be written: .* \(errno 2\)"):
        job(Path("/proc/none/out"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StancewireError, match="expected a folder to write to, found a file"):
        job(tmp_path / "file")
    with pytest.raises(StancewireError, match=r"\(errno 20\)"):
        job(tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path, job: Job) -> None:
    output = tmp_path / "out"
    output.mkdir(mode=0o555)
    with pytest.raises(StancewireError, match=rf"out.*: cannot be written: .* \(errno {errno.EACCES}\)"):
        job(output)


def test_the_steps_are_those_of_the_disk() -> None:
    assert all(callable(getattr(os, name)) for name in STEPS)
