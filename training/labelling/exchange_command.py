"""`python -m training.queue export` and `import`: to a labelling tool and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stancewire.section import listed
from stancewire.terminal import escape
from training.data.codebook import load_codebook
from training.data.options import add_codebook
from training.data.schema import schema_of
from training.labelling import argilla, label_studio
from training.labelling.answers import TOOLS, check, filled, join, read_answers
from training.labelling.files import check_new, write_folder, write_new
from training.labelling.items import read_queue
from training.labelling.question import question_of

DONE = 0
_WRITERS = {"label-studio": label_studio.export, "argilla": argilla.export}


def run_export(arguments: Sequence[str]) -> int:
    """Write a queue as the files of a labelling tool."""
    options = _export_parser().parse_args(arguments)
    folder = Path(options.output)
    check_new(folder)
    items = read_queue(options.queue)
    question = question_of(items[0].task, load_codebook(options.codebook))
    files = _WRITERS[options.format](items, question, suggest=options.suggest)
    write_folder(folder, files, check_new)
    _say(f"{len(items):,} questions", *(str(folder / name) for name in files))
    return DONE


def run_import(arguments: Sequence[str]) -> int:
    """Write the answers of a labelling tool as a corpus."""
    options = _import_parser().parse_args(arguments)
    output = Path(options.output)
    check_new(output)
    codebook = load_codebook(options.codebook)
    if options.format == "jsonl":
        labelled = filled(options.answers)
    else:
        items = read_queue(options.queue)
        given = read_answers(options.format, options.answers, question_of(items[0].task, codebook))
        labelled = join(items, given, options.answers)
    check(labelled, schema_of(codebook), options.answers)
    write_new(output, labelled.lines)
    _say(f"{labelled.n_labelled:,} labelled, {labelled.unanswered:,} not answered")
    if labelled.disputed:
        ids = listed(dict.fromkeys(labelled.disputed))
        _say(f"{len(labelled.disputed):,} left out, as their annotators differ: {ids}")
    _say(f"corpus    {output}", f"          python -m training.data check {output}")
    return DONE


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{escape(line)}\n" for line in lines))


def _export_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.queue export", description="Write a queue for a labelling tool."
    )
    parser.add_argument("queue", metavar="QUEUE.jsonl", help="as python -m training.queue wrote it")
    parser.add_argument("--format", required=True, choices=tuple(_WRITERS))
    parser.add_argument("--output", required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument("--suggest", action="store_true", help="show the model's answers; they sway people")
    add_codebook(parser)
    return parser


def _import_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.queue import",
        description="Write answers as a corpus that training reads. Questions without an answer, skipped, or "
        "with annotators who differ are left out.",
    )
    parser.add_argument("queue", metavar="QUEUE.jsonl", help="the queue that was exported")
    parser.add_argument(
        "answers", metavar="ANSWERS", help="the tool's JSON export, or the queue with labels filled in"
    )
    parser.add_argument("--format", required=True, choices=TOOLS)
    parser.add_argument("--output", required=True, metavar="FILE.jsonl", help="a new file")
    add_codebook(parser)
    return parser
