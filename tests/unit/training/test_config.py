"""The config: strict types, every problem at once with path, line and suggestion, settings, dump."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel

from models.base import StrictModel
from models.registry import names
from stancewire.calibration import Task
from training.config import RunConfig
from training.config_file import dump_config, load_config, read_settings
from training.thresholds import Objective
from training.tuning.load import load_sweep
from training.yaml import ConfigError

ROOT = Path(__file__).resolve().parents[3]
TASKS: tuple[Task, ...] = ("topics", "stance")
CONFIGS = sorted((ROOT / "configs").rglob("*.y*ml"))
SWEEPS = [file for file in CONFIGS if "tune" in read_settings(file)[0]]
RUNS = [file for file in CONFIGS if file not in SWEEPS]


def write(folder: Path, text: str) -> Path:
    file = folder / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def load(folder: Path, text: str, *settings: str) -> RunConfig:
    return load_config(write(folder, text), settings)


def problems(folder: Path, text: str, *settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, *settings)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


def test_defaults_come_from_the_task(tmp_path: Path) -> None:
    topics, stance = load(tmp_path, "task: topics"), load(tmp_path, "task: stance")
    assert (topics.name, stance.name) == ("stancewire-topics", "stancewire-stance")
    assert (topics.calibration.method, stance.calibration.method) == ("auto", "auto")
    assert topics.model.family == "linear"
    assert topics.split.by == "event"


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
task: topic
sed: 1
seed: 3.7
data:
  label_map: {a: true, b: 1}
  topics_seperator: ","
  columns: [1]
split:
  dev: 0.6
  test: .nan
  dev_from: 2025-01-01
  test_from: 2024-01-01
  outlets: [no, 1, yes]
model:
  folds: "5"
  foo: 1
  regularisation: [1, -2]
  class_weights: {favor: -1}
  max_terms: true
evaluation: 3
"""
    assert problems(tmp_path, text) == [
        "task (line 1): wanted 'topics' or 'stance', got 'topic'; did you mean 'topics'?",
        "sed (line 2): unknown key; did you mean 'seed'?",
        "seed (line 3): wanted a whole number, got 3.7",
        "data.label_map.a (line 5): wanted a text, got true; quote it",
        "data.label_map.b (line 5): wanted a text, got 1; quote it",
        "data.topics_seperator (line 6): unknown key; did you mean 'topics_separator'?",
        "data.columns (line 7): wanted a mapping, got a list of 1",
        "split.test (line 10): wanted a finite number, got nan",
        "split.test_from (line 12): wanted a date after dev_from, which is 2025-01-01, got '2024-01-01'",
        "split.outlets.1 (line 13): wanted a text, got 1; quote it",
        "model.folds (line 15): wanted a whole number, got '5'; write it without quotes",
        next(p for p in problems(tmp_path, text) if p.startswith("model.foo")),
        "model.regularisation.1 (line 17): wanted greater than 0, got -2",
        "model.class_weights.favor (line 18): wanted greater than 0, got -1",
        "model.max_terms (line 19): wanted a whole number, got true",
        "evaluation (line 20): wanted a mapping of settings, got 3",
    ]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("seed=true", "seed (--set): wanted a whole number, got true"),
        ("seed=1.0", "seed (--set): wanted a whole number, got 1.0"),
        ("seed='1'", "seed (--set): wanted a whole number, got '1'; write it without quotes"),
        ("seed=-1", "seed (--set): wanted greater than or equal to 0, got -1"),
        ("seed=", "seed (--set): wanted a whole number, got nothing (null)"),
        ("split.test=.inf", "split.test (--set): wanted a finite number, got inf"),
        ("split.test=0.8", "split.test (--set): wanted less than 0.8, so that dev and test leave rows"),
        (
            "split.dev_from=2024-02-30",
            "split.dev_from (--set): wanted a date as YYYY-MM-DD, got '2024-02-30'",
        ),
        ("split.by=evnt", "did you mean 'event'?"),
        ("split.by=target", "split.by (--set): wanted a split that fits topics"),
        ("calibration.method=vector", "calibration.method (--set): wanted 'auto' or 'platt' or 'none'"),
        (
            "thresholds.objective=precision",
            "thresholds (--set): wanted at_least, the precision to hold, such as 0.9, got nothing (null)",
        ),
        ("thresholds.at_least=0.9", "thresholds.at_least (--set): wanted null with the objective f1"),
        (
            "abstention.keep_precision=1",
            "abstention.keep_precision (--set): wanted less than 1 or 'auto', got 1",
        ),
        (
            "abstention.keep_precision=aut",
            "abstention.keep_precision (--set): wanted a number or 'auto', got",
        ),
        ("thresholds.objective=recal", "did you mean 'recall'?"),
        (
            "thresholds.by_label.sanctions.objective=recall",
            "thresholds.by_label.sanctions (--set): wanted at_least, the recall to hold",
        ),
        (
            "thresholds.by_label.sanctions={objective: recall, at_least: 1}",
            "thresholds.by_label.sanctions.at_least (--set): wanted less than 1, got 1",
        ),
        (
            "model.family=linaer",
            "model.family (--set): wanted 'encoder' or 'fewshot' or 'linear', got 'linaer'; did you mean",
        ),
        ("model.family=3", "model.family (--set): wanted 'encoder' or 'fewshot' or 'linear', got 3"),
        ("model.class_weights=balance", "model.class_weights (--set): wanted"),
        ("model._target_=os.system", "model._target_ (--set): unknown key; did you mean 'target_blind'?"),
        (
            "trust_remote_code=true",
            "trust_remote_code (--set): unknown key; the keys here are abstention, calibration",
        ),
        ("name=a/b", "name (--set): wanted up to 100 letters"),
        ("name=../x", "name (--set): wanted up to 100 letters"),
        ("output=", "output (--set): wanted a text, got nothing (null)"),
        ("tracking.experiment=''", "tracking.experiment (--set): wanted a text that is not empty, got ''"),
        ("evaluation.random_split=no", "wanted true or false, got 'no'; write it without quotes"),
        ("x", "--set x: wanted a dotted path, an equals sign and a value"),
        ("=3", "--set =3: wanted a dotted path"),
        ("a..b=3", "--set a..b=3: wanted a dotted path"),
        ("seed.a=1", "seed (--set): wanted a whole number, got a mapping of 1"),
        ("task.a=1", "--set task.a=1: 'task' holds a value, not settings"),
        ("seed=[", "--set seed=[: line 1: expected the node content"),
        ("seed=*x", "--set seed=*x: line 1: anchors and aliases are refused"),
    ],
)
def test_a_wrong_setting_is_told(tmp_path: Path, setting: str, says: str) -> None:
    (found,) = problems(tmp_path, "task: topics", setting)
    assert says in found


