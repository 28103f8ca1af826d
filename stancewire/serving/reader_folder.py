"""A reader as a folder: two artefacts under fixed names, and a file that names the digest of each.

    reader.json    format, version, and the name and digest of both artefacts
    topics/        an artefact
    stance/        an artefact

It proves that the two belong together; each artefact proves its own files, as ever.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader
from stancewire.safefiles import names_in, open_folder, read_file
from stancewire.section import Section, listed
from stancewire.strictjson import StrictJsonError, dumps, loads

READER = "reader.json"
TASKS = ("topics", "stance")
_FORMAT = "stancewire-reader"
_VERSION = 1
_MAX_BYTES = 10_000


def write_reader_folder(destination: Path, topics: Path, stance: Path) -> Path:
    """Copy two artefacts into a new reader's folder, and read it back.

    Args:
        destination: a folder that does not exist yet.
        topics: an artefact's folder.
        stance: an artefact's folder, trained on the same codebook.

    Raises:
        StancewireError: if they are damaged, swapped or of two codebooks.
    """
    refs = {}
    destination.mkdir()
    for task, folder in zip(TASKS, (topics, stance), strict=True):
        artefact = read_artefact(folder)
        shutil.copytree(folder, destination / task)
        refs[task] = {"name": artefact.manifest.name, "digest": artefact.digest}
    (destination / READER).write_bytes(dumps({"format": _FORMAT, "format_version": _VERSION, **refs}))
    read_reader_folder(destination)
    return destination


def is_reader_folder(folder: Path) -> bool:
    """Tell whether a folder says that it is a reader."""
    return (folder / READER).exists()


def read_reader_folder(folder: Path) -> tuple[TopicsPredictor, StancePredictor]:
    """Read a reader's folder and check that it holds the artefacts it names.

    Raises:
        StancewireError: if it is damaged, or its artefacts are not those, or do not belong together.
    """
    digests = _digests(folder)
    topics, stance = (load(folder / task) for task in TASKS)
    for task, predictor in zip(TASKS, (topics, stance), strict=True):
        if predictor.task != task or predictor.artefact.digest != digests[task]:
            raise ArtefactError(
                f"{folder / task}: expected the {task} model {digests[task][:12]}, found the "
                f"{predictor.task} model {predictor.artefact.digest[:12]}; get an intact copy of the reader"
            )
    if not isinstance(topics, TopicsPredictor) or not isinstance(stance, StancePredictor):
        raise ArtefactError(
            f"{folder}: expected a topics and a stance model; get an intact copy of the reader"
        )
    Reader(topics, stance)  # refuses models of two codebooks
    return topics, stance


def _digests(folder: Path) -> dict[str, str]:
    where = str(folder / READER)
    try:
        with open_folder(folder) as opened:
            if (found := names_in(opened)) != sorted((READER, *TASKS)):
                raise ArtefactError(
                    f"{folder}: expected a reader's {listed((READER, *TASKS))}, found {listed(found)}; "
                    "get an intact copy"
                )
            data = read_file(opened, READER, where, at_most=_MAX_BYTES)
        content = loads(data, max_bytes=_MAX_BYTES)
    except StrictJsonError as error:
        raise ArtefactError(f"{where}: {error}; get an intact copy") from None
    except OSError as error:
        raise ArtefactError(f"{folder}: cannot be read: {error.strerror}; get an intact copy") from None
    top = Section(content, where, ("format", "format_version", *TASKS))
    top.choice("format", _FORMAT)
    top.integer("format_version", _VERSION, _VERSION)
    return {
        task: top.section(task, ("name", "digest")).text("digest", pattern="[0-9a-f]{64}") for task in TASKS
    }
