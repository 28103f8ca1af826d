"""Tests that share a trained model and its servers run in one worker, whatever the number of workers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Put all integration tests into one group of `pytest -n`."""
    for item in items:
        if "integration" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("integration"))
