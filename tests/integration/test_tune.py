"""`python -m training.tune` as a user runs it: nested runs, one choice, killed and taken up again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial

from stancewire.artefact import read_artefact
from tests.corpora import rows_of, write_jsonl
from tests.integration.conftest import ROOT, environment
from training.config import RunConfig
from training.config_file import load_config
from training.crew import Failed
from training.prepare import Corpora, prepare
from training.tuning.command import main
from training.tuning.folds import Scored, make_ground, scores
from training.tuning.load import load_sweep
from training.tuning.workers import Triers

TEXT = """\
task: topics
name: tiny
model: {regularisation: [3]}
evaluation: {samples: 100, random_split: false, behaviour: false}
tune:
  trials: 4
  folds: 3
  space:
    model.regularisation: {log_uniform: [0.1, 30]}
    model.class_weights: {choice: [balanced, null]}
"""


@dataclass(frozen=True)
class Place:
    """A folder with a corpus and a config, and what a sweep there leaves behind."""

    folder: Path

    @property
    def arguments(self) -> list[str]:
        return [str(self.folder / "tiny.yaml"), "--set", f"output={self.folder / 'out'}"]

    @property
    def storage(self) -> Path:
        return self.folder / "out" / "tiny.tune.db"

    @property
    def uri(self) -> str:
        return environment(self.folder)["MLFLOW_TRACKING_URI"]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "training.tune", *self.arguments, *arguments]
        return subprocess.run(  # noqa: S603 - fixed program
            command, cwd=ROOT, env=environment(self.folder), capture_output=True, text=True
        )

    def trials(self) -> list[FrozenTrial]:
        return optuna.load_study(study_name="tiny", storage=f"sqlite:///{self.storage}").trials

    def runs(self) -> list[Run]:
        client = MlflowClient(self.uri)
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(experiments, order_by=["attributes.start_time"]))

    def children(self) -> list[Run]:
        return [run for run in self.runs() if "mlflow.parentRunId" in run.data.tags]

    def parents(self) -> list[Run]:
        return [run for run in self.runs() if run.info.run_name == "tiny sweep"]


def place(folder: Path, corpus: Path | None = None) -> Place:
    corpus = corpus or write_jsonl(folder / "tiny.jsonl", rows_of(60))
    (folder / "tiny.yaml").write_text(f"{TEXT}data: {{path: {corpus}}}\n", encoding="utf-8")
    return Place(folder)


@dataclass(frozen=True)
class Swept:
    """A sweep that ran through."""

    place: Place
    output: str


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    where = place(tmp_path_factory.mktemp("swept"))
    done = where.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return Swept(where, done.stdout)


def values(trials: list[FrozenTrial]) -> list[tuple[object, ...]]:
    """What the trials that count drew and scored, in the sweep's order."""
    counted = [trial for trial in trials if "stopped" not in trial.user_attrs]
    counted.sort(key=lambda trial: trial.user_attrs["ordinal"])
    return [(trial.state, trial.params, trial.value, trial.user_attrs["folds"]) for trial in counted]


def best_of(where: Place) -> FrozenTrial:
    return max(where.trials(), key=lambda trial: (trial.value, -trial.user_attrs["ordinal"]))


def test_the_best_trials_settings_are_told_written_trained_and_registered(swept: Swept) -> None:
    best = best_of(swept.place)
    config = load_config(swept.place.folder / "out" / "tiny.best.yaml")
    told = config.model.model_dump()
    assert told["regularisation"] == (best.params["model.regularisation"],)
    assert (
        told["class_weights"] == {'"balanced"': "balanced", "null": None}[best.params["model.class_weights"]]
    )
    assert f"chosen    trial {best.user_attrs['ordinal']}, macro-F1 {best.value:.4f}" in swept.output
    assert f"--set 'model.regularisation=[{best.params['model.regularisation']!r}]'" in swept.output
    assert "trials    4 of 4: 4 complete" in swept.output
    assert "the config as it stands" in swept.output
    assert "tiny: topics on test" in swept.output
    manifest = read_artefact(swept.place.folder / "out" / "tiny").manifest
    trained = manifest.provenance["config"]
    assert isinstance(trained, dict)
    assert trained["model"] == config.model.model_dump(mode="json")
    version = MlflowClient(swept.place.uri).get_model_version_by_alias("tiny", "challenger")
    assert int(version.version) == 1


def test_one_parent_and_a_child_for_each_trial(swept: Swept) -> None:
    (parent,) = swept.place.parents()
    children, trials = swept.place.children(), swept.place.trials()
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert [run.data.tags["stancewire.trial"] for run in children] == ["0", "1", "2", "3"]
    client = MlflowClient(swept.place.uri)
    for run, trial in zip(children, trials, strict=True):
        assert run.info.status == "FINISHED"
        assert run.data.tags["stancewire.state"] == "COMPLETE"
        assert float(run.data.params["model.regularisation"]) == trial.params["model.regularisation"]
        assert run.data.metrics["macro_f1"] == trial.value
        folds = client.get_metric_history(run.info.run_id, "fold/macro_f1")
        assert [fold.value for fold in folds] == trial.user_attrs["folds"]
        assert len(folds) == 3
    assert parent.info.status == "FINISHED"
    best = best_of(swept.place)
    assert parent.data.metrics["best/macro_f1"] == best.value
    assert parent.data.tags["stancewire.best_trial"] == str(best.user_attrs["ordinal"])
    assert parent.data.params["tune.space.model.regularisation"] == "log_uniform [0.1, 30]"
    (choice,) = [run for run in swept.place.runs() if run.info.run_name == "tiny"]
    assert parent.data.tags["stancewire.choice_run"] == choice.info.run_id
    # Test is judged once, by the choice.
    judged = [run for run in swept.place.runs() if any("test/" in name for name in run.data.metrics)]
    assert [run.info.run_id for run in judged] == [choice.info.run_id]


