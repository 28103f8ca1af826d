"""Configs with a search space: every problem at once, with its line; values that settings refuse; flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config_file import load_config
from training.tuning.load import Sweep, load_sweep
from training.yaml import ConfigError, Plain

SPACE = "tune: {space: {model.min_documents: {int: [1, 5]}}}"


def load(folder: Path, text: str, *settings: str) -> Sweep:
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    return load_sweep(folder / "c.yaml", settings)


def problems(folder: Path, text: str, *settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *settings)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def test_the_run_beside_the_space_is_what_it_would_be_alone(tmp_path: Path) -> None:
    sweep = load(tmp_path, f"task: topics\nseed: 4\n{SPACE}\n", "tune.trials=7", "model.folds=3")
    (tmp_path / "alone.yaml").write_text("task: topics\nseed: 4\nmodel: {folds: 3}\n")
    assert sweep.config == load_config(tmp_path / "alone.yaml") == sweep.run({})
    assert (sweep.tune.trials, sweep.tune.workers, sweep.tune.metric) == (7, 1, "cross_validation")
    assert sweep.storage == Path("artefacts/stancewire-topics.tune.db")
    assert sweep.best == Path("artefacts/stancewire-topics.best.yaml")


def test_storage_may_be_elsewhere(tmp_path: Path) -> None:
    assert load(tmp_path, f"task: topics\n{SPACE}\n", "tune.storage=a/b.db").storage == Path("a/b.db")


def test_everything_wrong_in_run_and_section_is_told_at_once(tmp_path: Path) -> None:
    text = """\
task: topics
sed: 1
tune:
  trails: 3
  workers: 0
  metric: test
  pruner: hyperband
  storage: sqlite:///a.db
  timeout_seconds: -1
  space:
    model.min_documents: {int: [1, 5], choice: [1]}
    model.max_terms: 3
    model.folds: {whole: [2, 3]}
    model.regularisation: {log_unifrm: [1, 2]}
"""
    kinds = "'uniform' or 'log_uniform' or 'int' or 'log_int' or 'choice'"
    assert sorted(problems(tmp_path, text)) == sorted(
        [
            "sed (line 2): unknown key; did you mean 'seed'?",
            "tune.trails (line 4): unknown key; did you mean 'trials'?",
            "tune.workers (line 5): wanted greater than or equal to 1, got 0",
            "tune.metric (line 6): wanted 'cross_validation' or 'dev', got 'test'",
            "tune.pruner (line 7): wanted 'median' or 'none', got 'hyperband'",
            "tune.storage (line 8): wanted the path of a file, without '://', '?', '{' and '}', "
            "got 'sqlite:///a.db'",
            "tune.timeout_seconds (line 9): wanted greater than 0, got -1",
            "tune.space.model.min_documents (line 11): wanted a kind with its values, as {int: [1, 5]}, "
            "got a mapping of 2",
            "tune.space.model.max_terms (line 12): wanted a kind with its values, as {int: [1, 5]}, got 3",
            f"tune.space.model.folds.whole (line 13): wanted {kinds}, got 'whole'",
            f"tune.space.model.regularisation.log_unifrm (line 14): wanted {kinds}, got 'log_unifrm'; "
            "did you mean 'log_uniform'?",
        ]
    )


@pytest.mark.parametrize(
    ("drawn", "says"),
    [
        ("model.regularization: {log_uniform: [0.1, 30]}", "did you mean 'model.regularisation'?"),
        ("regularisation: {log_uniform: [0.1, 30]}", "unknown setting; did you mean 'model.regularisation'?"),
        ("xyz: {int: [1, 2]}", "unknown setting; settings are in calibration, model, thresholds"),
        ("model: {choice: [1]}", "unknown setting"),
        ("model.folds.x: {int: [2, 3]}", "unknown setting"),
        ("model.class_weights..x: {int: [2, 3]}", "unknown setting"),
        ("seed: {int: [1, 9]}", "wanted a setting of model or calibration or thresholds"),
        ("split.dev: {uniform: [0.1, 0.2]}", "all trials learn from, and are judged on, the same rows"),
        ("model.family: {choice: [linear]}", "wanted one family for a sweep"),
        ("model.target_blind: {choice: [true, false]}", "the target-blind model is there to be beaten"),
        ("model.min_documents: {int: [0, 5]}", "model.min_documents: wanted greater than or equal to 1"),
        ("model.min_documents: {uniform: [1, 5]}", "model.min_documents: wanted a whole number, got"),
        ("model.min_documents: {choice: [1, two]}", "model.min_documents: wanted a whole number, got 'two'"),
        ("model.regularisation: {uniform: [0, 1]}", "model.regularisation.0: wanted greater than 0, got 0.0"),
        ("model.regularisation: {choice: [[]]}", "model.regularisation: wanted at least one item"),
        ("model.class_weights: {choice: [balancd]}", "model.class_weights: wanted"),
        ("calibration.method: {choice: [platt, vector]}", "calibration.method: wanted 'auto' or 'platt'"),
        ("model.regularisation: {log_uniform: [0, 1]}", "the lower one first and above 0"),
        ("model.regularisation: {log_uniform: [2, 1]}", "two numbers, the lower one first"),
        ("model.regularisation: {uniform: [1, 1]}", "two numbers, the lower one first"),
        ("model.regularisation: {uniform: [1, .inf]}", "two numbers, the lower one first"),
        ("model.regularisation: {uniform: [1]}", "two numbers, the lower one first"),
        ("model.regularisation: {uniform: 1}", "two numbers, the lower one first"),
        ("model.min_documents: {int: [1, 2.5]}", "two whole numbers, the lower one first"),
        ("model.min_documents: {int: [true, 2]}", "two whole numbers, the lower one first"),
        ("model.min_documents: {log_int: [0, 2]}", "two whole numbers, the lower one first and above 0"),
        ("model.min_documents: {choice: []}", "a list of one value or more"),
        ("model.min_documents: {choice: 3}", "a list of one value or more"),
        ("model.min_documents: {choice: [3, 3]}", "values that differ"),
    ],
)
def test_a_setting_that_cannot_be_searched_is_told(tmp_path: Path, drawn: str, says: str) -> None:
    for found in problems(tmp_path, f"task: topics\ntune:\n  space:\n    {drawn}\n"):
        assert found.startswith(f"tune.space.{drawn.partition(':')[0]}")
        assert "(line 4)" in found
        assert says in found


def test_one_setting_has_one_range(tmp_path: Path) -> None:
    space = "{model.class_weights: {choice: [balanced]}, model.class_weights.sanctions: {uniform: [1, 2]}}"
    (found,) = problems(tmp_path, f"task: topics\ntune: {{space: {space}}}\n")
    assert "wanted one range for a setting; model.class_weights holds it too" in found


@pytest.mark.parametrize("text", ["task: topics\n", "task: topics\nseed: 3\n"])
def test_a_run_without_a_space_is_no_sweep(tmp_path: Path, text: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith("tune: missing; wanted a search space, such as")


@pytest.mark.parametrize(("tune", "says"), [("{trials: 3}", "tune.space: missing; wanted What may be drawn")])
def test_a_section_without_a_space_is_told(tmp_path: Path, tune: str, says: str) -> None:
    (found,) = problems(tmp_path, f"task: topics\ntune: {tune}\n")
    assert found.startswith(says)
    (found,) = problems(tmp_path, f"task: topics\n{SPACE}\n", "tune.space={}")
    assert found.startswith("tune.space (--set): wanted")


def test_drawn_values_are_written_as_their_settings_want_them(tmp_path: Path) -> None:
    text = """\
