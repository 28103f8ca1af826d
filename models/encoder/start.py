"""Start from what another run learned: its encoder, and the rows of its head that mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.encoder.errors import BackboneError
from models.encoder.network import Classifier
from stancewire.manifest import MANIFEST
from stancewire.section import listed

ABOUT, HEAD = "stancewire.json", "head.safetensors"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Parent:
    """A checkpoint that a run left.

    Attributes:
        folder: of it: a backbone, with a head beside.
        task: that it answered.
        labels: of its head's first rows.
        weight: of the head, [n_outputs, n_inputs].
        bias: [n_outputs].
    """

    folder: Path
    task: str
    labels: tuple[str, ...]
    weight: Tensor
    bias: Tensor


def find_parent(name: str) -> Parent:
    """Return the checkpoint of a folder, or the one that was kept with an artefact.

    Raises:
        BackboneError: if there is none.
    """
    folder = Path(name)
    if (folder / MANIFEST).is_file():
        folder = folder.parent / CHECKPOINTS / folder.name
    try:
        about = json.loads((folder / ABOUT).read_bytes())
        head = load_file(folder / HEAD)
        return Parent(folder, str(about["task"]), tuple(about["labels"]), head["weight"], head["bias"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        near = folder.parent if folder.parent.is_dir() else Path(CHECKPOINTS)
        others = sorted(path.parent.name for path in near.glob(f"*/{ABOUT}"))
        raise BackboneError(
            f"model.init_from: wanted the checkpoint that a run left, found none at {folder} "
            f"({type(error).__name__}); those in {near}: {listed(others)}"
        ) from None


def take_head(
    network: Classifier, parent: Parent, labels: Sequence[str], label_map: Mapping[str, str]
) -> None:
    """Put the parent's rows in the place of ours that mean the same.

    Args:
        network: with a new head.
        parent: whose head is taken.
        labels: ours, in the order of our head.
        label_map: ours by the parent's, where they differ; a parent's label that is not named keeps its name.

    Raises:
        BackboneError: if the labels differ and the map does not say what becomes of them.
    """
    ours = {theirs: label_map.get(theirs, theirs) for theirs in parent.labels}
    if unknown := sorted(set(label_map) - set(parent.labels)):
        raise BackboneError(
            f"model.init_label_map: unknown label of {parent.folder}: {listed(unknown)}; it has "
            f"{listed(parent.labels, limit=20)}"
        )
    if wrong := sorted(set(label_map.values()) - set(labels)):
        raise BackboneError(
            f"model.init_label_map: unknown label {listed(wrong)}; ours are {listed(labels, limit=20)}"
        )
    if not label_map and set(labels) != set(parent.labels):
        raise BackboneError(
            f"model.init_from: the labels differ: {parent.folder} has {listed(parent.labels, limit=20)}, "
            f"this run {listed(labels, limit=20)}; say in model.init_label_map which of ours each of its is, "
            "as in {theirs: ours}; those that are not named start anew"
        )
    layer = network.output_layer()
    if layer.weight.shape[1] != parent.weight.shape[1]:
        raise BackboneError(
            f"model.init_from: the head of {parent.folder} reads {parent.weight.shape[1]} numbers, this one "
            f"{layer.weight.shape[1]}; take the same model.head"
        )
    torch.nn.init.normal_(layer.weight, std=0.02)
    torch.nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for row, label in enumerate(labels):
            found = [i for i, theirs in enumerate(parent.labels) if ours[theirs] == label]
            if found:
                layer.weight[row] = parent.weight[found].mean(dim=0)
                layer.bias[row] = parent.bias[found].mean()
        if len(layer.weight) > len(labels) and len(parent.weight) > len(parent.labels):
            layer.weight[-1], layer.bias[-1] = parent.weight[-1], parent.bias[-1]
