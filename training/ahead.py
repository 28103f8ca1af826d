"""Fits that are made side by side, in processes, before the runs come to need them.

On a processor two fits on one core each end sooner than one after the other on both: the steps of a small
model are short, and cores that share one wait for each other. A process leaves a fit as a killed run does, as
checkpoints, and the run that needs it goes on from them. What a process did not end, the run ends itself.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, TypeAlias

from models.base import FitContext, unheard
from models.ranks import n_processes
from models.registry import family
from training.crew import Crew, Failed, Worker
from training.prepare import Prepared
from training.resume import UnderWay
from training.rivals import Fit, fits_of

_LOG = logging.getLogger(__name__)
# A process takes seconds to start: what learns from fewer rows an epoch has ended by then.
_FEWEST_ROWS = 1_000
# Each fit holds a network, its gradients and what the optimiser remembers.
_MOST = 4
# Between two looks, where no process says anything.
_SECONDS = 1.0


@dataclass(frozen=True)
class Run:
    """A run that was opened.

    Attributes:
        prepared: what it learns from.
        kept: what it keeps while it is under way.
    """

    prepared: Prepared
    kept: UnderWay


@dataclass(frozen=True)
class Task:
    """One fit, by the place of its run and its name in it."""

    run: int
    name: str


@dataclass(frozen=True)
class Logged:
    """Figures of a step."""

    step: int
    figures: dict[str, float]


@dataclass(frozen=True)
class Ended:
    """A fit is made; its checkpoints are its end."""


Message: TypeAlias = Logged | Ended


@dataclass
class _Standing:
    """How a fit ended, if it did, and what it told that its run was not told yet."""

    ended: Literal["made", "failed"] | None = None
    told: list[Logged] = field(default_factory=list)


class Ahead:
    """Processes that make the fits of runs, in the order of the tasks.

    Args:
        runs: that will need them.
        tasks: the fits.
        size: how many are made at once.
        threads: of each.
    """

    def __init__(self, runs: Sequence[Run], tasks: Sequence[Task], size: int, threads: int) -> None:
        self._left = deque(tasks)
        self._standing = {task: _Standing() for task in tasks}
        self._by_folder = {_folder(runs[task.run], task.name): task for task in tasks}
        self._busy: dict[Worker, Task] = {}
        self._crew: Crew[tuple[Run, ...], Task, Message] = Crew(make, tuple(runs), size, threads)
        self._fill()

    def finish(self, context: FitContext) -> FitContext:
        """Wait until the fit of these checkpoints is made, and log what it tells.

        Returns:
            The context to fit in: one that logs nothing more, where all was told already.
        """
        task = self._by_folder.get(context.checkpoints)
        if task is None:
            return context
        standing = self._standing[task]
        while True:
            for logged in standing.told:
                context.log(logged.step, logged.figures)
            standing.told.clear()
            if standing.ended:
                return replace(context, log=unheard) if standing.ended == "made" else context
            self._hear()

    def close(self) -> None:
        """End every process, at work or not."""
        self._crew.close()

    def _hear(self) -> None:
        for worker, message in self._crew.told(_SECONDS):
            standing = self._standing[self._busy[worker]]
            if isinstance(message, Logged):
                standing.told.append(message)
                continue
            task = self._busy.pop(worker)
            if isinstance(message, Ended):
                standing.ended = "made"
                self._crew.rest(worker)
            else:
                standing.ended = "failed"
                if message.died:
                    _LOG.warning(
                        "fit %s of run %d: %s; its run goes on with it", task.name, task.run, message.reason
                    )
        self._fill()

    def _fill(self) -> None:
        while self._left and self._crew.idle:
            task = self._left.popleft()
            self._busy[self._crew.give(task)] = task


@contextmanager
def side_by_side(runs: Sequence[Run], at_once: int | None) -> Iterator[Ahead | None]:
    """Make fits of runs side by side while the block runs, where that is worth it.

    Args:
        runs: all that the block will train.
        at_once: fits at once; 1: none side by side; None: as many as the cores carry, of those that are long.
    """
    asked = () if at_once == 1 else enumerate(runs)
    fits = [(Task(number, fit.name), fit) for number, run in asked for fit in _fits(run)]
    if at_once is None:
        fits = [(task, fit) for task, fit in fits if fit.rows_an_epoch >= _FEWEST_ROWS]
    size, threads = places(len(fits), _cores(fits), at_once)
    if size < 2:
        yield None
        return
    first = sorted(fits, key=lambda one: one[1].is_rival)
    ahead = Ahead(runs, [task for task, _ in first], size, threads)
    try:
        yield ahead
    finally:
        ahead.close()


def places(n_fits: int, cores: int, at_once: int | None = None) -> tuple[int, int]:
    """Return how many fits are made at once, and the threads of each, so that as few cores as can be idle.

    Args:
        n_fits: that there are.
        cores: that they may keep busy.
        at_once: fits at once, whatever the cores; None: the most that leave no core idle, if any do.
    """
    sizes = range(1, max(1, min(n_fits, cores, _MOST)) + 1)
    size = max(sizes, key=lambda size: (size * (cores // size), size))
    if at_once is not None:
        size = max(1, min(at_once, n_fits))
    return size, max(1, cores // size)


def make(connection: Connection, runs: Sequence[Run]) -> None:
    """Make the fits that come through a pipe, until it is closed at the other end."""
    while True:
        task: Task = connection.recv()
        run = runs[task.run]

        def log(step: int, figures: Mapping[str, float]) -> None:
            connection.send(Logged(step, dict(figures)))

        try:
            fit = next(fit for fit in fits_of(run.prepared) if fit.name == task.name)
            fit.make(run.prepared.config, run.kept.context(task.name, log))
        except Exception as error:  # whatever it is: the run meets it too, and says so in its own words
            connection.send(Failed.of(error))
        else:
            connection.send(Ended())


def _fits(run: Run) -> Iterator[Fit]:
    """Yield the fits of a run that others can make for it."""
    model = run.prepared.config.model
    kind = family(model.family)
    if n_processes() == 1 and run.kept.folder is not None and kind.on_processor(model):
        yield from fits_of(run.prepared)


def _folder(run: Run, name: str) -> Path | None:
    return run.kept.context(name).checkpoints


def _cores(fits: Sequence[tuple[Task, Fit]]) -> int:
    """Return how many cores fits may keep busy, by what each of them may at most."""
    cores = len(os.sched_getaffinity(0))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    cores = min(cores, max(1, int(asked))) if asked.isdecimal() else cores
    return cores // max((getattr(fit.model, "threads", None) or 1 for _, fit in fits), default=1)
