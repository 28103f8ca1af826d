"""Feed a target with inputs until the time or the count is up, and say what became of them."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stancewire.errors import StancewireError
from tests.fuzz.mutate import Mutator

# A message up to what was found, without figures and quoted pieces, tells which check refused an input.
_FIGURES = re.compile(r"\d[\d,.]*|'[^']*'|\"[^\"]*\"|\b(?:found|got) .*", re.DOTALL)
_MOST_KEPT = 2_000


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        check: feeds one input; whatever it raises but StancewireError is a fault of ours.
        seeds: inputs that are read.
        tokens: words of the format.
    """

    check: Callable[[bytes], object]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()


@dataclass
class Found:
    """What became of the inputs.

    Attributes:
        tried: how many there were.
        refused: how many were refused with an error of ours; the others were read.
        answers: how many were refused by each check, as its message says.
        fault: the first input that led to another exception, if any; nothing is tried after it.
        error: that exception.
    """

    tried: int = 0
    refused: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    fault: bytes | None = None
    error: BaseException | None = None


def fuzz(target: Target, *, inputs: int | None = None, seconds: float | None = None, seed: int = 0) -> Found:
    """Try inputs.

    Args:
        target: what is fuzzed.
        inputs: how many; None is no limit.
        seconds: how long; None is no limit.
        seed: of the random numbers: with a count, the same seed tries the same inputs.
    """
    mutator, found = Mutator(target.seeds, target.tokens, seed), Found()
    began = time.monotonic()
    while (inputs is None or found.tried < inputs) and (
        seconds is None or time.monotonic() - began < seconds
    ):
        at = found.tried
        data = target.seeds[at] if at < len(target.seeds) else mutator.next()
        found.tried += 1
        try:
            target.check(data)
        except StancewireError as error:
            found.refused += 1
            answer = _FIGURES.sub("#", str(error))[:200]
            found.answers[answer] += 1
            if found.answers[answer] == 1 and len(mutator.pool) < _MOST_KEPT:
                mutator.keep(data)
        except Exception as error:
            found.fault, found.error = data, error
            return found
    return found
