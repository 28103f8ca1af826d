"""The search, with workers that tell what a test has them tell: what is tried, given up, failed and told."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from stancewire.errors import InputError
from training.config import RunConfig
from training.crew import Failed
from training.tuning import search
from training.tuning.folds import Scored
from training.tuning.load import Sweep, load_sweep
from training.tuning.search import Found, Search
from training.tuning.study import open_trials

FOLDS = 3
Told = list[Scored | Failed]


class FakeCrew:
    """Tells, for each config, what a script says; workers are numbers."""

    script: Callable[[RunConfig], Told]

    def __init__(self, ground: object, size: int) -> None:
        self.free = list(range(size))
        self.under_way: dict[int, Iterator[Scored | Failed]] = {}
        self.at_once = 0
        crews.append(self)

    @property
    def idle(self) -> bool:
        return bool(self.free)

    def give(self, config: RunConfig) -> int:
        worker = self.free.pop(0)
        self.under_way[worker] = iter(type(self).script(config))
        self.at_once = max(self.at_once, len(self.under_way))
        return worker

    def told(self, seconds: float) -> Iterator[tuple[int, Scored | Failed]]:
        for worker, messages in list(self.under_way.items()):
            message = next(messages)
            if isinstance(message, Failed):
                self._rest(worker)
            yield worker, message

    def go_on(self, worker: int, further: bool) -> None:
        if not further:
            self._rest(worker)

    def close(self) -> None:
        self.free = []

    def _rest(self, worker: int) -> None:
        del self.under_way[worker]
        self.free.append(worker)


crews: list[FakeCrew] = []


class FakeRun:
    """Keeps what MLflow is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.numbers = itertools.count()

    def begin(self, ordinal: int, settings: dict[str, object]) -> str:
        self.told.append(("begin", ordinal, sorted(settings)))
        return f"run {next(self.numbers)}"

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **named: self.told.append((name, *args, *named.values()))


def scored(*values: float) -> Told:
    return [Scored(value, value) for value in values]


def sweep_of(folder: Path, *settings: str) -> Sweep:
    (folder / "c.yaml").write_text(
        "task: topics\ntune: {trials: 7, space: {model.max_terms: {int: [1, 100000]}}}\n"
    )
    return load_sweep(folder / "c.yaml", [f"output={folder}", *settings])


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    crews.clear()
    monkeypatch.setattr(search, "Triers", FakeCrew)


def find(
    sweep: Sweep,
    script: Callable[[RunConfig], Told],
    progress: Callable[[int, float | None], None] = lambda done, best: None,
) -> tuple[Found, FakeRun]:
    FakeCrew.script = staticmethod(script)
    run = FakeRun()
    with open_trials(sweep, "d") as trials:
        return Search(sweep, ground(), trials, run, progress).find(), run  # type: ignore[arg-type]


def ground() -> Any:  # noqa: ANN401 - only its cuts are counted
    return SimpleNamespace(cuts=(None,) * FOLDS)


def in_turn(*told: Told) -> Callable[[RunConfig], Told]:
    """Tell these to the configs in turn."""
    left = list(told)
    return lambda config: left.pop(0)


def test_every_trial_is_judged_on_all_folds_or_given_up_and_all_is_told(tmp_path: Path) -> None:
    shown: list[tuple[int, float | None]] = []
    script = in_turn(
        scored(0.1, 0.2, 0.35),
        *(scored(0.5, 0.5, 0.5 + n / 100) for n in range(4)),
        [Scored(0.5, 0.5), Failed("FitError: no term is left")],
        scored(0.6, 0.6, 0.52),
        scored(0.4, 0.9, 0.9),
    )
    found, run = find(sweep_of(tmp_path), script, lambda *told: shown.append(told))
    assert [trial.state for trial in found.ended] == [
        *["COMPLETE"] * 4,
        "FAIL",
        "COMPLETE",
        # Five were complete before it, and 0.4 is below the median of their first folds.
        "PRUNED",
    ]
    assert (found.best.ordinal, found.best.score) == (3, 0.53)
    assert (found.baseline.score, found.baseline.reason) == (0.35, "")
    assert shown[0] == (0, None)
    assert shown[-1] == (7, 0.53)
    begun = [told for told in run.told if told[0] == "begin"]
    assert begun == [("begin", ordinal, ["model.max_terms"]) for ordinal in range(7)]
    assert ("metrics", {"baseline/macro_f1": 0.35}) in run.told
    assert [told[2:] for told in run.told if told[:2] == ("fold", "run 0")] == [
        (0, 0.5, 0.5),
        (1, 0.5, 0.5),
        (2, 0.5, 0.5),
    ]
    assert [told for told in run.told if told[0] == "end"] == [
        *[("end", f"run {n}", "COMPLETE", 0.5 + n / 100) for n in range(4)],
        ("end", "run 4", "FAIL", "FitError: no term is left"),
        ("end", "run 5", "COMPLETE", 0.52),
        ("end", "run 6", "PRUNED", 0.4),
    ]


