"""Processes that try settings: each gets the rows once, then one config after another, and tells every score.

They write nothing. Storage and MLflow have one writer, the process that started these.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection

from training.config import RunConfig
from training.crew import Crew, Failed, Worker
from training.tuning.folds import Ground, Scored, scores


class Triers(Crew[Ground, RunConfig, Scored]):
    """Workers that try configs. Each of their scores is to be answered by `go_on`.

    Args:
        ground: what configs are judged on.
        size: number of workers.
    """

    def __init__(self, ground: Ground, size: int) -> None:
        super().__init__(work, ground, size)

    def go_on(self, worker: Worker, further: bool) -> None:
        """Answer a score: try the next fold, or leave this config, for it is given up or through."""
        self.answer(worker, further)
        if not further:
            self.rest(worker)


def work(connection: Connection, ground: Ground) -> None:
    """Try the configs that come through a pipe, until it is closed at the other end."""
    # What settings are too extreme shows in their scores; libraries need not say so between the lines.
    warnings.simplefilter("ignore")
    while True:
        _try(connection.recv(), ground, connection)


def _try(config: RunConfig, ground: Ground, connection: Connection) -> None:
    for message in _messages(config, ground):
        connection.send(message)
        if isinstance(message, Failed) or not connection.recv():
            return


def _messages(config: RunConfig, ground: Ground) -> Iterator[Scored | Failed]:
    try:
        yield from scores(config, ground)
    except Exception as error:  # whatever these settings break, the sweep goes on and says so
        yield Failed.of(error)
