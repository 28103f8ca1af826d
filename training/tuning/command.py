"""The command line of sweeps: load and check, search, write the choice, train it, print."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from training.console import DONE, REFUSED, reporting, told
from training.prepare import Corpora, Prepared, prepare
from training.tuning.load import Sweep, load_sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: the best choice is trained. 2: something was wrong with what was given. 3: it was trained but not
    registered, because it missed a gate. 130: interrupted; the same command goes on.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    interrupted = "interrupted; the same command goes on from here"
    return told(lambda: _run(options, console), interrupted=interrupted)


def _run(options: argparse.Namespace, console: Console) -> int:
    sweep = load_sweep(options.config, options.set)
    with reporting(console) as report:
        prepared = prepare(sweep.config, Corpora(), report)
    if options.dry_run:
        return _plan(sweep, prepared, console)
    return _sweep(sweep, prepared, console)


def _plan(sweep: Sweep, prepared: Prepared, console: Console) -> int:
    from training.tuning.folds import make_ground
    from training.tuning.show import plan

    for line in plan(sweep, make_ground(prepared, sweep.tune)):
        console.print(line)
    return DONE


def _sweep(sweep: Sweep, prepared: Prepared, console: Console) -> int:
    from training.present import outcome_lines
    from training.tracking_store import connect
    from training.tuning.final import Earlier, train_best, write_best
    from training.tuning.folds import make_ground
    from training.tuning.same import digest_of_rows
    from training.tuning.search import Search
    from training.tuning.show import choice_lines, found_lines, progress
    from training.tuning.study import open_trials
    from training.tuning.track import sweep_run

    ground = make_ground(prepared, sweep.tune)
    connect()  # before a file of trials is made, which nothing would fill where MLflow cannot be used
    with (
        _sigterm_stops(),
        open_trials(sweep, digest_of_rows(prepared)) as trials,
        sweep_run(sweep, trials) as run,
    ):
        with progress(console, sweep.tune.trials) as shown:
            found = Search(sweep, ground, trials, run, shown).find()
        for line in found_lines(sweep, ground, found):
            console.print(line)
        write_best(sweep, found, run)
        for line in choice_lines(sweep, found):
            console.print(line)
        with reporting(console) as report:
            outcome = train_best(sweep, prepared, found, trials, run, report)
    if isinstance(outcome, Earlier):
        console.print(Text(f"trained   before, in MLflow's run {outcome.run_id}; its artefact stands"))
    else:
        for line in outcome_lines(outcome):
            console.print(line)
    return REFUSED if outcome.refused else DONE


@contextmanager
def _sigterm_stops() -> Iterator[None]:
    """Turn SIGTERM into SystemExit, so that trials under way are marked and workers ended."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.tune",
        description="Search the settings of a config on train and dev, then train the best choice once.",
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        help="YAML file with a section 'tune', such as configs/topics-linear-tune.yaml",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a setting, such as seed=3 or tune.trials=100; may be repeated",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="read, check and split the data, print the search space and the number of trials, stop",
    )
    return parser
