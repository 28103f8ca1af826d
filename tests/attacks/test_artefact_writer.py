"""Fault 22 for artefacts: the writer is killed, refused or rivalled at every step; the old one survives."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from stancewire import atomic
from stancewire.artefact import read_artefact, write_artefact
from stancewire.errors import ArtefactError
from tests.tiny import MANIFEST, WEIGHTS, staged, tiny_manifest, write_tiny

if TYPE_CHECKING:
    from _typeshed import TraceFunction

WRITER = Path(atomic.__file__).name  # nothing else touches the disk


def never_exchange(_a: Path, _b: Path) -> bool:
    """As on a file system that cannot."""
    return False


EXCHANGES = {"exchange": atomic._exchange, "renames": never_exchange}


@pytest.fixture(params=EXCHANGES)
def exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to put a folder in place."""
    monkeypatch.setattr(atomic, "_exchange", EXCHANGES[request.param])
    return str(request.param)


def in_child(work: Callable[[], object]) -> int:
    """Run in a forked process; return its exit status, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # whatever it is, the parent's test run must not go on in the child
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at_line(number: int, work: Callable[[], object]) -> Callable[[], None]:
    """Kill the process just before the writer's so-manieth line of code."""
    left = number

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        nonlocal left
        if Path(frame.f_code.co_filename).name != WRITER:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    def run() -> None:
        sys.settrace(trace)
        work()

    return run


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the waits for the disk: what a killed process wrote outlives it in any case."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("fast_disk")
def test_killed_before_every_line_while_replacing(tmp_path: Path, exchange: str) -> None:
    target, staging = tmp_path / "a", staged(tmp_path / "staging", 2.0)
    old = write_tiny(target, 1.0).digest
    new = write_tiny(tmp_path / "b", 2.0).digest
    kept_old = kept_new = away = 0
    for line in range(1000):
        status = in_child(killed_at_line(line, lambda: write_artefact(target, tiny_manifest(), staging)))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        if target.exists():
            digest = read_artefact(target).digest
            kept_old += digest == old
            kept_new += digest == new
            assert digest in (old, new)
        else:
            away += 1
            with pytest.raises(ArtefactError, match="killed while replacing it; rename"):
                read_artefact(target)
        assert write_tiny(target, 1.0).digest == old
        assert not hidden(tmp_path)
    assert kept_old > 30
    assert kept_new > 3
    # In one step there is no instant without an artefact; by renames there is, and it is recovered.
    assert (away == 0) is (exchange == "exchange")


def test_what_a_killed_writer_moved_away_is_put_back_when_the_next_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = write_tiny(tmp_path / "a").digest
    (tmp_path / "a").rename(tmp_path / ".a.stancewire-old")
    with pytest.raises(ArtefactError, match="missing"):
        write_artefact(tmp_path / "a", tiny_manifest(), tmp_path / "missing")
    assert read_artefact(tmp_path / "a").digest == digest
    assert not hidden(tmp_path)


@pytest.mark.usefixtures("fast_disk")
def test_killed_before_every_line_while_writing_the_first(tmp_path: Path) -> None:
    staging = staged(tmp_path / "staging")
    died = 0
    for line in range(1000):
        target = tmp_path / f"out{line}" / "a"
        work = partial(write_artefact, target, tiny_manifest(), staging)
        if in_child(killed_at_line(line, work)) == 0:
            break
        died += 1
        assert not target.exists() or read_artefact(target)
    assert died > 20


