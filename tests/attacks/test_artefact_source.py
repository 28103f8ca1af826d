"""Fault 1, its other half: nothing in stancewire can unpickle or evaluate what it reads."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "stancewire"
MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "marshal",
    "shelve",
    "skops",
    "runpy",
    "code",
    # What reads formats that run code, under whatever name its loader is called.
    "builtins",
    "ruamel",
    "torch",
    "yaml",
}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("torch", "load"),
    ("builtins", "eval"),
    ("pd", "read_pickle"),
    ("pandas", "read_pickle"),
}


def offences(source: str) -> list[str]:
    """Name every construct in a module that can run code from data."""
    return [found for node in ast.walk(ast.parse(source)) if (found := offence(node))]


def offence(node: ast.AST) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return imported(node)
    if isinstance(node, ast.Name) and node.id in CALLS:
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        pair = (node.value.id, node.attr)
        return ".".join(pair) if pair in ATTRIBUTES else ""
    return called(node) if isinstance(node, ast.Call) else ""


def imported(node: ast.Import | ast.ImportFrom) -> str:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return next((name for name in names if name.split(".")[0] in MODULES), "")


def called(node: ast.Call) -> str:
    for keyword in node.keywords:
        # Anything but a literal False could be True.
        if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
            return "allow_pickle"
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name if name == "import_module" and not (node.args and stays_at_home(node.args[0])) else ""


def stays_at_home(name: ast.expr) -> bool:
    """Tell whether a module's name is written out, or starts with our own package's."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else name
    if not isinstance(first, ast.Constant):
        return False
    return first is name or str(first.value).startswith("stancewire.")


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, pickle as p",
        "from pickle import loads",
        "def f():\n    import joblib",
        "from sklearn.externals import joblib\nimport dill",
        "import marshal",
        "eval('1')",
        "f = exec",
        "__import__('os')",
        "compile('1', '', 'eval')",
        "import yaml\nyaml.load(x)",
        "from yaml import load",
        "import yaml as y\ny.load(x)",
        "torch.load(x)",
        "from torch import load",
        "pd.read_pickle(x)",
        "import builtins\nbuiltins.exec(x)",
        "np.load(f, allow_pickle=True)",
        "np.load(f, allow_pickle=flag)",
        "importlib.import_module(name)",
        "importlib.import_module(f'{name}.x')",
        "importlib.import_module(f'stance{name}')",
        "import_module(manifest['family'])",
    ],
)
def test_the_scan_finds(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile('x')",
        "np.load(f, allow_pickle=False)",
        "import_module('onnxruntime')",
        "import_module(f'stancewire.{x}')",
        "yaml.safe_load(x)",
    ],
)
def test_the_scan_lets_be(source: str) -> None:
    assert not offences(source)


def test_stancewire_holds_none() -> None:
    modules = sorted(ROOT.rglob("*.py"))
    assert len(modules) > 5
    found = {str(path.relative_to(ROOT)): offences(path.read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}
