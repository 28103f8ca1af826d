"""The same targets under atheris, which looks for inputs that reach new code. No test needs it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from stancewire.errors import StancewireError
from tests.fuzz.scratch import scratch


def run(name: str, seconds: float, seed: int) -> int:
    """Fuzz one target; atheris itself ends the process when the time is up or a fault is found."""
    if find_spec("atheris") is None:
        sys.stderr.write("error: --guided needs atheris: pip install atheris\n")
        return 2
    import atheris

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
            "-artifact_prefix=fuzz-",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], one)
        atheris.Fuzz()
    return 0
