"""Every gate by itself: what passes, what fails, and what is said not to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stancewire.errors import ArtefactError
from tests.unit.training.test_comparing_ground import changed, data, ground, models, shipped
from training.behaviour import BehaviourError, run_behaviour
from training.comparing.gates import Gate, Trial, against_champion, artefact_gate, judge, unjudged
from training.comparing.models import Model
from training.comparing.pairing import Answers, ask
from training.comparing.settings import PromoteConfig

__all__ = ["data", "shipped"]

QUICK = PromoteConfig(samples=200)


@pytest.fixture(scope="module")
def trial(shipped: Mapping[str, Path]) -> Trial:
    """Two equal models; B is the challenger."""
    champion, challenger = models(shipped, "plain", "few terms")
    rows = ground([challenger, champion])
    answers = {m.name: ask(m.predictor, rows.rows, m.name, lambda step: None) for m in (champion, challenger)}
    return Trial(challenger, champion, None, "", rows, answers, QUICK)


def judged(trial: Trial) -> dict[str, Gate]:
    return {gate.name: gate for gate in judge(trial, against_champion(trial), lambda step: None)}


def deciding(trial: Trial, name: str, decisions: NDArray[np.bool_]) -> Trial:
    answers = Answers(trial.answers[name].probabilities, decisions)
    return replace(trial, answers={**trial.answers, name: answers})


def with_metrics(trial: Trial, **metrics: object) -> Trial:
    told: dict[str, Any] = dict(trial.challenger.manifest.metrics)
    return replace(trial, challenger=changed(trial.challenger, metrics={**told, **metrics}))


def truth_of(trial: Trial) -> NDArray[np.bool_]:
    return np.asarray(trial.ground.rows.truth == 1)


def test_topics_of_the_linear_family_have_no_gates_that_do_not_concern_them(trial: Trial) -> None:
    assert list(judged(trial)) == ["unseen", "quality", "majority", "reproduced", "behaviour", "parity"]


def test_quality_fails_where_a_loss_beyond_the_margin_is_not_ruled_out(trial: Trial) -> None:
    perfect = deciding(trial, "A", truth_of(trial))
    almost = truth_of(trial).copy()
    almost[::4, 0] ^= True
    worse = judged(deciding(perfect, "B", almost))["quality"]
    assert worse.status == "failed"
    assert worse.figure.startswith("-")
    one_row = truth_of(trial).copy()
    one_row[0, 0] ^= True
    little = deciding(perfect, "B", one_row)
    loss = against_champion(little)
    assert loss is not None
    between = -(loss.differences.macro_f1.value + loss.differences.macro_f1.low) / 2
    not_ruled_out = replace(little, config=QUICK.model_copy(update={"margin": between}))
    assert judged(not_ruled_out)["quality"].status == "failed"
    wide = replace(deciding(perfect, "B", almost), config=QUICK.model_copy(update={"margin": 0.5}))
    assert judged(wide)["quality"].status == "passed"
    same = deciding(perfect, "B", truth_of(trial))
    none = replace(same, config=QUICK.model_copy(update={"margin": 0.0}))
    assert judged(none)["quality"].status == "passed"


def test_quality_without_a_champion_is_not_needed_and_with_a_lost_one_not_measured(trial: Trial) -> None:
    first = judged(replace(trial, champion=None))
    assert first["quality"].status == first["behaviour"].status == "not needed"
    assert not first["quality"].refuses(QUICK)
    lost = judged(replace(trial, champion=None, missing="it is gone"))
    assert lost["quality"].status == lost["behaviour"].status == "not measured"
    assert lost["quality"].figure == "it is gone"
    assert lost["quality"].refuses(QUICK)
    assert not lost["behaviour"].refuses(QUICK)


def test_the_majority_must_be_shown_to_be_beaten_and_by_the_margin(trial: Trial) -> None:
    assert judged(trial)["majority"].status == "passed"
    always = np.ones_like(truth_of(trial))
    assert judged(deciding(trial, "B", always))["majority"].status == "failed"
    barely = replace(trial, config=QUICK.model_copy(update={"majority_margin": 0.9}))
    assert judged(barely)["majority"].status == "failed"


def test_the_linear_model_must_be_beaten_by_another_family(trial: Trial) -> None:
    assert trial.champion is not None
    challenger = trial.challenger
    other = changed(challenger, family="encoder", metrics={"test": {"encoder": {}}})
    alone = judged(replace(trial, challenger=other))["linear"]
    assert (alone.status, alone.refuses(QUICK)) == ("not measured", False)
    assert "--set linear=MODEL" in alone.figure
    beside = replace(trial, challenger=other, linear=trial.champion)
    weak = truth_of(trial).copy()
    weak[::2] ^= True
    perfect = deciding(deciding(beside, "B", truth_of(trial)), "A", weak)
    assert judged(perfect)["linear"].status == "passed"
    equal = deciding(perfect, "A", truth_of(trial))
    assert judged(equal)["linear"].status == "failed"


@pytest.mark.parametrize(
    ("margin", "status"),
    [
        ({"value": 0.05, "low": 0.01, "high": 0.09}, "passed"),
        ({"value": 0.05, "low": -0.01, "high": 0.11}, "failed"),
        ({"value": 0.005, "low": 0.001, "high": 0.01}, "failed"),
        ({"value": 0.05, "low": "0.01", "high": 0.09}, "not measured"),
        ({"value": True, "low": True, "high": True}, "not measured"),
        ({"value": 0.05}, "not measured"),
        (None, "not measured"),
        ("none", "not measured"),
    ],
)
def test_target_blind_reads_the_manifest_and_believes_no_other_shape(
    shipped: Mapping[str, Path], margin: object, status: str
) -> None:
    (model,) = models(shipped, "stance")
    rows = ground([model])
    answers = {"A": ask(model.predictor, rows.rows, "A", lambda step: None)}
    told = changed(model, metrics={"test": {"linear": {"margins": {"target-blind": margin}}}})
    found = judged(Trial(told, None, None, "", rows, answers, QUICK))["target-blind"]
    assert found.status == status
    assert found.refuses(QUICK) == (status != "passed")


@pytest.mark.parametrize("metrics", [{}, {"test": 1}, {"test": {"linear": []}}, {"test": {"encoder": {}}}])
def test_a_manifest_without_figures_is_not_measured(trial: Trial, metrics: dict[str, object]) -> None:
    bare = replace(trial, challenger=changed(trial.challenger, metrics=metrics))
    found = judged(bare)
    assert found["reproduced"].status == found["parity"].status == "not measured"
    assert found["parity"].refuses(QUICK)


def test_a_score_that_is_not_the_models_own_fails(trial: Trial) -> None:
    assert judged(trial)["reproduced"].status == "passed"
    wrong = truth_of(trial)
    assert judged(deciding(trial, "B", ~wrong))["reproduced"].status == "failed"
    elsewhere = replace(trial, ground=replace(trial.ground, part="all"))
    assert judged(elsewhere)["reproduced"].status == "not measured"


@pytest.mark.parametrize(
    ("agreement", "status"),
    [(1.0, "passed"), (0.995, "passed"), (0.994, "failed"), ("1", "not measured"), (None, "not measured")],
)
def test_parity(trial: Trial, agreement: object, status: str) -> None:
    assert judged(with_metrics(trial, parity={"agreement": agreement}))["parity"].status == status


def test_rows_that_may_have_been_seen_refuse(trial: Trial) -> None:
    doubt = replace(trial, ground=replace(trial.ground, unknown=("whether A …",)))
    found = judged(doubt)["unseen"]
    assert (found.status, found.figure, found.refuses(QUICK)) == ("not measured", "whether A …", True)


def test_behaviour_compares_what_both_answer_now(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    assert trial.champion is not None
    same = replace(trial, challenger=Model("B", trial.champion.given, trial.champion.predictor))
    assert judged(same)["behaviour"].status == "passed"
    from training.comparing import gates

    real = run_behaviour

    def rising(predictor: Any, suite: Any, examples: int) -> Any:  # noqa: ANN401 - stands in for another's
        found = real(predictor, suite, examples=examples)
        if predictor is not trial.challenger.predictor:
            return found
        before = real(trial.champion.predictor, suite, examples=0) if trial.champion else found
        up = {
            name: replace(
                one, rate=replace(one.rate, value=one.rate.value + (0.06 if name == "typos" else 0))
            )
            for name, one in before.capabilities.items()
        }
        return replace(found, capabilities=up)

    monkeypatch.setattr(gates, "run_behaviour", rising)
    failed = judged(trial)["behaviour"]
    assert failed.status == "failed"
    assert failed.figure.startswith("1 of ")
    assert "typos" in failed.figure
    lenient = replace(trial, config=QUICK.model_copy(update={"behaviour_margin": 0.07}))
    assert judged(lenient)["behaviour"].status == "passed"

    def unfit(*_: object, **__: object) -> None:
        raise BehaviourError("another codebook")

    monkeypatch.setattr(gates, "run_behaviour", unfit)
    silent = judged(trial)["behaviour"]
    assert (silent.status, silent.figure, silent.refuses(QUICK)) == (
        "not measured",
        "another codebook",
        False,
    )
    strict = QUICK.model_copy(update={"must_measure": ("behaviour",)})
    assert silent.refuses(strict)


def test_the_artefact_must_load_and_be_what_was_registered(trial: Trial) -> None:
    model = trial.challenger
    assert artefact_gate(model, model.digest).status == "passed"
    for loaded, tag in ((model, None), (model, "0" * 64), (ArtefactError("x: damaged"), model.digest)):
        assert artefact_gate(loaded, tag).status == "failed"
    assert [gate.status for gate in unjudged(["quality", "parity"], "why")] == ["not measured"] * 2
