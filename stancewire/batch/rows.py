"""The rows of an input, and the shards that they are worked on in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

SHARD_ROWS = 1000
# A shard ends early here: what is held at once is bounded, however long the rows are.
SHARD_BYTES = 32_000_000
# Of the length that a shard begins with, when it is sent.
_HEAD_BYTES = 8


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

    def to_bytes(self) -> bytes:
        """Return the shard as bytes for another process: all but the data as JSON, then the data."""
        told = [(line, None if data is None else len(data), *rest) for line, data, *rest in self.rows]
        head = json.dumps([self.number, told]).encode()
        data = (row.data for row in self.rows if row.data is not None)
        return b"".join((len(head).to_bytes(_HEAD_BYTES, "little"), head, *data))

    @classmethod
    def from_bytes(cls, data: bytes) -> Shard:
        """Return the shard that `to_bytes` gave."""
        start = _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "little")
        number, told = json.loads(data[_HEAD_BYTES:start])
        rows = []
        for line, n_bytes, *rest in told:
            end = start + (n_bytes or 0)
            rows.append(Row(line, None if n_bytes is None else data[start:end], *rest))
            start = end
        return cls(number, rows)


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
