"""Tracking against real SQLite stores: what is kept, how runs end, and what cannot be used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils import validation

from stancewire.predictor import load
from stancewire.serving import OUTPUT_COLUMNS
from stancewire.serving.pyfunc import requirements
from tests.integration.conftest import ROOT
from tests.small_models import small_artefact
from training.tracking import TrackingError, flatten, safe_name, tracked_run
from training.tracking_store import connect, mark_killed_runs, open_experiment, process_tags, sqlite_file

EXAMPLES = {
    "topics": {"id": ["1"], "title": ["A visit"], "text": ["The envoys met for talks."]},
    "stance": {
        "id": ["1"],
        "sentence": ["The minister welcomed the embargo."],
        "context": [""],
        "target": ["the embargo"],
        "holder": ["The minister"],
    },
}
SCRIPT = """
import os, signal, sys
from training.tracking import TrackingError, tracked_run
try:
    with tracked_run("e", sys.argv[1], {}) as run:
        print(run.run_id, flush=True)
        if sys.argv[1] == "term": os.kill(os.getpid(), signal.SIGTERM)
        if sys.argv[1] == "kill": os.kill(os.getpid(), signal.SIGKILL)
except TrackingError as error:
    sys.exit(f"error: {error}")
"""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables and nothing in them: making them takes seconds."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.set_tracking_uri(f"sqlite:///{file}")
    MlflowClient().search_experiments()
    return file


@pytest.fixture
def database(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The database of one test, and a working directory elsewhere."""
    file = tmp_path / "store" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(empty_database, file)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    yield file
    assert not list(elsewhere.iterdir())


def start(name: str, database: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{database}", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", SCRIPT, name],
        env=environment,
        cwd=database.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def tracked(run_id: str) -> Run:
    run: Run = MlflowClient().get_run(run_id)
    return run


