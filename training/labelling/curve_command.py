"""`python -m training.queue curve CONFIG`: the learning curve, and whether to label more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stancewire.terminal import escape
from training.comparing.compare_command import whole
from training.config_file import load_config
from training.console import reporting
from training.data.options import number
from training.labelling.curve import SIZES, Curve, learning_curve
from training.labelling.curve_page import DATA, PAGE, as_data, files
from training.labelling.files import OutputError, write_folder
from training.labelling.verdict import verdict
from training.prepare import Corpora, prepare
from training.report.formats import interval

DONE = 0


def run(arguments: Sequence[str]) -> int:
    """Measure, print, and write the page with its data."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    config = load_config(options.config, options.set)
    folder = Path(options.output or Path("reports") / f"{config.name}-curve")
    check_folder(folder)
    with reporting(console) as report:
        prepared = prepare(config, Corpora(), report)
        curve = learning_curve(prepared, sizes=options.sizes or SIZES, samples=options.samples, report=report)
    found = verdict(curve, options.worth / 100)
    write_folder(folder, files(as_data(prepared, curve, found)), check_folder)
    console.print(table(curve))
    for line in (*found.sentences, *(f"note: {note}" for note in curve.notes)):
        console.print(escape(line))
    console.print(f"advice    {found.advice}")
    console.print(f"curve     {escape(str(folder / PAGE))}")
    return DONE


def table(curve: Curve) -> Table:
    """Return the curve for a terminal."""
    shown = Table("labels per class", "rows", "stories", "samples", "macro-F1 on dev", header_style="bold")
    for column in shown.columns[1:]:
        column.justify = "right"
    for point in curve.points:
        score = point.macro_f1
        told = interval({"value": score.value, "low": score.low, "high": score.high})
        shown.add_row(point.name, f"{point.rows:,.0f}", f"{point.stories:,.0f}", str(point.samples), told)
    return shown


def check_folder(folder: Path) -> None:
    """Refuse a place where something else than a curve stands.

    Raises:
        OutputError: naming it.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder}: wanted a folder for the curve, found something else; name another")
    if folder.exists() and (others := sorted({file.name for file in folder.iterdir()} - {PAGE, DATA})):
        raise OutputError(
            f"{folder}: wanted a new folder, or one with a curve alone, found {others[0]!r}; name another"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.queue curve",
        description="Train on few labels, more and all; judge on dev; say whether more labels would help.",
    )
    parser.add_argument("config", metavar="CONFIG", help="YAML file, such as configs/topics-linear.yaml")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="change a setting; may be repeated"
    )
    parser.add_argument(
        "--sizes",
        type=whole(1, 1_000_000),
        nargs="+",
        metavar="K",
        help=f"labels per class (default: {' '.join(map(str, SIZES))}); all rows always come last",
    )
    parser.add_argument(
        "--samples", type=whole(2, 1000), default=5, help="of each size (default: %(default)s)"
    )
    parser.add_argument(
        "--worth",
        type=number(0, 100),
        default=1.0,
        metavar="POINTS",
        help="of macro-F1 that doubling the labels must bring to go on (default: %(default)s)",
    )
    parser.add_argument("--output", metavar="FOLDER", help="default: reports/NAME-curve")
    return parser
