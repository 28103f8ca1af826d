"""What the manifest of an encoder says about how it is run; the only code that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from stancewire.artefact import Artefact
from stancewire.encoding import ENCODING_VERSION, Layout
from stancewire.errors import ArtefactError
from stancewire.manifest import MANIFEST
from stancewire.runtime.options import Engine, Variant
from stancewire.runtime.pooling import POOLINGS, Pooling
from stancewire.section import Section, listed

_KEYS = ("encoding", "graph", "pooling", "pad", "target_blind", "engines")
_OPTIONAL = ("marked", "variants")
_MAX_TOKEN = 10_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to run an encoder: an engine, and the numbers it computes with."""

    engine: Engine
    variant: Variant

    @property
    def name(self) -> str:
        """As an artefact's `engines` names it: "onnxruntime", "openvino-bf16"."""
        return self.engine if self.variant == "fp32" else f"{self.engine}-{self.variant}"


# The fastest first, as measured on processors with int8 instructions: docs/runtime.md.
CHOICES = (
    Choice("openvino", "bf16"),
    Choice("openvino", "int8"),
    Choice("onnxruntime", "int8"),
    Choice("openvino", "fp32"),
    Choice("onnxruntime", "fp32"),
)


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """The checked `chunking` and `model` sections.

    Attributes:
        layout: how texts become sequences.
        pooling: how the sequences of a row become its scores.
        pad: token id behind the end of a sequence.
        gated: what passed the parity gate in training, the fastest first.
        files: the graph of each variant that the artefact can be run in.
    """

    layout: Layout
    pooling: Pooling
    pad: int
    gated: tuple[Choice, ...]
    files: Mapping[Variant, str]

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every way to run it, gated or not, whether or not this machine can; the fastest first."""
        return tuple(choice for choice in CHOICES if choice.variant in self.files)


def read_model(artefact: Artefact) -> EncoderModel:
    """Read the sections of an encoder.

    Raises:
        ArtefactError: if they are not what this version of the package writes, or name a file that is not
            there.
    """
    where = f"{artefact.path / MANIFEST}: model"
    content = dict(artefact.manifest.model)
    section = Section(content, where, (*_KEYS, *(key for key in _OPTIONAL if key in content)))
    _check_version(section.integer("encoding", 1, 2**31), where)
    files: dict[Variant, str] = {"fp32": section.text("graph")}
    if "variants" in content:
        files |= _variants(section, where, files["fp32"])
    for name in files.values():
        artefact.read_bytes(name)
    files["bf16"] = files["fp32"]  # the same weights, rounded as they are used
    pooling = cast(Pooling, section.choice("pooling", *POOLINGS))
    if artefact.manifest.task == "stance" and pooling == "noisy_or":
        raise ArtefactError(
            f"{where}.pooling: expected one of {listed(POOLINGS[:2])} for stance; export again"
        )
    return EncoderModel(
        layout=_layout(artefact, section, marked="marked" in content and section.boolean("marked")),
        pooling=pooling,
        pad=section.integer("pad", 0, _MAX_TOKEN),
        gated=_gated(section, where, files),
        files=files,
    )


def _check_version(version: int, where: str) -> None:
    if version != ENCODING_VERSION:
        advice = "upgrade stancewire" if version > ENCODING_VERSION else "train again"
        raise ArtefactError(
            f"{where}.encoding: expected version {ENCODING_VERSION}, found {version}; {advice}"
        )


def _variants(section: Section, where: str, graph: str) -> dict[Variant, str]:
    """Return the file of each variant; the first of them is the graph itself."""
    variants = section.section("variants", ("fp32", "int8"))
    if (named := variants.text("fp32")) != graph:
        raise ArtefactError(f"{where}.variants.fp32: expected {graph!r}, the graph, found {named!r}")
    return {"int8": variants.text("int8")}


def _layout(artefact: Artefact, section: Section, *, marked: bool) -> Layout:
    manifest = artefact.manifest
    if manifest.chunking is None:
        raise ArtefactError(f"{artefact.path / MANIFEST}.chunking: expected an object, found null")
    return Layout(
        task=manifest.task,
        max_chars=manifest.max_chars,
        target_blind=section.boolean("target_blind"),
        marked=marked,
        **manifest.chunking,
    )


def _gated(section: Section, where: str, files: Mapping[Variant, str]) -> tuple[Choice, ...]:
    """Return what passed the gate; the figures with which it did are for people."""
    named = section.json("engines")
    known = {choice.name: choice for choice in CHOICES if choice.variant in files}
    if unknown := sorted(named.keys() - known.keys()):
        raise ArtefactError(
            f"{where}.engines: unknown engine {listed(unknown)}; the known ones are {listed(known)}"
        )
    figures = Section(named, f"{where}.engines", named)
    for name in named:
        figures.json(name)
    return tuple(choice for name, choice in known.items() if name in named)
