"""Documentation leads somewhere: every link to a file, every promise and every fault to its tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / "data").glob("*.md"),
]
_LINK = re.compile(r"\[[^\]\n]*\]\((?P<to>[^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    """Return the links to files."""
    found = [match["to"] for match in _LINK.finditer(_CODE.sub("", text))]
    return [to.partition("#")[0] for to in found if "://" not in to and not to.startswith(("#", "mailto:"))]


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading."""
    after = page.read_text("utf-8").partition(f"{heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert lines
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines.group().splitlines()[2:]
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    assert [to for to in links(page.read_text("utf-8")) if not (page.parent / to).exists()] == []


def test_links_are_found() -> None:
    assert links("[a](b.md) `[c](d)` [e](f.md#g) [h](https://i) [j](#k)") == ["b.md", "f.md"]
    assert len(links((ROOT / "README.md").read_text("utf-8"))) > 20


def test_every_promise_is_kept_by_tests() -> None:
    promises = rows(ROOT / "README.md", "## What is promised")
    assert len(promises) >= 12
    for promise, kept_by in promises:
        named = links(kept_by)
        assert named, promise
        assert all(to.startswith("tests/") for to in named), promise


def test_every_fault_has_tests() -> None:
    faults = [cells for cells in rows(ROOT / "docs" / "faults.md", "# Faults") if cells[0]]
    assert [cells[0].lstrip("| ") for cells in faults] == [str(number) for number in range(1, 26)]
    for number, _, _, tests in faults:
        named = [(ROOT / "docs" / to).resolve() for to in links(tests)]
        assert named, number
        assert all(
            path.is_relative_to(ROOT / "tests") and "def test_" in path.read_text("utf-8") for path in named
        )


def test_every_attack_is_on_the_map() -> None:
    told = {Path(to).name for to in links((ROOT / "docs" / "faults.md").read_text("utf-8"))}
    attacks = {path.name for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert attacks <= told
