"""A worker process of the local engine: loads the models once, then works on the shards that it is sent.

It answers in JSON, learns of its parent's death from a pipe that ends, and never outlives it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection
from types import ModuleType

from stancewire.batch.engines.messages import PROBE, told
from stancewire.batch.process import process
from stancewire.batch.rows import Shard
from stancewire.batch.shard_work import load_reader, work_on
from stancewire.batch.work import Work

_GARBAGE = (100_000, 20, 50)


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
    _spare_pandas()
    spare_garbage()
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


def spare_garbage() -> None:
    """Look for garbage rarely from now on, and never among what is there already.

    The models stay, and so do the readings of a shard until it is written: looking through them again and
    again is work for nothing.
    """
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


def _say(parent: Connection, **message: object) -> None:
    parent.send_bytes(json.dumps(message).encode())


def _spare_pandas() -> None:
    """Have pyarrow look for pandas while there is none.

    It looks once, when it makes its first array, and imports all of pandas only to know its types: that takes
    a worker longer than to load a linear model.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([], pa.int64())
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not wanted here", name=fullname)
        return None


def _end_with_parent() -> None:
    """Wait for the end of standard input, which only the parent's death brings about."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)
