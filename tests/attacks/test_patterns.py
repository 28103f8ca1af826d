"""Fault 17 for every pattern that we own: twice the text takes about twice the time, however it is used."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZE = 6_000
MOST_RATIO = 2.6
ATTEMPTS = 4
# A pattern that takes the square of the text would need far longer for 12,000 characters.
NOTHING_SECONDS = 0.02
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


def worst_ratio(run: Callable[[str], object], unit: str) -> float:
    """Return how much longer twice the text takes; 0 where it takes no time to speak of."""
    text = (unit * (2 * SIZE // len(unit) + 1))[: 2 * SIZE]
    ratios = []
    for _ in range(ATTEMPTS):  # another process may have slowed one of the two
        long = seconds(run, f"{text}!")
        if long < NOTHING_SECONDS:
            return 0.0
        ratios.append(long / max(1e-9, seconds(run, f"{text[:SIZE]}!")))
        if ratios[-1] <= MOST_RATIO:
            return ratios[-1]
    return min(ratios)


def seconds(run: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    run(text)
    return time.process_time() - started


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_takes_time_in_proportion(name: str) -> None:
    pattern = patterns()[name]
    for method in uses(name.rpartition(".")[2]):
        for unit in UNITS:
            ratio = worst_ratio(running(pattern, method), unit)
            assert ratio <= MOST_RATIO, f"{method} on {unit!r}: {ratio:.1f} times"


def test_all_are_found() -> None:
    assert len(patterns()) > 40
    assert {"stancewire.reading._HEADLINE", "stancewire.headline._HEADLINE"} & set(patterns())
    assert "training.data.records._DATE" in patterns()


@pytest.mark.parametrize(("source", "method", "unit"), [(r"a+$", "search", "a"), (r" *\n", "search", " ")])
def test_a_pattern_that_takes_the_square_is_found(source: str, method: str, unit: str) -> None:
    run = running(re.compile(source), method)
    # On a machine that is busy with other things one look may miss it.
    assert any(worst_ratio(run, unit) > MOST_RATIO for _ in range(10))
