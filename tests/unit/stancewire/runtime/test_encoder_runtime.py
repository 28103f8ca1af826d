"""The encoder runtime: what the graph says of each sequence alone, pooled; whatever else is asked with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from tokenizers import Tokenizer

import stancewire
from stancewire.artefact import Artefact
from stancewire.encoding import TOKENIZER, Encoder
from stancewire.errors import ArtefactError, InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor
from stancewire.runtime.choice import runs_here
from stancewire.runtime.encoder import EncoderRuntime
from stancewire.runtime.encoder_model import Choice, read_model
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import ENGINES, Engine, RuntimeOptions
from stancewire.runtime.pooling import POOLINGS, pool
from tests.encoders import WORDS, roberta_tokenizer, size_of, tiny_encoder, tiny_graph

ORT = RuntimeOptions("onnxruntime", threads=1)
RANDOM = np.random.default_rng(5)


def words(count: int) -> str:
    return " ".join(RANDOM.choice(WORDS, count))


ARTICLES = [Article(title=words(n % 5), text=words(1 + 11 * n % 190)) for n in range(25)]
QUESTIONS = [
    StanceExample(
        sentence=words(1 + 7 * n % 40),
        target=words(1 + n % 3),
        holder=words(2) if n % 2 else None,
        context=words(n % 4 * 5),
    )
    for n in range(25)
]


def expected(artefact: Artefact, examples: Any) -> NDArray[np.float32]:  # noqa: ANN401 - either kind
    """What the graph itself answers, by ONNX's own interpreter: every sequence alone, without padding."""
    model = read_model(artefact)
    encoded = Encoder(artefact.read_bytes(TOKENIZER), model.layout).encode(examples)
    graph = ReferenceEvaluator(artefact.read_bytes("model.onnx"))
    scores = []
    for ids, second in zip(encoded.ids, encoded.second, strict=True):
        tokens = np.array([ids])
        inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
        if "token_type_ids" in graph.input_names:
            inputs["token_type_ids"] = (np.arange(len(ids)) >= second).astype(np.int64)[None]
        scores.append(np.asarray(graph.run(None, inputs))[0, 0])
    return pool(np.array(scores), encoded.rows, model.pooling, artefact.manifest.task)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_topics_are_the_pooled_scores_of_the_chunks(tmp_path: Path, pooling: str, engine: Engine) -> None:
    artefact = tiny_encoder(tmp_path, "topics", pooling=pooling)
    found = open_runtime(artefact, RuntimeOptions(engine, "fp32", 1)).predict(ARTICLES)
    assert found.probabilities.dtype == np.float32
    assert np.abs(found.probabilities - expected(artefact, ARTICLES)).max() < 1e-4
    assert found.cut is not None
    assert 0 < (found.cut > 0).sum() < len(ARTICLES)
    assert not found.blank.any()


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
def test_stances_are_the_scores_of_the_question(tmp_path: Path, typed: bool, engine: Engine) -> None:
    files = {"model.onnx": tiny_graph(4, typed=typed).SerializeToString()}
    artefact = tiny_encoder(tmp_path, "stance", files=files)
    found = open_runtime(artefact, RuntimeOptions(engine, "fp32", 1)).predict(QUESTIONS).probabilities
    assert np.abs(found - expected(artefact, QUESTIONS)).max() < 1e-4
    assert np.ptp(found, axis=0).min() > 0.01, "the answers differ, or the test would not see a mix-up"


