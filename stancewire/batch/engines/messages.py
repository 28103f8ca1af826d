"""What is asked of a worker, and how an error is told. Light: parents have no models."""

from __future__ import annotations

from pathlib import Path

from stancewire.errors import StancewireError

# To work on a shard, or only to find out whether some rows can be read at all.
STAGE, PROBE = b"stage", b"probe"


def told(error: Exception, where: str = "the output") -> str:
    """Return a line about an error; another library's message may repeat a text and is left out.

    Args:
        error: whatever it is.
        where: what could not be written, where the error names no file.
    """
    if isinstance(error, StancewireError):
        return str(error)
    if isinstance(error, OSError):
        what = f"cannot be written: {error.strerror} (errno {error.errno}); what is done is kept"
        return f"{error.filename or where}: {what}: make room, and run the same command again"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"
    return f"a worker failed: {type(error).__name__} at {place}; run the same command again, or report it"
