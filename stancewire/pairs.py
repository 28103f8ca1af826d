"""Which models may read together."""

from __future__ import annotations

from stancewire.errors import CodebookError, StancewireError
from stancewire.manifest import Manifest
from stancewire.rollup import AGAINST, FAVOR, NEUTRAL, UNRELATED


def check_pair(topics: Manifest, stance: Manifest | None = None) -> None:
    """Refuse swapped models, and models that were not trained on one codebook.

    Raises:
        StancewireError: for a model of the other task.
        CodebookError: for models of two codebooks, or stances that a reading cannot be made of.
    """
    for wanted, manifest in (("topics", topics), ("stance", stance)):
        if manifest is not None and manifest.task != wanted:
            raise StancewireError(
                f"expected a {wanted} model, found {manifest.name}, a {manifest.task} model; "
                "write Reader(topics, stance)"
            )
    if stance is None:
        return
    one, other = topics.codebook, stance.codebook
    if (one.id, one.version, one.sha256) != (other.id, other.version, other.sha256):
        raise CodebookError(
            f"expected models of one codebook, found {topics.name} by {one.id} {one.version} "
            f"({one.sha256[:12]}) and {stance.name} by {other.id} {other.version} "
            f"({other.sha256[:12]}); train both on the same codebook"
        )
    if missing := {AGAINST, FAVOR, NEUTRAL, UNRELATED} - set(stance.labels):
        raise CodebookError(
            f"{stance.name}: a reading needs the labels against, favor, neutral and unrelated; "
            f"missing {', '.join(sorted(missing))}"
        )
