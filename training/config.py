"""The typed config of a training run: every default is here, a YAML file holds only what differs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    Field,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.base import FamilyConfig, StrictModel
from models.registry import family, heeds_targets, names
from stancewire.calibration import Task
from training.calibrate import METHODS
from training.data.sources import Format
from training.data.split import By
from training.thresholds import Measure, Objective

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Texts: TypeAlias = Annotated[tuple[Text, ...], Field(strict=False)]

DEFAULT_FAMILY = "linear"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def _date(value: str) -> str:
    try:
        if len(value) == len("YYYY-MM-DD") and date.fromisoformat(value):
            return value
    except ValueError:
        pass
    raise _wanted("a date as YYYY-MM-DD")


def _model_name(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    raise _wanted("up to 100 letters, digits, '_', '.' and '-'")


def _wanted(what: str) -> PydanticCustomError:
    """Return an error that reads as pydantic's own: wanted WHAT, got VALUE."""
    return PydanticCustomError("wanted", "Input should be {what}", {"what": what})


def _wanted_at(key: str, what: str, value: object) -> ValidationError:
    """Return an error of one key of the section that is being checked."""
    return ValidationError.from_exception_data(
        "section", [InitErrorDetails(type=_wanted(what), loc=(key,), input=value)]
    )


Date: TypeAlias = Annotated[str, AfterValidator(_date)]
ModelName: TypeAlias = Annotated[str, AfterValidator(_model_name)]


class SourceConfig(StrictModel):
    """Where rows are, and how they are written; docs/data.md tells the schema."""

    path: Text
    """A .jsonl, .csv, .tsv or .parquet file, a folder with train, dev and test files, or hub:owner/name."""

    format: Format = "auto"
    """How the file is written; "auto" goes by its suffix."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """What parts the cells of a CSV row; null goes by the suffix."""

    columns: dict[str, Text] = Field(default_factory=dict)
    """Their column by our field, where the names differ."""

    label_map: dict[str, Text] = Field(default_factory=dict)
    """Our label by theirs; labels match exactly."""

    topics_separator: Text = ";"
    """What parts topics, and countries, in one CSV cell."""


class DataConfig(SourceConfig):
    """Which corpus, and how it is written; docs/data.md tells the schema."""

    path: Text = "data/articles.jsonl"
    """A .jsonl, .csv, .tsv or .parquet file, a folder with train, dev and test files, or hub:owner/name."""

    codebook: Text = "data/codebook.yaml"
    """YAML file that says what the labels mean."""

    sentences: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Sentences of the training articles that are learned from too, so many an epoch and article, on average.
    Topics: titles and sentences, labelled as far as topics and stance records tell. Stance: sentences, which
    are unrelated to targets of topics that their article is not about."""


class ExtraConfig(SourceConfig):
    """One more corpus to learn from, under the codebook of the run; nothing is judged on it."""

    leave_out: Texts = ()
    """Labels of theirs that are none of ours: such stance rows are left out."""

    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    """How often a row is seen in an epoch, on average: 0.5 every other epoch, 2 twice. The linear family sees
    all rows at once: there one counts for so many."""

    contrasts: bool = False
    """Stance: whether it asks of one sentence several targets or holders, to different answers. The linear
    family and the target-blind model, which can learn nothing from that, do without."""


# What lies beside the bundled corpus to learn from.
_BESIDE = (
    ExtraConfig(path="data/briefs.jsonl", weight=0.5),
    ExtraConfig(path="data/briefs-2.jsonl", weight=0.5),
    ExtraConfig(path="data/briefs-3.jsonl", weight=0.5),
    ExtraConfig(path="data/contrasts.jsonl", contrasts=True),
)


