"""Run a command and see what it, and every process that it starts, opens for writing, makes or moves."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Python imports this by itself at its start, in workers too. Everything is logged, at the finest level.
_SITE = """
import logging, os, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
_writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_log = os.open(os.environ["WATCHED_LOG"], os.O_WRONLY | os.O_APPEND)
def _hook(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int) or not flags & _writes:
            return
        names = [path]
    elif event in ("os.mkdir", "os.symlink", "os.link", "os.rename", "os.truncate"):
        names = [name for name in arguments[:2] if isinstance(name, (str, bytes))]
    else:
        return
    for name in names:
        os.write(_log, os.path.abspath(os.fsencode(name)) + b"\\n")
sys.addaudithook(_hook)
"""


@dataclass(frozen=True)
class Watched:
    """What a command did.

    Attributes:
        code: its exit code.
        out: its standard output.
        err: its standard error, with the log at level DEBUG.
        written: every path that was opened for writing, made or renamed.
    """

    code: int
    out: str
    err: str
    written: frozenset[Path]

    def outside(self, *folders: Path) -> list[Path]:
        """Return what was written elsewhere; devices are nowhere."""
        allowed = (*folders, Path("/dev"))
        return sorted(path for path in self.written if not any(map(path.is_relative_to, allowed)))


def watched(folder: Path, *arguments: str, stdin: bytes = b"") -> Watched:
    """Run `stancewire` with these arguments in a working directory, home and temporary folder of its own."""
    site, home = folder / "site", folder / "home"
    for made in (site, home):
        made.mkdir(parents=True, exist_ok=True)
    (site / "sitecustomize.py").write_text(_SITE)
    log = folder / "log"
    log.write_bytes(b"")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "STANCEWIRE"))},
        "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WATCHED_LOG": str(log),
        "HOME": str(home),
        "TMPDIR": str(home),
    }
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "stancewire", *arguments],
        cwd=home,
        env=environment,
        input=stdin,
        capture_output=True,
        timeout=120,
    )
    written = frozenset(Path(os.fsdecode(line)) for line in log.read_bytes().splitlines())
    return Watched(done.returncode, done.stdout.decode(), done.stderr.decode(), written)
