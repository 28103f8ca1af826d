"""What a job is asked to do is checked before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stancewire.batch import run
from stancewire.batch.command import columns_of
from stancewire.batch.options import EngineName, Options
from stancewire.errors import ArtefactError, MissingExtraError, StancewireError
from stancewire.readers import FIELDS
from tests.batch_cases import record, write_jsonl
from tests.encoders import tiny_encoder
from tests.small_models import small_artefact

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "engine": ({"engine": "ray"}, "engine: expected local or spark, found 'ray'"),
    "format": ({"format": "csv"}, "format: expected parquet or jsonl, found 'csv'"),
    "no workers": ({"workers": 0}, "workers: expected an integer from 1 to 1,024, found 0"),
    "true workers": ({"workers": True}, "workers: expected an integer"),
    "half a worker": ({"workers": 1.5}, "workers: expected an integer"),
    "threads": ({"threads": 0}, "threads: expected an integer"),
    "shard_rows": ({"shard_rows": 0}, "shard_rows: expected an integer from 1 to 1,000,000"),
    "max_rejects": ({"max_rejects": -1}, "max_rejects: expected an integer from 0"),
    "row_seconds": ({"row_seconds": 0}, "row_seconds: expected more than 0, found 0"),
    "nan seconds": ({"row_seconds": float("nan")}, "row_seconds: expected more than 0, found nan"),
    "master": ({"master": "local[2]"}, "master: only the spark engine has one"),
    "columns": ({"columns": {"body": "x"}}, "columns: unknown field 'body'; known are text, title"),
    "targets": ({"targets": ["x"], "stance": None}, "targets: need a model for stance"),
    "no targets": ({"targets": []}, "expected 1 to 50 targets, found 0"),
    "runtime": ({"runtime": "tensorrt"}, "runtime: expected one of .*, found 'tensorrt'"),
    "variant": ({"variant": "int4"}, "variant: expected one of .*, found 'int4'"),
    "delimiter": ({"delimiter": ",,"}, "delimiter: expected one character"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_done_is_refused(tmp_path: Path, name: str) -> None:
    change, message = BAD[name]
    with pytest.raises(StancewireError, match=message):
        run(tmp_path / "in.jsonl", tmp_path / "out", **({"topics": "t", "stance": "s"} | change))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("engine", ["local", "spark"])
def test_what_the_model_does_not_have_leaves_no_job(tmp_path: Path, engine: EngineName) -> None:
    source, output = write_jsonl(tmp_path / "in.jsonl", [record(0)]), tmp_path / "out"
    for model, message in (
        (small_artefact(tmp_path, "topics"), "no variants in this artefact of the linear family"),
        (tiny_encoder(tmp_path, "topics"), "no int8 in this artefact; it has "),
    ):
        with pytest.raises(ArtefactError, match=message):
            run(source, output, topics=str(model.path), variant="int8", engine=engine)
        assert not output.exists()


def test_the_results_depend_on_what_is_said_to_matter() -> None:
    models: dict[str, Any] = {"topics": "t", "stance": "s"}
    plain = Options(**models)
    assert Options(**models, workers=2, threads=3, max_rejects=4).of_results() == plain.of_results()
    changes: list[dict[str, Any]] = [
        {"targets": ["x"]},
        {"dedupe": True},
        {"columns": {"id": "x"}},
        {"row_seconds": 1.0},
        {"delimiter": ";"},
        {"runtime": "onnxruntime"},
        {"variant": "fp32"},
    ]
    for change in changes:
        assert Options(**models, **change).of_results() != plain.of_results()


def test_a_runtime_of_the_environment_matters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Options(topics="t").of_results()
    monkeypatch.setenv("STANCEWIRE_RUNTIME", "openvino")
    assert Options(topics="t").of_results() != plain


def test_columns_of_the_command_line() -> None:
    assert columns_of(["text=body", "id=a=b"]) == {"text": "body", "id": "a=b"}
    for bad in (["text"], ["=x"], ["text="], ["text=a", "text=b"]):
        with pytest.raises(StancewireError, match="--column: expected FIELD=COLUMN, each field once"):
            columns_of(bad)
    assert "text" in FIELDS


def test_a_missing_library_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.batch.job.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stancewire\[batch\]'"):
        run(tmp_path / "in.jsonl", tmp_path / "out", topics="t")
