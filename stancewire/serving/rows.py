"""The rows of a request: texts stay texts, and nothing else becomes one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from stancewire.errors import InputError
from stancewire.section import listed
from stancewire.serving.schema import Columns, described

if TYPE_CHECKING:
    import pandas as pd

Row: TypeAlias = dict[str, str | None]


def rows_of(frame: pd.DataFrame, columns: Columns) -> Iterator[Row]:
    """Yield each row of a table as texts.

    Raises:
        InputError: as `checked_rows`.
    """
    known = [column for column in columns if column in frame.columns]
    cells = frame[known].itertuples(index=False, name=None)
    return checked_rows((tuple(map(_present, values)) for values in cells), known, columns)


def checked_rows(cells: Iterable[Sequence[object]], names: Sequence[str], columns: Columns) -> Iterator[Row]:
    """Yield each row as texts; a missing value is None, and refused where a text is required.

    What is no text is refused, not converted: 7 is not "7", and an id of 7 may have been 007.

    Args:
        cells: the values of each row.
        names: of their columns, known ones.
        columns: of the model.

    Raises:
        InputError: naming the row and the column.
    """
    if absent := [column for column, required in columns.items() if required and column not in names]:
        raise InputError(f"expected a column {listed(absent)}; the columns are {described(columns)}")
    for number, values in enumerate(cells):
        row: Row = dict.fromkeys(columns)
        for name, value in zip(names, values, strict=True):
            if isinstance(value, str):
                row[name] = str(value)
            elif value is not None:
                hint = "; quote it" if isinstance(value, int | float) else ""
                raise InputError(
                    f"row {number}: expected '{name}' to be a text, found {type(value).__name__}{hint}"
                )
        for name, required in columns.items():
            if required and row[name] is None:
                raise InputError(f"row {number}: '{name}' is missing; the columns are {described(columns)}")
        yield row


def _present(value: object) -> object:
    """Return None for pandas' other ways to say that nothing is there, else the value."""
    import pandas as pd

    missing = value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return None if missing else value
