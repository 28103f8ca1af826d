"""The report of a training run, and `python -m training.evaluate` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from stancewire.artefact import read_artefact
from tests.integration.conftest import ROOT, Trained, environment
from training.report.seen import Seen

DATA = "data/articles.jsonl"
TASKS = ("topics", "stance")


def evaluate(
    folder: Path, *arguments: str, trained: Trained | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    surroundings = dict(trained.environment if trained else environment(folder)) | more
    command = [sys.executable, "-m", "training.evaluate", *arguments]
    return subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True
    )


def logged(trained: Trained, task: str) -> dict[str, str]:
    """Return the report of a run as MLflow keeps it."""
    client = MlflowClient(trained.environment["MLFLOW_TRACKING_URI"])
    (run,) = client.search_runs(
        [one.experiment_id for one in client.search_experiments()],
        f"attributes.run_name = 'stancewire-{task}'",
    )
    files = [Path(one.path).name for one in client.list_artifacts(run.info.run_id, "report")]
    home = f"{run.info.artifact_uri}/report"
    return {name: mlflow.artifacts.load_text(f"{home}/{name}") for name in files}


@pytest.mark.parametrize("task", TASKS)
def test_a_run_logs_its_report(trained: Trained, task: str) -> None:
    found = logged(trained, task)
    assert set(found) == {"report.html", "report.json"}
    report = json.loads(found["report.json"])
    artefact = read_artefact(trained.folder / "artefacts" / f"stancewire-{task}")
    assert report["model"]["digest"] == artefact.digest
    assert report["judged_on"]["part"] == "test"
    metrics: Any = artefact.manifest.metrics["test"]
    told = (
        report["evaluation"]["macro_f1"],
        {name: one["macro_f1"] for name, one in report["baselines"].items()},
    )
    assert told[0] == pytest.approx(metrics["linear"]["macro_f1"], abs=1e-6)
    assert set(told[1]) == set(metrics) - {"linear"}
    assert set(report["own_run"]["splits"]) == {"event", "random", "time", "outlet"}
    train = report["trained_on"]["split"]["train"]
    assert train["first_date"] < train["last_date"]
    assert sum(train["outlets"].values()) == train["rows"]
    assert "train_digests" not in found["report.json"]
    assert str(ROOT) not in found["report.json"] + found["report.html"]
    assert str(trained.folder) not in found["report.json"] + found["report.html"]
    dimensions = {one["dimension"] for one in report["slices"]}
    wanted = {"outlet", "year", "country", "length"}
    more = {"target in training", "kind of target", "holder"} if task == "stance" else set()
    assert dimensions == wanted | more
    assert report["mistakes"][0]["evidence"]
    assert f"stancewire-{task}" in found["report.html"]


@pytest.mark.parametrize("task", TASKS)
def test_the_manifest_tells_what_was_seen(trained: Trained, task: str) -> None:
    manifest = read_artefact(trained.folder / "artefacts" / f"stancewire-{task}").manifest
    seen = Seen.of(manifest)
    assert seen is not None
    assert seen.whole
    split: Any = manifest.provenance["split"]
    assert 0 < seen.train.distinct <= split["train"]["rows"]
    assert 0 < seen.dev.distinct <= split["dev"]["rows"]


@pytest.mark.parametrize("task", TASKS)
def test_what_a_model_has_seen_is_refused_or_left_out(trained: Trained, task: str, tmp_path: Path) -> None:
    """What is left of the corpus is the run's test part: so are its scores."""
    artefact = str(trained.folder / "artefacts" / f"stancewire-{task}")
    output = tmp_path / "report"
    refused = evaluate(tmp_path, artefact, DATA, "--output", str(output))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {DATA}: wanted rows that stancewire-{task} has not seen")
    assert not output.exists()
    done = evaluate(tmp_path, artefact, DATA, "--output", str(output), "--leave-out-seen")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.endswith(f"report    {output}/report.html\n")
    own = json.loads(logged(trained, task)["report.json"])
    found = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert found["judged_on"]["rows"] == own["judged_on"]["rows"]
    # The margins are over the baselines that the command can know.
    differ = {"margins"}
    assert {k: v for k, v in found["evaluation"].items() if k not in differ} == {
        k: pytest.approx(v, abs=1e-5) if isinstance(v, dict) and "value" in v else v
        for k, v in own["evaluation"].items()
        if k not in differ
    }
    assert found["slices"] == own["slices"]
    assert found["mistakes"] == own["mistakes"]


def test_equal_inputs_give_equal_bytes(trained: Trained, tmp_path: Path) -> None:
    artefact = str(trained.topics)
    for seed in ("1", "2"):
        done = evaluate(
            tmp_path,
            *(artefact, DATA, "--leave-out-seen", "--output", str(tmp_path / seed)),
            PYTHONHASHSEED=seed,
            TZ="Asia/Tokyo" if seed == "1" else "UTC",
        )
        assert done.returncode == 0, done.stderr
    for name in ("report.html", "report.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_registered_model_is_judged_by_its_name(trained: Trained, tmp_path: Path) -> None:
    done = evaluate(
        tmp_path,
        *("models:/stancewire-topics@challenger", DATA, "--leave-out-seen", "--output", str(tmp_path / "r")),
        trained=trained,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["nowhere", DATA], "nowhere"),
        (["ARTEFACT", "nowhere.jsonl"], "nowhere.jsonl"),
        (["ARTEFACT", DATA, "--codebook", "nowhere.yaml"], "nowhere.yaml"),
        (["ARTEFACT", DATA, "--split", "test"], "wanted labelled rows of the part 'test'"),
        (["ARTEFACT", DATA, "--output", "configs"], "wanted a new folder, or one with a report alone"),
        (["ARTEFACT", DATA, "--column", "text=nowhere"], "wanted the column 'nowhere'"),
        (["ARTEFACT", DATA, "--split", "everything"], "invalid choice"),
        (["ARTEFACT", DATA, "--label", "yes"], "wanted NAME=VALUE"),
    ],
)
def test_bad_input_is_one_clear_error(
    trained: Trained, tmp_path: Path, arguments: list[str], wanted: str
) -> None:
    told = [str(trained.topics) if one == "ARTEFACT" else one for one in arguments]
    if "--output" not in told:
        told += ["--output", str(tmp_path / "report")]
    done = evaluate(tmp_path, *told)
    assert done.returncode == 2
    assert wanted in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "report").exists()
