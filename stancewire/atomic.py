"""Put a whole folder in place at once: whoever looks sees the old one or the new one, never a half.

The new folder is built beside its destination, forced to disk, and exchanged with it in one step of the
kernel (renameat2 on Linux). Where a file system cannot exchange, renames do it; a writer killed between them
leaves the old folder whole under a hidden name, and the next writer puts it back.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def new_folder(destination: Path, may_replace: Callable[[Path], None]) -> Iterator[Path]:
    """Yield an empty folder that becomes `destination` when the block ends, replacing what was there.

    If the block or any later step raises, the destination is as before. The block forces its files to disk
    (`write_file` does); the folders are forced here.

    Args:
        destination: the folder's name to be; its parents are made.
        may_replace: raises if what stands at the destination must stay; asked first and last, while no other
            writer can change it.

    Raises:
        OSError: from the file system; and whatever `may_replace` raises.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    building = destination.with_name(f"{_prefix(destination)}-new-{secrets.token_hex(6)}")
    with contextlib.ExitStack() as clean_up:
        # At the end this name holds a failed build, or the folder that was replaced.
        clean_up.callback(shutil.rmtree, building, ignore_errors=True)
        with _only_writer(destination.parent):
            _recover(destination)
            may_replace(destination)
            building.mkdir()
            lock = os.open(building, _FOLDER)
            clean_up.callback(os.close, lock)
            _lock(lock)
        yield building
        _sync(lock)
        with _only_writer(destination.parent) as parent:
            may_replace(destination)
            _put_in_place(building, destination, parent)


def write_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file and force it to disk.

    Raises:
        OSError: from the file system, with the path; also if the file exists.
    """
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not name it
        raise


def replace_file(path: Path, chunks: Iterable[bytes], *, half: str = "half") -> None:
    """Put a file in the place of the former one, if there is one; when that fails, the former one stands.

    Args:
        path: of the file.
        chunks: of its content.
        half: last part of the name that it has meanwhile; processes that write one file each need their own.

    Raises:
        OSError: from the file system.
    """
    building = path.with_name(f"{path.name}.{half}")
    try:
        building.unlink(missing_ok=True)
        write_file(building, chunks)
        building.replace(path)
    except OSError:
        with suppress(OSError):
            building.unlink()
        raise


def sync_folder(path: Path) -> None:
    """Force the names in a folder to disk.

    Raises:
        OSError: from the file system.
    """
    folder = os.open(path, _FOLDER)
    try:
        _sync(folder)
    finally:
        os.close(folder)


def interrupted(destination: Path) -> Path | None:
    """Return where a writer that was killed between two renames left the former folder, if it did."""
    kept = _kept(destination)
    try:
        return kept if kept.is_dir() and not os.path.lexists(destination) else None
    except OSError:  # its name is too long
        return None


def _put_in_place(building: Path, destination: Path, parent: int) -> None:
    """Swap the two names, or undo it: after an error the destination is the former folder."""
    replaces = os.path.lexists(destination)
    if not replaces:
        building.rename(destination)
    elif not _exchange(building, destination):
        _swap_by_renames(building, destination)
    try:
        _sync(parent)
    except OSError:
        if not replaces:
            destination.rename(building)
        elif not _exchange(building, destination):
            _swap_by_renames(building, destination)
        raise


def _swap_by_renames(building: Path, destination: Path) -> None:
    kept = _kept(destination)
    destination.rename(kept)
    try:
        building.rename(destination)
    except OSError:
        kept.rename(destination)
        raise
    # The new folder stands. If this fails too, the next writer removes the former one.
    with contextlib.suppress(OSError):
        kept.rename(building)


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # only writers pay for it

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and (
        rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0
    )


@contextmanager
def _only_writer(parent: Path) -> Iterator[int]:
    """Wait until no other writer is busy with the names in this folder; yield its descriptor."""
    folder = os.open(parent, _FOLDER)
    try:
        _lock(folder, wait=True)
        yield folder
    finally:
        os.close(folder)


def _lock(folder: int, *, wait: bool = False) -> bool:
    """Lock an open folder until it is closed or its process dies; False if another holds it, or it cannot."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _recover(destination: Path) -> None:
    """Put back or remove what killed writers left. A folder that a living writer holds is let alone."""
    kept = _kept(destination)
    if (old := interrupted(destination)) is not None:
        old.rename(destination)
    left = destination.parent.glob(f"{glob.escape(_prefix(destination))}-new-*")
    for folder in [*left, kept]:
        with contextlib.suppress(OSError):
            lock = os.open(folder, _FOLDER | os.O_NOFOLLOW)
            try:
                if _lock(lock):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _kept(destination: Path) -> Path:
    return destination.with_name(f"{_prefix(destination)}-old")


def _prefix(destination: Path) -> str:
    """How our hidden names start: nobody's own folder is called so."""
    return f".{destination.name}.stancewire"


def _sync(folder: int) -> None:
    """Force an open folder's names to disk, where the file system knows how."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what network and FUSE mounts answer for folders
            raise
