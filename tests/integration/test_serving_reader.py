"""`stancewire serve` of a reader with two workers: answers, params, limits, and a worker that is killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stancewire.examples import Article
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader
from tests.integration.conftest import Trained
from tests.integration.processes import children
from tests.integration.server import Answer, Server
from tests.integration.test_serving_http import SHELLS, bundled


@pytest.fixture(scope="module")
def reader(trained: Trained) -> Reader:
    topics, stance = load(trained.topics), load(trained.stance)
    assert isinstance(topics, TopicsPredictor)
    assert isinstance(stance, StancePredictor)
    return Reader(topics, stance)


def records(count: int) -> list[dict[str, Any]]:
    return [{name: article[name] for name in ("id", "title", "text")} for article in bundled(count)]


def readings(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    return [json.loads(row["json"]) for row in answer.rows]


def alike(one: object, other: object) -> bool:
    """Tell whether two JSON values are the same, probabilities within 1e-4."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-4
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def test_readings_over_http_are_those_in_process(reader_server: Server, reader: Reader) -> None:
    rows = records(40)
    answer = readings(reader_server.post({"dataframe_records": rows, "params": {"form": "json"}}))
    wanted = [reader.read(Article(**row)).to_dict() for row in rows]
    assert all(map(alike, answer, wanted))
    assert len(answer) == len(wanted) == 40


def test_targets_are_asked_about(reader_server: Server, reader: Reader) -> None:
    targets = ["the arms embargo", "artillery shells"]
    params = {"targets": targets, "max_sentences": 1, "thresholds": {"diplomacy": 1}}
    answer = reader_server.post({"inputs": [{"text": SHELLS}], "params": params})
    rows = answer.rows
    wanted = reader.read(Article(text=SHELLS), targets)
    assert [(row["target"], row["label"]) for row in rows if row["kind"] == "target"] == [
        (target.target, target.verdict) for target in wanted.targets
    ]
    assert [row["decision"] for row in rows if row["label"] == "diplomacy"] == [False]


def test_unknown_params_are_refused(reader_server: Server) -> None:
    answer = reader_server.post({"inputs": [{"text": SHELLS}], "params": {"target": ["Pyongyang"]}})
    assert answer.status == 400
    assert "unknown 'target' (did you mean 'targets'?)" in answer.body
    assert "Pyongyang" not in answer.body


def test_limits_are_told_with_what_to_do(reader_server: Server) -> None:
    many = reader_server.post({"dataframe_records": [{"text": SHELLS}] * 51})
    assert (many.status, "at most 50 are answered at once" in many.body) == (413, True)
    large = reader_server.post({"dataframe_records": [{"text": SHELLS * 1000}]})
    assert (large.status, "more than 200,000 bytes" in large.body) == (413, True)
    for answer in (many, large):
        assert json.loads(answer.body)["error_code"] == "REQUEST_TOO_LARGE"
        assert "Pyongyang" not in answer.body


def test_an_endless_body_is_ended(reader_server: Server) -> None:
    """Nothing declares its length, and it is refused long before it ends."""
    connection = http.client.HTTPConnection("127.0.0.1", reader_server.port, timeout=30)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("Content-Type", "application/json")
    connection.endheaders()
    for _ in range(30):
        connection.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
    response = connection.getresponse()  # the last chunk was never sent
    assert response.status == 413
    assert b"--max-bytes" in response.read()
    connection.close()


def test_one_connection_serves_many_requests(reader_server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", reader_server.port, timeout=30)
    sockets = set()
    for number in range(5):
        body = json.dumps({"inputs": [{"id": str(number), "text": SHELLS}]})
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        rows = json.load(connection.getresponse())["predictions"]
        assert {row["id"] for row in rows} == {str(number)}
        sockets.add(connection.sock)
    assert len(sockets) == 1
    connection.close()


def test_a_killed_worker_loses_and_mixes_up_no_answer(reader_server: Server) -> None:
    """A client that asks again when its connection breaks gets every answer, each its own."""
    workers = children(reader_server.pid)
    assert len(workers) == 2
    articles = records(24) * 4

    def ask(number: int) -> tuple[str, list[str]]:
        row = articles[number] | {"id": str(number)}
        for _ in range(50):
            try:
                answer = reader_server.post({"inputs": [row], "params": {"form": "json"}})
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            (reading,) = readings(answer)
            return reading["id"], [topic["label"] for topic in reading["topics"] if topic["decision"]]
        raise AssertionError("no answer")

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(ask, number) for number in range(len(articles))]
        time.sleep(0.2)
        os.kill(workers[0], signal.SIGKILL)
        answers = [one.result() for one in waiting]
    assert [id_ for id_, _ in answers] == [str(number) for number in range(len(articles))]
    assert [topics for _, topics in answers] == [topics for _, topics in answers[:24]] * 4
    deadline = time.monotonic() + 60
    while len(now := children(reader_server.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(now) == 2
    assert workers[0] not in now
    assert "Pyongyang" not in reader_server.log()
