"""The examples of docs/serving.md run as written, but for the ports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT
from tests.integration.server import Server

TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


def blocks(language: str, topics: Server, stance: Server) -> list[str]:
    """The code blocks of a language, asking these servers."""
    text = TEXT.replace(":5001", f":{topics.port}").replace(":5002", f":{stance.port}")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(topics_server: Server, stance_server: Server) -> None:
    commands = [block for block in blocks("sh", topics_server, stance_server) if block.startswith("curl")]
    answers = [
        json.loads(subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout)  # noqa: S603, S607
        for command in commands
    ]
    assert [len(answer["predictions"]) for answer in answers] == [3, 4]
    assert answers[0]["predictions"][0]["id"] == "007"
    assert sum(line["decision"] for line in answers[1]["predictions"]) == 1


def test_python_client(topics_server: Server, stance_server: Server, tmp_path: Path) -> None:
    (program,) = blocks("python", topics_server, stance_server)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["a1", "arms_trade"],
        ["a1", "diplomacy"],
        ["a1", "sanctions"],
    ]
    assert lines[3] == "row 0: expected 'id' to be a text, found int; quote it"


def test_the_documented_way_to_serve_is_the_tested_one() -> None:
    for name in ("topics", "stance"):
        assert (
            f"mlflow models serve -m models:/stancewire-{name}@challenger --env-manager local --host" in TEXT
        )
