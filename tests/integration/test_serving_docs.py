"""The examples of docs/serving.md run as written, but for the ports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stancewire.cli import app
from tests.integration.conftest import ROOT
from tests.integration.server import Server

TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, servers: dict[str, Server], text: str = TEXT) -> list[str]:
    """The code blocks of a language, asking these servers."""
    for port, server in servers.items():
        text = text.replace(port, str(server.port))
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def servers(reader_server: Server, topics_server: Server, stance_server: Server) -> dict[str, Server]:
    return {"5001": reader_server, "5002": topics_server, "5003": stance_server}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("text", [TEXT, README], ids=["docs", "README"])
def test_curl(servers: dict[str, Server], text: str) -> None:
    commands = [block for block in blocks("sh", servers, text) if block.startswith("curl")]
    answers = [
        json.loads(subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout)  # noqa: S603, S607
        for command in commands
    ]
    assert all(answer["predictions"] for answer in answers)
    if text is README:
        assert len(answers) == 1
        return
    reader, topics, stance = (answer["predictions"] for answer in answers)
    assert [row["label"] for row in reader if row["kind"] == "topic"] == [
        "arms_trade",
        "diplomacy",
        "sanctions",
    ]
    assert [row["target"] for row in reader if row["kind"] == "target"] == ["the sale of shells"]
    assert [row["threshold"] for row in topics][-1] == 0.3
    assert any(row["evidence"] == "They negotiated the sale of shells." for row in topics)
    assert sum(line["decision"] for line in stance) == 1


def test_python_client(servers: dict[str, Server], tmp_path: Path) -> None:
    (program,) = blocks("python", servers)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["a1", "arms_trade"],
        ["a1", "diplomacy"],
        ["a1", "sanctions"],
    ]
    assert lines[3].startswith("the arms embargo ")
    assert lines[-1] == "row 0: expected 'id' to be a text, found int; quote it"


def test_the_client_asks_again_when_its_connection_breaks(servers: dict[str, Server]) -> None:
    (program,) = blocks("python", servers)
    space: dict[str, object] = {}
    exec(program.split("client = Client")[0], space)  # noqa: S102 - our own program
    client = space["Client"]("127.0.0.1", servers["5001"].port)  # type: ignore[operator]
    first = client.ask([{"text": "Envoys met."}])
    client.connection.sock.close()
    assert client.ask([{"text": "Envoys met."}]) == first
    client.connection.close()
    gone = space["Client"]("127.0.0.1", 9, tries=1)  # type: ignore[operator]
    with pytest.raises(OSError):
        gone.ask([{"text": "Envoys met."}])


def test_the_documented_ways_to_serve_are_the_tested_ones() -> None:
    assert "mlflow models serve -m models:/stancewire-topics@challenger --env-manager local --host" in TEXT
    commands = re.findall(r"^stancewire serve ?(.*?)(?: {2,}#.*)?$", TEXT + README, flags=re.MULTILINE)
    assert len(commands) >= 5
    told = CliRunner().invoke(app, ["serve", "--help"]).output
    for command in commands:
        options = [word for word in command.split() if word.startswith("--")]
        assert all(option in told for option in options), command


def test_the_figures_of_the_docs_are_the_defaults() -> None:
    told = re.sub(r"\s+", " ", CliRunner().invoke(app, ["serve", "--help"]).output)
    for option, figure in {"max-rows": 2_000, "max-bytes": 20_000_000, "timeout": 60}.items():
        assert f"{figure:,}" in TEXT
        assert re.search(rf"--{option} .*?default: {figure};", told), told
