"""Faults 1 to 17, unforeseen: changed bytes for all that reads what strangers wrote; always the same ones.

More of them by hand: `python -m tests.fuzz all --seconds 300`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stancewire.errors import StancewireError
from tests.fuzz.__main__ import main
from tests.fuzz.loop import Target, fuzz
from tests.fuzz.scratch import scratch
from tests.fuzz.targets import TARGETS

# As many as take about a second.
INPUTS = {"artefact": 600, "mlmodel": 3000, "jsonl": 1500, "csv": 3000, "text": 250} | {
    "yaml": 800,
    "config": 400,
    "codebook": 150,
    "job": 800,
    "shard-record": 800,
}
MANY = 8000
# Bad lines become rejects, and any text is read.
NEVER_REFUSED = ("jsonl", "text")


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch() as found:
        yield found


@pytest.mark.parametrize("name", TARGETS)
def test_changed_bytes_are_read_or_refused(name: str, folder: Path) -> None:
    target = TARGETS[name](folder)
    for data in target.seeds:
        target.check(data)  # what is changed is good: the changes reach deep
    found = fuzz(target, inputs=INPUTS.get(name, MANY), seed=20)
    assert found.error is None, repr(found.fault)
    assert found.tried == INPUTS.get(name, MANY)
    assert found.refused < found.tried
    assert name in NEVER_REFUSED or len(found.answers) > 1


def planted(data: bytes) -> None:
    """Fail where a digit follows a bracket; refuse half of the rest."""
    if any(data[at : at + 1] == b"[" and data[at + 1 : at + 2].isdigit() for at in range(len(data))):
        raise IndexError("planted")
    if len(data) % 2:
        raise StancewireError("odd")


def test_a_planted_fault_is_found_and_found_again() -> None:
    target = Target(planted, [b"a b c 1 2 3"])
    one, other = (fuzz(target, inputs=20_000, seed=5) for _ in range(2))
    assert isinstance(one.error, IndexError)
    assert one.fault is not None
    assert one.fault == other.fault
    assert (one.tried, one.refused) == (other.tried, other.refused)
    assert 0 < one.refused < one.tried < 20_000
    with pytest.raises(IndexError):
        planted(one.fault)


def test_the_command_counts_the_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mlmodel", "--seconds", "0.2", "--answers"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mlmodel: ")
    assert "refused by" in out
    assert main(["nothing"]) == 2


def test_the_command_tells_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.fuzz.targets.TARGETS", {"planted": lambda _: Target(planted, [b"[1"])})
    assert main(["planted", "--seconds", "9"]) == 1
    out = capsys.readouterr().out
    assert "IndexError: planted" in out
    assert "planted: fault at input 1 of seed 0:\nb'[1'" in out
