"""A sweep in MLflow: one parent run, and below it one run a trial with its settings and fold scores."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from training.tracking import TrackingError, flatten, safe_name
from training.tracking_store import FAILURES, connect, mark_killed_runs, open_experiment, process_tags
from training.tuning.load import Sweep
from training.tuning.study import Trials
from training.yaml import Plain

_STATE = "stancewire.state"
_PARENT = "mlflow_run"
_FINISHED = {"COMPLETE": "FINISHED", "PRUNED": "FINISHED", "FAIL": "FAILED", "STOPPED": "KILLED"}
_CHARS = 500


class SweepRun:
    """The parent run of a sweep. It never is MLflow's active run: that is left to the run of the choice.

    Attributes:
        run_id: of the parent.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, run_id: str, name: str) -> None:
        self._client, self._experiment_id, self._name = client, experiment_id, name
        self.run_id = run_id

    def begin(self, ordinal: int, settings: Mapping[str, Plain]) -> str:
        """Open the run of a trial and return its id."""
        tags = {MLFLOW_PARENT_RUN_ID: self.run_id, "stancewire.trial": str(ordinal), **process_tags()}
        run = self._client.create_run(
            self._experiment_id, tags=tags, run_name=f"{self._name} trial {ordinal}"
        )
        run_id = str(run.info.run_id)
        params = [Param(safe_name(path), str(value)) for path, value in settings.items()]
        self._client.log_batch(run_id, params=params)
        return run_id

    def fold(self, run_id: str, number: int, fold: float, running: float) -> None:
        """Log the scores of a trial after one more fold, counted from 0."""
        now = _now()
        scored = {"fold/macro_f1": fold, "running/macro_f1": running}
        self._client.log_batch(run_id, [Metric(name, value, now, number) for name, value in scored.items()])

    def end(self, run_id: str, state: str, score: float | None = None, reason: str = "") -> None:
        """Close the run of a trial as COMPLETE, PRUNED, FAIL or STOPPED."""
        metrics = [] if score is None else [Metric("macro_f1", score, _now(), 0)]
        tags = [RunTag(_STATE, "FAIL" if state == "STOPPED" else state)]
        if reason:
            tags.append(RunTag("stancewire.reason", reason[:_CHARS]))
        self._client.log_batch(run_id, metrics, tags=tags)
        self._client.set_terminated(run_id, _FINISHED[state])

    def stopped(self, run_ids: list[str]) -> None:
        """Close the runs of trials that were stopped; those that this MLflow does not know are left alone."""
        for run_id in run_ids:
            if _known(self._client, run_id):
                self.end(run_id, "STOPPED")

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log figures of the whole sweep."""
        now = _now()
        self._client.log_batch(self.run_id, [Metric(name, value, now, 0) for name, value in values.items()])

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags on the parent."""
        self._client.log_batch(self.run_id, tags=[RunTag(name, value) for name, value in values.items()])

    def text(self, text: str, file: str) -> None:
        """Log a text file."""
        self._client.log_text(self.run_id, text, file)


@contextmanager
def sweep_run(sweep: Sweep, trials: Trials) -> Iterator[SweepRun]:
    """Open the parent run, or open it again where the sweep has one: FINISHED at the end, FAILED on failure.

    Raises:
        TrackingError: when the tracking server or database cannot be reached or written.
    """
    uri = connect()
    try:
        experiment_id = open_experiment(uri, sweep.config.tracking.experiment)
        mark_killed_runs(experiment_id)
        client = MlflowClient()
        run_id = _parent(client, experiment_id, sweep, trials)
        run = SweepRun(client, experiment_id, run_id, sweep.config.name)
        try:
            yield run
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
    except FAILURES as error:
        raise TrackingError.of(uri, error) from error


def _parent(client: MlflowClient, experiment_id: str, sweep: Sweep, trials: Trials) -> str:
    noted = trials.noted(_PARENT)
    if noted and _known(client, noted):
        client.update_run(noted, RunStatus.to_string(RunStatus.RUNNING))
        for name, value in process_tags().items():
            client.set_tag(noted, name, value)
        return str(noted)
    tags = {"stancewire.task": sweep.config.task, "stancewire.family": sweep.config.model.family}
    name = f"{sweep.config.name} sweep"
    run = client.create_run(experiment_id, tags={**tags, **process_tags()}, run_name=name)
    settings = sweep.config.model_dump(mode="json") | {"tune": _described(sweep)}
    params = [Param(safe_name(path), str(value)[:_CHARS]) for path, value in flatten(settings).items()]
    client.log_batch(run.info.run_id, params=params)
    trials.note(_PARENT, run.info.run_id)
    return str(run.info.run_id)


def _described(sweep: Sweep) -> dict[str, object]:
    told = sweep.tune.model_dump(mode="json", include={"metric", "folds", "pruner"})
    return told | {
        "space": {path: f"{drawn.kind} {list(drawn.values)}" for path, drawn in sweep.tune.space.items()}
    }


def _known(client: MlflowClient, run_id: str) -> bool:
    """Tell whether this MLflow holds a run; trials may have been kept in another one."""
    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def _now() -> int:
    """Return MLflow's time stamp of a metric, in milliseconds."""
    return round(1000 * time.time())
