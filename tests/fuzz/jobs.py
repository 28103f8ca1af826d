"""Targets: what a batch job finds in its folder when it goes on."""

from __future__ import annotations

from pathlib import Path

from stancewire.batch.columns import TABLES
from stancewire.batch.output import FORMAT_VERSION, JOB, SHARDS, SUCCESS, open_output
from stancewire.strictjson import dumps
from tests.fuzz.loop import Target

_EMPTY = {"bytes": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
_SHARD = {"rows": 1, "read": 1, "copies": 0, "rejected": {"nul": 1}, "files": dict.fromkeys(TABLES, _EMPTY)}
_JOB = {"format": "stancewire-batch", "format_version": FORMAT_VERSION, "fingerprint": {}, "shards": []}
_WORDS = (b'"rows"', b'"files"', b'"shards"', b'"bytes"', b'"sha256"', b'"rejected"', b'"readings"')


def finished_job(folder: Path) -> Target:
    """The manifest of a finished job, edited: refused, or all of its files are as it says."""
    return _job(folder, JOB, dumps(_JOB | {"shards": [_SHARD]}), done=True)


def record_of_shard(folder: Path) -> Target:
    """The record of a shard that is done, edited: refused, or its files are as it says."""
    target = _job(folder, f"{SHARDS}/00000.json", dumps(_SHARD), done=False)
    (folder / JOB).write_bytes(dumps(_JOB))
    return target


def _job(folder: Path, edited: str, seed: bytes, *, done: bool) -> Target:
    for name in (SHARDS, *TABLES):
        (folder / name).mkdir()
    for table in TABLES:
        (folder / table / "part-00000.jsonl").touch()
    if done:
        (folder / SUCCESS).touch()
        (folder / JOB).touch()

    def check(data: bytes) -> None:
        (folder / edited).write_bytes(data)
        with open_output(folder) as output:
            for shard in output.begin({}, "jsonl").values():
                assert isinstance(shard.rows + shard.read + shard.copies + sum(shard.rejected.values()), int)

    return Target(check, [seed], _WORDS)
