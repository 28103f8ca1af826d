"""Runs that go on where they were killed: their checkpoints, and the MLflow run that they belong to.

A run under way has a folder beside its artefact, named by what it learns: the config but for where it writes,
the rows, and the versions of what computes. The same command finds it again; any other starts anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.base import Family, FitContext, Log, unheard
from models.ranks import is_first
from models.registry import family
from stancewire.atomic import new_folder, replace_file
from stancewire.errors import StancewireError
from training.prepare import Prepared
from training.provenance import digest_of, package_versions
from training.record import parts_of

CHECKPOINTS, CACHE = ".checkpoints", ".cache"
# Beside the artefacts: what another run starts from, and what says that a folder is such a thing.
KEPT, MARK = "checkpoints", "stancewire.json"
_ABOUT = "run.json"
# Settings of a run that change where it is kept, and nothing of what is learned.
_ELSEWHERE = {"output", "tracking"}


@dataclass(frozen=True)
class UnderWay:
    """A run that can be resumed, or one of a family that needs no such thing.

    Attributes:
        folder: of its checkpoints; None where the family keeps none.
        cache: of what can be made again.
        run_id: the MLflow run that was killed; "" for a new one.
    """

    folder: Path | None = None
    cache: Path | None = None
    run_id: str = ""

    def context(
        self,
        name: str,
        log: Log = unheard,
    ) -> FitContext:
        """Return what surrounds the fit of this name within the run."""
        return FitContext(self.folder / name if self.folder else None, self.cache, log)

    def belongs_to(self, run_id: str) -> None:
        """Remember the MLflow run, for when this process is killed."""
        if self.folder is None:
            return
        about = json.loads((self.folder / _ABOUT).read_text(encoding="utf-8"))
        _write(self.folder / _ABOUT, about | {"run_id": run_id})

    @contextmanager
    def to_its_end(self) -> Iterator[None]:
        """Remove what is kept when the block ends well.

        Raises:
            StancewireError: if something cannot be written.
        """
        if self.folder is None:
            yield
            return
        with _writable(self.folder):
            yield
            shutil.rmtree(self.folder)


@contextmanager
def under_way(prepared: Prepared, *, fresh: bool) -> Iterator[UnderWay]:
    """Open what a run keeps while it is under way, and hold it while the block runs.

    Args:
        prepared: what it learns from.
        fresh: start anew, whatever was begun before.

    Raises:
        StancewireError: if another process trains the same model now, or the folder cannot be written.
    """
    config = prepared.config
    if not family(config.model.family).resumes:
        yield UnderWay()
        return
    folder = Path(config.output) / CHECKPOINTS / config.name
    cache = Path(config.output) / CACHE
    if not is_first():
        yield UnderWay(folder, cache)
        return
    with ExitStack() as held:
        with _writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(_alone(folder))
            begun = _opened(folder, fingerprint(prepared), fresh)
        yield UnderWay(folder, cache, begun)


def fingerprint(prepared: Prepared) -> str:
    """Return a digest of all that a fit hangs on."""
    config = prepared.config
    packages = ("numpy", "stancewire", *family(config.model.family).packages)
    what = {
        "config": config.model_dump(mode="json", exclude=_ELSEWHERE),
        "parts": parts_of(prepared),
        "extra_data": [one.to_dict() for one in prepared.parts.extra],
        "packages": package_versions(packages),
        "codebook": prepared.corpus.codebook.digest,
    }
    return digest_of([json.dumps(what, sort_keys=True)])


def keep_checkpoint(learned: Family, output: Path, name: str) -> Path | None:
    """Write what another run can start from beside the artefact; None for families that have none.

    Raises:
        StancewireError: if it cannot be written, or something else stands there.
    """
    if not learned.resumes:
        return None
    destination = output / KEPT / name

    def may_replace(folder: Path) -> None:
        if folder.exists() and not (folder / MARK).is_file():
            raise StancewireError(f"{folder}: exists and is no checkpoint of ours; move it")

    try:
        with new_folder(destination, may_replace) as building:
            learned.keep(building)
    except OSError as error:
        raise StancewireError(f"{destination}: cannot be written: {error.strerror or error}") from error
    return destination


def _opened(folder: Path, wanted: str, fresh: bool) -> str:
    """Make the folder that of this run; return the id of the MLflow run that it goes on with, or ""."""
    about = _read(folder / _ABOUT)
    if not fresh and about.get("fingerprint") == wanted:
        return str(about.get("run_id", ""))
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    _write(folder / _ABOUT, {"fingerprint": wanted, "run_id": ""})
    return ""


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Tell of a disk that does not take what the block writes."""
    try:
        yield
    except OSError as error:
        raise StancewireError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another output"
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs; the system lets go of it when the process dies."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StancewireError(
                f"{folder}: another process trains this model now; wait for it, or give this one another name"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> dict[str, str]:
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _write(file: Path, about: Mapping[str, str]) -> None:
    replace_file(file, [json.dumps(about).encode()])
