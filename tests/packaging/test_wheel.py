"""The wheel: what it holds, and that it reads with nothing installed but what it declares."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import stancewire
from stancewire.predictor import StancePredictor, TopicsPredictor
from stancewire.reading import Reader
from tests.encoders import tiny_encoder
from tests.small_models import small_artefact

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("build", "dist", "*.egg-info", "mlruns", "mlflow.db*", "artefacts")
TEXT = "The minister welcomed the embargo. Envoys condemned the talks about missiles.\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy: a stale build/ must not reach the wheel, nor the build the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__", *GENERATED))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(  # noqa: S603 - fixed program
        [*command, "--wheel-dir", str(folder), str(checkout)], check=True, capture_output=True
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel, and links to its declared dependencies alone."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for name in required(wheel):
        for part in top_level(name):
            (site / part.name).symlink_to(part)
    command = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-deps"]
    subprocess.run(  # noqa: S603 - fixed program
        [*command, "--no-index", str(wheel)], check=True, capture_output=True
    )
    return folder / "bin"


def required(wheel: Path) -> set[str]:
    """The distributions that a wheel needs without any extra, and those that they need."""
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    waiting = [re.findall(r"^Requires-Dist: (.+)$", archive.read(metadata).decode(), re.M)]
    found: set[str] = set()
    while waiting:
        for needed in map(Requirement, waiting.pop()):
            name = canonicalize_name(needed.name)
            if name not in found and (needed.marker is None or needed.marker.evaluate({"extra": ""})):
                found.add(name)
                waiting.append(distribution(name).requires or [])
    return found


def top_level(name: str) -> Iterator[Path]:
    """The files and folders that a distribution puts into site-packages."""
    files = distribution(name).files or []
    for part in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        yield Path(str(distribution(name).locate_file(part)))


def run(bare: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "STANCEWIRE_MODELS")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(  # noqa: S603 - our own program
        [str(bare / program), *arguments], capture_output=True, text=True, cwd=bare, env=environment
    )


def test_wheel_holds_stancewire_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert top == {"stancewire", f"stancewire-{wheel.name.split('-')[1]}.dist-info"}
    shipped = {name for name in names if name.startswith("stancewire/") and name.endswith(".py")}
    assert shipped == {str(path.relative_to(ROOT)) for path in (ROOT / "stancewire").rglob("*.py")}
    assert "stancewire/py.typed" in names
    assert len(names) == len(set(names))


def test_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    folder = f"stancewire-{wheel.name.split('-')[1]}.dist-info"
    assert f"{folder}/licenses/LICENSE" in archive.namelist()
    assert "stancewire = stancewire.cli:main" in archive.read(f"{folder}/entry_points.txt").decode()
    metadata = archive.read(f"{folder}/METADATA").decode()
    assert f"Version: {stancewire.__version__}\n" in metadata
    bare = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.M)
    assert sorted(bare) == ["numpy", "onnxruntime", "rich", "safetensors", "tokenizers", "typer"]


def test_the_wheel_reads_with_its_own_dependencies_alone(bare: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; names = 'sklearn mlflow pandas pyarrow torch models training'.split();"
        "print([name for name in names if u.find_spec(name)])"
    )
    assert run(bare, "python", "-c", code).stdout == "[]\n"

    for task in ("topics", "stance"):
        small_artefact(tmp_path, task)
    topics, stance = (str(tmp_path / f"small-{task}") for task in ("topics", "stance"))
    (tmp_path / "a.txt").write_text(TEXT)
    models = ("--model", topics, "--model", stance)
    done = run(bare, "stancewire", "read", str(tmp_path / "a.txt"), *models, "--target", "embargo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    predictors = stancewire.load(topics), stancewire.load(stance)
    assert isinstance(predictors[0], TopicsPredictor)
    assert isinstance(predictors[1], StancePredictor)
    reading = Reader(predictors[0], predictors[1]).read(TEXT, ["embargo"]).to_dict()
    assert json.loads(done.stdout) == reading | {"id": str(tmp_path / "a.txt")}

    done = run(bare, "stancewire", "inspect", topics)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("small-topics\n")
    done = run(bare, "python", "-m", "stancewire", "inspect", "models:/stancewire-topics@challenger")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'stancewire[serve]'" in done.stderr


def test_the_wheel_runs_encoders_without_torch(bare: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.util as u; names = 'torch transformers onnx openvino sklearn'.split();"
        "print([name for name in names if u.find_spec(name)])"
    )
    assert run(bare, "python", "-c", code).stdout == "[]\n"
    for task in ("topics", "stance"):
        tiny_encoder(tmp_path, task)
    topics, stance = (str(tmp_path / f"tiny-{task}") for task in ("topics", "stance"))
    (tmp_path / "a.txt").write_text(TEXT)
    models = ("--model", topics, "--model", stance)
    done = run(bare, "stancewire", "read", str(tmp_path / "a.txt"), *models, "--target", "embargo", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    predictors = [stancewire.load(path, runtime="onnxruntime") for path in (topics, stance)]
    assert isinstance(predictors[0], TopicsPredictor)
    assert isinstance(predictors[1], StancePredictor)
    wanted = Reader(predictors[0], predictors[1]).read(TEXT, ["embargo"])
    assert [s["label"] for s in found["stances"]] == [s.label for s in wanted.stances]
    said = [topic["probability"] for topic in found["topics"]]
    assert said == pytest.approx([topic.probability for topic in wanted.topics], abs=1e-4)
    code = f"import stancewire; stancewire.load({topics!r}, runtime='openvino')"
    done = run(bare, "python", "-c", code)
    assert "MissingExtraError" in done.stderr
    assert "pip install 'stancewire[openvino]'" in done.stderr
