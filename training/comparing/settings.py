"""What the gates of a promotion ask for: every default is here, a YAML file or a flag says what differs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, ValidationError

from models.base import StrictModel
from stancewire.section import shown
from training.yaml import ConfigError, Plain, parse_yaml

GateName: TypeAlias = Literal[
    "artefact",
    "unseen",
    "quality",
    "majority",
    "target-blind",
    "linear",
    "reproduced",
    "behaviour",
    "parity",
]
Margin: TypeAlias = Annotated[float, Field(ge=0, lt=1)]


class PromoteConfig(StrictModel):
    """What a version must show before it becomes champion. Margins are shares: 0.01 is one point."""

    margin: Margin = 0.02
    """Macro-F1 that the challenger may lose to the champion: the whole interval of the difference must be at
    least minus this."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """Share of resamples of stories that every interval holds."""

    samples: Annotated[int, Field(ge=100, le=100_000)] = 2000
    """Resamples of stories behind every interval."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of the resamples."""

    majority_margin: Margin = 0.05
    """Macro-F1 by which the majority must be beaten; that it is beaten at all must be shown."""

    target_blind_margin: Margin = 0.01
    """Stance: macro-F1 by which the model without the target must be beaten, likewise."""

    linear_margin: Margin = 0.0
    """Another family: macro-F1 by which the linear model must be beaten, likewise."""

    linear: Annotated[str, Field(min_length=1)] | None = None
    """The linear model that another family must beat: a folder or a model URI; null takes the newest linear
    version under the same name."""

    reproduced_within: Annotated[float, Field(gt=0, lt=1)] = 0.005
    """How far the macro-F1 measured now on the test part may be from the one in the manifest."""

    behaviour_margin: Margin = 0.05
    """How much the failure rate of a capability may rise over the champion's."""

    parity: Annotated[float, Field(gt=0, le=1)] = 0.995
    """Share of test rows that the exported model must decide as the trained one did."""

    must_measure: Annotated[tuple[GateName, ...], Field(strict=False)] = (
        "artefact",
        "unseen",
        "quality",
        "majority",
        "target-blind",
        "parity",
    )
    """Gates that refuse where they cannot be measured; the others then only say so."""


def load_settings(file: str | None, settings: Sequence[str]) -> PromoteConfig:
    """Return the settings of a YAML file, or the defaults, with "name=value" each on top.

    Raises:
        ConfigError: with everything that is wrong.
    """
    where = file or "--set"
    data = _of_file(file) if file else {}
    problems = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            problems.append(f"--set {setting}: wanted NAME=VALUE, such as margin=0.01")
            continue
        try:
            data[name] = parse_yaml(text.encode("utf-8", "replace"), "").data if text.strip() else None
        except ConfigError as error:
            problems.append(f"--set {setting}: {error.problems[0]}")
    if problems:
        raise ConfigError(where, problems)
    try:
        return PromoteConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(where, _explained(error)) from None


def _of_file(file: str) -> dict[str, Plain]:
    try:
        source = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(file, [f"wanted a YAML file, it cannot be read: {reason}"]) from None
    data = parse_yaml(source, file).data
    if not isinstance(data, dict):
        raise ConfigError(file, [f"wanted a mapping of settings, got {type(data).__name__}"])
    return data


def _explained(error: ValidationError) -> list[str]:
    """Return one line for each setting that is wrong."""
    told = {}
    known = sorted(PromoteConfig.model_fields)
    for found in error.errors(include_url=False):
        name = ".".join(map(str, found["loc"]))
        if found["type"] == "extra_forbidden":
            close = get_close_matches(name, known, n=1)
            told[name] = "unknown key; " + (
                f"did you mean {close[0]!r}?" if close else f"the keys here are {', '.join(known)}"
            )
        else:
            wanted = found["msg"].replace("Input should be ", "")
            told.setdefault(name, f"wanted {wanted}, got {shown(found['input'])}")
    return [f"{name}: {says}" for name, says in told.items()]
