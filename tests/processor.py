"""Processor time of a call, for tests that compare a text with one four times as long."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

FACTOR = 4
# In proportion is 4 and the square is 16: half a machine's hiccup is neither.
MOST_GROWTH = 9.0
LOOKS = 5
# What takes the square of tens of thousands of characters would need far longer for them.
NOTHING_SECONDS = 0.02


def seconds(run: Callable[[], object]) -> float:
    """Return the processor's time of a call, without that of collecting the garbage of other tests."""
    gc.disable()
    try:
        started = time.process_time()
        run()
        return time.process_time() - started
    finally:
        gc.enable()


def growth(run: Callable[[str], object], unit: str, size: int) -> float:
    """Return how much longer `size` characters take than a quarter of them; 0 where they take no time.

    The best of several looks, since other processes may slow one of the two texts.
    """
    text = (unit * (size // len(unit) + 1))[:size]
    looks = []
    for _ in range(LOOKS):
        long = seconds(lambda: run(f"{text}!"))
        if long < NOTHING_SECONDS:
            return 0.0
        looks.append(long / max(1e-9, seconds(lambda: run(f"{text[: size // FACTOR]}!"))))
        if looks[-1] <= MOST_GROWTH:
            break
    return min(looks)
