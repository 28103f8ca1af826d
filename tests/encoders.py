"""Tiny encoders with random weights: real graphs, tokenizers and artefacts, made in a blink without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from stancewire.artefact import Artefact, write_artefact
from stancewire.calibration import Calibration
from stancewire.encoding import ENCODING_VERSION
from tests.tiny import tiny_manifest

HIDDEN, LAYERS, HEADS, POSITIONS = 32, 2, 4, 512
TOPICS = ("arms_trade", "diplomacy", "sanctions")
STANCES = ("against", "favor", "neutral", "unrelated")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = """
    the a of to and in on by for with from that it he she they said says told who was were is are be not
    no never minister ministry government envoy envoys talks summit embargo sanctions assets shells missiles
    tanks deal treaty vote plan parliament president spokesman group seoul paris welcomed praised signed
    condemned blocked rejected described counted scheduled harvested painted weather prices fell rose about
    day week week after before new old sale export arms trade
""".split()  # noqa: SIM905 - one a line would be a page
PAD = 0


def bert_tokenizer(words: tuple[str, ...] | list[str] = tuple(WORDS)) -> bytes:
    """The `tokenizer.json` of a lower-casing WordPiece tokenizer; letters and digits spell other words."""
    letters = [chr(code) for code in (*range(ord("a"), ord("z") + 1), *range(ord("0"), ord("9") + 1))]
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *".,'!?-:;\"", *words]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(list(SPECIAL))
    return str(tokenizer.to_str()).encode()


def roberta_tokenizer() -> bytes:
    """The `tokenizer.json` of a byte-level tokenizer: no unknown words, two separators, no types."""
    special = ("<s>", "<pad>", "</s>", "<mask>")
    pieces = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens(list(special))
    return str(tokenizer.to_str()).encode()


def tiny_graph(n_scores: int, *, n_tokens: int = 0, typed: bool = True, seed: int = 0) -> onnx.ModelProto:
    """A BERT of two layers and 32 dimensions, its mean over tokens through a linear head.

    Args:
        n_scores: columns of the output.
        n_tokens: rows of the embedding; 0: those of `bert_tokenizer()`.
        typed: whether it takes token_type_ids.
        seed: of its weights.
    """
    return _Builder(n_tokens or size_of(bert_tokenizer()), seed).model(n_scores, typed)


def size_of(tokenizer: bytes) -> int:
    """How many token ids a tokenizer has."""
    return int(Tokenizer.from_buffer(tokenizer).get_vocab_size())


def tiny_encoder(
    folder: Path,
    task: str,
    *,
    pooling: str = "mean",
    chunking: Mapping[str, int] | None = None,
    model: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes] | None = None,
    seed: int = 0,
    **changes: object,
) -> Artefact:
    """Write an encoder artefact.

    Args:
        folder: where it goes, as `tiny-TASK`.
        task: "topics" or "stance".
        pooling: as in the manifest.
        chunking: in place of 64 tokens, a stride of 16 and 3 chunks (topics) or one (stance).
        model: fields of the manifest's `model` section to change or add.
        files: content of files to replace or add.
        seed: of the weights.
        changes: other fields of the manifest.
    """
    labels = TOPICS if task == "topics" else STANCES
    several = {"stride": 16, "max_chunks": 3} if task == "topics" else {"stride": 0, "max_chunks": 1}
    graph = tiny_graph(len(labels) + (pooling == "attention"), seed=seed)
    staging = folder / f"staging-{task}"
    staging.mkdir(parents=True)
    content = {"model.onnx": graph.SerializeToString(), "tokenizer.json": bert_tokenizer(), **(files or {})}
    for name, data in content.items():
        (staging / name).write_bytes(data)
    fields: dict[str, Any] = {
        "name": f"tiny-{task}",
        "task": task,
        "family": "encoder",
        "labels": labels,
        "thresholds": (0.5,) * 3 if task == "topics" else (0.25,) * 4,
        "calibration": Calibration.identity(len(labels)),
        "max_chars": 100_000,
        "chunking": {"tokens": 64, **several} if chunking is None else dict(chunking),
        "model": {
            "encoding": ENCODING_VERSION,
            "graph": "model.onnx",
            "pooling": pooling,
            "pad": PAD,
            "target_blind": False,
            "engines": {"onnxruntime": {"label_agreement": 1.0}, "openvino": {"label_agreement": 1.0}},
            **(model or {}),
        },
    }
    return write_artefact(folder / f"tiny-{task}", tiny_manifest(**(fields | changes)), staging)


def with_tokenizer_field(tokenizer: bytes, **fields: object) -> bytes:
    """A `tokenizer.json` with these top-level fields changed."""
    return json.dumps(json.loads(tokenizer) | fields).encode()


class _Builder:
    """Nodes and weights of a graph, named as they come."""

    def __init__(self, n_tokens: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._n_tokens = n_tokens
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def model(self, n_scores: int, typed: bool) -> onnx.ModelProto:
        names = ["input_ids", "attention_mask", *(["token_type_ids"] if typed else [])]
        hidden, mask = self._embedded(typed), self.op("Cast", "attention_mask", to=TensorProto.FLOAT)
        wide = self.op("Unsqueeze", mask, self.constant([1, 2]))
        bias = self.op("Mul", self.op("Sub", wide, self.constant(1.0)), self.constant(1e4))
        for _ in range(LAYERS):
            hidden = self._layer(hidden, bias)
        tall = self.op("Unsqueeze", mask, self.constant([2]))
        total = self.op("ReduceSum", self.op("Mul", hidden, tall), self.constant([1]), keepdims=0)
        count = self.op("ReduceSum", mask, self.constant([1]), keepdims=1)
        self.op("Identity", self._linear(self.op("Div", total, count), n_scores, 0.3), output="scores")
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"]) for name in names]
        output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", n_scores])
        graph = helper.make_graph(self._nodes, "tiny", inputs, [output], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def _embedded(self, typed: bool) -> str:
        tokens = self.op("Gather", self.weight(self._n_tokens, HIDDEN, scale=1.0), "input_ids")
        length = self.op("Squeeze", self.op("Shape", "input_ids", start=1, end=2), self.constant([0]))
        places = self.op("Range", self.constant(0), length, self.constant(1))
        positions = self.op("Gather", self.weight(POSITIONS, HIDDEN, scale=0.3), places)
        total = self.op("Add", tokens, positions)
        if typed:
            types = self.op("Gather", self.weight(2, HIDDEN, scale=0.5), "token_type_ids")
            total = self.op("Add", total, types)
        return self._normal(total)

    def _layer(self, hidden: str, bias: str) -> str:
        q, k, v = (self._heads(self._linear(hidden, HIDDEN)) for _ in range(3))
        products = self.op("MatMul", q, self.op("Transpose", k, perm=[0, 1, 3, 2]))
        scaled = self.op("Mul", products, self.constant((HIDDEN / HEADS) ** -0.5))
        seen = self.op("MatMul", self.op("Softmax", self.op("Add", scaled, bias), axis=-1), v)
        joined = self.op(
            "Reshape", self.op("Transpose", seen, perm=[0, 2, 1, 3]), self.constant([0, 0, HIDDEN])
        )
        hidden = self._normal(self.op("Add", hidden, self._linear(joined, HIDDEN)))
        inner = self.op("Relu", self._linear(hidden, 2 * HIDDEN))
        return self._normal(self.op("Add", hidden, self._linear(inner, HIDDEN, width=2 * HIDDEN)))

    def _heads(self, hidden: str) -> str:
        split = self.op("Reshape", hidden, self.constant([0, 0, HEADS, HIDDEN // HEADS]))
        return self.op("Transpose", split, perm=[0, 2, 1, 3])

    def _linear(self, hidden: str, size: int, scale: float = 0.3, width: int = HIDDEN) -> str:
        product = self.op("MatMul", hidden, self.weight(width, size, scale=scale))
        return self.op("Add", product, self.weight(size, scale=0.1))

    def _normal(self, hidden: str) -> str:
        ones = self._stored(np.ones(HIDDEN, np.float32))
        return self.op("LayerNormalization", hidden, ones, self.weight(HIDDEN, scale=0.01), axis=-1)

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: object) -> str:
        name = output or f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))  # type: ignore[arg-type]
        return name

    def weight(self, *shape: int, scale: float) -> str:
        return self._stored((self._random.standard_normal(shape) * scale).astype(np.float32))

    def constant(self, value: float | list[int]) -> str:
        kind = np.float32 if isinstance(value, float) else np.int64
        return self._stored(np.asarray(value, dtype=kind))

    def _stored(self, array: NDArray[Any]) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name
