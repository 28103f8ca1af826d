"""How benchmarks end: a path that is not there is one line, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "arguments",
    [
        ["benchmarks.reading", "nowhere", "nowhere"],
        ["benchmarks.out_of_domain", "nowhere", "nowhere"],
        ["benchmarks.quality", "--public", "nowhere", "--only", "newsmtsc", "--models", "linear"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_path_that_is_not_there_is_one_clear_error(arguments: list[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - our own program
    assert done.returncode == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error"]
    assert "nowhere" in done.stderr
