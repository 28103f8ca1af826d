"""Small models for batch jobs, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stancewire.predictor import load
from stancewire.reading import Reader
from tests.small_models import small_artefact


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of a topics and a stance model."""
    folder = tmp_path_factory.mktemp("models")
    return small_artefact(folder, "topics").path, small_artefact(folder, "stance").path


@pytest.fixture(scope="session")
def reader(models: tuple[Path, Path]) -> Reader:
    topics, stance = map(load, models)
    return Reader(topics, stance)  # type: ignore[arg-type]  # one of each task