@pytest.mark.parametrize("task", ["{a: 1}", "[topics]", "3", "topic"])
@pytest.mark.parametrize("more", ["", "calibration: {method: platt}\n", "model: {family: [linear]}\n"])
def test_a_task_that_is_none_hides_no_other_problem(tmp_path: Path, task: str, more: str) -> None:
    found = problems(tmp_path, f"task: {task}\nseed: true\n{more}")
    assert found[0].startswith("task (line 1): wanted 'topics' or 'stance', got ")
    assert found[1].startswith("seed (line 2): ")
    assert len(found) == 2 + more.startswith("model")


def test_a_missing_key_is_told_with_what_it_is(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "seed: 1")
    assert found.startswith('task: missing; wanted "topics" (of articles) or "stance"')


@pytest.mark.parametrize("text", ["- task\n- topics\n", "topics", "3"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "wanted a mapping of settings" in problems(tmp_path, text)[0]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, "nul\0.yaml"):
        with pytest.raises(ConfigError, match="wanted a YAML file, it cannot be read"):
            load_config(path)


def test_settings_go_over_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "task: topics\nseed: 1\nmodel: {folds: 3}\n",
        "seed=2",
        "seed=3",
        "model.regularisation=[0.5, 1]",
        "data.columns.text=body",
        "model.class_weights.sanctions=2.5",
    )
    assert config.seed == 3
    assert config.data.columns == {"text": "body"}
    found = config.model.model_dump()
    assert (found["folds"], found["regularisation"]) == (3, (0.5, 1.0))
    assert found["class_weights"] == {"sanctions": 2.5}


