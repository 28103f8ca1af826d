"""From a fitted family to an artefact on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.base import Family
from stancewire.artefact import CARD, Artefact, CodebookRef, Manifest, write_artefact
from stancewire.calibration import Calibration, Task
from stancewire.codebook import Codebook
from stancewire.doubt import Abstention, Conformal
from stancewire.text import MAX_CHARS


@dataclass(frozen=True)
class Fitted:
    """A trained family with what was fitted around it on dev."""

    family: Family
    task: Task
    labels: tuple[str, ...]
    calibration: Calibration
    thresholds: tuple[float, ...]
    abstention: Abstention | None = None
    conformal: Conformal | None = None


def export(
    fitted: Fitted,
    destination: Path,
    *,
    name: str,
    codebook: Codebook,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    card: Callable[[Manifest], str] | None = None,
    engines: Mapping[str, Any] | None = None,
) -> Artefact:
    """Write the artefact, read it back, and return it.

    Args:
        fitted: what it answers with.
        destination: its folder.
        name: of the model.
        codebook: that gave the labels their meaning.
        metrics: of the evaluation.
        provenance: where the model comes from.
        card: makes the model card of the manifest; None leaves it out.
        engines: that passed the parity gate, for families that have a choice.

    Raises:
        ArtefactError: when it cannot be written whole; an artefact that stood there before still stands.
    """
    with TemporaryDirectory(prefix="stancewire-export-") as folder:
        staging = Path(folder)
        model = fitted.family.export(staging)
        if engines is not None:
            model |= {"engines": engines}
        manifest = Manifest(
            name=name,
            task=fitted.task,
            family=fitted.family.name,
            labels=fitted.labels,
            codebook=CodebookRef(codebook.id, codebook.version, codebook.digest, codebook.names(fitted.task)),
            thresholds=fitted.thresholds,
            calibration=fitted.calibration,
            abstention=fitted.abstention,
            conformal=fitted.conformal,
            max_chars=MAX_CHARS,
            chunking=fitted.family.chunking(),
            model=model,
            metrics=metrics,
            provenance=provenance,
        )
        if card is not None:
            (staging / CARD).write_text(card(manifest), encoding="utf-8", newline="\n")
        return write_artefact(destination, manifest, staging)
