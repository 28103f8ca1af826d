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
_TIMES, _RESIDENT = slice(11, 13), 1
_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: on the wall.
        processor: seconds of all its processes.
        parent: of these, those of the process that was started, without its children.
        peak_mb: the largest sum of the resident memory of its processes, looked at ten times a second; pages
            that they share count in each.
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
    watch.stop()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-4000:]}")
    # Of the children that were waited for, which Java is not; and of all, until they were last looked at.
    waited = sum(after[2:4]) - sum(before[2:4])
    processor = max(waited, sum(watch.seconds.values()))
    return Cost(seconds, processor, watch.seconds.get(process.pid, 0.0), watch.peak / 1e6, output)


class _Watch:
    """Looks at a process and all below it until it is stopped.

    Attributes:
        peak: the largest sum of their memory, in bytes.
        seconds: of the processor, of each process that was seen.
    """

    def __init__(self, root: int) -> None:
        self.peak = 0
        self.seconds: dict[int, float] = {}
        self._root = root
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            found = tree(self._root)
            self.peak = max(self.peak, sum(map(_resident, found)))
            for process in found:
                self.seconds[process] = max(self.seconds.get(process, 0.0), _seconds(process))


def tree(root: int) -> list[int]:
    """Return the numbers of a process and of all that descend from it."""
    found, ahead = [], [root]
    while ahead:
        found.append(ahead.pop())
        for file in (_PROC / str(found[-1]) / "task").glob("*/children"):
            ahead += map(int, _read(file).split())
    return found


def _seconds(process: int) -> float:
    fields = _read(_PROC / str(process) / "stat").rpartition(")")[2].split()
    return sum(map(int, fields[_TIMES])) / _TICKS


def _resident(process: int) -> int:
    fields = _read(_PROC / str(process) / "statm").split()
    return int(fields[_RESIDENT]) * _PAGE if fields else 0


def _read(path: Path) -> str:
    """Return a file of /proc; "" when the process is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
