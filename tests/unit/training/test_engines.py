"""The parity gate of encoders: which engines a model may name, and on which text it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import training.engines
from models.base import Examples
from models.encoder.config import EncoderConfig
from models.encoder.family import EncoderFamily
from stancewire.artefact import Artefact, read_artefact
from stancewire.calibration import Calibration
from stancewire.examples import Article, StanceExample
from stancewire.runtime import choice
from stancewire.runtime.choice import runs_here
from stancewire.runtime.encoder_model import Choice
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from tests.small_models import CODEBOOK, fitted
from tests.unit.models.backbones import quick
from tests.unit.models.rows import stance_rows, topics_rows
from training.engines import Gate, disguised, gate
from training.export import Fitted, export
from training.parity import MIN_AGREEMENT, Parity, ParityError

INT8 = Choice("openvino", "int8")


@pytest.fixture(scope="module")
def learned() -> Fitted:
    rows = stance_rows()
    family = EncoderFamily(EncoderConfig.model_validate(quick()), seed=1).fit(rows, rows)
    return Fitted(family, "stance", rows.labels, Calibration.identity(3), (1 / 3,) * 3)


def shipped(model: Fitted, folder: Path, **more: Any) -> Artefact:  # noqa: ANN401
    return export(model, folder / "model", name="m", codebook=CODEBOOK, metrics={}, provenance={}, **more)


def test_engines_that_pass_are_named(learned: Fitted, tmp_path: Path) -> None:
    rows = stance_rows()
    trained = learned.family.predict_probabilities(rows.examples)
    artefact = shipped(learned, tmp_path)
    assert artefact.manifest.model["engines"] == {}
    found = gate(artefact, learned, rows, rows, trained)
    assert found.passed is not None
    assert found.passed["onnxruntime"] is found.parity
    assert found.parity.agreement == 1
    assert set(found.parity.elsewhere) == {"dev", "disguised rows"}
    assert found.parity.difference < 1e-5
    named = shipped(learned, tmp_path, engines=found.to_dict())
    assert set(read_artefact(named.path).manifest.model["engines"]) == set(found.passed)  # type: ignore[arg-type]
    figures = found.metrics()
    assert figures["parity/agreement"] == 1
    assert figures["parity/onnxruntime/agreement/dev"] == 1
    assert figures["parity/onnxruntime/f1/favor"] == 0


def test_an_engine_that_fails_is_not_named(
    learned: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = stance_rows()
    trained = learned.family.predict_probabilities(rows.examples)
    worse = Parity(1.0, 0.1, 60, {"disguised rows": MIN_AGREEMENT - 0.001})
    monkeypatch.setattr(training.engines, "measure_parity", lambda *asked: worse)
    found = gate(shipped(learned, tmp_path), learned, rows, rows, trained)
    assert set(found.passed or {}) == {"onnxruntime"}
    if found.failed:  # where OpenVINO is installed
        assert all(parity is worse for parity in found.failed.values())
        assert "99.4% of disguised rows" in worse.line


def test_engines_are_chosen_on_dev_and_never_on_test(
    learned: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev, test = stance_rows(), stance_rows(24)
    asked: list[tuple[object, object]] = []

    def measured(artefact: Artefact, fitted: Fitted, rows: object, *more: Any) -> Parity:  # noqa: ANN401 - as it comes
        asked.append((rows, set(more[2])))
        return Parity(1.0, 0.0, 60)

    monkeypatch.setattr(training.engines, "measure_parity", measured)
    monkeypatch.setattr(choice, "runs_here", lambda _: True)
    trained = learned.family.predict_probabilities(test.examples)
    found = gate(shipped(learned, tmp_path), learned, dev, test, trained)
    assert found.parity.rows == len(test)
    assert asked == [(dev, {"disguised rows"})] * 2, "OpenVINO in bf16 and in fp32"


@pytest.fixture(scope="module")
def with_int8() -> Fitted:
    rows = stance_rows()
    config = EncoderConfig.model_validate(quick(quantise=True, epochs=2))
    family = EncoderFamily(config, seed=1).fit(rows, rows)
    return Fitted(family, "stance", rows.labels, Calibration.identity(3), (1 / 3,) * 3)


def gated(model: Fitted, folder: Path) -> Gate:
    rows = stance_rows()
    trained = model.family.predict_probabilities(rows.examples)
    return gate(shipped(model, folder), model, rows, rows, trained)


def test_rounded_weights_lose_nothing_on_the_way(with_int8: Fitted, tmp_path: Path) -> None:
    found = gated(with_int8, tmp_path)
    assert found.parity.agreement == 1
    assert found.parity.difference < 1e-5
    artefact = shipped(with_int8, tmp_path, engines=found.to_dict())
    assert set(artefact.manifest.files) == {"model.onnx", "tokenizer.json"}
    assert artefact.manifest.model["weights"] == "int8"


@pytest.mark.skipif(not runs_here(INT8), reason="this processor has no instructions for int8")
def test_int8_is_tried_and_may_be_asked_for(with_int8: Fitted, tmp_path: Path) -> None:
    found = gated(with_int8, tmp_path)
    assert "openvino-int8" in {*(found.passed or {}), *found.failed}
    runtime = open_runtime(shipped(with_int8, tmp_path), RuntimeOptions(variant="int8", threads=1))
    rows = stance_rows().examples
    wanted = with_int8.family.predict_probabilities(rows)
    assert np.abs(runtime.predict(rows).probabilities - wanted).max() < 0.05


def test_int8_that_does_not_pass_runs_only_when_asked_for(
    with_int8: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse(artefact: Artefact, *asked: Any) -> Parity:  # noqa: ANN401 - as it comes
        return Parity(1.0 if asked[3].variant == "fp32" else 0.9, 0.1, 60)

    monkeypatch.setattr(training.engines, "measure_parity", worse)
    monkeypatch.setattr(choice, "runs_here", lambda _: True)
    found = gated(with_int8, tmp_path)
    assert set(found.failed) == {"openvino-int8", "openvino-bf16"}
    assert found.metrics()["parity/openvino-int8/agreement"] == 0.9
    assert found.told()["openvino-int8"].startswith(
        "misses the parity gate, and runs only when asked for by name: 90.0% of labelled rows"
    )


def test_a_model_whose_graph_answers_otherwise_is_not_shipped(tmp_path: Path) -> None:
    rows = stance_rows()
    family = EncoderFamily(EncoderConfig.model_validate(quick()), seed=1).fit(rows, rows)
    model = Fitted(family, "stance", rows.labels, Calibration.identity(3), (1 / 3,) * 3)
    artefact = shipped(model, tmp_path)
    with torch.no_grad():
        family.learned_.network.output_layer().weight.neg_()
    trained = family.predict_probabilities(rows.examples)
    with pytest.raises(ParityError, match=r"decides 99\.5% of rows.*nothing was shipped"):
        gate(artefact, model, rows, rows, trained)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"agreement": 0.994}, False),
        ({"agreement": 0.995}, True),
        ({"elsewhere": {"dev": 1.0, "disguised rows": 0.99}}, False),
        ({"macro_f1": 0.0051}, False),
        ({"macro_f1": -0.0051}, False),
        ({"macro_f1": -0.004, "f1": {"favor": -0.02}}, True),
    ],
)
def test_what_passes(changes: dict[str, Any], passes: bool) -> None:
    assert Parity(**({"agreement": 1.0, "difference": 0.0, "rows": 10} | changes)).passes == passes


def test_families_without_engines_are_asked_once(tmp_path: Path) -> None:
    model = fitted("topics")
    from tests.small_models import topics_rows as rows_of_linear

    rows = rows_of_linear()
    raw = model.family.predict_probabilities(rows.examples)
    found = gate(shipped(model, tmp_path), model, rows, rows, model.calibration.apply(raw, "topics"))
    assert (found.passed, found.failed, found.to_dict()) == (None, {}, None)
    assert set(found.metrics()) == {"parity/agreement", "parity/difference"}


def sentences(rows: Examples) -> list[str]:
    return [one.sentence for one in rows if isinstance(one, StanceExample)]


def test_disguised_questions_are_unlike_any_row() -> None:
    rows = stance_rows().examples
    found = disguised(rows)
    assert found == disguised(rows)
    assert len(found) == len(rows)
    for number, (one, other) in enumerate(zip(rows, found, strict=True)):
        assert isinstance(one, StanceExample)
        assert isinstance(other, StanceExample)
        donor = rows[(number + len(rows) // 2) % len(rows)]
        assert isinstance(donor, StanceExample)
        assert (other.target, other.holder) == (donor.target, donor.holder)
        if number % 3 == 1:
            assert other.sentence == one.sentence.upper()
        if number % 3 == 2:
            assert sorted(other.sentence.split()) == sorted(one.sentence.split())
    same = [one == other for one, other in zip(sentences(rows), sentences(found), strict=True)]
    assert np.mean(same) < 0.05


def test_disguised_articles() -> None:
    rows = topics_rows().examples
    found = disguised(rows)
    assert all(isinstance(one, Article) for one in found)
    texts = [[one.text for one in part if isinstance(one, Article)] for part in (rows, found)]
    assert sum(one == other for one, other in zip(*texts, strict=True)) < 3
