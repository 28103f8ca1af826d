"""The output folder: shards put in place whole, and a record of each that is done.

A shard's files are renamed into place, then its record under `_shards/`: what has no record is done again.
At the end `job.json` takes in all records, `_SUCCESS` is written last, and nothing of the work remains.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stancewire.atomic import sync_folder, write_file
from stancewire.batch.columns import TABLES
from stancewire.batch.fingerprint import differences
from stancewire.batch.lock import LOCK, only_job
from stancewire.batch.staging import Format, Staged
from stancewire.errors import StancewireError
from stancewire.section import listed
from stancewire.strictjson import JsonValue, StrictJsonError, dumps, loads

JOB, SUCCESS = "job.json", "_SUCCESS"
SHARDS, STAGING = "_shards", "_temporary"
FORMAT = "stancewire-batch"
# Another one for other columns: a job goes on only in a folder whose tables have its own.
FORMAT_VERSION = 2
_OURS = {JOB, SUCCESS, SHARDS, STAGING, LOCK, *TABLES}
_MAX_JOB_BYTES = 2**30
_CHUNK_BYTES = 2**20
_AGAIN = "choose another folder, or remove this one"


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that is in place.

    Attributes:
        rows: of the input.
        read: articles that were predicted.
        copies: articles that were not, as copies of one that was.
        rejected: rows of the input by reason.
        files: digest and size of each table's file.
    """

    rows: int
    read: int
    copies: int
    rejected: Mapping[str, int]
    files: Mapping[str, Mapping[str, JsonValue]]

    def to_json(self) -> dict[str, JsonValue]:
        """Return it as JSON values."""
        files: dict[str, JsonValue] = {name: dict(file) for name, file in self.files.items()}
        counts = {"rows": self.rows, "read": self.read, "copies": self.copies}
        return {**counts, "rejected": dict(self.rejected), "files": files}

    @classmethod
    def from_json(cls, value: object) -> Done:
        """Return what `to_json` gave.

        Raises:
            TypeError: if it is anything else.
        """
        if not isinstance(value, dict):
            raise TypeError("no object")
        done = cls(**value)
        files = done.files if isinstance(done.files, dict) else {}
        counts = done.rejected if isinstance(done.rejected, dict) else {"": None}
        if (
            not all(type(count) is int for count in (done.rows, done.read, done.copies, *counts.values()))
            or set(files) != set(TABLES)
            or not all(
                isinstance(file, dict) and file.keys() == {"bytes", "sha256"} for file in files.values()
            )
        ):
            raise TypeError("no record of a shard")
        return done


