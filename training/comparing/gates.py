"""The gates between a registered version and the alias `champion`; what is not measured has not passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import StancewireError
from training.behaviour import BehaviourError, load_suite, run_behaviour
from training.comparing.ground import Ground
from training.comparing.models import Model
from training.comparing.pairing import Answers, Comparison, Resampling, compare, differences
from training.comparing.settings import GateName, PromoteConfig
from training.comparing.words import points
from training.evaluate.baselines import majority
from training.evaluate.metrics import counts_of, macro
from training.evaluate.scores import Interval

Status = Literal["passed", "failed", "not measured", "not needed"]
Decisions = NDArray[np.bool_]


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: of the gate.
        status: "failed" refuses; so does "not measured" where the settings say that it must be measured.
        figure: what was found.
        wanted: what must be.
    """

    name: GateName
    status: Status
    figure: str
    wanted: str = ""

    def refuses(self, config: PromoteConfig) -> bool:
        """Tell whether this gate stops the promotion."""
        return self.status == "failed" or (self.status == "not measured" and self.name in config.must_measure)


@dataclass(frozen=True)
class Trial:
    """What the gates look at.

    Attributes:
        challenger: the version that wants to become champion.
        champion: the present one; None where there is none.
        linear: what another family must beat; None where none was found.
        missing: why the champion cannot be compared with, although there is one; else "".
        ground: rows that all are judged on.
        answers: of each model to them, by its name.
        config: what must be.
    """

    challenger: Model
    champion: Model | None
    linear: Model | None
    missing: str
    ground: Ground
    answers: Mapping[str, Answers]
    config: PromoteConfig

    @property
    def resampling(self) -> Resampling:
        """Behind every interval."""
        return Resampling(self.config.samples, self.config.confidence, self.config.seed)

    def decisions(self, model: Model) -> Decisions:
        """Return a model's decisions on the rows."""
        return self.answers[model.name].decisions

    def over(self, decisions: Decisions) -> Interval:
        """Return how many points of macro-F1 the challenger is above others' decisions."""
        own = self.decisions(self.challenger)
        return differences(self.ground.rows, decisions, own, self.resampling).macro_f1


def against_champion(trial: Trial) -> Comparison | None:
    """Compare the challenger (as B) with the champion (as A)."""
    if trial.champion is None:
        return None
    a, b = (trial.answers[model.name] for model in (trial.champion, trial.challenger))
    return compare(trial.ground.rows, a, b, trial.resampling)


def judge(trial: Trial, compared: Comparison | None, report: Callable[[str], None]) -> list[Gate]:
    """Judge everything but the artefact, which had to be loaded for it."""
    gates = [_unseen(trial), _quality(trial, compared), _majority(trial)]
    if trial.ground.rows.task == "stance":
        gates.append(_target_blind(trial))
    if trial.challenger.manifest.family != "linear":
        gates.append(_linear(trial))
    report("testing behaviour")
    return [*gates, _reproduced(trial), _behaviour(trial), _parity(trial)]


def _unseen(trial: Trial) -> Gate:
    ground = trial.ground
    wanted = "no row that taught or tuned a model"
    if ground.unknown:
        return Gate("unseen", "not measured", "; ".join(ground.unknown), wanted)
    return Gate("unseen", "passed", f"none of {len(ground.rows):,} rows of {ground.source}", wanted)


def _quality(trial: Trial, compared: Comparison | None) -> Gate:
    wanted = f"the whole interval at {-100 * trial.config.margin:+.1f} or more"
    if trial.missing:
        return Gate("quality", "not measured", trial.missing, wanted)
    if compared is None:
        return Gate("quality", "not needed", "there is no champion yet: the baselines decide")
    found = compared.differences.macro_f1
    status: Status = "passed" if found.low >= -trial.config.margin else "failed"
    return Gate("quality", status, f"{points(found)} of macro-F1 over the champion", wanted)


def _majority(trial: Trial) -> Gate:
    """Judge beside the constant answer that fits these very rows best: no split need be known for it."""
    rows = trial.ground.rows
    _, always = majority(rows.truth, len(rows), rows.task)
    return _beats("majority", trial.over(always), trial.config.majority_margin)


def _target_blind(trial: Trial) -> Gate:
    manifest = trial.challenger.manifest
    told = _own_test(trial.challenger).get("margins")
    margin = _interval(told.get("target-blind")) if isinstance(told, Mapping) else None
    wanted = trial.config.target_blind_margin
    if margin is None:
        says = f"the manifest of {manifest.name} holds no margin over a target-blind model"
        return Gate("target-blind", "not measured", says, _wanted(wanted))
    return _beats("target-blind", margin, wanted, ", as its manifest says")


