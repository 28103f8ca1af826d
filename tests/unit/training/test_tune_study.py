"""The trials in their file: what is drawn follows from seed and place, what was stopped is done again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest

from stancewire.errors import InputError
from training.tuning.load import Sweep, load_sweep
from training.tuning.study import Ended, Trial, Trials, open_trials
from training.yaml import Plain

TEXT = """\
task: topics
tune:
  trials: 12
  space:
    model.regularisation: {log_uniform: [0.1, 30]}
    model.max_terms: {log_int: [1, 1000]}
    model.min_documents: {int: [1, 5]}
    model.class_weights: {choice: [balanced, null, {sanctions: 2}]}
"""


def sweep_of(folder: Path, *settings: str, text: str = TEXT) -> Sweep:
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    return load_sweep(folder / "c.yaml", [f"output={folder}", *settings])


def value_of(trial: Trial) -> float:
    c, few = trial.drawn["model.regularisation"], trial.drawn["model.min_documents"]
    assert isinstance(c, float)
    assert isinstance(few, int)
    return 1 / (1 + abs(c - 3)) - few / 100


def make(trials: Trials, n: int = 1000) -> None:
    """Complete up to so many trials."""
    for _ in range(n):
        if (trial := trials.begin()) is None:
            return
        trial.report(0.5, value_of(trial))
        trials.complete(trial)


def drawn(ended: Sequence[Ended]) -> list[tuple[int, dict[str, Plain], float | None]]:
    return [(trial.ordinal, dict(trial.drawn), trial.score) for trial in ended]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, dict[str, Plain], float | None]]:
    """The trials of a sweep that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    with open_trials(sweep_of(folder), "d") as trials:
        make(trials)
        return drawn(trials.ended())


def test_trials_are_drawn_from_the_space_and_no_more_than_asked_for(
    whole: list[tuple[int, dict[str, Plain], float | None]],
) -> None:
    assert [ordinal for ordinal, _, _ in whole] == list(range(12))
    for _, values, _ in whole:
        c, terms, few = (values[f"model.{name}"] for name in ("regularisation", "max_terms", "min_documents"))
        assert isinstance(c, float)
        assert 0.1 <= c <= 30
        assert isinstance(terms, int)
        assert isinstance(few, int)
        assert 1 <= terms <= 1000
        assert 1 <= few <= 5
        assert values["model.class_weights"] in ("balanced", None, {"sanctions": 2})
    assert len({str(values) for _, values, _ in whole}) == 12


def test_a_sweep_taken_up_again_and_again_makes_the_same_trials(
    tmp_path: Path, whole: list[tuple[int, dict[str, Plain], float | None]]
) -> None:
    """Past the ten trials that TPE draws at random, too: there it goes by those before."""
    for n in (3, 8, 1000):
        with open_trials(sweep_of(tmp_path), "d") as trials:
            make(trials, n)
    with open_trials(sweep_of(tmp_path), "d") as trials:
        assert drawn(trials.ended()) == whole


def test_another_seed_draws_others(
    tmp_path: Path, whole: list[tuple[int, dict[str, Plain], float | None]]
) -> None:
    with open_trials(sweep_of(tmp_path, "seed=1"), "d") as trials:
        make(trials, 2)
        found = [values for _, values, _ in drawn(trials.ended())]
    assert all(ours != theirs for ours, (_, theirs, _) in zip(found, whole, strict=False))


@pytest.mark.parametrize("stopped_at", [0, 11])
def test_a_trial_that_was_stopped_does_not_count_and_is_tried_again_with_the_same_settings(
    tmp_path: Path, whole: list[tuple[int, dict[str, Plain], float | None]], stopped_at: int
) -> None:
    with open_trials(sweep_of(tmp_path), "d") as trials:
        make(trials, stopped_at)
        left = trials.begin()
        assert left is not None
        left.ran_as("run 1")
        left.report(0.9, 0.9)
    with open_trials(sweep_of(tmp_path), "d") as trials:
        assert trials.stop_running() == ["run 1"]
        assert trials.stop_running() == []
        assert len(trials.ended()) == stopped_at
        again = trials.begin()
        assert again is not None
        assert (again.ordinal, again.drawn) == (left.ordinal, left.drawn)
        again.report(0.5, value_of(again))
        trials.complete(again)
        make(trials, 1)
        assert drawn(trials.ended()) == whole[: stopped_at + 2]
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{sweep_of(tmp_path).storage}")
    assert [trial.state.name for trial in study.trials].count("FAIL") == 1


def test_two_that_were_stopped_keep_their_places_and_settings(tmp_path: Path) -> None:
    """Whatever others, which ended meanwhile, would have had TPE draw instead."""
    with open_trials(sweep_of(tmp_path, "tune.trials=15"), "d") as trials:
        make(trials, 11)
        left = [trials.begin() for _ in range(3)]
        assert left[0]
        assert left[1]
        assert left[2]
        left[1].report(0.1, 0.1)
        trials.complete(left[1])
        trials.stop_running()
        again = [trials.begin(), trials.begin(), trials.begin()]
    assert [trial.ordinal for trial in again if trial] == [11, 13, 14]
    assert [trial.drawn for trial in again[:2] if trial] == [left[0].drawn, left[2].drawn]


