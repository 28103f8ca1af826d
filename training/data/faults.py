"""What can be wrong with a corpus, and how it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at one place.

    Attributes:
        file: the file, or the split of a hub dataset.
        line: the line that the row begins on, from 1; in Parquet and hub datasets, the row.
        code: a stable name of the fault.
        detail: what was wanted and what came, for people.
        severity: an error makes a label, an id or a split wrong: training refuses. A warning is unusual only.
    """

    file: str
    line: int
    code: str
    detail: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.code}: {self.detail}"


def counted(codes: Iterable[str]) -> dict[str, int]:
    """Return how often each code occurs, the most frequent first."""
    return dict(sorted(Counter(codes).items(), key=lambda pair: (-pair[1], pair[0])))


def refusal(source: str, errors: Sequence[Fault], *, n_rows: int, shown: int = 5) -> str:
    """Say why a corpus is refused: the counts, then the first of each of the most frequent codes."""
    counts = counted(fault.code for fault in errors)
    listed = ", ".join(f"{code} {count:,}" for code, count in counts.items())
    first = {fault.code: fault for fault in reversed(errors)}
    lines = [
        f"{source}: wanted a corpus without faults, found {len(errors):,} ({listed}) and {n_rows:,} good rows"
    ]
    lines += [f"  {first[code]}" for code in list(counts)[:shown]]
    return "\n".join([*lines, f"  see all: python -m training.data check {source}"])
