"""A folder of text files, one article each, as an input."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from stancewire.batch.rows import Row
from stancewire.errors import InputError
from stancewire.readers import MAX_LINE_BYTES

SUFFIXES = (".txt", ".md")


class TextFolder:
    """Every file in a folder and below it, in the order of their names; hidden ones are left out.

    What is no text file is a row too, and is rejected: nothing is passed over in silence. Folders that are
    links are not entered.

    Args:
        path: the folder.

    Raises:
        InputError: if it cannot be read.
    """

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names = sorted(_names(path))
        self._n_read = 0
        self.n_bytes = 0
        self.sha256 = self._digest()

    def rows(self) -> Iterator[Row]:
        """Yield every file."""
        digest = hashlib.sha256()
        for number, name in enumerate(self._names, 1):
            row = self._row(number, name)
            _update(digest, row)
            self._n_read = number
            yield row
        if digest.hexdigest() != self.sha256 or sorted(_names(self.path)) != self._names:
            raise InputError(f"{self.path}: changed while it was read; run again when it is whole")

    def share(self) -> float:
        """Return how many of the files were read, 0 to 1."""
        return self._n_read / len(self._names) if self._names else 1.0

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for number, name in enumerate(self._names, 1):
            row = self._row(number, name)
            _update(digest, row)
            self.n_bytes += len(row.data or b"")
        return digest.hexdigest()

    def _row(self, number: int, name: bytes) -> Row:
        """Read one file, or say why it is no text."""
        source = name.decode("utf-8", "backslashreplace")
        if os.path.splitext(source)[1].lower() not in SUFFIXES:  # noqa: PTH122 - not a path any more
            return Row(
                number, None, source, "kind", f"expected {' or '.join(SUFFIXES)}; convert or remove it"
            )
        try:
            data = _content(os.path.join(os.fsencode(self.path), name))  # noqa: PTH118 - bytes
        except OSError as error:
            return Row(number, None, source, "cannot_be_read", f"cannot be read: {error.strerror}")
        if data is None:
            return Row(number, None, source, "kind", "expected a plain file; remove it")
        if len(data) > MAX_LINE_BYTES:
            return Row(number, None, source, "too_long", f"longer than {MAX_LINE_BYTES:,} bytes")
        return Row(number, data, source)


def _names(path: Path) -> Iterator[bytes]:
    """Yield the paths of what is no folder, relative to the given one, as bytes: names need not be UTF-8."""
    top = os.fsencode(path)

    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename!r}: cannot be read: {error.strerror}") from None

    for folder, inner, files in os.walk(top, onerror=refuse):
        links = [name for name in inner if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118
        inner[:] = [name for name in inner if not name.startswith(b".")]
        for name in (*files, *links):
            if not name.startswith(b"."):
                yield os.path.relpath(os.path.join(folder, name), top)  # noqa: PTH118 - bytes


def _content(path: bytes) -> bytes | None:
    """Return a file's bytes, one more than allowed at most; None if it is no plain file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", closefd=True) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(MAX_LINE_BYTES + 1)


def _update(digest: hashlib._Hash, row: Row) -> None:
    for part in (row.source.encode(), row.reason.encode(), row.data or b""):
        digest.update(len(part).to_bytes(8, "little") + part)
