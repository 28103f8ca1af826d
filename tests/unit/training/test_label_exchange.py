"""Out to labelling tools and back: what people agree on is a corpus that training takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.corpora import write_jsonl
from tests.integration.conftest import ROOT
from tests.label_cases import pool_of, stance_of, topics_of
from tests.small_models import CODEBOOK, small_artefact
from training.config_file import validate
from training.data.check import main as check
from training.fit import fit
from training.labelling.command import main
from training.labelling.items import read_queue
from training.labelling.label_studio import interface
from training.labelling.question import question_of
from training.prepare import Corpora, prepare

TASKS = ("topics", "stance")
Label = Callable[[dict[str, Any]], list[str]]


def truth(row: dict[str, Any]) -> list[str]:
    """What a good annotator chooses of a queue's line."""
    if "sentence" in row:
        return [stance_of(row["sentence"])]
    return topics_of(int(row["id"][1:])) or ["none"]


@pytest.fixture(scope="module")
def queues(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One queue for each task."""
    folder = tmp_path_factory.mktemp("queues")
    pool = str(pool_of(folder, 80))
    for task in TASKS:
        model = str(small_artefact(folder, task).path)
        more = [] if task == "topics" else ["--target", "the embargo", "--per-article", "9"]
        arguments = [pool, "--model", model, "--n", "400", "--output", str(folder / f"{task}.jsonl")]
        assert main([*arguments, *more, "--uncertain", "1", "--rare", "0", "--diverse", "0"]) == 0
    # Three sentences of each article say a stance; the others have no verb that does.
    keep = [line for line in lines(folder / "stance.jsonl") if "the embargo" in line["sentence"]]
    write_jsonl(folder / "stance.jsonl", keep)
    return {task: folder / f"{task}.jsonl" for task in TASKS}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def exported(queue: Path, tool: str, folder: Path, *more: str) -> Path:
    assert main(["export", str(queue), "--format", tool, "--output", str(folder / tool), *more]) == 0
    return folder / tool


def annotated(tool: str, folder: Path, queue: Path, label: Label = truth) -> list[dict[str, Any]]:
    """What the tool would export once somebody answered everything."""
    by_key = {row["queue"]["key"]: row for row in lines(queue)}
    name = "stance" if "sentence" in next(iter(by_key.values())) else "topics"
    if tool == "label-studio":
        tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_text("utf-8"))
        for number, task in enumerate(tasks, 1):
            value = {"choices": label(by_key[task["data"]["key"]])}
            result = {"id": "a", "from_name": name, "to_name": "text", "type": "choices", "value": value}
            task |= {"id": number, "annotations": [{"result": [result], "was_cancelled": False}]}
        return tasks
    records: list[dict[str, Any]] = json.loads((folder / "records.json").read_text("utf-8"))
    for record in records:
        chosen = label(by_key[record["id"]])
        response = {"value": chosen if name == "topics" else chosen[0], "user_id": "u"}
        record["responses"] = {name: [response]}
    return records


def imported(queue: Path, answers: object, tool: str, folder: Path) -> tuple[int, Path]:
    file, output = folder / "answers.json", folder / "labelled.jsonl"
    file.write_text(json.dumps(answers), encoding="utf-8")
    return main(["import", str(queue), str(file), "--format", tool, "--output", str(output)]), output


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("tool", ["label-studio", "argilla"])
def test_round_trip(task: str, tool: str, queues: dict[str, Path], tmp_path: Path) -> None:
    folder = exported(queues[task], tool, tmp_path)
    code, output = imported(queues[task], annotated(tool, folder, queues[task]), tool, tmp_path)
    assert code == 0
    assert check(["check", str(output)]) == 0
    found = lines(output)
    assert len(found) == len(lines(queues[task]))
    for row in found:
        held = [row["label"]] if task == "stance" else row["topics"] or ["none"]
        assert sorted(held) == sorted(truth(row))


@pytest.mark.parametrize("task", TASKS)
def test_training_takes_what_came_back(task: str, queues: dict[str, Path], tmp_path: Path) -> None:
    filled = [
        row | ({"label": truth(row)[0]} if task == "stance" else {"topics": topics_of(int(row["id"][1:]))})
        for row in lines(queues[task])
    ]
    file = write_jsonl(tmp_path / "filled.jsonl", [*filled[:-1], lines(queues[task])[-1]])
    output = tmp_path / "labelled.jsonl"
    assert main(["import", str(file), str(file), "--format", "jsonl", "--output", str(output)]) == 0
    assert len(lines(output)) == len(filled) - 1
    settings: dict[str, Any] = {
        "task": task,
        "data": {"path": str(output), "codebook": str(ROOT / "data/codebook.yaml")},
        "model": {"regularisation": [3.0]},
    }
    prepared = prepare(validate(settings, {}, "a test"), Corpora(), lambda step: None)
    trial = fit(prepared.config, prepared.config.model, prepared.parts)
    assert len(trial.probabilities) == len(prepared.parts.test)


def test_unanswered_skipped_and_disputed_are_left_out(
    queues: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = queues["topics"]
    tasks = annotated("label-studio", exported(queue, "label-studio", tmp_path), queue)
    tasks[0]["annotations"][0]["was_cancelled"] = True
    tasks[1]["annotations"] = []
    other = json.loads(json.dumps(tasks[2]["annotations"][0]))
    other["result"][0]["value"]["choices"] = ["none"] if truth(lines(queue)[2]) != ["none"] else ["sanctions"]
    tasks[2]["annotations"].append(other)
    tasks[3]["annotations"] *= 2
    code, output = imported(queue, tasks[:4], "label-studio", tmp_path)
    assert code == 0
    assert [row["id"] for row in lines(output)] == [tasks[3]["data"]["article"]]
    told = capsys.readouterr().out
    assert f"{len(lines(queue)) - 2} not answered" in told
    assert tasks[2]["data"]["article"] in told


def test_argilla_takes_submitted_responses_alone(queues: dict[str, Path], tmp_path: Path) -> None:
    queue = queues["stance"]
    records = annotated("argilla", exported(queue, "argilla", tmp_path), queue)[:3]
    records[0]["responses"]["stance"][0]["status"] = "discarded"
    records[1]["responses"]["stance"][0]["status"] = "submitted"
    records[2]["responses"] = None  # how to_list fills what a record lacks
    code, output = imported(queue, records, "argilla", tmp_path)
    assert code == 0
    assert [row["queue"]["key"] for row in lines(output)] == [records[1]["id"]]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda task: task["data"].pop("key"), "JSON_MIN"),
        (lambda task: task["data"].update(key="0"), "no question"),
        (lambda task: task["annotations"][0]["result"][0]["value"].update(choices=["weapons"]), "'weapons'"),
        (lambda task: task["annotations"][0]["result"][0].update(value={}), "a list of choices"),
        (lambda task: task["annotations"][0].pop("result"), "'result'"),
        (
            lambda task: task["annotations"][0]["result"][0]["value"].update(choices=["none", "sanctions"]),
            "found both",
        ),
        (lambda task: task.update(annotations=[]), "none of"),
    ],
)
def test_wrong_answers_are_one_error(
    spoil: Callable[[dict[str, Any]], object],
    says: str,
    queues: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    queue = queues["topics"]
    tasks = annotated("label-studio", exported(queue, "label-studio", tmp_path), queue)[:1]
    spoil(tasks[0])
    code, output = imported(queue, tasks, "label-studio", tmp_path)
    assert code == 2
    assert says in capsys.readouterr().err
    assert not output.exists()


def test_the_interface_is_xml_with_every_choice() -> None:
    for task in ("topics", "stance"):
        question = question_of("topics" if task == "topics" else "stance", CODEBOOK)
        root = ElementTree.fromstring(interface(question))  # noqa: S314 - our own
        choices = root.find("Choices")
        assert choices is not None
        assert [choice.get("value") for choice in choices] == list(question.choices)
        names = {text.get("name"): text.get("value") for text in root.findall("Text")}
        assert names == {name: f"${name}" for name, _ in question.shows}
        assert choices.get("toName") in names


@pytest.mark.parametrize("task", TASKS)
def test_suggestions_only_on_request(task: str, queues: dict[str, Path], tmp_path: Path) -> None:
    plain = exported(queues[task], "argilla", tmp_path)
    (tmp_path / "more").mkdir()
    studio = exported(queues[task], "label-studio", tmp_path / "more", "--suggest")
    records = json.loads((plain / "records.json").read_text("utf-8"))
    assert all(record["suggestions"] == {} for record in records)
    item = read_queue(str(queues[task]))[0]
    tasks = json.loads((studio / "tasks.json").read_text("utf-8"))
    choices = tasks[0]["predictions"][0]["result"][0]["value"]["choices"]
    told = item.note["probabilities"]
    if task == "stance":
        assert choices == [max(told, key=told.get)]
    else:
        assert sorted(choices) == sorted([label for label, p in told.items() if p >= 0.5] or ["none"])


def test_a_changed_question_is_refused(
    queues: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = lines(queues["topics"])[0] | {"topics": []}
    for changed, says in (({"text": "Other words."}, "was changed"), ({"queue": None}, "its key")):
        file = write_jsonl(tmp_path / "changed.jsonl", [row | changed])
        arguments = ["import", str(file), str(file), "--format", "jsonl"]
        assert main([*arguments, "--output", str(tmp_path / "out.jsonl")]) == 2
        assert says in capsys.readouterr().err


def test_labels_that_training_would_refuse_are_not_written(
    queues: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = lines(queues["topics"])[0] | {"topics": ["Sanctions"]}
    file = write_jsonl(tmp_path / "filled.jsonl", [row])
    output = tmp_path / "out.jsonl"
    assert main(["import", str(file), str(file), "--format", "jsonl", "--output", str(output)]) == 2
    assert "did you mean sanctions" in capsys.readouterr().err
    assert not output.exists()
