"""Argilla 2.x: records and settings out, exported records in; its package is not needed here.

Formats: what `dataset.records.to_json` and `rg.Settings.to_json` write
(docs.argilla.io/latest/how_to_guides/import_export).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stancewire.errors import InputError
from stancewire.section import shown
from training.labelling.items import Item, suggested
from training.labelling.question import Answer, Question, checked_answer, shown_texts

RECORDS, SETTINGS = "records.json", "settings.json"
_GIVEN_UP = ("discarded", "draft")


def export(items: Sequence[Item], question: Question, *, suggest: bool = False) -> dict[str, str]:
    """Return the files of a dataset: its settings, and records without responses.

    Args:
        items: of the queue.
        question: of their task.
        suggest: show the model's answer as a suggestion; people then agree with it more than they should.
    """
    records = [_record(item, question, suggest) for item in items]
    return {
        RECORDS: json.dumps(records, ensure_ascii=False, indent=1) + "\n",
        SETTINGS: json.dumps(settings(question), ensure_ascii=False, indent=1) + "\n",
    }


def settings(question: Question) -> dict[str, Any]:
    """Return what `rg.Settings.from_json` reads."""
    about = "\n".join(f"- **{value}**: {' '.join(text.split())}" for value, text in question.choices.items())
    choices: dict[str, Any] = {
        "type": "multi_label_selection" if question.task == "topics" else "label_selection",
        "options": [{"value": value, "text": value} for value in question.choices],
        "visible_options": None,
    }
    return {
        "guidelines": f"{question.text}\n\n{about}\n",
        "allow_extra_metadata": True,
        "fields": [
            {
                "name": name,
                "title": what,
                "required": name == question.shows[-1][0],
                "settings": {"type": "text", "use_markdown": False},
            }
            for name, what in question.shows
        ],
        "questions": [
            {
                "name": question.name,
                "title": question.text,
                "description": None,
                "required": True,
                "settings": choices,
            }
        ],
        "metadata": [],
        "vectors": [],
    }


def answers(content: object, question: Question, where: str) -> Iterator[tuple[str, list[Answer]]]:
    """Yield the key and the submitted answers of each record.

    Raises:
        InputError: if they are no exported records of such a dataset.
    """
    if not isinstance(content, list):
        raise InputError(f"{where}: wanted a list of Argilla records, found {shown(content)}")
    for number, record in enumerate(content, 1):
        place = f"{where}: record {number}"
        if not isinstance(record, Mapping) or not isinstance(record.get("id"), str):
            raise InputError(f"{place}: wanted a record with its 'id', found {shown(record)}")
        responses = record.get("responses") or {}
        found = responses.get(question.name, []) if isinstance(responses, Mapping) else None
        if not isinstance(found, list):
            raise InputError(
                f"{place}: wanted 'responses' by question; export with dataset.records.to_json or to_list"
            )
        given = [_answer(one, question, place) for one in found]
        yield record["id"], [answer for answer in given if answer is not None]


def _answer(response: object, question: Question, where: str) -> Answer | None:
    if not isinstance(response, Mapping):
        raise InputError(f"{where}: wanted a response with its 'value', found {shown(response)}")
    if response.get("status") in _GIVEN_UP or (value := response.get("value")) is None:
        return None
    choices = [value] if question.task == "stance" else value
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise InputError(f"{where}: wanted chosen labels, found {shown(value)}")
    return checked_answer(choices, question, where)


def _record(item: Item, question: Question, suggest: bool) -> dict[str, Any]:
    note = item.note
    return {
        "id": item.key,
        "fields": shown_texts(item, question),
        "metadata": {
            "article": item.record["id"],
            "criterion": note.get("criterion"),
            "score": note.get("score"),
            "why": note.get("why"),
        },
        "suggestions": {question.name: _suggestion(item, question)} if suggest else {},
        "responses": {},
        "vectors": {},
    }


def _suggestion(item: Item, question: Question) -> dict[str, Any]:
    found = suggested(item, question.labels)
    agent = str(item.note.get("model"))
    if question.task == "stance":
        return {"value": found[0][0], "score": found[0][1], "agent": agent} if found else {}
    none = [choice for choice in question.choices if choice not in question.labels]
    return {
        "value": [label for label, _ in found] or none,
        "score": [p for _, p in found] or None,
        "agent": agent,
    }
