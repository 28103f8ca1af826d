"""What a labelling tool shows: the choices of a task, and the texts of a question."""

from __future__ import annotations

from dataclasses import dataclass

from stancewire.calibration import Task
from stancewire.codebook import Codebook
from stancewire.errors import InputError
from training.data.schema import NONE
from training.labelling.items import Item

# Annotations, or responses, of a question that a person answered; None says that nobody did.
Answer = tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """How a task is put to a person.

    Attributes:
        task: what is asked.
        name: of the question in the tool.
        text: of the question.
        choices: definition by value, in the order shown. For topics the last says that none holds: an empty
            answer could not be told from no answer.
        shows: the texts that are shown, as (name, what they are).
    """

    task: Task
    name: str
    text: str
    choices: dict[str, str]
    shows: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The choices that are labels of the codebook."""
        return tuple(choice for choice in self.choices if self.task == "stance" or choice != NONE)


def question_of(task: Task, codebook: Codebook) -> Question:
    """Return the question of a task.

    Raises:
        InputError: if the codebook has no such labels, or a topic that is named "none".
    """
    if task == "stance":
        if not codebook.stance:
            raise InputError(f"codebook {codebook.id}: wanted stance labels, found none; name the right one")
        return Question(
            task,
            "stance",
            "How does the sentence stand toward the target?",
            {label.id: label.definition for label in codebook.stance},
            (("target", "Target"), ("context", "Sentence before"), ("sentence", "Sentence")),
        )
    choices = {topic.id: topic.definition for topic in codebook.topics}
    if NONE in choices:
        raise InputError(f"codebook {codebook.id}: a topic is named {NONE!r}, which says that no topic holds")
    return Question(
        task,
        "topics",
        "Which topics does the article report?",
        {**choices, NONE: "No topic holds."},
        (("title", "Title"), ("text", "Text")),
    )


def shown_texts(item: Item, question: Question) -> dict[str, str]:
    """Return what is shown of an item."""
    return {name: str(item.record.get(name) or "") for name, _ in question.shows}


def checked_answer(choices: list[str], question: Question, where: str) -> Answer:
    """Return the chosen labels, sorted; empty where none holds.

    Raises:
        InputError: for a choice that the question does not have, or choices that exclude each other.
    """
    if unknown := sorted(set(choices) - set(question.choices)):
        known = ", ".join(question.choices)
        raise InputError(f"{where}: wanted choices among {known}; found {unknown[0]!r}; name the codebook")
    if question.task == "stance" and len(choices) != 1:
        raise InputError(f"{where}: wanted one stance, found {', '.join(choices) or 'none'}")
    if question.task == "topics" and NONE in choices and len(choices) > 1:
        raise InputError(f"{where}: wanted topics or {NONE!r}, found both: {', '.join(choices)}")
    return tuple(sorted(choice for choice in choices if choice in question.labels))
