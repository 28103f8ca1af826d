"""`python -m training.behaviour`, and the tests within a run: printed, stored, or why not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stancewire.codebook import Codebook
from stancewire.predictor import load
from tests.corpora import rows_of, write_jsonl
from tests.small_models import CODEBOOK, fitted, small_artefact
from tests.tiny import content_of, forge_manifest
from training.behaviour import BehaviourReport, Subject, run_behaviour
from training.behaviour.command import main
from training.behaviour.trained import Behaviour, reports_in, try_behaviour
from training.config import RunConfig
from training.fit import Trial, fit
from training.prepare import Corpora, Prepared, prepare


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_artefact(tmp_path_factory.mktemp("artefacts"), "stance").path


def with_metrics(folder: Path, metrics: object) -> Path:
    forge_manifest(folder, content_of(folder) | {"metrics": metrics})
    return folder


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_an_artefact_is_asked_and_told(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    artefact = small_artefact(tmp_path, task).path
    code, out, err = said(capsys, artefact)
    assert (code, err) == (0, "")
    assert f"small-{task}: failure rates in {task}" in out
    assert "target-blind" not in out
    for name, found in run_behaviour(load(artefact)).capabilities.items():
        (row,) = [line.split() for line in out.splitlines() if line.startswith(f" {name} ")]
        assert row[1] == f"{found.rate.value:.0%}"
        assert row[3:6] == [str(found.failures), "of", str(found.cases)]
        assert row[6] == str(found.rules)
        assert (found.asks in out) == bool(found.failures)


def test_json_is_the_report(stance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, stance, "--json", "--examples", 1)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["behaviour_target_blind"] is None
    report = BehaviourReport.from_dict(found["behaviour"])
    assert report == run_behaviour(load(stance), examples=1)
    assert said(capsys, stance, "--json", "--examples", 1)[1] == out


def test_the_baseline_that_the_run_kept_stands_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    artefact = small_artefact(tmp_path, "stance").path
    kept = run_behaviour(load(artefact), examples=0)
    told = {"behaviour": kept.to_dict(), "behaviour_target_blind": kept.to_dict()}
    assert "target-blind fails" in said(capsys, with_metrics(artefact, told))[1]
    other = replace(kept, suite="0" * 64).to_dict()
    assert (
        "target-blind"
        not in said(capsys, with_metrics(artefact, told | {"behaviour_target_blind": other}))[1]
    )
    strange = told | {"behaviour_target_blind": {"rates": 1}}
    code, out, _ = said(capsys, with_metrics(artefact, strange))
    assert (code, "target-blind" in out) == (0, False)


def test_cases_of_ones_own(stance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stance").mkdir()
    (tmp_path / "suite.yaml").write_text(
        'codebook: {id: stancewire-security-news, version: "1.0"}\n'
        "labels: {stance: [against, favor, neutral, unrelated]}\n"
    )
    rule = "asks: Ours?\ncases:\n  - {sentence: He praised the talks., target: the talks, label: favor}\n"
    (tmp_path / "stance/ours.yaml").write_text(rule)
    code, out, _ = said(capsys, stance, "--json", "--cases", tmp_path)
    assert code == 0
    assert {name: found["cases"] for name, found in json.loads(out)["behaviour"]["capabilities"].items()} == {
        "ours": 1
    }
    (tmp_path / "stance/ours.yaml").write_text(rule.replace("favor", "favour"))
    code, out, err = said(capsys, stance, "--cases", tmp_path)
    assert (code, out) == (2, "")
    assert "stance/ours.yaml:3: cases[0].label: wanted one of" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nowhere"], "nowhere"), (["ARTEFACT", "--cases", "nowhere"], "the cases cannot be read")],
)
def test_what_is_not_there_is_one_clear_error(
    stance: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = said(capsys, *(stance if a == "ARTEFACT" else a for a in arguments))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err


def test_a_model_of_another_codebook_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artefact = small_artefact(tmp_path, "topics").path
    content = content_of(artefact)
    content["codebook"]["id"] = "theirs"
    forge_manifest(artefact, content)
    code, out, err = said(capsys, artefact)
    assert (code, out) == (2, "")
    assert "small-topics answers by codebook theirs 1.0" in err


def prepared_of(folder: Path, **evaluation: object) -> Prepared:
    path = write_jsonl(folder / "a.jsonl", rows_of(60))
    config = {"task": "stance", "data": {"path": str(path)}, "evaluation": evaluation}
    return prepare(RunConfig.model_validate(config), Corpora(), lambda step: None)


def trials_of(prepared: Prepared) -> tuple[Trial, Trial]:
    model = prepared.config.model
    blind = model.model_copy(update={"target_blind": True})
    return fit(prepared.config, model, prepared.parts), fit(prepared.config, blind, prepared.parts)


def test_a_run_tests_the_model_and_the_blind_one(tmp_path: Path) -> None:
    prepared = prepared_of(tmp_path)
    trial, blind = trials_of(prepared)
    found = try_behaviour(prepared, trial, blind)
    assert found.model == run_behaviour(Subject.of_fitted("ours", trial.fitted, CODEBOOK))
    assert found.blind == run_behaviour(Subject.of_fitted("blind", blind.fitted, CODEBOOK), examples=0)
    assert found.blind is not None
    assert found.blind.capabilities["target_swap"].rate.value == 1
    assert reports_in(found.to_dict()) == (found.model, found.blind)
    assert found.line.startswith("fails most at ")
    alone = try_behaviour(prepared, trial, None)
    assert reports_in(alone.to_dict()) == (found.model, None)


def test_a_run_skips_for_a_stated_reason(tmp_path: Path) -> None:
    prepared = prepared_of(tmp_path)
    trial, blind = trials_of(prepared)
    config = prepared.config
    off = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"behaviour": False})})
    assert try_behaviour(replace(prepared, config=off), trial, blind) == Behaviour(
        skipped="evaluation.behaviour is false"
    )
    theirs: Codebook = replace(CODEBOOK, version="2.0")
    found = try_behaviour(replace(prepared, corpus=replace(prepared.corpus, codebook=theirs)), trial, blind)
    assert (found.model, found.blind) == (None, None)
    assert "stancewire-stance answers by codebook stancewire-security-news 2.0" in found.skipped
    assert found.line == f"not tested: {found.skipped}"
    assert found.to_dict() == {"behaviour": {"skipped": found.skipped}, "behaviour_target_blind": None}
    assert reports_in(found.to_dict()) == (None, None)


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_fitted_or_shipped_the_answers_are_the_same(task: str, tmp_path: Path) -> None:
    artefact = load(small_artefact(tmp_path, task).path)
    assert run_behaviour(Subject.of_fitted("ours", fitted(task), CODEBOOK)) == run_behaviour(artefact)
