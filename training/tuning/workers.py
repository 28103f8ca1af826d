"""Processes that try settings: each gets the rows once, then one config after another, and tells every score.

They write nothing. Storage and MLflow have one writer, the process that started these; when it goes, so do
they.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from training.config import RunConfig
from training.tuning.folds import Ground, Scored, scores

# Read once, when a library is first loaded: so they must be set before a worker starts.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
) | {"TOKENIZERS_PARALLELISM": "false"}
_SECONDS_TO_END = 2.0


@dataclass(frozen=True)
class Failed:
    """A config could not be tried to its end.

    Attributes:
        reason: in one line.
    """

    reason: str


@dataclass(frozen=True, eq=False)
class Worker:
    """One process, and this side of the pipe to it."""

    process: BaseProcess
    connection: Connection


class Crew:
    """Workers, some busy, some idle. A worker that dies is replaced.

    Args:
        ground: what configs are judged on.
        size: number of workers.
    """

    def __init__(self, ground: Ground, size: int) -> None:
        self._ground = ground
        self._idle = [_start(ground) for _ in range(size)]
        self._busy: list[Worker] = []

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a config."""
        return bool(self._idle)

    def give(self, config: RunConfig) -> Worker:
        """Let an idle worker try a config."""
        worker = self._idle.pop(0)
        self._busy.append(worker)
        # One that died meanwhile takes nothing; `told` will say so.
        _send(worker, config)
        return worker

    def told(self, seconds: float) -> Iterator[tuple[Worker, Scored | Failed]]:
        """Yield what busy workers have told within so many seconds; each is to be answered by `go_on`.

        One that failed is idle again and wants no answer.
        """
        ready = wait([worker.connection for worker in self._busy], seconds)
        for worker in [worker for worker in self._busy if worker.connection in ready]:
            try:
                message: Scored | Failed = worker.connection.recv()
            except (EOFError, OSError):
                message = Failed(self._replace(worker))
            else:
                if isinstance(message, Failed):
                    self._rest(worker)
            yield worker, message

    def go_on(self, worker: Worker, further: bool) -> None:
        """Answer a score: try the next fold, or leave this config, for it is given up or through."""
        _send(worker, further)
        if not further:
            self._rest(worker)

    def close(self) -> None:
        """End every worker, at work or not."""
        for worker in (*self._idle, *self._busy):
            worker.connection.close()
            worker.process.terminate()
        for worker in (*self._idle, *self._busy):
            worker.process.join(_SECONDS_TO_END)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._idle, self._busy = [], []

    def _rest(self, worker: Worker) -> None:
        self._busy.remove(worker)
        self._idle.append(worker)

    def _replace(self, worker: Worker) -> str:
        """Start a worker in a dead one's place; return what became of that."""
        self._busy.remove(worker)
        worker.connection.close()
        worker.process.join(_SECONDS_TO_END)
        code = worker.process.exitcode
        self._idle.append(_start(self._ground))
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return f"its process ended {how}; it may have needed more memory than there is"


def work(connection: Connection, ground: Ground) -> None:
    """Try the configs that come through a pipe, until it is closed at the other end."""
    # Ctrl-C reaches the whole group of processes; the one that started this one decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What settings are too extreme shows in their scores; libraries need not say so between the lines.
    warnings.simplefilter("ignore")
    try:
        while True:
            _try(connection.recv(), ground, connection)
    except (EOFError, OSError):
        return


def _try(config: RunConfig, ground: Ground, connection: Connection) -> None:
    for message in _messages(config, ground):
        connection.send(message)
        if isinstance(message, Failed) or not connection.recv():
            return


def _messages(config: RunConfig, ground: Ground) -> Iterator[Scored | Failed]:
    try:
        yield from scores(config, ground)
    except Exception as error:  # whatever these settings break, the sweep goes on and says so
        lines = str(error).splitlines() or [""]
        yield Failed(f"{type(error).__name__}: {lines[0]}")


def _start(ground: Ground) -> Worker:
    ours, theirs = (context := get_context("spawn")).Pipe()
    process = context.Process(target=work, args=(theirs, ground), daemon=True)
    with _environment(_ONE_THREAD):
        process.start()
    # Held open here too, it would never tell that the other side is gone.
    theirs.close()
    return Worker(process, ours)


def _send(worker: Worker, message: object) -> None:
    try:
        worker.connection.send(message)
    except OSError:
        return


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
