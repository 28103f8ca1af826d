"""A real server on a free loopback port: `mlflow models serve`, or `stancewire serve`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

START_SECONDS = 90


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.body)["predictions"]
        return rows


class Server:
    """Context manager; `post` sends one request to /invocations."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        programs: Path = Path(sys.executable).parent,
    ) -> None:
        self.arguments = arguments
        self.environment = environment
        self.programs = programs
        self.port = free_port()

    @classmethod
    def mlflow(cls, model_uri: str, environment: Mapping[str, str]) -> Self:
        """`mlflow models serve` of a model."""
        return cls(
            ["mlflow", "models", "serve", "-m", model_uri, "--env-manager", "local", "--host", "127.0.0.1"],
            environment,
        )

    @classmethod
    def stancewire(cls, *arguments: str, environment: Mapping[str, str]) -> Self:
        """`stancewire serve` with these arguments."""
        return cls(["stancewire", "serve", *arguments], environment)

    def __enter__(self) -> Self:
        self._log = TemporaryFile()
        program, *arguments = self.arguments
        self._process = subprocess.Popen(  # noqa: S603 - fixed program
            [str(self.programs / program), *arguments, "--port", str(self.port)],
            env={**self.environment, "PATH": f"{self.programs}{os.pathsep}{self.environment['PATH']}"},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()

    @property
    def pid(self) -> int:
        """Of the first process."""
        return self._process.pid

    def wait(self, seconds: float = 30) -> int:
        """Wait for the end and return the exit code."""
        return self._process.wait(seconds)

    def log(self) -> str:
        """What the server has written so far."""
        return os.pread(self._log.fileno(), 10_000_000, 0).decode()

    def get(self, path: str) -> Answer:
        return self._send(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def post(self, body: object, content_type: str = "application/json") -> Answer:
        """Send a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": content_type}
        url = f"http://127.0.0.1:{self.port}/invocations"
        return self._send(urllib.request.Request(url, data=data, headers=headers))

    def _send(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if self.get("/health").status == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"the server did not start:\n{self.log()[-4000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
