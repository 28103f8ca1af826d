"""Options that several commands share: how a file of articles is written, and numbers in a range."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from stancewire.codebook import Codebook
from training.data.codebook import BUNDLED
from training.data.schema import Schema, schema_of

if TYPE_CHECKING:
    from training.data.load import Corpus


def add_codebook(parser: argparse.ArgumentParser) -> None:
    """Add the codebook."""
    parser.add_argument(
        "--codebook", default=BUNDLED, metavar="FILE", help="YAML file (default: %(default)s)"
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add what files say of themselves too little."""
    add_codebook(parser)
    parser.add_argument("--format", default="auto", choices=("auto", "jsonl", "csv", "parquet"))
    parser.add_argument("--delimiter", help="what parts the cells of a CSV row (default: a comma)")
    parser.add_argument("--separator", default=";", help="what parts topics in a CSV cell (default: ;)")
    for option, metavar, what in (
        ("--column", "FIELD=THEIRS", "their name of a column; may be repeated"),
        ("--label", "THEIRS=OURS", "our name of a label; may be repeated"),
    ):
        parser.add_argument(option, action="append", type=pair, default=[], metavar=metavar, help=what)


def schema_from(options: argparse.Namespace, codebook: Codebook) -> Schema:
    """Return the schema that options ask for."""
    return schema_of(
        codebook, columns=dict(options.column), label_map=dict(options.label), separator=options.separator
    )


def corpus_from(options: argparse.Namespace, codebook: Codebook) -> Corpus:
    """Return the corpus that `options.data` names, read as the options ask for.

    Raises:
        InputError: as `read_corpus` does.
    """
    from training.data.load import read_corpus

    return read_corpus(
        options.data,
        codebook=codebook,
        format=options.format,
        columns=dict(options.column),
        label_map=dict(options.label),
        separator=options.separator,
        delimiter=options.delimiter,
    )


def pair(text: str) -> tuple[str, str]:
    """Read NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"wanted NAME=VALUE, got {text!r}")
    return name, value


def number(least: float, most: float) -> Callable[[str], float]:
    """Return a reader of numbers in a range."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"wanted a number from {least:g} to {most:g}, got {text!r}")
        return value

    return read
