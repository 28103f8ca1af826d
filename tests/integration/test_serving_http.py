"""`mlflow models serve` of the registered challengers, over real HTTP, good and bad requests."""

from __future__ import annotations

import pytest

from tests.integration.server import Server

SHELLS = (
    "The president flew to Pyongyang to negotiate the delivery of artillery shells, in defiance of the "
    "United Nations arms embargo. Washington warned that it would impose new sanctions on both governments."
)
FOOTBALL = "The home side won 3-1 on Saturday after two late goals by the young striker, the coach said."
COLUMNS = {"id", "label", "probability", "decision", "threshold", "model", "codebook"}


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


def test_stance_answers_and_the_target_counts(stance_server: Server) -> None:
    sentence = "The ministry welcomed the embargo and condemned the arms sales that it bans."
    records = [
        {"id": "1", "sentence": sentence, "target": "the embargo", "holder": "The ministry"},
        {"id": "2", "sentence": sentence, "target": "the arms sales", "holder": None},
    ]
    answer = stance_server.post({"dataframe_records": records})
    assert answer.status == 200, answer.body
    assert len(answer.rows) == 8
    first, second = answer.rows[:4], answer.rows[4:]
    for rows in (first, second):
        assert [row["label"] for row in rows] == ["against", "favor", "neutral", "unrelated"]
        assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-5)
        assert sum(row["decision"] for row in rows) == 1
    assert [row["probability"] for row in first] != [row["probability"] for row in second]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "says"),
    [
        (b"{not json", "application/json", 400, "JSON"),
        (b"\xff\xfe", "application/json", 400, "JSON"),
        ({"dataframe_records": [{"headline": "x"}]}, "application/json", 400, "text"),
        ({"dataframe_records": [{"text": None}]}, "application/json", 400, "row 0: 'text'"),
        ({"dataframe_records": [{"text": "fine"}, {"text": "  "}]}, "application/json", 400, "row 1: 'text'"),
        ({"dataframe_records": [{"text": 7}]}, "application/json", 400, "text"),
        ({"rows": []}, "application/json", 400, "dataframe_records"),
        ([1, 2], "application/json", 400, "list"),
        (b"text\nhello", "application/xml", 415, "content types"),
    ],
)
def test_bad_requests_are_told_why(
    topics_server: Server, body: object, content_type: str, status: int, says: str
) -> None:
    answer = topics_server.post(body, content_type)
    assert answer.status == status, answer.body
    assert says in answer.body
    for leak in ("Traceback", "site-packages", "stack_trace"):
        assert leak not in answer.body
    assert topics_server.post({"dataframe_records": [{"text": SHELLS}]}).status == 200
