"""The sections of a run's config: every default is here, a YAML file holds only what differs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.base import StrictModel
from stancewire.calibration import Task
from training.data.sources import Format
from training.data.split import By
from training.thresholds import Measure, Objective

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Texts: TypeAlias = Annotated[tuple[Text, ...], Field(strict=False)]


def _date(value: str) -> str:
    try:
        if len(value) == len("YYYY-MM-DD") and date.fromisoformat(value):
            return value
    except ValueError:
        pass
    raise wanted("a date as YYYY-MM-DD")


def wanted(what: str) -> PydanticCustomError:
    """Return an error that reads as pydantic's own: wanted WHAT, got VALUE."""
    return PydanticCustomError("wanted", "Input should be {what}", {"what": what})


def wanted_at(key: str, what: str, value: object) -> ValidationError:
    """Return an error of one key of the section that is being checked."""
    return ValidationError.from_exception_data(
        "section", [InitErrorDetails(type=wanted(what), loc=(key,), input=value)]
    )


Date: TypeAlias = Annotated[str, AfterValidator(_date)]


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
            raise wanted(f"less than {1 - dev:g}, so that dev and test leave rows to learn from")
        return test

    @field_validator("test_from")
    @classmethod
    def _after_dev(cls, test_from: str | None, info: ValidationInfo) -> str | None:
        dev_from = info.data.get("dev_from")
        if test_from and dev_from and dev_from >= test_from:
            raise wanted(f"a date after dev_from, which is {dev_from}")
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
            raise wanted(f"at_least, the {objective} to hold, such as 0.9")
        if objective == "f1" and at_least is not None and "objective" in info.data:
            raise wanted("null with the objective f1; name precision or recall")
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
