"""The Spark engine on local[2]: the bytes of the local engine, clear errors; models as functions of Spark."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from mlflow.pyfunc import save_model, spark_udf
from pyspark import SparkContext, SparkFiles
from pyspark.sql import Column, SparkSession
from pyspark.sql.functions import explode, from_json, struct

from stancewire.batch import Progress, Summary, run
from stancewire.batch.engines import local, process, spark
from stancewire.batch.engines.local import Pool
from stancewire.batch.engines.spark_session import spark_session
from stancewire.batch.rows import Row, Shard
from stancewire.batch.work import Work
from stancewire.errors import MissingExtraError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.serving import signature
from tests.batch_cases import FAULTY, processes_naming, rows_of
from tests.corpora import write_jsonl
from tests.java import java_environment
from tests.small_models import small_artefact

MASTER = "local[2]"
TEXTS = [
    "The minister condemned the embargo. Envoys welcomed the talks about shells.",
    "Envoys met for a summit, and praised the talks.",
    "They painted the shells, and blocked the embargo on tanks.",
]
PROBABILITIES = "array<struct<label: string, probability: double, decision: boolean>>"


@dataclass(frozen=True)
class Models:
    """Two small artefacts."""

    topics: Path
    stance: Path


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A Java for every process of these tests, and the variables that Spark sets put back at the end."""
    found = java_environment(tmp_path_factory.mktemp("java"))
    before = dict(os.environ)
    os.environ.update(found)
    yield found
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def session(java: Mapping[str, str]) -> Iterator[SparkSession]:
    """The one session of these tests: jobs find it, and leave it running."""
    with spark_session(MASTER, 1) as started:
        yield started


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    return Models(small_artefact(folder, "topics").path, small_artefact(folder, "stance").path)


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles, and rows that are none."""
    rows: list[object] = [
        {"id": f"a{number}", "title": "Talks", "text": TEXTS[number % 3], "desk": number}
        for number in range(40)
    ]
    rows[7], rows[23] = {"id": "a7", "text": ""}, "no object"
    return write_jsonl(tmp_path_factory.mktemp("articles") / "articles.jsonl", rows)


@pytest.fixture
def job(models: Models, articles: Path) -> partial[Summary]:
    """A job of six shards, the last of them shorter."""
    return partial(run, articles, topics=models.topics, stance=models.stance, shard_rows=7)


def test_a_machine_without_java_gets_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setattr("shutil.which", lambda name: None)
    java = Path(java_environment(tmp_path)["JAVA_HOME"]) / "bin" / "java"
    asked = [str(java), "--add-modules=jdk.incubator.vector", "-cp", "a b", "-version"]
    done = subprocess.run(asked, capture_output=True, text=True)  # noqa: S603 - fixed program
    assert done.returncode == 0, done.stderr
    assert "Runtime Environment" in done.stderr


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_as_the_local_engine(
    job: partial[Summary], session: SparkSession, tmp_path: Path
) -> None:
    told: list[int] = []
    local = job(tmp_path / "local")
    ours = job(
        tmp_path / "spark", engine="spark", progress=lambda progress: told.append(progress.summary.rows)
    )
    assert content(tmp_path / "spark") == content(tmp_path / "local")
    assert (
        (ours.rows, ours.read, ours.n_rejected) == (40, 38, 2) == (local.rows, local.read, local.n_rejected)
    )
    assert told == [7, 14, 21, 28, 35, 40]
    assert rows_of(tmp_path / "spark", "readings")[0]["cut_share"] == 0.0
    assert session.range(3).count() == 3  # a session that was there before stays


def test_what_was_done_stays_done(job: partial[Summary], session: SparkSession, tmp_path: Path) -> None:
    whole = job(tmp_path / "whole")
    first = job(tmp_path / "resumed", engine="spark", max_rejects=1)
    assert (first.is_done, (tmp_path / "resumed" / "_SUCCESS").exists()) == (False, False)
    again = job(tmp_path / "resumed", engine="spark")
    assert (again.rows, again.resumed) == (whole.rows, first.rows)
    assert 0 < again.resumed < 40
    assert content(tmp_path / "resumed") == content(tmp_path / "whole")
    with pytest.raises(StancewireError, match="shard_rows"):
        job(tmp_path / "resumed", engine="spark", shard_rows=8)


@pytest.fixture
def executor(
    models: Models, session: SparkSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., list[dict[str, str]]]]:
    """What runs in a Python worker of Spark, here in this process: texts by shard in, answers out."""
    monkeypatch.setattr(SparkFiles, "get", lambda name: name)

    def ask(*shards: Sequence[str], row_seconds: float | None = None) -> list[dict[str, str]]:
        sent = json.dumps({"work": work_of(models, tmp_path).to_json(), "row_seconds": row_seconds})
        batches = [
            pa.record_batch({"shard": [Shard(number, lines_of(texts)).to_bytes()]})
            for number, texts in enumerate(shards)
        ]
        return [answer for batch in spark._staged(iter(batches), sent) for answer in batch.to_pylist()]

    yield ask
    spark._end_pools()


def lines_of(texts: Sequence[str]) -> list[Row]:
    return [Row(line, json.dumps({"text": text}).encode()) for line, text in enumerate(texts, start=1)]


def test_models_are_loaded_once(
    executor: Callable[..., list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Work] = []

    def start(work: Work) -> process.Worker:
        started.append(work)
        return process.Worker(work)

    monkeypatch.setattr(local, "Worker", start)
    answers = executor(*[["Envoys met for talks."]] * 3)
    answers += executor(["Envoys met for talks."])
    assert [answer["error"] for answer in answers] == [None] * 4
    assert [json.loads(answer["staged"])["number"] for answer in answers] == [0, 1, 2, 0]
    assert len(started) == 1


def test_rows_that_kill_or_never_end_are_rejects(
    executor: Callable[..., list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PROGRAM", FAULTY)
    fine = "Envoys met for talks."
    answers = executor([fine, "It KILLS.", fine], [fine, "It SLEEPS.", fine], [fine], row_seconds=2.0)
    assert [answer["error"] for answer in answers] == [None] * 3
    staged = [json.loads(answer["staged"]) for answer in answers]
    assert [one["rejected"] for one in staged] == [{"killed_worker": 1}, {"too_slow": 1}, {}]


def test_a_process_killed_from_outside_costs_nothing(
    job: partial[Summary], session: SparkSession, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        for pid in processes_naming(str(tmp_path / "out" / "_temporary")) if not killed else []:
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    job(tmp_path / "expected")
    summary = job(tmp_path / "out", engine="spark", row_seconds=60, progress=kill)
    assert killed
    assert (summary.read, summary.n_rejected) == (38, 2)
    found, expected = (rows_of(tmp_path / name, "readings") for name in ("out", "expected"))
    assert found == expected


def work_of(models: Models, folder: Path) -> Work:
    return Work(
        topics=str(models.topics),
        topics_digest=load(models.topics).artefact.digest,
        stance=str(models.stance),
        stance_digest=load(models.stance).artefact.digest,
        folder=str(folder),
        threads=1,
    )


def test_executors_must_see_the_output(models: Models, session: SparkSession, tmp_path: Path) -> None:
    shards = [Shard(0, [Row(1, b'{"text": "secret words"}')])]
    with pytest.raises(StancewireError, match="executors do not see this folder; name an output on"):
        list(spark.run_spark(shards, work_of(models, tmp_path / "nowhere")))


def test_errors_of_workers_hold_no_text(
    executor: Callable[..., list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("secret words")

    monkeypatch.setattr(Pool, "run", fail)
    (answer,) = executor(["secret words"])
    assert "ValueError" in answer["error"]
    assert "secret" not in answer["error"]


def test_a_replaced_model_is_refused(models: Models, session: SparkSession, tmp_path: Path) -> None:
    work = work_of(models, tmp_path)
    other = Work(**{**json.loads(work.to_json()), "topics_digest": "0" * 64, "targets": None})
    with pytest.raises(StancewireError, match="was replaced while the job ran"):
        list(spark.run_spark([Shard(0, [Row(1, b'{"text": "Talks."}')])], other))


def test_an_open_session_has_its_own_master(
    job: partial[Summary], session: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(StancewireError, match=r"a session on local\[2\] is open in this process"):
        job(tmp_path / "out", engine="spark", master="local[3]")


def test_no_java(job: partial[Summary], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StancewireError, match=r"no java on the PATH; it needs Java 17 or newer: install"):
        job(tmp_path / "one", engine="spark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StancewireError, match=r"no bin/java in JAVA_HOME"):
        job(tmp_path / "two", engine="spark")


def test_no_pyspark(job: partial[Summary], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stancewire\[spark\]'"):
        job(tmp_path / "out", engine="spark")


def as_function(session: SparkSession, artefact: Path, folder: Path) -> Callable[..., Column]:
    """Save an artefact as an MLflow model, and make it a function of Spark."""
    task = load(artefact).task
    save_model(
        folder / task,
        loader_module="stancewire.serving",
        data_path=str(artefact),
        signature=signature(task),
        pip_requirements=["stancewire"],
    )
    found: Callable[..., Column] = spark_udf(
        session, str(folder / task), env_manager="local", result_type="string", params={"form": "json"}
    )
    return found


def test_models_as_spark_functions(models: Models, session: SparkSession, tmp_path: Path) -> None:
    topics, stance = load(models.topics), load(models.stance)
    assert isinstance(topics, TopicsPredictor)
    assert isinstance(stance, StancePredictor)
    rows = [("a1", "Talks", TEXTS[0]), ("a2", None, TEXTS[1])]
    asked = session.createDataFrame(rows, "id string, title string, text string")
    ask = as_function(session, models.topics, tmp_path)
    answers = explode(from_json(ask(struct("id", "title", "text")), PROBABILITIES))
    found = asked.select("id", answers.alias("topic")).select("id", "topic.*").collect()
    wanted = topics.predict([Article(text=text, title=title or "") for _, title, text in rows])
    assert [tuple(row) for row in found] == [
        (row[0], score.label, pytest.approx(score.probability), score.decision)
        for row, prediction in zip(rows, wanted, strict=True)
        for score in prediction.scores
    ]
    sentences = session.createDataFrame(
        [("The minister condemned the embargo.", "the embargo")], "sentence string, target string"
    )
    ask = as_function(session, models.stance, tmp_path)
    answer = sentences.select(ask(struct("sentence", "target"))).collect()[0][0]
    (prediction,) = stance.predict(
        [StanceExample(sentence="The minister condemned the embargo.", target="the embargo")]
    )
    assert [line["label"] for line in json.loads(answer) if line["decision"]] == [prediction.label]
