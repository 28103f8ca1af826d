"""The same encoder as MLflow's own flavour serves it: a transformers pipeline."""

from __future__ import annotations

from pathlib import Path

_WORDS = ("the", "a", "of", "to", "and", "in", "on", "for", "with", "embargo", "talks", "shells", "said")


def mlflow_transformers(checkpoint: Path, destination: Path) -> Path:
    """Save a checkpoint as an MLflow model of the transformers flavour, as its documentation does.

    Args:
        checkpoint: a folder with model and tokenizer.
        destination: of the MLflow model.
    """
    import mlflow.transformers
    from transformers import pipeline

    pipe = pipeline("text-classification", model=str(checkpoint), tokenizer=str(checkpoint), truncation=True)
    mlflow.transformers.save_model(pipe, destination, pip_requirements=["transformers", "torch"])
    return destination


def tiny_bert(folder: Path) -> Path:
    """Write a small BERT classifier with random weights, to try the comparison without a checkpoint."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    spelled = [*letters, *(f"##{letter}" for letter in letters)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *spelled, *_WORDS]
    words = BertWordPieceTokenizer({piece: number for number, piece in enumerate(pieces)})
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=words._tokenizer, model_max_length=512, **special
    )
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder
