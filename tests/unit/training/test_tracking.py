"""What tracking keeps of a run, in real SQLite stores."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.tracking import MlflowClient
from mlflow.utils import validation

from stancewire.predictor import load
from stancewire.serving import OUTPUT_COLUMNS
from stancewire.serving.pyfunc import pyfunc_arguments, requirements
from tests.small_models import small_artefact
from training import tracking
from training.tracking import flatten, safe_name, tracked_run

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
        assert MlflowClient().get_run(run.run_id).info.status == "RUNNING"
    kept = MlflowClient().get_run(run.run_id)
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


def test_long_and_many_params_and_odd_names_are_kept(database: Path) -> None:
    labels = ["arms & trade", "../up", "a//b", "/root", "héllo", "x" * 400, "arms ? trade"]
    with tracked_run("e", "r", {}) as run:
        run.params({"weights": {label: 1.5 for label in labels}, "long": "é" * 7000, "exact": "y" * 6000})
        run.params({f"p{i}": i for i in range(250)})
        run.metrics({f"test/f1/{label}": 0.5 for label in labels} | {f"m{i}": float(i) for i in range(1200)})
    kept = MlflowClient().get_run(run.run_id)
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


def test_packages_that_only_serve_are_not_missed_where_it_is_trained(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = pyfunc_arguments
    monkeypatch.setattr(
        tracking, "pyfunc_arguments", lambda folder: {**honest(folder), "pip_requirements": ["uvloop>=999"]}
    )
    with tracked_run("e", "r", {}) as run:
        uri = run.model(small_artefact(tmp_path, "topics").path, "m")
    assert "mismatches" not in caplog.text
    mlflow.pyfunc.load_model(uri)
    assert "uvloop>=999" in caplog.text


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
