"""The model card of a real run: in the artefact, in the run, and in short beside the registered version."""

from __future__ import annotations

import json
import subprocess
import sys

import mlflow
from mlflow.tracking import MlflowClient

from stancewire.artefact import CARD, read_artefact
from tests.integration.conftest import ROOT, Trained


def test_the_card_stands_in_artefact_run_and_registry(trained: Trained) -> None:
    client = MlflowClient(trained.environment["MLFLOW_TRACKING_URI"])
    for name in ("stancewire-topics", "stancewire-stance"):
        artefact = read_artefact(trained.folder / "artefacts" / name)
        told = artefact.read_bytes(CARD).decode()
        version = client.get_model_version_by_alias(name, "challenger")
        assert version.run_id is not None
        root = client.get_run(version.run_id).info.artifact_uri
        assert mlflow.artifacts.load_text(f"{root}/{CARD}") == told
        report = json.loads(mlflow.artifacts.load_text(f"{root}/report/report.json"))
        assert report["model"]["digest"] == artefact.digest
        worst = next(one for one in report["slices"] if one["macro_f1"] is not None)
        line = f"Weakest slice: {worst['dimension']}: {worst['value']}, macro-F1 "
        assert line in told
        assert version.description is not None
        assert line in version.description
        assert "synthetic corpus" in told
        assert str(trained.folder) not in told
        assert str(ROOT) not in told


def test_the_command_line_prints_it(trained: Trained) -> None:
    command = [sys.executable, "-m", "stancewire", "inspect", str(trained.topics), "--card"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)  # noqa: S603 - our own program
    assert done.returncode == 0, done.stderr
    assert done.stdout == (trained.topics / CARD).read_bytes()