task: topics
model: {class_weights: balanced, max_terms: 9}
tune:
  space:
    model.regularisation: {log_uniform: [0.1, 30]}
    model.class_weights.sanctions: {uniform: [1, 3]}
    thresholds.min_positives: {log_int: [1, 20]}
    model.folds: {int: [2, 5]}
"""
    sweep = load(tmp_path, text)
    drawn = {
        "model.regularisation": 0.25,
        "model.class_weights.sanctions": 2.0,
        "thresholds.min_positives": 4,
        "model.folds": 3,
    }
    found = sweep.run(drawn)
    told = found.model.model_dump()
    assert (told["regularisation"], told["class_weights"]) == ((0.25,), {"sanctions": 2.0})
    assert (told["folds"], told["max_terms"], found.thresholds.min_positives) == (3, 9, 4)
    assert sweep.lines(drawn) == [
        "model.regularisation=[0.25]",
        "model.class_weights.sanctions=2.0",
        "thresholds.min_positives=4",
        "model.folds=3",
    ]
    assert sweep.run({}) == sweep.config  # nothing was written into the sweep itself


def test_a_choice_may_be_a_list_or_a_mapping(tmp_path: Path) -> None:
    space = (
        "{model.regularisation: {choice: [[1, 3], 2]}, "
        "model.class_weights: {choice: [null, {sanctions: 2}, balanced]}}"
    )
    sweep = load(tmp_path, f"task: topics\ntune: {{space: {space}}}\n")
    told = sweep.run({"model.regularisation": [1, 3], "model.class_weights": None}).model.model_dump()
    assert (told["regularisation"], told["class_weights"]) == ((1.0, 3.0), None)
    told = sweep.run({"model.regularisation": 2, "model.class_weights": {"sanctions": 2}}).model.model_dump()
    assert (told["regularisation"], told["class_weights"]) == ((2.0,), {"sanctions": 2.0})


def test_the_printed_flags_make_the_chosen_run(tmp_path: Path) -> None:
    text = """\
task: topics
tune:
  space:
    model.regularisation: {log_uniform: [0.00001, 30]}
    model.class_weights: {choice: [balanced, null, {sanctions: 2}]}
    calibration.method: {choice: [platt, none]}
"""
    sweep = load(tmp_path, text)
    (tmp_path / "bare.yaml").write_text("task: topics\n")
    choices: list[Plain] = ["balanced", None, {"sanctions": 2}]
    for weights in choices:
        drawn: dict[str, Plain] = {
            "model.regularisation": 1.2345e-05,
            "model.class_weights": weights,
            "calibration.method": "none",
        }
        assert load_config(tmp_path / "bare.yaml", sweep.lines(drawn)) == sweep.run(drawn)


def test_values_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    base = "task: topics\nthresholds: {objective: recall, at_least: 0.9}\n"
    space = "tune: {space: {thresholds.at_least: {uniform: [0.5, 0.9]}, "
    space += "thresholds.objective: {choice: [recall, precision]}}}\n"
    sweep = load(tmp_path, base + space)
    assert sweep.run({"thresholds.objective": "precision", "thresholds.at_least": 0.6})
    with pytest.raises(ConfigError, match="the settings of a trial"):
        sweep.run({"thresholds.objective": "f1", "thresholds.at_least": 0.6})
