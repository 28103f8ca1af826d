"""The command line of training: parse, check every config, train each, print what came out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from models.ranks import is_first
from stancewire.errors import StancewireError
from stancewire.terminal import escape
from training.config import RunConfig
from training.config_file import dump_config, load_config
from training.console import DONE, REFUSED, reporting, told
from training.data.split import PARTS
from training.prepare import Corpora, Prepared, prepare
from training.seeds import seeds_of, seeds_table, spreads, with_seeds
from training.yaml import ConfigError

if TYPE_CHECKING:
    from training.train import Outcome

_MOST_AT_ONCE = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: every config was trained. 2: something was wrong with what was given; nothing is half-written. 3: a
    model was trained but not registered, because it missed a gate. 130: interrupted.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    return told(lambda: _run(options, console))


def _run(options: argparse.Namespace, console: Console) -> int:
    configs = _load(options.configs, options.set)
    if options.seeds:
        configs = [one for config in configs for one in with_seeds(config, options.seeds)]
    if options.dump_config:
        sys.stdout.write("---\n".join(dump_config(config) for config in configs))
        return DONE
    corpora = Corpora()
    with reporting(console) as report:
        prepared = [prepare(config, corpora, report) for config in configs]
    if options.dry_run:
        for one in prepared:
            console.print(plan(one))
        return DONE
    if not is_first():
        return _follow(prepared, fresh=options.fresh)
    outcomes = _train_all(prepared, console, options)
    for start in range(0, len(outcomes), len(options.seeds or outcomes)):
        _tell_spread(outcomes[start : start + len(options.seeds or ())], options.seeds, console)
    return REFUSED if any(outcome.refused for outcome in outcomes) else DONE


def _train_all(prepared: Sequence[Prepared], console: Console, options: argparse.Namespace) -> list[Outcome]:
    """Train one run after the other; fits of all of them may be made side by side meanwhile."""
    from training.ahead import Run, side_by_side
    from training.present import outcome_lines
    from training.resume import under_way
    from training.train import train

    outcomes = []
    with ExitStack() as opened:
        runs = [Run(one, opened.enter_context(under_way(one, fresh=options.fresh))) for one in prepared]
        ahead = opened.enter_context(side_by_side(runs, options.at_once))
        for run in runs:
            with reporting(console) as report:
                outcomes.append(train(run.prepared, run.kept, report, ahead))
            for line in outcome_lines(outcomes[-1]):
                console.print(line)
    return outcomes


def _follow(prepared: Sequence[Prepared], *, fresh: bool) -> int:
    """Do the share of a process that torchrun started beside the first; that one tracks, writes and tells."""
    from training.resume import under_way
    from training.rivals import follow

    for one in prepared:
        with under_way(one, fresh=fresh) as kept:
            follow(one, kept.context)
    return DONE


def _tell_spread(outcomes: Sequence[Outcome], seeds: Sequence[int] | None, console: Console) -> None:
    """Print and log what the seeds of one config differ in."""
    if not seeds:
        return
    from training.tracking import log_later

    found = spreads([outcome.evaluations for outcome in outcomes])
    console.print(seeds_table(outcomes[0].config.name, seeds, found))
    for what in ("mean", "deviation"):
        figures = {f"seeds/{name}/{what}": getattr(spread, what) for name, spread in found.items()}
        log_later(outcomes[0].run_id, figures)


def _load(files: Sequence[str], settings: Sequence[str]) -> list[RunConfig]:
    """Return every config, or refuse all of them with everything that is wrong in any."""
    configs, refused = [], []
    for file in files:
        try:
            configs.append(load_config(file, settings))
        except ConfigError as error:
            refused.append(error)
    if refused:
        raise StancewireError("\n".join(map(str, refused)))
    homes = [f"{config.output}/{config.name}" for config in configs]
    if twice := sorted({home for home in homes if homes.count(home) > 1}):
        raise StancewireError(f"two configs would write {twice[0]}; give each its own name or output")
    return configs


def plan(prepared: Prepared) -> Table:
    """Return what a run would learn from and be judged on."""
    config = prepared.config
    table = Table(
        title=f"{config.name}: {config.model.family}, {config.task}, split by {prepared.split.by}",
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    table.add_column("part", no_wrap=True)
    labels = prepared.parts.train.labels
    for column in ("rows", "stories", *labels):
        table.add_column(column, justify="right")
    sets = [(name, getattr(prepared.parts, name)) for name in PARTS]
    sets += [(f"+ {escape(one.source)}", one.rows) for one in prepared.parts.extra]
    for name, rows in sets:
        counts = [str(int((rows.truth[:, column] == 1).sum())) for column in range(len(labels))]
        table.add_row(name, str(len(rows)), str(len(set(rows.groups))), *counts)
    for reason, n_rows in prepared.split.left_out.items():
        table.add_row(f"left out: {reason}", str(n_rows))
    return table


def _fits_at_once(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_AT_ONCE:
        raise argparse.ArgumentTypeError(f"wanted a whole number from 1 to {_MOST_AT_ONCE}, got {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.run",
        description="Train the models that the configs describe, each in one MLflow run.",
    )
    parser.add_argument(
        "configs", nargs="+", metavar="CONFIG", help="YAML file, such as configs/topics-linear.yaml"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a setting of every config, such as seed=3 or data.path=mine.csv; may be repeated",
    )
    parser.add_argument(
        "--seeds",
        type=seeds_of,
        metavar="SEED,SEED",
        help="train every config once for each seed, on one split, and print mean and spread",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start anew, where a run that was killed could go on"
    )
    parser.add_argument(
        "--at-once",
        type=_fits_at_once,
        metavar="N",
        help="encoders: fits side by side on the cores of the processor; 1: one after the other, each on all "
        "cores; left out: as many as the cores carry",
    )
    parser.add_argument(
        "--dump-config", action="store_true", help="print the whole config, explained, and stop"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="read, check and split the data, print the parts, stop"
    )
    return parser
