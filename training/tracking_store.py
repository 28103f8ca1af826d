"""Where MLflow keeps runs: find it, see at once whether it can be used, and open an experiment in it."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from stancewire.errors import StancewireError
from stancewire.location import without_password

DEFAULT_URI = "sqlite:///mlflow.db"
FAILURES = (MlflowException, SQLAlchemyError)
_HOST_TAG, _PID_TAG, _STARTED_TAG = "stancewire.host", "stancewire.pid", "stancewire.started"
_SECONDS = 10.0


class TrackingError(StancewireError):
    """The MLflow server or database cannot be used."""

    @classmethod
    def of(cls, uri: str, error: BaseException | str) -> TrackingError:
        """Say why in one line, and what to do."""
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        told = without_password(f"MLflow at {uri} cannot be used: {reason}")
        return cls(f"{told}; set MLFLOW_TRACKING_URI, or mend what is there")


def connect() -> str:
    """Point MLflow to MLFLOW_TRACKING_URI, or to mlflow.db in the working directory; return the URI.

    MLflow itself would try again for minutes where nothing answers, so that is looked at first.

    Raises:
        TrackingError: when nothing usable is there.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri.startswith(("http://", "https://")):
        _check_server(uri)
    elif (database := sqlite_file(uri)) is not None:
        _check_database(uri, database)
    mlflow.set_tracking_uri(uri)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return uri


def open_experiment(uri: str, name: str) -> str:
    """Open an experiment, making it if need be; return its id.

    A new experiment in an SQLite database keeps its files in `mlruns` beside the database. MLflow would take
    `mlruns` of whatever the working directory is, and so tear the two apart.
    """
    database = sqlite_file(uri)
    if database is None:
        return str(mlflow.set_experiment(name).experiment_id)
    with locked(database):
        if MlflowClient().get_experiment_by_name(name) is None:
            home = database.resolve().parent / "mlruns" / _file_name(name)
            MlflowClient().create_experiment(name, artifact_location=home.as_uri())
        return str(mlflow.set_experiment(name).experiment_id)


def has_run(experiment_id: str, run_id: str) -> bool:
    """Tell whether an experiment has a run that nobody deleted."""
    try:
        info = MlflowClient().get_run(run_id).info
    except MlflowException:
        return False
    return info.experiment_id == experiment_id and info.lifecycle_stage == "active"


def sqlite_file(uri: str) -> Path | None:
    """Return the file of an SQLite URI; None for any other."""
    if not uri.startswith("sqlite"):
        return None
    try:
        name = make_url(uri).database
    except SQLAlchemyError as error:
        raise TrackingError.of(uri, error) from None
    return Path(name) if name and name != ":memory:" else None


def process_tags() -> dict[str, str]:
    """Return tags that tell later whether this process is still there."""
    pid = str(os.getpid())
    return {_HOST_TAG: socket.gethostname(), _PID_TAG: pid, _STARTED_TAG: _started(pid)}


def mark_killed_runs(experiment_id: str) -> list[str]:
    """Mark RUNNING runs of this host whose process is gone as KILLED; return their ids."""
    client = MlflowClient()
    found = client.search_runs(
        [experiment_id],
        filter_string=f"attributes.status = 'RUNNING' and tags.`{_HOST_TAG}` = '{socket.gethostname()}'",
        run_view_type=ViewType.ACTIVE_ONLY,
    )
    dead = [run.info.run_id for run in found if not _alive(run.data.tags)]
    for run_id in dead:
        client.set_terminated(run_id, status="KILLED")
    return dead


def _check_server(uri: str) -> None:
    """See that something answers, whatever it says."""
    try:
        parts = urlsplit(uri)
        # urllib takes user and password for a part of the host's name.
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        with urllib.request.urlopen(bare, timeout=_SECONDS):  # noqa: S310 - http or https
            return
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError) as error:
        raise TrackingError.of(uri, getattr(error, "reason", error)) from None


def _check_database(uri: str, database: Path) -> None:
    """See that the database is one, or can be made, and can be written."""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database, timeout=_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("SELECT count(*) FROM sqlite_master")
            connection.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        raise TrackingError.of(uri, error) from None


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Let one process at a time open the database: of several that make its tables at once, most crash."""
    with database.with_name(f"{database.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _alive(tags: dict[str, str]) -> bool:
    """Tell whether the process that these tags describe still runs; its number alone may be another's now."""
    pid, started = tags.get(_PID_TAG, ""), tags.get(_STARTED_TAG, "")
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return not started or _started(pid) in (started, "")


def _started(pid: str) -> str:
    """Return when a process started, in ticks since boot; "" where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name of the program, in brackets, may itself hold blanks and brackets.
    return stat.rpartition(")")[2].split()[19]


def _file_name(name: str) -> str:
    """Return a folder's name for any name of an experiment; different ones never share one."""
    plain = re.sub(r"[^\w-]", "_", name)[:80]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
