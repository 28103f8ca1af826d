"""Which of the processes that torchrun started this one is; light, so that anyone may ask."""

from __future__ import annotations

import os


def n_processes() -> int:
    """Return how many processes share the work; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Tell whether this process is the one that tracks, writes and prints."""
    return int(os.environ.get("RANK", "0")) == 0
