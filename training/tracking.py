"""MLflow, in one place: one run per fit, marked FAILED when it fails and KILLED when it was killed."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancewire.artefact import Artefact
from stancewire.errors import StancewireError
from stancewire.serving import signature

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource  # type: ignore[attr-defined] # made at import
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT_URI = "sqlite:///mlflow.db"
_HOST_TAG, _PID_TAG = "stancewire.host", "stancewire.pid"


class TrackingError(StancewireError):
    """The MLflow server or database cannot be used."""


@dataclass(frozen=True)
class RegisteredVersion:
    """A model version in the registry, and the alias that now points to it."""

    name: str
    version: int
    alias: str

    @property
    def uri(self) -> str:
        """The address that `mlflow models serve` and `stancewire.load` take."""
        return f"models:/{self.name}@{self.alias}"


class RowsDataset(MetaDataset):
    """What MLflow's page shows of a part of the data: where it is from, its digest, how many rows."""

    def __init__(self, source: DatasetSource, *, name: str, digest: str, rows: int | None) -> None:
        super().__init__(source, name=name, digest=digest)
        self._rows = rows

    @property
    def profile(self) -> dict[str, int] | None:
        """The number of rows, where it is known."""
        return None if self._rows is None else {"num_rows": self._rows}

    def to_dict(self) -> dict[str, str]:
        """Add the profile to what MLflow keeps."""
        profile = {} if self._rows is None else {"profile": json.dumps(self.profile)}
        return super().to_dict() | profile


class TrackedRun:
    """One MLflow run; a thin, typed face of what a training run logs."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def params(self, values: Mapping[str, Any]) -> None:
        """Log a nested mapping as flat dotted parameters."""
        mlflow.log_params(flatten(values))

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log finite metrics in one call."""
        mlflow.log_metrics(dict(values))

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags on the run."""
        mlflow.set_tags(dict(values))

    def dataset(self, name: str, source: str, digest: str, context: str, rows: int | None = None) -> None:
        """Log which rows a part of the run saw; digest is a sha256, cut to the 36 characters MLflow keeps."""
        where: DatasetSource = (
            LocalArtifactDatasetSource(source)
            if Path(source).exists()
            else CodeDatasetSource({"hub": source})
        )
        mlflow.log_input(RowsDataset(where, name=name, digest=digest[:36], rows=rows), context=context)

    def figure(self, figure: Figure, file: str) -> None:
        """Log a figure as an artifact."""
        mlflow.log_figure(figure, file)

    def text(self, text: str, file: str) -> None:
        """Log a text file, such as the whole config."""
        mlflow.log_text(text, file)

    def table(self, columns: Mapping[str, list[Any]], file: str) -> None:
        """Log a table that the MLflow page can show."""
        mlflow.log_table(dict(columns), file)

    def model(
        self, artefact: Artefact, input_example: Mapping[str, list[str]], requirements: list[str]
    ) -> str:
        """Log the artefact as a pyfunc model and return its URI; no code and no pickle travels with it."""
        import pandas as pd

        info = mlflow.pyfunc.log_model(
            name=artefact.manifest.name,
            loader_module="stancewire.serving",
            data_path=str(artefact.path),
            signature=signature(artefact.manifest.task),
            input_example=pd.DataFrame(dict(input_example)),
            pip_requirements=requirements,
            metadata={"artefact_digest": artefact.digest},
        )
        return str(info.model_uri)

    def register(self, model_uri: str, name: str, alias: str, tags: Mapping[str, str]) -> RegisteredVersion:
        """Register a logged model and point the alias to the new version."""
        made = mlflow.register_model(model_uri, name, tags=dict(tags))
        MlflowClient().set_registered_model_alias(name, alias, made.version)
        return RegisteredVersion(name, int(made.version), alias)


@contextmanager
def tracked_run(experiment: str, run_name: str, tags: Mapping[str, str]) -> Iterator[TrackedRun]:
    """Open one run: FINISHED on success, FAILED on any exception, SIGTERM included.

    Runs of this machine that a SIGKILL left RUNNING are marked KILLED first.

    Raises:
        TrackingError: when the tracking server or database cannot be reached or written.
    """
    uri = connect()
    try:
        experiment_id = mlflow.set_experiment(experiment).experiment_id
        mark_killed_runs(experiment_id)
        run = mlflow.start_run(run_name=run_name, tags={**tags, **_process_tags()})
    except MlflowException as error:
        raise TrackingError(
            f"MLflow at {uri} cannot be used: {_first_line(error)}; "
            "set MLFLOW_TRACKING_URI or mend the database"
        ) from error
    with _sigterm_raises(), run:
        yield TrackedRun(run.info.run_id)


def connect() -> str:
    """Point MLflow to MLFLOW_TRACKING_URI, or to mlflow.db in the working directory; return the URI."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    mlflow.set_tracking_uri(uri)
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return uri


def mark_killed_runs(experiment_id: str) -> list[str]:
    """Mark RUNNING runs of this host whose process is gone as KILLED; return their ids."""
    client = MlflowClient()
    found = client.search_runs(
        [experiment_id],
        filter_string=f"attributes.status = 'RUNNING' and tags.`{_HOST_TAG}` = '{socket.gethostname()}'",
        run_view_type=ViewType.ACTIVE_ONLY,
    )
    dead = [run.info.run_id for run in found if not _alive(run.data.tags.get(_PID_TAG, ""))]
    for run_id in dead:
        client.set_terminated(run_id, status="KILLED")
    return dead


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings: {"a": {"b": 1}} becomes {"a.b": 1}; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _process_tags() -> dict[str, str]:
    return {_HOST_TAG: socket.gethostname(), _PID_TAG: str(os.getpid())}


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into SystemExit while a run is open, so that the run is closed as FAILED."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
