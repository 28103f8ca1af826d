"""The same targets under atheris, which looks for inputs that reach new code. No test needs it."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec

from stancewire.errors import StancewireError
from tests.fuzz.scratch import scratch


def run(name: str, seconds: float, seed: int) -> int:
    """Fuzz one target; return 0, or the exit code of atheris when it found a fault."""
    if find_spec("atheris") is None:
        sys.stderr.write("error: --guided needs atheris: pip install atheris\n")
        return 2
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["stancewire", "training"]):
        from tests.fuzz.targets import TARGETS
    if name not in TARGETS:
        sys.stderr.write("error: --guided takes one target\n")
        return 2
    with scratch() as folder, scratch() as corpus:
        target = TARGETS[name](folder)
        for number, data in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(data)

        def one(data: bytes) -> None:
            try:
                target.check(data)
            except StancewireError:
                return

        options = [
            f"-max_total_time={seconds:.0f}",
            f"-seed={seed + 1}",
            "-max_len=4000",
            "-exact_artifact_path=/dev/null",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], one)
        child = os.fork()  # it ends its process without another step, and would leave the folders behind
        if child == 0:
            atheris.Fuzz()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
