"""A tiny BERT with random weights as a transformers folder, and settings with which it learns in a blink."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.encoders import SPECIAL, WORDS, bert_tokenizer

POSITIONS = 128


@cache
def shared_backbone() -> Path:
    """Return the backbone, in a folder that lasts as long as this process."""
    folder = tempfile.mkdtemp(prefix="stancewire-backbone-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return tiny_backbone(Path(folder))


def tiny_backbone(folder: Path) -> Path:
    """Write the backbone into a folder; equal everywhere."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = word_tokenizer()
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(json.loads(tokenizer)["model"]["vocab"]),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,
    )
    BertForSequenceClassification(config).save_pretrained(str(folder))
    (folder / "tokenizer.json").write_bytes(tokenizer)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    settings = names | {"mask_token": "[MASK]", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def word_tokenizer() -> bytes:
    """The `tokenizer.json` of a tokenizer that knows a few words and spells no others."""
    content = json.loads(bert_tokenizer(()))
    known = (*SPECIAL, *WORDS, "discussed", "seoul", *".,")
    content["model"]["vocab"] = {word: number for number, word in enumerate(dict.fromkeys(known))}
    return json.dumps(content).encode()


def quick(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - settings of any kind
    """Settings of the encoder family with the tiny backbone."""
    settings = {
        "backbone": str(shared_backbone()),
        "tokens": 64,
        "stride": 8,
        "learning_rate": 5e-3,
        "warmup": 0.3,
        "batch_size": 8,
        "epochs": 8,
        "precision": "fp32",
        "quantise": False,
        "device": "cpu",
        "threads": 1,
    }
    return settings | changes


def quick_few(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - settings of any kind
    """Settings of the few-shot family with the tiny backbone."""
    settings = {
        "backbone": str(shared_backbone()),
        "tokens": 64,
        "stride": 8,
        "learning_rate": 5e-3,
        "batch_size": 12,
        "steps": 20,
        "judge_every": 10,
        "judged_on": "dev",
        "regularisation": 100.0,
        "precision": "fp32",
        "quantise": False,
        "device": "cpu",
        "threads": 1,
    }
    return settings | changes
