"""Processes that work for this one: each gets what all of them need once, then one task after another.

They have one reader of what they tell, the process that started them; when it goes, so do they.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeAlias, TypeVar

from stancewire.parent import end_with_parent

# Read once, when a library is first loaded: so they must be set before a worker starts.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SECONDS_TO_END = 2.0

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Message = TypeVar("Message")
# What a process does: with its end of the pipe and what all share, it takes tasks and tells of them.
Work: TypeAlias = Callable[[Connection, Shared], None]


@dataclass(frozen=True)
class Failed:
    """A task could not be done to its end.

    Attributes:
        reason: in one line.
        died: whether the process is gone that did it.
    """

    reason: str
    died: bool = False

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """Return what an exception says, without its further lines."""
        lines = str(error).splitlines() or [""]
        return cls(f"{type(error).__name__}: {lines[0]}")


@dataclass(frozen=True, eq=False)
class Worker:
    """One process, and this side of the pipe to it."""

    process: BaseProcess
    connection: Connection


class Crew(Generic[Shared, Task, Message]):
    """Workers, some busy, some idle. A worker that dies is replaced.

    Args:
        work: what each does; it ends when its pipe is closed.
        shared: what all of them need.
        size: number of workers.
        threads: of the libraries of each.
    """

    def __init__(self, work: Work[Shared], shared: Shared, size: int, threads: int = 1) -> None:
        self._work, self._shared, self._threads = work, shared, threads
        self._idle = [self._started() for _ in range(size)]
        self._busy: list[Worker] = []

    @property
    def idle(self) -> bool:
        """Whether a worker waits for a task."""
        return bool(self._idle)

    def give(self, task: Task) -> Worker:
        """Let an idle worker do a task."""
        worker = self._idle.pop(0)
        self._busy.append(worker)
        # One that died meanwhile takes nothing; `told` will say so.
        self.answer(worker, task)
        return worker

    def told(self, seconds: float) -> Iterator[tuple[Worker, Message | Failed]]:
        """Yield what busy workers have told within so many seconds; one that failed is idle again."""
        ready = wait([worker.connection for worker in self._busy], seconds)
        for worker in [worker for worker in self._busy if worker.connection in ready]:
            try:
                message: Message | Failed = worker.connection.recv()
            except (EOFError, OSError):
                message = Failed(self._replace(worker), died=True)
            else:
                if isinstance(message, Failed):
                    self.rest(worker)
            yield worker, message

    def answer(self, worker: Worker, message: object) -> None:
        """Tell a worker something; one that is gone does not hear it."""
        try:
            worker.connection.send(message)
        except OSError:
            return

    def rest(self, worker: Worker) -> None:
        """Take a worker that has done its task for idle."""
        self._busy.remove(worker)
        self._idle.append(worker)

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

    def _started(self) -> Worker:
        ours, theirs = (context := get_context("spawn")).Pipe()
        process = context.Process(target=_begin, args=(self._work, theirs, self._shared), daemon=True)
        threads = dict.fromkeys(_THREADS, str(self._threads))
        with _environment(threads | {"TOKENIZERS_PARALLELISM": "false"}):
            process.start()
        # Held open here too, it would never tell that the other side is gone.
        theirs.close()
        return Worker(process, ours)

    def _replace(self, worker: Worker) -> str:
        """Start a worker in a dead one's place; return what became of that."""
        self._busy.remove(worker)
        worker.connection.close()
        worker.process.join(_SECONDS_TO_END)
        code = worker.process.exitcode
        self._idle.append(self._started())
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        return f"its process ended {how}; it may have needed more memory than there is"


def _begin(work: Work[Any], connection: Connection, shared: Any) -> None:  # noqa: ANN401 - of the work
    # Ctrl-C reaches the whole group of processes; the one that started this one decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    try:
        work(connection, shared)
    except (EOFError, OSError):
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