def test_objectives_hold_for_all_labels_but_those_with_their_own(tmp_path: Path) -> None:
    text = """\
task: topics
thresholds:
  objective: recall
  at_least: 0.8
  by_label:
    sanctions: {objective: precision, at_least: 0.9}
    diplomacy: {objective: f1}
"""
    config = load(tmp_path, text)
    wanted = (Objective("recall", 0.8), Objective("f1"), Objective("precision", 0.9))
    assert config.thresholds.of(("arms_trade", "diplomacy", "sanctions")) == wanted
    assert load(tmp_path, dump_config(config)) == config
    assert load(tmp_path, "task: topics").thresholds.of(("a",)) == (Objective(),)


def test_what_is_kept_from_review_goes_by_the_task(tmp_path: Path) -> None:
    shares = {task: load(tmp_path, f"task: {task}").abstention.share(task) for task in TASKS}
    assert shares == {"topics": 0.9, "stance": 0.75}
    asked = load(tmp_path, "task: stance\nabstention: {keep_precision: 0.6}\n")
    assert asked.abstention.share("stance") == 0.6
    off = load(tmp_path, "task: stance\nabstention: {keep_precision: null}\n")
    assert off.abstention.share("stance") is None


def test_yaml_values_mean_what_they_say(tmp_path: Path) -> None:
    config = load(tmp_path, "task: topics\nmodel: {regularisation: [3e-4]}\nsplit: {outlets: [no, yes]}\n")
    assert config.model.model_dump()["regularisation"] == (3e-4,)
    assert config.split.outlets == ("no", "yes")


@pytest.mark.parametrize("file", RUNS, ids=lambda path: path.name)
def test_every_shipped_config_loads_and_survives_dump_and_reload(tmp_path: Path, file: Path) -> None:
    config = load_config(file)
    dumped = dump_config(config)
    assert load(tmp_path, dumped) == config
    assert dump_config(load(tmp_path, dumped)) == dumped


@pytest.mark.parametrize("file", SWEEPS, ids=lambda path: path.name)
def test_every_shipped_sweep_loads_and_is_no_run(file: Path) -> None:
    sweep = load_sweep(file)
    assert sweep.run({}) == sweep.config
    with pytest.raises(ConfigError, match=r"has a search space: run python -m training\.tune"):
        load_config(file)


def test_shipped_configs_are_all_found() -> None:
    assert [file.name for file in RUNS] == SHIPPED
    assert [file.name for file in SWEEPS] == SHIPPED_SWEEPS


def test_a_shipped_config_holds_only_what_differs(tmp_path: Path) -> None:
    """Each line of a shipped config changes something: no copy of a default that could drift."""
    for file in RUNS:
        config = load_config(file)
        given = {"task": config.task, "model": {"family": config.model.family}}
        bare = RunConfig.model_validate(given)
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        settings = [line for line in lines if not line.lstrip().startswith("#") and not line.endswith(":")]
        differs = set(flat(config.model_dump()).items()) - set(flat(bare.model_dump()).items())
        n_given = sum(line.lstrip().startswith(("task:", "family:")) for line in settings)
        assert len(settings) - n_given == len(differs), file.name


def flat(values: dict[str, object], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        found |= (
            flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": repr(value)}
        )
    return found


def test_every_setting_is_explained(tmp_path: Path) -> None:
    def unexplained(model: type[BaseModel]) -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, StrictModel):
                found += unexplained(kind)
            elif not field.description:
                found.append(f"{model.__name__}.{name}")
        return found

    assert unexplained(RunConfig) == []
    lines = dump_config(load(tmp_path, "task: stance")).splitlines()
    for before, line in pairwise(lines):
        if line.strip() and not line.lstrip().startswith(("#", "-")):
            assert before.lstrip().startswith("#"), line


def test_families_are_known_by_name() -> None:
    assert names() == ("encoder", "fewshot", "linear")


SHIPPED = [f"{task}-{family}.yaml" for task in ("stance", "topics") for family in names()]
SHIPPED_SWEEPS = ["topics-linear-tune.yaml"]
