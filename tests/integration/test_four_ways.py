"""The same 1,000 articles in Python, by the batch job, by Spark and over HTTP: the same labels everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.batch_corpus import records, write_records
from tests.integration.conftest import ROOT, Trained
from tests.integration.four_ways import Labels, by_http, by_job, by_python
from tests.integration.server import Server
from tests.java import java_environment

N_ARTICLES = 1000


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("articles") / "articles.jsonl", N_ARTICLES)


@pytest.fixture(scope="module")
def wanted(trained: Trained) -> dict[str, Labels]:
    """What Python answers."""
    found = by_python(records(N_ARTICLES), trained.topics, trained.stance)
    assert len(found) == N_ARTICLES
    assert len({tuple(topics) for topics, _, _ in found.values()}) > 3
    assert {stance[-1] for _, _, stances in found.values() for stance in stances} > {"favor", "against"}
    return found


def job(trained: Trained, articles: Path, output: Path, *options: str, **variables: str) -> str:
    """Run `stancewire batch` in a process of its own; return what it says."""
    command = [sys.executable, "-m", "stancewire", "batch", str(articles), str(output), *options]
    process = subprocess.Popen(  # noqa: S603 - fixed program
        [*command, "--topics", str(trained.topics), "--stance", str(trained.stance)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said, errors = process.communicate()
    assert process.returncode == 0, errors
    assert processes_of(process.pid) == []
    return said


def processes_of(session: int) -> list[str]:
    """Return the processes that were started in a session and still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:  # it has just ended
            continue
        state, _, _, its_session = fields.split()[:4]
        if int(its_session) == session and state != "Z":
            found.append(name)
    return found


def test_batch(trained: Trained, wanted: dict[str, Labels], articles: Path, tmp_path: Path) -> None:
    said = job(trained, articles, tmp_path / "out", "--shard-rows", "300")
    assert said.startswith("1,000 rows = 1,000 read + 0 rejected; 4 shards")
    assert by_job(tmp_path / "out") == wanted


def test_spark(trained: Trained, wanted: dict[str, Labels], articles: Path, tmp_path: Path) -> None:
    options = ("--engine", "spark", "--master", "local[2]", "--shard-rows", "250")
    said = job(trained, articles, tmp_path / "out", *options, **java_environment(tmp_path / "java"))
    assert said.startswith("1,000 rows = 1,000 read + 0 rejected; 4 shards")
    assert by_job(tmp_path / "out") == wanted


def test_http(reader_server: Server, wanted: dict[str, Labels]) -> None:
    assert by_http(list(records(N_ARTICLES)), reader_server.post) == wanted
