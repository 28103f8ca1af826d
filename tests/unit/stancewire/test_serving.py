"""The pyfunc model without a server: columns, rows, answers, and MLflow's own loading."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, load_model

from stancewire.errors import ArtefactError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import (
    StancePrediction,
    StancePredictor,
    TopicsPrediction,
    TopicsPredictor,
    load,
)
from stancewire.reading import Reader
from stancewire.serving import ServedModel, signature
from stancewire.serving.model import ServedReader, ServedStance, ServedTopics, served_from
from stancewire.serving.pyfunc import save_pyfunc
from stancewire.serving.reader_folder import write_reader_folder
from stancewire.serving.schema import DEFAULTS, INPUT_COLUMNS, OUTPUT_COLUMNS
from tests.fake_models import fake_stance, fake_topics
from tests.small_models import small_artefact

TEXTS = ["The envoys met for talks.", "An embargo on shells.", "The weather was fine, 😀 said they."]


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_artefact(tmp_path_factory.mktemp("topics"), "topics").path


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_artefact(tmp_path_factory.mktemp("stance"), "stance").path


@pytest.fixture(scope="module")
def reader(topics: Path, stance: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reader_folder(tmp_path_factory.mktemp("reader") / "reader", topics, stance)


def served(artefact: Path) -> ServedModel:
    return served_from(artefact)


def as_pyfunc(artefact: Path, folder: Path) -> PyFuncModel:
    """Save as an MLflow model and load it back."""
    return load_model(str(save_pyfunc(artefact, folder)))


def predicted(model: PyFuncModel, frame: pd.DataFrame) -> pd.DataFrame:
    answer = model.predict(frame)
    assert isinstance(answer, pd.DataFrame)
    return answer


def stances(artefact: Path) -> StancePredictor:
    predictor = load(artefact)
    assert isinstance(predictor, StancePredictor)
    return predictor


def flat(predictions: Sequence[TopicsPrediction | StancePrediction]) -> list[float]:
    return [score.probability for prediction in predictions for score in prediction.scores]


def test_topics_rows_are_long_form_and_equal_the_predictor(topics: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "b", "c"], "title": ["A", "", None], "text": TEXTS})
    answer = served(topics).predict(frame)
    assert list(answer.columns) == list(OUTPUT_COLUMNS["topics"])
    assert answer["id"].tolist() == ["007"] * 3 + ["b"] * 3 + ["c"] * 3
    assert answer["label"].tolist() == ["arms_trade", "diplomacy", "sanctions"] * 3
    articles = [Article(text=text, title=title) for text, title in zip(TEXTS, ("A", "", ""), strict=True)]
    predictor = load(topics)
    assert isinstance(predictor, TopicsPredictor)
    wanted = predictor.predict(articles)
    assert answer["probability"].tolist() == flat(wanted)
    assert answer["decision"].tolist() == [score.decision for p in wanted for score in p.scores]
    assert answer["threshold"].tolist() == [0.4, 0.5, 0.6] * 3
    assert set(answer["model"]) == {f"small-topics@{load(topics).artefact.digest[:12]}"}
    assert set(answer["codebook"]) == {"stancewire-security-news@1.0"}


def test_every_stance_column_reaches_the_model(stance: Path, tmp_path: Path) -> None:
    row = {"sentence": "He welcomed it.", "target": "the embargo", "holder": "He", "context": "An embargo."}
    answer = served(stance).predict(pd.DataFrame([row]))
    example = StanceExample(
        sentence="He welcomed it.", target="the embargo", holder="He", context="An embargo."
    )
    assert answer["probability"].tolist() == flat(stances(stance).predict([example]))
    seen: list[StanceExample] = []

    def answer_and_keep(asked: StanceExample) -> tuple[float, ...]:
        seen.append(asked)
        return (0.25,) * 4

    model = ServedStance(fake_stance(tmp_path, answer_and_keep))
    model.predict(pd.DataFrame([row]))
    assert seen == [example]


def test_text_and_title_reach_the_model(tmp_path: Path) -> None:
    seen: list[Article] = []

    def answer_and_keep(asked: Article) -> tuple[float, ...]:
        seen.append(asked)
        return (0.1, 0.2, 0.3)

    model = ServedTopics(fake_topics(tmp_path, answer_and_keep))
    model.predict(pd.DataFrame({"text": ["a", "b"], "title": ["A", None], "id": ["1", "2"]}))
    assert seen == [Article(text="a", title="A", id="1"), Article(text="b", id="2")]


def test_columns_may_come_in_any_order_with_others_between(topics: Path) -> None:
    model = served(topics)
    plain = model.predict(pd.DataFrame({"text": TEXTS[:1], "title": ["x"]}))
    columns = {"outlet": ["wire"], "title": ["x"], "date": [pd.NaT], "text": TEXTS[:1]}
    odd = model.predict(pd.DataFrame(columns))
    assert plain.equals(odd)


def test_rows_without_an_id_get_their_number(topics: Path) -> None:
    model = served(topics)
    assert model.predict(pd.DataFrame({"text": TEXTS}))["id"].tolist()[::3] == ["0", "1", "2"]
    some = pd.DataFrame({"text": TEXTS, "id": ["x", None, float("nan")]}, index=[5, 5, 5])
    assert model.predict(some)["id"].tolist()[::3] == ["x", "1", "2"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_missing_text_is_refused_and_a_missing_title_is_none(topics: Path, missing: object) -> None:
    model = served(topics)
    frame = pd.DataFrame({"text": ["fine", missing], "title": ["x", "y"]}, dtype=object)
    with pytest.raises(MlflowException, match="row 1: 'text' is missing; the columns are text, title"):
        model.predict(frame)
    frame = pd.DataFrame({"text": ["fine"], "title": [missing]}, dtype=object)
    assert model.predict(frame).equals(model.predict(pd.DataFrame({"text": ["fine"]})))


@pytest.mark.parametrize("value", [7, 7.5, True, ["x"], {"a": 1}, b"x", np.array(["x"])])
@pytest.mark.parametrize("column", ["text", "title", "id"])
def test_what_is_no_text_is_refused(topics: Path, column: str, value: object) -> None:
    row = {"text": "fine", "title": "x", "id": "1"} | {column: value}
    with pytest.raises(MlflowException, match=f"row 0: expected '{column}' to be a text, found") as caught:
        served(topics).predict(pd.DataFrame([row], dtype=object))
    assert caught.value.error_code == "BAD_REQUEST"


def test_numpy_texts_are_texts(topics: Path) -> None:
    frame = pd.DataFrame({"text": np.array(TEXTS), "id": list(np.array(["a", "b", "c"]))})
    answer = served(topics).predict(frame)
    assert answer["id"].tolist()[::3] == ["a", "b", "c"]
    assert all(type(value) is str for value in answer["id"])


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\x00"])
def test_a_text_without_a_readable_character_is_refused(topics: Path, text: str) -> None:
    with pytest.raises(MlflowException, match="row 1: ") as caught:
        served(topics).predict(pd.DataFrame({"text": ["fine", text]}))
    assert caught.value.error_code == "BAD_REQUEST"


def test_a_column_that_is_not_there_and_params_are_refused(topics: Path, stance: Path) -> None:
    with pytest.raises(MlflowException, match="expected a column 'text'; the columns are text, title"):
        served(topics).predict(pd.DataFrame({"headline": ["x"]}))
    with pytest.raises(MlflowException, match="expected a column 'target'"):
        served(stance).predict(pd.DataFrame({"sentence": ["x"]}))
    told = r"params: unknown 'threshold' \(did you mean 'thresholds'\?\); the model takes thresholds, ev"
    with pytest.raises(MlflowException, match=told):
        served(topics).predict(pd.DataFrame({"text": ["x"]}), {"threshold": 0.3})
    assert len(served(topics).predict(pd.DataFrame({"text": ["x"]}), {})) == 3


def test_no_rows_are_no_rows(topics: Path) -> None:
    answer = served(topics).predict(pd.DataFrame({"text": []}))
    assert len(answer) == 0
    assert list(answer.columns) == list(OUTPUT_COLUMNS["topics"])


def test_a_message_holds_no_text_of_the_rows(topics: Path) -> None:
    with pytest.raises(MlflowException) as caught:
        served(topics).predict(pd.DataFrame({"text": ["SECRET", None], "title": ["SECRET", "SECRET"]}))
    assert "SECRET" not in str(caught.value)


def test_signatures_name_every_column_type_and_param() -> None:
    for task, columns in INPUT_COLUMNS.items():
        found = signature(task).to_dict()
        for name, need in columns.items():
            assert f'"name": "{name}", "required": {str(need).lower()}' in found["inputs"]
        assert found["inputs"].count('"type": "string"') == len(columns)
        assert '{"type": "double", "name": "probability", "required": false}' in found["outputs"]
        params = {param["name"]: param["default"] for param in json.loads(found["params"])}
        assert params == DEFAULTS[task]


@pytest.mark.parametrize("task", ["topics", "stance", "reader"])
def test_mlflow_saves_and_loads_it(
    tmp_path: Path, topics: Path, stance: Path, reader: Path, task: str
) -> None:
    artefact = {"topics": topics, "stance": stance, "reader": reader}[task]
    stance_row = {"sentence": "He welcomed the talks.", "target": "the talks"}
    row = stance_row if task == "stance" else {"text": TEXTS[0]}
    answer = predicted(as_pyfunc(artefact, tmp_path / "model"), pd.DataFrame([row]))
    assert answer.equals(served(artefact).predict(pd.DataFrame([row])))
    assert signature(task).outputs.input_names() == list(answer.columns)


def test_models_in_one_process_each_answer_for_themselves(tmp_path: Path, topics: Path, stance: Path) -> None:
    other = small_artefact(tmp_path, "topics", "another")
    models = [as_pyfunc(path, tmp_path / f"m{i}") for i, path in enumerate((topics, stance, other.path))]
    said = [
        predicted(models[0], pd.DataFrame({"text": TEXTS[:1]})),
        predicted(models[1], pd.DataFrame({"sentence": TEXTS[:1], "target": ["talks"]})),
        predicted(models[2], pd.DataFrame({"text": TEXTS[:1]})),
    ]
    assert [len(answer) for answer in said] == [3, 4, 3]
    names = [answer["model"][0].split("@")[0] for answer in said]
    assert names == ["small-topics", "small-stance", "another"]


def test_threads_get_their_own_rows(topics: Path) -> None:
    model = served(topics)
    texts = [f"Talks number {i} about shells and an embargo{' of assets' * (i % 5)}." for i in range(80)]
    alone = [model.predict(pd.DataFrame({"text": [text], "id": [str(i)]})) for i, text in enumerate(texts)]
    with ThreadPoolExecutor(8) as pool:
        frames = [pd.DataFrame({"text": [text], "id": [str(i)]}) for i, text in enumerate(texts)]
        together = list(pool.map(model.predict, frames))
    assert all(one.equals(other) for one, other in zip(alone, together, strict=True))


def test_a_runtime_that_answers_no_probability_is_told(tmp_path: Path) -> None:
    model = ServedTopics(fake_topics(tmp_path, lambda article: (float("nan"), 0.1, 0.2)))
    with pytest.raises(MlflowException, match="no probabilities"):
        model.predict(pd.DataFrame({"text": ["x"]}))


ARTICLE = (
    "The minister welcomed the embargo. The envoys described the embargo.\n\nThe minister condemned the "
    "talks. The minister praised the embargo."
)


def ask(model: ServedModel, text: str = ARTICLE, **params: object) -> list[dict[str, Any]]:
    rows = model.predict(pd.DataFrame({"text": [text]}), params).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def test_thresholds_of_a_call_decide_and_leave_the_model_as_it_was(topics: Path) -> None:
    model = served(topics)
    before = ask(model)
    for thresholds in ('{"sanctions": 1e-9, "diplomacy": 1}', {"sanctions": 1e-9, "diplomacy": 1}):
        changed = {row["label"]: row for row in ask(model, thresholds=thresholds)}
        assert changed["sanctions"]["decision"] is True
        assert changed["diplomacy"]["decision"] is False
        assert [row["threshold"] for row in changed.values()] == [0.4, 1.0, 1e-9]
        assert changed["arms_trade"] == before[0]
    assert ask(model) == before
    assert ask(model, thresholds="{}") == before


def test_thresholds_of_stance_choose_the_other_label(stance: Path) -> None:
    frame = pd.DataFrame({"sentence": ["The minister welcomed the embargo."], "target": ["the embargo"]})
    model = served(stance)

    def decided(**params: object) -> list[str]:
        answer = model.predict(frame, params)
        return answer.loc[answer["decision"].astype(bool), "label"].tolist()

    (usual,) = decided()
    other = "against" if usual != "against" else "favor"
    assert decided(thresholds={other: 1e-9}) == [other]
    assert decided() == [usual]


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (
            {"thresholds": {"sanction": 0.5}},
            "unknown label 'sanction' .did you mean 'sanctions'",
        ),
        (
            {"thresholds": {"sanctions": 0}},
            "expected a number above 0 and at most 1, found another",
        ),
        ({"thresholds": {"sanctions": 1.5}}, "found another"),
        ({"thresholds": {"sanctions": True}}, "found a boolean"),
        ({"thresholds": {"sanctions": "0.5"}}, "found a text"),
        ({"thresholds": '{"sanctions": NaN}'}, "thresholds: NaN is not JSON"),
        ({"thresholds": {"sanctions": float("nan")}}, "thresholds: expected an object of numbers"),
        ({"thresholds": '{"sanctions": 0.1, "sanctions": 0.2}'}, "a key stands twice"),
        ({"thresholds": "[0.5]"}, "expected an object of numbers by label, found a list"),
        ({"thresholds": [0.5]}, "found a list"),
        ({"thresholds": None}, "found null"),
        ({"thresholds": {"a " + "secret " * 9: 0.5}}, "unknown label 1 that is no plain name"),
        ({"evidence": 1}, "evidence: expected true or false, found a number"),
        ({"evidence": "true"}, "evidence: expected true or false, found a text"),
        ({"form": "wide"}, "form: expected 'long' or 'json', found a text"),
        ({"targets": ["the embargo"]}, "unknown 'targets'; the model takes thresholds, evidence, form"),
        ({"secret text of an article": 1}, "unknown 1 that is no plain name"),
    ],
)
def test_bad_params_are_refused_and_not_repeated(topics: Path, params: dict[str, Any], says: str) -> None:
    with pytest.raises(MlflowException, match=says) as caught:
        ask(served(topics), **params)
    assert caught.value.error_code == "BAD_REQUEST"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"targets": "the embargo"}, "targets: expected a list of at most 50 texts, found a text"),
        ({"targets": ["secret"] * 51}, "found 51 of them"),
        ({"targets": ["x", 7]}, r"targets\[1\]: expected a text, found a number"),
        (
            {"targets": ["x", " "]},
            r"targets\[1\]: expected a phrase of 1 to 200 readable .*, found 1",
        ),
        ({"targets": ["secret" * 50]}, "found 300"),
        ({"targets": ["The secret", "the  Secret"]}, r"targets\[1\]: stands there twice"),
        ({"max_sentences": -1}, "max_sentences: expected an integer from 0"),
        ({"max_sentences": True}, "max_sentences: expected an integer from 0 .*found a boolean"),
        ({"max_sentences": 2.0}, "found a number"),
    ],
)
def test_bad_params_of_a_reader_are_refused(reader: Path, params: dict[str, Any], says: str) -> None:
    with pytest.raises(MlflowException, match=says) as caught:
        ask(served(reader), **params)
    assert "secret" not in str(caught.value)


def test_evidence_is_the_sentence_that_alone_speaks_most_for_the_topic(topics: Path) -> None:
    text = "The ministry spoke about the weather.\n\nIt spoke  about an embargo. It spoke about talks."
    plain = ask(served(topics), text)
    lower = {"sanctions": 0.01, "arms_trade": 1}
    rows = {row["label"]: row for row in ask(served(topics), text, evidence=True, thresholds=lower)}
    assert [row["evidence"] for row in plain] == [None] * 3
    assert [row["probability"] for row in plain] == [row["probability"] for row in rows.values()]
    assert rows["sanctions"]["decision"] is True
    assert rows["sanctions"]["evidence"] == "It spoke about an embargo."
    assert text[rows["sanctions"]["start"] : rows["sanctions"]["end"]] == "It spoke  about an embargo."
    alone = ask(served(topics), "It spoke about an embargo.")[2]["probability"]
    assert rows["sanctions"]["evidence_probability"] == alone
    assert rows["arms_trade"]["decision"] is False
    assert rows["arms_trade"]["evidence"] is None


def test_there_is_no_evidence_where_no_sentence_alone_says_anything(topics: Path) -> None:
    (row, *_) = ask(served(topics), "Xyzzy frobnicates.", evidence=True, thresholds={"arms_trade": 1e-9})
    assert row["decision"] is True
    assert row["evidence"] is None
    assert row["warnings"] == "no_known_features"


def test_a_reader_answers_what_the_reader_reads(topics: Path, stance: Path, reader: Path) -> None:
    predictor = load(topics)
    assert isinstance(predictor, TopicsPredictor)
    wanted = Reader(predictor, stances(stance)).read(Article(text=ARTICLE, title="Talks", id="7"))
    frame = pd.DataFrame({"id": ["7"], "title": ["Talks"], "text": [ARTICLE]})
    model = served(reader)
    rows = model.predict(frame).to_dict("records")
    assert all(list(row) == list(OUTPUT_COLUMNS["reader"]) for row in rows)
    told = [(row["label"], row["decision"], row["target"]) for row in rows if row["kind"] == "topic"]
    assert told == [(topic.label, topic.decision, topic.name) for topic in wanted.topics]
    verdicts = [
        (row["target"], row["label"], row["net"], row["favor"], row["against"], row["neutral"])
        for row in rows
        if row["kind"] == "target"
    ]
    assert verdicts == [(t.target, t.verdict, t.net, *map(t.counts.get, SIDES)) for t in wanted.targets]
    said = [row for row in rows if row["kind"] == "sentence"]
    assert len(said) == len(wanted.stances) > 2
    for row, stance_ in zip(said, wanted.stances, strict=True):
        assert (row["target"], row["label"], row["sentence"]) == (
            stance_.target,
            stance_.label,
            stance_.sentence,
        )
        assert (row["start"], row["end"], row["review"]) == (stance_.start, stance_.end, stance_.review)
        assert row["holder"] == (stance_.holder.text if stance_.holder else None)
    deciding = [stance_.sentence for target in wanted.targets for stance_ in target.deciding]
    assert {row["sentence"] for row in said if row["deciding"]} == set(deciding)
    (whole,) = model.predict(frame, {"form": "json"})["json"]
    assert json.loads(whole) == wanted.to_dict()


SIDES = ("favor", "against", "neutral")


def test_a_reader_asks_about_targets_and_tells_as_many_sentences_as_wanted(reader: Path) -> None:
    model = served(reader)
    rows = ask(model, targets=["the embargo", "the talks"])
    asked = [(row["target"], row["topic"]) for row in rows if row["kind"] == "target"]
    assert asked == [("the embargo", None), ("the talks", None)]
    said = [row for row in rows if row["kind"] == "sentence"]
    by_target = [row["target"] for row in said]
    assert max(by_target.count(target) for target in by_target) > 1
    short = ask(model, targets=["the embargo", "the talks"], max_sentences=1)
    kept = [row for row in short if row["kind"] == "sentence"]
    assert len(kept) == len(set(by_target))
    assert all(row["deciding"] for row in kept)
    assert [row for row in short if row["kind"] != "sentence"] == [r for r in rows if r["kind"] != "sentence"]
    none = ask(model, targets=["the embargo"], evidence=False)
    assert {row["kind"] for row in none} == {"topic", "target"}


def test_a_readers_thresholds_reach_both_models(reader: Path) -> None:
    rows = ask(served(reader), thresholds={"arms_trade": 1e-9, "against": 1e-9})
    topics = {row["label"]: row["decision"] for row in rows if row["kind"] == "topic"}
    assert topics["arms_trade"] is True
    labels = {row["label"] for row in rows if row["kind"] == "sentence"}
    assert labels == {"against"}


def test_a_row_that_a_reader_cannot_read_is_named(reader: Path) -> None:
    with pytest.raises(MlflowException, match=r"^row 1: expected an article's text") as caught:
        served(reader).predict(pd.DataFrame({"text": ["fine", " "]}))
    assert caught.value.error_code == "BAD_REQUEST"


def test_a_model_that_fails_is_not_the_rows_fault(tmp_path: Path, stance: Path) -> None:
    def fail(_: object) -> tuple[float, ...]:
        raise ZeroDivisionError

    codebook = stances(stance).artefact.manifest.codebook
    model = ServedReader(fake_topics(tmp_path, fail, codebook=codebook), stances(stance))
    with pytest.raises(ZeroDivisionError):
        ask(model)


def test_a_row_whose_answer_is_no_probability_is_named(tmp_path: Path, stance: Path) -> None:
    def answer(article: Article) -> tuple[float, ...]:
        return (float("nan") if "odd" in article.text else 0.1,) * 3

    codebook = stances(stance).artefact.manifest.codebook
    model = ServedReader(fake_topics(tmp_path, answer, codebook=codebook), stances(stance))
    with pytest.raises(MlflowException, match=r"^row 1: tiny-topics answered .*no probabilities"):
        model.predict(pd.DataFrame({"text": ["fine", "odd", "fine"]}))


@pytest.mark.parametrize("task", ["topics", "reader"])
def test_the_form_json_has_a_line_a_row(topics: Path, reader: Path, task: str) -> None:
    model = served(topics if task == "topics" else reader)
    frame = pd.DataFrame({"text": TEXTS, "id": ["a", "b", "c"]})
    answer = model.predict(frame, {"form": "json"})
    assert list(answer.columns) == ["json"]
    assert len(answer) == 3
    if task == "topics":
        lines = [line for text in answer["json"] for line in json.loads(text)]
        assert lines == model.predict(frame).to_dict("records")


def test_mlflow_fills_in_what_is_not_given_and_refuses_other_types(tmp_path: Path, reader: Path) -> None:
    model = as_pyfunc(reader, tmp_path / "m")
    frame = pd.DataFrame({"text": [ARTICLE]})
    assert predicted(model, frame).equals(served(reader).predict(frame))
    answer = model.predict(frame, params={"targets": ["the embargo"], "max_sentences": 1})
    assert isinstance(answer, pd.DataFrame)
    assert answer.equals(served(reader).predict(frame, {"targets": ["the embargo"], "max_sentences": 1}))
    with pytest.raises(MlflowException, match="Invalid parameters"):
        model.predict(frame, params={"targets": "the embargo"})


def test_threads_each_get_their_own_thresholds(reader: Path) -> None:
    model = served(reader)
    calls = [{"thresholds": {"diplomacy": 0.01 + i / 100}, "targets": [f"target {i}"]} for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda params: ask(model, **params), calls))
    for number, rows in enumerate(answers):
        (threshold,) = {row["threshold"] for row in rows if row["label"] == "diplomacy"}
        assert threshold == 0.01 + number / 100
        assert [row["target"] for row in rows if row["kind"] == "target"] == [f"target {number}"]


def test_a_reader_folder_that_was_meddled_with_is_refused(topics: Path, stance: Path, tmp_path: Path) -> None:
    other = small_artefact(tmp_path, "topics", "another")

    def fresh(name: str) -> Path:
        return write_reader_folder(tmp_path / name, topics, stance)

    swapped = fresh("swapped")
    shutil.rmtree(swapped / "topics")
    shutil.copytree(other.path, swapped / "topics")
    with pytest.raises(ArtefactError, match=r"expected the topics model .*get an intact copy of the reader"):
        served_from(swapped)
    extra = fresh("extra")
    (extra / "x.py").write_text("")
    with pytest.raises(ArtefactError, match=r"expected a reader's .*'x.py'"):
        served_from(extra)
    for name, content in {"json": "{", "keys": "{}", "version": '{"format_version": 2}'}.items():
        folder = fresh(name)
        (folder / "reader.json").write_text(content)
        with pytest.raises(ArtefactError, match=r"reader\.json"):
            served_from(folder)
    newer = fresh("newer")
    told = (newer / "reader.json").read_text()
    (newer / "reader.json").write_text(told.replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(ArtefactError, match=r"format_version: expected an integer from 1 to 1"):
        served_from(newer)
    with pytest.raises(StancewireError, match="stance"):
        write_reader_folder(tmp_path / "wrong", stance, topics)
    damaged = fresh("damaged")
    (damaged / "stance" / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(ArtefactError, match="weights"):
        served_from(damaged)


def test_who_takes_a_reader_for_an_artefact_is_told(reader: Path) -> None:
    with pytest.raises(ArtefactError, match=r"found a reader of two artefacts; name its topics/ or stance/"):
        load(reader)
    assert load(reader / "stance").task == "stance"


def test_a_served_reader_is_one(reader: Path) -> None:
    model = served(reader)
    assert isinstance(model, ServedReader)
    assert list(model.sources) == ["topics", "stance"]
    assert model.get_raw_model() is model
