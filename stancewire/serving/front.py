"""The outermost layer of `stancewire serve`: limits before anything is parsed, plain errors behind it all.

MLflow's application stands behind it. Only its known paths are let through. A body over the limit is refused
by its declared length, or as soon as more has come than was allowed; it is never held. Every error has the
same two fields. The log has a line per request, with nothing that a client wrote.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib.metadata import version
from typing import Any, TypeAlias

from stancewire.predictor import Provenance
from stancewire.serving.bodies import TooLargeError, check_bytes
from stancewire.serving.guard import error_body
from stancewire.serving.options import Limits

_LOG = logging.getLogger(__name__)

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATHS = ("/invocations", "/health", "/ping", "/version")
_TOLD = {
    404: "there is no such path; POST /invocations, or GET /health, /ping or /version",
    405: "POST /invocations, or GET /health, /ping or /version",
    504: "the answer took longer than the server waits; send fewer rows a request, or start the server with "
    "a larger --timeout",
}
_FAILED = "the server failed; its log says where"
_ERROR, _FAILURE = 400, 500
# A client that writes its whole body before it reads gets the refusal only if somebody listens that long.
_DRAIN_BYTES, _DRAIN_SECONDS = 200_000_000, 10


class Front:
    """An ASGI application around MLflow's.

    Args:
        app: MLflow's.
        sources: which models answer, by task.
        limits: of one request.
    """

    def __init__(self, app: Application, sources: Mapping[str, Provenance], limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self.sources = sources
        self._version = _about(sources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        plain = PlainErrors(send)
        try:
            await self._answer(scope, receive, plain)
        except Exception as error:  # its text may hold some of the request: neither client nor log get it
            _LOG.error("%s while answering a request", type(error).__name__)
            await plain.refuse(500, _FAILED)
        path = scope["path"] if scope["path"] in _PATHS else "(another path)"
        elapsed = 1000 * (time.perf_counter() - start)
        _LOG.info("%s %s %d %.1f ms", _method(scope), path, plain.status, elapsed)

    async def _answer(self, scope: Scope, receive: Receive, send: PlainErrors) -> None:
        if scope["path"] not in _PATHS:
            await send.refuse(404, _TOLD[404])
        elif scope["path"] == "/version" and scope["method"] == "GET":
            await send.answer(200, self._version)
        elif scope["path"] != "/invocations":
            await self._app(scope, receive, send)
        else:
            await self._invoke(scope, receive, send)

    async def _invoke(self, scope: Scope, receive: Receive, send: PlainErrors) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if headers.get(b"content-encoding", b"identity") != b"identity":
            await send.refuse(415, "expected a body that is not compressed; leave Content-Encoding out")
            return
        try:
            declared = headers.get(b"content-length", b"")
            check_bytes(int(declared) if declared.isdigit() else 0, self._limits)
            body = await read_body(receive, self._limits)
        except TooLargeError as error:
            await send.refuse(413, str(error), more=True)
            if b"100-continue" not in headers.get(b"expect", b"").lower():
                await _drain(receive)
            await send.end()
            return
        if body is not None:
            await self._app(scope, replayed(body, receive), send)


class PlainErrors:
    """Sends answers on; of an error only its code and message, whatever else it holds."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[bytes] = []
        self._started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send one message of the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status < _ERROR:
                self._started = True
                await self._send(message)
        elif self._started:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._held.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self.answer(self.status, plain_error(self.status, b"".join(self._held)))

    async def refuse(self, status: int, message: str, *, more: bool = False) -> None:
        """Answer with an error, unless an answer is on its way; with `more`, `end` must follow."""
        if not self._started:
            await self.answer(status, error_body(status, message).encode(), more=more)

    async def answer(self, status: int, body: bytes, *, more: bool = False) -> None:
        """Answer with JSON."""
        self._started = True
        self.status = status
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if more:
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def end(self) -> None:
        """End an answer that was sent with `more`."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


async def read_body(receive: Receive, limits: Limits) -> bytes | None:
    """Return the body, or None when the client went away.

    Raises:
        TooLargeError: as soon as more has come than may.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        check_bytes(size, limits)
        if not message.get("more_body", False):
            return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that hands on a body that was read, then what comes."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


def plain_error(status: int, body: bytes) -> bytes:
    """Return an error's body if it is one of ours, else ours for that status."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if isinstance(content, dict) and content.keys() == {"error_code", "message"}:
        return body
    return error_body(
        status, _TOLD.get(status, _FAILED if status >= 500 else "the request is refused")
    ).encode()


async def _drain(receive: Receive) -> None:
    """Let a client finish what it writes, within bounds."""
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _about(sources: Mapping[str, Provenance]) -> bytes:
    """Return what /version answers."""
    models = [
        {
            "task": task,
            "name": source.model,
            "digest": source.digest,
            "codebook": f"{source.codebook_id}@{source.codebook_version}",
        }
        for task, source in sources.items()
    ]
    content = {"stancewire": version("stancewire"), "mlflow": _mlflow_version(), "models": models}
    return json.dumps(content).encode()


def _mlflow_version() -> str:
    from mlflow.version import VERSION

    return str(VERSION)


def _method(scope: Scope) -> str:
    return (
        scope["method"]
        if scope["method"] in ("GET", "POST", "HEAD", "PUT", "OPTIONS")
        else "(another method)"
    )
