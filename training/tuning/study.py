"""The trials of a sweep, kept by Optuna in an SQLite file that one process at a time writes.

A trial has an ordinal, its place in the sweep. What is drawn for it follows from the seed, the ordinal and
the trials that ended before; so a sweep that was stopped and taken up again goes on as if it never had been.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import StorageInternalError
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from stancewire.errors import InputError
from training.tuning.config import Range
from training.tuning.load import Sweep
from training.tuning.same import check_same
from training.yaml import Plain

_ORDINAL, _STOPPED, _REASON, _FOLDS, _RUN = "ordinal", "stopped", "reason", "folds", "mlflow_run"
_SECONDS_LOCKED = 60.0
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Ended:
    """A trial that is over.

    Attributes:
        ordinal: its place in the sweep, from 0.
        state: "COMPLETE", "PRUNED" or "FAIL".
        score: over all folds, or those before it was given up; None where it failed.
        drawn: values by dotted path.
        reason: why it failed; else "".
    """

    ordinal: int
    state: str
    score: float | None
    drawn: Mapping[str, Plain]
    reason: str


class Trial:
    """A trial under way."""

    def __init__(self, trial: optuna.Trial, ordinal: int, drawn: Mapping[str, Plain]) -> None:
        self._trial = trial
        self.ordinal = ordinal
        self.drawn = drawn
        self.scores: list[float] = []
        self.running = float("nan")

    def ran_as(self, run_id: str) -> None:
        """Note the MLflow run."""
        self._trial.set_user_attr(_RUN, run_id)

    def report(self, fold: float, running: float) -> bool:
        """Note the scores after one more fold; return whether the trial should be given up."""
        self.scores.append(fold)
        self.running = running
        self._trial.set_user_attr(_FOLDS, self.scores)
        self._trial.report(running, len(self.scores) - 1)
        return self._trial.should_prune()


class Trials:
    """The trials of one sweep."""

    def __init__(self, study: Study, storage: RDBStorage, sweep: Sweep) -> None:
        self._study, self._storage, self._sweep = study, storage, sweep
        self._space = {path: _distribution(drawn) for path, drawn in sweep.tune.space.items()}

    def begin(self) -> Trial | None:
        """Draw the settings of the next trial; None where none is left to begin."""
        waiting = self._in((TrialState.WAITING,))
        ordinal = waiting[0].user_attrs[_ORDINAL] if waiting else self._free()
        if ordinal is None:
            return None
        seed = np.random.SeedSequence([self._sweep.config.seed, ordinal]).generate_state(1)[0]
        self._study.sampler = TPESampler(seed=int(seed))
        trial = self._study.ask(self._space)
        trial.set_user_attr(_ORDINAL, ordinal)
        return Trial(trial, ordinal, self._values(trial.params))

    def complete(self, trial: Trial) -> None:
        """Note that a trial was judged on all folds."""
        self._study.tell(trial._trial, trial.running)

    def prune(self, trial: Trial) -> None:
        """Note that a trial was given up."""
        self._study.tell(trial._trial, state=TrialState.PRUNED)

    def fail(self, trial: Trial, reason: str) -> None:
        """Note that a trial cannot be judged, and why."""
        trial._trial.set_user_attr(_REASON, reason)
        self._study.tell(trial._trial, state=TrialState.FAIL)

    def stop_running(self) -> list[str]:
        """Mark trials that somebody stopped as failed, and have them tried again with the same settings.

        Returns:
            The MLflow runs of the trials that were stopped.
        """
        study_id = self._storage.get_study_id_from_name(self._study.study_name)
        stopped = self._in((TrialState.RUNNING,))
        for trial in stopped:
            number = self._storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)
            self._storage.set_trial_user_attr(number, _STOPPED, True)
            self._study.tell(trial.number, state=TrialState.FAIL)
            ordinal = trial.user_attrs.get(_ORDINAL)
            if ordinal is not None and trial.params.keys() == self._space.keys():
                self._study.enqueue_trial(trial.params, user_attrs={_ORDINAL: ordinal})
        return [trial.user_attrs[_RUN] for trial in stopped if _RUN in trial.user_attrs]

    def ended(self) -> list[Ended]:
        """Return the trials that are over, by ordinal; those that were stopped do not count."""
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        found = [trial for trial in self._in(states) if _STOPPED not in trial.user_attrs]
        return sorted(map(self._ended, found), key=lambda trial: trial.ordinal)

    def best(self) -> Ended | None:
        """Return the complete trial with the highest score; of equals the first."""
        complete = [trial for trial in self.ended() if trial.state == "COMPLETE"]
        return max(complete, key=lambda trial: (trial.score or 0.0, -trial.ordinal), default=None)

    def noted(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return what was noted of the sweep under this name; None where nothing was."""
        return self._study.user_attrs.get(name)

    def note(self, name: str, value: object) -> None:
        """Note something of the sweep, as JSON."""
        self._study.set_user_attr(name, value)

    def _in(self, states: tuple[TrialState, ...]) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)

    def _free(self) -> int | None:
        """Return the first ordinal that no trial has."""
        trials = self._study.get_trials(deepcopy=False)
        held = {trial.user_attrs.get(_ORDINAL) for trial in trials if _STOPPED not in trial.user_attrs}
        return next((number for number in range(self._sweep.tune.trials) if number not in held), None)

    def _values(self, params: Mapping[str, Any]) -> dict[str, Plain]:
        space = self._sweep.tune.space
        return {
            path: json.loads(params[path]) if space[path].kind == "choice" else params[path] for path in space
        }

    def _ended(self, trial: FrozenTrial) -> Ended:
        attributes = trial.user_attrs
        score = None if trial.state == TrialState.FAIL else trial.value
        drawn, reason = self._values(trial.params), attributes.get(_REASON, "")
        return Ended(attributes[_ORDINAL], trial.state.name, score, drawn, reason)


