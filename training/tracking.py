"""MLflow, in one place: one run per fit, marked FAILED when it fails and KILLED when it was killed."""

from __future__ import annotations

import hashlib
import json
import logging
import posixpath
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource  # type: ignore[attr-defined] # made at import
from mlflow.tracking import MlflowClient

from stancewire.serving.pyfunc import pyfunc_arguments
from training.tracking_store import (
    DEFAULT_URI,
    FAILURES,
    TrackingError,
    connect,
    has_run,
    mark_killed_runs,
    open_experiment,
    process_tags,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DEFAULT_URI", "RegisteredVersion", "TrackedRun", "TrackingError", "flatten", "tracked_run"]

# MLflow's own limits: what is longer is refused.
_VALUE_CHARS, _NAME_CHARS, _DIGEST_CHARS, _DESCRIPTION_CHARS = 6000, 250, 36, 5000
_PARAMS_A_CALL, _METRICS_A_CALL = 100, 1000
_NO_NAME = re.compile(r"[^\w.\- :/]")


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
        """Log a nested mapping as flat dotted parameters; a value too long for MLflow is cut, and says so."""
        flat = {safe_name(name): _short(str(value)) for name, value in flatten(values).items()}
        for part in _parts(flat, _PARAMS_A_CALL):
            mlflow.log_params(part)

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Log finite metrics, of the whole run or of one of its steps."""
        flat = {safe_name(name): value for name, value in values.items()}
        for part in _parts(flat, _METRICS_A_CALL):
            mlflow.log_metrics(part, step=step)

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
        mlflow.log_input(
            RowsDataset(where, name=name, digest=digest[:_DIGEST_CHARS], rows=rows), context=context
        )

    def figure(self, figure: Figure, file: str) -> None:
        """Log a figure as an artifact."""
        mlflow.log_figure(figure, file)

    def text(self, text: str, file: str) -> None:
        """Log a text file, such as the whole config."""
        mlflow.log_text(text, file)

    def table(self, columns: Mapping[str, list[Any]], file: str) -> None:
        """Log a table that the MLflow page can show."""
        mlflow.log_table(dict(columns), file)

    def model(self, folder: Path, name: str) -> str:
        """Log an artefact or a reader as a pyfunc model and return its URI; no code or pickle travels.

        Args:
            folder: of what is served.
            name: of the logged model.

        Raises:
            StancewireError: if the folder is damaged.
        """
        # MLflow takes no dot in the name of a logged model; the registered name may have one.
        with _unwarned("mlflow.utils.requirements_utils"):  # of packages that serve it, where it is trained
            info = mlflow.pyfunc.log_model(name=name.replace(".", "_"), **pyfunc_arguments(folder))
        return str(info.model_uri)

    def register(
        self, model_uri: str, name: str, alias: str, tags: Mapping[str, str], description: str = ""
    ) -> RegisteredVersion:
        """Register a logged model with a description in Markdown, and point the alias to the new version."""
        client = MlflowClient()
        with redirect_stderr(StringIO()):  # MLflow tells of it there, and the caller tells it better
            made = mlflow.register_model(model_uri, name, tags=dict(tags))
        if description:
            client.update_model_version(name, made.version, description[:_DESCRIPTION_CHARS])
        client.set_registered_model_alias(name, alias, made.version)
        return RegisteredVersion(name, int(made.version), alias)


@contextmanager
def tracked_run(
    experiment: str, run_name: str, tags: Mapping[str, str], *, resume: str = ""
) -> Iterator[TrackedRun]:
    """Open one run: FINISHED on success, FAILED on any exception, SIGTERM included.

    Runs of this machine that a SIGKILL left RUNNING are marked KILLED first.

    Args:
        experiment: that holds the run.
        run_name: of a new run.
        tags: of the run.
        resume: id of a run to go on with; where the experiment has no such run, a new one is opened.

    Raises:
        TrackingError: when the tracking server or database cannot be reached or written.
    """
    uri = connect()
    try:
        experiment_id = open_experiment(uri, experiment)
        mark_killed_runs(experiment_id)
        told = {**tags, **process_tags()}
        if resume and has_run(experiment_id, resume):
            run = mlflow.start_run(run_id=resume)
            mlflow.set_tags(told | {"stancewire.resumed": "true"})
        else:
            run = mlflow.start_run(run_name=run_name, tags=told)
        try:
            with _sigterm_raises(), run:
                yield TrackedRun(run.info.run_id)
        except BaseException:
            _close(run.info.run_id)
            raise
    except FAILURES as error:
        raise TrackingError.of(uri, error) from error


def log_later(run_id: str, values: Mapping[str, float]) -> None:
    """Log figures of a run that ended, which others were needed for.

    Raises:
        TrackingError: when the tracking server or database cannot be written.
    """
    uri = connect()
    try:
        for name, value in values.items():
            MlflowClient().log_metric(run_id, safe_name(name), value)
    except FAILURES as error:
        raise TrackingError.of(uri, error) from error


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings: {"a": {"b": 1}} becomes {"a.b": 1}; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def safe_name(name: str) -> str:
    """Return a name that MLflow takes for a parameter or metric; different names stay different."""
    plain = _NO_NAME.sub("_", name)
    if posixpath.normpath(plain) != plain or plain == "." or plain.startswith(("/", "..")):
        plain = plain.replace("/", "_").lstrip(".")
    if plain == name and len(name) <= _NAME_CHARS:
        return name
    return f"{plain[: _NAME_CHARS - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


@contextmanager
def _unwarned(name: str) -> Iterator[None]:
    """Let a logger tell of nothing less than errors while the block runs."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _short(value: str) -> str:
    if len(value) <= _VALUE_CHARS:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()
    end = f"… ({len(value):,} characters, sha256 {digest})"
    return value[: _VALUE_CHARS - len(end)] + end


def _parts(values: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    items = list(values.items())
    return (dict(items[start : start + size]) for start in range(0, len(items), size))


def _close(run_id: str) -> None:
    """Mark a run FAILED that MLflow could not end: SIGTERM may have met it in the midst of a write."""
    with suppress(*FAILURES):
        client = MlflowClient()
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_terminated(run_id, "FAILED")


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