def test_a_byte_level_tokenizer_runs_too(tmp_path: Path) -> None:
    tokenizer = roberta_tokenizer()
    graph = tiny_graph(4, n_tokens=size_of(tokenizer), typed=False).SerializeToString()
    files = {"tokenizer.json": tokenizer, "model.onnx": graph}
    artefact = tiny_encoder(tmp_path, "stance", files=files, model={"pad": 1})
    found = open_runtime(artefact, ORT).predict(QUESTIONS).probabilities
    assert np.abs(found - expected(artefact, QUESTIONS)).max() < 1e-4


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "openvino-bf16"])
def test_an_answer_does_not_depend_on_the_batch(tmp_path: Path, engine: str) -> None:
    name, _, variant = engine.partition("-")
    options: Any = RuntimeOptions(name, variant or "fp32", 1)  # type: ignore[arg-type]
    if not runs_here(Choice(options.engine, options.variant)):
        pytest.skip("the processor has no bfloat16")
    runtime = open_runtime(tiny_encoder(tmp_path, "stance"), options)
    rows = QUESTIONS * 12  # more than one batch
    together = runtime.predict(rows).probabilities
    turned = runtime.predict(rows[::-1]).probabilities[::-1]
    alone = np.concatenate([runtime.predict([row]).probabilities for row in QUESTIONS])
    tolerance = 1e-4 if not variant else 0.02  # bfloat16 rounds to three digits
    assert np.abs(together - turned).max() <= tolerance
    assert np.abs(together[: len(alone)] - alone).max() <= tolerance
    assert np.abs(together - np.tile(together[: len(alone)], (12, 1))).max() <= tolerance


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_do_not_mix_answers(tmp_path: Path, engine: Engine) -> None:
    runtime = open_runtime(tiny_encoder(tmp_path, "stance"), RuntimeOptions(engine, "fp32", 1))
    rows = [QUESTIONS[n:] + QUESTIONS[:n] for n in range(8)]
    right = [runtime.predict(row).probabilities for row in rows]
    with ThreadPoolExecutor(8) as threads:
        found = [p.probabilities for p in threads.map(runtime.predict, rows * 5)]
    for n, answer in enumerate(found):
        assert np.abs(answer - right[n % 8]).max() < 1e-4


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    found = open_runtime(tiny_encoder(tmp_path, "topics", pooling="attention"), ORT).predict([])
    assert found.probabilities.shape == (0, 3)
    assert len(found.blank) == 0


def test_a_blind_model_is_blind(tmp_path: Path) -> None:
    runtime = open_runtime(tiny_encoder(tmp_path, "stance", model={"target_blind": True}), ORT)
    rows = [StanceExample(sentence="they signed", target=t) for t in ("talks", "the old embargo plan")]
    one, other = runtime.predict(rows).probabilities.tolist()
    assert one == pytest.approx(other, abs=1e-5)


def test_the_predictor_tells_what_was_cut_and_what_is_unknown(tmp_path: Path) -> None:
    tiny_encoder(tmp_path, "topics", max_chars=5000)
    topics = stancewire.load(tmp_path / "tiny-topics", runtime="onnxruntime", threads=1)
    assert isinstance(topics, TopicsPredictor)
    short, long, unknown, over = topics.predict(
        [words(20), words(400), "日本", " ".join(["the"] * 1300) + " " * 4900]
    )
    assert (short.warnings, short.cut_share) == ((), 0)
    assert long.warnings == ("text_cut",)
    assert long.cut_share == pytest.approx(1 - (62 + 2 * 46) / 400, abs=0.1)
    assert unknown.warnings == ("no_known_features",)
    assert over.warnings == ("text_cut",)
    assert over.cut_share > 0.5


