"""Fault 8: hostile requests to MLflow's own handler get a 4xx that tells why and nothing of what was sent."""

from __future__ import annotations

import asyncio
import json
import time
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
from mlflow.pyfunc import PyFuncModel, load_model, scoring_server

from stancewire.errors import StancewireError
from stancewire.serving.front import Front, Message, Scope
from stancewire.serving.guard import Guard, guard_server
from stancewire.serving.options import Limits
from stancewire.serving.pyfunc import save_pyfunc
from tests.small_models import small_artefact

ARTICLE = "Confidential text of an article about talks"
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    folder = tmp_path_factory.mktemp("model")
    return load_model(str(save_pyfunc(small_artefact(folder, "topics").path, folder / "model")))


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
        (
            records({"text": ARTICLE}) | {"params": {"treshold": 0.3}},
            "unknown 'treshold' (did you mean",
        ),
        (records({"text": ARTICLE}) | {"params": 7}, "params: expected an object, found a number"),
        (records({"text": ARTICLE}) | {"params": []}, "params: expected an object, found a list"),
        (records({"text": ARTICLE}) | {"params": [ARTICLE]}, "params: expected an object, found a list"),
        (records({"text": ARTICLE}) | {"params": {ARTICLE: 1}}, "unknown 1 that is no plain name"),
        (records({"text": ARTICLE}) | {"params": {"thresholds": {ARTICLE: 1}}}, "1 that is no plain name"),
        (records({"text": ARTICLE}) | {"params": {"thresholds": ARTICLE}}, "params.thresholds: not JSON"),
        (records({"text": ARTICLE}) | {"params": {"evidence": ARTICLE}}, "expected true or false"),
        (records({"text": ARTICLE}) | {"params": {"form": ARTICLE}}, "expected 'long' or 'json'"),
        ({ARTICLE: 1}, "found 1 that is no plain name"),
        (b'{"' + ARTICLE.encode() + b'": 1, "' + ARTICLE.encode() + b'": 2}', "a key stands twice"),
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


def test_bad_parquet_gets_a_400(model: PyFuncModel, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    pd.DataFrame({"headline": [ARTICLE]}).to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    for body in (b"PAR1" + ARTICLE.encode(), whole, whole[:-9], whole[40:], b""):
        status, answer = ask(model, body, PARQUET)
        assert status == 400
        assert "not Parquet with rows of the columns 'text', 'title', 'id'" in answer
        told_nothing(answer, model)
        assert ARTICLE[:10] not in caplog.text


def test_parquet_of_other_types_is_not_converted(model: PyFuncModel, tmp_path: Path) -> None:
    for value in (7, 7.5, ARTICLE.encode(), [ARTICLE], {"a": ARTICLE}, True):
        pd.DataFrame({"text": [value]}).to_parquet(tmp_path / "a.parquet")
        status, answer = ask(model, (tmp_path / "a.parquet").read_bytes(), PARQUET)
        assert status == 400
        assert "row 0: expected 'text' to be a text, found " in answer
        told_nothing(answer, model)


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

    monkeypatch.setattr(model.get_raw_model().predictor, "predict", fail)  # type: ignore[no-untyped-call]
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
        ask(model, records(row) | {"params": None}),
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


def test_a_request_over_a_limit_is_refused_with_what_to_do(
    model: PyFuncModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    guard = scoring_server.invocations
    assert isinstance(guard, Guard)
    frame = pd.DataFrame({"text": [ARTICLE] * 3})
    frame.to_parquet(tmp_path / "a.parquet")
    bodies: list[tuple[object, str]] = [
        (records(*[{"text": ARTICLE}] * 3), JSON),
        ({"inputs": {"text": [ARTICLE] * 3}}, JSON),
        (frame.to_csv(index=False).encode(), CSV),
        ((tmp_path / "a.parquet").read_bytes(), PARQUET),
    ]
    for limits, says in ((Limits(max_rows=2), "--max-rows"), (Limits(max_bytes=20), "--max-bytes")):
        monkeypatch.setattr(guard, "limits", limits)
        for body, kind in bodies:
            status, answer = ask(model, body, kind)
            assert status == 413, answer
            assert says in json.loads(answer)["message"]
            assert ARTICLE[:10] not in answer
    monkeypatch.setattr(guard, "limits", Limits(max_rows=3))
    assert {ask(model, body, kind)[0] for body, kind in bodies} == {200}


def test_a_parquet_bomb_is_refused_before_it_is_unpacked(
    model: PyFuncModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pd.DataFrame({"text": ["a" * 30_000_000]}).to_parquet(tmp_path / "a.parquet", compression="gzip")
    body = (tmp_path / "a.parquet").read_bytes()
    assert len(body) < Limits().max_bytes

    def read(*_: object) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr("pyarrow.parquet.ParquetFile.read", read)
    status, answer = ask(model, body, PARQUET)
    assert (status, "--max-bytes" in answer) == (413, True)


def test_an_answer_over_the_time_limit_is_a_504_that_says_what_to_do(
    model: PyFuncModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT", "1")
    served = model.get_raw_model()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(served, "answer", lambda *_: time.sleep(1.5))
    front = Front(scoring_server.init(model), served.sources, Limits())
    body = json.dumps(records({"text": ARTICLE})).encode()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/invocations",
        "raw_path": b"/invocations",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "server": ("x", 1),
        "client": ("x", 1),
    }
    asyncio.run(front(scope, receive, send))
    assert sent[0]["status"] == 504
    assert "--timeout" in json.loads(sent[1]["body"])["message"]


@pytest.mark.parametrize("figure", ["", "12"])
def test_limits_of_the_environment(monkeypatch: pytest.MonkeyPatch, figure: str) -> None:
    monkeypatch.setenv("STANCEWIRE_SERVE_MAX_ROWS", figure)
    assert Limits.of_environment() == (Limits(max_rows=int(figure)) if figure else Limits())


@pytest.mark.parametrize("figure", ["0", "-1", "1.5", "many", "²", "9" * 40])
def test_limits_that_are_no_figures_are_refused(monkeypatch: pytest.MonkeyPatch, figure: str) -> None:
    monkeypatch.setenv("STANCEWIRE_SERVE_MAX_BYTES", figure)
    with pytest.raises(StancewireError, match="STANCEWIRE_SERVE_MAX_BYTES: expected a positive integer"):
        Limits.of_environment()


def test_what_is_sent_never_reaches_the_log(model: PyFuncModel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for body in ({ARTICLE: ARTICLE}, records({"text": ARTICLE}), records({"text": ARTICLE, "id": 7})):
        ask(model, body)
        ask(model, body | {"params": {"evidence": ARTICLE}})
        ask(model, body | {"params": {ARTICLE: ARTICLE}})
    assert ARTICLE[:10] not in caplog.text
