"""What the commands of training share: exit codes, errors as lines, the step at hand on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console

from stancewire.errors import StancewireError
from stancewire.terminal import escape, silence

DONE, REFUSED, INTERRUPTED = 0, 3, 130
Report: TypeAlias = Callable[[str], None]


def told(run: Callable[[], int], *, interrupted: str = "interrupted") -> int:
    """Run a command and turn what a user can cause into lines on stderr and an exit code."""
    try:
        return run()
    except StancewireError as error:
        sys.stdout.flush()
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        silence()  # nobody listens, as behind `| head`: end quietly
        return DONE
    except KeyboardInterrupt:
        sys.stderr.write(f"{interrupted}\n")
        return INTERRUPTED


def complain(text: str) -> None:
    """Write an error to stderr; lines that are set in tell more of the one above."""
    for line in text.splitlines():
        sys.stderr.write(f"{'' if line.startswith('  ') else 'error: '}{escape(line)}\n")


@contextmanager
def reporting(console: Console) -> Iterator[Report]:
    """Show the step at hand on a terminal; say nothing elsewhere."""
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield lambda step: None
        return
    with console.status("starting") as status:
        yield lambda step: status.update(escape(step))
