"""Shards on Spark: one task each, the models loaded once for every Python worker that Spark keeps.

The driver reads the input and puts every file in its place; executors predict, and stage the files in a
folder that all of them see. Models travel with the job. A Python worker of Spark has a process of the local
engine work for it, so that a row that kills it, or never ends, is a reject here too.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4
from zipfile import ZipFile

from stancewire.batch.engines.local import Pool
from stancewire.batch.engines.messages import told
from stancewire.batch.engines.spark_session import said, spark_session
from stancewire.batch.rows import Shard
from stancewire.batch.staging import Staged
from stancewire.batch.work import Work
from stancewire.errors import StancewireError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# While the last tasks of one wave of shards run, those of the next fill the cores that are free.
WAVES = 2
_ANSWER = "staged string, error string"
# The one pool of a Python worker of Spark, by what it does.
_POOLS: dict[str, Pool] = {}


def run_spark(
    shards: Iterable[Shard],
    work: Work,
    *,
    master: str | None = None,
    workers: int = 1,
    row_seconds: float | None = None,
) -> Iterator[Staged]:
    """Work on shards with Spark; see Engine.

    Args:
        shards: taken as they are needed, as many at once as twice Spark's cores.
        work: what is to be done; its folder must be there on every executor.
        master: see `spark_session`.
        workers: see `spark_session`.
        row_seconds: see `run_local`.

    Raises:
        MissingExtraError: without pyspark.
        StancewireError: without Java, if a model cannot be loaded or a file written, or if a task fails.
    """
    with spark_session(master, workers) as session, _shipped(work, row_seconds, session) as sent:
        # One shard a batch of rows, one batch a task.
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
        session.conf.set("spark.sql.execution.arrow.localRelationThreshold", "0")
        group = f"stancewire-{uuid4().hex}"
        run = partial(_run, session, sent, group)
        pool = ThreadPoolExecutor(WAVES, thread_name_prefix="stancewire-spark")
        try:
            yield from _in_waves(pool, run, shards, session.sparkContext.defaultParallelism)
        finally:
            session.sparkContext.cancelJobGroup(group)
            pool.shutdown(cancel_futures=True)


def _in_waves(
    pool: ThreadPoolExecutor,
    run: Callable[[list[Shard]], list[Staged]],
    shards: Iterable[Shard],
    size: int,
) -> Iterator[Staged]:
    """Yield what comes of every wave of shards, in order; no more than WAVES of them are held."""
    ahead = iter(shards)
    running: deque[Future[list[Staged]]] = deque()
    while wave := list(islice(ahead, size)):
        running.append(pool.submit(run, wave))
        if len(running) == WAVES:
            yield from running.popleft().result()
    while running:
        yield from running.popleft().result()


def _run(session: SparkSession, sent: str, group: str, shards: Sequence[Shard]) -> list[Staged]:
    """Run one Spark job, a task for each shard, and wait for it."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    session.sparkContext.setJobGroup(group, "stancewire batch", interruptOnCancel=True)
    try:
        answers = _frame(session, shards).mapInArrow(partial(_staged, sent=sent), _ANSWER).toArrow()
    except (PySparkException, Py4JError) as error:
        raise StancewireError(f"Spark could not finish the job: {said(error)}") from None
    if errors := [error for error in answers["error"].to_pylist() if error is not None]:
        raise StancewireError(errors[0])
    return list(map(Staged.from_json, answers["staged"].to_pylist()))


def _frame(session: SparkSession, shards: Sequence[Shard]) -> DataFrame:
    import pyarrow as pa

    packed = pa.array([shard.to_bytes() for shard in shards], pa.binary())
    return session.createDataFrame(pa.table({"shard": packed}))


def _staged(batches: Iterator[pa.RecordBatch], sent: str) -> Iterator[pa.RecordBatch]:
    """Work on the shards of a partition; runs in Spark's Python workers."""
    import pyarrow as pa

    for batch in batches:
        answers = [_answer(packed, sent) for packed in batch.column("shard").to_pylist()]
        yield pa.RecordBatch.from_pylist(answers, pa.schema({"staged": pa.string(), "error": pa.string()}))


def _answer(packed: bytes, sent: str) -> dict[str, str]:
    """Return what was staged of a shard, or else what went wrong, in one line."""
    try:
        (staged,) = _pool(sent).run([Shard.from_bytes(packed)])
        return {"staged": staged.to_json()}
    except Exception as error:  # whatever it is: Spark would log all that it says
        _end_pools()
        return {"error": told(error)}


def _pool(sent: str) -> Pool:
    """Return the process that does this; of one job before, which a notebook may have run, it is ended.

    Raises:
        StancewireError: if the folder of the work is not here.
    """
    from pyspark import SparkFiles

    if sent not in _POOLS:
        _end_pools()
        given = json.loads(sent)
        work = Work.from_json(given["work"])
        if not Path(work.folder).is_dir():
            raise StancewireError(
                f"{work.folder}: Spark's executors do not see this folder; name an output on a file system "
                "that all of them share"
            )
        stance = None if work.stance is None else SparkFiles.get(work.stance)
        here = replace(work, topics=SparkFiles.get(work.topics), stance=stance)
        _POOLS[sent] = Pool(here, 1, given["row_seconds"])
    return _POOLS[sent]


def _end_pools() -> None:
    while _POOLS:
        _POOLS.popitem()[1].end()


@contextmanager
def _shipped(work: Work, row_seconds: float | None, session: SparkSession) -> Iterator[str]:
    """Send the models to every executor, and yield the work that names them as they are called there."""
    token = f"stancewire-{uuid4().hex}"
    with TemporaryDirectory(prefix="stancewire-") as folder:
        archive = Path(folder) / f"{token}.zip"
        with ZipFile(archive, "w") as file:
            for task, artefact in (("topics", work.topics), ("stance", work.stance)):
                for path in sorted(Path(artefact).rglob("*")) if artefact is not None else ():
                    file.write(path, f"{task}/{path.relative_to(str(artefact))}")
        session.sparkContext.addArchive(f"{archive}#{token}")
        there = replace(
            work,
            topics=f"{token}/topics",
            stance=None if work.stance is None else f"{token}/stance",
            folder=str(Path(work.folder).absolute()),
        )
        yield json.dumps({"work": there.to_json(), "row_seconds": row_seconds})
