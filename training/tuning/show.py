"""What a sweep prints: its plan, its progress, its best trials and the choice."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from stancewire.terminal import escape
from training.tuning.folds import Ground
from training.tuning.load import Sweep
from training.tuning.search import Found
from training.yaml import Plain

_SHOWN = 5
_STATES = {"COMPLETE": "complete", "PRUNED": "given up early", "FAIL": "failed"}


def plan(sweep: Sweep, ground: Ground) -> Iterator[RenderableType]:
    """Yield the search space, and how trials would be judged."""
    tune, stories = sweep.tune, len(set(ground.rows.groups))
    table = _table(f"{sweep.config.name}: search space")
    for column in ("setting", "drawn", "from"):
        table.add_column(column, overflow="fold")
    for path, drawn in tune.space.items():
        between = " to " if drawn.kind != "choice" else " or "
        table.add_row(escape(path), drawn.kind, escape(between.join(map(json.dumps, drawn.values))))
    yield table
    yield Text(f"trials    {tune.trials:,}, each judged by {measure(sweep, ground)}")
    yield Text(f"rows      {len(ground.rows):,} of {stories:,} stories; the test part is not among them")
    time = "" if tune.timeout_seconds is None else f", none begun after {tune.timeout_seconds:g} seconds"
    yield Text(f"workers   {tune.workers}, pruner {tune.pruner}{time}")
    yield Text(f"storage   {escape(str(sweep.storage))}")


def measure(sweep: Sweep, ground: Ground) -> str:
    """Say what a score is."""
    if sweep.tune.metric == "dev":
        return "macro-F1 on two halves of dev"
    return f"macro-F1 in {len(ground.cuts)}-fold cross-validation over train and dev"


def found_lines(sweep: Sweep, ground: Ground, found: Found) -> Iterator[RenderableType]:
    """Yield the best trials beside the config as it stands, and how many there were of each kind."""
    table = _table(f"{sweep.config.name}: {measure(sweep, ground)}")
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("macro-F1", justify="right", no_wrap=True)
    table.add_column("settings", overflow="fold")
    ended, baseline = found.ended, found.baseline
    complete = [trial for trial in ended if trial.state == "COMPLETE"]
    complete.sort(key=lambda trial: (-(trial.score or 0.0), trial.ordinal))
    for trial in complete[:_SHOWN]:
        table.add_row(str(trial.ordinal), score(trial.score), escape(described(trial.drawn)))
    failure = f" (failed: {escape(baseline.reason)})" if baseline.reason else ""
    table.add_row("", score(baseline.score), f"the config as it stands{failure}", style="dim")
    yield table
    counts = Counter(trial.state for trial in ended)
    kinds = ", ".join(f"{counts[state]:,} {name}" for state, name in _STATES.items() if counts[state])
    yield Text(f"trials    {len(ended):,} of {sweep.tune.trials:,}: {kinds}")
    if failed := [trial for trial in ended if trial.state == "FAIL"]:
        yield Text(f"          the first that failed: {escape(failed[0].reason)}", style="yellow")
    if len(ended) < sweep.tune.trials:
        yield Text("          the time is over; the same command makes the rest", style="yellow")


def choice_lines(sweep: Sweep, found: Found) -> Iterator[RenderableType]:
    """Yield the chosen settings, as flags and as a file."""
    best, stands = found.best, found.baseline.score
    yield Text(f"chosen    trial {best.ordinal}, macro-F1 {score(best.score)}")
    if stands is not None and (best.score or 0.0) <= stands:
        told = f"not above the config as it stands ({score(stands)}): the search found nothing better"
        yield Text(f"          {told}", style="yellow")
    for line in sweep.lines(best.drawn):
        yield Text(f"          --set {escape(shlex.quote(line))}")
    yield Text(f"config    {escape(str(sweep.best))}")


def described(drawn: Mapping[str, Plain]) -> str:
    """Return drawn values in one line."""
    return ", ".join(
        f"{path}={value:.4g}" if isinstance(value, float) else f"{path}={json.dumps(value)}"
        for path, value in drawn.items()
    )


def score(value: float | None) -> str:
    """Return a score as it is printed everywhere."""
    return "-" if value is None else f"{value:.4f}"


@contextmanager
def progress(console: Console, trials: int) -> Iterator[Callable[[int, float | None], None]]:
    """Show a bar of trials that are over, and the best score so far, on a terminal; nothing elsewhere."""
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield lambda done, best: None
        return
    columns = (
        TextColumn("trials"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("best {task.fields[best]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("trials", total=trials, best="-")
        yield lambda done, best: shown.update(task, completed=done, best=score(best))


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", header_style="bold")
