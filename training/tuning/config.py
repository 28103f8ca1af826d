"""The typed section `tune` of a config: how many trials, what a trial is judged by, and the search space."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.base import StrictModel
from training.config_sections import Text

Kind: TypeAlias = Literal["uniform", "log_uniform", "int", "log_int", "choice"]
Metric: TypeAlias = Literal["cross_validation", "dev"]

KINDS: tuple[Kind, ...] = get_args(Kind)


class Range(StrictModel):
    """What may be drawn for one setting; in a file, a mapping of one kind to its values.

    Attributes:
        kind: "uniform" and "log_uniform" draw numbers, "int" and "log_int" whole ones, "choice" one of a
            list.
        values: the lowest and the highest, or what is chosen from.
    """

    kind: Kind
    values: tuple[Any, ...]

    @model_validator(mode="wrap")
    @classmethod
    def _of_one_key(cls, value: object, handler: ModelWrapValidatorHandler[Range]) -> Range:
        if not isinstance(value, dict) or len(value) != 1:
            raise PydanticCustomError(
                "wanted", "Input should be {what}", {"what": "a kind with its values, as {int: [1, 5]}"}
            )
        ((kind, values),) = value.items()
        if kind not in KINDS:
            raise _wanted_at(kind, " or ".join(map(repr, KINDS)), kind)
        problem = _problem_of_choice(values) if kind == "choice" else _problem_of_bounds(kind, values)
        if problem:
            raise _wanted_at(kind, problem, values)
        return handler({"kind": kind, "values": tuple(values)})


class TuneConfig(StrictModel):
    """How the settings of a config are searched."""

    trials: Annotated[int, Field(ge=1, le=10_000)] = 30
    """Trials in all, those of earlier calls with the same storage included."""

    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that try settings at the same time, each with one thread for its arithmetic."""

    timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which this call begins no new trial; null: never."""

    metric: Metric = "cross_validation"
    """"cross_validation" (macro-F1 over folds of train and dev together, each story judged once by a model
    that knew nothing of it) or "dev" (macro-F1 on halves of dev, of models that learned train alone)."""

    folds: Annotated[int, Field(ge=3, le=100)] = 5
    """Folds of that cross-validation, stories whole: one judges, one calibrates, the others teach."""

    pruner: Literal["median", "none"] = "median"
    """"median" gives a trial up after a fold at which it scores below the median of the trials before."""

    storage: Text | None = None
    """SQLite file that keeps the trials; null: OUTPUT/NAME.tune.db."""

    space: Annotated[dict[str, Range], Field(min_length=1)]
    """What may be drawn for each setting, by dotted path, such as {model.min_documents: {int: [1, 5]}}."""

    @field_validator("storage")
    @classmethod
    def _is_file(cls, storage: str | None) -> str | None:
        if storage and ("://" in storage or set(storage) & set("?{}")):
            what = "the path of a file, without '://', '?', '{' and '}'"
            raise PydanticCustomError("wanted", "Input should be {what}", {"what": what})
        return storage


def _problem_of_choice(values: object) -> str:
    if not isinstance(values, list) or not values:
        return "a list of one value or more"
    return "values that differ" if len(set(map(repr, values))) < len(values) else ""


def _problem_of_bounds(kind: Kind, values: object) -> str:
    """Return what two bounds should be, or ""."""
    whole = kind.endswith("int")
    what = f"two {'whole ' if whole else ''}numbers, the lower one first"
    if not isinstance(values, list) or len(values) != 2 or not all(_number(value, whole) for value in values):
        return what
    low, high = values
    if kind.startswith("log_") and low <= 0:
        return f"{what} and above 0"
    return "" if low < high else what


def _number(value: object, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # What no float can hold exactly cannot be drawn.
    return isinstance(value, int) and abs(value) < 2**53 if whole else math.isfinite(value)


def _wanted_at(key: str, what: str, value: object) -> ValidationError:
    """Return an error of one key of the section that is being checked."""
    error = PydanticCustomError("wanted", "Input should be {what}", {"what": what})
    return ValidationError.from_exception_data(
        "range", [InitErrorDetails(type=error, loc=(key,), input=value)]
    )
