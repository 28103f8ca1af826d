"""Say what is wrong with a config: dotted path, line, what was wanted, what came, what was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.base import StrictModel
from models.registry import family, names
from stancewire.section import shown
from training.config import DEFAULT_FAMILY, RunConfig
from training.yaml import Path, Plain

_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "string_too_short": "a text that is not empty",
    "too_short": "at least one item",
}
_PREFIX = re.compile(r"^(?:Input|String|Tuple|List|Dictionary|Value|Number) should (?:be )?")


def explain(
    error: ValidationError,
    data: Mapping[str, Plain],
    lines: Mapping[Path, int | str],
    root: type[StrictModel] = RunConfig,
) -> list[str]:
    """Return every problem as one text, in the order of the file.

    Args:
        error: what pydantic found.
        data: what was validated.
        lines: where each value stands: a line of the file, or "--set".
        root: what it was validated as.
    """
    wanted: dict[Path, list[str]] = {}
    details: dict[Path, ErrorDetails] = {}
    for found in error.errors(include_url=False):
        path = _path_in(data, found)
        wanted.setdefault(path, []).append(_wanted(found))
        details.setdefault(path, found)
    # A value that fits no branch of a union fails in each: the branch that looked deepest is the one meant.
    told = [path for path in wanted if not any(other[: len(path)] == path != other for other in wanted)]
    told.sort(key=lambda path: (_line(path, lines) if isinstance(_line(path, lines), int) else 10**9, path))
    return [_problem(path, details[path], wanted[path], data, lines, root) for path in told]


def _problem(
    path: Path,
    found: ErrorDetails,
    wanted: list[str],
    data: Mapping[str, Plain],
    lines: Mapping[Path, int | str],
    root: type[StrictModel],
) -> str:
    dotted = ".".join(map(str, path)) or "the file"
    line = _line(path, lines)
    where = f"{dotted} ({f'line {line}' if isinstance(line, int) else line})" if line else dotted
    match found["type"]:
        case "extra_forbidden":
            return f"{where}: unknown key; {_meant(str(path[-1]), _keys(path[:-1], data, root))}"
        case "missing":
            return f"{dotted}: missing; wanted {_about(path, data, root)}"
    value = found["input"]
    hint = ""
    if "a text" in wanted and isinstance(value, bool | int | float):
        hint = "; quote it"
    elif isinstance(value, str) and found["type"] in ("literal_error", "wanted"):
        hint = _did_you_mean(value, re.findall(r"'([^']*)'", wanted[0]))
    elif isinstance(value, str) and found["type"] in ("int_type", "float_type", "bool_type"):
        hint = "; write it without quotes"
    return f"{where}: wanted {' or '.join(dict.fromkeys(wanted))}, got {_got(value)}{hint}"


def _path_in(data: object, found: ErrorDetails) -> Path:
    """Return where an error stands in the data; pydantic also names the branches of unions on the way."""
    path: list[str | int] = []
    here: Any = data
    steps = found["loc"]
    for number, step in enumerate(steps):
        inside = (isinstance(here, Mapping) and step in here) or (
            isinstance(here, list | tuple) and isinstance(step, int) and step < len(here)
        )
        if inside:
            here = here[step]
            path.append(step)
        elif found["type"] == "missing" and number == len(steps) - 1:
            path.append(step)
    return tuple(path)


def _wanted(found: ErrorDetails) -> str:
    if found["type"] in _WANTED:
        return _WANTED[found["type"]]
    return _PREFIX.sub("", found["msg"]).replace("valid ", "")


def _got(value: object) -> str:
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return shown(value)


def _line(path: Path, lines: Mapping[Path, int | str]) -> int | str | None:
    return lines.get(path)


def _model_at(path: Path, data: Mapping[str, Plain], root: type[StrictModel]) -> type[StrictModel] | None:
    """Return the section that stands at a path."""
    model = root
    for step in path:
        kind = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        if step == "model" and model is RunConfig:
            section = data.get("model")
            name = section.get("family", DEFAULT_FAMILY) if isinstance(section, Mapping) else DEFAULT_FAMILY
            kind = family(str(name)).Config if name in names() else None
        if not (isinstance(kind, type) and issubclass(kind, StrictModel)):
            return None
        model = kind
    return model


def _keys(path: Path, data: Mapping[str, Plain], root: type[StrictModel]) -> list[str]:
    model = _model_at(path, data, root)
    return sorted(model.model_fields) if model else []


def _about(path: Path, data: Mapping[str, Plain], root: type[StrictModel]) -> str:
    """Return what a missing setting is, as its docstring says."""
    model = _model_at(path[:-1], data, root)
    text = model.model_fields[str(path[-1])].description if model else None
    return " ".join((text or "a value").split()).rstrip(".")


def _meant(name: str, known: list[str]) -> str:
    return _did_you_mean(name, known).removeprefix("; ") or f"the keys here are {', '.join(known) or 'none'}"


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
