"""The command line of the behavioural tests: load an artefact, ask it every case, print what fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from stancewire.predictor import load
from stancewire.strictjson import dumps
from stancewire.terminal import escape
from training.behaviour.load import BUNDLED, load_suite
from training.behaviour.report import BehaviourReport
from training.behaviour.score import EXAMPLES, run_behaviour
from training.behaviour.table import report_tables
from training.behaviour.trained import BLIND_KEY, KEY, reports_in
from training.console import told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for anything wrong with what was given."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    suite = load_suite(Path(options.cases))
    predictor = load(options.artefact)
    report = run_behaviour(predictor, suite, examples=options.examples)
    blind = _blind(predictor.artefact.manifest.metrics, report)
    if options.json:
        found = {KEY: report.to_dict(), BLIND_KEY: blind.to_dict() if blind else None}
        sys.stdout.write(dumps(found).decode())
        return 0
    title = f"{escape(predictor.provenance.model)}: failure rates in {predictor.task}"
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    console.print(report_tables(title, report, blind))
    return 0


def _blind(metrics: object, report: BehaviourReport) -> BehaviourReport | None:
    """Return the baseline that the run kept, where it answered these very cases."""
    try:
        blind = reports_in(metrics)[1] if isinstance(metrics, dict) else None
    except (KeyError, TypeError, ValueError):  # written by another version, or by hand
        return None
    return blind if blind and blind.suite == report.suite else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.behaviour",
        description="Test what a model must be able to do: negation, swapped targets, typos and the like.",
    )
    parser.add_argument("artefact", metavar="ARTEFACT", help="folder of an artefact, or an MLflow model URI")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--cases", default=str(BUNDLED), metavar="FOLDER", help="cases of your own (docs/behaviour.md)"
    )
    parser.add_argument(
        "--examples", type=_count, default=EXAMPLES, metavar="N", help="failing examples of each capability"
    )
    return parser


def _count(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 1000:
        raise ValueError(text)
    return value
