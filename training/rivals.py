"""What a trained model is judged beside: what it must beat on test, and itself on other splits.

Every fit of a run is made here or named here, so that the processes that torchrun started make the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from models.base import ALONE, Family, FamilyConfig, FitContext
from models.errors import FitError
from models.registry import family
from training.config import RunConfig
from training.evaluate.baselines import majority
from training.evaluate.metrics import EvaluationError
from training.evaluate.scores import Evaluation
from training.fit import Trial, fit, judge, judge_answers
from training.prepare import OtherSplit, Parts, Prepared, other_parts

MAJORITY, TARGET_BLIND, LINEAR = "majority", "target-blind", "linear"
MODEL = "model"
# What surrounds the fit of a name: its checkpoints and its curves.
Surround: TypeAlias = Callable[[str], FitContext]


@dataclass(frozen=True)
class Fit:
    """One fit of a run.

    Attributes:
        name: of it within the run.
        model: how it learns.
        parts: what it learns from.
        is_rival: whether the model is only judged beside it.
        is_for_show: whether the run does without where its rows cannot teach it.
    """

    name: str
    model: FamilyConfig
    parts: Parts
    is_rival: bool = False
    is_for_show: bool = False

    @property
    def rows_an_epoch(self) -> float:
        """Rows that are seen between two looks at dev, those beside train included."""
        beside = self.parts.around(ALONE).extra
        return len(self.parts.train) + sum(len(rows) * weight for rows, weight in beside)

    def make(self, config: RunConfig, context: FitContext) -> Family:
        """Fit what its checkpoints keep, and nothing more: it is neither calibrated nor judged.

        Raises:
            FitError: if its rows cannot teach what is asked.
        """
        model = family(self.model.family)(self.model, seed=config.seed)
        return model.prefit(self.parts.train, self.parts.dev, self.parts.around(context))


def evaluations_of(
    config: RunConfig, trial: Trial, parts: Parts, surround: Surround
) -> tuple[dict[str, Evaluation], Trial | None]:
    """Judge the model beside what it must beat; return the target-blind trial too, where there is one."""
    share, always = majority(parts.train.truth, len(parts.test), config.task)
    found = {MAJORITY: judge_answers(config, share, always, parts)}
    decisions = {MAJORITY: always}
    blind = None
    if (model := _blind(config)) is not None:
        blind = fit(config, model, parts.for_model(model), surround(TARGET_BLIND))
        found = {TARGET_BLIND: judge(config, blind, parts)} | found
        decisions = {TARGET_BLIND: blind.decisions} | decisions
    if config.model.family != LINEAR:
        linear = family(LINEAR).Config.model_validate({"family": LINEAR})
        own = trial.fitted.family.beside.get(LINEAR)
        floor = fit(
            config, linear, parts.for_model(linear), learned=own if own and own.config == linear else None
        )
        found = {LINEAR: judge(config, floor, parts)} | found
        decisions = {LINEAR: floor.decisions} | decisions
    return {config.model.family: judge(config, trial, parts, decisions)} | found, blind


def other_splits(prepared: Prepared, surround: Surround) -> dict[str, Evaluation]:
    """Judge the same model on other splits of the same rows, by name of the split."""
    judged = {by: _judged(prepared.config, parts, surround(_fit_of(by))) for by, parts in _splits(prepared)}
    return {by: found for by, found in judged.items() if found}


def follow(prepared: Prepared, surround: Surround) -> None:
    """Take this process' share in every fit of a run that another process tracks and judges."""
    if not family(prepared.config.model.family).resumes:
        return
    for one in fits_of(prepared):
        try:
            one.make(prepared.config, surround(one.name))
        except FitError:  # as in every process: see _judged
            if not one.is_for_show:
                raise


def fits_of(prepared: Prepared) -> Iterator[Fit]:
    """Yield the fits that the config of a run asks for, in their order, but for the quick linear floor."""
    config = prepared.config
    yield Fit(MODEL, config.model, prepared.parts)
    if (model := _blind(config)) is not None:
        yield Fit(TARGET_BLIND, model, prepared.parts.for_model(model), is_rival=True)
    for by, parts in _splits(prepared):
        yield Fit(_fit_of(by), config.model, parts, is_rival=True, is_for_show=True)


def _blind(config: RunConfig) -> FamilyConfig | None:
    """Return the variant that sees no target, of the same recipe: no other margin tells of the target."""
    if config.task != "stance" or config.model.target_blind:
        return None
    return config.model.model_copy(update={"target_blind": True})


def _splits(prepared: Prepared) -> Iterator[tuple[OtherSplit, Parts]]:
    """Yield the other splits that the config asks for and the rows allow."""
    config = prepared.config
    wanted: dict[OtherSplit, bool] = {
        "random": config.evaluation.random_split,
        "time": config.evaluation.time_split,
        "outlet": bool(config.evaluation.outlet_split),
    }
    for by, asked in wanted.items():
        if asked and by != config.split.by and (parts := other_parts(prepared, by)):
            yield by, parts


def _judged(config: RunConfig, rows: Parts, context: FitContext) -> Evaluation | None:
    """Judge a model that is only for show, where its rows can teach one and judge it."""
    try:
        return judge(config, fit(config, config.model, rows, context), rows)
    except (FitError, EvaluationError):
        return None


def _fit_of(by: str) -> str:
    return f"{by}-split"
