"""Open files in a folder that somebody else filled: plain files only, and only as long as was said.

Everything is relative to an open folder, so that a folder swapped in the meantime is never read by halves.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stancewire.errors import ArtefactError
from stancewire.section import shown

# O_NOFOLLOW: a link is an error. O_NONBLOCK: a FIFO without a writer does not hang.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """Yield a descriptor of a folder.

    Raises:
        OSError: if there is none, or it cannot be read.
    """
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except ValueError as error:  # a NUL or a lone surrogate in the path
        raise OSError(errno.EINVAL, str(error)) from None
    try:
        yield folder
    finally:
        os.close(folder)


def names_in(folder: int) -> list[str]:
    """Return the names in an open folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def open_file(
    folder: int, name: str, where: str, *, size: int | None = None, at_most: int | None = None
) -> int:
    """Open one plain file for reading and return its descriptor.

    Args:
        folder: descriptor of the open folder.
        name: the file's flat name.
        where: the file's path, for messages.
        size: the size that it must have, in bytes.
        at_most: the size that it may have, in bytes.

    Raises:
        ArtefactError: if it is missing, a link (symbolic or hard), a folder, FIFO, socket or device, or of
            another size. That is looked up before it is opened, and again on what was opened.
    """
    try:
        _check(os.stat(name, dir_fd=folder, follow_symlinks=False), where, size, at_most)
        descriptor = os.open(name, _OPEN, dir_fd=folder)
    except OSError as error:
        raise ArtefactError(f"{where}: cannot be opened: {error.strerror}; get an intact copy") from None
    try:
        _check(os.fstat(descriptor), where, size, at_most)
    except ArtefactError:
        os.close(descriptor)
        raise
    return descriptor


def read_file(
    folder: int, name: str, where: str, *, size: int | None = None, at_most: int | None = None
) -> bytes:
    """Return all bytes of one plain file; arguments and errors as in `open_file`.

    Memory for a file is asked for only once its size on disk equals the expected one.
    """
    with os.fdopen(open_file(folder, name, where, size=size, at_most=at_most), "rb") as file:
        found = os.fstat(file.fileno()).st_size
        try:
            data = file.read(found + 1)
        except OSError as error:
            raise ArtefactError(f"{where}: cannot be read: {error.strerror}; get an intact copy") from None
    if len(data) != found:
        raise ArtefactError(f"{where}: changed while it was read: {found:,} bytes before; read it again")
    return data


def _check(found: os.stat_result, where: str, size: int | None, at_most: int | None) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ArtefactError(
            f"{where}: expected a plain file, found {_kind(found.st_mode)}; copy the file itself there"
        )
    if found.st_nlink != 1:
        raise ArtefactError(
            f"{where}: expected a file of its own, found one that {found.st_nlink} names share (hard links); "
            "copy the folder with its content"
        )
    if size is not None and found.st_size != size:
        raise ArtefactError(f"{where}: expected {size:,} bytes, found {found.st_size:,}; get an intact copy")
    if at_most is not None and found.st_size > at_most:
        raise ArtefactError(f"{where}: expected at most {at_most:,} bytes, found {found.st_size:,}")


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(mode), f"a device ({shown(stat.filemode(mode))})")