def test_a_run_keeps_what_it_is_told(database: Path, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("{}\n")
    digest = "0123456789abcdef" * 4
    with tracked_run("e", "first", {"mlflow.source.git.commit": "c0ffee"}) as run:
        run.params({"split": {"by": "event", "dev": 0.2}, "outlets": [], "none": None, "empty": {}})
        run.metrics({"test/macro_f1": 0.5, "test/f1/arms_trade": 0.25})
        run.tags({"stancewire.task": "topics"})
        run.dataset("topics-train", str(source), digest, "training", 42)
        run.dataset("topics-test", "hub:owner/name", digest, "test")
        run.text("task: topics\n", "config.yaml")
        run.table({"id": ["007", "1"], "right": [True, False]}, "predictions.json")
        assert tracked(run.run_id).info.status == "RUNNING"
    kept = tracked(run.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == "first"
    assert kept.data.params == {
        "split.by": "event",
        "split.dev": "0.2",
        "outlets": "[]",
        "none": "None",
        "empty": "{}",
    }
    assert kept.data.metrics == {"test/macro_f1": 0.5, "test/f1/arms_trade": 0.25}
    assert kept.data.tags["stancewire.task"] == "topics"
    assert kept.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert kept.inputs is not None
    train, test = sorted(
        (used.dataset for used in kept.inputs.dataset_inputs), key=lambda d: d.name != "topics-train"
    )
    assert (train.name, train.digest, json.loads(train.profile or "")) == (
        "topics-train",
        digest[:36],
        {"num_rows": 42},
    )
    assert json.loads(train.source) == {"uri": str(source)}
    assert json.loads(test.source)["tags"] == {"hub": "hub:owner/name"}
    assert test.profile in (None, "")
    contexts = sorted(tag.value for used in kept.inputs.dataset_inputs for tag in used.tags)
    assert contexts == ["test", "training"]
    assert mlflow.artifacts.load_text(f"{kept.info.artifact_uri}/config.yaml") == "task: topics\n"
    table = json.loads(mlflow.artifacts.load_text(f"{kept.info.artifact_uri}/predictions.json"))
    assert table == {"columns": ["id", "right"], "data": [["007", True], ["1", False]]}


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
    assert mlflow.artifacts.load_text(f"{tracked(run.run_id).info.artifact_uri}/a.txt") == "x"
    assert sorted(file.name for file in home.iterdir()) == ["mlflow.db", "mlflow.db.lock", "mlruns"]
    assert list((home / "mlruns").rglob("a.txt"))


def test_an_experiment_that_exists_keeps_its_place(database: Path) -> None:
    uri = connect()
    made = MlflowClient().create_experiment("old", artifact_location=str(database.parent / "elsewhere"))
    assert open_experiment(uri, "old") == made
    assert MlflowClient().get_experiment(made).artifact_location.endswith("/elsewhere")


def test_an_exception_marks_the_run_failed_and_comes_through(database: Path) -> None:
    with pytest.raises(KeyError), tracked_run("e", "first", {}) as run:
        raise KeyError("x")
    assert tracked(run.run_id).info.status == "FAILED"


def test_a_run_that_mlflow_could_not_end_is_marked_failed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when SIGTERM meets MLflow in the midst of a write, and what ends the run finds it locked."""

    def locked(self: object, *told: object) -> None:
        raise MlflowException("database is locked")

    monkeypatch.setattr(mlflow.ActiveRun, "__exit__", locked)
    with pytest.raises(TrackingError, match="database is locked"), tracked_run("e", "r", {}) as run:
        raise SystemExit(143)
    status = tracked(run.run_id).info.status
    mlflow.end_run("FAILED")
    assert status == "FAILED"


def test_signals(database: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with tracked_run("e", "alive", {}) as run:
        processes = {name: start(name, database) for name in ("term", "kill")}
        ids = {name: process.communicate(timeout=60)[0].strip() for name, process in processes.items()}
        assert {name: process.returncode for name, process in processes.items()} == {"term": 143, "kill": -9}
        assert tracked(ids["term"]).info.status == "FAILED"
        assert tracked(ids["kill"]).info.status in ("RUNNING", "KILLED")
        other = start("other", database)
        other.communicate(timeout=60)
        assert other.returncode == 0
        assert tracked(ids["kill"]).info.status == "KILLED"
        assert tracked(run.run_id).info.status == "RUNNING"
    assert tracked(run.run_id).info.status == "FINISHED"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_number_that_another_process_has_now_is_dead(database: Path) -> None:
    experiment = open_experiment(connect(), "e")
    client, tags = MlflowClient(), process_tags()
    ours = client.create_run(experiment, tags=tags).info.run_id
    reused = client.create_run(experiment, tags=tags | {"stancewire.started": "1"}).info.run_id
    nowhere = client.create_run(experiment, tags=tags | {"stancewire.pid": "999999999"}).info.run_id
    elsewhere = {"stancewire.host": "elsewhere", "stancewire.pid": "999999999"}
    foreign = client.create_run(experiment, tags=tags | elsewhere).info.run_id
    untagged = client.create_run(experiment).info.run_id
    assert sorted(mark_killed_runs(experiment)) == sorted([reused, nowhere])
    for run_id in (ours, foreign, untagged):
        assert tracked(run_id).info.status == "RUNNING"


def test_two_processes_that_first_open_a_database_at_once_both_work(tmp_path: Path) -> None:
    new = tmp_path / "new" / "mlflow.db"
    new.parent.mkdir()
    processes = [start(name, new) for name in ("one", "two")]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    mlflow.set_tracking_uri(f"sqlite:///{new}")
    names = sorted(
        run.info.run_name for run in mlflow.search_runs(search_all_experiments=True, output_format="list")
    )
    assert names == ["one", "two"]


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
    assert tracked(run.run_id).info.status == "FAILED"


def test_long_and_many_params_and_odd_names_are_kept(database: Path) -> None:
    labels = ["arms & trade", "../up", "a//b", "/root", "héllo", "x" * 400, "arms ? trade"]
    with tracked_run("e", "r", {}) as run:
        run.params({"weights": {label: 1.5 for label in labels}, "long": "é" * 7000, "exact": "y" * 6000})
        run.params({f"p{i}": i for i in range(250)})
        run.metrics({f"test/f1/{label}": 0.5 for label in labels} | {f"m{i}": float(i) for i in range(1200)})
    kept = tracked(run.run_id)
    assert len(kept.data.params) == len(labels) + 2 + 250
    assert len(kept.data.metrics) == len(labels) + 1200
    assert kept.data.params["weights.héllo"] == "1.5"
    assert kept.data.params["exact"] == "y" * 6000
    assert len(kept.data.params["long"]) <= 6000
    assert "(7,000 characters, sha256 " in kept.data.params["long"]


@given(st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable()))
def test_mlflow_takes_every_name_that_we_give(name: str) -> None:
    for given_name in (safe_name(name), safe_name(f"test/f1/{name}")):
        validation._validate_param_name(given_name)  # type: ignore[no-untyped-call]
        validation._validate_metric_name(given_name)  # type: ignore[no-untyped-call]
        assert 0 < len(given_name) <= 250


def test_names_that_need_no_change_get_none_and_others_stay_apart() -> None:
    assert safe_name("test/f1/arms_trade") == "test/f1/arms_trade"
    assert safe_name("a?b") != safe_name("a!b") != safe_name("a_b")


def test_flatten() -> None:
    assert flatten({"a": {"b": {"c": 1}, "d": [1, {"x": 2}]}, "e": {}}) == {
        "a.b.c": 1,
        "a.d": [1, {"x": 2}],
        "e": {},
    }


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


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_a_logged_model_is_the_artefact_and_nothing_that_runs(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    artefact = small_artefact(tmp_path, task, f"news.{task}")
    with tracked_run("e", "r", {}) as run:
        uri = run.model(artefact.path, artefact.manifest.name)
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert {file for file in files if file.startswith(f"data/small-{task}/")} == {
        f"data/small-{task}/manifest.json",
        f"data/small-{task}/weights.safetensors",
    }
    assert not [
        file for file in files if file.endswith((".pkl", ".pickle", ".py", ".pyc", ".joblib", ".bin"))
    ]
    assert not any(b"\x80\x04" in (folder / file).read_bytes()[:2] for file in files)
    assert (folder / "requirements.txt").read_text().split() == requirements()
    info = mlflow.models.get_model_info(uri)
    flavor = info.flavors["python_function"]
    assert flavor["loader_module"] == "stancewire.serving"
    assert flavor.get("code") is None
    assert info.metadata == {"artefact_digest": artefact.digest}
    assert info.signature is not None
    assert set(info.signature.inputs.input_names()) == set(EXAMPLES[task])
    assert set(info.signature.outputs.input_names()) == set(OUTPUT_COLUMNS[task])
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    answers = mlflow.pyfunc.load_model(uri).predict(pd.DataFrame(EXAMPLES[task]))
    assert len(answers) == len(artefact.manifest.labels)


def test_registering_again_makes_version_2_and_moves_the_alias(database: Path, tmp_path: Path) -> None:
    artefact = small_artefact(tmp_path, "topics")
    client = None
    for number in (1, 2):
        with tracked_run("e", f"r{number}", {}) as run:
            uri = run.model(artefact.path, artefact.manifest.name)
            found = run.register(uri, "news", "challenger", {"stancewire.artefact": artefact.digest})
        assert (found.version, found.uri) == (number, "models:/news@challenger")
        client = MlflowClient()
        pointed = client.get_model_version_by_alias("news", "challenger")
        assert int(pointed.version) == number
        assert pointed.run_id == run.run_id
        assert pointed.tags == {"stancewire.artefact": artefact.digest}
    assert client is not None
    assert client.get_model_version("news", "1").aliases == []
    assert load("models:/news@challenger").artefact.digest == artefact.digest
    assert load("models:/news/1").artefact.digest == artefact.digest
