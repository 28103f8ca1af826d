"""Read any number of articles into columns: sharded, resumable, the same bytes whatever the engine.

Needs the extra `batch` (pyarrow); docs/batch.md tells what is read, written and promised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stancewire.batch.job import Progress, Report, Summary, run_job
from stancewire.batch.options import EngineName, Options
from stancewire.batch.rows import SHARD_ROWS
from stancewire.batch.staging import Format

__all__ = ["Progress", "Report", "Summary", "run"]


def run(
    input: str | Path,
    output: str | Path,
    *,
    topics: str | Path,
    stance: str | Path | None = None,
    targets: Sequence[str] | None = None,
    engine: EngineName = "local",
    master: str | None = None,
    workers: int = 1,
    threads: int | None = None,
    runtime: str | None = None,
    variant: str | None = None,
    format: Format = "parquet",
    shard_rows: int = SHARD_ROWS,
    max_rejects: int | None = None,
    dedupe: bool = False,
    row_seconds: float | None = None,
    delimiter: str | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Report | None = None,
) -> Summary:
    """Read all of an input into an output folder; called again, it goes on where it stopped.

    Args:
        input: JSONL, CSV (either may be packed as .gz or .zst), Parquet, a folder of texts, or "-".
        output: a folder to make, or that of the same job.
        topics: as in Options, like all that follow.
        stance: see Options.
        targets: see Options.
        engine: see Options.
        master: see Options.
        workers: see Options.
        threads: see Options.
        runtime: see Options.
        variant: see Options.
        format: see Options.
        shard_rows: see Options.
        max_rejects: see Options.
        dedupe: see Options.
        row_seconds: see Options.
        delimiter: see Options.
        columns: see Options.
        progress: told of every shard that is in place.

    Raises:
        StancewireError: if anything cannot be done; the shards that are done stay.
    """
    options = Options(
        topics=str(topics),
        stance=None if stance is None else str(stance),
        targets=targets,
        engine=engine,
        master=master,
        workers=workers,
        threads=threads,
        runtime=runtime,
        variant=variant,
        format=format,
        shard_rows=shard_rows,
        max_rejects=max_rejects,
        dedupe=dedupe,
        row_seconds=row_seconds,
        delimiter=delimiter,
        columns=columns or {},
    )
    return run_job(input, output, options, progress)
