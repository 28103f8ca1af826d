"""Fault 8: hostile requests to MLflow's own handler get a 4xx that tells why and nothing of what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.pyfunc import PyFuncModel, load_model, save_model, scoring_server

from stancewire.serving.guard import Guard, guard_server
from stancewire.serving import signature
from tests.small_models import small_artefact

ARTICLE = "Confidential text of an article about talks"
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
COLUMNS = ("text", "title", "id")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    folder = tmp_path_factory.mktemp("model")
    save_model(
        folder / "model",
        loader_module="stancewire.serving",
        data_path=str(small_artefact(folder, "topics").path),
        signature=signature("topics"),
        pip_requirements=["stancewire"],
    )
    return load_model(str(folder / "model"))


def ask(model: PyFuncModel, body: object, content_type: str | None = JSON) -> tuple[int, str]:
    """Answer as the server would, with the status and the body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    schema = model.metadata.get_input_schema()  # type: ignore[no-untyped-call]
    try:
        answer = scoring_server.invocations(data, content_type, model, schema)  # type: ignore[no-untyped-call]
    except MlflowException as error:
        return (
            error.get_http_status_code(),  # type: ignore[no-untyped-call]
            error.serialize_as_json(),  # type: ignore[no-untyped-call]
        )
    return answer.status, answer.response


def records(*rows: Mapping[str, object]) -> dict[str, object]:
    return {"dataframe_records": list(rows)}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b'{"dataframe_records": [{"text": "' + ARTICLE.encode() + b'"', "not JSON"),
        (b"\xff\xfe" + ARTICLE.encode("utf-16-le"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"dataframe_records":' + b"[" * 500 + b"]" * 500 + b"}", "nested deeper"),
        (b'{"dataframe_records":[{"text":' + b"9" * 5000 + b"}]}", "64 bits"),
        (b'{"dataframe_records":[{"text":NaN}]}', "NaN is not JSON"),
        (b'{"dataframe_records":[{"text":"\\ud800"}]}', "lone surrogate"),
        (b'{"dataframe_records":[{"text":"a","text":"b"}]}', "stands twice"),
        ([records({"text": ARTICLE})], "found a list"),
        ("dataframe_records", "found a text"),
        (None, "found null"),
        ({}, "found none"),
        ({"rows": [ARTICLE]}, "found 'rows'"),
        (records({"text": ARTICLE}) | {"inputs": {"text": [ARTICLE]}}, "and nothing else"),
        ({"messages": [{"role": "user", "content": ARTICLE}]}, "found 'messages'"),
        (records({"text": ARTICLE}) | {"params": {"treshold": 0.3}}, "no params, found some: 'treshold'"),
        (records({"text": ARTICLE}) | {"params": 7}, "no params, found some;"),
        ({"dataframe_records": ARTICLE}, "expected a list of objects, found a text"),
        ({"dataframe_records": [{"text": ARTICLE}, ARTICLE]}, "row 1: expected an object, found a text"),
        (records({"headline": ARTICLE}), "row 0: 'text' is missing; the columns are text, title (optional)"),
        (records({"text": ARTICLE}, {"text": None, "title": ARTICLE}), "row 1: 'text' is missing"),
        (records({"text": 7, "title": ARTICLE}), "row 0: expected 'text' to be a text, found int; quote it"),
        (records({"text": ARTICLE, "id": 7}), "expected 'id' to be a text, found int"),
        (records({"text": ARTICLE, "title": [ARTICLE]}), "expected 'title' to be a text, found list"),
        (records({"text": "  ", "title": ARTICLE}), "row 0: expected a non-empty 'text'"),
        ({"dataframe_split": [ARTICLE]}, "expected an object with"),
        ({"dataframe_split": {"columns": ["text"]}}, "expected an object with"),
        ({"dataframe_split": {"columns": ["text"], "data": [ARTICLE]}}, "row 0: expected a list of 1"),
        (
            {"dataframe_split": {"columns": ["text", "id"], "data": [[ARTICLE]]}},
            "row 0: expected a list of 2",
        ),
        ({"dataframe_split": {"columns": ["text", "text"], "data": [[ARTICLE] * 2]}}, "two columns"),
        ({"dataframe_split": {"columns": ["text"], "data": [], ARTICLE[:6]: 1}}, "dataframe_split"),
        ({"dataframe_split": {"columns": [["text"]], "data": [[ARTICLE]]}}, "row 0: 'text' is missing"),
        ({"instances": {"text": [ARTICLE]}}, "instances: expected a list of objects, found an object"),
        ({"instances": [{"text": 7}]}, "found int"),
        ({"inputs": ARTICLE}, "inputs: expected a list of objects, found a text"),
        ({"inputs": {"text": ARTICLE}}, "expected a list of values for every column"),
        ({"inputs": {"text": [ARTICLE], "title": []}}, "all of one length"),
    ],
)
def test_bad_json_gets_a_400_that_tells_why(model: PyFuncModel, body: object, says: str) -> None:
    status, answer = ask(model, body)
    assert status == 400
    assert says in json.loads(answer)["message"]
    told_nothing(answer, model)


