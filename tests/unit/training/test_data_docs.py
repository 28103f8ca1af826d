"""The examples of docs/data.md run as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.training.test_check import SCHEMA, told
from training.data import labels, records, together
from training.data.examine import examine
from training.data.sources import open_source

ROOT = Path(__file__).resolve().parents[3]
DOCS = (ROOT / "docs/data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


@pytest.mark.parametrize(("language", "n_rows"), [("jsonl", [4]), ("csv", [3, 3, 2])])
def test_the_rows_shown_are_clean(tmp_path: Path, language: str, n_rows: list[int]) -> None:
    shown = blocks(language)
    assert len(shown) == len(n_rows)
    for block, expected in zip(shown, n_rows, strict=True):
        (tmp_path / f"a.{language}").write_text(block, encoding="utf-8")
        found = examine(open_source(str(tmp_path / f"a.{language}")), SCHEMA)
        assert (told(found), found.n_records) == ([], expected)


def test_the_python_example_runs() -> None:
    (block,) = blocks("python")
    command = [sys.executable, "-c", f"{block}\nprint(len(train))"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own code
    assert (done.stderr, int(done.stdout) > 250) == ("", True)


def test_every_code_of_a_fault_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+)`", DOCS))
    sources = [
        Path(str(module.__file__)).read_text(encoding="utf-8") for module in (labels, records, together)
    ]
    sources.append((ROOT / "stancewire/readers.py").read_text(encoding="utf-8"))
    raised = {
        code for text in sources for code in re.findall(r'(?:_fault|Reject)\((?:\w+, )?"([a-z_]+)"', text)
    }
    assert len(raised) > 15
    assert raised - documented == set()
