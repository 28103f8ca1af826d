"""Where tracked runs lie, and stores that cannot be used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from training.tracking import TrackingError, tracked_run
from training.tracking_store import connect, open_experiment, sqlite_file


def test_files_lie_beside_the_database_wherever_the_run_was_started(database: Path) -> None:
    with tracked_run("news: a/b", "first", {}) as run:
        run.text("x", "a.txt")
    found = list((database.parent / "mlruns").rglob("a.txt"))
    assert len(found) == 1
    assert found[0].read_text() == "x"


def test_an_odd_folder_holds_database_and_files(
    tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a b%20c"
    home.mkdir()
    shutil.copy(empty_database, home / "mlflow.db")
    monkeypatch.chdir(home)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with tracked_run("e", "first", {}) as run:
        run.text("x", "a.txt")
    assert mlflow.artifacts.load_text(f"{MlflowClient().get_run(run.run_id).info.artifact_uri}/a.txt") == "x"
    assert sorted(file.name for file in home.iterdir()) == ["mlflow.db", "mlflow.db.lock", "mlruns"]
    assert list((home / "mlruns").rglob("a.txt"))


def test_an_experiment_that_exists_keeps_its_place(database: Path) -> None:
    uri = connect()
    made = MlflowClient().create_experiment("old", artifact_location=str(database.parent / "elsewhere"))
    assert open_experiment(uri, "old") == made
    assert MlflowClient().get_experiment(made).artifact_location.endswith("/elsewhere")


def spoil_bytes(file: Path) -> None:
    file.write_bytes(b"no database at all" * 100)


def spoil_folder(file: Path) -> None:
    file.mkdir()


def spoil_parent(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("a file where a folder should be")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_bytes, "file is not a database"),
        (spoil_folder, "unable to open database file"),
        (spoil_parent, "File exists"),
    ],
)
def test_a_database_that_is_none_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], says: str
) -> None:
    file = tmp_path / "store" / "mlflow.db"
    file.parent.mkdir()
    spoil(file)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    with pytest.raises(TrackingError, match=says) as caught, tracked_run("e", "r", {}):
        raise AssertionError("unreachable")
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    assert "set MLFLOW_TRACKING_URI" in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("http://127.0.0.1:9/", "refused"),
        ("http://user:secret@127.0.0.1:9/", "refused"),
        ("http://[::bad", "."),
        ("nonsense://x", "."),
    ],
)
def test_a_server_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, uri: str, says: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match=says) as caught, tracked_run("e", "r", {}):
        raise AssertionError("unreachable")
    assert len(str(caught.value).splitlines()) == 1
    assert "secret" not in str(caught.value)


def test_a_database_that_breaks_midway_is_one_line(database: Path) -> None:
    with pytest.raises(TrackingError) as caught, tracked_run("e", "r", {}) as run:
        run.params({"a": 1})
        run.params({"a": 2})
    assert len(str(caught.value).splitlines()) == 1
    assert MlflowClient().get_run(run.run_id).info.status == "FAILED"


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:///mlflow.db", "mlflow.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
        ("sqlite+pysqlite:///x.db", "x.db"),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("postgresql://h/d", None),
        ("http://h", None),
    ],
)
def test_files_of_uris(uri: str, file: str | None) -> None:
    assert sqlite_file(uri) == (None if file is None else Path(file))
