"""`python -m training.run` with an encoder: what it leaves behind, and how it goes on after a SIGKILL.

One run makes its fits one after the other, another one side by side.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from stancewire.artefact import read_artefact
from stancewire.predictor import load
from tests.corpora import rows_of, write_jsonl
from tests.integration.conftest import ROOT, environment
from tests.integration.processes import children, is_alive
from tests.unit.models.backbones import shared_backbone

NAME = "stancewire-stance"
SIDE_BY_SIDE = ("--set", "seed=0", "--at-once", "2")


@dataclass(frozen=True)
class Place:
    """A folder with a small corpus, a tracking database and what runs wrote."""

    folder: Path

    def command(self, output: str, *more: str) -> list[str]:
        settings = {
            "data.path": self.folder / "corpus.jsonl",
            "output": self.folder / output,
            "split.seed": 0,
            "model.backbone": shared_backbone(),
            "model.tokens": 64,
            "model.epochs": 3,
            "model.threads": 1,
            "model.learning_rate": "3e-3",
            "model.checkpoint_minutes": "1e-6",
            "evaluation.samples": 100,
            "evaluation.behaviour": "false",
            "tracking.target_blind_margin": 0,
        }
        sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        return [sys.executable, "-m", "training.run", "configs/stance-encoder.yaml", *sets, *more]

    def run(self, output: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - fixed program
            self.command(output, *more),
            cwd=ROOT,
            env=environment(self.folder),
            capture_output=True,
            text=True,
        )

    def client(self) -> MlflowClient:
        return MlflowClient(environment(self.folder)["MLFLOW_TRACKING_URI"])

    def runs(self) -> dict[str, str]:
        """Status of every run by its id."""
        client = self.client()
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return {run.info.run_id: run.info.status for run in client.search_runs(experiments)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("encoder")
    write_jsonl(folder / "corpus.jsonl", rows_of(90))
    return Place(folder)


@pytest.fixture(scope="module")
def printed(place: Place) -> str:
    """What two seeds, one after the other, print."""
    done = place.run("whole", "--seeds", "0,1")
    # Random weights on random words may well miss the gate: 3 says so.
    assert done.returncode in (0, 3), done.stdout + done.stderr
    # The target-blind twin finds no word often enough for a linear model; the model itself does.
    assert done.stderr.count("the encoder answers alone") == 2
    return done.stdout


@pytest.fixture(scope="module")
def killed(place: Place, printed: str) -> Iterator[str]:
    """Start the first seed's run again elsewhere, its fits side by side; kill it after its first checkpoint.

    Returns its MLflow run.
    """
    before = set(place.runs())
    state = place.folder / "resumed" / ".checkpoints" / NAME / "model" / "state.safetensors"
    with subprocess.Popen(  # noqa: S603 - fixed program
        place.command("resumed", *SIDE_BY_SIDE), cwd=ROOT, env=environment(place.folder)
    ) as process:
        while not state.is_file():
            assert process.poll() is None
            time.sleep(0.005)
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    while any(is_alive(worker) for worker in workers):
        time.sleep(0.05)
    (left,) = set(place.runs()) - before
    assert place.runs()[left] == "RUNNING"
    yield left


def test_the_table_has_what_it_is_to_beat(printed: str) -> None:
    for part in ("encoder", "linear", "target-blind", "majority", "over the seeds 0, 1, on one split"):
        assert part in printed, part


def test_the_artefact_runs_on_what_passed_the_gate(place: Place, printed: str) -> None:
    artefact = read_artefact(place.folder / "whole" / NAME)
    manifest = artefact.manifest
    assert (manifest.family, manifest.task) == ("encoder", "stance")
    engines: Any = manifest.model["engines"]
    assert set(manifest.files) == {"card.md", "model.onnx", "tokenizer.json", "weights.safetensors"}
    assert engines["onnxruntime"]["agreement"] == 1
    assert set(engines["onnxruntime"]["elsewhere"]) == {"dev", "disguised rows"}
    assert set(engines["onnxruntime"]["f1"]) == set(manifest.labels)
    predictor = load(artefact.path)
    assert (predictor.labels, predictor.provenance.model) == (manifest.labels, NAME)


def test_curves_and_seeds_are_logged_and_no_checkpoint_is(place: Place, printed: str) -> None:
    client = place.client()
    digest = read_artefact(place.folder / "whole" / NAME).digest
    (run,) = [
        found
        for run_id in place.runs()
        if (found := client.get_run(run_id)).data.tags.get("stancewire.artefact") == digest
        and found.info.run_name == NAME
        and "seeds/encoder/mean" in found.data.metrics
    ]
    for name in ("dev/macro_f1", "dev/loss", "target-blind/dev/macro_f1".replace("-", "_")):
        assert len(client.get_metric_history(run.info.run_id, name)) == 3, name
    assert len(client.get_metric_history(run.info.run_id, "train/loss")) >= 1
    assert {"text_cut/train", "linear/macro_f1", "parity/agreement"} <= set(run.data.metrics)
    files = json.dumps([file.path for file in client.list_artifacts(run.info.run_id)])
    assert "safetensors" not in files
    assert "checkpoint" not in files


def test_another_run_can_start_from_the_checkpoint(place: Place, printed: str) -> None:
    kept = place.folder / "whole" / "checkpoints"
    assert sorted(folder.name for folder in kept.iterdir()) == [NAME, f"{NAME}-seed1"]
    about = json.loads((kept / NAME / "stancewire.json").read_bytes())
    assert (about["task"], about["head"]) == ("stance", "mean")
    assert list((place.folder / "whole" / ".checkpoints").iterdir()) == []


def test_a_killed_run_goes_on_in_its_mlflow_run_and_ends_as_one_fit_after_the_other(
    place: Place, killed: str
) -> None:
    before = set(place.runs())
    done = place.run("resumed", *SIDE_BY_SIDE)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert set(place.runs()) == before
    assert place.runs()[killed] == "FINISHED"
    assert killed in done.stdout
    assert place.client().get_run(killed).data.tags["stancewire.resumed"] == "true"
    history = place.client().get_metric_history(killed, "dev/macro_f1")
    assert {point.step for point in history} == {
        point.step for point in place.client().get_metric_history(killed, "dev/loss")
    }
    assert len({point.step for point in history}) == 3
    whole, resumed = (read_artefact(place.folder / output / NAME) for output in ("whole", "resumed"))
    for name in whole.manifest.files:
        assert resumed.read_bytes(name) == whole.read_bytes(name)
    assert resumed.digest == whole.digest
