"""A registered reader is served from an environment of its own requirements: this wheel, light packages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import mlflow
import pytest

from tests.integration.conftest import ROOT, Trained
from tests.integration.server import Server
from tests.integration.test_serving_http import bundled

HEAVY = ("mlflow", "torch", "scikit_learn", "scipy", "pyarrow", "transformers", "datasets", "matplotlib")


@pytest.fixture(scope="module")
def model(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The MLflow folder of a reader, registered from a model's URI and an artefact's folder."""
    command = [sys.executable, "-m", "training.reader", "models:/stancewire-topics@challenger"]
    done = subprocess.run(  # noqa: S603 - fixed program
        [*command, str(trained.stance)], cwd=ROOT, env=trained.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "models:/stancewire-reader@challenger is version" in done.stdout
    mlflow.set_tracking_uri(trained.environment["MLFLOW_TRACKING_URI"])
    folder = tmp_path_factory.mktemp("reader")
    uri = "models:/stancewire-reader@challenger"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))


@pytest.fixture(scope="module")
def environment(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment of the model's requirements, with the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("environment")
    checkout = folder / "checkout"
    shutil.copytree(
        ROOT / "stancewire", checkout / "stancewire", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout / name)
    pip = [sys.executable, "-m", "pip"]
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *build, str(checkout)], check=True, capture_output=True)  # noqa: S603
    venv.create(folder / "venv", symlinks=True)
    install = [
        "--python",
        str(folder / "venv"),
        "install",
        "--quiet",
        "--no-compile",
        "--find-links",
        str(folder),
    ]
    subprocess.run(  # noqa: S603
        [*pip, *install, "--find-links", str(folder), "--requirement", str(model / "requirements.txt")],
        check=True,
        capture_output=True,
    )
    return folder / "venv" / "bin"


def test_the_folder_holds_two_artefacts_and_nothing_that_runs(model: Path) -> None:
    files = sorted(str(file.relative_to(model)) for file in model.rglob("*") if file.is_file())
    data = [file for file in files if file.startswith("data/")]
    assert [file.split("/", 2)[2] for file in data if "card" not in file] == [
        "reader.json",
        "stance/manifest.json",
        "stance/weights.safetensors",
        "topics/manifest.json",
        "topics/weights.safetensors",
    ]
    assert not [file for file in files if file.endswith((".pkl", ".py", ".pyc", ".joblib", ".pickle"))]


def test_the_environment_is_light(environment: Path) -> None:
    site = next(environment.parent.glob("lib/python*/site-packages"))
    installed = {folder.name.split("-")[0].lower() for folder in site.glob("*.dist-info")}
    assert {"stancewire", "mlflow_skinny", "uvloop", "httptools"} <= installed
    assert installed & set(HEAVY) == set()


def test_both_servers_answer_from_it_as_in_process(
    model: Path, environment: Path, trained: Trained, tmp_path: Path
) -> None:
    rows = [{name: article[name] for name in ("id", "title", "text")} for article in bundled(5)]
    body = {"dataframe_records": rows, "params": {"targets": ["the arms embargo"]}}
    variables = {
        **trained.environment,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_TRACKING_URI": str(tmp_path),
    }
    answers = []
    for arguments in (
        ["mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", "--host", "127.0.0.1"],
        ["stancewire", "serve", str(model)],
    ):
        with Server(arguments, variables, environment) as server:
            answer = server.post(body)
            assert answer.status == 200, answer.body
            answers.append(answer.rows)
    served = mlflow.pyfunc.load_model(str(model))
    wanted = served.predict(mlflow_frame(rows), params=body["params"]).to_dict("records")
    for rows_ in answers:
        assert [{**row, "probability": None} for row in rows_] == [
            {**row, "probability": None} for row in json.loads(json.dumps(wanted))
        ]
        for row, other in zip(rows_, wanted, strict=True):
            assert row["probability"] == pytest.approx(other["probability"], abs=1e-4)


def mlflow_frame(rows: list[dict[str, str]]) -> object:
    import pandas as pd

    return pd.DataFrame(rows)
