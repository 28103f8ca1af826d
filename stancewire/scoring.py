"""What stands between MLflow's scoring server and a model of ours: strict requests in, plain errors out.

Alone, the server ignores `params` that a model does not take, turns the number 7 into the text "7" or the
text "NA" into nothing, takes the last of two equal keys, and answers errors with the request's own text, and
some with a stack trace and the paths of the machine. Its one function that answers a request is therefore
wrapped, in the process of the server and for our models alone.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from io import StringIO
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from stancewire.errors import InputError, StancewireError
from stancewire.section import listed
from stancewire.strictjson import JsonValue, StrictJsonError, loads

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

_LOG = logging.getLogger(__name__)

LOADER = "stancewire.serving"
MAX_BYTES = 100_000_000
_SERVER = "mlflow.pyfunc.scoring_server"
_JSON, _CSV = "application/json", "text/csv"
_FORMATS = ("dataframe_records", "dataframe_split", "instances", "inputs")

Rows: TypeAlias = list[list[JsonValue]]


def guard_server() -> None:
    """Wrap the server's function, once; do nothing in a process that serves nothing."""
    server: ModuleType | None = sys.modules.get(_SERVER)
    if server is not None and not isinstance(server.invocations, Guard):
        server.invocations = Guard(server.invocations)  # type: ignore[attr-defined]


class Guard:
    """The server's function with a check before it and a clean-up behind it."""

    def __init__(self, original: Callable[..., Any]) -> None:
        self._original = original

    def __call__(self, data: bytes, content_type: str | None, model: PyFuncModel, *rest: object) -> object:
        """Answer a request.

        Args:
            data: its body.
            content_type: as its header says.
            model: what answers.
            rest: passed on.

        Raises:
            MlflowException: with a text that holds no text of the request and no path: BAD_REQUEST when the
                request is at fault, INTERNAL_ERROR when the model is.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import BAD_REQUEST, INTERNAL_ERROR

        if model.metadata.flavors.get("python_function", {}).get("loader_module") != LOADER:
            return self._original(data, content_type, model, *rest)
        kind, _, parameters = (content_type or "none").partition(";")
        columns: list[str] = model.metadata.get_input_schema().input_names()  # type: ignore[no-untyped-call]
        readers = {_JSON: json_rows, _CSV: csv_rows}
        read = readers.get(kind.strip().lower())
        try:
            if read is None:
                return self._original(data, content_type or "none", model, *rest)
            body = json.dumps({"dataframe_split": {"columns": columns, "data": read(data, columns)}})
            return self._original(body, f"{_JSON};{parameters}" if parameters else _JSON, model, *rest)
        except StancewireError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from None
        except MlflowException as error:
            if isinstance(error.__cause__, StancewireError):
                raise MlflowException(str(error.__cause__), error_code=BAD_REQUEST) from None
            _log(error)
            if read is None:
                told = f"the {kind} body does not hold rows of the columns {listed(columns)}"
                raise MlflowException(told, error_code=BAD_REQUEST) from None
            told = "the model failed; the server's log says where"
            raise MlflowException(told, error_code=INTERNAL_ERROR) from None


def json_rows(data: bytes, columns: Sequence[str]) -> Rows:
    """Read the rows of a JSON body, in the order of these columns; other columns are left out.

    Raises:
        InputError: if it is not strict JSON, has params, or is none of MLflow's four formats.
    """
    try:
        body = loads(data, max_bytes=MAX_BYTES)
    except StrictJsonError as error:
        raise InputError(f"the body: {error}") from None
    if not isinstance(body, dict):
        raise InputError(f"expected a JSON object with one of {listed(_FORMATS)}, found {_kind(body)}")
    if params := body.pop("params", None):
        named = f": {listed(params)}" if isinstance(params, dict) else ""
        raise InputError(f"the model takes no params, found some{named}; leave 'params' out")
    if len(body) != 1 or next(iter(body)) not in _FORMATS:
        raise InputError(f"expected one of {listed(_FORMATS)}, and nothing else, found {listed(body)}")
    (name, content), *_ = body.items()
    if name == "dataframe_split":
        return _split(content, columns)
    if name == "inputs" and isinstance(content, dict):
        return _by_column(content, columns)
    return _records(name, content, columns)


def csv_rows(data: bytes, columns: Sequence[str]) -> Rows:
    """Read the rows of a CSV body with a header; every cell is a text, and an empty one is missing.

    Raises:
        InputError: if it is not strict CSV in UTF-8 of at most 100 MB.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"the body: {len(data):,} bytes, at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the body: not UTF-8 at byte {error.start}") from None
    # The module's own limit is shorter than an article may be, and holds for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        cells = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"the body: not CSV at line {reader.line_num:,}: {error}") from None
    for line, row in cells:
        if len(row) != len(header):
            raise InputError(f"the body: line {line:,}: expected {len(header)} cells, found {len(row)}")
    return _ordered(header, [[cell or None for cell in row] for _, row in cells], columns)


def _records(name: str, content: JsonValue, columns: Sequence[str]) -> Rows:
    if not isinstance(content, list):
        raise InputError(f"{name}: expected a list of objects, found {_kind(content)}")
    rows: Rows = []
    for number, record in enumerate(content):
        if not isinstance(record, dict):
            raise InputError(f"{name}: row {number}: expected an object, found {_kind(record)}")
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


def _kind(value: JsonValue) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def _log(error: BaseException) -> None:
    """Log where it failed, and nothing that was said: messages may hold texts of the request."""
    origin = error.__context__ or error
    _LOG.error("%s at\n%s", type(origin).__name__, "".join(traceback.format_tb(origin.__traceback__)))
