"""Say everything that is wrong with a corpus, row by row, and what it holds."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from stancewire.errors import StancewireError
from stancewire.terminal import escape
from training.console import complain
from training.data.codebook import load_codebook
from training.data.examine import Examined, examine
from training.data.faults import counted, repeats
from training.data.options import add_reading, schema_from
from training.data.schema import Schema
from training.data.sources import open_source

CLEAN, FAULTY = 0, 2
_REPEATS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    try:
        return check(options, console)
    except StancewireError as error:
        complain(str(error))
        return error.exit_code
    except OSError as error:
        complain(f"the output cannot be written: {error.strerror}")
        return FAULTY


def check(options: argparse.Namespace, console: Console) -> int:
    """Print every fault and a summary; return 0 if training would take the corpus, else 2."""
    schema = schema_from(options, load_codebook(options.codebook))
    found = examine(open_source(options.path, format=options.format, delimiter=options.delimiter), schema)
    for fault in found.faults:
        console.print(escape(str(fault)))
    if found.articles:
        console.print(summary(found, schema))
    n_errors, n_warnings = len(found.errors), len(found.faults) - len(found.errors)
    for note in _notes(found):
        console.print(f"note: {note}")
    console.print(
        f"{escape(options.path)}: {_counted('row', found.n_records)}, "
        f"{_counted('article', len(found.articles))}, "
        f"{_counted('error', n_errors)}, {_counted('warning', n_warnings)}"
    )
    if by_code := counted(fault.code for fault in found.faults):
        console.print(", ".join(f"{code} {count:,}" for code, count in by_code.items()))
    for repeated in repeats(found.faults)[:_REPEATS]:
        console.print(f"  {escape(repeated)}")
    refused = n_errors or not found.articles or (options.strict and n_warnings)
    return FAULTY if refused else CLEAN


def summary(found: Examined, schema: Schema) -> Table:
    """Return what the good rows hold."""
    table = Table("what", "count", header_style="bold")
    table.columns[1].justify = "right"
    articles = [row.article for row in found.articles]
    dates = sorted(article.date for article in articles if article.date)
    table.add_row("articles", f"{len(articles):,}")
    table.add_row("events", f"{len({article.event for article in articles if article.event}):,}")
    table.add_row("articles without an event", f"{sum(article.event is None for article in articles):,}")
    table.add_row("words", f"{sum(len(article.text.split()) for article in articles):,}")
    table.add_row("dates", f"{dates[0]} to {dates[-1]}" if dates else "none", end_section=True)
    for topic in schema.topics:
        held = Counter(row.topics[topic] for row in found.articles)
        table.add_row(topic, f"{held[True]:,} yes, {held[False]:,} no, {held[None]:,} not labelled")
    none = sum(set(row.topics.values()) == {False} for row in found.articles)
    table.add_row("no topic holds", f"{none:,}", end_section=True)
    labels = Counter(record.label for row in found.articles for record in row.stances)
    for label in schema.stances:
        table.add_row(label, f"{labels[label]:,}")
    table.add_row("stance records", f"{sum(labels.values()):,}")
    return table


def _notes(found: Examined) -> list[str]:
    """Return what is no fault but often not meant."""
    if not found.articles:
        return ["no article can be read: training needs some; docs/data.md tells the schema"]
    unlabelled = sum(set(row.topics.values()) == {None} for row in found.articles)
    if not unlabelled:
        return []
    advice = "where no topic holds, write [] or, in a CSV cell, none"
    return [f"articles with no topic labelled (null or empty), which teach none: {unlabelled:,}; {advice}"]


def _counted(what: str, count: int) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.data", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="check")
    command = commands.add_parser("check", help="report every fault of a corpus with its line")
    command.add_argument("path", help=".jsonl, .csv, .tsv or .parquet file, folder, or hub:owner/name")
    add_reading(command)
    command.add_argument("--strict", action="store_true", help="exit 2 on warnings too")
    return parser
