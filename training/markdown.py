"""Markdown and its YAML front matter: every text is escaped, so that it is shown and never obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stancewire.terminal import escape

# What CommonMark and its tables read as more than text; underscores within a word are text.
_MARKS = re.compile(r"[\\`*\[\]<>|~&$#]|(?<![^\W_])_|_(?![^\W_])|:(?=//)")
# What begins a list or underlines a heading, at the start of a line.
_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=]))")
# What JSON takes in a text and YAML does not, or folds.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BACKTICKS = re.compile("`+")


def text(value: object) -> str:
    """Return a text to stand in a line, at its start too."""
    plain = escape(str(value)).strip()
    return _START.sub(r"\1\\", _MARKS.sub(lambda mark: f"\\{mark.group()}", plain))


def code(value: object) -> str:
    """Return a text as code, to stand within a line or, but for upright bars, within a table."""
    plain = escape(str(value)).strip()
    longest = max((len(run) for run in _BACKTICKS.findall(plain)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if longest else ""
    return f"{fence}{blank}{plain}{blank}{fence}"


def fenced(content: str, language: str) -> list[str]:
    """Return lines of code as a block."""
    longest = max((len(run) for run in _BACKTICKS.findall(content)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *content.splitlines(), fence, ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table whose cells are Markdown already.

    Args:
        head: names of the columns.
        rows: their cells.
        numeric: columns of figures, which stand at the right.
    """
    marks = ["---:" if column in numeric else "---" for column in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, marks, *rows)] + [""]


def front_matter(values: Mapping[str, object]) -> list[str]:
    """Return values as YAML between two rules: texts quoted, so that "no" stays a text."""
    return ["---", *_lines(values, ""), "---", ""]


def _lines(values: Mapping[str, object], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list | tuple):
            yield f"{indent}{key}:"
            for item in value:
                yield from _item(item, indent)
        else:
            yield f"{indent}{key}: {_scalar(value)}"


def _item(value: object, indent: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{indent}- {_scalar(value)}"
        return
    first, *others = _lines(value, f"{indent}  ")
    yield f"{indent}- {first.strip()}"
    yield from others


def _scalar(value: object) -> str:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode("utf-8")
    quoted = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _NOT_YAML.sub(lambda mark: f"\\u{ord(mark.group()):04x}", quoted)
