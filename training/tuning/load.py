"""Read a config with a search space: the run's own settings and the section `tune`, checked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import ValidationError

from models.base import StrictModel
from training.config import RunConfig
from training.config_errors import explain
from training.config_file import TUNE, read_settings
from training.tuning.config import TuneConfig
from training.tuning.space import as_setting, problems_of, written
from training.yaml import ConfigError, Path, Plain

_Model = TypeVar("_Model", bound=StrictModel)


@dataclass(frozen=True)
class Sweep:
    """A config and how its settings are searched.

    Attributes:
        config: the run as it stands, which the space is around.
        tune: trials, metric and space.
        data: the run's settings as the file and `--set` give them.
    """

    config: RunConfig
    tune: TuneConfig
    data: Mapping[str, Plain]

    def settings(self, drawn: Mapping[str, Plain]) -> dict[str, Plain]:
        """Return the plain data of the run with drawn values in it."""
        return written(self.data, self.config, drawn)

    def run(self, drawn: Mapping[str, Plain]) -> RunConfig:
        """Return the run with drawn values in it.

        Raises:
            ConfigError: if values that are right alone do not go together.
        """
        data = self.settings(drawn)
        try:
            return RunConfig.model_validate(data)
        except ValidationError as error:
            raise ConfigError("the settings of a trial", explain(error, data, {})) from None

    def lines(self, drawn: Mapping[str, Plain]) -> list[str]:
        """Return what `--set` takes to make the run one with drawn values."""
        data = self.settings(drawn)
        return [as_setting(path, _at(data, path)) for path in drawn]

    @property
    def storage(self) -> FilePath:
        """The file that keeps the trials."""
        return FilePath(self.tune.storage or FilePath(self.config.output) / f"{self.config.name}.tune.db")

    @property
    def best(self) -> FilePath:
        """The config of the best choice."""
        return FilePath(self.config.output) / f"{self.config.name}.best.yaml"


class _File(StrictModel):
    """What of a file is not the run's."""

    tune: TuneConfig


def load_sweep(file: str | FilePath, settings: Sequence[str] = ()) -> Sweep:
    """Return the sweep that a file describes, with settings on top.

    Args:
        file: a YAML file: a run's config with a section `tune`.
        settings: "dotted.path=value" each, the value in YAML; a later one wins.

    Raises:
        ConfigError: if anything is wrong; it lists everything that is.
    """
    data, lines = read_settings(file, settings)
    if TUNE not in data:
        example = "such as 'tune: {space: {model.min_documents: {int: [1, 5]}}}'"
        raise ConfigError(str(file), [f"{TUNE}: missing; wanted a search space, {example}"])
    section: dict[str, Plain] = {TUNE: data.pop(TUNE)}
    problems: list[str] = []
    tune = _checked(_File, section, lines, problems)
    config = _checked(RunConfig, data, lines, problems)
    if tune and config:
        problems += problems_of(tune.tune.space, config, data, lines)
    if problems or not tune or not config:
        raise ConfigError(str(file), problems)
    return Sweep(config, tune.tune, data)


def _checked(
    model: type[_Model], data: dict[str, Plain], lines: Mapping[Path, int | str], problems: list[str]
) -> _Model | None:
    """Return data as a model, or None and add what is wrong with it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += explain(error, data, lines, model)
        return None


def _at(data: Mapping[str, Plain], path: str) -> Plain:
    here: Plain = dict(data)
    for step in path.split("."):
        here = here[step] if isinstance(here, dict) else None
    return here
