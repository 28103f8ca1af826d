"""Fault 17 for every pattern of ours: time grows with the text and not its square, however it is used."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.processor import MOST_GROWTH, growth

ROOT = Path(__file__).resolve().parents[2]
SIZE = 12_000
METHODS = "match|fullmatch|search|sub|subn|split|findall|finditer"
UNITS = (
    *(
        "a",
        "A",
        " ",
        "\n",
        "1",
        ".",
        ",",
        "-",
        "'",
        '"',
        "(",
        "_",
        "/",
        ":",
        "a ",
        "A. ",
        "a-",
        "1.",
        "a\n",
        " \n",
    ),
    *(
        "\r\n",
        "[1]",
        "a.b",
        "Aa ",
        "\u0301",
        "\u200d",
        "//a",
        "<a",
        "“",
        "\\",
        "{",
        "a: ",
        "#",
        "  a",
        "{{a}}",
    ),
)


@cache
def patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    """Return every compiled pattern that stands in a module of ours, by module and name."""
    found: dict[str, re.Pattern[str] | re.Pattern[bytes]] = {}
    for package in ("stancewire", "models", "training"):
        for file in sorted((ROOT / package).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            if "re.compile" not in source or file.name == "__main__.py":
                continue
            module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern) and re.search(rf"^{name}\b", source, re.MULTILINE):
                    found[f"{module.__name__}.{name}"] = value
    return found


@cache
def _sources() -> str:
    files = (
        file for package in ("stancewire", "models", "training") for file in (ROOT / package).rglob("*.py")
    )
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def uses(name: str) -> Iterator[str]:
    """Yield how a pattern is used; `search` where that cannot be told."""
    called = set(re.findall(rf"\b{name}\s*\.({METHODS})\b", _sources()))
    yield from sorted(called) or ["search"]


def running(pattern: re.Pattern[str] | re.Pattern[bytes], method: str) -> Callable[[str], object]:
    """Return what runs a pattern over a text in one way."""
    made = isinstance(pattern.pattern, bytes)

    def run(text: str) -> object:
        given = text.encode() if made else text
        if method in ("sub", "subn"):
            return getattr(pattern, method)(b"" if made else "", given)
        found = getattr(pattern, method)(given)
        return list(found) if method == "finditer" else found

    return run


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_takes_time_in_proportion(name: str) -> None:
    pattern = patterns()[name]
    for method in uses(name.rpartition(".")[2]):
        for unit in UNITS:
            grown = growth(running(pattern, method), unit, SIZE)
            assert grown <= MOST_GROWTH, f"{method} on {unit!r}: {grown:.1f} times"


def test_all_are_found() -> None:
    assert len(patterns()) > 40
    assert {"stancewire.reading._HEADLINE", "stancewire.headline._HEADLINE"} & set(patterns())
    assert "training.data.records._DATE" in patterns()


@pytest.mark.parametrize(("source", "method", "unit"), [(r"a+$", "search", "a"), (r" *\n", "search", " ")])
def test_a_pattern_that_takes_the_square_is_found(source: str, method: str, unit: str) -> None:
    run = running(re.compile(source), method)
    # Several looks: another process that slows the shorter text alone makes the square look like less.
    assert any(growth(run, unit, SIZE) > MOST_GROWTH for _ in range(4))
