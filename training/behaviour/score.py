"""Ask a model every case of its task, and count what fails."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist, fmean

from stancewire.examples import Article, StanceExample
from stancewire.predictor import Predictor
from training.behaviour.cases import KINDS, BehaviourError, Capability, Case, Suite
from training.behaviour.load import load_suite
from training.behaviour.report import Answer, BehaviourReport, CapabilityResult, Failure
from training.behaviour.subject import Subject
from training.evaluate.scores import Interval

EXAMPLES = 3
CONFIDENCE = 0.95
# A probability that must move has moved when it did by as much; less is chance.
LEAST_MOVE = 0.05
_FIELDS = {"topics": ("title", "text"), "stance": ("sentence", "context", "target", "holder")}


def run_behaviour(
    model: Predictor | Subject, suite: Suite | None = None, *, examples: int = EXAMPLES
) -> BehaviourReport:
    """Test a model.

    Args:
        model: a loaded artefact, or a fitted model as a `Subject`.
        suite: the cases; the bundled ones where none are given.
        examples: failures to keep for each capability.

    Raises:
        BehaviourError: if the cases were written by another codebook than the model's.
    """
    subject = model if isinstance(model, Subject) else Subject.of_predictor(model)
    suite = suite or load_suite()
    if reason := not_for(subject, suite):
        raise BehaviourError(reason)
    capabilities = suite.capabilities[subject.task]
    cases = [case for capability in capabilities for case in capability.cases]
    answers = iter(_ask(subject, cases))
    return BehaviourReport(
        subject.task,
        suite.digest,
        CONFIDENCE,
        {
            capability.name: _result(capability, [next(answers) for _ in capability.cases], examples)
            for capability in capabilities
        },
    )


def not_for(subject: Subject, suite: Suite) -> str:
    """Return why the cases say nothing about a model, or ""."""
    wanted = (suite.codebook_id, suite.codebook_version, suite.labels.get(subject.task, ()))
    got = (subject.codebook_id, subject.codebook_version, tuple(sorted(subject.labels)))
    if wanted != got:
        return (
            f"the behavioural cases ask for {_codebook(*wanted)}, but {subject.name} answers by "
            f"{_codebook(*got)}; write cases of your own (docs/behaviour.md)"
        )
    if not suite.capabilities.get(subject.task):
        return f"the behavioural cases ask nothing about {subject.task}, which {subject.name} answers"
    return ""


def wilson(share: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return a share with its score interval (Wilson, JASA 1927), which stays true at 0 and 1."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    # Rounding errors aside, the interval holds its share and stays within 0 and 1.
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def _ask(subject: Subject, cases: Sequence[Case]) -> list[Failure | None]:
    """Ask all questions of all cases at once; return what failed, case by case."""
    examples = [question.example for case in cases for question in case.questions]
    probabilities, decisions = subject.answer(examples)
    names = sorted(range(len(subject.labels)), key=lambda column: subject.labels[column])
    failures: list[Failure | None] = []
    row = 0
    for case in cases:
        answers = []
        for question in case.questions:
            got = tuple(subject.labels[column] for column in names if decisions[row, column])
            moved = float(probabilities[row, subject.labels.index(case.label)]) if case.label else None
            answers.append(Answer(_shown(question.example), question.wanted, got, moved))
            row += 1
        says = _missed(case, answers)
        failures.append(Failure(case.kind, case.rule, says, tuple(answers)) if says else None)
    return failures


def _missed(case: Case, answers: Sequence[Answer]) -> str:
    """Say what should have been, or "" where it is."""
    if case.kind == "minimum":
        passes = all(answer.got == answer.wanted for answer in answers)
        return "" if passes else "the wanted labels"
    if case.kind == "invariance":
        return "" if len({answer.got for answer in answers}) == 1 else "the same labels"
    before, after = (answer.probability or 0.0 for answer in answers)
    if case.sign * (after - before) >= LEAST_MOVE:
        return ""
    return f"p({case.label}) {'up' if case.sign > 0 else 'down'} by {LEAST_MOVE:g} or more"


def _result(capability: Capability, outcomes: Sequence[Failure | None], examples: int) -> CapabilityResult:
    by_rule: dict[str, list[Failure | None]] = {}
    for case, outcome in zip(capability.cases, outcomes, strict=True):
        by_rule.setdefault(case.rule, []).append(outcome)
    shares = [fmean(outcome is not None for outcome in fills) for fills in by_rule.values()]
    first = [next((failure for failure in fills if failure), None) for fills in by_rule.values()]
    by_kind = {
        kind: [outcome for case, outcome in zip(capability.cases, outcomes, strict=True) if case.kind == kind]
        for kind in KINDS
    }
    return CapabilityResult(
        asks=capability.asks,
        cases=len(outcomes),
        failures=sum(outcome is not None for outcome in outcomes),
        rules=len(by_rule),
        # Shares of fills vary no more than single answers do, so that the interval is wide enough.
        rate=wilson(fmean(shares), len(shares)),
        kinds={kind: (len(of), sum(o is not None for o in of)) for kind, of in by_kind.items() if of},
        examples=tuple(failure for failure in first if failure)[:examples],
    )


def _shown(example: Article | StanceExample) -> dict[str, str]:
    fields = _FIELDS["topics" if isinstance(example, Article) else "stance"]
    return {name: text for name in fields if (text := getattr(example, name))}


def _codebook(identifier: str, version: str, labels: Sequence[str]) -> str:
    return f"codebook {identifier} {version} ({', '.join(labels) or 'no labels'})"
