"""What a model card is made from, and what to know of it first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stancewire.artefact import Manifest
from stancewire.codebook import Codebook
from training import card_words as words
from training.behaviour.report import BehaviourReport
from training.behaviour.table import worst
from training.behaviour.trained import reports_in
from training.markdown import text
from training.report.formats import interval, named, percent

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a card is made from.

    Attributes:
        manifest: of the model; its `files` are not looked at.
        codebook: that gave the labels their meaning.
        report: as `training.report.build` makes it of the same model; None leaves out the weak slices.
    """

    manifest: Manifest
    codebook: Codebook
    report: Values | None = None

    @property
    def data(self) -> Values:
        """Where the rows come from; empty where the manifest does not say."""
        return section_of(self.manifest.provenance, "data")

    @property
    def split(self) -> Values:
        """How the rows were parted; empty where the manifest does not say."""
        return section_of(self.manifest.provenance, "split")

    @property
    def extra(self) -> Sequence[Values]:
        """Other corpora that it learned from."""
        found: Any = self.manifest.provenance.get("extra_data", ())
        return tuple(found)

    @property
    def scores(self) -> Values:
        """The model's own evaluation on test; empty where there is none."""
        return section_of(section_of(self.manifest.metrics, "test"), self.manifest.family)

    @property
    def bundled(self) -> bool:
        """Whether it learned from the corpus of this repository."""
        return self.data.get("sha256") == words.BUNDLED_SHA256

    @property
    def weak_labels(self) -> list[tuple[str, Values]]:
        """The labels with their scores, the weakest first, those without positives last."""
        labels = section_of(self.scores, "labels").items()
        return sorted(labels, key=lambda pair: (pair[1]["f1"] is None, _value(pair[1]["f1"]), pair[0]))

    @property
    def weak_slices(self) -> list[Values]:
        """The slices that could be scored, the worst first."""
        return [one for one in (self.report or {}).get("slices", ()) if one["macro_f1"] is not None]

    @cached_property
    def behaviour(self) -> tuple[BehaviourReport | None, BehaviourReport | None]:
        """Failure rates of the model and of its target-blind twin."""
        return reports_in(self.manifest.metrics)


def in_short(facts: Facts) -> Iterator[str]:
    """Yield what to know first, a sentence or two each, as Markdown."""
    scores, unit = facts.scores, words.UNITS[facts.manifest.task]
    if not scores:
        yield "Not evaluated: the manifest holds no scores."
        return
    rows = f"{scores['n_rows']:,} test {unit} of {scores['n_groups']:,} stories"
    score = f"Macro-F1 {interval(scores['macro_f1'])} on {rows}"
    yield f"{score}; ranges in brackets are {percent(scores['confidence'])} intervals over stories."
    label, weakest = facts.weak_labels[0]
    if weakest["f1"] is not None:
        yield f"Weakest label: {text(label)}, F1 {interval(weakest['f1'])}."
    if slices := facts.weak_slices:
        yield f"Weakest slice: {text(named(slices[0]))}, macro-F1 {interval(slices[0]['macro_f1'])}."
    if (report := facts.behaviour[0]) is not None:
        failing = [f"{text(name)} {percent(found.rate.value)}" for name, found in worst(report)[:3]]
        yield f"Behavioural tests fail most at {', '.join(failing)}."


def codebook_of(facts: Facts) -> str:
    """Return the name of the codebook, as Markdown."""
    book = facts.manifest.codebook
    return f"the codebook {text(book.id)} {text(book.version)}"


def section_of(values: Values, name: str) -> Values:
    """Return a section of nested figures; empty where there is none."""
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _value(found: Values | None) -> float:
    return found["value"] if found else 0.0
