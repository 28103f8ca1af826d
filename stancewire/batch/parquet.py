"""Parquet as an input: its values made JSON, row by row."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stancewire.batch.files import InputFile, no_text_column
from stancewire.batch.rows import Row
from stancewire.errors import InputError
from stancewire.readers import MAX_LINE_BYTES
from stancewire.strictjson import JsonValue

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

_BATCH_ROWS = 256
_MAX_INT = 2**63 - 1


class Parquet:
    """The rows of a Parquet file, numbered from 1.

    An id that is a whole number becomes a text. So do values that JSON does not have: dates, decimals, and
    bytes in base64. NaN and infinity become null.

    Args:
        file: the file.
        columns: the file's column by field of an article, where the two names differ.

    Raises:
        InputError: if it is no Parquet file, has no column for the text, or two of one name.
    """

    kind = "parquet"

    def __init__(self, file: InputFile, columns: Mapping[str, str]) -> None:
        self._file = file
        self._id = columns.get("id", "id")
        self.sha256, self.n_bytes = file.sha256, file.n_bytes
        self._n_read = 0
        with self._opened() as opened:
            self._n_rows = opened.metadata.num_rows
            names = opened.schema_arrow.names
        if (text := columns.get("text", "text")) not in names:
            raise no_text_column(file.path, text, names)
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"{file.path}: two columns are named {twice[0]!r}; rename one")

    def rows(self) -> Iterator[Row]:
        """Yield every row."""
        import pyarrow as pa

        self._n_read = 0
        with self._opened() as opened:
            try:
                for batch in opened.iter_batches(_BATCH_ROWS, use_threads=False):
                    yield from self._rows_of(batch)
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error) from None
        self._file.check()

    def share(self) -> float:
        """Return how many of the rows were read, 0 to 1."""
        return self._n_read / self._n_rows if self._n_rows else 1.0

    def _opened(self) -> parquet.ParquetFile:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(self._file.path, memory_map=False, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        what = f"expected an intact Parquet file, found none ({type(error).__name__})"
        return InputError(f"{self._file.path}: {what}; write it again")

    def _rows_of(self, batch: pa.RecordBatch) -> Iterator[Row]:
        """Yield the rows of a batch; where one holds no UTF-8, it alone is rejected."""
        try:
            records = batch.to_pylist()
        except UnicodeDecodeError:
            records = [_record_at(batch, n) for n in range(batch.num_rows)]
        for record in records:
            self._n_read += 1
            yield self._row(self._n_read, record)

    def _row(self, number: int, record: dict[str, Any] | None) -> Row:
        if record is None:
            return Row(number, None, "", "encoding", "not UTF-8")
        found = record.get(self._id)
        if isinstance(found, int) and not isinstance(found, bool):
            record[self._id] = str(found)
        try:
            plain = {name: _plain(value) for name, value in record.items()}
            data = json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError, TypeError) as error:
            return Row(number, None, "", "type", f"a value that JSON cannot hold: {type(error).__name__}")
        if len(data) > MAX_LINE_BYTES:
            return Row(number, None, "", "too_long", f"longer than {MAX_LINE_BYTES:,} bytes")
        return Row(number, data)


def _record_at(batch: pa.RecordBatch, position: int) -> dict[str, Any] | None:
    try:
        record: dict[str, Any] = batch.slice(position, 1).to_pylist()[0]
    except UnicodeDecodeError:
        return None
    return record


def _plain(value: object) -> JsonValue:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INT else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | datetime.timedelta):
        return str(value)
    raise TypeError(type(value).__name__)
