"""Fits side by side: who makes which, what their runs are told, and what becomes of those that fail."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.base import FitContext
from tests.corpora import row_of, rows_of, text_of, write_jsonl
from training import ahead
from training.ahead import Ahead, Ended, Logged, Message, Run, Task, make, places, side_by_side
from training.config_file import load_config
from training.crew import Failed
from training.prepare import Corpora, Prepared, prepare
from training.resume import UnderWay
from training.rivals import fits_of

ROOT = Path(__file__).resolve().parents[3]
Script = Callable[[Task], Sequence[Message | Failed]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("ahead") / "a.jsonl", rows_of(90))


def prepared(corpus: Path, task: str, family: str, *settings: str) -> Prepared:
    more = [f"data.path={corpus}", f"data.codebook={ROOT / 'data/codebook.yaml'}", "extra_data=[]", *settings]
    config = load_config(str(ROOT / f"configs/{task}-{family}.yaml"), more)
    return prepare(config, Corpora(), lambda step: None)


class FakeCrew:
    """Tells, for each task, what a script says, a message of every worker at a time; workers are numbers."""

    script: Script
    made: list[FakeCrew]

    def __init__(self, work: object, shared: tuple[Run, ...], size: int, threads: int) -> None:
        self.size, self.threads = size, threads
        self.given: list[Task] = []
        self.closed = False
        self._idle = list(range(size))
        self._busy: dict[int, Iterator[Message | Failed]] = {}
        FakeCrew.made.append(self)

    @property
    def idle(self) -> bool:
        return bool(self._idle)

    def give(self, task: Task) -> int:
        worker = self._idle.pop(0)
        self.given.append(task)
        self._busy[worker] = iter(FakeCrew.script(task))
        return worker

    def told(self, seconds: float) -> Iterator[tuple[int, Message | Failed]]:
        for worker, messages in list(self._busy.items()):
            message = next(messages)
            if isinstance(message, Failed):
                self.rest(worker)
            yield worker, message

    def rest(self, worker: int) -> None:
        del self._busy[worker]
        self._idle.append(worker)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], None]:
    FakeCrew.made = []
    monkeypatch.setattr(ahead, "Crew", FakeCrew)

    def use(script: Script) -> None:
        FakeCrew.script = staticmethod(script)

    return use


def run_of(corpus: Path, folder: Path, *settings: str, task: str = "stance") -> Run:
    return Run(prepared(corpus, task, "encoder", *settings), UnderWay(folder, None))


class Heard:
    """Contexts of a run's fits, and what was logged through them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.logged: list[tuple[int, dict[str, float]]] = []

    def of(self, name: str) -> FitContext:
        return self._run.kept.context(name, self._log)

    def _log(self, step: int, figures: Mapping[str, float]) -> None:
        self.logged.append((step, dict(figures)))


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_what_runs_learn_from_reaches_the_processes(corpus: Path, tmp_path: Path, task: str) -> None:
    more = write_jsonl(
        tmp_path / "more.jsonl",
        [row_of(n, id=f"m{n}", text=text_of(f"more {n}"), stances=[]) for n in range(9)],
    )
    whole = prepared(corpus, task, "encoder", f"extra_data=[{{path: {more}}}]")
    sent = pickle.loads(pickle.dumps(Run(whole, UnderWay(tmp_path))))  # noqa: S301 - our own, to be sent
    assert [one.name for one in fits_of(sent.prepared)] == [one.name for one in fits_of(whole)]
    for ours, theirs in zip(fits_of(whole), fits_of(sent.prepared), strict=True):
        assert theirs.parts.train.examples == ours.parts.train.examples
        assert theirs.rows_an_epoch == ours.rows_an_epoch
    assert next(fits_of(sent.prepared)).rows_an_epoch > len(whole.parts.train)


@pytest.mark.parametrize(
    ("n_fits", "cores", "at_once", "wanted"),
    [
        (3, 2, None, (2, 1)),
        (1, 8, None, (1, 8)),
        (0, 2, None, (1, 2)),
        (5, 1, None, (1, 1)),
        (3, 4, None, (2, 2)),
        (3, 3, None, (3, 1)),
        (9, 64, None, (4, 16)),
        (2, 4, 1, (1, 4)),
        (2, 4, 3, (2, 2)),
        (6, 2, 5, (5, 1)),
    ],
)
def test_no_core_is_idle_and_none_is_shared_by_two_fits_unless_asked(
    n_fits: int, cores: int, at_once: int | None, wanted: tuple[int, int]
) -> None:
    assert places(n_fits, cores, at_once) == wanted