def test_failures_and_prunings_count_and_the_best_is_complete(tmp_path: Path) -> None:
    with open_trials(sweep_of(tmp_path, "tune.trials=5"), "d") as trials:
        assert trials.best() is None
        for score in (0.3, 0.7, 0.7, 0.9):
            trial = trials.begin()
            assert trial is not None
            trial.report(score, score)
            (trials.prune if score == 0.9 else trials.complete)(trial)
        trial = trials.begin()
        assert trial is not None
        trials.fail(trial, "no term is left")
        assert trials.begin() is None
        best, ended = trials.best(), trials.ended()
    assert best is not None
    assert (best.ordinal, best.score) == (1, 0.7)
    assert [trial.state for trial in ended] == ["COMPLETE"] * 3 + ["PRUNED", "FAIL"]
    assert [trial.score for trial in ended] == [0.3, 0.7, 0.7, 0.9, None]
    assert [trial.reason for trial in ended] == [""] * 4 + ["no term is left"]


def test_the_median_pruner_gives_up_what_is_below_the_median_and_none_does_not(tmp_path: Path) -> None:
    for pruner, gives_up in (("median", True), ("none", False)):
        (folder := tmp_path / pruner).mkdir()
        with open_trials(sweep_of(folder, f"tune.pruner={pruner}"), "d") as trials:
            for score in (0.5, 0.6, 0.7, 0.8, 0.9):
                trial = trials.begin()
                assert trial is not None
                assert not trial.report(score, score)
                trials.complete(trial)
            for score, poor in ((0.65, True), (0.75, False)):
                trial = trials.begin()
                assert trial is not None
                assert trial.report(0.0 if score > 0.7 else 1.0, score) == (poor and gives_up)
                trials.prune(trial)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        open_trials(sweep_of(tmp_path), "d"),
        pytest.raises(InputError, match="wanted a file that no other sweep uses, one does now"),
        open_trials(sweep_of(tmp_path), "d"),
    ):
        pass
    with open_trials(sweep_of(tmp_path), "d"):
        pass


@pytest.mark.parametrize(
    ("settings", "digest", "says"),
    [
        (["seed=1"], "d", "  seed: then 0, now 1"),
        ([], "e", '  data (sha256 of the rows): then "d", now "e"'),
        (["tune.metric=dev"], "d", '  tune.metric: then "cross_validation", now "dev"'),
        (["tune.folds=4"], "d", "  tune.folds: then 5, now 4"),
        (["tune.pruner=none"], "d", '  tune.pruner: then "median", now "none"'),
        (["model.folds=3"], "d", "  model.folds: then 5, now 3"),
        (
            ["tune.space={model.max_terms: {log_int: [1, 1000]}}"],
            "d",
            "  tune.space.model.regularisation: then log_uniform: [0.1, 30], now nothing",
        ),
    ],
)
def test_another_sweep_in_the_same_file_is_refused_and_what_differs_named(
    tmp_path: Path, settings: list[str], digest: str, says: str
) -> None:
    with open_trials(sweep_of(tmp_path), "d") as trials:
        make(trials, 1)
    before = sweep_of(tmp_path).storage.read_bytes()
    with (
        pytest.raises(InputError, match="holds another sweep") as caught,
        open_trials(sweep_of(tmp_path, *settings), digest),
    ):
        pass
    assert says in str(caught.value).splitlines()
    assert sweep_of(tmp_path).storage.read_bytes() == before


@pytest.mark.parametrize(
    "setting",
    [
        "tune.trials=3",
        "tune.workers=2",
        "tune.timeout_seconds=9",
        "evaluation.samples=200",
        "data.path=b.csv",
    ],
)
def test_what_changes_no_score_may_differ(tmp_path: Path, setting: str) -> None:
    for settings in ([], [setting]):
        with open_trials(sweep_of(tmp_path, *settings), "d"):
            pass


def test_a_file_that_cannot_keep_trials_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n" * 99)
    for storage in (tmp_path / "notes.txt", tmp_path, tmp_path / "notes.txt" / "x.db"):
        with (
            pytest.raises(InputError, match="wanted a file of trials that can be read and written"),
            open_trials(sweep_of(tmp_path, f"tune.storage={storage}"), "d"),
        ):
            pass
    assert (tmp_path / "notes.txt").read_text() == "mine\n" * 99
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c.yaml", "notes.txt"]


def test_trials_of_another_program_are_refused(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path)
    study = optuna.create_study(study_name=sweep.config.name, storage=f"sqlite:///{sweep.storage}")
    study.ask()
    with pytest.raises(InputError, match="holds trials of another program"), open_trials(sweep, "d"):
        pass


def test_a_database_of_others_is_told(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path)
    connection = sqlite3.connect(sweep.storage)
    connection.execute("CREATE TABLE studies (x)")
    connection.commit()
    connection.close()
    with (
        pytest.raises(InputError, match="wanted a file of trials that can be read and written"),
        open_trials(sweep, "d"),
    ):
        pass


def test_notes_are_kept(tmp_path: Path) -> None:
    with open_trials(sweep_of(tmp_path), "d") as trials:
        assert trials.noted("x") is None
        trials.note("x", {"score": None})
    with open_trials(sweep_of(tmp_path), "d") as trials:
        assert trials.noted("x") == {"score": None}
