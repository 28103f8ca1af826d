"""What `stancewire serve` checks before it serves, and what it hands to the server."""

from __future__ import annotations

import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from stancewire.artefact import Artefact
from stancewire.cli import main
from stancewire.errors import MissingExtraError, StancewireError
from stancewire.serving import server
from stancewire.serving.command import named_model
from stancewire.serving.options import Pair, ServeOptions
from stancewire.serving.server import model_folder, serve
from tests.small_models import small_artefact


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("topics"), "topics")


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("stance"), "stance")


def test_a_port_in_use_is_one_error(topics: Artefact, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", str(topics.path), "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use; end what listens there, or "
        "choose another --port\n"
    )


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "203.0.113.1"])
def test_an_address_that_is_not_ours_is_one_error(topics: Artefact, host: str) -> None:
    with pytest.raises(StancewireError, match="cannot listen on"):
        serve(str(topics.path), ServeOptions(host=host, port=0), print)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: expected a stancewire artefact"),
        (["x", "--topics", "y"], "expected one MODEL, or both --topics and --stance"),
        (["--topics", "y"], "expected one MODEL, or both --topics and --stance"),
        (["--topics", "nowhere", "--stance", "nowhere"], "nowhere: expected a stancewire artefact"),
        (["x", "--workers", "0"], "workers"),
        (["x", "--port", "70000"], "port"),
        (["x", "--max-rows", "0"], "max-rows"),
        ([], "no topics model at"),
    ],
)
def test_what_cannot_be_served_is_one_error(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STANCEWIRE_MODELS", raising=False)
    assert main(["serve", *(["--port", "0"] if "--port" not in arguments else []), *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert says in told


def test_what_training_left_is_served_as_a_reader(
    topics: Artefact, stance: Artefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stancewire-topics").symlink_to(topics.path)
    (tmp_path / "stancewire-stance").symlink_to(stance.path)
    monkeypatch.setenv("STANCEWIRE_MODELS", str(tmp_path))
    found = named_model(None, None, None)
    assert found == Pair(str(tmp_path / "stancewire-topics"), str(tmp_path / "stancewire-stance"))
    assert named_model("x", None, None) == "x"
    assert named_model(None, "x", "y") == Pair("x", "y")


@pytest.mark.parametrize(
    ("workers", "absent", "says"),
    [
        (1, "mlflow", r"serving \(mlflow\) needs an optional dependency: pip install 'stancewire\[serve\]'"),
        (2, "uvloop", r"2 workers need uvloop.*pip install 'stancewire\[serve\]', or serve with one worker"),
        (2, "httptools", "2 workers need httptools"),
    ],
)
def test_what_is_not_installed_is_told_with_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, workers: int, absent: str, says: str
) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == absent else find_spec(name))
    with pytest.raises(MissingExtraError, match=says):
        serve("nowhere", ServeOptions(port=0, workers=workers), print)


def test_one_worker_needs_no_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == "uvloop" else object())
    with pytest.raises(StancewireError, match="nowhere: expected a stancewire artefact"):
        serve("nowhere", ServeOptions(port=0), print)


def test_a_model_folder_is_made_for_an_artefact_and_gone_afterwards(
    topics: Artefact, stance: Artefact
) -> None:
    with model_folder(str(topics.path)) as made:
        assert (made / "MLmodel").is_file()
        with model_folder(str(made)) as same:
            assert same == made
    assert not made.exists()
    with model_folder(Pair(str(topics.path), str(stance.path))) as made:
        assert "reader" in (made / "MLmodel").read_text()
    assert not made.exists()


def test_somebody_elses_mlflow_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: evil\n    data: x\n")
    with pytest.raises(StancewireError, match="loader"), model_folder(str(tmp_path)):
        pass


def test_the_server_gets_what_was_asked_for(
    topics: Artefact, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}
    for variable in ("SERVE_MODEL", "SERVE_MAX_ROWS", "SERVE_MAX_BYTES", "THREADS", "RUNTIME"):
        monkeypatch.setenv(f"STANCEWIRE_{variable}", "")
    monkeypatch.setenv("MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", "1")

    def run(app: str, **options: object) -> None:
        environment = {
            name: value for name, value in os.environ.items() if "STANCEWIRE" in name or "SERV" in name
        }
        seen.update(options, app=app, environment=environment)

    monkeypatch.setattr("uvicorn.run", run)
    before = signal.getsignal(signal.SIGTERM)
    options = ["--workers", "2", "--port", "0", "--max-rows", "7", "--max-bytes", "800", "--timeout", "9"]
    options += ["--threads", "3"]
    assert main(["serve", str(topics.path), *options]) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    assert (seen["workers"], seen["host"], seen["app"]) == (2, "127.0.0.1", "stancewire.serving.app:create")
    found = seen["environment"]
    assert found["STANCEWIRE_SERVE_MAX_ROWS"] == "7"
    assert found["STANCEWIRE_SERVE_MAX_BYTES"] == "800"
    assert found["STANCEWIRE_THREADS"] == "3"
    assert found["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"] == "9"
    told = capsys.readouterr().err
    assert f"serving small-topics@{topics.digest[:12]} on http://127.0.0.1:{seen['port']}, 2 workers" in told
