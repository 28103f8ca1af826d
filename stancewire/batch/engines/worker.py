"""A worker process of the local engine: loads the models once, then works on the shards that it is sent.

It answers in JSON, learns of its parent's death from a pipe that ends, and never outlives it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from stancewire.batch.process import process
from stancewire.batch.rows import Shard
from stancewire.batch.work import Work, load_reader, work_on
from stancewire.errors import StancewireError

_GARBAGE = (100_000, 20, 50)
# What is asked: to work on a shard, or only to find out whether some rows can be read at all.
STAGE, PROBE = b"stage", b"probe"


def main(descriptor: int, work: str) -> None:
    """Serve one parent, until it hangs up.

    Args:
        descriptor: an open socket to it.
        work: as JSON.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Connection(descriptor) as parent:
        try:
            serve(parent, Work.from_json(work))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # whatever it is: the parent tells it, in one place and one line
            _say(parent, failed=told(error))


def serve(parent: Connection, work: Work) -> None:
    """Load the models, then answer until the parent hangs up.

    Raises:
        EOFError: when it does.
    """
    reader = load_reader(work)
    # The models stay, and so do the readings of a shard until it is written: looking through them for garbage
    # again and again is work for nothing.
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    _say(parent, ready=True)
    while True:
        kind, _, data = parent.recv_bytes().partition(b" ")
        shard = Shard.from_bytes(data)

        def watch(first: int, last: int) -> None:
            _say(parent, window=[first, last])

        if kind == PROBE:
            process(shard.rows, reader, targets=work.targets, columns=work.columns, watch=watch)
            _say(parent, probed=True)
        else:
            _say(parent, staged=work_on(shard, reader, work, watch).to_json())


def _say(parent: Connection, **message: object) -> None:
    parent.send_bytes(json.dumps(message).encode())


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


def _end_with_parent() -> None:
    """Wait for the end of standard input, which only the parent's death brings about."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
