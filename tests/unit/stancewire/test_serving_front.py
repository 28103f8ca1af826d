"""The outermost layer of the server, without a server: limits, paths, plain errors, a log of nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from stancewire.predictor import Provenance
from stancewire.serving.front import Front, Message, Receive, Scope, Send
from stancewire.serving.options import Limits

SECRET = b"Confidential text of an article"
SOURCES = {"topics": Provenance("news", "d" * 64, "book", "1.0")}


class Application:
    """Stands for MLflow's: answers with a status and a body, and keeps what it was sent."""

    def __init__(self, status: int = 200, body: bytes = b'{"predictions": []}') -> None:
        self.status = status
        self.body = body
        self.seen: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            message = await receive()
            self.seen.append(message["body"])
            assert not message["more_body"]
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"x-own", b"1")]})
        half = len(self.body) // 2
        await send({"type": "http.response.body", "body": self.body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[half:]})


class Client:
    """Sends a body in parts and keeps the answer; counts the parts that were taken."""

    def __init__(self, parts: Sequence[bytes] = (b"",), leaves: bool = False) -> None:
        self._parts: Iterator[bytes] = iter(parts)
        self._left = len(parts)
        self._leaves = leaves
        self.taken = 0
        self.messages: list[Message] = []

    async def receive(self) -> Message:
        if self._left == 0 or self._leaves:
            return {"type": "http.disconnect"}
        self._left -= 1
        self.taken += 1
        return {"type": "http.request", "body": next(self._parts), "more_body": self._left > 0}

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        (start,) = [m for m in self.messages if m["type"] == "http.response.start"]
        status: int = start["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        assert self.messages[-1].get("more_body", False) is False
        return b"".join(m["body"] for m in self.messages if m["type"] == "http.response.body")

    @property
    def message(self) -> str:
        content = json.loads(self.body)
        assert list(content) == ["error_code", "message"]
        assert SECRET[:12] not in self.body
        return str(content["message"])


def ask(
    app: Any,  # noqa: ANN401 - any application
    client: Client,
    path: str = "/invocations",
    method: str = "POST",
    headers: Sequence[tuple[bytes, bytes]] = (),
    limits: Limits | None = None,
) -> Client:
    front = Front(app, SOURCES, limits or Limits())
    scope = {"type": "http", "path": path, "method": method, "headers": list(headers)}
    asyncio.run(front(scope, client.receive, client.send))
    return client


def test_a_good_request_passes_as_it_is() -> None:
    app = Application()
    client = ask(app, Client([b"one ", b"two"]), headers=[(b"content-length", b"7")])
    assert (client.status, client.body) == (200, app.body)
    assert client.headers == {b"x-own": b"1"}
    assert app.seen == [b"one two"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_never_reaches_the_application(declared: bool) -> None:
    app = Application()
    parts = [SECRET] * 100
    headers = [(b"content-length", str(100 * len(SECRET)).encode())] if declared else []
    client = ask(app, Client(parts), headers=headers, limits=Limits(max_bytes=3 * len(SECRET)))
    assert client.status == 413
    assert "more than 93 bytes" in client.message
    assert "--max-bytes" in client.message
    assert client.headers[b"connection"] == b"close"
    assert int(client.headers[b"content-length"]) == len(client.body)
    assert app.seen == []


def test_a_client_that_waits_before_it_sends_is_spared_the_sending() -> None:
    headers = [(b"content-length", b"1000"), (b"expect", b"100-continue")]
    client = ask(Application(), Client([SECRET] * 10), headers=headers, limits=Limits(max_bytes=10))
    assert (client.status, client.taken) == (413, 0)


def test_a_body_at_the_limit_passes() -> None:
    app = Application()
    limits = Limits(max_bytes=len(SECRET))
    headers = [(b"content-length", str(len(SECRET)).encode())]
    assert ask(app, Client([SECRET]), headers=headers, limits=limits).status == 200
    assert app.seen == [SECRET]


def test_a_client_that_goes_away_costs_nothing() -> None:
    app = Application()
    assert ask(app, Client([SECRET, SECRET], leaves=True)).messages == []
    assert app.seen == []


@pytest.mark.parametrize("encoding", [b"gzip", b"br"])
def test_a_compressed_body_is_not_taken(encoding: bytes) -> None:
    client = ask(Application(), Client([SECRET]), headers=[(b"Content-Encoding", encoding)])
    assert (client.status, "not compressed" in client.message) == (415, True)


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/invocations/", "/" + SECRET.decode()])
def test_other_paths_do_not_exist(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client = ask(Application(), Client(), path=path, method="GET")
    assert client.status == 404
    assert "POST /invocations" in client.message
    assert "GET (another path) 404" in caplog.text
    assert SECRET.decode()[:12] not in caplog.text


def test_version_names_the_models() -> None:
    client = ask(Application(), Client(), path="/version", method="GET")
    content = json.loads(client.body)
    assert content["models"] == [
        {"task": "topics", "name": "news", "digest": "d" * 64, "codebook": "book@1.0"}
    ]
    assert content.keys() == {"stancewire", "mlflow", "models"}


@pytest.mark.parametrize("path", ["/health", "/ping"])
def test_health_is_the_applications(path: str) -> None:
    assert ask(Application(body=b"\n"), Client(), path=path, method="GET").body == b"\n"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"error_code": "X", "message": "m", "stack_trace": "' + SECRET + b'"}'),
        (404, b'{"detail": "Not Found"}'),
        (405, b'{"detail": "Method Not Allowed"}'),
        (422, SECRET),
        (500, b"Internal Server Error: " + SECRET),
        (504, b"Request processing time exceeded limit"),
        (503, b"\xff"),
    ],
)
def test_an_error_of_the_application_is_made_plain(status: int, body: bytes) -> None:
    client = ask(Application(status, body), Client([b"x"]))
    assert client.status == status
    assert client.message
    assert client.headers.keys() == {b"content-type", b"content-length"}
    if status == 504:
        assert "--timeout" in client.message


def test_an_error_of_ours_passes() -> None:
    body = b'{"error_code": "BAD_REQUEST", "message": "row 0: why"}'
    assert ask(Application(400, body), Client([b"x"])).body == body


@pytest.mark.parametrize("begun", [False, True])
def test_an_application_that_fails_is_a_500_whose_text_nobody_sees(
    begun: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        raise RuntimeError(SECRET.decode())

    client = ask(fail, Client([b"x"]))
    assert client.status == (200 if begun else 500)
    assert "RuntimeError while answering" in caplog.text
    assert SECRET.decode()[:12] not in caplog.text


def test_the_log_has_a_line_a_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ask(Application(), Client([SECRET]), method="POST")
    ask(Application(400, SECRET), Client([SECRET]), method=SECRET.decode())
    lines = [record.getMessage() for record in caplog.records if record.name == "stancewire.serving.front"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "POST /invocations 200",
        "(another method) /invocations 400",
    ]


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    client = Client()
    asyncio.run(Front(app, SOURCES, Limits())({"type": "lifespan"}, client.receive, client.send))
    assert seen == ["lifespan"]
