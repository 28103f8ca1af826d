"""What a trained model is judged beside: what it must beat on test, and itself on other splits.

Every fit of a run is made here or named here, so that the processes that torchrun started make the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from models.base import FamilyConfig, FitContext
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
        floor = fit(config, linear, parts.for_model(linear))
        found = {LINEAR: judge(config, floor, parts)} | found
        decisions = {LINEAR: floor.decisions} | decisions
    return {config.model.family: judge(config, trial, parts, decisions)} | found, blind


def other_splits(prepared: Prepared, surround: Surround) -> dict[str, Evaluation]:
    """Judge the same model on other splits of the same rows, by name of the split."""
    judged = {by: _judged(prepared.config, parts, surround(_fit_of(by))) for by, parts in _splits(prepared)}
    return {by: found for by, found in judged.items() if found}


def follow(prepared: Prepared, surround: Surround) -> None:
    """Take this process' share in every fit of a run that another process tracks and judges."""
    config = prepared.config
    kind = family(config.model.family)
    if not kind.resumes:
        return

    def learn(model: FamilyConfig, parts: Parts, name: str) -> None:
        kind(model, seed=config.seed).fit(parts.train, parts.dev, parts.around(surround(name)))

    learn(config.model, prepared.parts, MODEL)
    if (model := _blind(config)) is not None:
        learn(model, prepared.parts.for_model(model), TARGET_BLIND)
    for by, parts in _splits(prepared):
        try:
            learn(config.model, parts, _fit_of(by))
        except FitError:  # as in every process: see _judged
            continue


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
