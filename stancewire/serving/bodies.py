"""Read a request's body: strict JSON, strict CSV or Parquet; nothing is guessed, and no text is repeated."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any, TypeAlias

from stancewire.errors import InputError, MissingExtraError
from stancewire.section import listed
from stancewire.serving.options import Limits
from stancewire.serving.params import kind_of, named, told
from stancewire.strictjson import JsonValue, StrictJsonError, loads

FORMATS = ("dataframe_records", "dataframe_split", "instances", "inputs")

Rows: TypeAlias = list[list[Any]]


class TooLargeError(InputError):
    """A request holds more than the server answers at once."""


def json_rows(data: bytes, columns: Sequence[str], limits: Limits) -> tuple[Rows, JsonValue]:
    """Read a JSON body.

    Args:
        data: the body.
        columns: of the model; others are left out.
        limits: longest body to parse, and most rows.

    Returns:
        The rows, cells in the order of the columns, and the params, which are the model's to check.

    Raises:
        InputError: if it is not strict JSON, or none of MLflow's four formats.
    """
    check_bytes(len(data), limits)
    try:
        body = loads(data, max_bytes=limits.max_bytes)
    except StrictJsonError as error:
        raise InputError(f"the body: {told(error)}") from None
    if not isinstance(body, dict):
        raise InputError(f"expected a JSON object with one of {listed(FORMATS)}, found {kind_of(body)}")
    params = body.pop("params", None)
    if len(body) != 1 or next(iter(body)) not in FORMATS:
        raise InputError(
            f"expected one of {listed(FORMATS)}, and nothing else but 'params', found {named(body)}"
        )
    (name, content), *_ = body.items()
    if name == "dataframe_split":
        rows = _split(content, columns)
    elif name == "inputs" and isinstance(content, dict):
        rows = _by_column(content, columns)
    else:
        rows = _records(name, content, columns)
    check_rows(len(rows), limits)
    return rows, params


def csv_rows(data: bytes, columns: Sequence[str], limits: Limits) -> Rows:
    """Read the rows of a CSV body with a header; every cell is a text, and an empty one is missing.

    Raises:
        InputError: if it is not strict CSV in UTF-8, or too large.
    """
    check_bytes(len(data), limits)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the body: not UTF-8 at byte {error.start}") from None
    # The module's own limit is shorter than an article may be, and holds for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), limits.max_bytes))
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        cells = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"the body: not CSV at line {reader.line_num:,}: {error}") from None
    check_rows(len(cells), limits)
    for line, row in cells:
        if len(row) != len(header):
            raise InputError(f"the body: line {line:,}: expected {len(header)} cells, found {len(row)}")
    return _ordered(header, [[cell or None for cell in row] for _, row in cells], columns)


def parquet_rows(data: bytes, columns: Sequence[str], limits: Limits) -> Rows:
    """Read the rows of a Parquet body; its own figures are looked at before anything is unpacked.

    Raises:
        InputError: if it is no Parquet, or too large, packed or unpacked.
        MissingExtraError: without pyarrow.
    """
    check_bytes(len(data), limits)
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError.of("reading a Parquet body", "batch") from None
    try:
        file = parquet.ParquetFile(BytesIO(data))
        check_rows(file.metadata.num_rows, limits)
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        check_bytes(sum(group.total_byte_size for group in groups), limits)
        known = [column for column in columns if column in file.schema_arrow.names]
        records = file.read(columns=known).to_pylist() if known else []
    except (pa.ArrowException, OSError, ValueError):
        known = []
    if not known:
        raise InputError(
            f"the body: not Parquet with rows of the columns {listed(columns)}; see that it was sent whole"
        )
    return [[record.get(column) for column in columns] for record in records]


def check_bytes(found: int, limits: Limits) -> None:
    """Refuse a body over the limit, with the limit and what to do.

    Raises:
        TooLargeError: if it is.
    """
    if found > limits.max_bytes:
        raise TooLargeError(
            f"the body has more than {limits.max_bytes:,} bytes, and no more are read; send fewer rows a "
            "request, or start the server with a larger --max-bytes"
        )


def check_rows(found: int, limits: Limits) -> None:
    """Refuse rows over the limit, with the limit and what to do.

    Raises:
        TooLargeError: if there are too many.
    """
    if found > limits.max_rows:
        raise TooLargeError(
            f"the body has {found:,} rows, at most {limits.max_rows:,} are answered at once; send them in "
            "several requests, or start the server with a larger --max-rows"
        )


def _records(name: str, content: JsonValue, columns: Sequence[str]) -> Rows:
    if not isinstance(content, list):
        raise InputError(f"{name}: expected a list of objects, found {kind_of(content)}")
    rows: Rows = []
    for number, record in enumerate(content):
        if not isinstance(record, dict):
            raise InputError(f"{name}: row {number}: expected an object, found {kind_of(record)}")
        rows.append([record.get(column) for column in columns])
    return rows


def _split(content: JsonValue, columns: Sequence[str]) -> Rows:
    if not isinstance(content, dict) or not {"columns", "data"} <= content.keys() <= {
        "columns",
        "data",
        "index",
    }:
        raise InputError("dataframe_split: expected an object with 'columns' and 'data', and at most 'index'")
    names, data = content["columns"], content["data"]
    if not isinstance(names, list) or not isinstance(data, list):
        raise InputError("dataframe_split: expected lists as 'columns' and 'data'")
    rows: Rows = []
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(f"dataframe_split: row {number}: expected a list of {len(names)} values")
        rows.append(row)
    return _ordered(names, rows, columns)


def _by_column(content: dict[str, JsonValue], columns: Sequence[str]) -> Rows:
    values = {name: value for name, value in content.items() if isinstance(value, list)}
    if len(values) < len(content) or len({len(value) for value in values.values()}) > 1:
        raise InputError("inputs: expected a list of values for every column, all of one length")
    return _ordered(list(values), [list(row) for row in zip(*values.values(), strict=True)], columns)


def _ordered(names: Sequence[JsonValue], rows: Sequence[Sequence[JsonValue]], columns: Sequence[str]) -> Rows:
    """Put the cells of each row in the order of the model's columns; a column that is not there is None."""
    if twice := [column for column in columns if list(names).count(column) > 1]:
        raise InputError(f"the body: two columns are named {listed(twice)}; leave one out")
    places = [names.index(column) if column in names else None for column in columns]
    return [[None if place is None else row[place] for place in places] for row in rows]
