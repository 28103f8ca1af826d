"""More corpora to learn from: their columns and labels are ours, and what is judged is not among them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import ALONE, FamilyConfig, FitContext
from models.registry import family
from stancewire.errors import InputError
from stancewire.examples import StanceExample
from tests.corpora import rows_of, text_of, write_jsonl
from training import rivals
from training.config import RunConfig
from training.config_file import load_config
from training.fit import Trial
from training.fit import fit as plain_fit
from training.prepare import Corpora, Parts, Prepared, other_parts, prepare
from training.record import provenance
from training.resume import fingerprint
from training.yaml import ConfigError


def prepared(folder: Path, task: str, extra: list[dict[str, Any]]) -> Prepared:
    path = write_jsonl(folder / "corpus.jsonl", rows_of(90))
    values: dict[str, Any] = {"task": task, "data": {"path": str(path)}, "model": {"family": "encoder"}}
    values |= {"output": str(folder / "out"), "extra_data": extra}
    return prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)


def others(folder: Path, rows: list[dict[str, Any]]) -> str:
    return str(write_jsonl(folder / "others.jsonl", rows))


def record(number: int, label: str) -> dict[str, Any]:
    sentence = text_of(f"other {number}", 1)
    return {"Tweet": sentence, "id": f"t{number}", "Target": "the deal", "Stance": label}


COLUMNS = {"sentence": "Tweet", "target": "Target", "label": "Stance"}


def test_labels_of_others_become_ours_or_are_left_out(tmp_path: Path) -> None:
    rows = [record(number, ("FAVOR", "AGAINST", "NONE")[number % 3]) for number in range(9)]
    one = {
        "path": others(tmp_path, rows),
        "columns": COLUMNS,
        "label_map": {"FAVOR": "favor", "AGAINST": "against"},
        "leave_out": ["NONE"],
        "weight": 0.5,
    }
    ready = prepared(tmp_path, "stance", [one])
    (extra,) = ready.parts.extra
    labels = [extra.rows.labels[column] for column in extra.rows.truth.argmax(axis=1)]
    assert labels == ["favor", "against"] * 3
    assert extra.rows.labels == ready.parts.train.labels
    assert (extra.weight, extra.left_out) == (0.5, 0)
    ((given, weight),) = ready.parts.around(ALONE).extra
    assert (given is extra.rows, weight) == (True, 0.5)
    told = provenance(ready)["extra_data"]
    assert told == [extra.to_dict()]
    assert json.dumps(told)


def test_a_label_that_nobody_maps_is_refused(tmp_path: Path) -> None:
    one = {"path": others(tmp_path, [record(1, "FAVOR")]), "columns": COLUMNS}
    with pytest.raises(InputError, match="FAVOR"):
        prepared(tmp_path, "stance", [one])


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_what_dev_and_test_ask_is_not_learned(tmp_path: Path, task: str) -> None:
    plain = prepared(tmp_path, task, [])
    again = [row | {"id": f"again {row['id']}"} for row in rows_of(90)]
    new = [
        row | {"id": f"new {n}", "text": text_of(f"new {n}"), "stances": []}
        for n, row in enumerate(again[:5])
    ]
    if task == "stance":
        for number, row in enumerate(new):
            sentence = text_of(f"new {number}").split(". ")[0] + "."
            row["stances"] = [
                {"sentence": sentence, "target": "a deal", "label": "favor", "target_topic": None}
            ]
    ready = prepared(tmp_path, task, [{"path": others(tmp_path, [*again, *new])}])
    (extra,) = ready.parts.extra
    judged = len(plain.parts.dev) + len(plain.parts.test)
    assert extra.left_out >= judged
    assert len(extra.rows) == len(plain.parts.train) + judged + 5 - extra.left_out

    def asked(rows: Any) -> set[str]:  # noqa: ANN401
        return {getattr(example, "sentence", None) or example.text for example in rows.examples}

    assert not asked(extra.rows) & (asked(plain.parts.dev) | asked(plain.parts.test))
    for part in ("train", "dev", "test"):
        assert np.array_equal(getattr(ready.parts, part).truth, getattr(plain.parts, part).truth)


def test_a_sentence_of_test_in_another_article_is_not_learned(tmp_path: Path) -> None:
    plain = prepared(tmp_path, "stance", [])
    sentence = plain.parts.test.examples[0].sentence  # type: ignore[union-attr]
    rows = [record(1, "favor"), record(2, "favor") | {"Tweet": sentence.upper()}]
    one = {"path": others(tmp_path, rows), "columns": COLUMNS}
    (extra,) = prepared(tmp_path, "stance", [one]).parts.extra
    assert (len(extra.rows), extra.left_out) == (1, 1)


def test_a_corpus_of_nothing_new_is_refused(tmp_path: Path) -> None:
    plain = prepared(tmp_path, "topics", [])
    texts = {example.text for example in plain.parts.test.examples}  # type: ignore[union-attr]
    rows = [row for row in rows_of(90) if row["text"] in texts]
    with pytest.raises(InputError, match="found none but what dev or test ask about"):
        prepared(tmp_path, "topics", [{"path": others(tmp_path, rows)}])


def test_a_run_with_other_rows_is_another_run(tmp_path: Path) -> None:
    path = others(tmp_path, [record(1, "favor"), record(2, "against")])
    one = {"path": path, "columns": COLUMNS}
    seen = {
        fingerprint(prepared(tmp_path, "stance", extra)) for extra in ([], [one], [one | {"weight": 2.0}])
    }
    write_jsonl(Path(path), [record(1, "favor"), record(3, "against")])
    seen.add(fingerprint(prepared(tmp_path, "stance", [one])))
    assert len(seen) == 4


def test_a_family_that_takes_no_extra_rows_says_so(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    section = "extra_data:\n  - path: more.csv\nmodel:\n  family: fewshot\n"
    file.write_text(f"task: stance\n{section}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "wanted a family that learns from extra_data, got 'fewshot'" in str(caught.value)


def dated(number: int, **changes: object) -> dict[str, Any]:
    text = text_of(f"dated {number}")
    stance = {"sentence": text.split(". ")[0] + ".", "target": f"the deal {number}", "label": "favor"}
    return {"id": f"d{number}", "text": text, "topics": [], "stances": [stance]} | changes


def split_by(folder: Path, task: str, split: dict[str, Any], rows: list[dict[str, Any]]) -> Prepared:
    """Prepare a run of 90 rows on a split of its own, with other rows beside."""
    path = write_jsonl(folder / "corpus.jsonl", rows_of(90))
    values: dict[str, Any] = {"task": task, "data": {"path": str(path)}, "split": split}
    values["extra_data"] = [{"path": others(folder, rows)}]
    return prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_the_outlets_of_test_are_not_learned_from(tmp_path: Path, task: str) -> None:
    outlets = sorted({row["outlet"] for row in rows_of(90)})
    rows = [dated(number, outlet=(*outlets, None)[number % (len(outlets) + 1)]) for number in range(12)]
    ready = split_by(tmp_path, task, {"by": "outlet", "outlets": outlets[:1]}, rows)
    (extra,) = ready.parts.extra
    held = sum(row["outlet"] == outlets[0] for row in rows)
    assert (extra.left_out, len(extra.rows)) == (held, len(rows) - held)


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_nothing_of_the_days_of_dev_and_test_is_learned_from(tmp_path: Path, task: str) -> None:
    days = sorted(row["date"] for row in rows_of(90))
    cut = {"dev_from": days[50], "test_from": days[70]}
    rows = [dated(1, date=days[0]), dated(2, date=days[50]), dated(3, date=days[-1]), dated(4, date=None)]
    (extra,) = split_by(tmp_path, task, {"by": "time", **cut}, rows).parts.extra
    assert (extra.left_out, len(extra.rows)) == (2, 2)


def test_the_targets_of_test_are_not_learned_from(tmp_path: Path) -> None:
    plain = split_by(tmp_path, "stance", {"by": "target"}, [dated(0)])
    first = plain.parts.test.examples[0]
    assert isinstance(first, StanceExample)
    target = first.target
    rows = [dated(1), dated(2)]
    rows[1]["stances"][0]["target"] = f"The {target.upper()}"
    (extra,) = split_by(tmp_path, "stance", {"by": "target"}, rows).parts.extra
    assert (extra.left_out, len(extra.rows)) == (1, 1)


def test_sentences_of_other_corpora_teach_by_their_weight(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "corpus.jsonl", rows_of(90))
    values: dict[str, Any] = {"task": "topics", "data": {"path": str(path), "sentences": 3.0}}
    values["extra_data"] = [{"path": others(tmp_path, [dated(1), dated(2)]), "weight": 0.5}]
    parts = prepare(RunConfig.model_validate(values), Corpora(), lambda step: None).parts
    (extra,) = parts.extra
    assert extra.sentences is not None
    sentences, weight = extra.sentences
    assert weight * len(sentences) == pytest.approx(3.0 * 0.5 * len(extra.rows))
    assert parts.around(ALONE).extra == (parts.sentences, (extra.rows, 0.5), extra.sentences)
    assert extra.to_dict()["sentences"] == len(sentences)
    linear = family("linear").Config(family="linear")
    assert parts.for_model(linear).around(ALONE).extra == ((extra.rows, 0.5),)
    assert parts.around(ALONE).plain == ((extra.rows, 0.5),)


def test_the_bundled_corpus_alone_has_more_to_learn_from() -> None:
    def extra(**values: object) -> list[str]:
        return [one.path for one in RunConfig.model_validate({"task": "stance", **values}).extra]

    beside = ["data/briefs.jsonl", "data/briefs-2.jsonl", "data/briefs-3.jsonl"]
    assert extra() == extra(model={"family": "encoder", "target_blind": True}) == beside
    contrasts = [*beside, "data/contrasts.jsonl"]
    assert extra(model={"family": "encoder"}) == extra(task="topics") == contrasts
    assert extra(data={"path": "mine.csv"}) == extra(model={"family": "fewshot"}) == []
    assert extra(extra_data=[]) == extra(split={"shots": 4}) == []
    assert extra(extra_data=[{"path": "mine.csv"}]) == ["mine.csv"]


def test_a_corpus_is_read_once_for_all_configs_and_splits_and_told(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "corpus.jsonl", rows_of(90))
    more = others(tmp_path, [row | {"id": f"more {row['id']}"} for row in rows_of(130)[90:]])
    values: dict[str, Any] = {"data": {"path": str(path)}, "extra_data": [{"path": more}]}
    configs = [RunConfig.model_validate(values | {"task": task}) for task in ("topics", "stance")]
    corpora, told = Corpora(), list[str]()
    ready = [prepare(config, corpora, told.append) for config in configs]
    assert told.count(f"reading {more}") == 2
    Path(more).unlink()
    ready += [prepare(config, corpora, told.append) for config in configs]
    assert {id(one.more[0]) for one in ready} == {id(ready[0].more[0])}
    parts = other_parts(ready[0], "random")
    assert parts is not None
    assert len(parts.extra[0].rows) == 40


def test_a_copy_of_a_copy_of_what_is_judged_is_not_learned(tmp_path: Path) -> None:
    """One text may stand in train and in test, as when rows are split at random: its copies are of both."""
    rows = rows_of(90)
    twins = [row | {"id": f"{row['id']} again", "event": f"twin {row['id']}"} for row in rows]
    path = write_jsonl(tmp_path / "corpus.jsonl", [*rows, *twins])
    more = others(tmp_path, [row | {"id": f"more {row['id']}"} for row in rows] + rows_of(95)[90:])
    values = {"task": "topics", "data": {"path": str(path)}, "extra_data": [{"path": more}]}
    ready = prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)
    parts = other_parts(ready, "random")
    assert parts is not None
    (extra,) = parts.extra
    judged = (*parts.dev.examples, *parts.test.examples)
    texts = [getattr(example, "text", "") for example in judged]
    assert all(getattr(example, "text", "") not in texts for example in extra.rows.examples)
    assert any(getattr(example, "text", "") in texts for example in parts.train.examples)


def test_contrasts_teach_what_heeds_targets_alone(tmp_path: Path) -> None:
    rows = [record(number, ("favor", "against")[number % 2]) for number in range(8)]
    one = {"path": others(tmp_path, rows), "columns": COLUMNS, "contrasts": True}
    parts = prepared(tmp_path, "stance", [one, one | {"contrasts": False, "weight": 0.5}]).parts
    assert [weight for _, weight in parts.around(ALONE).extra] == [1.0, 0.5]
    encoder = family("encoder").Config(family="encoder")
    blind = encoder.model_copy(update={"target_blind": True})
    assert [weight for _, weight in parts.for_model(blind).around(ALONE).extra] == [0.5]
    assert [weight for _, weight in parts.around(ALONE).plain] == [0.5]
    assert parts.for_model(encoder) is parts


def test_the_target_blind_model_and_the_linear_one_learn_from_no_contrasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [record(number, ("favor", "against", "neutral")[number % 3]) for number in range(9)]
    one = {"path": others(tmp_path, rows), "columns": COLUMNS, "contrasts": True}
    ready = prepared(tmp_path, "stance", [one])
    learned: list[tuple[str, bool, int]] = []

    def fit(
        config: RunConfig, model: FamilyConfig, parts: Parts, context: FitContext = ALONE, **more: object
    ) -> Trial:
        assert not more.get("learned")
        learned.append((model.family, model.target_blind, len(parts.around(context).extra)))
        linear = family("linear").Config.model_validate({"family": "linear", "regularisation": [1.0]})
        return plain_fit(config, linear, replace(parts, extra=()))

    monkeypatch.setattr(rivals, "fit", fit)
    trial = plain_fit(ready.config, family("linear").Config(family="linear"), replace(ready.parts, extra=()))
    rivals.evaluations_of(ready.config, trial, ready.parts, lambda name: ALONE)
    assert learned == [("encoder", True, 0), ("linear", False, 0)]


def test_a_corpus_that_another_split_holds_out_whole_is_left_out_there(tmp_path: Path) -> None:
    rows = [row | {"outlet": ("wire", "daily", "daily")[int(row["event"][1:]) % 3]} for row in rows_of(90)]
    more = [row | {"outlet": "wire"} for row in rows_of(110)[90:]]
    values: dict[str, Any] = {
        "task": "topics",
        "data": {"path": str(write_jsonl(tmp_path / "corpus.jsonl", rows))},
        "extra_data": [{"path": others(tmp_path, more)}],
        "evaluation": {"outlet_split": ["wire"]},
    }
    ready = prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)
    parts = other_parts(ready, "outlet")
    assert len(ready.parts.extra) == 1
    assert parts is not None
    assert parts.extra == ()
    by_outlet = values | {"split": {"by": "outlet", "outlets": ["wire"]}}
    with pytest.raises(InputError, match="the split holds out; leave it out"):
        prepare(RunConfig.model_validate(by_outlet), Corpora(), lambda step: None)


def test_the_bundled_corpus_can_be_split_by_outlet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[3])
    values = {"task": "stance", "split": {"by": "outlet", "outlets": ["official"]}}
    ready = prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)
    assert [one.source for one in ready.parts.extra] == ["data/briefs.jsonl", "data/briefs-3.jsonl"]
