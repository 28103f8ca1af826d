"""The command line of sweeps before anything is searched: plans, refusals, exit codes; nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpora import row_of, rows_of, write_jsonl
from training import command as training_command
from training.tuning import search
from training.tuning.command import main

ROOT = Path(__file__).resolve().parents[3]
SWEEP = str(ROOT / "configs/topics-linear-tune.yaml")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, where anything written would show."""
    (folder := tmp_path / "empty").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


@pytest.fixture
def on_data(tmp_path: Path) -> list[str]:
    data = write_jsonl(tmp_path / "a.jsonl", rows_of(60))
    return ["--set", f"data.path={data}", "--set", f"data.codebook={ROOT / 'data/codebook.yaml'}"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_dry_run_prints_space_and_trials_and_writes_nothing(
    empty: Path, on_data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["tune.trials=12", "tune.workers=2", "tune.timeout_seconds=60", "output=x"]
    flags = [flag for setting in settings for flag in ("--set", setting)]
    code, out, err = said(capsys, SWEEP, "--dry-run", *on_data, *flags)
    assert (code, err) == (0, "")
    for part in (
        "stancewire-topics-tuned: search space",
        "model.regularisation",
        "log_uniform",
        "0.1 to 30",
        '"balanced" or null',
        "trials    12, each judged by macro-F1 in 5-fold cross-validation over train and dev",
        "the test part is not among them",
        "workers   2, pruner median, none begun after 60 seconds",
        "storage   x/stancewire-topics-tuned.tune.db",
    ):
        assert part in out
    assert list(empty.iterdir()) == []


def test_training_run_sends_a_search_space_elsewhere(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = training_command.main([SWEEP])
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.splitlines() == [
        f"error: {SWEEP}: 1 problem; nothing was run",
        f"  tune (line 4): this config has a search space: run python -m training.tune {SWEEP}",
    ]


def test_a_config_without_a_space_is_refused(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, str(ROOT / "configs/topics-linear.yaml"))
    assert (code, out) == (2, "")
    assert "tune: missing; wanted a search space" in err
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            ["tune.space={model.folds: {int: [0, 3]}}"],
            "model.folds: wanted greater than or equal to 2, got 0",
        ),
        (["tune.trials=0"], "tune.trials (--set): wanted greater than or equal to 1, got 0"),
        (["tune.folds=100"], "tune.metric cross_validation: wanted rows with and without every label"),
        (["data.path=nothing.jsonl"], "nothing.jsonl"),
        (["tune.storage=."], "wanted a file of trials that can be read and written"),
    ],
)
def test_what_is_wrong_is_told_in_one_error_and_nothing_is_written(
    empty: Path, on_data: list[str], capsys: pytest.CaptureFixture[str], settings: list[str], says: str
) -> None:
    flags = [flag for setting in settings for flag in ("--set", setting)]
    code, out, err = said(capsys, SWEEP, *on_data, *flags)
    assert (code, out) == (2, "")
    assert err.count("error: ") == 1
    assert says in err
    assert [file.name for file in empty.iterdir() if not file.name.startswith("mlflow.db")] == []


def test_mlflow_that_cannot_be_used_stops_before_a_file_of_trials_is_made(
    empty: Path,
    on_data: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, out, err = said(capsys, SWEEP, *on_data)
    assert (code, out) == (2, "")
    assert err.startswith("error: MLflow at http://127.0.0.1:9 cannot be used")
    assert list(empty.iterdir()) == []


def test_rows_that_no_fold_can_teach_are_refused(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_jsonl(tmp_path / "few.jsonl", [row_of(n, topics=["sanctions"]) for n in range(20)])
    flags = ["--set", f"data.path={data}", "--set", f"data.codebook={ROOT / 'data/codebook.yaml'}"]
    code, out, err = said(capsys, SWEEP, *flags)
    assert (code, out) == (2, "")
    assert "wanted 3 stories or more that hold each label" in err
    assert list(empty.iterdir()) == []


def test_an_interruption_says_that_the_command_goes_on(
    empty: Path,
    on_data: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(self: search.Search) -> search.Found:
        raise KeyboardInterrupt

    monkeypatch.setattr(search.Search, "find", interrupted)
    code, out, err = said(capsys, SWEEP, *on_data)
    assert (code, out) == (130, "")
    assert err == "interrupted; the same command goes on from here\n"
    assert not (empty / "artefacts/stancewire-topics-tuned").exists()
    assert not (empty / "artefacts/stancewire-topics-tuned.best.yaml").exists()