def told_nothing(answer: str, model: PyFuncModel) -> None:
    """See that an answer holds no text of the request, no trace and no path."""
    for leak in (ARTICLE, ARTICLE[:10], "Traceback", "stack_trace", "site-packages", "/", ".py"):
        assert leak not in answer.replace("application/", ""), leak
    assert ask(model, records({"text": "x"}))[0] == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"text\n" + ARTICLE.encode() + b"\na,b,c\n", "line 3: expected 1 cells, found 3"),
        (b"text\n\xff\n", "not UTF-8 at byte 5"),
        (b'text\n"' + ARTICLE.encode(), "not CSV at line 2"),
        (b'text\n"a"b\n', "not CSV at line 2"),
        (b"headline\n" + ARTICLE.encode() + b"\n", "row 0: 'text' is missing"),
        (b"text,text\na,b\n", "two columns are named 'text'"),
        (b"text,title\n," + ARTICLE.encode() + b"\n", "row 0: 'text' is missing"),
    ],
)
def test_bad_csv_gets_a_400_that_tells_why(model: PyFuncModel, body: bytes, says: str) -> None:
    status, answer = ask(model, body, CSV)
    assert status == 400
    assert says in json.loads(answer)["message"]
    told_nothing(answer, model)


def test_bad_parquet_gets_a_400_and_its_trace_goes_to_the_log(
    model: PyFuncModel, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    pd.DataFrame({"headline": [ARTICLE]}).to_parquet(tmp_path / "a.parquet")
    for body in (b"PAR1" + ARTICLE.encode(), (tmp_path / "a.parquet").read_bytes()):
        caplog.clear()
        status, answer = ask(model, body, PARQUET)
        assert status == 400
        assert "does not hold rows of the columns 'text', 'title', 'id'" in answer
        told_nothing(answer, model)
        assert "scoring_server" in caplog.text
        assert ARTICLE[:10] not in caplog.text


@pytest.mark.parametrize("content_type", ["application/xml", "", None, "application/json; charset=latin-1"])
def test_other_content_is_not_taken(model: PyFuncModel, content_type: str | None) -> None:
    status, answer = ask(model, records({"text": ARTICLE}), content_type)
    assert status == 415
    assert ARTICLE not in answer


def test_a_model_that_fails_is_a_500_without_a_trace(
    model: PyFuncModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError(ARTICLE)

    monkeypatch.setattr(model._model_impl.predictor, "predict", fail)
    status, answer = ask(model, records({"text": ARTICLE}))
    monkeypatch.undo()
    assert status == 500
    assert json.loads(answer)["message"] == "the model failed; the server's log says where"
    told_nothing(answer, model)
    assert "ZeroDivisionError" in caplog.text
    assert ARTICLE[:10] not in caplog.text


def test_every_good_format_gives_the_same_answer(model: PyFuncModel, tmp_path: Path) -> None:
    row = {"id": "007", "title": "NA", "text": 'Envoys, "talks"\nand an embargo 😀'}
    frame = pd.DataFrame([row])
    frame.to_parquet(tmp_path / "a.parquet")
    answers = [
        ask(model, records(row | {"outlet": "wire", "n": 3})),
        ask(model, records(row) | {"params": {}}),
        ask(model, records(row), "application/json; charset=utf-8"),
        ask(model, records(row), "Application/JSON"),
        ask(model, {"dataframe_split": json.loads(frame.to_json(orient="split"))}),
        ask(model, {"instances": [row]}),
        ask(model, {"inputs": [row]}),
        ask(model, {"inputs": {name: [value] for name, value in row.items()}}),
        ask(model, frame.to_csv(index=False).encode(), CSV),
        ask(model, b"\xef\xbb\xbf" + frame.to_csv(index=False).encode(), CSV),
        ask(model, (tmp_path / "a.parquet").read_bytes(), PARQUET),
    ]
    assert answers[0][0] == 200
    assert json.loads(answers[0][1])["predictions"][0]["id"] == "007"
    assert set(answers) == {answers[0]}


def test_no_rows_are_answered_with_none(model: PyFuncModel) -> None:
    bodies: list[object] = [records(), {"dataframe_split": {"columns": ["text"], "data": []}}, {"inputs": {}}]
    for body in bodies:
        assert ask(model, body) == (200, '{"predictions": []}')
    assert ask(model, b"text,title\n", CSV) == (200, '{"predictions": []}')


def test_a_long_text_in_csv_is_read(model: PyFuncModel) -> None:
    assert ask(model, b"text\n" + b"talks " * 50_000 + b"\n", CSV)[0] == 200


KEYS = ["text", "id", "columns", "data", "params", "x"]
FORMATS = [*sorted(scoring_server.SUPPORTED_FORMATS), "params"]
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FORMATS), json_values, max_size=2))
def test_any_json_is_answered_or_refused(model: PyFuncModel, body: dict[str, object]) -> None:
    status, answer = ask(model, body)
    assert status in (200, 400), answer


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([JSON, CSV, PARQUET]))
def test_any_bytes_are_answered_or_refused(model: PyFuncModel, body: bytes, kind: str) -> None:
    status, answer = ask(model, body, kind)
    assert status in (200, 400), answer


def test_the_guard_is_put_on_once_and_lets_other_models_be(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, ...]] = []

    def original(*arguments: object) -> str:
        seen.append(arguments)
        return "theirs"

    monkeypatch.setattr(scoring_server, "invocations", original)
    guard_server()
    guard = scoring_server.invocations
    assert isinstance(guard, Guard)
    guard_server()
    assert scoring_server.invocations is guard

    other = SimpleNamespace(metadata=Model(flavors={"python_function": {"loader_module": "mlflow.sklearn"}}))
    assert guard(b"{", JSON, other, "schema") == "theirs"  # type: ignore[arg-type]
    assert seen[0][:2] == (b"{", JSON)


def test_a_body_over_the_limit_is_refused_unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.scoring.MAX_BYTES", 10)
    for read in (json_rows, csv_rows):
        with pytest.raises(Exception, match="at most 10 are read"):
            read(b"x" * 11, COLUMNS)