CALLS = {
    "fsync": (os, "fsync"),
    "mkdir": (os, "mkdir"),
    "rename": (os, "rename"),
    "open": (os, "open"),
    "stat": (os, "stat"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_every_call_refused_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: str, call: str, code: int
) -> None:
    target, staging = tmp_path / "a", staged(tmp_path / "staging", 2.0)
    old = write_tiny(target, 1.0).digest
    module, name = CALLS[call]
    real = getattr(module, name)
    fired = 0
    for nth in range(200):
        left = nth

        def failing(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == -1:
                raise OSError(code, os.strerror(code))
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(module, name, failing)
            try:
                write_artefact(target, tiny_manifest(), staging)
            except ArtefactError as error:
                fired += 1
                assert str(target) in str(error) or str(staging) in str(error)
                assert os.strerror(code) in str(error)
                assert read_artefact(target).digest == old
                assert not hidden(tmp_path)
                continue
        if left >= 0:
            break
        # Refused where nothing depends on it, as in the clean-up: written all the same.
        assert read_artefact(target).digest != old
        assert write_tiny(target, 1.0).digest == old
    assert fired or (call == "rename" and exchange == "exchange")
    assert read_artefact(target).digest != old


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    target, staging = tmp_path / "a", staged(tmp_path / "staging")
    (staging / "more.bin").write_bytes(bytes(50_000))
    old = write_tiny(target, 2.0).digest
    report = tmp_path / "report"

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            write_artefact(target, tiny_manifest(), staging)
        except ArtefactError as error:
            report.write_text(str(error))

    assert in_child(write) == 0
    assert f"(errno {errno.EFBIG})" in report.read_text()
    assert str(target) in report.read_text()
    assert read_artefact(target).digest == old
    assert not hidden(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    staging = staged(tmp_path / "staging")
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(ArtefactError, match=rf"errno {errno.EACCES}"):
        write_artefact(tmp_path / "closed" / "a", tiny_manifest(), staging)


def test_a_file_system_that_takes_no_folders(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"/proc/stancewire.*errno"):
        write_artefact("/proc/stancewire/a", tiny_manifest(), staged(tmp_path / "staging"))


def test_everything_is_on_disk_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny(tmp_path / "a")
    events: list[str] = []
    sync, exchange = os.fsync, atomic._exchange

    def syncing(descriptor: int) -> None:
        events.append(Path(f"/proc/self/fd/{descriptor}").resolve().name.partition("-new-")[0])
        sync(descriptor)

    def exchanging(a: Path, b: Path) -> bool:
        events.append("exchange")
        return exchange(a, b)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(atomic, "_exchange", exchanging)
    write_tiny(tmp_path / "a", 2.0)
    assert events == [WEIGHTS, MANIFEST, ".a.stancewire", "exchange", tmp_path.name]


def test_names_change_only_under_the_writers_lock(tmp_path: Path, exchange: str) -> None:
    asked = []

    def is_locked(destination: Path) -> None:
        folder = os.open(destination.parent, os.O_RDONLY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(folder)
        asked.append(exchange)

    with atomic.new_folder(tmp_path / "a", is_locked):
        folder = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free while the folder is filled
        os.close(folder)
    assert len(asked) == 2


def test_folders_that_cannot_be_forced_to_disk_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = os.fsync, []

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            refused.append(descriptor)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    assert write_tiny(tmp_path / "a").digest == read_artefact(tmp_path / "a").digest
    assert len(refused) == 2


def test_an_interrupt_leaves_the_old_one_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = write_tiny(tmp_path / "a", 1.0).digest

    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_tiny(tmp_path / "a", 2.0)
    assert read_artefact(tmp_path / "a").digest == old
    assert not hidden(tmp_path)


def test_a_living_writers_work_is_let_alone_and_a_dead_ones_removed(tmp_path: Path) -> None:
    staging = staged(tmp_path / "staging")
    (tmp_path / ".a.stancewire-new-dead").mkdir()
    (tmp_path / ".a.stancewire-new-dead" / "half").write_bytes(b"x")
    (tmp_path / ".b.stancewire-new-other").mkdir()
    with atomic.new_folder(tmp_path / "a", lambda _: None) as living:
        write_artefact(tmp_path / "a", tiny_manifest(), staging)
        assert living.is_dir()
        (living / "file").write_bytes(b"second")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]
    assert [path.name for path in hidden(tmp_path)] == [".b.stancewire-new-other"]


def test_names_with_the_signs_of_patterns(tmp_path: Path) -> None:
    name = "a[b]*?"
    (tmp_path / f".{name}.stancewire-new-dead").mkdir()
    (tmp_path / ".ab.stancewire-new-other").mkdir()
    assert write_tiny(tmp_path / name).digest == read_artefact(tmp_path / name).digest
    assert [path.name for path in hidden(tmp_path)] == [".ab.stancewire-new-other"]


def test_a_reader_sees_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "a"
    stagings = [staged(tmp_path / "one", 1.0), staged(tmp_path / "two", 2.0)]
    digests = {write_artefact(target, tiny_manifest(), staging).digest for staging in stagings}
    stop = tmp_path / "stop"

    def replace_without_end() -> None:
        turn = 0
        while not stop.exists():
            write_artefact(target, tiny_manifest(), stagings[turn % 2])
            turn += 1

    child = os.fork()
    if child == 0:
        status = in_child(replace_without_end)
        os._exit(status)
    try:
        seen = [read_artefact(target).digest for _ in range(1500)]
    finally:
        stop.touch()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0
    assert set(seen) == digests
    assert sum(a != b for a, b in pairwise(seen)) > 5


def test_two_writers_of_one_artefact(tmp_path: Path, exchange: str) -> None:
    target = tmp_path / "a"
    stagings = [staged(tmp_path / "one", 1.0), staged(tmp_path / "two", 2.0)]
    digests = {write_artefact(target, tiny_manifest(), staging).digest for staging in stagings}

    def write_often(staging: Path) -> None:
        for _ in range(30):
            write_artefact(target, tiny_manifest(), staging)

    def both() -> None:
        first = os.fork()
        if first == 0:
            os._exit(in_child(lambda: write_often(stagings[0])))
        write_often(stagings[1])
        os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))

    assert in_child(both) == 0
    assert read_artefact(target).digest in digests
    assert not hidden(tmp_path)
