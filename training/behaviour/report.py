"""What the behavioural tests find: plain frozen figures that go to the manifest as JSON and come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stancewire.calibration import Task
from training.behaviour.cases import Kind
from training.evaluate.scores import Interval


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of a failed case, as asked and as answered.

    Attributes:
        question: its texts by field; an empty one is left out.
        wanted: labels; None where only the answers of a case are compared.
        got: labels.
        probability: of the label that should have moved; None but for directions.
    """

    question: Mapping[str, str]
    wanted: tuple[str, ...] | None
    got: tuple[str, ...]
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed case.

    Attributes:
        kind: of the case.
        rule: file and line of what was written.
        says: what should have been.
        answers: to its questions.
    """

    kind: Kind
    rule: str
    says: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class CapabilityResult:
    """How a model does at one thing.

    Attributes:
        asks: what is tested, as a question for people.
        cases: asked.
        failures: of them.
        rules: written ones, hand-written or templates; the fills of a template are one witness.
        rate: share of failed fills of a rule, averaged over rules, with its interval.
        kinds: cases and failures by kind.
        examples: some failures, each of another rule.
    """

    asks: str
    cases: int
    failures: int
    rules: int
    rate: Interval
    kinds: Mapping[Kind, tuple[int, int]]
    examples: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class BehaviourReport:
    """How a model does at everything.

    Attributes:
        task: of the model.
        suite: sha256 of the cases; only rates of one suite can be compared.
        confidence: of every interval.
        capabilities: by name, sorted.
    """

    task: Task
    suite: str
    confidence: float
    capabilities: Mapping[str, CapabilityResult]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        found: dict[str, Any] = _plain(asdict(self))
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BehaviourReport:
        """Read what `to_dict` wrote, such as a manifest's metrics.

        Raises:
            KeyError, TypeError: for anything else.
        """
        capabilities = {name: _capability(found) for name, found in values["capabilities"].items()}
        return cls(**{**values, "capabilities": capabilities})

    def flat_metrics(self, prefix: str) -> dict[str, float]:
        """Return the failure rates with their intervals, such as "behaviour/negation_low"."""
        flat: dict[str, float] = {}
        for name, found in self.capabilities.items():
            rate = found.rate
            flat |= {
                f"{prefix}/{name}": rate.value,
                f"{prefix}/{name}_low": rate.low,
                f"{prefix}/{name}_high": rate.high,
            }
        return flat


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever dataclasses hold
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list | tuple) else value


def _capability(values: Mapping[str, Any]) -> CapabilityResult:
    return CapabilityResult(
        **{
            **values,
            "rate": Interval(**values["rate"]),
            "kinds": {kind: tuple(counts) for kind, counts in values["kinds"].items()},
            "examples": tuple(_failure(found) for found in values["examples"]),
        }
    )


def _failure(values: Mapping[str, Any]) -> Failure:
    return Failure(**{**values, "answers": tuple(_answer(found) for found in values["answers"])})


def _answer(values: Mapping[str, Any]) -> Answer:
    wanted = values["wanted"]
    return Answer(
        **{**values, "wanted": None if wanted is None else tuple(wanted), "got": tuple(values["got"])}
    )
