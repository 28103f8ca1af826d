"""Batch jobs for tests: rows to read, workers that misbehave, an engine without processes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from stancewire.batch.engines import worker
from stancewire.batch.process import Watch
from stancewire.batch.rows import Shard
from stancewire.batch.shard_work import load_reader, work_on
from stancewire.batch.staging import Staged
from stancewire.batch.work import Work
from stancewire.examples import Article, StanceExample
from stancewire.reading import Reader
from stancewire.runtime import RawPrediction, Runtime

ROOT = Path(__file__).resolve().parents[1]
TEXTS = (
    "The ministry spoke about shells and talks. The minister welcomed the talks. It rained.",
    "The envoys condemned the embargo on tanks. Oslo described the embargo.",
    "The harvest was good this year. Children danced.",
    "Seoul blocked the assets of the blacklist. Kyiv praised the blacklist and the summit.",
)
# What starts a worker whose model kills, sleeps or raises on such words.
FAULTY = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from tests.batch_cases import faulty_worker; faulty_worker(int(sys.argv[2]), sys.argv[3])"
)


def record(number: int, text: str = "", **more: object) -> dict[str, Any]:
    """One article of the input."""
    return {"id": f"a{number}", "title": f"Row {number}", "text": text or TEXTS[number % len(TEXTS)], **more}


def write_jsonl(path: Path, records: Iterable[object]) -> Path:
    """Write records, or lines that are bytes already."""
    lines = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in records]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder, with the digest of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    """All rows of a table of the output, in order."""
    found: list[dict[str, Any]] = []
    for path in sorted((folder / table).iterdir()):
        if path.suffix == ".jsonl":
            found += map(json.loads, path.read_bytes().split(b"\n")[:-1])
        else:
            from pyarrow import parquet

            found += parquet.read_table(path).to_pylist()
    return found


def here(shards: Iterable[Shard], work: Work) -> Iterator[Staged]:
    """Work on shards in this process, as an engine does."""
    reader = load_reader(work)
    for shard in shards:
        yield work_on(shard, reader, work)


def command(*arguments: str | Path, prepare: str = "pass") -> list[str]:
    """The command line of a job in a process of its own, after some Python."""
    code = f"import sys; {prepare}; from stancewire.cli import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", code, "batch", *map(str, arguments)]


def run_command(
    *arguments: str | Path, prepare: str = "pass", data: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a job in a process of its own, with this on its standard input."""
    return subprocess.run(  # noqa: S603 - our own program
        command(*arguments, prepare=prepare),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        input=data,
    )


def with_faults(reader: Reader) -> Reader:
    """Let the models heed words that kill, sleep or raise."""
    for predictor in (reader.topics, reader.stance):
        if predictor is not None:
            predictor._runtime = _Faulty(predictor._runtime)
    return reader


def faulty_worker(descriptor: int, work: str) -> None:
    """Be a worker whose models misbehave."""
    worker.load_reader = lambda work: with_faults(load_reader(work))  # type: ignore[attr-defined]
    worker.main(descriptor, work)


class _Faulty:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        for example in examples:
            text = example.text if isinstance(example, Article) else example.sentence
            if "KILLS" in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "SLEEPS" in text:
                time.sleep(60)
            if "RAISES" in text:
                raise ValueError(f"cannot read {text}")
            if "STARVES" in text:
                raise MemoryError
        return self._runtime.predict(examples)


def reasons(rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The reason of each reject by its line."""
    return {row["line"]: row["reason"] for row in rows}


STEPS = ("fsync", "rename", "replace", "rmdir", "unlink", "mkdir")


def at_step(step: int, act: Callable[[], None]) -> dict[str, Callable[..., Any]]:
    """What to replace the disk's functions in `os` with, so that something happens before one of their calls.

    Args:
        step: which call of any of them, from 0.
        act: what happens; if it returns, the call is still made.
    """
    steps = count()

    def stepped(do: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever it is
            if next(steps) == step:
                act()
            return do(*arguments, **options)

        return call

    return {name: stepped(getattr(os, name)) for name in STEPS}


def killed_at(step: int, job: Callable[[], object]) -> bool:
    """Run a job in a child process that is killed before a step on the disk; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        for name, do in at_step(step, lambda: os.kill(os.getpid(), signal.SIGKILL)).items():
            setattr(os, name, do)
        try:
            job()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def dying_worker(descriptor: int, work: str) -> None:
    """Be a worker that dies over many rows, and over none alone."""

    def dying(shard: Shard, reader: Reader, work: Work, watch: Watch | None = None) -> Staged:
        if watch is not None:
            watch(0, len(shard.rows) - 1)
        os._exit(9)

    worker.work_on = dying  # type: ignore[attr-defined]
    worker.main(descriptor, work)


def processes_naming(text: str) -> list[int]:
    """Return the processes with a text in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found
