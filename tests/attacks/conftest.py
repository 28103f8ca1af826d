"""Small models for the attacks on batch jobs, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_models import small_artefact


@pytest.fixture(scope="session")
def batch_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of a topics and a stance model."""
    folder = tmp_path_factory.mktemp("models")
    return small_artefact(folder, "topics").path, small_artefact(folder, "stance").path
