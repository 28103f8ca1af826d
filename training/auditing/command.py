"""The command line of the audit: read a corpus, look at it, write a page and its JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from stancewire.terminal import escape
from training.console import reporting, told
from training.data.options import add_reading, corpus_from

DONE = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 whatever was found, 2 where something given is wrong, 130 interrupted."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from training.auditing.annotations import read_annotations
    from training.auditing.build import audit
    from training.auditing.files import PAGE, check_folder, files
    from training.data.codebook import load_codebook
    from training.labelling.files import write_folder

    folder = Path(options.output)
    check_folder(folder)
    codebook = load_codebook(options.codebook)
    with reporting(Console(stderr=True, markup=False, highlight=False, emoji=False)) as report:
        report(f"reading {options.data}")
        corpus = corpus_from(options, codebook)
        annotations = read_annotations(options.annotations, corpus) if options.annotations else None
        found = audit(corpus, annotations, seed=options.seed, report=report)
    write_folder(folder, files(found), check_folder)
    for one in found["findings"]:
        mark = "look: " if one["about"] == "warning" else ""
        sys.stdout.write(f"{mark}{escape(one['text'])}\n")
    sys.stdout.write(f"audit     {escape(str(folder / PAGE))}\n")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.audit",
        description="Look at a labelled corpus before anybody trains on it; write a page and its JSON.",
    )
    parser.add_argument("data", metavar="DATA", help="corpus as docs/data.md describes it, with its labels")
    parser.add_argument(
        "--annotations",
        metavar="FILE",
        help="JSONL of what several annotators said, for agreement (docs/audit.md)",
    )
    parser.add_argument(
        "--output", default="reports/audit", metavar="FOLDER", help="of the page (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of folds and resamples (default: %(default)s)")
    add_reading(parser)
    return parser
