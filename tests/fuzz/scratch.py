"""A folder for files that live a millisecond: in memory where the system has such a place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_MEMORY = Path("/dev/shm")  # noqa: S108 - only folders of random names are made in it


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder, which is gone afterwards."""
    with TemporaryDirectory(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)
