"""How tracked runs end, and what becomes of those whose process is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.integration.conftest import ROOT
from training.tracking import TrackingError, tracked_run
from training.tracking_store import connect, mark_killed_runs, open_experiment, process_tags

SCRIPT = """
import os, signal, sys
from training.tracking import TrackingError, tracked_run
try:
    with tracked_run("e", sys.argv[1], {}) as run:
        print(run.run_id, flush=True)
        if sys.argv[1] == "term": os.kill(os.getpid(), signal.SIGTERM)
        if sys.argv[1] == "kill": os.kill(os.getpid(), signal.SIGKILL)
except TrackingError as error:
    sys.exit(f"error: {error}")
"""


def start(name: str, database: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{database}", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", SCRIPT, name],
        env=environment,
        cwd=database.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_exception_marks_the_run_failed_and_comes_through(database: Path) -> None:
    with pytest.raises(KeyError), tracked_run("e", "first", {}) as run:
        raise KeyError("x")
    assert MlflowClient().get_run(run.run_id).info.status == "FAILED"


def test_a_run_that_mlflow_could_not_end_is_marked_failed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when SIGTERM meets MLflow in the midst of a write, and what ends the run finds it locked."""

    def locked(self: object, *told: object) -> None:
        raise MlflowException("database is locked")

    monkeypatch.setattr(mlflow.ActiveRun, "__exit__", locked)
    with pytest.raises(TrackingError, match="database is locked"), tracked_run("e", "r", {}) as run:
        raise SystemExit(143)
    status = MlflowClient().get_run(run.run_id).info.status
    mlflow.end_run("FAILED")
    assert status == "FAILED"


def test_signals(database: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with tracked_run("e", "alive", {}) as run:
        processes = {name: start(name, database) for name in ("term", "kill")}
        ids = {name: process.communicate(timeout=60)[0].strip() for name, process in processes.items()}
        assert {name: process.returncode for name, process in processes.items()} == {"term": 143, "kill": -9}
        assert MlflowClient().get_run(ids["term"]).info.status == "FAILED"
        assert MlflowClient().get_run(ids["kill"]).info.status in ("RUNNING", "KILLED")
        other = start("other", database)
        other.communicate(timeout=60)
        assert other.returncode == 0
        assert MlflowClient().get_run(ids["kill"]).info.status == "KILLED"
        assert MlflowClient().get_run(run.run_id).info.status == "RUNNING"
    assert MlflowClient().get_run(run.run_id).info.status == "FINISHED"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_number_that_another_process_has_now_is_dead(database: Path) -> None:
    experiment = open_experiment(connect(), "e")
    client, tags = MlflowClient(), process_tags()
    ours = client.create_run(experiment, tags=tags).info.run_id
    reused = client.create_run(experiment, tags=tags | {"stancewire.started": "1"}).info.run_id
    nowhere = client.create_run(experiment, tags=tags | {"stancewire.pid": "999999999"}).info.run_id
    elsewhere = {"stancewire.host": "elsewhere", "stancewire.pid": "999999999"}
    foreign = client.create_run(experiment, tags=tags | elsewhere).info.run_id
    untagged = client.create_run(experiment).info.run_id
    assert sorted(mark_killed_runs(experiment)) == sorted([reused, nowhere])
    for run_id in (ours, foreign, untagged):
        assert MlflowClient().get_run(run_id).info.status == "RUNNING"


def test_two_processes_that_first_open_a_database_at_once_both_work(tmp_path: Path) -> None:
    new = tmp_path / "new" / "mlflow.db"
    new.parent.mkdir()
    processes = [start(name, new) for name in ("one", "two")]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    mlflow.set_tracking_uri(f"sqlite:///{new}")
    names = sorted(
        run.info.run_name for run in mlflow.search_runs(search_all_experiments=True, output_format="list")
    )
    assert names == ["one", "two"]
