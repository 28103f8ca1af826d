"""One file of input: its digest, what it is packed with, and whether it stays as it was."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancewire.errors import InputError
from stancewire.section import listed, shown

if TYPE_CHECKING:
    import pyarrow as pa

PACKED = {".gz": "gzip", ".zst": "zstd"}
_CHUNK_BYTES = 2**20


class InputFile:
    """A plain file. Its bytes are looked through once, for their digest, before anything is read.

    Args:
        path: the file; `.gz` and `.zst` are unpacked as they are read.

    Raises:
        InputError: if there is none, it is of another kind, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._raw: io.FileIO | pa.NativeFile | None = None
        digest = hashlib.sha256()
        with _reading(path), open(path, "rb", opener=_plain_only) as file:
            self._found = _identity(os.fstat(file.fileno()))
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        self.sha256 = digest.hexdigest()
        self.n_bytes = self._found[0]

    @property
    def suffix(self) -> str:
        """What kind of file it is, that of its packing left out."""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        if suffixes and suffixes[-1] in PACKED:
            suffixes.pop()
        return suffixes[-1] if suffixes else ""

    def open(self, path: Path) -> io.BufferedReader:
        """Open the file's text; memory stays bounded, whatever it unpacks to."""
        packing = PACKED.get(path.suffix.lower())
        if packing is None:
            self._raw = io.FileIO(path)
            return io.BufferedReader(self._raw, _CHUNK_BYTES)
        import pyarrow as pa

        self._raw = pa.OSFile(os.fspath(path))
        opened: Any = pa.CompressedInputStream(self._raw, packing)
        return io.BufferedReader(opened, _CHUNK_BYTES)

    def share(self) -> float:
        """Return how much of it was read, 0 to 1."""
        if self._raw is None or self._raw.closed or not self.n_bytes:
            return 1.0
        return min(1.0, float(self._raw.tell()) / self.n_bytes)

    def check(self) -> None:
        """Refuse a file that was written to since its digest was taken.

        Raises:
            InputError: if it was.
        """
        with _reading(self.path):
            if _identity(self.path.stat()) != self._found:
                raise InputError(f"{self.path}: changed while it was read; run again when it is whole")


def no_text_column(path: Path, wanted: str, found: Iterable[str]) -> InputError:
    """Return the error of an input none of whose rows can be an article."""
    return InputError(
        f"{path}: expected a column {shown(wanted)}, found {listed(found)}; name it: --column text=COLUMN"
    )


def _plain_only(path: str, flags: int) -> int:
    """Open a plain file; a FIFO must not hang, and a device has no end."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: expected a file or a folder; pipe a stream to -")
    return descriptor


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL or a lone surrogate in the path
        raise InputError(f"expected the path of a file, found {shown(str(path))}") from None


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino
