"""From a trained network to one ONNX file, and to a checkpoint that another run starts from."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.encoder.backbone import quiet
from models.encoder.fitting import Learned
from models.encoder.network import is_typed
from stancewire.encoding import ENCODING_VERSION, TOKENIZER

GRAPH = "model.onnx"
ABOUT = "stancewire.json"
_OPSET = 17
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json")


class _Scores(nn.Module):
    """The network as a function of tensors in a fixed order."""

    def __init__(self, network: PreTrainedModel, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self.network(**dict(zip(self.names, inputs, strict=True))).logits
        return scores


def graph_of(network: PreTrainedModel) -> bytes:
    """Return the network as one ONNX file; batch and length vary, weights lie inside.

    torch's older exporter is taken on purpose: onnxruntime fuses its graph better, and it is several times
    faster itself (docs/encoder.md).
    """
    names = _INPUTS if is_typed(network) else _INPUTS[:2]
    ids = torch.ones(2, 8, dtype=torch.int64)
    attention = network.config._attn_implementation
    network.set_attn_implementation("eager")
    try:
        with warnings.catch_warnings(), TemporaryDirectory(prefix="stancewire-graph-") as folder:
            warnings.simplefilter("ignore")  # of deprecation, and of branches that a trace fixes
            torch.onnx.export(
                _Scores(network, names).eval(),
                (ids,) * len(names),
                Path(folder) / GRAPH,
                input_names=list(names),
                output_names=["scores"],
                dynamic_axes={name: {0: "n", 1: "length"} for name in names} | {"scores": {0: "n"}},
                opset_version=_OPSET,
                dynamo=False,
            )
            return (Path(folder) / GRAPH).read_bytes()
    finally:
        network.set_attn_implementation(attention)


def model_section(learned: Learned) -> dict[str, Any]:
    """Return the manifest's `model` section; no engine has passed the parity gate yet."""
    return {
        "encoding": ENCODING_VERSION,
        "graph": GRAPH,
        "pooling": learned.config.pooling,
        "pad": learned.backbone.pad,
        "target_blind": learned.layout.target_blind,
        "engines": {},
    }


def write_checkpoint(learned: Learned, folder: Path) -> None:
    """Write a folder that transformers, and another run, can load; it needs no code of ours.

    For stance it is an ordinary sequence classifier: `AutoModelForSequenceClassification.from_pretrained`
    reads it, with our labels.
    """
    network, backbone = learned.network, learned.backbone
    names = dict(enumerate(learned.labels)) | (
        {len(learned.labels): "attention"} if learned.config.pooling == "attention" else {}
    )
    network.config.id2label = names
    network.config.label2id = {label: number for number, label in names.items()}
    with quiet():
        network.save_pretrained(str(folder))
    (folder / TOKENIZER).write_bytes(backbone.tokenizer)
    for name in _TOKENIZER_FILES:
        if (backbone.folder / name).is_file():
            shutil.copyfile(backbone.folder / name, folder / name)
    about = {
        "task": learned.task,
        "labels": learned.labels,
        "pooling": learned.config.pooling,
        "encoding": ENCODING_VERSION,
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
