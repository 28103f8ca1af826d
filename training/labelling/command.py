"""The command line of the label loop: `POOL --model M` chooses; export, import and curve have their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from training.console import told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 2: something was wrong with what was given; nothing was written. 130: interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in ("export", "import", "curve"):
        run = _command(given[0])
        return told(lambda: run(given[1:]))
    from training.labelling.choose_command import run as choose

    return told(lambda: choose(given))


def _command(name: str) -> Callable[[Sequence[str]], int]:
    if name == "curve":
        from training.labelling.curve_command import run

        return run
    from training.labelling.exchange_command import run_export, run_import

    return run_export if name == "export" else run_import
