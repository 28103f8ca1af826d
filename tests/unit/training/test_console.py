"""How the commands of training end: a reader of their output that leaves early is no error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# It prints more than a pipe holds.
_PRINTS = """
import sys
from training.console import DONE, told
sys.exit(told(lambda: print("line\\n" * 99999) or DONE))
"""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _PRINTS], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
