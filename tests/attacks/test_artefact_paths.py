"""Faults 5 and 6: names that lead out, files that are none, and figures that are bombs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
from stancewire.manifest import MAX_BYTES, MAX_MANIFEST_BYTES
from stancewire.tensors import MAX_HEADER_BYTES
from tests.tiny import MANIFEST, WEIGHTS, content_of, forge_manifest, forge_weights, write_tiny

ROOT = Path(__file__).resolve().parents[2]
GIGABYTE = 2**30

NAMES = [
    "../outside",
    "../../etc/passwd",
    "/etc/passwd",
    "sub/file",
    "sub\\file",
    "C:\\x",
    "c:x",
    "//host/share",
    "file:///etc/passwd",
    "~/x",
    "$HOME",
    "a\0b",
    "a\nb",
    "a b",
    "\u202egpj.exe",
    "ﬁle",
    ".",
    "..",
    "...",
    ".hidden",
    "",
    "Weights.safetensors",
    "manifest.json",
    "x" * 101,
]


@contextmanager
def within_a_second() -> Iterator[None]:
    """Fail, rather than hang, what does not end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("hung for a second")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name that is opened from here on."""
    names: list[str] = []
    real = os.open

    def recording(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        names.append(os.fspath(path))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", recording)
    return names


def refused(folder: Path) -> str:
    with within_a_second(), pytest.raises(ArtefactError) as caught:
        read_artefact(folder)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused_without_opening(
    tmp_path: Path, opened: list[str], name: str
) -> None:
    write_tiny(tmp_path / "a")
    (tmp_path / "outside").write_bytes((tmp_path / "a" / WEIGHTS).read_bytes())
    content = content_of(tmp_path / "a")
    content["files"][name] = content["files"].pop(WEIGHTS)
    forge_manifest(tmp_path / "a", content)
    opened.clear()
    message = refused(tmp_path / "a")
    assert "flat names" in message
    assert message.isprintable()
    assert opened == [str(tmp_path / "a"), MANIFEST]


def make_link(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to("../elsewhere")


def make_dangling_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def make_device_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def make_hard_link(file: Path) -> None:
    (file.parent.parent / "elsewhere").hardlink_to(file)


def make_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_socket(file: Path) -> None:
    file.unlink()
    here = Path.cwd()
    os.chdir(file.parent)  # a socket's path may only be short
    try:
        socket.socket(socket.AF_UNIX).bind(file.name)
    finally:
        os.chdir(here)


KINDS = {
    "a symbolic link": make_link,
    "symbolic link": make_dangling_link,
    "symbolic": make_device_link,
    "hard link": make_hard_link,
    "a FIFO": make_fifo,
    "a folder": make_folder,
    "a socket": make_socket,
}


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_no_plain_file_is_refused_without_opening(
    tmp_path: Path, opened: list[str], kind: str, name: str
) -> None:
    write_tiny(tmp_path / "a")
    assert read_artefact(tmp_path / "a")
    KINDS[kind](tmp_path / "a" / name)
    opened.clear()
    message = refused(tmp_path / "a")
    assert kind in message
    assert str(tmp_path / "a" / name) in message
    assert name not in opened


@pytest.mark.parametrize(("make", "kind"), [(make_fifo, "FIFO"), (make_link, "No such file|loop|symbolic")])
def test_a_file_swapped_between_look_and_open_is_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], kind: str
) -> None:
    write_tiny(tmp_path / "a")
    real, swapped = os.open, []

    def swapping(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == WEIGHTS:
            make(tmp_path / "a" / WEIGHTS)
            swapped.append(path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapping)
    with within_a_second(), pytest.raises(ArtefactError, match=rf"{WEIGHTS}.*({kind})"):
        read_artefact(tmp_path / "a")
    assert swapped


def test_a_file_that_grows_while_it_is_read_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny(tmp_path / "a")
    real, grown = os.fdopen, []

    def growing(descriptor: int, mode: str) -> object:
        file = real(descriptor, mode)
        if os.fstat(descriptor).st_size == (tmp_path / "a" / WEIGHTS).stat().st_size:
            found = os.fstat(descriptor)
            with (tmp_path / "a" / WEIGHTS).open("ab") as more:
                more.write(b"more")
            monkeypatch.setattr(os, "fstat", lambda _: found)
            grown.append(descriptor)
        return file

    monkeypatch.setattr(os, "fdopen", growing)
    with pytest.raises(ArtefactError, match="changed while it was read"):
        read_artefact(tmp_path / "a")
    assert grown


@pytest.mark.parametrize("length", [200, 238, 255, 256, 5000])
def test_a_name_of_any_length_is_one_error(tmp_path: Path, length: int) -> None:
    """The name under which a killed writer leaves a folder is longer still."""
    message = refused(tmp_path / ("a" * length))
    assert "expected a stancewire artefact" in message


READ_UNDER_A_GIGABYTE = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({GIGABYTE}, {GIGABYTE}))
from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
def peak():
    # Not ru_maxrss, which starts at what the parent process held.
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
before = peak()
try:
    read_artefact(sys.argv[1])
except ArtefactError as error:
    print(error)
    print(peak() - before)
"""


