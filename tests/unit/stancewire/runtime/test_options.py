"""Options: what is said wins over the environment, and what is none of the known values is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import stancewire
from stancewire.errors import ArtefactError, StancewireError
from stancewire.runtime.options import RuntimeOptions, runtime_options
from tests.tiny import write_tiny


def test_nothing_said_is_left_open() -> None:
    assert runtime_options(environment={}) == RuntimeOptions(None, None, None)
    assert runtime_options("auto", environment={"STANCEWIRE_RUNTIME": "openvino"}) == RuntimeOptions()
    blank = {"STANCEWIRE_RUNTIME": "", "STANCEWIRE_THREADS": ""}
    assert runtime_options(environment=blank) == RuntimeOptions()


def test_the_environment_is_asked_for_what_is_not_said() -> None:
    environment = {"STANCEWIRE_RUNTIME": "openvino", "STANCEWIRE_THREADS": "3"}
    assert runtime_options(environment=environment) == RuntimeOptions("openvino", None, 3)
    said = runtime_options("onnxruntime", threads=1, variant="int8", environment=environment)
    assert said == RuntimeOptions("onnxruntime", "int8", 1)


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        ({"runtime": "tensorrt"}, {}, "runtime: expected one of 'auto', 'onnxruntime', 'openvino', found"),
        ({"runtime": ""}, {}, "runtime: expected"),
        ({}, {"STANCEWIRE_RUNTIME": "OpenVINO"}, "STANCEWIRE_RUNTIME: expected one of"),
        ({"variant": "int4"}, {}, "variant: expected one of 'fp32', 'bf16', 'int8', found 'int4'"),
        ({"threads": 0}, {}, "threads: expected an integer from 1 to 1,024, found 0"),
        ({"threads": True}, {}, "threads: expected an integer"),
        ({"threads": 1.5}, {}, "threads: expected an integer"),
        ({"threads": 2000}, {}, "threads: expected an integer"),
        ({}, {"STANCEWIRE_THREADS": "two"}, "STANCEWIRE_THREADS: expected an integer from .*, found 'two'"),
        ({}, {"STANCEWIRE_THREADS": "-1"}, "STANCEWIRE_THREADS: expected"),
        ({}, {"STANCEWIRE_THREADS": "٣"}, "STANCEWIRE_THREADS: expected"),
        ({}, {"STANCEWIRE_THREADS": "9" * 5000}, "STANCEWIRE_THREADS: expected"),
    ],
)
def test_what_is_no_option_is_refused(
    arguments: dict[str, Any], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(StancewireError, match=named):
        runtime_options(**arguments, environment=environment)


def test_threads_are_the_cores_of_the_process() -> None:
    assert RuntimeOptions().thread_count == len(os.sched_getaffinity(0))
    assert RuntimeOptions(threads=7).thread_count == 7


def test_load_refuses_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(StancewireError, match="runtime: expected one of"):
        stancewire.load(tmp_path / "absent", runtime="cuda")


def test_load_asks_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCEWIRE_THREADS", "many")
    with pytest.raises(StancewireError, match="STANCEWIRE_THREADS"):
        stancewire.load(tmp_path / "absent")


def test_other_families_have_no_variants(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    with pytest.raises(ArtefactError, match="no variants in this artefact of the linear family"):
        stancewire.load(tmp_path / "a", variant="int8")