class Session:
    """An engine that answers with what a test says."""

    step = 1

    def __init__(self, answer: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> None:
        self.answer = answer

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        return self.answer(inputs["input_ids"])


def test_nan_at_run_time_costs_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = EncoderRuntime(artefact := tiny_encoder(tmp_path, "stance"), ORT)
    stance = StancePredictor(artefact, runtime)
    (bad,) = (
        Tokenizer.from_buffer(artefact.read_bytes(TOKENIZER)).encode("trade", add_special_tokens=False).ids
    )

    def answer(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = np.zeros((len(ids), 4), np.float32)
        scores[(ids == bad).any(axis=1), 2] = np.nan
        return scores

    monkeypatch.setattr(runtime, "_session", Session(answer))
    rows = [
        StanceExample(sentence=f"they {verb}", target="talks") for verb in ("signed", "trade", "rejected")
    ]
    with pytest.raises(InputError, match="row 1: tiny-stance answered"):
        stance.predict(rows)
    assert len(stance.predict([rows[0], rows[2]])) == 2


def test_lengths_are_rounded_up_to_the_longest_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model may have no position for a token more."""
    chunking = {"tokens": 26, "stride": 0, "max_chunks": 1}
    runtime = EncoderRuntime(tiny_encoder(tmp_path, "stance", chunking=chunking), ORT)
    lengths: list[int] = []

    def answer(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        lengths.append(ids.shape[1])
        return np.zeros((len(ids), 4), np.float32)

    session = Session(answer)
    session.step = 4
    monkeypatch.setattr(runtime, "_session", session)
    runtime.predict([StanceExample(sentence="the the the the", target="it")])
    runtime.predict([StanceExample(sentence="the day", target="it", holder="he", context="day " * 60)])
    assert lengths == [8, 26]


def test_an_engine_that_fails_names_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = EncoderRuntime(tiny_encoder(tmp_path, "stance"), ORT)

    def fail(ids: NDArray[np.int64]) -> NDArray[np.float32]:
        raise RuntimeError("they signed")

    monkeypatch.setattr(runtime, "_session", Session(fail))
    with pytest.raises(
        InputError, match="tiny-stance: onnxruntime failed on 1 sequences: RuntimeErr"
    ) as caught:
        runtime.predict([StanceExample(sentence="they signed", target="talks")])
    assert "signed" not in str(caught.value)


def test_a_forked_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = EncoderRuntime(tiny_encoder(tmp_path, "stance"), ORT)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(StancewireError, match="tiny-stance: loaded in another process"):
        runtime.predict(QUESTIONS)


def test_tokenizers_start_no_threads_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    open_runtime(tiny_encoder(tmp_path, "stance"), ORT)
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"


GOOD = {
    "encoding": 1,
    "graph": "model.onnx",
    "pooling": "mean",
    "pad": 0,
    "target_blind": False,
    "engines": {},
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"encoding": 2}, "model.encoding: expected version 1, found 2; upgrade stancewire"),
        ({"encoding": "1"}, "model.encoding: expected an integer"),
        ({"graph": "other.onnx"}, "expected a file 'other.onnx'"),
        ({"graph": "../model.onnx"}, "expected a file"),
        ({"pooling": "median"}, "model.pooling: expected one of"),
        ({"pooling": "noisy_or"}, "model.pooling: expected one of 'mean', 'max' for stance"),
        ({"pad": -1}, "model.pad: expected an integer"),
        ({"pad": 9999}, "expected a pad token up to"),
        ({"target_blind": 0}, "model.target_blind: expected true or false"),
        ({"engines": {"tensorrt": {}}}, "model.engines: unknown engine 'tensorrt'"),
        ({"engines": {"onnxruntime-int8": {}}}, "model.engines: unknown engine 'onnxruntime-int8'"),
        ({"engines": {"openvino-int8": {}}}, "model.engines: unknown engine 'openvino-int8'"),
        ({"engines": {"onnxruntime": 1}}, "model.engines.onnxruntime: expected an object"),
        ({"engines": ["onnxruntime"]}, "model.engines: expected an object"),
        ({"weights": "int4"}, "model.weights: expected one of 'fp32', 'int8'"),
        ({"weights": True}, "model.weights: expected one of"),
        ({"_target_": "os.system"}, "model: unknown key '_target_'"),
    ],
)
def test_a_model_section_that_lies_is_refused(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    artefact = tiny_encoder(tmp_path, "stance", model=change)
    with pytest.raises(ArtefactError, match=named):
        open_runtime(artefact, ORT)


@pytest.mark.parametrize("missing", ["encoding", "graph", "pooling", "pad", "target_blind", "engines"])
def test_a_missing_key_is_refused(tmp_path: Path, missing: str) -> None:
    artefact = tiny_encoder(tmp_path, "stance")
    model = {key: value for key, value in artefact.manifest.model.items() if key != missing}
    changed = replace(artefact, manifest=replace(artefact.manifest, model=model))
    with pytest.raises(ArtefactError, match=f"model: missing key '{missing}'"):
        read_model(changed)


@pytest.mark.parametrize(
    ("chunking", "named"),
    [
        (None, "chunking: expected an object, found null"),
        ({"tokens": 9, "stride": 0, "max_chunks": 1}, "sequences of 9 tokens .* leave no room"),
        ({"tokens": 600, "stride": 0, "max_chunks": 1}, "onnxruntime cannot run it on 600 tokens"),
    ],
)
def test_chunking_that_does_not_fit_is_refused(
    tmp_path: Path, chunking: dict[str, int] | None, named: str
) -> None:
    artefact = tiny_encoder(tmp_path, "stance")
    changed = replace(artefact, manifest=replace(artefact.manifest, chunking=chunking))
    with pytest.raises(ArtefactError, match=named):
        open_runtime(changed, ORT)


def test_load_takes_the_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_encoder(tmp_path, "stance", model={"engines": {"onnxruntime": {}}})
    path = tmp_path / "tiny-stance"

    def choice(**options: str) -> Choice:
        runtime = stancewire.load(path, **options)._runtime  # type: ignore[arg-type]  # texts alone
        assert isinstance(runtime, EncoderRuntime)
        return runtime.choice

    assert choice() == Choice("onnxruntime", "fp32")
    assert choice(runtime="openvino") == Choice("openvino", "fp32")
    monkeypatch.setenv("STANCEWIRE_RUNTIME", "openvino")
    assert choice() == Choice("openvino", "fp32")
    assert choice(runtime="auto") == Choice("onnxruntime", "fp32")
