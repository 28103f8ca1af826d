"""Where rows come from: JSONL, CSV, Parquet, a folder of train, dev and test files, the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from stancewire.errors import InputError
from stancewire.readers import Reject, read_csv, read_jsonl
from training.data.schema import SPLITS
from training.provenance import digest_of

Format = Literal["auto", "jsonl", "csv", "parquet"]
Rows: TypeAlias = Iterator[tuple[int, Mapping[str, object]] | Reject]

_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
_HUB = "hub:"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Part:
    """Rows of one file, or of one split of a hub dataset.

    Attributes:
        where: what faults call it.
        split: the part of the split that all its rows belong to, or None.
        cells: True where every value is a text (CSV).
        rows: records and rejects, to be read once.
    """

    where: str
    split: str | None
    cells: bool
    rows: Rows


@dataclass(frozen=True)
class Source:
    """A corpus before it is read.

    Attributes:
        name: as the user gave it.
        digest: sha256 of the file's bytes; of several files or a hub dataset, over all of them.
        parts: one a file or split.
    """

    name: str
    digest: str
    parts: tuple[Part, ...]


def open_source(path: str, *, format: Format = "auto", delimiter: str | None = None) -> Source:
    """Find what a path means; local rows are read only when they are iterated.

    Args:
        path: a file; a folder with files named train, dev (or validation) and test; or a dataset of the hub,
            as "hub:owner/name", or "owner/name" where nothing local is meant.
        format: "auto" goes by the suffix.
        delimiter: of CSV cells; None is a comma, or a tab in a .tsv file.

    Raises:
        InputError: if there is nothing to read, or it is of no known format.
    """
    local = Path(path)
    if path.startswith(_HUB):
        return _hub_source(path.removeprefix(_HUB))
    if local.is_file():
        return Source(path, file_digest(local), (_file_part(local, format, delimiter, split=None),))
    if local.is_dir():
        return _folder_source(local, format, delimiter)
    if _HUB_ID.fullmatch(path) and local.suffix not in _SUFFIXES and not local.parent.is_dir():
        return _hub_source(path)
    raise InputError(f"{path}: no such file; wanted a .jsonl, .csv or .parquet file, or hub:owner/name")


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _file_part(path: Path, format: Format, delimiter: str | None, *, split: str | None) -> Part:
    kind = _SUFFIXES.get(path.suffix.lower()) if format == "auto" else format
    where = str(path)
    if kind == "jsonl":
        return Part(where, split, False, read_jsonl(path))
    if kind == "csv":
        mark = delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")
        return Part(where, split, True, read_csv(path, delimiter=mark))
    if kind == "parquet":
        return Part(where, split, False, _parquet_rows(path))
    raise InputError(f"{path}: wanted {', '.join(sorted(_SUFFIXES))}, found {path.suffix!r}; name the format")


def _folder_source(folder: Path, format: Format, delimiter: str | None) -> Source:
    """Take one file for each part of a given split."""
    readable = (path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    files = sorted(path for path in readable if path.stem in SPLITS)
    splits = [SPLITS[path.stem] for path in files]
    if sorted(splits) != ["dev", "test", "train"]:
        found = ", ".join(path.name for path in files) or "none of them"
        raise InputError(
            f"{folder}: wanted one train, one dev (or validation) and one test file, found {found}"
        )
    named = list(zip(splits, files, strict=True))
    parts = tuple(_file_part(path, format, delimiter, split=split) for split, path in named)
    return Source(str(folder), digest_of(f"{split} {file_digest(path)}" for split, path in named), parts)


def _parquet_rows(path: Path) -> Rows:
    """Read into a `datasets` table in memory; its own loader would leave a copy in the home folder."""
    import datasets
    import pyarrow
    from pyarrow import parquet

    from training.data.hub import named_rows

    try:
        table = parquet.read_table(path)
        table.validate(full=True)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    yield from named_rows(datasets.Dataset(table))


def _hub_source(name: str) -> Source:
    from training.data.hub import download, named_rows

    splits = download(name)
    if unknown := sorted(set(splits) - set(SPLITS)):
        known = ", ".join(SPLITS)
        raise InputError(f"hub:{name}: wanted splits named {known}; found {unknown[0]!r}")
    parts = tuple(
        Part(f"hub:{name}[{split}]", SPLITS[split] if len(splits) > 1 else None, False, named_rows(dataset))
        for split, dataset in splits.items()
    )
    digest = digest_of(
        json.dumps(row, sort_keys=True, default=str) for dataset in splits.values() for row in dataset
    )
    return Source(f"hub:{name}", digest, parts)