def test_a_trial_is_not_given_up_after_its_last_fold(tmp_path: Path) -> None:
    poor = in_turn(scored(0.1, 0.1, 0.1), *[scored(0.5, 0.5, 0.5)] * 6, scored(0.5, 0.5, 0.1))
    found, _ = find(sweep_of(tmp_path), poor)
    assert [trial.state for trial in found.ended] == ["COMPLETE"] * 7
    assert found.ended[-1].score == 0.1


def test_the_next_call_makes_only_what_is_left(tmp_path: Path) -> None:
    first, _ = find(sweep_of(tmp_path, "tune.trials=2"), in_turn(*[scored(0.1, 0.2, 0.3)] * 3))
    second, run = find(sweep_of(tmp_path, "tune.trials=3"), in_turn(scored(0.1, 0.2, 0.4)))
    assert second.ended[:2] == first.ended
    assert [told[1] for told in run.told if told[0] == "begin"] == [2]
    assert second.baseline == first.baseline
    crews.clear()
    third, _ = find(sweep_of(tmp_path, "tune.trials=3"), in_turn())
    assert third == second
    assert crews == []


def test_workers_try_at_the_same_time_and_no_more_than_there_are(tmp_path: Path) -> None:
    found, _ = find(sweep_of(tmp_path, "tune.workers=3"), lambda config: scored(0.1, 0.2, 0.3))
    assert len(found.ended) == 7
    assert crews[0].at_once == 3


def test_what_is_under_way_when_all_stops_is_tried_again(tmp_path: Path) -> None:
    def broken(config: RunConfig) -> Told:
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(config)
        return scored(0.1, 0.2, 0.3)

    asked: list[RunConfig] = []
    sweep = sweep_of(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        find(sweep, broken)
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{sweep.storage}")
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "FAIL", "WAITING"}
    again: list[RunConfig] = []
    found, _ = find(sweep, lambda config: again.append(config) or scored(0.1, 0.2, 0.3))  # type: ignore[func-returns-value]
    assert len(found.ended) == 7
    assert len(again) == 5
    assert all(config not in asked for config in again)


def test_no_trial_is_begun_when_the_time_is_over_and_the_rest_may_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    found, _ = find(sweep_of(tmp_path, "tune.timeout_seconds=4"), lambda config: scored(0.1, 0.2, 0.3))
    assert 0 < len(found.ended) < 7
    assert {trial.state for trial in found.ended} == {"COMPLETE"}
    monkeypatch.setattr(search, "time", time)
    found, _ = find(sweep_of(tmp_path), lambda config: scored(0.1, 0.2, 0.3))
    assert len(found.ended) == 7


def test_where_all_fail_the_first_reason_is_told(tmp_path: Path) -> None:
    reasons = iter(f"FitError: reason {number}" for number in range(99))
    with pytest.raises(InputError, match="7 failed, the first one: FitError: reason 1; mend"):
        find(sweep_of(tmp_path), lambda config: [Failed(next(reasons))])


def test_where_there_was_no_time_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none in 1e-09 seconds"):
        find(sweep_of(tmp_path, "tune.timeout_seconds=1e-9"), lambda config: scored(0.1, 0.2, 0.3))


def test_a_config_as_it_stands_that_fails_stops_nothing(tmp_path: Path) -> None:
    found, _ = find(
        sweep_of(tmp_path, "tune.trials=1"), in_turn([Failed("FitError: x")], scored(0.1, 0.2, 0.3))
    )
    assert (found.baseline.score, found.baseline.reason) == (None, "FitError: x")
    assert found.best.score == 0.3


def test_values_that_do_not_go_together_fail_their_trial_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweep_of(tmp_path, "tune.trials=3")
    run = Sweep.run
    bad = iter([False, True, False])

    def sometimes(self: Sweep, drawn: dict[str, Any]) -> RunConfig:
        return run(self, drawn | {"model.max_terms": 0} if next(bad) else drawn)

    monkeypatch.setattr(Sweep, "run", sometimes)
    found, told = find(sweep, lambda config: scored(0.1, 0.2, 0.3))
    assert [trial.state for trial in found.ended] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert "model.max_terms: wanted greater than or equal to 1" in found.ended[1].reason
    assert sorted(line[2] for line in told.told if line[0] == "end") == ["COMPLETE", "COMPLETE", "FAIL"]