class Output:
    """An output folder that this process alone works in; made by `open_output`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.staging = path / STAGING

    def begin(self, fingerprint: Mapping[str, JsonValue], output: Format) -> dict[int, Done]:
        """Begin a job, or go on with it; return the shards that are done, each file of them intact.

        Raises:
            StancewireError: if the folder holds another job, or one of its files was edited or removed.
        """
        self._fingerprint = dict(fingerprint)
        self._suffix = output
        self.is_done = (self.path / SUCCESS).exists()
        found = self._read_job()
        if found is None:
            if left := [name for name in (SUCCESS, SHARDS, *TABLES) if (self.path / name).exists()]:
                raise StancewireError(f"{self.path}: holds {listed(left)} without {JOB}; {_AGAIN}")
            self._write(JOB, self._job({}))
        elif found.get("fingerprint") != self._fingerprint:
            was = found.get("fingerprint")
            told = "; ".join(differences(was if isinstance(was, dict) else {}, self._fingerprint))
            raise StancewireError(f"{self.path}: holds another job: {told}; {_AGAIN}")
        for name in (SHARDS, *TABLES):
            (self.path / name).mkdir(exist_ok=True)
        done = _shards_of(found, self.path) if found and self.is_done else self._recorded()
        for number, shard in sorted(done.items()):
            self._check(number, shard)
        return done

    def commit(self, staged: Staged) -> Done:
        """Put a shard in place; it is done when its record is there.

        Raises:
            OSError: from the file system; the shard is not done then.
        """
        for table in reversed(TABLES):
            target = self._file(table, staged.number)
            (self.staging / staged.files[table].name).replace(target)
            sync_folder(target.parent)
        files: dict[str, Mapping[str, JsonValue]] = {
            table: {"bytes": file.n_bytes, "sha256": file.sha256} for table, file in staged.files.items()
        }
        done = Done(staged.rows, staged.read, staged.copies, staged.rejected, files)
        self._write(f"{SHARDS}/{staged.number:05}.json", dumps(done.to_json()))
        return done

    def finish(self, done: Mapping[int, Done]) -> None:
        """Write what the whole job is, and that it is done; remove what only the work needed.

        Raises:
            OSError: from the file system; the same command goes on then.
        """
        for table in TABLES:
            expected = {self._file(table, number).name for number in done}
            if strange := sorted(_names(self.path / table) - expected):
                raise StancewireError(
                    f"{self.path / table}: holds what no job wrote: {listed(strange)}; move it"
                )
        if not self.is_done:
            self._write(JOB, self._job(done))
            self._write(SUCCESS, b"")
        shutil.rmtree(self.path / SHARDS)

    def _file(self, table: str, number: int) -> Path:
        return self.path / table / f"part-{number:05}.{self._suffix}"

    def _job(self, done: Mapping[int, Done]) -> bytes:
        shards: list[JsonValue] = [shard.to_json() for _, shard in sorted(done.items())]
        return dumps(
            {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "fingerprint": self._fingerprint,
                "shards": shards,
            }
        )

    def _read_job(self) -> dict[str, JsonValue] | None:
        path = self.path / JOB
        if not path.exists():
            return None
        try:
            found = loads(path.read_bytes(), max_bytes=_MAX_JOB_BYTES)
        except StrictJsonError as error:
            raise StancewireError(f"{path}: was edited: {error}; {_AGAIN}") from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise StancewireError(f"{path}: expected the manifest of a batch job, found another; {_AGAIN}")
        if found.get("format_version") != FORMAT_VERSION:
            raise StancewireError(f"{path}: written by another version of stancewire; {_AGAIN}")
        return found

    def _recorded(self) -> dict[int, Done]:
        """Return the records of the shards that are in place."""
        done = {}
        for path in (self.path / SHARDS).glob("*.json"):
            try:
                done[int(path.stem)] = Done.from_json(loads(path.read_bytes(), max_bytes=_MAX_JOB_BYTES))
            except (StrictJsonError, TypeError, ValueError):
                raise StancewireError(f"{path}: was edited; {_AGAIN}") from None
        return done

    def _check(self, number: int, shard: Done) -> None:
        for table in TABLES:
            path, expected = self._file(table, number), shard.files[table]
            try:
                n_bytes, sha256 = _digest(path)
            except OSError as error:
                raise StancewireError(
                    f"{path}: cannot be read: {error.strerror}; put it back, or {_AGAIN}"
                ) from None
            if (n_bytes, sha256) != (expected["bytes"], expected["sha256"]):
                what = f"expected sha256 {str(expected['sha256'])[:12]}, found {sha256[:12]}"
                raise StancewireError(f"{path}: was edited: {what}; put it back, or {_AGAIN}")

    def _write(self, name: str, data: bytes) -> None:
        """Put a small file in place whole."""
        staged = self.staging / name.replace("/", "-")
        write_file(staged, [data])
        staged.replace(self.path / name)
        sync_folder((self.path / name).parent)


@contextmanager
def open_output(path: Path) -> Iterator[Output]:
    """Make the folder, or open that of a job; it is ours alone inside the block.

    Raises:
        StancewireError: if something else is there, or another job is at work.
        OSError: from the file system.
    """
    if path.exists() and not path.is_dir():
        raise StancewireError(f"{path}: expected a folder to write to, found a file; choose another name")
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    found = _names(path)
    if JOB not in found and (others := sorted(found - _OURS)):
        raise StancewireError(f"{path}: expected an empty folder, found {listed(others)}; choose another")
    try:
        with only_job(path):
            output = Output(path)
            shutil.rmtree(output.staging, ignore_errors=True)
            output.staging.mkdir()
            try:
                yield output
            finally:
                shutil.rmtree(output.staging, ignore_errors=True)
    finally:
        if is_new:
            with contextlib.suppress(OSError):
                path.rmdir()  # where nothing was begun, nothing is left


def _shards_of(job: Mapping[str, JsonValue], path: Path) -> dict[int, Done]:
    shards = job.get("shards")
    try:
        return {number: Done.from_json(value) for number, value in enumerate(shards or ())}  # type: ignore[arg-type]
    except TypeError:
        raise StancewireError(f"{path / JOB}: was edited; {_AGAIN}") from None


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def _digest(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    n_bytes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            n_bytes += len(chunk)
    return n_bytes, digest.hexdigest()
