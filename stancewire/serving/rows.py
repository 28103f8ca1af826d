"""The rows of a request, out of a DataFrame: texts stay texts, and nothing else becomes one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from stancewire.errors import InputError
from stancewire.section import listed
from stancewire.serving.schema import Columns, described

if TYPE_CHECKING:
    import pandas as pd

Row: TypeAlias = dict[str, str | None]


def rows_of(frame: pd.DataFrame, columns: Columns) -> Iterator[Row]:
    """Yield each row as texts; a missing value is None, and refused where a text is required.

    What is no text is refused, not converted: 7 is not "7", and an id of 7 may have been 007.

    Raises:
        InputError: naming the row and the column.
    """
    known = [column for column in columns if column in frame.columns]
    if absent := [column for column, required in columns.items() if required and column not in known]:
        raise InputError(f"expected a column {listed(absent)}; the columns are {described(columns)}")
    for number, values in enumerate(frame[known].itertuples(index=False, name=None)):
        row = dict.fromkeys(columns) | dict(zip(known, map(_text_or_none, values), strict=True))
        for name, value in row.items():
            if value is None and columns[name]:
                raise InputError(f"row {number}: '{name}' is missing; the columns are {described(columns)}")
            if value is not None and not isinstance(value, str):
                hint = "; quote it" if isinstance(value, int | float) else ""
                raise InputError(
                    f"row {number}: expected '{name}' to be a text, found {type(value).__name__}{hint}"
                )
        yield row


def _text_or_none(value: object) -> Any:  # noqa: ANN401 - what is no text is refused by the caller
    """Return a plain text, None for pandas' ways to say that nothing is there, or else the value."""
    import pandas as pd

    if isinstance(value, str):
        return str(value)
    missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return None if missing else value
