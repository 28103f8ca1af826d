"""One job in a folder at a time: a lock that its owner's death frees."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stancewire.errors import StancewireError

LOCK = ".lock"
_ATTEMPTS = 10


@contextmanager
def only_job(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. The kernel frees it when its owner ends, however; the file is gone at the end.

    Raises:
        StancewireError: if a living job holds it.
        OSError: from the file system.
    """
    path = folder / LOCK
    lock = _locked(path)
    try:
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    finally:
        # While it is still held: who waits for this name finds it gone, and makes one anew.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(lock)


def _locked(path: Path) -> int:
    for _ in range(_ATTEMPTS):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(lock, 20).decode("ascii", "replace")
            os.close(lock)
            raise StancewireError(
                f"{path.parent}: another job (process {owner or 'unknown'}) is at work here; wait for it, or "
                "choose another folder"
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)  # its owner removed it meanwhile
    raise StancewireError(f"{path}: other jobs come and go here; choose another folder")
