"""Rates: what passes and fails, a template as one witness, intervals, reports there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from stancewire.examples import Article, StanceExample
from stancewire.strictjson import dumps, loads
from training.behaviour import BehaviourError, BehaviourReport, Subject, load_suite, run_behaviour
from training.behaviour.cases import Capability, Case, Question, Sign, Suite
from training.behaviour.rules import texts_of
from training.behaviour.score import LEAST_MOVE, not_for, wilson
from training.behaviour.table import failure_columns, rate_columns, report_tables, short_line, worst
from training.evaluate.scores import Interval
from training.present import as_text

LABELS = ("against", "favor", "neutral", "unrelated")
Ask = Callable[[StanceExample], Mapping[str, float]]


def example(sentence: str, target: str = "the embargo") -> StanceExample:
    return StanceExample(sentence=sentence, target=target)


def case(*asked: tuple[str, str], rule: str = "a.yaml:1") -> Case:
    """A minimum case of targets and their labels."""
    questions = tuple(Question(example("Oslo spoke.", target), (label,)) for target, label in asked)
    return Case("minimum", rule, questions)


def same(*sentences: str) -> Case:
    return Case("invariance", "a.yaml:2", tuple(Question(example(sentence)) for sentence in sentences))


def moved(label: str, sign: Sign) -> Case:
    return Case(
        "direction", "a.yaml:3", (Question(example("before")), Question(example("after"))), label, sign
    )


def suite_of(*cases: Case, name: str = "negation", task: Task = "stance") -> Suite:
    capability = Capability(name, "Does it?", cases)
    return Suite("ours", "1.0", {task: LABELS}, {task: (capability,)}, "0" * 64)


def subject_of(ask: Ask, labels: tuple[str, ...] = LABELS) -> Subject:
    """A model that says so; the likeliest label is decided."""

    def answer(rows: Sequence[Article | StanceExample]) -> tuple[Probabilities, NDArray[np.bool_]]:
        asked = [ask(row) for row in rows if isinstance(row, StanceExample)]
        table = np.array([[row.get(label, 0.0) for label in labels] for row in asked], np.float32)
        return table, np.arange(len(labels)) == table.argmax(axis=1)[:, None]

    return Subject("ours", "stance", labels, "ours", "1.0", answer)


def always(label: str) -> Subject:
    return subject_of(lambda row: {label: 1.0})


def rate_of(subject: Subject, *cases: Case) -> tuple[int, int, float]:
    found = run_behaviour(subject, suite_of(*cases)).capabilities["negation"]
    return found.failures, found.cases, found.rate.value


def test_a_case_passes_only_where_every_question_is_right() -> None:
    swap = case(("the embargo", "favor"), ("the sales", "against"))
    right = subject_of(lambda row: {"favor" if row.target == "the embargo" else "against": 1.0})
    assert rate_of(right, swap) == (0, 1, 0)
    assert rate_of(always("favor"), swap) == (1, 1, 1)
    assert rate_of(always("against"), swap) == (1, 1, 1)
    assert rate_of(always("favor"), case(("the embargo", "favor"))) == (0, 1, 0)


def test_the_order_of_the_columns_is_nothing() -> None:
    turned = subject_of(lambda row: {"favor": 1.0}, tuple(reversed(LABELS)))
    assert rate_of(turned, case(("the embargo", "favor"))) == (0, 1, 0)
    up = subject_of(lambda row: {"favor": 0.6 + 0.1 * (row.sentence == "after")}, tuple(reversed(LABELS)))
    assert rate_of(up, moved("favor", 1)) == (0, 1, 0)


def test_sets_of_topics_are_compared_whatever_the_columns() -> None:
    labels = ("sanctions", "arms_trade")
    both = np.ones((1, 2), np.float32)
    subject = Subject("ours", "topics", labels, "ours", "1.0", lambda rows: (both, both == 1))
    question = Question(Article(text="Oslo spoke."), ("arms_trade", "sanctions"))
    suite = suite_of(Case("minimum", "a.yaml:1", (question,)), task="topics")
    suite = replace(suite, labels={"topics": ("arms_trade", "sanctions")})
    assert run_behaviour(subject, suite).capabilities["negation"].failures == 0


def test_invariance_asks_for_equal_answers_not_right_ones() -> None:
    assert rate_of(always("unrelated"), same("one", "two", "three")) == (0, 1, 0)
    last = subject_of(lambda row: {"favor" if row.sentence == "three" else "neutral": 1.0})
    assert rate_of(last, same("one", "two", "three")) == (1, 1, 1)
    assert rate_of(last, same("one", "two")) == (0, 1, 0)


@pytest.mark.parametrize(("sign", "move", "fails"), [(1, 0.2, 0), (1, -0.2, 1), (-1, -0.2, 0), (-1, 0.2, 1)])
def test_direction_asks_for_a_move_the_right_way(sign: Sign, move: float, fails: int) -> None:
    subject = subject_of(lambda row: {"favor": 0.5 + move * (row.sentence == "after"), "neutral": 0.4})
    assert rate_of(subject, moved("favor", sign))[0] == fails
    assert rate_of(subject, moved("neutral", sign))[0] == 1


@pytest.mark.parametrize(("factor", "fails"), [(0.9, 1), (1.1, 0)])
def test_a_hair_is_no_move(factor: float, fails: int) -> None:
    said = {"before": 0.5, "after": 0.5 + factor * LEAST_MOVE}
    subject = subject_of(lambda row: {"favor": said[row.sentence]})
    assert rate_of(subject, moved("favor", 1))[0] == fails


def test_fills_of_a_template_are_one_witness() -> None:
    fills = [case(("the embargo", "against"), rule="a.yaml:1") for _ in range(98)]
    hand = [case(("the embargo", "favor"), rule=f"a.yaml:{line}") for line in (7, 8)]
    found = run_behaviour(always("favor"), suite_of(*fills, *hand)).capabilities["negation"]
    assert (found.cases, found.failures, found.rules) == (100, 98, 3)
    assert found.rate == wilson(1 / 3, 3)
    half = [case(("the embargo", label), rule="a.yaml:1") for label in ("favor", "against")]
    assert run_behaviour(always("favor"), suite_of(*half)).capabilities["negation"].rate == wilson(0.5, 1)


def test_kinds_are_counted_apart() -> None:
    cases = (case(("the embargo", "favor")), same("one", "two"), moved("favor", 1))
    found = run_behaviour(always("favor"), suite_of(*cases)).capabilities["negation"]
    assert found.kinds == {"minimum": (1, 0), "invariance": (1, 0), "direction": (1, 1)}


def test_examples_come_from_different_rules_and_tell_everything() -> None:
    cases = [case(("the embargo", "against"), rule=f"a.yaml:{line // 2}") for line in range(10)]
    report = run_behaviour(always("favor"), suite_of(*cases), examples=3)
    found = report.capabilities["negation"].examples
    assert [failure.rule for failure in found] == ["a.yaml:0", "a.yaml:1", "a.yaml:2"]
    (answer,) = found[0].answers
    assert answer.question == {"sentence": "Oslo spoke.", "target": "the embargo"}
    assert (answer.wanted, answer.got, answer.probability) == (("against",), ("favor",), None)
    assert (
        run_behaviour(always("favor"), suite_of(*cases), examples=0).capabilities["negation"].examples == ()
    )


def test_wilson_worked() -> None:
    """Figures of Newcombe (1998), table I, method 3."""
    for failed, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = wilson(failed / n, n)
        assert [found.low, found.high] == pytest.approx([low, high], abs=6e-5)


@given(st.integers(0, 100), st.integers(1, 500))
def test_an_interval_holds_its_share_and_narrows(percent: int, n: int) -> None:
    share = percent / 100
    found, wider = wilson(share, n), wilson(share, n, 0.99)
    assert 0 <= wider.low <= found.low <= share <= found.high <= wider.high <= 1
    more = wilson(share, 4 * n)
    assert more.high - more.low < found.high - found.low


def test_a_report_survives_json() -> None:
    cases = (case(("the embargo", "against")), same("one", "two"), moved("favor", 1))
    report = run_behaviour(always("favor"), suite_of(*cases))
    written = dumps(report.to_dict())
    values = loads(written, max_bytes=len(written))
    assert isinstance(values, dict)
    assert BehaviourReport.from_dict(values) == report
    assert dumps(BehaviourReport.from_dict(values).to_dict()) == written


@pytest.mark.parametrize(
    "change",
    [
        {"codebook_id": "theirs"},
        {"codebook_version": "1.1"},
        {"labels": ("against", "favor", "neutral")},
        {"labels": ("con", "pro", "neutral", "unrelated")},
    ],
)
def test_models_of_another_codebook_are_not_asked(change: dict[str, object]) -> None:
    subject = replace(always("favor"), **change)  # type: ignore[arg-type]
    suite = suite_of(case(("the embargo", "favor")))
    assert not_for(always("favor"), suite) == ""
    assert "docs/behaviour.md" in not_for(subject, suite)
    with pytest.raises(BehaviourError, match=r"the behavioural cases ask for codebook ours 1\.0"):
        run_behaviour(subject, suite)
    assert "ask nothing about stance" in not_for(always("favor"), replace(suite, capabilities={"stance": ()}))


def test_tables_show_the_worst_first_and_the_blind_model_beside() -> None:
    easy = Capability("easy", "Is it easy?", (case(("the embargo", "favor")),))
    hard = Capability("hard", "Is it hard?", (case(("the embargo", "against")), moved("favor", 1)))
    suite = replace(suite_of(), capabilities={"stance": (easy, hard)})
    ours, blind = run_behaviour(always("favor"), suite), run_behaviour(always("against"), suite)
    assert [name for name, _ in worst(ours)] == ["hard", "easy"]
    page = as_text(report_tables("ours", ours, blind))
    rows = {
        line.split()[0]: line.split() for line in page.splitlines() if line.startswith((" easy", " hard"))
    }
    assert list(rows) == ["hard", "easy"]
    assert rows["easy"][1] == "0%"
    assert "100%" in rows["easy"]
    assert "target-blind" in page
    assert "favor, wanted against" in page
    assert "Oslo spoke. [target: the embargo]" in page
    assert "target-blind" not in as_text(report_tables("ours", ours, None))
    assert (
        short_line(ours, blind) == "fails most at hard 100% (target-blind 50%), easy 0% (target-blind 100%)"
    )
    columns = rate_columns(ours, blind)
    assert columns["rate"] == [1.0, 0.0]
    assert columns["target-blind rate"] == [0.5, 1.0]
    failures = failure_columns(ours)
    assert {len(column) for column in failures.values()} == {3}
    assert failures["wanted"][0] == "against"
    assert failures["wanted"][1] == f"p(favor) up by {LEAST_MOVE:g} or more"


def test_metrics_are_named_after_capabilities() -> None:
    report = run_behaviour(always("favor"), suite_of(case(("the embargo", "against"))))
    rate = report.capabilities["negation"].rate
    assert report.flat_metrics("behaviour") == {
        "behaviour/negation": rate.value,
        "behaviour/negation_low": rate.low,
        "behaviour/negation_high": rate.high,
    }
    assert isinstance(rate, Interval)


def bundled(ask: Ask) -> BehaviourReport:
    subject = subject_of(ask)
    suite = load_suite()
    return run_behaviour(replace(subject, codebook_id=suite.codebook_id, codebook_version="1.0"), suite)


def test_who_knows_the_answers_fails_no_minimum() -> None:
    cases = [case for capability in load_suite().capabilities["stance"] for case in capability.cases]
    known = {
        texts_of(question): question.wanted
        for case in cases
        for question in case.questions
        if question.wanted
    }
    report = bundled(lambda row: {(known.get(texts_of(Question(row))) or ("neutral",))[0]: 1.0})
    for name, found in report.capabilities.items():
        assert found.kinds.get("minimum", (0, 0))[1] == 0, name


def test_a_blind_model_fails_every_swap_and_no_invariance() -> None:
    """Fault 18: what looks at the sentence alone cannot pass where the target or holder decides."""
    for label in LABELS:
        report = bundled(lambda row, label=label: {label: 1.0})  # type: ignore[misc]
        for name in ("target_swap", "holder_swap"):
            assert report.capabilities[name].rate.value == 1, name
        for name in ("countries", "paraphrase", "typos", "unicode"):
            assert report.capabilities[name].rate.value == 0, name
