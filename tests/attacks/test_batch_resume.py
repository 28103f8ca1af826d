"""Fault 23: a job goes on only as the same job; edits, other jobs and other owners are told."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stancewire.batch import Progress, Summary, run
from stancewire.batch.lock import LOCK, only_job
from stancewire.errors import StancewireError
from tests.batch_cases import ROOT, content, here, record, write_jsonl
from tests.small_models import small_artefact

Models = tuple[Path, Path]


class Stop(Exception):
    """What a test ends a job with."""


class Jobs:
    """Jobs into one folder, in this process."""

    def __init__(self, folder: Path, models: Models) -> None:
        self.source = write_jsonl(folder / "in.jsonl", [record(n) for n in range(6)])
        self.output = folder / "out"
        self.models = models

    def run(self, **changes: Any) -> Summary:  # noqa: ANN401 - options of any type
        options: dict[str, Any] = {"topics": self.models[0], "stance": self.models[1], "shard_rows": 2}
        source = changes.pop("source", self.source)
        output = changes.pop("output", self.output)
        return run(source, output, **(options | changes))

    def stop_after(self, shards: int) -> None:
        """Do some shards only."""

        def report(progress: Progress) -> None:
            if progress.summary.shards == shards:
                raise Stop

        with pytest.raises(Stop):
            self.run(progress=report)


@pytest.fixture
def jobs(tmp_path: Path, batch_models: Models, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    local = "stancewire.batch.engines.local.run_local"
    monkeypatch.setattr(local, lambda shards, work, **_: here(shards, work))
    return Jobs(tmp_path, batch_models)


@pytest.fixture(params=["stopped", "done"])
def begun(jobs: Jobs, request: pytest.FixtureRequest) -> Iterator[Jobs]:
    """A folder in which a job was stopped, or is done."""
    if request.param == "done":
        jobs.run()
    else:
        jobs.stop_after(1)
    before = content(jobs.output)
    yield jobs
    assert content(jobs.output) == before, "a refused job changed something"


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"format": "jsonl"}, "options.format was 'parquet', is 'jsonl'"),
    "shard_rows": ({"shard_rows": 3}, "options.shard_rows was 2, is 3"),
    "targets": ({"targets": ["talks"]}, r"options.targets was none, is \['talks'\]"),
    "dedupe": ({"dedupe": True}, "options.dedupe was False, is True"),
    "row_seconds": ({"row_seconds": 9.5}, "options.row_seconds was none, is 9.5"),
    "columns": ({"columns": {"id": "key"}}, "options.columns.id was none, is 'key'"),
    "delimiter": ({"delimiter": ";"}, "options.delimiter was none, is ';'"),
    "stance": ({"stance": None}, "stance.digest was [0-9a-f]{12}, is none"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_another_option_is_refused(begun: Jobs, name: str) -> None:
    change, message = OPTIONS[name]
    with pytest.raises(
        StancewireError, match=rf"out: holds another job: .*{message}.*; choose another folder"
    ):
        begun.run(**change)


def test_every_option_of_the_results_is_in_the_fingerprint(jobs: Jobs) -> None:
    jobs.run()
    found = json.loads((jobs.output / "job.json").read_bytes())["fingerprint"]
    assert set(found) == {"stancewire", "topics", "stance", "input", "options"}
    assert set(found["options"]) == {
        *("targets", "runtime", "variant", "format", "shard_rows", "dedupe", "row_seconds", "delimiter"),
        "columns",
    }


def test_what_does_not_change_results_may_change(jobs: Jobs) -> None:
    jobs.stop_after(1)
    summary = jobs.run(workers=3, threads=1, max_rejects=5)
    assert (summary.is_done, summary.resumed, summary.rows) == (True, 2, 6)
    jobs.run(output=jobs.output.with_name("expected"))
    assert content(jobs.output) == content(jobs.output.with_name("expected"))


@pytest.mark.parametrize("change", ["grown", "edited", "cut", "renamed"])
def test_another_input_is_refused(begun: Jobs, change: str) -> None:
    lines = begun.source.read_bytes().splitlines(keepends=True)
    if change == "renamed":
        source = begun.source.with_suffix(".ndjson")
        begun.source.rename(source)
        begun.run(source=source) if (begun.output / "_SUCCESS").exists() else None
        return
    changed = {"grown": [*lines, lines[0]], "edited": [lines[1], *lines[1:]], "cut": lines[:-1]}[change]
    begun.source.write_bytes(b"".join(changed))
    with pytest.raises(StancewireError, match=r"input\.sha256 was [0-9a-f]{12}, is [0-9a-f]{12}"):
        begun.run()


def test_another_model_is_refused(begun: Jobs, tmp_path: Path) -> None:
    other = small_artefact(tmp_path / "other", "topics", name="other-topics").path
    with pytest.raises(
        StancewireError, match=r"topics\.digest was .*; topics\.name was 'small-topics', is 'oth"
    ):
        begun.run(topics=other)


def test_another_version_is_refused(begun: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.__version__", "9.9")
    with pytest.raises(StancewireError, match=r"stancewire was '.*', is '9\.9'"):
        begun.run()


@pytest.mark.parametrize("table", ["readings", "topics", "stances", "rejects"])
@pytest.mark.parametrize("change", ["edited", "cut", "removed"])
def test_an_edited_shard_is_found(jobs: Jobs, table: str, change: str) -> None:
    jobs.run()
    path = jobs.output / table / "part-00001.parquet"
    data = path.read_bytes()
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if change == "cut" else data[:9] + bytes([data[9] ^ 1]) + data[10:])
    with pytest.raises(StancewireError, match=rf"{table}/part-00001\.parquet: (was edited|cannot be read)"):
        jobs.run()
    path.write_bytes(data)
    assert jobs.run().is_done


def test_an_edited_shard_of_a_stopped_job_is_found(jobs: Jobs) -> None:
    jobs.stop_after(2)
    path = jobs.output / "topics" / "part-00000.parquet"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(StancewireError, match=r"topics/part-00000\.parquet: was edited"):
        jobs.run()


@pytest.mark.parametrize("name", ["job.json", "_shards/00000.json"])
@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"format": "other"}'])
def test_edited_records_are_refused(jobs: Jobs, name: str, data: bytes) -> None:
    jobs.stop_after(1)
    (jobs.output / name).write_bytes(data)
    with pytest.raises(StancewireError, match=r"was edited|expected the manifest|another job"):
        jobs.run()


def test_a_newer_manifest_is_refused(jobs: Jobs) -> None:
    jobs.run()
    path = jobs.output / "job.json"
    path.write_bytes(path.read_bytes().replace(b'"format_version": 2', b'"format_version": 3'))
    with pytest.raises(StancewireError, match="written by another version"):
        jobs.run()


def test_what_a_killed_job_left_is_removed_first(jobs: Jobs) -> None:
    jobs.stop_after(1)
    left = jobs.output / "_temporary"
    left.mkdir()
    for name in ("readings-00001-abc", "input.jsonl", "job.json"):
        (left / name).write_bytes(b"half of it")

    def report(progress: Progress) -> None:
        assert not (left / "readings-00001-abc").exists()
        assert not (left / "input.jsonl").exists()

    assert jobs.run(progress=report).is_done
    assert {path.name for path in jobs.output.iterdir()} == {
        *("readings", "topics", "stances", "rejects"),
        *("job.json", "_SUCCESS"),
    }


def test_a_folder_of_other_things_is_refused(jobs: Jobs) -> None:
    jobs.output.mkdir()
    (jobs.output / "thesis.doc").write_text("mine")
    with pytest.raises(StancewireError, match=r"expected an empty folder, found 'thesis\.doc'"):
        jobs.run()
    assert content(jobs.output).keys() == {"thesis.doc"}


def test_a_job_without_its_manifest_is_refused(jobs: Jobs) -> None:
    jobs.run()
    (jobs.output / "job.json").unlink()
    with pytest.raises(StancewireError, match=r"holds '_SUCCESS', .* without job\.json"):
        jobs.run()


def test_a_stranger_among_the_shards_is_told(jobs: Jobs) -> None:
    jobs.stop_after(1)
    (jobs.output / "topics" / "part-99999.parquet").write_bytes(b"x")
    with pytest.raises(StancewireError, match=r"topics: holds what no job wrote: 'part-99999\.parquet'"):
        jobs.run()
    assert not (jobs.output / "_SUCCESS").exists()


def test_an_output_inside_the_input_is_refused(jobs: Jobs, tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / "sub" / "out"):
        with pytest.raises(StancewireError, match="lies inside the input"):
            jobs.run(source=tmp_path, output=output)
    assert not (tmp_path / "sub").exists()


def test_what_is_refused_at_once_leaves_no_folder(jobs: Jobs, tmp_path: Path) -> None:
    for change in ({"source": tmp_path / "none.jsonl"}, {"topics": tmp_path / "none"}, {"workers": 0}):
        with pytest.raises(StancewireError):
            jobs.run(**change)
        assert not jobs.output.exists()


def test_a_second_job_is_refused_at_once(jobs: Jobs) -> None:
    def second(progress: Progress) -> None:
        with pytest.raises(StancewireError, match=rf"another job \(process {os.getpid()}\) is at work here"):
            jobs.run()

    assert jobs.run(progress=second).is_done


def test_the_lock_of_a_dead_owner_is_taken_over(tmp_path: Path, jobs: Jobs) -> None:
    code = (
        "import os, sys; from pathlib import Path; from stancewire.batch.lock import only_job\n"
        "with only_job(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    jobs.output.mkdir()
    done = subprocess.run([sys.executable, "-c", code, str(jobs.output)], cwd=ROOT)  # noqa: S603 - our own
    assert done.returncode == -9
    assert (jobs.output / LOCK).exists()
    assert jobs.run().is_done
    assert not (jobs.output / LOCK).exists()


def test_a_lock_that_its_owner_just_removed_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening the lock and locking it, its owner may end: the name is nobody's then."""
    flock = fcntl.flock
    taken: list[int] = []

    def late(lock: int, how: int) -> None:
        if not taken:
            taken.append(lock)
            (tmp_path / LOCK).unlink()
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with only_job(tmp_path):
        assert (tmp_path / LOCK).read_text() == str(os.getpid())
        with pytest.raises(StancewireError, match="another job"), only_job(tmp_path):
            pass
    assert taken
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path, jobs: Jobs) -> None:
    jobs.output.mkdir()
    (tmp_path / "precious").write_text("mine")
    (jobs.output / LOCK).symlink_to(tmp_path / "precious")
    with pytest.raises(StancewireError, match="cannot be written"):
        jobs.run()
    assert (tmp_path / "precious").read_text() == "mine"
