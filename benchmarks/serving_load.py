"""Start a server, load it in a closed loop over kept connections, and count what came back."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import ClassVar, TypeAlias

import numpy as np

from benchmarks.processes import tree

Answers: TypeAlias = Sequence[bytes]
_START_SECONDS = 120
_TIMEOUT = 60
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    pid: int
    port: int

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection of one's own."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)

    def memory_mb(self) -> float:
        """Return the resident memory of all its processes; pages that they share count in each."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in tree(self.pid))
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def processor_seconds(self) -> float:
        """Return the processor time that its first process has taken, in steps of a hundredth."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Load:
    """What a closed loop saw.

    Attributes:
        seconds: it took.
        times: of each answered request, those sent again included, in seconds.
        answers: which request, and the answer.
        again: requests that were sent again because the connection broke.
        lost: requests without an answer.
    """

    HEAD: ClassVar[str] = f"{'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}"

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    again: int = 0
    lost: int = 0

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.answers)

    def latency(self) -> str:
        """Return the percentiles as columns."""
        return " ".join(f"{1000 * np.percentile(self.times, share):>8.1f}" for share in (50, 95, 99))

    def wrong(self, expected: Answers) -> int:
        """Count the answers that are not those that the same requests got alone."""
        return sum(answer != expected[number] for number, answer in self.answers)


@contextmanager
def serving(command: Sequence[str]) -> Iterator[Served]:
    """Start a server of this environment on a free port, wait until it answers, and end it.

    Raises:
        SystemExit: if it does not start; the message holds what it said.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(  # noqa: S603 - the benchmark's own commands
        [str(_BIN / command[0]), *command[1:], "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    said: list[bytes] = []
    threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True).start()
    server = Served(process.pid, port)
    try:
        _wait(server, process, said)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def load_of(server: Served, bodies: Sequence[bytes], *, clients: int, seconds: float, tries: int = 1) -> Load:
    """Ask with several clients for so long, each in its own thread over one kept connection.

    Args:
        server: that is asked.
        bodies: of the requests, in turn.
        clients: at once.
        seconds: after which no client asks again.
        tries: how often a request is sent while its connection breaks; 1: it is lost.
    """
    found = Load()
    lock, numbers = threading.Lock(), count()
    start = time.perf_counter()

    def ask() -> None:
        connection = server.connect()
        while time.perf_counter() < start + seconds:
            with lock:
                number = next(numbers) % len(bodies)
            begin = time.perf_counter()
            for attempt in range(tries):
                try:
                    answer = send(connection, bodies[number])
                    break
                except (OSError, http.client.HTTPException):
                    connection.close()
                    time.sleep(0.05 * attempt)
            else:
                with lock:
                    found.lost += 1
                continue
            elapsed = time.perf_counter() - begin
            with lock:
                found.times.append(elapsed)
                found.answers.append((number, answer))
                found.again += attempt > 0

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds = time.perf_counter() - start
    return found


def send(connection: http.client.HTTPConnection, body: bytes) -> bytes:
    """Send one request and return the answer's body.

    Raises:
        SystemExit: if the server refuses it.
    """
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != http.client.OK:
        raise SystemExit(f"answered {answer.status}: {content[:500]!r}")
    return content


def _wait(server: Served, process: subprocess.Popen[bytes], said: Sequence[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = server.connect()
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        finally:
            connection.close()
    raise SystemExit(f"the server did not start:\n{b''.join(said).decode()[-4000:]}")
