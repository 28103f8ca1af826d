"""Databases of MLflow, each of one test alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables and nothing in them: making them takes seconds."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.set_tracking_uri(f"sqlite:///{file}")
    MlflowClient().search_experiments()
    return file


@pytest.fixture
def database(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The database of one test, and a working directory elsewhere."""
    file = tmp_path / "store" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(empty_database, file)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    yield file
    assert not list(elsewhere.iterdir())
