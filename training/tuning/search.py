"""The search: begin trials while workers are idle, tell Optuna and MLflow each score, give up poor ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from stancewire.errors import InputError
from training.crew import Failed, Worker
from training.tuning.folds import Ground, Scored
from training.tuning.load import Sweep
from training.tuning.study import Ended, Trial, Trials
from training.tuning.track import SweepRun
from training.tuning.workers import Triers
from training.yaml import ConfigError

_BASELINE = "baseline"
# Between two looks at the clock, where no worker says anything.
_SECONDS = 1.0

Progress = Callable[[int, float | None], None]


@dataclass(frozen=True)
class Baseline:
    """The config as it stands, judged as its trials are.

    Attributes:
        score: macro-F1; None where it failed.
        reason: why it failed; else "".
    """

    score: float | None
    reason: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        best: the trial with the highest score.
        ended: all trials that are over, by ordinal.
        baseline: how the config as it stands does.
    """

    best: Ended
    ended: tuple[Ended, ...]
    baseline: Baseline


@dataclass
class _Standing:
    """The config as it stands, under way on a worker."""

    running: float = float("nan")
    folds: int = 0


@dataclass
class _Tried:
    """A trial under way on a worker, and its MLflow run."""

    trial: Trial
    run_id: str


class Search:
    """One call's share of a sweep.

    Args:
        sweep: what is searched.
        ground: what trials are judged on.
        trials: of this and earlier calls.
        run: MLflow's parent run.
        progress: told how many trials are over and the best score so far.
    """

    def __init__(
        self, sweep: Sweep, ground: Ground, trials: Trials, run: SweepRun, progress: Progress
    ) -> None:
        self._sweep, self._ground, self._trials, self._run = sweep, ground, trials, run
        self._progress = progress
        self._busy: dict[Worker, _Tried | _Standing] = {}
        seconds = sweep.tune.timeout_seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    def find(self) -> Found:
        """Make the trials that are left and return the best one of all.

        Raises:
            InputError: if no trial could be judged.
        """
        self._run.stopped(self._trials.stop_running())
        self._tell()
        if len(self._trials.ended()) < self._sweep.tune.trials or self._trials.noted(_BASELINE) is None:
            self._make()
        ended, best = tuple(self._trials.ended()), self._trials.best()
        if best is None:
            raise InputError(self._none(ended))
        return Found(best, ended, Baseline(**self._trials.noted(_BASELINE)))

    def _make(self) -> None:
        crew = Triers(self._ground, self._sweep.tune.workers)
        try:
            if self._trials.noted(_BASELINE) is None:
                self._busy[crew.give(self._sweep.config)] = _Standing()
            while self._fill(crew) or self._busy:
                for worker, message in crew.told(_SECONDS):
                    if isinstance(message, Failed):
                        self._failed(worker, message)
                    else:
                        crew.go_on(worker, self._scored(worker, message))
        finally:
            crew.close()
            # Ctrl-C, or MLflow that went away: what was under way is tried again by the next call.
            self._run.stopped(self._trials.stop_running())

    def _fill(self, crew: Triers) -> bool:
        """Begin trials on all idle workers; return whether any was begun."""
        begun = False
        while crew.idle and (self._until is None or time.monotonic() < self._until):
            trial = self._trials.begin()
            if trial is None:
                break
            begun = True
            run_id = self._run.begin(trial.ordinal, trial.drawn)
            trial.ran_as(run_id)
            try:
                config = self._sweep.run(trial.drawn)
            except ConfigError as error:
                self._give_up(_Tried(trial, run_id), "; ".join(error.problems))
                continue
            self._busy[crew.give(config)] = _Tried(trial, run_id)
        return begun

    def _scored(self, worker: Worker, score: Scored) -> bool:
        """Take in a score; return whether the worker should go on to the next fold."""
        what = self._busy[worker]
        if isinstance(what, _Standing):
            what.running, what.folds = score.running, what.folds + 1
            if what.folds < len(self._ground.cuts):
                return True
            self._trials.note(_BASELINE, {"score": what.running})
            self._run.metrics({"baseline/macro_f1": what.running})
        else:
            poor = what.trial.report(score.fold, score.running)
            self._run.fold(what.run_id, len(what.trial.scores) - 1, score.fold, score.running)
            whole = len(what.trial.scores) == len(self._ground.cuts)
            if not whole and not poor:
                return True
            self._end(what, "COMPLETE" if whole else "PRUNED")
        del self._busy[worker]
        return False

    def _end(self, tried: _Tried, state: str) -> None:
        (self._trials.complete if state == "COMPLETE" else self._trials.prune)(tried.trial)
        self._run.end(tried.run_id, state, tried.trial.running)
        self._tell()

    def _failed(self, worker: Worker, message: Failed) -> None:
        what = self._busy.pop(worker)
        if isinstance(what, _Standing):
            self._trials.note(_BASELINE, {"score": None, "reason": message.reason})
        else:
            self._give_up(what, message.reason)

    def _give_up(self, tried: _Tried, reason: str) -> None:
        self._trials.fail(tried.trial, reason)
        self._run.end(tried.run_id, "FAIL", reason=reason)
        self._tell()

    def _tell(self) -> None:
        best = self._trials.best()
        self._progress(len(self._trials.ended()), best.score if best else None)

    def _none(self, ended: tuple[Ended, ...]) -> str:
        failed = [trial for trial in ended if trial.state == "FAIL"]
        if failed:
            found, advice = f"{len(failed)} failed, the first one: {failed[0].reason}", "mend tune.space"
        else:
            found, advice = (
                f"none in {self._sweep.tune.timeout_seconds:g} seconds",
                "give tune.timeout_seconds more",
            )
        return f"{self._sweep.storage}: wanted a trial that was judged on all folds, {found}; {advice}"
