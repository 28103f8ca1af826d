"""Tests that share what takes long to make run in one worker, whatever the number of workers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Put integration tests into groups of `pytest -n`: those with the trained models, and others by file."""
    for item in items:
        if "integration" in item.path.parts:
            shared = "trained" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("trained" if shared else item.path.stem))