def bombed(folder: Path) -> tuple[str, int]:
    """Read in a process that may hold one gigabyte: the error's text, and the kilobytes that it took."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", READ_UNDER_A_GIGABYTE, str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    message, kilobytes = done.stdout.splitlines()
    return message, int(kilobytes)


def sparse(file: Path, size: int) -> None:
    """Make a file of zeros that takes no room."""
    with file.open("r+b") as handle:
        handle.truncate(size)


def test_a_header_that_claims_200_megabytes(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    forge_weights(tmp_path / "a", (200_000_000).to_bytes(8, "little") + b"{" + bytes(100))
    message, kilobytes = bombed(tmp_path / "a")
    assert "200,000,000" in message
    assert kilobytes < 20_000


def test_a_header_that_holds_200_megabytes(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    forge_weights(tmp_path / "a", (200_000_000).to_bytes(8, "little") + b"{" + b" " * 200_000_000)
    message, kilobytes = bombed(tmp_path / "a")
    assert f"at most {MAX_HEADER_BYTES:,}" in message
    assert kilobytes < 250_000  # the file itself, whose digest is right, and no more


def test_ten_gigabytes_that_take_no_room(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    sparse(tmp_path / "a" / WEIGHTS, 10 * GIGABYTE)
    assert (tmp_path / "a" / WEIGHTS).stat().st_size == 10 * GIGABYTE
    message, kilobytes = bombed(tmp_path / "a")
    assert f"found {10 * GIGABYTE:,}" in message
    assert kilobytes < 20_000
    content = content_of(tmp_path / "a")
    content["files"][WEIGHTS]["bytes"] = 10 * GIGABYTE
    forge_manifest(tmp_path / "a", content)
    message, kilobytes = bombed(tmp_path / "a")
    assert f"{MAX_BYTES:,}" in message
    assert kilobytes < 20_000


def test_more_than_fits_into_memory_but_under_the_cap(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    sparse(tmp_path / "a" / WEIGHTS, 2 * GIGABYTE)
    content = content_of(tmp_path / "a")
    content["files"][WEIGHTS]["bytes"] = 2 * GIGABYTE
    forge_manifest(tmp_path / "a", content)
    message, kilobytes = bombed(tmp_path / "a")
    assert "does not fit into memory" in message
    assert kilobytes < 20_000


def test_a_sparse_manifest(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    sparse(tmp_path / "a" / MANIFEST, 10 * GIGABYTE)
    message, kilobytes = bombed(tmp_path / "a")
    assert f"at most {MAX_MANIFEST_BYTES:,}" in message
    assert kilobytes < 20_000


MILLION_KEYS = b"{" + b",".join(b'"k%d":0' % n for n in range(1_000_000)) + b"}"
MANIFESTS = {
    "million keys": (MILLION_KEYS, f"at most {MAX_MANIFEST_BYTES:,}"),
    "as many keys as fit": (MILLION_KEYS[:3_999_990].rpartition(b",")[0] + b"}", '"format"'),
    "as many lists as fit": (b"[" + b"[]," * 1_300_000 + b"[]]", '"format"'),
    "deep": (b"[" * 2_000_000 + b"]" * 1_999_999, "nested deeper"),
    "deep objects": (b'{"a":' * 700_000, "nested deeper"),
    "a long number": (b"9" * 3_999_999, "64 bits"),
    "a long float": (b"1." + b"9" * 3_999_000, '"format"'),
}


@pytest.mark.parametrize("bomb", MANIFESTS)
def test_a_manifest_that_is_a_bomb(tmp_path: Path, bomb: str) -> None:
    write_tiny(tmp_path / "a")
    data, expected = MANIFESTS[bomb]
    (tmp_path / "a" / MANIFEST).write_bytes(data)
    message, kilobytes = bombed(tmp_path / "a")
    assert expected in message
    assert len(message) < 700
    assert kilobytes < 250_000


def test_a_well_signed_manifest_of_many_unknown_keys_gets_a_short_answer(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    forge_manifest(tmp_path / "a", content_of(tmp_path / "a") | {f"key{n}": n for n in range(100_000)})
    message, kilobytes = bombed(tmp_path / "a")
    assert "99,992 more" in message
    assert len(message) < 900
    assert kilobytes < 100_000