class SplitConfig(StrictModel):
    """What is learned from, what calibrates, what is judged on; stories stay whole."""

    by: By = "event"
    """"event" (whole stories), "time" (the newest are the test), "outlet" (the named ones are), "target"
    (stance toward targets that training never sees), "given" (the corpus says), "random" (rows; it leaks)."""

    dev: Share = 0.2
    """Share of the rows that calibrate and set thresholds."""

    test: Share = 0.2
    """Share of the rows that judge."""

    dev_from: Date | None = None
    """By time: first date (YYYY-MM-DD) of dev; null takes the share."""

    test_from: Date | None = None
    """By time: first date (YYYY-MM-DD) of test; null takes the share."""

    outlets: Texts = ()
    """By outlet: those that are the test."""

    targets: Texts = ()
    """By target: those held out; empty: all that only test stories have."""

    shots: Annotated[int, Field(ge=1)] | None = None
    """Rows of each label that train keeps, from as many stories as there are, and for topics as many without
    any: what models of the run learn from, dev and test stay whole. null: all."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    """Of the split alone; null: the run's."""

    near_duplicate_threshold: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Share of the shorter text's word trigrams that the longer one has, from which two articles are one
    story."""

    allow_leaks: Texts = ()
    """Kinds of leaks (same_text, near_text, same_sentence, same_event) or ids of articles that may leak."""

    @field_validator("test")
    @classmethod
    def _leaves_train(cls, test: float, info: ValidationInfo) -> float:
        dev = info.data.get("dev", 0.0)
        if dev + test >= 1:
            raise _wanted(f"less than {1 - dev:g}, so that dev and test leave rows to learn from")
        return test

    @field_validator("test_from")
    @classmethod
    def _after_dev(cls, test_from: str | None, info: ValidationInfo) -> str | None:
        dev_from = info.data.get("dev_from")
        if test_from and dev_from and dev_from >= test_from:
            raise _wanted(f"a date after dev_from, which is {dev_from}")
        return test_from


class CalibrationConfig(StrictModel):
    """How probabilities are mended on dev."""

    method: Literal["auto", "none", "platt", "temperature", "vector"] = "auto"
    """"none", "platt" (topics), "temperature" or "vector" (stance); "auto": of these, label by label for
    topics, what serves stories of dev best whose labels it did not see."""

    folds: Annotated[int, Field(ge=2, le=100)] = 5
    """Folds, whole stories together, in which thresholds see only probabilities that others calibrated."""


class ObjectiveConfig(StrictModel):
    """What a threshold is chosen for."""

    objective: Measure = "f1"
    """"f1" (the best), "precision" or "recall" (the best other one of the two while this is held)."""

    at_least: Annotated[Share | None, Field(validate_default=True)] = None
    """Precision or recall to hold, such as 0.9; dev must show it with a confidence of 0.9. null with "f1"."""

    @field_validator("at_least")
    @classmethod
    def _constrains(cls, at_least: float | None, info: ValidationInfo) -> float | None:
        objective = info.data.get("objective", "f1")
        if objective != "f1" and at_least is None:
            raise _wanted(f"at_least, the {objective} to hold, such as 0.9")
        if objective == "f1" and at_least is not None and "objective" in info.data:
            raise _wanted("null with the objective f1; name precision or recall")
        return at_least

    def plain(self) -> Objective:
        """Return what thresholds are chosen by."""
        return Objective(self.objective, self.at_least or 0.0)


class ThresholdConfig(ObjectiveConfig):
    """How decisions are cut on dev."""

    by_label: dict[str, ObjectiveConfig] = Field(default_factory=dict)
    """Labels with an objective of their own: {sanctions: {objective: precision, at_least: 0.9}}."""

    min_positives: Annotated[int, Field(ge=1)] = 10
    """A topic with fewer positives on dev keeps 0.5; with fewer of any stance, stances are weighed alike."""

    def of(self, labels: Sequence[str]) -> tuple[Objective, ...]:
        """Return the objective of each label."""
        return tuple(self.by_label.get(label, self).plain() for label in labels)


class AbstentionConfig(StrictModel):
    """Which decisions are for review by a person."""

    keep_precision: Share | Literal["auto"] | None = "auto"
    """Share of right ones among the decisions that are not for review; dev must show it with a confidence of
    0.9. "auto": 0.9 for topics, 0.75 for stance. null: nothing is for review."""

    def share(self, task: Task) -> float | None:
        """Return the share in use, "auto" resolved.

        At 0.75 a model that is right on three sentences of five keeps a third of them; at 0.9 it would keep
        hardly any, and a mark that all bear says nothing.
        """
        if self.keep_precision == "auto":
            return {"topics": 0.9, "stance": 0.75}[task]
        return self.keep_precision


class ConformalConfig(StrictModel):
    """Which stances stay possible beside the decided one."""

    level: Share | None = 0.9
    """Stance only: share of an event's rows whose set is to hold the true stance. null: no sets."""


class EvaluationConfig(StrictModel):
    """How the test is told."""

    samples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Resamples of stories behind every interval."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """Share of resamples that an interval holds."""

    bins: Annotated[int, Field(ge=2, le=100)] = 10
    """Bins, of equal mass, of the expected calibration error."""

    random_split: bool = True
    """Whether to train once more on a split by rows, which leaks, and print how much better that looks."""

    time_split: bool = True
    """Whether to train once more on a split by time and print the score on the newest stories; left out where
    articles have no date."""

    outlet_split: Texts = ()
    """Outlets that the model is trained once more without, and judged on: how it reads a register it never
    saw. Empty: none."""

    behaviour: bool = True
    """Whether to ask the model the behavioural cases (docs/behaviour.md); they need the bundled codebook."""


class TrackingConfig(StrictModel):
    """Where the run is kept. The server or database is the environment's: MLFLOW_TRACKING_URI."""

    experiment: Text = "stancewire"
    """Name of the MLflow experiment."""

    register_model: bool = True
    """Whether the model is registered, under `name`, as a new version with the alias "challenger"."""

    target_blind_margin: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Stance: macro-F1 by which the model must beat the target-blind one on test, or it is not registered."""


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
    data/briefs.jsonl and data/briefs-2.jsonl at a weight of 0.5, and data/contrasts.jsonl at 1; else none."""

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
            raise _wanted_at("family", " or ".join(map(repr, names())), name)
        return family(name).Config.model_validate({**value, "family": name})

    @field_validator("model")
    @classmethod
    def _takes_extra(cls, model: FamilyConfig, info: ValidationInfo) -> FamilyConfig:
        data = info.data.get("data")
        asked = {"extra_data": info.data.get("extra_data"), "data.sentences": data and data.sentences}
        more = " and ".join(name for name, value in asked.items() if value)
        if more and not family(model.family).takes_extra:
            raise _wanted_at("family", f"a family that learns from {more}", model.family)
        return model

    @field_validator("split")
    @classmethod
    def _splits_task(cls, split: SplitConfig, info: ValidationInfo) -> SplitConfig:
        if split.by == "target" and info.data.get("task") == "topics":
            raise _wanted_at("by", "a split that fits topics (by target is for stance alone)", split.by)
        return split

    @field_validator("calibration")
    @classmethod
    def _mends_task(cls, calibration: CalibrationConfig, info: ValidationInfo) -> CalibrationConfig:
        task = info.data.get("task")
        methods = () if task is None else METHODS[task]
        if task is not None and calibration.method not in ("auto", *methods):
            fitting = " or ".join(repr(name) for name in ("auto", *methods))
            raise _wanted_at("method", f"{fitting} for {task}", calibration.method)
        return calibration
