"""From a trained network to one ONNX file, and to a checkpoint that another run starts from."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.encoder.backbone import quiet
from models.encoder.fitting import Learned
from models.encoder.network import Classifier
from models.encoder.quantise import compact
from models.encoder.start import ABOUT, HEAD
from stancewire.encoding import ENCODING_VERSION, TOKENIZER

GRAPH = "model.onnx"
_OPSET = 17
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "added_tokens.json")


class _Scores(nn.Module):
    """The network as a function of tensors in a fixed order."""

    def __init__(self, network: Classifier, names: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self.network(**dict(zip(self.names, inputs, strict=True)))
        return scores


def graph_of(network: Classifier) -> bytes:
    """Return the network as one ONNX file; batch and length vary, all weights lie inside.

    torch's older exporter is taken on purpose: onnxruntime fuses its graph better, and it is several times
    faster itself (docs/encoder.md).
    """
    names = _INPUTS if network.is_typed else _INPUTS[:2]
    ids = torch.ones(2, 8, dtype=torch.int64)
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
        return compact((Path(folder) / GRAPH).read_bytes())


def model_section(learned: Learned) -> dict[str, Any]:
    """Return the manifest's `model` section; no engine has passed the parity gate yet."""
    return {
        "encoding": ENCODING_VERSION,
        "graph": GRAPH,
        "pooling": learned.config.pooling,
        "pad": learned.backbone.pad,
        "target_blind": learned.layout.target_blind,
        "marked": learned.layout.marked,
        "weights": "int8" if learned.config.quantise else "fp32",
        "engines": {},
    }


def write_checkpoint(learned: Learned, folder: Path) -> None:
    """Write a folder that another run, and transformers, can load.

    With the head "first" it is an ordinary sequence classifier, which
    `AutoModelForSequenceClassification.from_pretrained` reads with our labels; with "mean" it is the encoder
    alone, and the head lies beside it.
    """
    network, backbone = learned.network, learned.backbone
    layer = network.output_layer()
    names = list(learned.labels) + ["attention"] * (learned.config.pooling == "attention")
    config = network.inner.config
    config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    with quiet():
        network.inner.save_pretrained(str(folder))
    save_file({"weight": layer.weight.detach().clone(), "bias": layer.bias.detach().clone()}, folder / HEAD)
    (folder / TOKENIZER).write_bytes(backbone.tokenizer)
    for name in _TOKENIZER_FILES:
        if (backbone.folder / name).is_file():
            shutil.copyfile(backbone.folder / name, folder / name)
    about = {
        "task": learned.task,
        "labels": learned.labels,
        "head": learned.config.head,
        "pooling": learned.config.pooling,
        "encoding": ENCODING_VERSION,
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
