"""Write what came of a shard beside the output, forced to disk: a rename puts it in place."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from stancewire.atomic import write_file
from stancewire.batch.columns import JSON_COLUMNS, TABLES, ShardTables
from stancewire.batch.rows import Shard

if TYPE_CHECKING:
    import pyarrow as pa

Format: TypeAlias = Literal["parquet", "jsonl"]
FORMATS: tuple[Format, ...] = ("parquet", "jsonl")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file of the output that waits for its name.

    Attributes:
        name: its name in the staging folder.
        n_bytes: its size.
        sha256: its digest.
    """

    name: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A shard whose files are on disk, each under a name of its own.

    Attributes:
        number: of the shard.
        rows: of the input.
        read: articles that were predicted.
        copies: articles that were not, as copies of one that was.
        rejected: rows of the input by reason; rows = read + copies + rejected.
        files: one per table.
    """

    number: int
    rows: int
    read: int
    copies: int
    rejected: Mapping[str, int]
    files: Mapping[str, StagedFile]

    def to_json(self) -> str:
        """Return it as text, to be sent to another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Staged:
        """Return what `to_json` wrote."""
        values = json.loads(text)
        files = {name: StagedFile(**file) for name, file in values.pop("files").items()}
        return cls(**values, files=files)


def stage(tables: ShardTables, shard: Shard, folder: Path, output: Format) -> Staged:
    """Write the tables of a shard into a folder; equal tables give equal bytes.

    Raises:
        OSError: from the file system.
    """
    token = secrets.token_hex(6)
    files: dict[str, StagedFile] = {}
    for name in TABLES:
        path = folder / f"{name}-{shard.number:05}-{token}"
        data = _parquet(tables.table(name)) if output == "parquet" else _jsonl(tables.table(name))
        write_file(path, [data])
        files[name] = StagedFile(path.name, len(data), hashlib.sha256(data).hexdigest())
    copies = len(shard.rows) - tables.readings.column("copy_of").null_count - tables.rejects.num_rows
    return Staged(
        number=shard.number,
        rows=len(shard.rows),
        read=tables.readings.column("copy_of").null_count,
        copies=copies,
        rejected=dict(sorted(Counter(tables.rejects.column("reason").to_pylist()).items())),
        files=files,
    )


def _parquet(table: pa.Table) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _jsonl(table: pa.Table) -> bytes:
    return "".join(_json_lines(table)).encode()


def _json_lines(table: pa.Table) -> Iterator[str]:
    """Yield each row as one line of JSON; columns that hold JSON are taken as it is."""
    for row in table.to_pylist():
        nested = {name: row.pop(name) for name in JSON_COLUMNS if name in row}
        line = json.dumps(row, ensure_ascii=False, allow_nan=False)[:-1]
        yield "".join((line, *(f', "{name}": {text or "null"}' for name, text in nested.items()), "}\n"))
