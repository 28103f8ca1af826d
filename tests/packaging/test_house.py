"""The shape of the house: which way imports point, what the wheel holds, what an import costs."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("stancewire", "models", "training")
MAY_IMPORT = {
    "stancewire": {"stancewire"},
    "models": {"stancewire", "models"},
    "training": {"stancewire", "models", "training"},
}
HEAVY = (
    *("torch", "sklearn", "scipy", "mlflow", "pandas", "pyarrow", "transformers", "datasets", "pydantic"),
    *("onnxruntime", "openvino", "tokenizers", "onnx", "google.protobuf"),
)
# What the wheel needs; onnxruntime among it is imported by those alone who run an encoder.
LIGHT = {"numpy", "onnxruntime", "safetensors", "rich", "tokenizers", "typer", "click"}


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"no sources under {package}"
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imported(parse(path))
        if name.split(".")[0] in PACKAGES and name.split(".")[0] not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_nobody_imports_run() -> None:
    """What `python -m training.run` executes must not be loaded a second time under its module name."""
    wrong = [
        str(path.relative_to(ROOT))
        for folder in (*PACKAGES, "benchmarks")
        for path in sources(folder)
        if "training.run" in set(imported(parse(path)))
    ]
    assert wrong == []


def test_top_level_imports_of_the_wheel_are_light() -> None:
    allowed = LIGHT | {"stancewire"} | set(sys.stdlib_module_names)
    wrong = []
    for path in sources("stancewire"):
        top = ast.Module([n for n in parse(path).body if isinstance(n, ast.Import | ast.ImportFrom)], [])
        wrong += [f"{path.name}: {name}" for name in imported(top) if name.split(".")[0] not in allowed]
    assert wrong == []


def test_import_is_light_and_opens_no_socket() -> None:
    code = (
        "import sys, json\n"
        "opened = []\n"
        "hook = lambda event, args: opened.append(event) if event.startswith('socket.') else None\n"
        "sys.addaudithook(hook)\n"
        "import stancewire\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print(json.dumps([heavy, opened]))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == [[], []]


def test_every_import_of_the_wheel_is_declared() -> None:
    """Lazy ones too: what stands behind an extra must be in that extra, and in no other place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = {
        re.split(r"[^\w-]", line)[0].replace("-", "_")
        for line in (
            *project["dependencies"],
            *extras["serve"],
            *extras["batch"],
            *extras["spark"],
            *extras["openvino"],
        )
    }
    used = {name.split(".")[0] for path in sources("stancewire") for name in imported(parse(path))}
    assert used - set(sys.stdlib_module_names) - {"stancewire"} - declared == set()
    assert {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]} <= LIGHT


def test_every_package_folder_has_an_init() -> None:
    folders = {path.parent for package in PACKAGES for path in sources(package)}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_no_file_under_two_names() -> None:
    """Two modules of one source (a copy, a link) would be two truths."""
    seen: dict[str, Path] = {}
    for path in (path for package in PACKAGES for path in sources(package)):
        body = path.read_text(encoding="utf-8")
        assert not path.is_symlink()
        if body.strip():
            assert body not in seen, f"{path} repeats {seen.get(body)}"
            seen[body] = path


def test_training_refuses_a_foreign_stancewire(tmp_path: Path) -> None:
    """A checkout's training code must not run against another installed stancewire."""
    foreign = tmp_path / "stancewire"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("")
    paths = f"sys.path.insert(0, {str(tmp_path)!r}); sys.path.append({str(ROOT)!r})"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", f"import sys; {paths}; import training"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "not this checkout's" in done.stderr
