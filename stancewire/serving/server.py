"""Run the server: check what can be known beforehand, then hand over to uvicorn; leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stancewire.errors import MissingExtraError, StancewireError
from stancewire.location import MLMODEL, fetched, inside, located
from stancewire.predictor import Provenance
from stancewire.runtime.options import RUNTIME_VARIABLE, THREADS_VARIABLE, RuntimeOptions
from stancewire.serving.app import MODEL, create
from stancewire.serving.model import served_from
from stancewire.serving.options import MAX_BYTES, MAX_ROWS, Pair, ServeOptions
from stancewire.serving.pyfunc import save_pyfunc
from stancewire.serving.reader_folder import write_reader_folder

_TIMEOUT = "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"
_KEEP_ALIVE_SECONDS = 75
_LAST_SECONDS = 10
"""What requests under way may still take when the server is told to end."""


def serve(model: str | Pair, options: ServeOptions, report: Callable[[str], None]) -> int:
    """Serve until told to end by SIGTERM or SIGINT.

    Args:
        model: an artefact's, a reader's or an MLflow model's folder, or an MLflow URI; or two artefacts.
        options: how.
        report: told once when the server is about to listen.

    Returns:
        0, when it ended because it was told to.

    Raises:
        StancewireError: for anything that keeps it from starting.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    _check_installed(options.workers)
    port = _free(options.host, options.port)
    with _terminated_quietly(), model_folder(model) as folder:
        os.environ.update(_environment(folder, options))
        _run(folder, port, options, report)
    return 0


@contextmanager
def model_folder(model: str | Pair) -> Iterator[Path]:
    """Yield the folder of an MLflow model: the one that is named, or one made around a bare artefact.

    Raises:
        StancewireError: if there is none, or it is not stancewire's.
    """
    with ExitStack() as stack:
        if isinstance(model, Pair):
            temporary = Path(stack.enter_context(TemporaryDirectory(prefix="stancewire-")))
            topics, stance = (stack.enter_context(located(one)) for one in (model.topics, model.stance))
            folder = write_reader_folder(temporary / "reader", topics, stance)
            yield save_pyfunc(folder, temporary / "model")
            return
        folder = stack.enter_context(fetched(model))
        if (folder / MLMODEL).is_file():
            inside(folder)
            yield folder
            return
        temporary = Path(stack.enter_context(TemporaryDirectory(prefix="stancewire-")))
        yield save_pyfunc(folder, temporary / "model")


def _environment(folder: Path, options: ServeOptions) -> dict[str, str]:
    """Return what the processes of the server look at."""
    share = max(1, RuntimeOptions().thread_count // options.workers)
    threads = options.threads or os.environ.get(THREADS_VARIABLE) or share
    runtime = options.runtime or os.environ.get(RUNTIME_VARIABLE) or ""
    return {
        MODEL: str(folder),
        MAX_ROWS: str(options.limits.max_rows),
        MAX_BYTES: str(options.limits.max_bytes),
        THREADS_VARIABLE: str(threads),
        RUNTIME_VARIABLE: runtime,
        _TIMEOUT: str(options.timeout),
    }


def _run(folder: Path, port: int, options: ServeOptions, report: Callable[[str], None]) -> None:
    import uvicorn

    shared: dict[str, Any] = {
        "host": options.host,
        "port": port,
        "access_log": False,  # it holds what a client wrote into the path; the front has its own
        "log_config": _log_config(),
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": _LAST_SECONDS,
        "server_header": False,
    }
    about = f"http://{_shown(options.host)}:{port}, {options.workers} worker{'s' * (options.workers > 1)}"
    if options.workers > 1:
        # Loaded here to see that it can be: a worker that cannot start is started again, and again.
        sources = served_from(inside(folder)).sources
        report(f"serving {_names(sources)} on {about}")
        uvicorn.run("stancewire.serving.app:create", factory=True, workers=options.workers, **shared)
        return
    app = create()
    report(f"serving {_names(app.sources)} on {about}")
    uvicorn.Server(uvicorn.Config(app, **shared)).run()


def _names(sources: Mapping[str, Provenance]) -> str:
    return " and ".join(f"{source.model}@{source.digest[:12]}" for source in sources.values())


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _check_installed(workers: int) -> None:
    """Refuse to start without what serves, and several workers without what makes them answer at once."""
    if missing := [name for name in ("mlflow", "pandas", "uvicorn") if find_spec(name) is None]:
        raise MissingExtraError.of(f"serving ({', '.join(missing)})", "serve")
    if workers > 1 and (missing := [name for name in ("uvloop", "httptools") if find_spec(name) is None]):
        raise MissingExtraError(
            f"{workers} workers need {' and '.join(missing)}, without which every kept-alive request waits "
            "for some 40 ms: pip install 'stancewire[serve]', or serve with one worker"
        )


def _free(host: str, port: int) -> int:
    """Return the port, or a free one for 0.

    Raises:
        StancewireError: if nothing can listen there.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            found: int = probe.getsockname()[1]
            return found
    except (OSError, UnicodeError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise StancewireError(
            f"cannot listen on {_shown(host)}:{port}: {reason}; end what listens there, or choose another "
            "--port"
        ) from None


@contextmanager
def _terminated_quietly() -> Iterator[None]:
    """Let SIGTERM end the block as a finished server does: what is temporary goes, and the exit code is 0."""

    def stop(*_: object) -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _log_config() -> dict[str, Any]:
    from uvicorn.config import LOGGING_CONFIG

    loggers = LOGGING_CONFIG["loggers"] | {
        "stancewire": {"handlers": ["default"], "level": "INFO", "propagate": False}
    }
    return LOGGING_CONFIG | {"loggers": loggers}
