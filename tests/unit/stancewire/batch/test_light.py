"""What a job starts with is loaded on purpose: the parent has no models and no columns, no process pandas."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from stancewire.batch.engines.process import PROGRAM
from tests.batch_cases import ROOT, record, write_jsonl

HEAVY = ("pandas", "pyarrow", "rich", "stancewire.predictor", "stancewire.reading")
PARENT = f"""
import json, sys
from stancewire.batch import run
run(sys.argv[1], sys.argv[2], topics=sys.argv[3])
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
# What a worker does before it is sent a shard, and the columns that it makes of one.
WORKER = """
import json, sys
from stancewire.batch.columns import table_of
from stancewire.batch.engines import worker
worker._spare_pandas()
rejects = table_of("rejects", [(1, "", "a1", "syntax", "not JSON")])
print(json.dumps(["pandas" in sys.modules, rejects.num_rows, list(rejects.to_pandas()["id"])]))
"""


def said(code: str, *arguments: Path) -> list[object]:
    """What a program prints, as JSON."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[object] = json.loads(done.stdout)
    return found


def test_the_parent_loads_nothing_that_only_workers_need(tmp_path: Path, models: tuple[Path, Path]) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(n) for n in range(3)])
    assert said(PARENT, source, tmp_path / "out", models[0]) == []
    assert (tmp_path / "out" / "_SUCCESS").exists()


def test_a_worker_makes_columns_without_pandas_and_can_still_import_it() -> None:
    assert said(WORKER) == [False, 1, ["a1"]]
    assert "engines.worker" in PROGRAM
