"""Processor time of a call, for tests that compare a text with one of twice its length."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def seconds(run: Callable[[], object]) -> float:
    """Return the processor's time of a call, without that of collecting the garbage of other tests."""
    gc.disable()
    try:
        started = time.process_time()
        run()
        return time.process_time() - started
    finally:
        gc.enable()
