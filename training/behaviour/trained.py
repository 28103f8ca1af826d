"""The behavioural tests within a training run: asked after fitting, kept in the manifest and in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.behaviour.load import load_suite
from training.behaviour.report import BehaviourReport
from training.behaviour.score import not_for, run_behaviour
from training.behaviour.subject import Subject
from training.behaviour.table import failure_columns, rate_columns, short_line
from training.fit import Trial
from training.prepare import Prepared
from training.tracking import TrackedRun

KEY, BLIND_KEY = "behaviour", "behaviour_target_blind"


@dataclass(frozen=True)
class Behaviour:
    """What the tests found.

    Attributes:
        model: report of the trained model; None where the tests were skipped.
        blind: of the model that sees no target; None where there is none.
        skipped: why they were; else "".
    """

    model: BehaviourReport | None = None
    blind: BehaviourReport | None = None
    skipped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what the manifest's metrics get; both keys are always there."""
        return {
            KEY: self.model.to_dict() if self.model else {"skipped": self.skipped},
            BLIND_KEY: self.blind.to_dict() if self.blind else None,
        }

    @property
    def line(self) -> str:
        """The outcome in one line."""
        return short_line(self.model, self.blind) if self.model else f"not tested: {self.skipped}"


def try_behaviour(prepared: Prepared, trial: Trial, blind: Trial | None) -> Behaviour:
    """Test what a run has fitted.

    Args:
        prepared: of the run.
        trial: the trained model.
        blind: the same family without the target, where the run fitted one.

    Raises:
        BehaviourError: if the bundled cases are faulty.
    """
    if not prepared.config.evaluation.behaviour:
        return Behaviour(skipped="evaluation.behaviour is false")
    suite = load_suite()
    subject = _subject(prepared, trial)
    if reason := not_for(subject, suite):
        return Behaviour(skipped=reason)
    beside = run_behaviour(_subject(prepared, blind), suite, examples=0) if blind else None
    return Behaviour(run_behaviour(subject, suite), beside)


def log_behaviour(run: TrackedRun, behaviour: Behaviour) -> None:
    """Log rates as metrics behaviour/NAME, and tables of rates and failing examples."""
    if behaviour.model is None:
        run.tags({"stancewire.behaviour": behaviour.line})
        return
    run.metrics(behaviour.model.flat_metrics(KEY))
    if behaviour.blind:
        run.metrics(behaviour.blind.flat_metrics(BLIND_KEY))
    run.table(rate_columns(behaviour.model, behaviour.blind), "behaviour.json")
    run.table(failure_columns(behaviour.model), "behaviour_failures.json")


def reports_in(metrics: Mapping[str, Any]) -> tuple[BehaviourReport | None, BehaviourReport | None]:
    """Return the reports that a manifest's metrics hold: of the model, and of the target-blind one."""
    told, blind = metrics.get(KEY), metrics.get(BLIND_KEY)
    model = BehaviourReport.from_dict(told) if told and "skipped" not in told else None
    return model, BehaviourReport.from_dict(blind) if blind else None


def _subject(prepared: Prepared, trial: Trial) -> Subject:
    return Subject.of_fitted(prepared.config.name, trial.fitted, prepared.corpus.codebook)
