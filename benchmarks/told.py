"""How a benchmark ends: with what it printed, or with one clear error in the place of a traceback."""

from __future__ import annotations

from collections.abc import Callable

from stancewire.errors import StancewireError
from training.console import DONE, told


def end_with(main: Callable[[], None]) -> int:
    """Run a benchmark; return the exit code, an error that a user can cause told on stderr."""

    def whole() -> int:
        try:
            main()
        except FileNotFoundError as error:
            raise StancewireError(f"{error.filename}: is not there; check the path") from None
        return DONE

    return told(whole)
