"""What a training run keeps of the behavioural tests, and that the command finds it again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from stancewire.predictor import load
from tests.integration.conftest import ROOT, Trained
from training.behaviour import BehaviourReport, run_behaviour
from training.behaviour.trained import reports_in


def told(path: Path) -> tuple[BehaviourReport | None, BehaviourReport | None]:
    return reports_in(load(path).artefact.manifest.metrics)


def test_the_manifest_holds_the_rates_of_the_artefact(trained: Trained) -> None:
    topics, stance = told(trained.topics), told(trained.stance)
    assert topics == (run_behaviour(load(trained.topics)), None)
    assert stance[0] == run_behaviour(load(trained.stance))
    assert stance[1] is not None
    assert stance[1].capabilities["target_swap"].rate.value == 1


def test_the_run_prints_and_logs_them(trained: Trained) -> None:
    assert trained.output.count("behaviour fails most at ") == 2
    client = MlflowClient(trained.environment["MLFLOW_TRACKING_URI"])
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = {run.info.run_name: run for run in client.search_runs(experiments)}
    for name, path in (("stancewire-topics", trained.topics), ("stancewire-stance", trained.stance)):
        logged = {key: value for key, value in runs[name].data.metrics.items() if key.startswith("behaviour")}
        model, blind = told(path)
        assert model is not None
        wanted = model.flat_metrics("behaviour")
        wanted |= blind.flat_metrics("behaviour_target_blind") if blind else {}
        assert logged == pytest.approx(wanted)
        files = {file.path for file in client.list_artifacts(runs[name].info.run_id)}
        assert {"behaviour.json", "behaviour_failures.json"} <= files


def test_the_command_shows_the_blind_baseline_of_the_run(trained: Trained) -> None:
    command = [sys.executable, "-m", "training.behaviour", str(trained.stance), "--json"]
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    model, blind = told(trained.stance)
    assert reports_in(json.loads(done.stdout)) == (model, blind)
