"""The rows of an input, and the shards that they are worked on in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

SHARD_ROWS = 1000
# A shard ends early here: what is held at once is bounded, however long the rows are.
SHARD_BYTES = 32_000_000


class Row(NamedTuple):
    """One row of the input, not parsed yet; or, without data, why it is none.

    Attributes:
        line: where it begins, from 1, unlike every other: its line in JSONL and CSV, its row in Parquet, its
            file in a folder.
        data: a JSON object, UTF-8; None for a reject.
        source: its file within a folder, else "".
        reason: a reject's stable code, else "".
        detail: what is wrong with it, for people; never a piece of the row's text.
        copy_of: the line of the row that it is a copy of, if it is one.
        reach: how many rows tell its story, itself included; 0 for a copy.
    """

    line: int
    data: bytes | None
    source: str = ""
    reason: str = ""
    detail: str = ""
    copy_of: int | None = None
    reach: int = 1


@dataclass(frozen=True, slots=True)
class Shard:
    """Some rows in a row: the unit of work.

    Attributes:
        number: from 0; it names the files of the output.
        rows: in the order of the input.
    """

    number: int
    rows: list[Row]

    def to_table(self) -> pa.Table:
        """Return the rows as columns."""
        import pyarrow as pa

        schema = row_schema()
        columns = list(zip(*self.rows, strict=True)) or [()] * len(schema)
        arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    @classmethod
    def from_table(cls, number: int, table: pa.Table) -> Shard:
        """Return the shard of a table of rows."""
        columns = (column.to_pylist() for column in table.columns)
        return cls(number, list(map(Row._make, zip(*columns, strict=True))))

    def to_bytes(self) -> bytes:
        """Return the shard as bytes, to be sent to another process."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, row_schema()) as stream:
            stream.write_table(self.to_table())
        return self.number.to_bytes(8, "little") + bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, data: bytes) -> Shard:
        """Return the shard that `to_bytes` gave."""
        import pyarrow as pa

        with pa.ipc.open_stream(memoryview(data)[8:]) as stream:
            return cls.from_table(int.from_bytes(data[:8], "little"), stream.read_all())


def row_schema() -> pa.Schema:
    """Return the columns of a shard's rows."""
    import pyarrow as pa

    return pa.schema(
        {
            "line": pa.int64(),
            "data": pa.large_binary(),
            "source": pa.string(),
            "reason": pa.string(),
            "detail": pa.string(),
            "copy_of": pa.int64(),
            "reach": pa.int64(),
        }
    )


def shards(rows: Iterable[Row], shard_rows: int = SHARD_ROWS) -> Iterator[Shard]:
    """Part rows into shards, in order, by what is in them alone; no rows make one empty shard.

    Args:
        rows: of the whole input.
        shard_rows: most rows of one shard.
    """
    number = n_bytes = 0
    shard: list[Row] = []
    for row in rows:
        shard.append(row)
        n_bytes += len(row.data or b"")
        if len(shard) >= shard_rows or n_bytes >= SHARD_BYTES:
            yield Shard(number, shard)
            number, n_bytes, shard = number + 1, 0, []
    if shard or number == 0:
        yield Shard(number, shard)
