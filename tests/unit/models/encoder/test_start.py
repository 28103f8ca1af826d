"""A run starts from another's checkpoint, head and all, and says what does not fit."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from models.base import FitContext, LabelledSet
from models.encoder.config import EncoderConfig
from models.encoder.errors import BackboneError
from models.encoder.family import EncoderFamily
from models.encoder.start import find_parent
from tests.unit.models.backbones import quick
from tests.unit.models.rows import stance_rows, topics_rows


@cache
def parent(head: str, pooling: str = "mean") -> EncoderFamily:
    """A model that knows the stances, or the topics for another pooling."""
    rows = stance_rows() if pooling == "mean" else topics_rows()
    config = EncoderConfig.model_validate(quick(head=head, pooling=pooling))
    return EncoderFamily(config, seed=1).fit(rows, rows)


def kept(folder: Path, head: str = "mean", pooling: str = "mean") -> Path:
    folder = folder / "parent"
    folder.mkdir()
    parent(head, pooling).keep(folder)
    return folder


def child(start: Path, rows: LabelledSet, **changes: Any) -> EncoderFamily:  # noqa: ANN401
    """A model that starts from a checkpoint and learns next to nothing."""
    settings = quick(epochs=1, learning_rate=1e-12, weight_decay=0.0) | {"init_from": str(start)} | changes
    return EncoderFamily(EncoderConfig.model_validate(settings), seed=9).fit(rows, rows)


def renamed(names: dict[str, str]) -> LabelledSet:
    """The stance rows under other names of their labels, columns in the order of those."""
    rows = stance_rows()
    labels = [names.get(label, label) for label in rows.labels]
    order = np.argsort(labels)
    truth = rows.truth[:, order]
    return LabelledSet("stance", rows.examples, tuple(np.array(labels)[order].tolist()), truth, rows.groups)


@pytest.mark.parametrize("head", ["mean", "first"])
def test_a_child_answers_as_its_parent(tmp_path: Path, head: str) -> None:
    rows, folder = stance_rows(), kept(tmp_path, head)
    wanted = parent(head).predict_probabilities(rows.examples)
    found = child(folder, rows, head=head).predict_probabilities(rows.examples)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_attention_over_chunks_is_kept(tmp_path: Path) -> None:
    rows, folder = topics_rows(), kept(tmp_path, "mean", "attention")
    wanted = parent("mean", "attention").predict_probabilities(rows.examples)
    found = child(folder, rows, pooling="attention").predict_probabilities(rows.examples)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("head", ["mean", "first"])
def test_labels_of_other_names_are_mapped(tmp_path: Path, head: str) -> None:
    rows = renamed({"favor": "agrees", "against": "opposes"})
    assert rows.labels == ("agrees", "neutral", "opposes")
    named = {"favor": "agrees", "against": "opposes"}
    found = child(kept(tmp_path, head), rows, head=head, init_label_map=named)
    wanted = parent(head).predict_probabilities(rows.examples)[:, [1, 2, 0]]
    np.testing.assert_allclose(found.predict_probabilities(rows.examples), wanted, atol=1e-5)


@pytest.mark.parametrize("head", ["mean", "first"])
def test_a_label_that_none_maps_to_starts_anew(tmp_path: Path, head: str) -> None:
    folder, rows = kept(tmp_path, head), renamed({"against": "zero"})
    theirs = find_parent(str(folder)).weight
    ours = child(folder, rows, head=head, init_label_map={"favor": "favor"}).learned_.network.output_layer()
    assert torch.allclose(ours.weight[0], theirs[1])
    assert torch.allclose(ours.weight[1], theirs[2])
    assert not any(torch.allclose(ours.weight[2], row, atol=1e-3) for row in theirs)


def test_labels_that_differ_are_refused(tmp_path: Path) -> None:
    folder, rows = kept(tmp_path), renamed({"favor": "agrees"})
    with pytest.raises(BackboneError, match=r"the labels differ: .*'favor'.*this run 'against', 'agrees'"):
        child(folder, rows)
    with pytest.raises(BackboneError, match=r"init_label_map: unknown label of .*: 'pro'; it has 'against'"):
        child(folder, rows, init_label_map={"pro": "agrees"})
    with pytest.raises(BackboneError, match=r"init_label_map: unknown label 'pro'; ours are 'against', 'ag"):
        child(folder, rows, init_label_map={"favor": "pro"})


def test_a_head_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    head = torch.zeros(3, 7)
    from safetensors.torch import save_file

    save_file({"weight": head, "bias": torch.zeros(3)}, folder / "head.safetensors")
    with pytest.raises(BackboneError, match="reads 7 numbers, this one 32"):
        child(folder, stance_rows())


def test_what_is_no_checkpoint_is_told_with_those_beside_it(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    with pytest.raises(BackboneError, match=r"found none at .*nothing \(File.*those in .*: 'parent'$"):
        find_parent(str(tmp_path / "nothing"))
    (folder / "stancewire.json").write_text("{}")
    with pytest.raises(BackboneError, match=r"wanted the checkpoint that a run left"):
        find_parent(str(folder))


def test_an_artefact_stands_for_the_checkpoint_beside_it(tmp_path: Path) -> None:
    artefact = tmp_path / "model"
    artefact.mkdir()
    (artefact / "manifest.json").write_text("{}")
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    kept(checkpoints).rename(checkpoints / "model")
    found = find_parent(str(artefact))
    assert (found.folder, found.task, found.labels) == (
        checkpoints / "model",
        "stance",
        ("against", "favor", "neutral"),
    )


def test_transformers_reads_a_checkpoint_with_the_first_head(tmp_path: Path) -> None:
    rows, folder = stance_rows(), kept(tmp_path, "first")
    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    assert model.config.id2label == {0: "against", 1: "favor", 2: "neutral"}
    learned = parent("first").learned_
    from stancewire.encoding import Encoder

    encoded = Encoder(learned.backbone.tokenizer, learned.layout).encode(rows.examples[:5])
    wanted = parent("first").predict_probabilities(rows.examples[:5])
    for row, ids in enumerate(encoded.ids):
        types = [int(place >= encoded.second[row]) for place in range(len(ids))]
        logits = model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits
        np.testing.assert_allclose(torch.softmax(logits, 1)[0].detach(), wanted[row], atol=1e-5)
    assert json.loads((folder / "stancewire.json").read_text())["head"] == "first"


def test_more_rows_are_learned_from_as_often_as_they_weigh() -> None:
    rows = stance_rows()
    known, other = rows.take(np.flatnonzero(rows.truth[:, 2] == 0)), rows
    config = EncoderConfig.model_validate(quick())
    train = rows.take([*range(6)])
    logged: list[int] = []

    def log(step: int, figures: Any) -> None:  # noqa: ANN401
        logged.append(step)

    context = FitContext(extra=((other, 2.0), (known, 0.0)), log=log)
    model = EncoderFamily(config, seed=1).fit(train, rows, context)
    assert max(logged) == 8 * -(-(6 + 2 * len(other)) // 8)
    decided = model.predict_probabilities(rows.examples).argmax(axis=1)
    np.testing.assert_array_equal(decided, rows.truth.argmax(axis=1))
