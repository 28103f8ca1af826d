"""How a job is told of: a bar on a terminal while it runs, and one line when it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from stancewire.batch import job
from stancewire.terminal import console_on, escape


@contextmanager
def shown() -> Iterator[job.Report | None]:
    """Yield what shows the progress on standard error, where that is a terminal; else nothing."""
    console = console_on(sys.stderr)
    if not console.is_terminal:
        yield None
        return
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0, told="loading the models")
        began = time.monotonic()

        def report(progress: job.Progress) -> None:
            summary = progress.summary
            rate = (summary.rows - summary.resumed) / max(1e-9, time.monotonic() - began)
            told = f"{summary.rows:,} rows, {rate:,.0f}/s, {summary.n_rejected:,} rejected"
            bar.update(task, completed=progress.share, told=told)

        yield report


def summed_up(summary: job.Summary, seconds: float) -> str:
    """Return the one line that a job ends with."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary.rejected.items())
    parts = [f"{summary.rows:,} rows = {summary.read:,} read"]
    if summary.copies:
        parts.append(f" + {summary.copies:,} copies")
    parts.append(f" + {summary.n_rejected:,} rejected")
    if reasons:
        parts.append(f" ({reasons})")
    shards = f"{summary.shards:,} shards" if summary.shards != 1 else "1 shard"
    before = f", {summary.resumed:,} rows done before" if summary.resumed else ""
    return escape(f"{''.join(parts)}; {shards}{before}; {seconds:.1f} s; {summary.output}")
