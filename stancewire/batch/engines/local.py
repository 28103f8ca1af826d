"""The local engine: worker processes on this machine, each with the models loaded once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait

from stancewire.batch.engines.blame import found_guilty
from stancewire.batch.engines.process import Task, Worker
from stancewire.batch.rows import Shard
from stancewire.batch.staging import Staged
from stancewire.batch.work import Work
from stancewire.errors import StancewireError

# So often may workers die over one shard, or before they have loaded the models, for no row's fault.
MAX_DEATHS = 3


def run_local(
    shards: Iterable[Shard], work: Work, *, workers: int = 1, row_seconds: float | None = None
) -> Iterator[Staged]:
    """Work on shards in processes of this machine; stopping the iterator ends them.

    A worker that dies is replaced, and its shard done anew. If one dies there again, the row that kills it is
    looked for and rejected, and all others are read.

    Args:
        shards: taken as they are needed, one more at most than there are workers.
        work: what is to be done with them.
        workers: how many processes.
        row_seconds: a row that takes longer is rejected; None waits for ever.

    Raises:
        StancewireError: if a model cannot be loaded, a file cannot be written, or workers keep dying for no
            row's fault.
    """
    pool = Pool(work, workers, row_seconds)
    try:
        yield from pool.run(shards)
    finally:
        pool.end()


class Pool:
    """Worker processes, started as there is work for them, that stay until they are ended.

    Args:
        work: what is to be done with shards.
        size: how many processes.
        row_seconds: a row that takes longer is rejected; None waits for ever.
    """

    def __init__(self, work: Work, size: int, row_seconds: float | None) -> None:
        self._shards: Iterator[Shard] = iter(())
        self._work = work
        self._size = size
        self._row_seconds = row_seconds
        self._workers: list[Worker] = []
        self._waiting: deque[Task] = deque()
        self._early_deaths = 0

    def run(self, shards: Iterable[Shard]) -> Iterator[Staged]:
        """Yield what workers are done with, until there is nothing left to do; may be called again then.

        Raises:
            StancewireError: as `run_local`; the pool must be ended then.
        """
        self._shards = iter(shards)
        while True:
            self._assign()
            if not self._waiting and not any(worker.task for worker in self._workers):
                return
            ready = wait([worker.connection for worker in self._workers], self._seconds_left())
            for worker in list(self._workers):
                if worker.connection in ready:
                    if (staged := self._heard(worker)) is not None:
                        yield staged
                elif self._limit(worker) is not None and self._overdue(worker) >= 0:
                    self._died(worker, is_late=True)

    def end(self) -> None:
        """End all workers, whatever they are at."""
        for worker in self._workers:
            worker.hang_up()
        for worker in self._workers:
            worker.end()

    def _assign(self) -> None:
        """Give every idle worker a shard, have one more at hand, and as many workers as there is work for."""
        for worker in list(self._workers):
            if worker.is_ready and worker.task is None and self._take(1):
                worker.task = self._waiting.popleft()
                try:
                    worker.ask(worker.task.shard)
                except OSError:
                    self._died(worker)
        idle = sum(worker.task is None for worker in self._workers)
        self._take(max(1, self._size - len(self._workers) + idle))
        while len(self._workers) < self._size and idle < len(self._waiting):
            self._workers.append(Worker(self._work))
            idle += 1

    def _take(self, wanted: int) -> bool:
        """Read so many shards ahead; tell whether there is any."""
        while len(self._waiting) < wanted and (shard := next(self._shards, None)) is not None:
            self._waiting.append(Task(shard))
        return bool(self._waiting)

    def _heard(self, worker: Worker) -> Staged | None:
        """Take a worker's message; return its shard if that is done."""
        message = worker.receive()
        if message is None:
            self._died(worker)
            return None
        if "failed" in message:
            raise StancewireError(message["failed"])
        if "staged" not in message:
            return None
        worker.task = None
        self._assign()  # before the caller puts this shard in place, which takes a while
        return Staged.from_json(message["staged"])

    def _died(self, worker: Worker, *, is_late: bool = False) -> None:
        """Bury a worker, and have its shard done by another one."""
        self._workers.remove(worker)
        how = worker.end()
        task = worker.task
        if task is None:
            self._early_deaths += not worker.is_ready
            if self._early_deaths >= MAX_DEATHS:
                raise StancewireError(
                    f"worker processes end ({how}) before they have loaded the models; try fewer --workers"
                )
            return
        task.deaths += 1
        if is_late:
            detail = f"took longer than {self._row_seconds:g} s"
            self._search(task, worker.window, "too_slow", detail)
        elif task.deaths > 1:
            self._search(task, worker.window, "killed_worker", f"the process that read it ended ({how})")
        if task.deaths > MAX_DEATHS:
            rows = task.shard.rows
            raise StancewireError(
                f"worker processes end ({how}) between lines {rows[0].line:,} and {rows[-1].line:,}, though "
                "each row passes alone; give them more memory, or try fewer --workers"
            )
        self._waiting.appendleft(task)

    def _search(self, task: Task, window: tuple[int, int] | None, reason: str, detail: str) -> None:
        """Find the rows of a window over which workers die, and reject them."""
        if window is None:
            return
        guilty = found_guilty(task.shard, window, self._work, self._row_seconds)
        if guilty:
            task.shard = Shard(
                task.shard.number,
                [
                    row._replace(data=None, reason=reason, detail=detail) if position in guilty else row
                    for position, row in enumerate(task.shard.rows)
                ],
            )
            task.deaths = 1
        elif reason == "too_slow":
            task.is_patient = True

    def _limit(self, worker: Worker) -> float | None:
        """Return how long a worker may take for what it is at."""
        if self._row_seconds is None or worker.task is None or worker.window is None:
            return None
        first, last = worker.window
        return self._row_seconds * (last - first + 1 if worker.task.is_patient else 1)

    def _overdue(self, worker: Worker) -> float:
        return time.monotonic() - worker.since - (self._limit(worker) or 0)

    def _seconds_left(self) -> float | None:
        left = [-self._overdue(worker) for worker in self._workers if self._limit(worker) is not None]
        return max(0.0, min(left)) if left else None
