"""Stance targets as things to hold out: one target in several spellings is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import InputError
from stancewire.section import shown
from stancewire.wording import fold

_ARTICLES = ("a", "an", "the")


def normal_target(target: str) -> str:
    """Return a target without case, punctuation and a leading article."""
    first, _, rest = fold(target).partition(" ")
    return rest if first in _ARTICLES and rest else f"{first} {rest}".rstrip()


def held_out_targets(targets: Sequence[str], is_test: NDArray[np.bool_], named: Sequence[str]) -> set[str]:
    """Return the targets that are only tested.

    Args:
        targets: normal target of each row.
        is_test: whether the row's story is a test story.
        named: targets to hold out; none: those that no other story has.

    Raises:
        InputError: if a named target does not occur.
    """
    if not named:
        return set(targets) - {target for target, held in zip(targets, is_test, strict=True) if not held}
    wanted = {normal_target(name): name for name in named}
    if unknown := sorted(set(wanted) - set(targets)):
        raise InputError(f"split.targets: no stance has the target {shown(wanted[unknown[0]])}")
    return set(wanted)
