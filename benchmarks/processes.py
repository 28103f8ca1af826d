"""Run a command and say what it cost: seconds, processor time, and the memory of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name, and of /proc/PID/statm.
_PARENT, _TIMES, _RESIDENT = 1, slice(11, 13), 1


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: on the wall.
        processor: seconds of all its processes.
        parent: of these, those of the process that was started, without its children; as last looked at.
        peak_mb: the largest sum of the resident memory of its processes, looked at every 50 ms; pages that
            they share count in each.
        output: standard output.
    """

    seconds: float
    processor: float
    parent: float
    peak_mb: float
    output: str


def measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end, in a process of its own.

    Raises:
        SystemExit: if it fails; the message holds what it said.
    """
    start, before = time.perf_counter(), os.times()
    process = subprocess.Popen(  # noqa: S603 - the benchmark's own commands
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watch = _Watch(process.pid)
    output, errors = process.communicate()
    seconds, after = time.perf_counter() - start, os.times()
    peak = watch.stop()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-4000:]}")
    processor = sum(after[2:4]) - sum(before[2:4])  # of the children that have ended
    return Cost(seconds, processor, watch.own, peak / 1e6, output)


class _Watch:
    """Looks at the memory of a process and all below it until it is stopped."""

    def __init__(self, root: int) -> None:
        self._root, self._peak = root, 0
        self.own = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum, in bytes."""
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._stopped.wait(0.05):
            self._peak = max(self._peak, sum(map(_resident, tree(self._root))))
            if stat := _read(_PROC / str(self._root) / "stat"):
                ticks = stat.rpartition(")")[2].split()[_TIMES]
                self.own = max(self.own, sum(map(int, ticks)) / _TICKS)


def tree(root: int) -> list[int]:
    """Return the numbers of a process and of all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (fields := _read(entry / "stat")):
            parent = int(fields.rpartition(")")[2].split()[_PARENT])
            parents.setdefault(parent, []).append(int(entry.name))
    found, ahead = [], [root]
    while ahead:
        found.append(ahead.pop())
        ahead += parents.get(found[-1], [])
    return found


def _resident(process: int) -> int:
    fields = _read(_PROC / str(process) / "statm").split()
    return int(fields[_RESIDENT]) * _PAGE if fields else 0


def _read(path: Path) -> str:
    """Return a file of /proc; "" when the process is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
