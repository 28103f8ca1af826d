"""Train both shipped configs once, into a temporary folder, as a user would from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.server import Server

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Trained:
    """What one `python -m training.run topics stance` left behind."""

    folder: Path
    output: str
    environment: Mapping[str, str]

    @property
    def topics(self) -> Path:
        return self.folder / "artefacts" / "stancewire-topics"

    @property
    def stance(self) -> Path:
        return self.folder / "artefacts" / "stancewire-stance"


def environment(folder: Path) -> dict[str, str]:
    """This process' environment with the tracking database in a folder of the test's own."""
    return {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", "COLUMNS": "100"}


# The shipped configs, with one more split to show, and the strength that their search ends at: the search is
# most of a run's time, and has tests of its own.
SHIPPED = (
    *("configs/topics-linear.yaml", "configs/stance-linear.yaml"),
    *("--set", "evaluation.outlet_split=[official]"),
    *("--set", "model.regularisation=[10.0]"),
)


def run_training(
    folder: Path, *arguments: str, surroundings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.run", *arguments, "--set", f"output={folder / 'artefacts'}"]
    return subprocess.run(  # noqa: S603 - fixed program
        command, cwd=ROOT, env=environment(folder) | dict(surroundings or {}), capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    done = run_training(folder, *SHIPPED)
    assert done.returncode == 0, done.stdout + done.stderr
    return Trained(folder, done.stdout, environment(folder))


@pytest.fixture(scope="session")
def topics_server(trained: Trained) -> Iterator[Server]:
    """MLflow's own server."""
    with Server.mlflow("models:/stancewire-topics@challenger", trained.environment) as server:
        yield server


@pytest.fixture(scope="session")
def stance_server(trained: Trained) -> Iterator[Server]:
    """Ours, of a registered model."""
    uri = "models:/stancewire-stance@challenger"
    with Server.stancewire(uri, environment=trained.environment) as server:
        yield server


@pytest.fixture(scope="session")
def reader_server(trained: Trained) -> Iterator[Server]:
    """Ours, of two artefacts' folders, with two workers and low limits."""
    limits = ["--workers", "2", "--max-rows", "50", "--max-bytes", "200000"]
    pair = ["--topics", str(trained.topics), "--stance", str(trained.stance)]
    with Server.stancewire(*pair, *limits, environment=trained.environment) as server:
        yield server
