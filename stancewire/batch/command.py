"""`stancewire batch`: parse, run the job, tell how it went."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from stancewire.errors import StancewireError
from stancewire.location import default_model
from stancewire.section import shown as quoted
from stancewire.terminal import escape

_MODEL = "An artefact's folder or MLflow URI. Without: that under artefacts/, or under $STANCEWIRE_MODELS."


def batch_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help=".jsonl, .csv, .tsv (also .gz, .zst), .parquet, a folder of texts, or - (JSONL).",
        ),
    ],
    output: Annotated[str, typer.Argument(metavar="OUTPUT_DIR", help="A folder to make, or to go on with.")],
    topics: Annotated[str | None, typer.Option(metavar="MODEL", help=_MODEL)] = None,
    stance: Annotated[str | None, typer.Option(metavar="MODEL", help=_MODEL)] = None,
    topics_only: Annotated[bool, typer.Option("--topics-only", help="Predict no stances.")] = False,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="PHRASE", help="Ask about this phrase instead of the topics; repeatable."),
    ] = None,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="parquet or jsonl.")] = "parquet",
    workers: Annotated[int, typer.Option(metavar="N", help="Processes, each with the models loaded.")] = 1,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Threads of each process. Without: the cores, shared.")
    ] = None,
    runtime: Annotated[str | None, typer.Option(metavar="NAME", help="What runs an encoder.")] = None,
    variant: Annotated[str | None, typer.Option(metavar="NAME", help="fp32, bf16 or int8.")] = None,
    shard_rows: Annotated[int, typer.Option(metavar="N", help="Most rows of the input in one shard.")] = 1000,
    max_rejects: Annotated[
        int | None, typer.Option(metavar="N", help="Stop, with exit code 3, when more rows are rejected.")
    ] = None,
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Read copies of an article once.")] = False,
    row_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Reject a row that takes longer than this.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(metavar="CHAR", help="What parts the cells of CSV; a comma, in .tsv a tab.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="The input's column for text, title, id, …; repeatable."),
    ] = None,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="local or spark.")] = "local",
    master: Annotated[str | None, typer.Option(metavar="URL", help="The master of Spark.")] = None,
) -> Callable[[], int]:
    """Read any number of articles into Parquet or JSONL; the same command goes on where it stopped."""
    options: dict[str, Any] = {
        "targets": target,
        "format": format,
        "workers": workers,
        "threads": threads,
        "runtime": runtime,
        "variant": variant,
        "shard_rows": shard_rows,
        "max_rejects": max_rejects,
        "dedupe": dedupe,
        "row_seconds": row_seconds,
        "delimiter": delimiter,
        "engine": engine,
        "master": master,
    }

    def job() -> int:
        if topics_only and stance is not None:
            raise StancewireError("expected --stance or --topics-only, found both")
        options["topics"] = topics or str(default_model("topics", "name one with --topics"))
        options["stance"] = None if topics_only else stance or _default_stance()
        return run_batch(source, output, {**options, "columns": columns_of(column or ())})

    return job


def run_batch(source: str, output: str, options: dict[str, Any]) -> int:
    """Run a job, with a bar on a terminal; print one line when it ends, and return the exit code."""
    from stancewire.batch.job import run_job
    from stancewire.batch.options import Options
    from stancewire.batch.progress import shown, summed_up

    began = time.monotonic()
    checked = Options(**options)
    with shown() as report:
        summary = run_job(source, output, checked, report)
    if not summary.is_done:
        told = (
            f"stopped: {summary.n_rejected:,} rows were rejected, {checked.max_rejects:,} at most may be; "
            f"look at {output}/rejects; the same command with a higher --max-rejects goes on"
        )
        sys.stderr.write(f"error: {escape(told)}\n")
    sys.stdout.write(summed_up(summary, time.monotonic() - began) + "\n")
    return summary.exit_code


def columns_of(pairs: Iterable[str]) -> dict[str, str]:
    """Parse FIELD=COLUMN pairs.

    Raises:
        StancewireError: for one that is none, or a field that is named twice.
    """
    columns: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not (name and equals and column) or name in columns:
            raise StancewireError(f"--column: expected FIELD=COLUMN, each field once, found {quoted(pair)}")
        columns[name] = column
    return columns


def _default_stance() -> str:
    return str(default_model("stance", "name one with --stance, leave it out with --topics-only"))
