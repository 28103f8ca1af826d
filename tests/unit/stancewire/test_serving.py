"""The pyfunc model without a server: columns, rows, answers, and MLflow's own loading."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel, load_model, save_model

from stancewire.examples import Article, StanceExample
from stancewire.predictor import (
    StancePrediction,
    StancePredictor,
    TopicsPrediction,
    TopicsPredictor,
    load,
)
from stancewire.serving import OUTPUT_COLUMNS, STANCE_COLUMNS, TOPICS_COLUMNS, ServedModel, signature
from tests.fake_models import fake_stance, fake_topics
from tests.small_models import small_artefact

TEXTS = ["The envoys met for talks.", "An embargo on shells.", "The weather was fine, 😀 said they."]


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_artefact(tmp_path_factory.mktemp("topics"), "topics").path


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_artefact(tmp_path_factory.mktemp("stance"), "stance").path


def served(artefact: Path) -> ServedModel:
    return ServedModel(load(artefact))


def as_pyfunc(artefact: Path, folder: Path) -> PyFuncModel:
    """Save as an MLflow model and load it back."""
    save_model(
        folder,
        loader_module="stancewire.serving",
        data_path=str(artefact),
        signature=signature(load(artefact).task),
        pip_requirements=["stancewire"],
    )
    return load_model(str(folder))


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
    assert list(answer.columns) == list(OUTPUT_COLUMNS)
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

    model = ServedModel(fake_stance(tmp_path, answer_and_keep))
    model.predict(pd.DataFrame([row]))
    assert seen == [example]


def test_text_and_title_reach_the_model(tmp_path: Path) -> None:
    seen: list[Article] = []

    def answer_and_keep(asked: Article) -> tuple[float, ...]:
        seen.append(asked)
        return (0.1, 0.2, 0.3)

    model = ServedModel(fake_topics(tmp_path, answer_and_keep))
    model.predict(pd.DataFrame({"text": ["a", "b"], "title": ["A", None], "id": ["1", "2"]}))
    assert seen == [Article(text="a", title="A"), Article(text="b")]


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
    with pytest.raises(MlflowException, match="the model takes no params, found 'threshold'"):
        served(topics).predict(pd.DataFrame({"text": ["x"]}), {"threshold": 0.3})
    assert len(served(topics).predict(pd.DataFrame({"text": ["x"]}), {})) == 3


def test_no_rows_are_no_rows(topics: Path) -> None:
    answer = served(topics).predict(pd.DataFrame({"text": []}))
    assert len(answer) == 0
    assert list(answer.columns) == list(OUTPUT_COLUMNS)


def test_a_message_holds_no_text_of_the_rows(topics: Path) -> None:
    with pytest.raises(MlflowException) as caught:
        served(topics).predict(pd.DataFrame({"text": ["SECRET", None], "title": ["SECRET", "SECRET"]}))
    assert "SECRET" not in str(caught.value)


def test_signatures_name_every_column_and_type() -> None:
    for task, columns in (("topics", TOPICS_COLUMNS), ("stance", STANCE_COLUMNS)):
        found = signature(task).to_dict()
        for name, need in columns.items():
            assert f'"name": "{name}", "required": {str(need).lower()}' in found["inputs"]
        assert found["inputs"].count('"type": "string"') == len(columns)
        assert '{"type": "double", "name": "probability", "required": true}' in found["outputs"]
        assert found["params"] is None


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_mlflow_saves_and_loads_it(tmp_path: Path, topics: Path, stance: Path, task: str) -> None:
    artefact = topics if task == "topics" else stance
    stance_row = {"sentence": "He welcomed the talks.", "target": "the talks"}
    row = {"text": TEXTS[0]} if task == "topics" else stance_row
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
    model = ServedModel(fake_topics(tmp_path, lambda article: (float("nan"), 0.1, 0.2)))
    with pytest.raises(MlflowException, match="no probabilities"):
        model.predict(pd.DataFrame({"text": ["x"]}))
