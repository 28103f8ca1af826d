"""What a model is asked: questions, the cases that they make up, and the capabilities that cases test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stancewire.calibration import Task
from stancewire.errors import StancewireError
from stancewire.examples import Article, StanceExample

Kind = Literal["minimum", "invariance", "direction"]
Sign = Literal[-1, 0, 1]
KINDS: tuple[Kind, ...] = ("minimum", "invariance", "direction")


class BehaviourError(StancewireError):
    """Cases are faulty, or ask what a model does not answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row that the model answers.

    Attributes:
        example: what it sees.
        wanted: the labels it must decide, sorted; None where only the answers of a case are compared.
    """

    example: Article | StanceExample
    wanted: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What passes or fails as a whole.

    Attributes:
        kind: "minimum": every question gets the wanted labels. "invariance": all questions get the same
            labels, right or wrong. "direction": from the first question to the second, the probability of
            `label` moves the way of `sign`.
        rule: file and line of what was written; cases of one rule differ in fillings only.
        questions: at least one; of a direction two.
        label: of a direction, else "".
        sign: of a direction: 1 up, -1 down; else 0.
    """

    kind: Kind
    rule: str
    questions: tuple[Question, ...]
    label: str = ""
    sign: Sign = 0


@dataclass(frozen=True, slots=True)
class Capability:
    """What a model should be able to do.

    Attributes:
        name: of the file that holds the cases.
        asks: what is tested, as a question for people.
        cases: in the order of the file; the fills of a rule stand together.
    """

    name: str
    asks: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """All cases, and the codebook that they were written by.

    Attributes:
        codebook_id: where the labels come from.
        codebook_version: in which version.
        labels: by task, sorted.
        capabilities: by task, sorted by name.
        digest: sha256 over the files: reports of one digest can be compared.
    """

    codebook_id: str
    codebook_version: str
    labels: Mapping[Task, tuple[str, ...]]
    capabilities: Mapping[Task, tuple[Capability, ...]]
    digest: str
