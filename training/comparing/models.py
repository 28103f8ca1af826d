"""Find the model that a name means: a folder, a run of MLflow, a logged or a registered model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stancewire.errors import InputError
from stancewire.location import is_uri
from stancewire.manifest import Manifest
from stancewire.predictor import Predictor, load
from stancewire.section import shown

if TYPE_CHECKING:
    from training.comparing.store import Store

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_WHOLE_RUN = re.compile(r"runs:/+([^/]+)/*")


@dataclass(frozen=True)
class Model:
    """A loaded model and what it is called.

    Attributes:
        name: for people, short: "A", "version 3".
        given: as it was asked for.
        predictor: loaded, with every check of an artefact.
    """

    name: str
    given: str
    predictor: Predictor

    @property
    def manifest(self) -> Manifest:
        """What the artefact says of itself."""
        return self.predictor.artefact.manifest

    @property
    def digest(self) -> str:
        """The model's identity."""
        return self.predictor.artefact.digest


def load_models(given: Iterable[tuple[str, str]]) -> list[Model]:
    """Load models by their names for people and what was asked for.

    Args:
        given: pairs such as ("A", "runs:/0123…"); a folder, a run's id, `runs:/ID`, `runs:/ID/NAME`,
            `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `models:/m-ID`.

    Raises:
        StancewireError: if a model cannot be found or loaded.
    """
    return [Model(name, what, _load(what)) for name, what in given]


def _load(given: str) -> Predictor:
    run = _run_id(given)
    if run is None and not is_uri(given):
        return load(given)
    store = open_store()
    return load(store.model_of_run(run) if run else given)


def _run_id(given: str) -> str | None:
    """Return the id of the run that is meant, or None where something else is."""
    if match := _WHOLE_RUN.fullmatch(given):
        return match[1]
    return given if _RUN_ID.fullmatch(given) and not Path(given).exists() else None


def open_store() -> Store:
    """Open MLflow, which takes seconds to import and which folders do not need.

    Raises:
        TrackingError: if it cannot be used.
    """
    from training.comparing.store import Store

    # What MLflow downloads here are small files; its bars would stand between our lines.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return Store.open()


def check_alike(models: Iterable[Model]) -> None:
    """See that models answer the same question with the same labels.

    Raises:
        InputError: if tasks, labels or codebooks differ.
    """
    first, *others = models
    for other in others:
        for what, one, two in (
            ("task", first.manifest.task, other.manifest.task),
            ("labels", ", ".join(first.manifest.labels), ", ".join(other.manifest.labels)),
            ("codebook", _codebook(first), _codebook(other)),
        ):
            if one != two:
                raise InputError(
                    f"wanted two models of one task, codebook and labels; the {what} of {first.name} is "
                    f"{shown(one, limit=200)}, that of {other.name} is {shown(two, limit=200)}: "
                    "their scores cannot be compared"
                )


def _codebook(model: Model) -> str:
    book = model.manifest.codebook
    return f"{book.id} {book.version} (sha256 {book.sha256[:12]})"
