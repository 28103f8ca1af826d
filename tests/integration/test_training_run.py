"""`python -m training.run` as a user runs it: what it prints, writes, tracks, and how it fails."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from stancewire.artefact import read_artefact
from stancewire.predictor import load
from tests.corpora import rows_of, write_jsonl
from tests.integration.conftest import ROOT, Trained, environment, run_training
from training.tracking import flatten

# One fit of each model: no search, no other split, nothing beside the corpus.
FAST = tuple(
    part
    for setting in (
        "evaluation.random_split=false",
        "evaluation.time_split=false",
        "evaluation.behaviour=false",
        "model.regularisation=[10.0]",
        "extra_data=[]",
    )
    for part in ("--set", setting)
)


@pytest.fixture(scope="module")
def client(trained: Trained) -> MlflowClient:
    return MlflowClient(trained.environment["MLFLOW_TRACKING_URI"])


def runs_of(client: MlflowClient) -> dict[str, Run]:
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(experiments)
    return {run.info.run_name: run for run in found}


def runs_told(client: MlflowClient, trained: Trained) -> dict[str, Run]:
    """The runs that the command told of: other tests may add theirs to the same database."""
    return {name: run for name, run in runs_of(client).items() if run.info.run_id in trained.output}


def test_both_result_tables_are_printed(trained: Trained) -> None:
    for part in (
        "stancewire-topics: topics on test",
        "stancewire-stance: stance on test",
        "majority",
        "target-blind",
        "95% intervals over events",
        "split by rows, which leaks, it would score",
        "split by time, on the newest stories, it would score",
        "split by outlet, on outlets it never saw, it would score",
        "models:/stancewire-topics@challenger is version 1",
        "models:/stancewire-stance@challenger is version 1",
        "mlflow ui --backend-store-uri",
    ):
        assert part in trained.output, part


def test_one_finished_run_per_fit_holds_everything(trained: Trained, client: MlflowClient) -> None:
    runs = runs_told(client, trained)
    assert sorted(runs) == ["stancewire-stance", "stancewire-topics"]
    for name, run in runs.items():
        assert run.info.status == "FINISHED"
        assert run.info.run_id in trained.output
        assert run.data.params["split.by"] == "event"
        assert run.data.params["model.family"] == "linear"
        assert {"test/macro_f1", "test/macro_f1_low", "test/macro_f1_high", "majority/macro_f1"} <= set(
            run.data.metrics
        )
        assert ("target_blind/macro_f1" in run.data.metrics) == (name == "stancewire-stance")
        assert run.data.metrics["parity/agreement"] == 1
        assert (
            run.data.tags["stancewire.artefact"] == read_artefact(trained.folder / "artefacts" / name).digest
        )
        assert run.inputs is not None
        contexts = {tag.value for used in run.inputs.dataset_inputs for tag in used.tags}
        assert contexts == {"training", "validation", "test"}
        logged = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert {"config.yaml", "predictions.json", "results.txt", "figures"} <= logged
        page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/results.txt")
        assert f"{name}: " in page
        assert page in run.data.tags["mlflow.note.content"]
        figures = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "figures")}
        assert figures == {"confusion.png", "precision_recall.png", "reliability.png"}


def test_the_predictions_table_tells_every_answer_on_test(trained: Trained, client: MlflowClient) -> None:
    for name, run in runs_told(client, trained).items():
        table = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/predictions.json")
        content = json.loads(table)
        rows = [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]
        manifest = read_artefact(trained.folder / "artefacts" / name).manifest
        told = flatten(manifest.metrics)
        assert len(rows) == told["test.linear.n_rows"]
        share = sum(row["right"] for row in rows) / len(rows)
        assert share == pytest.approx(told["test.linear.exact_match.value"])
        for row in rows:
            assert row["right"] == (row["true"] == row["decided"])
        assert [row["right"] for row in rows] == sorted(row["right"] for row in rows)


def test_the_registry_serves_what_was_written(trained: Trained, client: MlflowClient) -> None:
    for name in ("stancewire-topics", "stancewire-stance"):
        version = client.get_model_version_by_alias(name, "challenger")
        assert int(version.version) == 1
        digest = read_artefact(trained.folder / "artefacts" / name).digest
        assert version.tags["stancewire.artefact"] == digest


def test_the_manifest_says_where_the_model_comes_from(trained: Trained) -> None:
    manifest = load(trained.topics).artefact.manifest
    told = flatten(manifest.provenance)
    assert told["data.source"] == "data/articles.jsonl"
    assert told["data.sha256"] == "7734fd548afb58ee23263ece61f45bb0ff2299bc945584313fde5730f89df1ce"
    assert told["split.train.rows"] + told["split.dev.rows"] + told["split.test.rows"] == 504
    assert told["config.seed"] == 0
    assert "packages.scikit-learn" in told
    text = manifest.to_bytes().decode()
    assert str(trained.folder) not in text
    assert str(ROOT) not in text


def test_equal_runs_give_equal_artefacts(tmp_path: Path) -> None:
    """Fault 19: another hash seed, time zone, locale and folder; the same bytes."""
    for folder, surroundings in (
        ("one", {"PYTHONHASHSEED": "1", "TZ": "UTC"}),
        ("other", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"}),
    ):
        (tmp_path / folder).mkdir()
        configs = ["configs/topics-linear.yaml", "configs/stance-linear.yaml"]
        done = run_training(tmp_path / folder, *configs, *FAST, surroundings=surroundings)
        assert done.returncode == 0, done.stderr
    for name in ("stancewire-topics", "stancewire-stance"):
        one, other = (tmp_path / folder / "artefacts" / name for folder in ("one", "other"))
        files = sorted(file.name for file in one.iterdir())
        assert files == sorted(file.name for file in other.iterdir())
        assert all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_a_gate_that_is_missed_leaves_the_model_unregistered(tmp_path: Path) -> None:
    arguments = ["configs/stance-linear.yaml", "--set", "tracking.target_blind_margin=0.9"]
    done = run_training(tmp_path, *arguments, *FAST)
    assert done.returncode == 3, done.stderr
    assert "not registered: it beats the target-blind model by" in done.stdout
    client = MlflowClient(environment(tmp_path)["MLFLOW_TRACKING_URI"])
    assert client.search_registered_models() == []
    assert [run.info.status for run in runs_of(client).values()] == ["FINISHED"]
    assert load(tmp_path / "artefacts" / "stancewire-stance").task == "stance"


def test_a_run_that_cannot_write_is_marked_failed_and_the_old_artefact_stands(
    trained: Trained, tmp_path: Path
) -> None:
    home = tmp_path / "artefacts" / "stancewire-topics"
    home.mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    done = run_training(tmp_path, "configs/topics-linear.yaml", *FAST)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert [file.name for file in home.iterdir()] == ["notes.txt"]
    client = MlflowClient(environment(tmp_path)["MLFLOW_TRACKING_URI"])
    assert [run.info.status for run in runs_of(client).values()] == ["FAILED"]


def test_a_terminated_run_is_marked_failed(tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", rows_of(400))
    command = [
        *(sys.executable, "-m", "training.run", "configs/topics-linear.yaml"),
        *("--set", f"output={tmp_path / 'artefacts'}", "--set", f"data.path={data}"),
        *("--set", "evaluation.samples=100000"),
    ]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_run(tmp_path / "mlflow.db", process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) != 0
    finally:
        process.kill()
        process.wait()
    client = MlflowClient(environment(tmp_path)["MLFLOW_TRACKING_URI"])
    (run,) = runs_of(client).values()
    assert run.info.status == "FAILED"
    assert not (tmp_path / "artefacts").exists()


def wait_for_run(database: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the run has its tags: it is then inside the part that SIGTERM must not break.

    SQLite is read as it lies there: a client of MLflow would make tables beside the run, and crash it.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it was stopped"
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection,
        ):
            if connection.execute("SELECT 1 FROM tags WHERE key = 'stancewire.task'").fetchone():
                return
        time.sleep(0.2)
    raise AssertionError("no run was opened")
