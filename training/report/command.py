"""The command line of evaluation: parse, judge an artefact on a corpus, write its report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from stancewire.location import located
from stancewire.terminal import escape
from training.console import DONE, told
from training.data.codebook import load_codebook
from training.data.options import add_reading, corpus_from
from training.data.schema import SPLITS

if TYPE_CHECKING:
    from stancewire.artefact import Artefact

Step = Callable[[str], None]
Rows = Callable[[int, int], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: the report was written. 2: something was wrong with what was given; nothing was written. 130:
    interrupted.
    """
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from training.report.files import PAGE, check_folder, write
    from training.report.of_data import check_codebook, data_report

    with _reporting() as (step, rows):
        step("reading the artefact")
        artefact = _artefact(options.artefact)
        folder = Path(options.output or Path("reports") / artefact.manifest.name)
        check_folder(folder)
        codebook = load_codebook(options.codebook)
        check_codebook(artefact, codebook)
        step(f"reading {options.data}")
        corpus = corpus_from(options, codebook)
        report = data_report(
            artefact,
            corpus,
            split=options.split,
            leave_out_seen=options.leave_out_seen,
            progress=rows,
            step=step,
        )
        step("writing the report")
        write(report, folder)
    for found in report["findings"]:
        sys.stdout.write(f"{escape(found['text'])}\n")
    sys.stdout.write(f"report    {escape(str(folder / PAGE))}\n")
    return DONE


def _artefact(path_or_uri: str) -> Artefact:
    from stancewire.artefact import read_artefact

    with located(path_or_uri) as folder:
        return read_artefact(folder)


@contextmanager
def _reporting() -> Iterator[tuple[Step, Rows]]:
    """Show the step at hand and the rows that are done on a terminal; say nothing elsewhere."""
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield (lambda step: None), (lambda done, of: None)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield (
            lambda step: bar.update(task, description=escape(step), total=None, completed=0),
            lambda done, of: bar.update(task, completed=done, total=of),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Judge a model on a labelled corpus that it has not seen; write a page and its JSON.",
    )
    parser.add_argument("artefact", metavar="ARTEFACT", help="folder of an artefact, or an MLflow model URI")
    parser.add_argument("data", metavar="DATA", help="corpus as docs/data.md describes it, with its labels")
    parser.add_argument(
        "--output", metavar="FOLDER", help="of the report (default: reports/NAME, NAME being the model's)"
    )
    parser.add_argument(
        "--split", choices=sorted(set(SPLITS.values())), help="judge on this part of DATA alone"
    )
    parser.add_argument(
        "--leave-out-seen", action="store_true", help="leave out rows that taught or tuned the model"
    )
    add_reading(parser)
    return parser
