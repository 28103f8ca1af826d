"""What stands between MLflow's scoring server and a model of ours: strict requests in, plain errors out.

Alone, the server ignores `params` that a model does not take, turns the number 7 into the text "7" or the
text "NA" into nothing, takes the last of two equal keys, and answers errors with the request's own text, and
some with a stack trace and the paths of the machine. Its one function that answers a request is therefore
replaced, in the process of the server and for our models alone.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stancewire.errors import MissingExtraError, StancewireError
from stancewire.location import LOADER
from stancewire.serving.bodies import Rows, TooLargeError, csv_rows, json_rows, parquet_rows
from stancewire.serving.options import Limits
from stancewire.strictjson import JsonValue

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

    from stancewire.serving.model import ServedModel

_LOG = logging.getLogger(__name__)

_SERVER = "mlflow.pyfunc.scoring_server"
_JSON, _CSV, _PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
_UTF8 = ("", "charset=utf-8", 'charset="utf-8"')


def guard_server() -> None:
    """Put the guard in the place of the server's function, once; nothing in a process that serves nothing.

    Raises:
        StancewireError: if the environment's limits are no figures.
    """
    server: ModuleType | None = sys.modules.get(_SERVER)
    if server is not None and not isinstance(server.invocations, Guard):
        server.invocations = Guard(server.invocations, Limits.of_environment())  # type: ignore[attr-defined]


class Guard:
    """Answers a request for a model of ours; hands one for another's model to the server's own function."""

    def __init__(self, original: Callable[..., Any], limits: Limits) -> None:
        self._original = original
        self.limits = limits

    def __call__(self, data: bytes, content_type: str | None, model: PyFuncModel, *rest: object) -> Any:  # noqa: ANN401 - the server's own type
        """Answer a request.

        Args:
            data: its body.
            content_type: as its header says.
            model: what answers.
            rest: passed on.

        Returns:
            The server's own response; where it is an error, its text holds no text of the request, no stack
            trace and no path.
        """
        if model.metadata.flavors.get("python_function", {}).get("loader_module") != LOADER:
            return self._original(data, content_type, model, *rest)
        try:
            kind, _, parameters = (content_type or "").partition(";")
            if parameters.strip().lower() not in _UTF8:
                kind = ""
            return self._answer(data, kind.strip().lower(), model)
        except TooLargeError as error:
            return refused(413, str(error))
        except MissingExtraError as error:
            return refused(415, str(error))
        except StancewireError as error:
            return refused(400, str(error))
        except Exception as error:  # whatever fails, the client must not see its text
            if isinstance(error.__cause__, StancewireError):
                return refused(400, str(error.__cause__))
            _log(error)
            return refused(500, "the model failed; the server's log says where")

    def _answer(self, data: bytes, kind: str, model: PyFuncModel) -> object:
        from mlflow.pyfunc import scoring_server

        columns: list[str] = model.metadata.get_input_schema().input_names()  # type: ignore[no-untyped-call]
        readers: dict[str, Callable[[], tuple[Rows, JsonValue]]] = {
            _JSON: lambda: json_rows(data, columns, self.limits),
            _CSV: lambda: (csv_rows(data, columns, self.limits), None),
            _PARQUET: lambda: (parquet_rows(data, columns, self.limits), None),
        }
        if kind not in readers:
            return refused(415, f"expected one of the content types {', '.join(readers)}, in UTF-8")
        rows, params = readers[kind]()
        # Without MLflow's tables, which cost several times what a small prediction does.
        served: ServedModel = model.get_raw_model()  # type: ignore[no-untyped-call]
        lines = served.answer(rows, columns, params)
        body = json.dumps({"predictions": lines}, allow_nan=False)
        return scoring_server.InvocationsResponse(body, 200, _JSON)


def refused(status: int, message: str) -> Any:  # noqa: ANN401 - the server's own type
    """Return the server's response for an error."""
    from mlflow.pyfunc import scoring_server

    return scoring_server.InvocationsResponse(error_body(status, message), status, _JSON)


def error_body(status: int, message: str) -> str:
    """Return the body of every error: a code by status, and one message for people."""
    return json.dumps({"error_code": CODES.get(status, "INTERNAL_ERROR"), "message": message})


CODES = {
    400: "BAD_REQUEST",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _log(error: BaseException) -> None:
    """Log where it failed, and nothing that was said: messages may hold texts of the request."""
    origin = error.__context__ or error
    _LOG.error("%s at\n%s", type(origin).__name__, "".join(traceback.format_tb(origin.__traceback__)))
