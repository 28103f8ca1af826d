"""The command line: fuzz a target, or each in turn; exit with 1 at the first fault."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from tests.fuzz import guided
from tests.fuzz.loop import Found, fuzz
from tests.fuzz.scratch import scratch

_SHOWN = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 when a fault was found."""
    options = _parser().parse_args(arguments)
    if options.guided:
        return guided.run(options.target, options.seconds, options.seed)
    # Not at the top: what is imported before it is prepared cannot be guided.
    from tests.fuzz.targets import TARGETS

    if options.target not in (*TARGETS, "all"):
        _say(f"error: wanted one of {', '.join(TARGETS)} or all, got {options.target!r}")
        return 2
    for name in TARGETS if options.target == "all" else [options.target]:
        with scratch() as folder:
            found = fuzz(TARGETS[name](folder), seconds=options.seconds, seed=options.seed)
        _say(f"{name}: {found.tried:,} inputs, {found.refused:,} refused by {len(found.answers):,} checks")
        if options.answers:
            _say(*(f"{count:10,}  {answer}" for answer, count in found.answers.most_common()))
        if found.error is not None:
            _tell(found, name, options.seed)
            return 1
    return 0


def _tell(found: Found, name: str, seed: int) -> None:
    assert found.error is not None
    lines = traceback.format_exception(found.error)
    _say(
        "".join(lines[-_SHOWN:]), f"{name}: fault at input {found.tried:,} of seed {seed}:", repr(found.fault)
    )


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Feed what reads strangers' files with changed bytes; only errors of ours may come back.",
    )
    parser.add_argument("target", help="a name, as in tests/fuzz/targets.py, or all")
    parser.add_argument("--seconds", type=float, default=60, help="for each target (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    parser.add_argument("--answers", action="store_true", help="also tell what refused how many inputs")
    parser.add_argument(
        "--guided", action="store_true", help="one target, guided by coverage: needs pip install atheris"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
