"""The registered challengers over real HTTP, good and bad requests.

Topics are served by `mlflow models serve`, stances by `stancewire serve`.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.serving import OUTPUT_COLUMNS
from tests.integration.conftest import ROOT, Trained
from tests.integration.server import Answer, Server

SHELLS = (
    "The president flew to Pyongyang to negotiate the delivery of artillery shells, in defiance of the "
    "United Nations arms embargo. Washington warned that it would impose new sanctions on both governments."
)
FOOTBALL = "The home side won 3-1 on Saturday after two late goals by the young striker, the coach said."
COLUMNS = set(OUTPUT_COLUMNS["topics"])


def bundled(count: int) -> list[dict[str, Any]]:
    """The first articles of the bundled corpus."""
    with (ROOT / "data" / "articles.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for _, line in zip(range(count), file, strict=False)]


def by_row(answer: Answer, n_labels: int) -> list[list[dict[str, Any]]]:
    """The lines of each input row."""
    assert answer.status == 200, answer.body
    rows = answer.rows
    return [rows[start : start + n_labels] for start in range(0, len(rows), n_labels)]


# All share the servers of the trained models, which some ask for by name.
pytestmark = pytest.mark.usefixtures("trained")


@pytest.mark.parametrize("name", ["topics", "stance"])
def test_health(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{name}_server")
    assert [server.get(path).status for path in ("/ping", "/health", "/version")] == [200] * 3
    assert server.get("/other").status == 404
    assert server.get("/invocations").status == 405


def test_version_tells_what_answers(stance_server: Server, trained: Trained) -> None:
    (model,) = json.loads(stance_server.get("/version").body)["models"]
    predictor = load(trained.stance)
    assert model == {
        "task": "stance",
        "name": "stancewire-stance",
        "digest": predictor.artefact.digest,
        "codebook": "stancewire-security-news@1.0",
    }


def test_topics_answers_long_form(topics_server: Server) -> None:
    records = [{"id": "007", "title": "A visit", "text": SHELLS}, {"id": "b", "title": "", "text": FOOTBALL}]
    answer = topics_server.post({"dataframe_records": records})
    assert answer.status == 200, answer.body
    assert all(set(row) == COLUMNS for row in answer.rows)
    assert [row["id"] for row in answer.rows] == ["007"] * 3 + ["b"] * 3
    assert [row["label"] for row in answer.rows[:3]] == ["arms_trade", "diplomacy", "sanctions"]
    assert {row["label"] for row in answer.rows if row["decision"]} >= {"arms_trade", "sanctions"}
    assert all(row["decision"] == (row["probability"] >= row["threshold"]) for row in answer.rows)
    assert all(row["model"].startswith("stancewire-topics@") for row in answer.rows)


def test_topics_needs_the_text_alone(topics_server: Server) -> None:
    answer = topics_server.post({"dataframe_split": {"columns": ["text"], "data": [[FOOTBALL], [SHELLS]]}})
    assert answer.status == 200, answer.body
    assert [row["id"] for row in answer.rows] == ["0"] * 3 + ["1"] * 3


def test_topics_takes_csv(topics_server: Server) -> None:
    answer = topics_server.post(f'id,text\n007,"{SHELLS}"\n'.encode(), "text/csv")
    wanted = topics_server.post({"dataframe_records": [{"id": "007", "text": SHELLS}]})
    assert answer.status == 200, answer.body
    assert answer.body == wanted.body


def test_stance_answers_and_the_target_counts(stance_server: Server) -> None:
    sentence = "The ministry welcomed the embargo and condemned the arms sales that it bans."
    records = [
        {"id": "1", "sentence": sentence, "target": "the embargo", "holder": "The ministry"},
        {"id": "2", "sentence": sentence, "target": "the arms sales", "holder": None},
    ]
    first, second = by_row(stance_server.post({"dataframe_records": records}), 4)
    for rows in (first, second):
        assert [row["label"] for row in rows] == ["against", "favor", "neutral", "unrelated"]
        assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-5)
        assert sum(row["decision"] for row in rows) == 1
    assert [row["probability"] for row in first] != [row["probability"] for row in second]


def test_topics_over_http_equal_the_predictor_in_process(topics_server: Server, trained: Trained) -> None:
    articles = bundled(40)
    records = [{name: article[name] for name in ("id", "title", "text")} for article in articles]
    predictor = load(trained.topics)
    assert isinstance(predictor, TopicsPredictor)
    wanted = predictor.predict([Article(text=row["text"], title=row["title"]) for row in records])
    for article, lines, prediction in zip(
        articles, by_row(topics_server.post({"dataframe_records": records}), 3), wanted, strict=True
    ):
        assert {line["id"] for line in lines} == {article["id"]}
        assert {line["model"] for line in lines} == {f"stancewire-topics@{predictor.artefact.digest[:12]}"}
        for line, score in zip(lines, prediction.scores, strict=True):
            assert line["probability"] == pytest.approx(score.probability, abs=1e-6)
            assert (line["label"], line["decision"]) == (score.label, score.decision)
            assert line["threshold"] == pytest.approx(score.threshold)


def test_stances_over_http_equal_the_predictor_in_process(stance_server: Server, trained: Trained) -> None:
    records = [
        {
            "sentence": record["sentence"],
            "target": record["target"],
            "holder": record["holder"],
            "context": "",
        }
        for article in bundled(200)
        for record in article["stances"]
    ]
    assert len(records) > 50
    predictor = load(trained.stance)
    assert isinstance(predictor, StancePredictor)
    wanted = predictor.predict([StanceExample(**record) for record in records])
    answered = by_row(stance_server.post({"inputs": records}), 4)
    for lines, prediction in zip(answered, wanted, strict=True):
        for line, score in zip(lines, prediction.scores, strict=True):
            assert line["probability"] == pytest.approx(score.probability, abs=1e-6)
            assert (line["label"], line["decision"]) == (score.label, score.decision)


def test_many_clients_at_once_each_get_their_own_rows(topics_server: Server) -> None:
    articles = bundled(64)
    bodies = [
        {"dataframe_records": [{"id": article["id"], "text": article["text"]}, {"id": "x", "text": FOOTBALL}]}
        for article in articles
    ]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(topics_server.post, bodies))
    assert [answer.status for answer in together] == [200] * 64
    ids = [[row["id"] for row in answer.rows] for answer in together]
    assert ids == [[article["id"]] * 3 + ["x"] * 3 for article in articles]
    alone = [topics_server.post(body) for body in bodies[::8]]
    assert [answer.body for answer in alone] == [answer.body for answer in together[::8]]


@pytest.mark.parametrize(
    "text",
    [
        "Zażółć gęślą jaźń, 北京 сказал",
        "😀👩‍👩‍👧 arms",
        "e\u0301\u200b\u202e sanctions",
        "a\x00b",
        "\ue000",
        "𝓣alks",
    ],
)
def test_odd_texts_are_answered(topics_server: Server, text: str) -> None:
    answer = topics_server.post({"dataframe_records": [{"text": text, "id": text}]})
    assert answer.status == 200, answer.body
    assert [row["id"] for row in answer.rows] == [text] * 3


def test_a_megabyte_and_a_thousand_rows_are_answered(topics_server: Server) -> None:
    long = topics_server.post({"dataframe_records": [{"text": f"{SHELLS} " * 5000}]})
    assert len(long.rows) == 3
    many = topics_server.post({"dataframe_records": [{"text": f"{SHELLS} {i}"} for i in range(1000)]})
    assert [row["id"] for row in many.rows][::3] == [str(i) for i in range(1000)]


BAD: list[tuple[object, str, int, str]] = [
    (b"{not json", "application/json", 400, "not JSON"),
    (b'{"dataframe_records": [{"text": "' + SHELLS.encode() + b'"', "application/json", 400, "not JSON"),
    (b"\xff\xfe", "application/json", 400, "not UTF-8"),
    (b"", "application/json", 400, "not JSON"),
    (b"[" * 100_000, "application/json", 400, "nested"),
    (b'{"dataframe_records":[{"text":NaN}]}', "application/json", 400, "NaN"),
    (b'{"dataframe_records":[{"text":"\\ud800 x"}]}', "application/json", 400, "surrogate"),
    ({"dataframe_records": [{"headline": SHELLS}]}, "application/json", 400, "row 0: 'text' is missing"),
    ({"dataframe_records": [{"text": None, "title": SHELLS}]}, "application/json", 400, "row 0: 'text'"),
    ({"dataframe_records": [{"text": SHELLS}, {"text": "  "}]}, "application/json", 400, "row 1: expected"),
    ({"dataframe_records": [{"text": 7, "title": SHELLS}]}, "application/json", 400, "to be a text"),
    ({"dataframe_records": [{"text": SHELLS, "id": 7}]}, "application/json", 400, "to be a text"),
    ({"dataframe_records": [{"text": SHELLS}], "params": {"x": 1}}, "application/json", 400, "unknown 'x'"),
    ({"messages": [{"role": "user", "content": SHELLS}]}, "application/json", 400, "dataframe_records"),
    ({"rows": [SHELLS]}, "application/json", 400, "dataframe_records"),
    ([1, 2], "application/json", 400, "list"),
    (f"text\n{SHELLS}\n".encode(), "text/csv", 400, "expected 1 cells"),
    (b"PAR1" + SHELLS.encode(), "application/vnd.apache.parquet", 400, "not Parquet"),
    (SHELLS.encode(), "application/xml", 415, "content types"),
]


@pytest.mark.parametrize("name", ["topics", "reader"])
@pytest.mark.parametrize(("body", "content_type", "status", "says"), BAD)
def test_bad_requests_are_told_why_and_nothing_else(
    name: str, request: pytest.FixtureRequest, body: object, content_type: str, status: int, says: str
) -> None:
    server: Server = request.getfixturevalue(f"{name}_server")
    answer = server.post(body, content_type)
    assert answer.status == status, answer.body
    assert json.loads(answer.body).keys() == {"error_code", "message"}
    assert says in answer.body
    for leak in ("Traceback", "site-packages", "stack_trace", ".py", str(ROOT), "Pyongyang"):
        assert leak not in answer.body
    assert server.post({"dataframe_records": [{"text": SHELLS}]}).status == 200


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (
            {"sentence": SHELLS},
            "row 0: 'target' is missing; the columns are sentence, target, holder (optional)",
        ),
        ({"sentence": SHELLS, "target": ""}, "row 0: expected a non-empty 'target'"),
        ({"sentence": None, "target": "talks"}, "row 0: 'sentence' is missing"),
        ({"sentence": SHELLS, "target": "talks", "holder": 3}, "expected 'holder' to be a text"),
        ({"text": SHELLS, "target": "talks"}, "row 0: 'sentence' is missing"),
    ],
)
def test_bad_questions_of_stance_are_told_why(stance_server: Server, record: object, says: str) -> None:
    answer = stance_server.post({"dataframe_records": [record]})
    assert answer.status == 400, answer.body
    assert says in answer.body
    assert "Pyongyang" not in answer.body


@pytest.mark.parametrize("name", ["topics", "reader"])
def test_the_servers_log_holds_no_article(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{name}_server")
    for body, content_type, *_ in BAD:
        server.post(body, content_type)
    log = server.log()
    assert "/invocations" in log
    assert "Pyongyang" not in log