def _linear(trial: Trial) -> Gate:
    wanted = trial.config.linear_margin
    if trial.linear is None:
        says = "no linear version is registered under this name; name one with --set linear=MODEL"
        return Gate("linear", "not measured", says, _wanted(wanted))
    return _beats("linear", trial.over(trial.decisions(trial.linear)), wanted, f" over {trial.linear.name}")


def _beats(name: GateName, found: Interval, margin: float, more: str = "") -> Gate:
    beaten = found.low > 0 and found.value >= margin
    return Gate(name, "passed" if beaten else "failed", f"{points(found)} of macro-F1{more}", _wanted(margin))


def _wanted(margin: float) -> str:
    return f"{100 * margin:+.1f} or more, the whole interval above 0"


def _reproduced(trial: Trial) -> Gate:
    """See that the manifest's score is the model's own: other gates believe its figures."""
    within = trial.config.reproduced_within
    wanted = f"within {100 * within:.1f} points of its manifest"
    told = _interval(_own_test(trial.challenger).get("macro_f1"))
    if trial.ground.part != "test" or told is None:
        why = "judged on other rows than its test part" if told else "its manifest holds no score on test"
        return Gate("reproduced", "not measured", why, wanted)
    counts = counts_of(trial.ground.rows.truth, trial.decisions(trial.challenger)).sum(axis=0)
    now = float(macro(counts.astype(np.float64)))
    return Gate(
        "reproduced",
        "passed" if abs(now - told.value) <= within else "failed",
        f"macro-F1 {now:.3f} now, {told.value:.3f} in its manifest",
        wanted,
    )


def _behaviour(trial: Trial) -> Gate:
    """Ask both models the same cases now: what manifests keep may be of another set of cases."""
    wanted = f"no failure rate up by more than {100 * trial.config.behaviour_margin:.1f} points"
    if trial.champion is None:
        status: Status = "not measured" if trial.missing else "not needed"
        return Gate("behaviour", status, trial.missing or "there is no champion yet", wanted)
    try:
        suite = load_suite()
        before, now = (
            run_behaviour(model.predictor, suite, examples=0).capabilities
            for model in (trial.champion, trial.challenger)
        )
    except BehaviourError as error:
        return Gate("behaviour", "not measured", str(error), wanted)
    rises = {name: found.rate.value - before[name].rate.value for name, found in now.items()}
    up = [name for name, rise in rises.items() if rise > trial.config.behaviour_margin]
    told = up or [max(rises, key=lambda name: rises[name])]
    rates = (
        f"{name} {100 * before[name].rate.value:.0f} to {100 * now[name].rate.value:.0f} %" for name in told
    )
    figure = f"{len(up)} of {len(rises)} up: {', '.join(rates)}" if up else f"none up; at most {next(rates)}"
    return Gate("behaviour", "failed" if up else "passed", figure, wanted)


def _parity(trial: Trial) -> Gate:
    told = trial.challenger.manifest.metrics.get("parity")
    agreement = told.get("agreement") if isinstance(told, Mapping) else None
    wanted = f"{trial.config.parity:.1%} of test rows decided as trained"
    if not isinstance(agreement, int | float):
        return Gate("parity", "not measured", "its manifest says nothing of the exported model", wanted)
    status: Status = "passed" if agreement >= trial.config.parity else "failed"
    return Gate("parity", status, f"{agreement:.1%}", wanted)


def artefact_gate(loaded: Model | StancewireError, tag: str | None) -> Gate:
    """Judge whether a version loads, with every digest checked, and is what was registered."""
    wanted = "loads, and is what was registered"
    if isinstance(loaded, StancewireError):
        return Gate("artefact", "failed", str(loaded), wanted)
    if tag is None:
        says = "the version has no tag stancewire.artefact: it was not registered by a run of ours"
        return Gate("artefact", "failed", says, wanted)
    if tag != loaded.digest:
        says = f"sha256 {loaded.digest[:12]}, registered was {tag[:12]}"
        return Gate("artefact", "failed", says, wanted)
    return Gate("artefact", "passed", f"sha256 {loaded.digest[:12]}", wanted)


def unjudged(names: Sequence[GateName], why: str) -> list[Gate]:
    """Return gates that could not be judged."""
    return [Gate(name, "not measured", why) for name in names]


def _own_test(model: Model) -> Mapping[str, Any]:
    """Return the evaluation of a model itself in its manifest, or nothing."""
    here: Any = model.manifest.metrics
    for step in ("test", model.manifest.family):
        here = here.get(step) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def _interval(told: object) -> Interval | None:
    """Return the interval that a manifest holds, or None for anything else."""
    if not isinstance(told, Mapping) or not all(_is_number(told.get(key)) for key in Interval.__slots__):
        return None
    return Interval(*(float(told[key]) for key in ("value", "low", "high")))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
