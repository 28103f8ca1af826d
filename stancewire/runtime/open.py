"""Which runtime reads an artefact."""

from __future__ import annotations

from stancewire.artefact import Artefact
from stancewire.errors import ArtefactError
from stancewire.runtime import Runtime


def open_runtime(artefact: Artefact) -> Runtime:
    """Return the runtime of the artefact's family.

    Raises:
        ArtefactError: if this package knows no such family, or its part of the artefact is not as it must be.
    """
    family = artefact.manifest.family
    if family == "linear":
        from stancewire.runtime.linear import LinearRuntime

        return LinearRuntime(artefact)
    raise ArtefactError(
        f"{artefact.path}: expected a model family that this stancewire runs (linear), found {family!r}; "
        "upgrade stancewire"
    )
