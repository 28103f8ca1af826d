"""Find the row that kills workers, or keeps them too long."""

from __future__ import annotations

import time
from collections.abc import Sequence

from stancewire.batch.engines.process import Worker
from stancewire.batch.rows import Shard
from stancewire.batch.work import Work
from stancewire.errors import StancewireError


def found_guilty(
    shard: Shard, window: tuple[int, int], work: Work, row_seconds: float | None
) -> frozenset[int]:
    """Return the positions of the rows over which a worker dies, or takes too long, alone.

    Args:
        shard: a worker died over it.
        window: the first and last position that it was at.
        work: what is done with the rows.
        row_seconds: how long a row may take.
    """
    suspects = [
        position
        for position in range(window[0], window[1] + 1)
        if shard.rows[position].data is not None and shard.rows[position].copy_of is None
    ]
    trial = _Trial(shard, work, row_seconds)
    try:
        # All together they are known to be guilty.
        return frozenset(suspects if len(suspects) == 1 else trial.parts(suspects))
    finally:
        trial.end()


class _Trial:
    """Tries rows in a worker of its own, a new one after each death."""

    def __init__(self, shard: Shard, work: Work, row_seconds: float | None) -> None:
        self._shard = shard
        self._work = work
        self._row_seconds = row_seconds
        self._worker: Worker | None = None

    def parts(self, suspects: Sequence[int]) -> list[int]:
        """Return the guilty ones of several rows, by halves."""
        middle = len(suspects) // 2
        return [*self._guilty(suspects[:middle]), *self._guilty(suspects[middle:])]

    def end(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _guilty(self, suspects: Sequence[int]) -> list[int]:
        if self._passes(suspects):
            return []
        return list(suspects) if len(suspects) == 1 else self.parts(suspects)

    def _passes(self, suspects: Sequence[int]) -> bool:
        """Tell whether a worker survives these rows in time."""
        if self._worker is None:
            self._worker = Worker(self._work)
        worker = self._worker
        rows = [self._shard.rows[position] for position in suspects]
        asked = False
        while True:
            if worker.is_ready and not asked:
                worker.ask(Shard(self._shard.number, rows), only_probe=True)
                asked = True
            if not worker.connection.poll(self._seconds_left(worker)):
                self.end()
                return False
            message = worker.receive()
            if message is None:
                self.end()
                if not asked:
                    raise StancewireError("worker processes end before they have loaded the models")
                return False
            if "failed" in message:
                raise StancewireError(message["failed"])
            if "probed" in message:
                return True

    def _seconds_left(self, worker: Worker) -> float | None:
        if self._row_seconds is None or worker.window is None:
            return None
        return max(0.0, worker.since + self._row_seconds - time.monotonic())
