"""One worker process, seen from its parent: no pickle, no copy of the parent's memory or main module."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from stancewire.batch.engines.messages import PROBE, STAGE
from stancewire.batch.rows import Shard
from stancewire.batch.work import Work

# A worker sees the modules that its parent sees, wherever they came from.
PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from stancewire.batch.engines.worker import main; main(int(sys.argv[2]), sys.argv[3])"
)
# Libraries that start threads of their own heed these; most take every core otherwise.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SECONDS_TO_END = 5.0


@dataclass(slots=True)
class Task:
    """A shard, and how often workers died over it.

    Attributes:
        shard: with rejects in the place of the rows that were found to kill workers.
        deaths: for which no row was found yet.
        is_patient: whether a window of rows may take as long as each of them may, together.
    """

    shard: Shard
    deaths: int = 0
    is_patient: bool = False


class Worker:
    """A process that works on one shard at a time.

    Attributes:
        task: what it is at, if anything; for its owner to set.
        window: the first and last position of the rows that it is predicting, as far as it said.
        since: when it said so, or was sent its shard.
        is_ready: whether it has loaded the models.
    """

    def __init__(self, work: Work) -> None:
        here, there = socket.socketpair()
        threads = {} if work.threads is None else dict.fromkeys(_THREADS, str(work.threads))
        with here, there:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [
                    *(sys.executable, "-P", "-c", PROGRAM),
                    *(json.dumps(sys.path), str(there.fileno()), work.to_json()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                process_group=0,  # a terminal interrupts the parent alone, which ends its workers
                env={**os.environ, **threads},
            )
            self.connection = Connection(here.detach())
        self.task: Task | None = None
        self.window: tuple[int, int] | None = None
        self.since = time.monotonic()
        self.is_ready = False

    def ask(self, shard: Shard, *, only_probe: bool = False) -> None:
        """Send it a shard.

        Raises:
            OSError: if it is dead; `receive` tells so too.
        """
        self.window, self.since = None, time.monotonic()
        self.connection.send_bytes((PROBE if only_probe else STAGE) + b" " + shard.to_bytes())

    def receive(self) -> Mapping[str, Any] | None:
        """Return its next message, or None if it is dead."""
        try:
            message: dict[str, Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, ConnectionError):
            return None
        self.is_ready |= "ready" in message
        if "window" in message or "ready" in message:
            self.since = time.monotonic()
        if "window" in message:
            self.window = (message["window"][0], message["window"][1])
        return message

    def hang_up(self) -> None:
        """Let it end by itself, which it does at once."""
        self.connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def end(self) -> str:
        """End it, and say how it ended."""
        self.hang_up()
        try:
            code = self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait(_SECONDS_TO_END)
        return f"signal {-code}" if code < 0 else f"exit code {code}"
