"""The exported graph: one file, any batch, any length, the trained model's answers, the same bytes again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from models.encoder.config import EncoderConfig
from models.encoder.export import GRAPH
from models.encoder.family import EncoderFamily
from stancewire.artefact import Artefact, CodebookRef, Manifest, write_artefact
from stancewire.calibration import Calibration
from stancewire.examples import StanceExample
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from tests.unit.models.backbones import quick
from tests.unit.models.rows import bundled_articles, bundled_stances, stance_rows, topics_rows

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "stance, mean": ("stance", {}),
    "stance, first": ("stance", {"head": "first"}),
    "stance, blind": ("stance", {"target_blind": True}),
    **{
        f"topics, {pooling}": ("topics", {"pooling": pooling})
        for pooling in ("mean", "max", "attention", "noisy_or")
    },
}


@cache
def fitted(name: str) -> EncoderFamily:
    task, settings = CASES[name]
    rows = topics_rows() if task == "topics" else stance_rows()
    config = EncoderConfig.model_validate(quick(epochs=2, tokens=48) | settings)
    return EncoderFamily(config, seed=1).fit(rows, rows)


def exported(model: EncoderFamily, folder: Path) -> Artefact:
    staging = folder / "staging"
    staging.mkdir()
    learned = model.learned_
    n_labels = len(learned.labels)
    manifest = Manifest(
        name="small",
        task=learned.task,
        family=model.name,
        labels=learned.labels,
        codebook=CodebookRef("small", "1.0", "0" * 64, {}),
        thresholds=(0.5,) * n_labels,
        calibration=Calibration.identity(n_labels),
        max_chars=1_000_000,
        chunking=model.chunking(),
        model=model.export(staging),
        metrics={},
        provenance={},
    )
    return write_artefact(folder / "artefact", manifest, staging)


@pytest.mark.parametrize("name", CASES)
def test_the_runtime_answers_as_torch(name: str, tmp_path: Path) -> None:
    model = fitted(name)
    examples: Any = bundled_articles()[-40:] if name.startswith("topics") else bundled_stances()[-60:]
    runtime = open_runtime(exported(model, tmp_path), RuntimeOptions("onnxruntime", threads=1))
    np.testing.assert_allclose(
        runtime.predict(examples).probabilities, model.predict_probabilities(examples), atol=1e-5
    )


def test_the_graph_is_one_file_without_paths(tmp_path: Path) -> None:
    fitted("stance, mean").export(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [GRAPH, "tokenizer.json"]
    graph = onnx.load(tmp_path / GRAPH)
    onnx.checker.check_model(graph)
    assert [port.name for port in graph.graph.input] == ["input_ids", "attention_mask", "token_type_ids"]
    assert [port.name for port in graph.graph.output] == ["scores"]
    assert not any(node.doc_string or node.metadata_props for node in graph.graph.node)
    assert b".py" not in (tmp_path / GRAPH).read_bytes()


def test_a_blind_model_ignores_target_and_holder() -> None:
    asked = [one for one in stance_rows().examples if isinstance(one, StanceExample)]
    swapped = [replace(one, target="another", holder="Paris") for one in asked]
    for name, blind in (("stance, blind", True), ("stance, mean", False)):
        before, after = (fitted(name).predict_probabilities(rows) for rows in (asked, swapped))
        assert np.array_equal(before, after) == blind


def test_a_question_is_never_cut_into_chunks() -> None:
    assert fitted("stance, mean").chunking() == {"tokens": 48, "stride": 0, "max_chunks": 1}
    assert fitted("topics, max").chunking() == {"tokens": 48, "stride": 8, "max_chunks": 8}
