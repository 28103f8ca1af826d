"""The search space: which settings may be searched, and a run's plain data with drawn values in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError

from models.base import StrictModel
from training.config import RunConfig
from training.config_errors import explain
from training.tuning.config import Range
from training.yaml import Path, Plain

# What decides how a model is fitted, calibrated and cut. All else would change the rows, or nothing at all.
SEARCHED = ("model", "calibration", "thresholds")
# Each family has settings of its own; a model without the target is what a stance model must beat.
_FIXED = {
    "model.family": "one family for a sweep; give each family a config of its own",
    "model.target_blind": "a setting other than this: the target-blind model is there to be beaten",
}


def problems_of(
    space: Mapping[str, Range],
    config: RunConfig,
    data: Mapping[str, Plain],
    lines: Mapping[Path, int | str],
) -> Iterator[str]:
    """Yield what is wrong with a space: paths that are no settings, values that their settings refuse.

    Args:
        space: what may be drawn, by dotted path.
        config: that is searched around.
        data: the same as plain data.
        lines: where each value stands: a line of the file, or "--set".
    """
    known = dict(settings_of(config))
    for path, drawn in space.items():
        line = lines.get(("tune", "space", path))
        at = f"tune.space.{path}" + (
            f" ({f'line {line}' if isinstance(line, int) else line})" if line else ""
        )
        if problem := _problem_of_path(path, space, known):
            yield f"{at}: {problem}"
            continue
        for value in extremes(drawn):
            try:
                RunConfig.model_validate(written(data, config, {path: value}))
            except ValidationError as error:
                for refused in explain(error, written(data, config, {path: value}), {}):
                    yield f"{at}: no value for this setting: {refused}"


def settings_of(config: StrictModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and the type of every setting of a config."""
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, StrictModel):
            yield from settings_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.annotation


def extremes(drawn: Range) -> tuple[Plain, ...]:
    """Return the values between which, or from which, a setting is drawn."""
    if drawn.kind.endswith("uniform"):
        return tuple(float(value) for value in drawn.values)
    return drawn.values


def written(data: Mapping[str, Plain], config: RunConfig, values: Mapping[str, Plain]) -> dict[str, Plain]:
    """Return a copy of a run's plain data with values written at their paths.

    A single value for a setting that is a list becomes a list of one.
    """
    known = dict(settings_of(config))
    copied: dict[str, Plain] = copy.deepcopy(dict(data))
    for path, value in values.items():
        *above, last = path.split(".")
        here = copied
        for step in above:
            below = here.get(step)
            if not isinstance(below, dict):
                below = here[step] = {}
            here = below
        here[last] = shaped(value, known.get(path))
    return copied


def shaped(value: Plain, annotation: object) -> Plain:
    """Return a value as a setting of that type wants it written."""
    wraps = tuple in _origins(annotation) and value is not None and not isinstance(value, list | dict)
    return [value] if wraps else copy.deepcopy(value)


def as_setting(path: str, value: Plain) -> str:
    """Return what `--set` takes to write a value at a path."""
    return f"{path}={json.dumps(value, ensure_ascii=False)}"


def _problem_of_path(path: str, space: Mapping[str, Range], known: Mapping[str, Any]) -> str:
    """Return why a path cannot be searched, or ""."""
    setting = next((name for name in known if f"{path}.".startswith(f"{name}.")), None)
    inside = setting is not None and setting != path
    if setting is None or not all(path.split(".")) or (inside and dict not in _origins(known[setting])):
        close = get_close_matches(path, [name for name in known if _searched(name)], n=1, cutoff=0.6)
        sections = ", ".join(sorted({name.rpartition(".")[0] for name in known if _searched(name)}))
        return f"unknown setting; {f'did you mean {close[0]!r}?' if close else f'settings are in {sections}'}"
    if not _searched(path):
        sections = " or ".join(SEARCHED)
        return f"wanted a setting of {sections}: all trials learn from, and are judged on, the same rows"
    if path in _FIXED:
        return f"wanted {_FIXED[path]}"
    if above := next((other for other in space if path.startswith(f"{other}.")), None):
        return f"wanted one range for a setting; {above} holds it too"
    return ""


def _searched(path: str) -> bool:
    return path.partition(".")[0] in SEARCHED


def _origins(annotation: object) -> set[object]:
    """Return the plain classes that a type allows: tuple, dict, float and so on."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return {found for branch in get_args(annotation) for found in _origins(branch)}
    if origin is Annotated:
        return _origins(get_args(annotation)[0])
    return {origin or annotation}
