"""`stancewire csv`: a table of a finished job, for a spreadsheet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def csv_command(
    output: Annotated[str, typer.Argument(metavar="OUTPUT_DIR", help="What stancewire batch wrote.")],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="readings, topics, stances or rejects.")],
) -> Callable[[], int]:
    """Print a table of a finished job as CSV for a spreadsheet; texts that would run there are defused."""

    def job() -> int:
        from stancewire.batch.spreadsheet import csv_pieces

        for piece in csv_pieces(Path(output), table):
            sys.stdout.buffer.write(piece.encode())
        return 0

    return job
