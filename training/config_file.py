"""Read a run's config from YAML and `--set`, and write one out whole."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path as FilePath

from pydantic import ValidationError

from models.base import StrictModel
from training.config import RunConfig
from training.config_errors import explain
from training.yaml import ConfigError, Path, Plain, dump_yaml, parse_yaml

_WIDTH = 110
# Section of a search space, which is no setting of a run.
TUNE = "tune"


def load_config(file: str | FilePath, settings: Sequence[str] = ()) -> RunConfig:
    """Return the config of a file, with settings on top.

    Args:
        file: a YAML file.
        settings: "dotted.path=value" each, the value in YAML; a later one wins.

    Raises:
        ConfigError: if anything is wrong; it lists everything that is.
    """
    data, lines = read_settings(file, settings)
    if TUNE in data:
        at = lines.get((TUNE,), "--set")
        told = f"{TUNE} ({f'line {at}' if isinstance(at, int) else at}): this config has a search space"
        raise ConfigError(str(file), [f"{told}: run python -m training.tune {file}"])
    return validate(data, lines, str(file))


def read_settings(
    file: str | FilePath, settings: Sequence[str] = ()
) -> tuple[dict[str, Plain], dict[Path, int | str]]:
    """Return the plain data of a file, with settings on top, and where each value stands.

    Raises:
        ConfigError: if the file cannot be read or a setting cannot be written over it.
    """
    where = str(file)
    try:
        source = FilePath(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(where, [f"wanted a YAML file, it cannot be read: {reason}"]) from None
    parsed = parse_yaml(source, where)
    if not isinstance(parsed.data, dict):
        raise ConfigError(where, [f"wanted a mapping of settings, got {type(parsed.data).__name__}"])
    lines: dict[Path, int | str] = dict(parsed.lines)
    if problems := list(_apply(settings, parsed.data, lines)):
        raise ConfigError(where, problems)
    return parsed.data, lines


def validate(data: dict[str, Plain], lines: dict[Path, int | str], where: str) -> RunConfig:
    """Return plain data as a config.

    Raises:
        ConfigError: listing every problem.
    """
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(where, explain(error, data, lines)) from None


def dump_config(config: RunConfig) -> str:
    """Return the whole config as YAML that `load_config` reads back equal, each setting explained."""
    return "\n".join(_section(config, 0)) + "\n"


def _section(model: StrictModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        about = value.__doc__ if isinstance(value, StrictModel) else field.description
        if not depth:
            yield ""
        for line in textwrap.wrap(" ".join((about or "").split()), _WIDTH - len(indent) - 2):
            yield f"{indent}# {line}"
        if isinstance(value, StrictModel):
            yield f"{indent}{name}:"
            yield from _section(value, depth + 1)
        else:
            plain = model.model_dump(mode="json", include={name})
            yield from textwrap.indent(dump_yaml(plain), indent).splitlines()


def _apply(settings: Iterable[str], data: dict[str, Plain], lines: dict[Path, int | str]) -> Iterator[str]:
    """Write settings into data, in place; yield what cannot be written."""
    for setting in settings:
        dotted, equals, text = setting.partition("=")
        path = tuple(dotted.split("."))
        if not equals or not all(path):
            yield f"--set {setting}: wanted a dotted path, an equals sign and a value, such as seed=3"
            continue
        try:
            value = parse_yaml(text.encode("utf-8", "replace"), "").data if text.strip() else None
        except ConfigError as error:
            yield f"--set {setting}: {error.problems[0]}"
            continue
        here = data
        for step in path[:-1]:
            below = here.setdefault(step, {})
            if not isinstance(below, dict):
                yield f"--set {setting}: {step!r} holds a value, not settings"
                break
            here = below
        else:
            here[path[-1]] = value
            _mark(path, value, lines)


def _mark(path: Path, value: Plain, lines: dict[Path, int | str]) -> None:
    """Note that what stands at a path, and below it, came from the command line."""
    for length in range(1, len(path)):
        lines.setdefault(path[:length], "--set")
    lines[path] = "--set"
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _mark((*path, key), item, lines)
