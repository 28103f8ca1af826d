"""The command line of comparing: find both models and the rows, compare, print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from stancewire.strictjson import dumps
from training.comparing.changes import changes
from training.comparing.ground import common_ground
from training.comparing.models import check_alike, load_models
from training.comparing.pairing import Resampling, ask, compare
from training.comparing.show import as_json, comparison_lines
from training.console import reporting, told

DONE = 0
_EXAMPLES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 whichever model wins, 2 where something given is wrong, 130 interrupted."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    console = Console(
        stderr=options.json,  # what steps are shown must not mix with the JSON
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not sys.stdout.isatty(),
    )
    resampling = Resampling(options.samples, options.confidence, options.seed)
    with reporting(console) as report:
        report("loading the models")
        models = load_models((("A", options.a), ("B", options.b)))
        check_alike(models)
        ground = common_ground(models, options.data, report)
        a, b = (ask(model.predictor, ground.rows, model.name, report) for model in models)
        report("comparing")
        found = compare(ground.rows, a, b, resampling)
        changed = changes(ground.rows, a, b)
    if options.json:
        sys.stdout.write(dumps(as_json(ground, models, found, changed)).decode())
        return DONE
    for line in comparison_lines(ground, models, found, changed, options.examples):
        console.print(line)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.compare",
        description="Compare two models on the same rows: differences with intervals, and what changed.",
    )
    for name in ("a", "b"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="folder of an artefact, id of an MLflow run, models:/NAME@ALIAS or models:/NAME/VERSION",
        )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="labelled corpus, as docs/data.md describes, that neither has seen (default: the test part that "
        "both share)",
    )
    parser.add_argument(
        "--samples",
        type=whole(100, 100_000),
        default=Resampling.samples,
        help="resamples (default: %(default)s)",
    )
    parser.add_argument(
        "--confidence", type=share, default=Resampling.confidence, help="of intervals (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=Resampling.seed, help="of the resamples (default: 0)"
    )
    parser.add_argument(
        "--examples",
        type=whole(0, 100_000),
        default=_EXAMPLES,
        help="changed rows to show of each kind (default: %(default)s); --json tells all",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"wanted a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return read


def share(text: str) -> float:
    """Read a confidence."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError(f"wanted a number from 0.5 to below 1, got {text!r}")
    return value
