"""What the manifest of an encoder says about how it is run; the only code that reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from stancewire.artefact import Artefact
from stancewire.encoding import ENCODING_VERSION, Layout
from stancewire.errors import ArtefactError
from stancewire.manifest import MANIFEST
from stancewire.runtime.linear import LINEAR_KEYS
from stancewire.runtime.options import Engine, Variant
from stancewire.runtime.pooling import POOLINGS, Pooling
from stancewire.section import Section, listed

_KEYS = ("encoding", "graph", "pooling", "pad", "target_blind", "engines")
_OPTIONAL = ("marked", "weights", "linear")
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


# The fastest first: docs/runtime.md.
CHOICES = (
    Choice("openvino", "int8"),
    Choice("openvino", "bf16"),
    Choice("openvino", "fp32"),
    Choice("onnxruntime", "fp32"),
)


@dataclass(frozen=True, slots=True)
class LinearPart:
    """A linear model that answers together with the encoder.

    Attributes:
        share: its weight in the answer.
        section: what the linear runtime reads.
    """

    share: float
    section: Section


@dataclass(frozen=True, slots=True)
class EncoderModel:
    """The checked `chunking` and `model` sections.

    Attributes:
        layout: how texts become sequences.
        pooling: how the sequences of a row become its scores.
        pad: token id behind the end of a sequence.
        gated: what passed the parity gate in training, the fastest first.
        graph: the ONNX file.
        has_int8: whether its weights are integers, of which int8 is computed.
        linear: what answers with it; None where it answers alone.
    """

    layout: Layout
    pooling: Pooling
    pad: int
    gated: tuple[Choice, ...]
    graph: str
    has_int8: bool
    linear: LinearPart | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Every way to run it, gated or not, whether or not this machine can; the fastest first."""
        return choices(has_int8=self.has_int8)


def choices(*, has_int8: bool) -> tuple[Choice, ...]:
    """Return every way to run a graph, the fastest first."""
    return tuple(choice for choice in CHOICES if has_int8 or choice.variant != "int8")


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
    graph = section.text("graph")
    artefact.read_bytes(graph)
    has_int8 = "weights" in content and section.choice("weights", "fp32", "int8") == "int8"
    pooling = cast(Pooling, section.choice("pooling", *POOLINGS))
    if artefact.manifest.task == "stance" and pooling == "noisy_or":
        raise ArtefactError(
            f"{where}.pooling: expected one of {listed(POOLINGS[:2])} for stance; export again"
        )
    return EncoderModel(
        layout=_layout(artefact, section, marked="marked" in content and section.boolean("marked")),
        pooling=pooling,
        pad=section.integer("pad", 0, _MAX_TOKEN),
        gated=_gated(section, where, has_int8=has_int8),
        graph=graph,
        has_int8=has_int8,
        linear=_linear(section) if "linear" in content else None,
    )


def _linear(section: Section) -> LinearPart:
    part = section.section("linear", ("share", *LINEAR_KEYS))
    return LinearPart(part.number("share", 0, 1), part)


def _check_version(version: int, where: str) -> None:
    if version != ENCODING_VERSION:
        advice = "upgrade stancewire" if version > ENCODING_VERSION else "train again"
        raise ArtefactError(
            f"{where}.encoding: expected version {ENCODING_VERSION}, found {version}; {advice}"
        )


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


def _gated(section: Section, where: str, *, has_int8: bool) -> tuple[Choice, ...]:
    """Return what passed the gate; the figures with which it did are for people."""
    named = section.json("engines")
    known = {choice.name: choice for choice in choices(has_int8=has_int8)}
    if unknown := sorted(named.keys() - known.keys()):
        raise ArtefactError(
            f"{where}.engines: unknown engine {listed(unknown)}; the known ones are {listed(known)}"
        )
    figures = Section(named, f"{where}.engines", named)
    for name in named:
        figures.json(name)
    return tuple(choice for name, choice in known.items() if name in named)