def test_models_come_before_what_they_are_judged_beside(
    corpus: Path, tmp_path: Path, scripted: Callable[[Script], None]
) -> None:
    scripted(lambda task: [Logged(1, {"loss": task.run}), Ended()])
    runs = [run_of(corpus, tmp_path / "a"), run_of(corpus, tmp_path / "b", task="topics")]
    with side_by_side(runs, 2) as found:
        assert found is not None
        heard = [Heard(run) for run in runs]
        done = [found.finish(heard[0].of("model")), found.finish(heard[1].of("model"))]
        done.append(found.finish(heard[0].of("target-blind")))
    (crew,) = FakeCrew.made
    assert crew.given == [Task(0, "model"), Task(1, "model"), Task(0, "target-blind")]
    assert [one.logged for one in heard] == [[(1, {"loss": 0}), (1, {"loss": 0})], [(1, {"loss": 1})]]
    # All was told: what the run's own fit says of the end that it finds is not.
    for context in done:
        context.log(9, {"loss": 9})
    assert all(step == 1 for one in heard for step, _ in one.logged)
    assert crew.closed


@pytest.mark.parametrize("died", [False, True])
def test_a_fit_that_failed_is_left_to_its_run(
    corpus: Path,
    tmp_path: Path,
    scripted: Callable[[Script], None],
    caplog: pytest.LogCaptureFixture,
    died: bool,
) -> None:
    scripted(
        lambda task: (
            [Logged(1, {"loss": 1}), Failed("it was killed", died=died)]
            if task.name == "model"
            else [Ended()]
        )
    )
    run = run_of(corpus, tmp_path)
    heard = Heard(run)
    with side_by_side([run], 2) as found:
        assert found is not None
        context = heard.of("model")
        assert found.finish(context) is context
        assert heard.logged == [(1, {"loss": 1})]
        blind = found.finish(heard.of("target-blind"))
    blind.log(1, {"loss": 5})
    assert heard.logged == [(1, {"loss": 1})]
    # What its rows or settings are to blame for, the run meets itself, and says.
    assert ("fit model of run 0: it was killed; its run goes on with it" in caplog.text) is died


def test_what_nobody_makes_is_not_waited_for(
    corpus: Path, tmp_path: Path, scripted: Callable[[Script], None]
) -> None:
    scripted(lambda task: [Ended()])
    run = run_of(corpus, tmp_path)
    with side_by_side([run], 2) as found:
        assert isinstance(found, Ahead)
        for folder in (None, tmp_path / "elsewhere"):
            context = FitContext(checkpoints=folder)
            assert found.finish(context) is context


@pytest.mark.parametrize(
    ("at_once", "settings", "environment"),
    [
        pytest.param(1, (), {}, id="one at a time is asked for"),
        pytest.param(None, (), {}, id="rows are few"),
        pytest.param(4, (), {"WORLD_SIZE": "2"}, id="torchrun's processes share every step"),
        pytest.param(4, ("model.target_blind=true",), {}, id="there is one fit"),
    ],
)
def test_fits_come_one_after_the_other_where(
    corpus: Path,
    tmp_path: Path,
    scripted: Callable[[Script], None],
    monkeypatch: pytest.MonkeyPatch,
    at_once: int | None,
    settings: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    scripted(lambda task: [Ended()])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with side_by_side([run_of(corpus, tmp_path, *settings)], at_once) as found:
        assert found is None
    assert FakeCrew.made == []


def test_families_that_keep_no_checkpoints_are_left_to_their_runs(
    corpus: Path, scripted: Callable[[Script], None]
) -> None:
    scripted(lambda task: [Ended()])
    with side_by_side([Run(prepared(corpus, "stance", "linear"), UnderWay())], 4) as found:
        assert found is None


@pytest.mark.parametrize(
    ("settings", "omp", "cores", "wanted"),
    [
        ((), None, 4, (2, 2)),
        ((), "2", 4, (2, 1)),
        (("model.threads=3",), None, 8, (2, 1)),
        ((), "1", 4, None),
    ],
)
def test_cores_are_shared_as_far_as_the_user_lends_them(
    corpus: Path,
    tmp_path: Path,
    scripted: Callable[[Script], None],
    monkeypatch: pytest.MonkeyPatch,
    settings: tuple[str, ...],
    omp: str | None,
    cores: int,
    wanted: tuple[int, int] | None,
) -> None:
    scripted(lambda task: [Ended()])
    monkeypatch.setattr(ahead, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if omp:
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
    with side_by_side([run_of(corpus, tmp_path, *settings)], None):
        pass
    assert [(crew.size, crew.threads) for crew in FakeCrew.made] == ([wanted] if wanted else [])


def test_a_process_makes_what_it_is_told_and_says_what_it_cannot(corpus: Path) -> None:
    runs = [
        Run(prepared(corpus, "topics", "linear", *settings), UnderWay())
        for settings in (["evaluation.random_split=true"], ["model.min_documents=5000"])
    ]
    end: Any = End([Task(0, "model"), Task(1, "model"), Task(0, "random-split")])
    with pytest.raises(EOFError):
        make(end, runs)
    made, failed, split = end.told
    assert (made, split) == (Ended(), Ended())
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("FitError: wanted a term in at least 5000 training rows")


class End:
    """An end of a pipe, closed behind the last task; it keeps what is sent."""

    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks
        self.told: list[Message | Failed] = []

    def recv(self) -> Task:
        if not self._tasks:
            raise EOFError
        return self._tasks.pop(0)

    def send(self, message: Message | Failed) -> None:
        self.told.append(message)