def test_scores_are_those_of_the_configs_themselves(swept: Swept) -> None:
    sweep = load_sweep(swept.place.arguments[0])
    ground = make_ground(prepare(sweep.config, Corpora(), lambda step: None), sweep.tune)
    trial = swept.place.trials()[1]
    weights = {'"balanced"': "balanced", "null": None}[trial.params["model.class_weights"]]
    drawn = {"model.regularisation": trial.params["model.regularisation"], "model.class_weights": weights}
    again = list(scores(sweep.run(drawn), ground))
    assert [score.fold for score in again] == trial.user_attrs["folds"]
    assert again[-1].running == trial.value


def test_the_same_command_again_trains_nothing_and_another_sweep_is_refused(
    swept: Swept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", swept.place.uri)
    before = [run.info.run_id for run in swept.place.runs()]
    assert main(swept.place.arguments) == 0
    (choice,) = [run for run in swept.place.runs() if run.info.run_name == "tiny"]
    assert f"trained   before, in MLflow's run {choice.info.run_id}" in capsys.readouterr().out
    code = main(
        [*swept.place.arguments, "--set", "seed=1", "--set", "tune.space={model.folds: {int: [2, 3]}}"]
    )
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    for said in ("holds another sweep", "seed: then 0, now 1", "model.folds: then nothing", "data (sha256"):
        assert said in captured.err
    assert [run.info.run_id for run in swept.place.runs()] == before


def test_a_killed_sweep_goes_on_as_if_it_never_had_been(
    swept: Swept,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    where = place(tmp_path, swept.place.folder / "tiny.jsonl")
    command = [sys.executable, "-m", "training.tune", *where.arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path))  # noqa: S603 - fixed program
    try:
        stop_amid_a_trial(process, where.storage)
        workers = children_of(process.pid)
    finally:
        process.kill()
        process.wait()
    assert workers
    while any(Path(f"/proc/{worker}").exists() and not zombie(worker) for worker in workers):
        time.sleep(0.1)
    assert not (tmp_path / "out" / "tiny").exists()
    states = [trial.state.name for trial in where.trials()]
    assert states[-1] == "RUNNING"
    assert 0 < states.count("COMPLETE") < 4
    (parent,) = where.parents()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", where.uri)
    assert main(where.arguments) == 0
    assert "trials    4 of 4: 4 complete" in capsys.readouterr().out
    assert values(where.trials()) == values(swept.place.trials())
    assert [trial.state.name for trial in where.trials()].count("FAIL") == 1
    (again,) = where.parents()
    assert (again.info.run_id, again.info.status) == (parent.info.run_id, "FINISHED")
    assert sorted(run.info.status for run in where.children()) == ["FINISHED"] * 4 + ["KILLED"]
    artefacts = [read_artefact(at.folder / "out" / "tiny") for at in (where, swept.place)]
    assert artefacts[0].digest == artefacts[1].digest


def stop_amid_a_trial(process: subprocess.Popen[bytes], storage: Path) -> None:
    """Stop a sweep that has completed a trial and has another one, known to MLflow, under way."""
    while process.poll() is None:
        if amid_a_trial(storage):
            process.send_signal(signal.SIGSTOP)
            if amid_a_trial(storage):
                return
            process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
    raise AssertionError("the sweep ended before it could be stopped")


def amid_a_trial(storage: Path) -> bool:
    query = "SELECT key, state FROM trials LEFT JOIN trial_user_attributes USING (trial_id)"
    if not storage.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{storage}?mode=ro", uri=True)) as connection:
            found = connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # its tables are being made, or it was stopped while it wrote
        return False
    return {("mlflow_run", "COMPLETE"), ("mlflow_run", "RUNNING")} <= set(found)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def crew(swept: Swept) -> Iterator[Triers]:
    sweep = load_sweep(swept.place.arguments[0])
    ground = make_ground(prepare(sweep.config, Corpora(), lambda step: None), sweep.tune)
    before = dict(os.environ)
    made = Triers(ground, 2)
    assert dict(os.environ) == before
    yield made
    made.close()


def test_a_worker_that_dies_or_fails_costs_its_trial_alone(crew: Triers, swept: Swept) -> None:
    config = load_sweep(swept.place.arguments[0]).config
    good, bad = crew.give(config), crew.give(too_rare(config))
    assert not crew.idle
    for worker in (good, bad):
        pid = worker.process.pid
        threads = [
            line for line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if b"_THREADS" in line
        ]
        assert b"OMP_NUM_THREADS=1" in threads
        assert b"OPENBLAS_NUM_THREADS=1" in threads
    told: dict[object, list[Scored | Failed]] = {good: [], bad: []}
    while len(told[good]) < 3 or not told[bad]:
        for worker, message in crew.told(1.0):
            told[worker].append(message)
            if isinstance(message, Scored):
                crew.go_on(worker, len(told[worker]) < 3)
    (failed,) = told[bad]
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("FitError: wanted a term in at least 1000 training rows")
    assert all(isinstance(message, Scored) for message in told[good])
    dead = crew.give(config)
    dead.process.kill()
    (found,) = [message for worker, message in until_told(crew) if worker is dead]
    assert isinstance(found, Failed)
    assert "its process ended by signal 9" in found.reason
    crew.give(config)
    crew.give(config)
    assert not crew.idle


def until_told(crew: Triers) -> list[tuple[object, Scored | Failed]]:
    while True:
        if told := list(crew.told(1.0)):
            return list(told)


def too_rare(config: RunConfig) -> RunConfig:
    """Ask for terms that no small corpus has."""
    return config.model_copy(update={"model": config.model.model_copy(update={"min_documents": 1000})})
