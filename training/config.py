"""The typed config of a training run: its sections, and what must hold between them."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from models.base import FamilyConfig, StrictModel
from models.registry import family, heeds_targets, names
from stancewire.calibration import Task
from training.calibrate import METHODS
from training.config_sections import (
    AbstentionConfig,
    CalibrationConfig,
    ConformalConfig,
    DataConfig,
    EvaluationConfig,
    ExtraConfig,
    SplitConfig,
    Text,
    ThresholdConfig,
    TrackingConfig,
    wanted,
    wanted_at,
)

DEFAULT_FAMILY = "linear"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
# What lies beside the bundled corpus to learn from.
_BESIDE = (
    ExtraConfig(path="data/briefs.jsonl", weight=0.5),
    ExtraConfig(path="data/briefs-2.jsonl", weight=0.5),
    ExtraConfig(path="data/briefs-3.jsonl", weight=0.5),
    ExtraConfig(path="data/contrasts.jsonl", contrasts=True),
)


def _model_name(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    raise wanted("up to 100 letters, digits, '_', '.' and '-'")


ModelName: TypeAlias = Annotated[str, AfterValidator(_model_name)]


class RunConfig(StrictModel):
    """One training run: one task, one model."""

    task: Task
    """"topics" (of articles) or "stance" (of sentences toward a target)."""

    name: ModelName = ""
    """Of the model: folder of the artefact and name in the registry. Default: stancewire-TASK."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of the split, the fit, the folds and the resamples."""

    output: Text = "artefacts"
    """Folder that gets the artefact's folder."""

    data: DataConfig = Field(default_factory=DataConfig)
    extra_data: Annotated[tuple[ExtraConfig, ...] | None, Field(strict=False)] = None
    """More corpora to learn from, each with its own columns, label map and weight. What is nearly the same as
    a text of dev or test is left out, and so are the outlets, the time and the targets that the split holds
    out. null: beside the bundled corpus, where the family learns from more than one and split.shots is null,
    the three files of briefs in data/ at a weight of 0.5, and data/contrasts.jsonl at 1; else none."""

    split: SplitConfig = Field(default_factory=SplitConfig)
    model: SerializeAsAny[FamilyConfig] = Field(
        default_factory=lambda: family(DEFAULT_FAMILY).Config.model_validate({"family": DEFAULT_FAMILY}),
        validate_default=True,
    )
    calibration: CalibrationConfig = Field(default_factory=CalibrationConfig)
    thresholds: ThresholdConfig = Field(default_factory=ThresholdConfig)
    abstention: AbstentionConfig = Field(default_factory=AbstentionConfig)
    conformal: ConformalConfig = Field(default_factory=ConformalConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    tracking: TrackingConfig = Field(default_factory=TrackingConfig)

    @property
    def split_seed(self) -> int:
        """The seed of the split."""
        return self.seed if self.split.seed is None else self.split.seed

    @property
    def extra(self) -> tuple[ExtraConfig, ...]:
        """The extra corpora, null resolved, without contrasts that the model could learn nothing from."""
        takes = family(self.model.family).takes_extra
        bundled = self.data.path == DataConfig().path and self.split.shots is None and takes
        found = self.extra_data if self.extra_data is not None else _BESIDE if bundled else ()
        heeds = self.task == "topics" or heeds_targets(self.model)
        return tuple(one for one in found if heeds or not one.contrasts)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object) -> object:
        """Name the model after its task, where nobody did."""
        if isinstance(values, dict) and "name" not in values and values.get("task") in tuple(METHODS):
            return {**values, "name": f"stancewire-{values['task']}"}
        return values

    @field_validator("model", mode="before")
    @classmethod
    def _of_family(cls, value: object) -> object:
        """Let the family that is named check its own section."""
        if not isinstance(value, dict):
            return value
        name = value.get("family", DEFAULT_FAMILY)
        if name not in names():
            raise wanted_at("family", " or ".join(map(repr, names())), name)
        return family(name).Config.model_validate({**value, "family": name})

    @field_validator("model")
    @classmethod
    def _takes_extra(cls, model: FamilyConfig, info: ValidationInfo) -> FamilyConfig:
        data = info.data.get("data")
        asked = {"extra_data": info.data.get("extra_data"), "data.sentences": data and data.sentences}
        more = " and ".join(name for name, value in asked.items() if value)
        if more and not family(model.family).takes_extra:
            raise wanted_at("family", f"a family that learns from {more}", model.family)
        return model

    @field_validator("split")
    @classmethod
    def _splits_task(cls, split: SplitConfig, info: ValidationInfo) -> SplitConfig:
        if split.by == "target" and info.data.get("task") == "topics":
            raise wanted_at("by", "a split that fits topics (by target is for stance alone)", split.by)
        return split

    @field_validator("calibration")
    @classmethod
    def _mends_task(cls, calibration: CalibrationConfig, info: ValidationInfo) -> CalibrationConfig:
        task = info.data.get("task")
        methods = () if task is None else METHODS[task]
        if task is not None and calibration.method not in ("auto", *methods):
            fitting = " or ".join(repr(name) for name in ("auto", *methods))
            raise wanted_at("method", f"{fitting} for {task}", calibration.method)
        return calibration
