"""A checkpoint that is measured has a head of its own; transformers would make one up, by chance."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import BertConfig, BertForSequenceClassification, BertModel

from benchmarks.speed_models import check_checkpoint
from stancewire.errors import InputError

SMALL = BertConfig(
    vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
)


def test_a_checkpoint_without_its_head_is_refused(tmp_path: Path) -> None:
    BertForSequenceClassification(SMALL).save_pretrained(tmp_path / "whole")
    BertModel(SMALL).save_pretrained(tmp_path / "bare")
    assert check_checkpoint(tmp_path / "whole") == tmp_path / "whole"
    with pytest.raises(InputError, match=r"found none for classifier\.bias; train with model\.head=first"):
        check_checkpoint(tmp_path / "bare")
