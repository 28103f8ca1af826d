"""Label Studio: tasks and a labelling interface out, its JSON export in.

Formats: labelstud.io/guide/task_format (tasks, annotations, predictions), labelstud.io/tags/choices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from stancewire.errors import InputError
from stancewire.section import shown
from training.labelling.items import Item, suggested
from training.labelling.question import Answer, Question, checked_answer, shown_texts

TASKS, INTERFACE = "tasks.json", "interface.xml"


def export(items: Sequence[Item], question: Question, *, suggest: bool = False) -> dict[str, str]:
    """Return the files of a project: tasks to import, and the labelling interface.

    Args:
        items: of the queue.
        question: of their task.
        suggest: show the model's answer as a prediction; people then agree with it more than they should.
    """
    tasks = [_task(item, question, suggest) for item in items]
    return {
        TASKS: json.dumps(tasks, ensure_ascii=False, indent=1) + "\n",
        INTERFACE: interface(question),
    }


def interface(question: Question) -> str:
    """Return the labelling interface: the texts, then the choices with their definitions as hints."""
    lines = ["<View>"]
    for name, what in question.shows:
        lines.append(f'  <Header value={quoteattr(what)} size="5"/>')
        lines.append(f'  <Text name="{name}" value="${name}"/>')
    kind = "multiple" if question.task == "topics" else "single-radio"
    judged = question.shows[-1][0]
    lines += [
        f'  <Header value={quoteattr(question.text)} size="4"/>',
        f'  <Choices name="{question.name}" toName="{judged}" choice="{kind}" required="true">',
        *(
            f"    <Choice value={quoteattr(value)} hint={quoteattr(' '.join(about.split()))}/>"
            for value, about in question.choices.items()
        ),
        "  </Choices>",
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def answers(content: object, question: Question, where: str) -> Iterator[tuple[str, list[Answer]]]:
    """Yield the key and the answers of each task of a JSON export; skipped annotations are none.

    Raises:
        InputError: if it is no JSON export of such a project.
    """
    if not isinstance(content, list):
        raise InputError(
            f"{where}: wanted Label Studio's JSON export, a list of tasks; found {shown(content)}"
        )
    for number, task in enumerate(content, 1):
        place = f"{where}: task {number}"
        data = task.get("data") if isinstance(task, Mapping) else None
        if not isinstance(data, Mapping) or not isinstance(data.get("key"), str):
            raise InputError(
                f"{place}: wanted 'data' with the 'key' of a question; export the project as JSON, not as "
                "JSON_MIN or CSV"
            )
        annotations = task.get("annotations", [])
        if not isinstance(annotations, list):
            raise InputError(f"{place}: wanted a list of annotations, found {shown(annotations)}")
        found = [_answer(one, question, place) for one in annotations]
        yield data["key"], [answer for answer in found if answer is not None]


def _answer(annotation: object, question: Question, where: str) -> Answer | None:
    if not isinstance(annotation, Mapping) or not isinstance(results := annotation.get("result"), list):
        raise InputError(f"{where}: wanted annotations with a 'result', found {shown(annotation)}")
    if annotation.get("was_cancelled"):
        return None
    ours = [one for one in results if isinstance(one, Mapping) and one.get("from_name") == question.name]
    if not ours:
        return None
    value = ours[0].get("value")
    choices = value.get("choices") if isinstance(value, Mapping) else None
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise InputError(f"{where}: wanted a list of choices, found {shown(value)}")
    return checked_answer(choices, question, where)


def _task(item: Item, question: Question, suggest: bool) -> dict[str, Any]:
    note = item.note
    data = {
        "key": item.key,
        "article": item.record["id"],
        **shown_texts(item, question),
        "criterion": note.get("criterion"),
        "why": note.get("why"),
    }
    task: dict[str, Any] = {"data": data}
    if suggest:
        task["predictions"] = [_prediction(item, question)]
    return task


def _prediction(item: Item, question: Question) -> dict[str, Any]:
    found = suggested(item, question.labels)
    choices = [label for label, _ in found] or [
        choice for choice in question.choices if choice not in question.labels
    ]
    result = {
        "id": "model",
        "from_name": question.name,
        "to_name": question.shows[-1][0],
        "type": "choices",
        "value": {"choices": choices},
    }
    scores = [p for _, p in found]
    return {
        "model_version": str(item.note.get("model")),
        "score": min(scores) if scores else None,
        "result": [result],
    }
