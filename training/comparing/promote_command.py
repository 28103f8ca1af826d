"""The command line of promoting: judge a version, print every gate, move the alias or say why not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stancewire.errors import InputError
from stancewire.terminal import escape
from training.comparing.compare_command import whole
from training.comparing.settings import PromoteConfig, load_settings
from training.console import DONE, REFUSED, reporting, told

if TYPE_CHECKING:
    from training.comparing.gates import Gate
    from training.comparing.promotion import Promotion, Request

_REASON_CHARS = 1000
_STYLES = {"passed": "green", "failed": "bold red", "not measured": "yellow", "not needed": "dim"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 promoted, 3 refused by a gate, 2 something given is wrong, 130 interrupted."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    config = load_settings(options.config, options.set)
    if options.force is not None and not 0 < len(options.force.strip()) <= _REASON_CHARS:
        raise InputError(f"--force: wanted a reason of 1 to {_REASON_CHARS:,} characters, which is stored")
    # MLflow takes seconds to import; what is wrong with the settings is told before.
    from training.comparing.models import open_store
    from training.comparing.promotion import Request, promote

    request = Request(
        options.name,
        options.version,
        options.alias,
        options.data,
        options.force and options.force.strip(),
        options.dry_run,
        config,
    )
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    with reporting(console) as report:
        found = promote(request, open_store(), report)
    _show(console, found, request)
    return REFUSED if found.outcome == "refused" else DONE


def _show(console: Console, found: Promotion, request: Request) -> None:
    name = escape(request.name)
    if found.outcome == "already champion":
        console.print(f"{name} {found.version} is already the champion; nothing was changed")
        return
    against = f"against the champion, {found.over}" if found.over else "there is no champion yet"
    console.print(gate_table(f"{name} {found.version}, {against}", found.gates, request.config))
    if found.sentence:
        console.print(Text(f"{escape(found.sentence)}\n", style="bold"))
    console.print(Text(_ending(found, request)))


def _ending(found: Promotion, request: Request) -> str:
    name = f"{escape(request.name)} {found.version}"
    refusing = ", ".join(gate.name for gate in found.gates if gate.refuses(request.config))
    if found.outcome == "refused":
        ending = f"refused: {name} is not promoted ({refusing}); the champion is {found.over or 'still none'}"
    else:
        despite = f", despite {refusing}: {escape(request.force or '')}" if refusing else ""
        ending = f"promoted: {name} is the champion{despite}; before it was {found.over or 'none'}"
    return f"dry run, nothing was changed; it would say\n{ending}" if request.dry_run else ending


def gate_table(title: str, gates: Sequence[Gate], config: PromoteConfig) -> Table:
    """Return every gate with its figure, what was wanted, and whether it lets the version pass."""
    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("gate", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("wanted", overflow="fold")
    for gate in gates:
        refuses = gate.refuses(config)
        result = f"{gate.status}, refuses" if refuses and gate.status != "failed" else gate.status
        style = _STYLES["failed" if refuses else gate.status]
        table.add_row(gate.name, Text(result, style=style), Text(escape(gate.figure)), Text(gate.wanted))
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.promote",
        description="Make a registered version the champion, if every gate lets it pass (docs/promotion.md).",
    )
    parser.add_argument("name", metavar="NAME", help="of the registered model, such as stancewire-topics")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=whole(1, 2**31 - 1), metavar="N", help="the version to promote")
    which.add_argument(
        "--alias", default="challenger", help="or the one with this alias (default: %(default)s)"
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="labelled corpus that neither version has seen (default: the test part that both share)",
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with settings of the gates")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting of the gates, such as margin=0.01; may be repeated",
    )
    parser.add_argument(
        "--force", metavar="REASON", help="promote whatever the gates say; the reason is stored"
    )
    parser.add_argument("--dry-run", action="store_true", help="judge, print, change nothing")
    return parser
