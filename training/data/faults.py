"""What can be wrong with a corpus, and how it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
_SHOWN = 5


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


def repeats(faults: Iterable[Fault], *, least: int = 2) -> list[str]:
    """Return what is said at several lines, such as one unknown label, with its count and first place."""
    faults = list(faults)
    first = {(fault.code, fault.detail): fault for fault in reversed(faults)}
    counts = Counter((fault.code, fault.detail) for fault in faults)
    often = [(key, count) for key, count in counts.most_common() if count >= least]
    return [
        f"{_times(count)} {code}: {detail}, first at {first[code, detail].file}:{first[code, detail].line}"
        for (code, detail), count in often
    ]


def refusal(source: str, errors: Sequence[Fault], *, n_rows: int) -> str:
    """Say why a corpus is refused: the counts, then the most frequent faults."""
    counts = ", ".join(f"{code} {count:,}" for code, count in counted(e.code for e in errors).items())
    found = f"found {len(errors):,} ({counts}) beside {n_rows:,} good articles"
    lines = [f"{source}: wanted a corpus without faults, {found}"]
    lines += [f"  {line}" for line in repeats(errors, least=1)[:_SHOWN]]
    return "\n".join([*lines, f"  see all of them: python -m training.data check {source}"])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