@contextmanager
def open_trials(sweep: Sweep, digest: str) -> Iterator[Trials]:
    """Open the trials of a sweep, making their file if need be; no other process can until this one is done.

    Args:
        sweep: whose trials.
        digest: of the rows that it learns from.

    Raises:
        InputError: if the file cannot be used, another process uses it, or it holds another sweep.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _told(sweep.storage, OSError):
        _check_file(sweep.storage)
        sweep.storage.parent.mkdir(parents=True, exist_ok=True)
        lock = sweep.storage.with_name(f"{sweep.storage.name}.lock").open("a")
    with lock:
        _keep_out_others(lock, sweep.storage)
        with _told(sweep.storage, SQLAlchemyError, RuntimeError, StorageInternalError):
            storage = RDBStorage(
                f"sqlite:///{sweep.storage}", engine_kwargs={"connect_args": {"timeout": _SECONDS_LOCKED}}
            )
            study = _study(storage, sweep)
        try:
            check_same(study, sweep, digest)
            with _told(sweep.storage, StorageInternalError):
                yield Trials(study, storage, sweep)
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _study(storage: RDBStorage, sweep: Sweep) -> Study:
    pruner: BasePruner = MedianPruner() if sweep.tune.pruner == "median" else NopPruner()
    return optuna.create_study(
        storage=storage,
        study_name=sweep.config.name,
        direction="maximize",
        pruner=pruner,
        load_if_exists=True,
    )


def _keep_out_others(lock: IO[str], file: Path) -> None:
    """Lock: of two sweeps that write one file, each would take the other's trials for stopped ones."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"{file}: wanted a file that no other sweep uses, one does now; wait for it, or name another "
            "file in tune.storage"
        ) from None


def _check_file(file: Path) -> None:
    """Refuse what is no database before anything is made beside it."""
    if file.exists():
        with file.open("rb") as opened:
            if opened.read(len(_MAGIC)) not in (b"", _MAGIC):
                raise OSError("it is no SQLite database")


@contextmanager
def _told(file: Path, *failures: type[Exception]) -> Iterator[None]:
    """Tell failures of the file in one line."""
    try:
        yield
    except failures as error:
        reason = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{file}: wanted a file of trials that can be read and written: {reason}; name another one in "
            "tune.storage"
        ) from error


def _distribution(drawn: Range) -> BaseDistribution:
    if drawn.kind == "choice":
        # As text: to Optuna 1, 1.0 and true are one choice, and a list is none.
        return CategoricalDistribution([json.dumps(value, sort_keys=True) for value in drawn.values])
    low, high = drawn.values
    log = drawn.kind.startswith("log_")
    if drawn.kind.endswith("int"):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)
