"""The commands and the Python of docs/batch.md, with the models of the shipped configs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.batch_cases import content, rows_of
from tests.integration.conftest import ROOT, Trained

TEXT = (ROOT / "docs" / "batch.md").read_text("utf-8")


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)  # noqa: S603 - the docs' own
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_documented_job_and_its_python(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "artefacts").symlink_to(trained.folder / "artefacts")
    (tmp_path / "data").symlink_to(ROOT / "data")
    commands = re.findall(r"^stancewire (batch .*?)(?: +#.*)?$", TEXT, re.M)
    assert len(commands) == 2
    for command in commands:
        said = run(tmp_path, sys.executable, "-m", "stancewire", *command.split())
        assert said.startswith("504 rows = 504 read + 0 rejected; 1 shard")
    assert "504 rows done before" in said
    before = content(tmp_path / "out")
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    assert run(tmp_path, sys.executable, "-c", code) == "504 504 {} 0\n"
    assert content(tmp_path / "out") == before
    assert {row["verdict"] for one in rows_of(tmp_path / "out", "readings") for row in one["targets"]} > {
        "favor"
    }
