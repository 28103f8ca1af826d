"""The shape of the house: which way imports point, what the wheel holds, what an import costs."""

import ast
import json
import shutil
import subprocess
import sys
import zipfile
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
HEAVY = ("torch", "sklearn", "scipy", "mlflow", "pandas", "pyarrow", "transformers", "datasets", "pydantic")
GENERATED = ("build", "dist", "*.egg-info", "mlruns", "mlflow.db*", "artefacts")
LIGHT = {"numpy", "safetensors", "rich", "typer", "click"}


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


def build_wheel(folder: Path) -> Path:
    """Build from a copy: a stale build/ in the checkout must not reach the wheel, nor the build the checkout."""
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "__pycache__", *GENERATED))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(checkout)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


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
        "sys.addaudithook(lambda event, args: opened.append(event) if event.startswith('socket.') else None)\n"
        "import stancewire\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print(json.dumps([heavy, opened]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(done.stdout) == [[], []]


def test_wheel_holds_stancewire_alone(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert top == {"stancewire", f"stancewire-{wheel.name.split('-')[1]}.dist-info"}
    shipped = {name for name in names if name.startswith("stancewire/") and name.endswith(".py")}
    assert shipped == {str(path.relative_to(ROOT)) for path in sources("stancewire")}
    assert "stancewire/py.typed" in names
    assert len(names) == len(set(names))


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
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.append({str(ROOT)!r}); import training"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0
    assert "not this checkout's" in done.stderr
