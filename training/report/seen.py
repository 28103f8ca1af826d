"""What a model has seen, as short digests in its manifest: nobody is judged on what taught or tuned it.

Two texts of the same words have the same digest; a text that was retouched has another one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.errors import ArtefactError
from stancewire.examples import Article, StanceExample
from stancewire.manifest import Manifest
from stancewire.wording import fold
from training.data.targets import normal_target

Digests = NDArray[np.uint64]

SECTION = "train_digests"
PARTS = ("train", "dev")
MAX_KEPT = 20_000
_BYTES = 8


@dataclass(frozen=True)
class Known:
    """Sorted digests of distinct texts: all of them, or the smallest, a sample that knows its own bounds.

    Attributes:
        digests: uint64, ascending.
        distinct: how many texts there were.
    """

    digests: Digests
    distinct: int

    @property
    def whole(self) -> bool:
        """Whether every text is here."""
        return len(self.digests) == self.distinct

    def holds(self, digests: Digests) -> NDArray[np.bool_]:
        """Tell which texts are here; of a sample, some that are not here were seen all the same."""
        return np.isin(digests, self.digests)


@dataclass(frozen=True)
class Seen:
    """What a model has seen.

    Attributes:
        train: texts it learned from.
        dev: texts that calibrated it and set its thresholds.
        targets: of stance, those it learned from; of topics, none.
    """

    train: Known
    dev: Known
    targets: Known

    @property
    def whole(self) -> bool:
        """Whether every text of train and dev is known."""
        return self.train.whole and self.dev.whole

    @classmethod
    def of(cls, manifest: Manifest) -> Seen | None:
        """Return what a manifest says, or None where it says nothing.

        Raises:
            ArtefactError: if the section is not as `seen_section` writes it.
        """
        section: Any = manifest.provenance.get(SECTION)
        if section is None:
            return None
        try:
            return cls(*(_unpack(section[name]) for name in (*PARTS, "targets")))
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise ArtefactError(
                f"{manifest.name}: expected provenance.{SECTION} to hold digests of train, dev and targets, "
                "found something else; train again"
            ) from None


def seen_section(train: LabelledSet, dev: LabelledSet) -> dict[str, Any]:
    """Return the section of the manifest: digests of every part, each at most 20,000."""
    targets = [normal_target(one.target) for one in train.examples if isinstance(one, StanceExample)]
    return {
        "train": _pack(text_digests(train)),
        "dev": _pack(text_digests(dev)),
        "targets": _pack(digests_of(targets)),
    }


def text_digests(rows: LabelledSet) -> Digests:
    """Return the digest of each row's text: an article's, or a stance's sentence, by their words."""
    examples: Sequence[Article | StanceExample] = rows.examples
    return digests_of([fold(one.text if isinstance(one, Article) else one.sentence) for one in examples])


def digests_of(texts: Sequence[str]) -> Digests:
    """Return 8 bytes of digest for each text."""
    found = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=_BYTES).digest() for text in texts]
    return np.frombuffer(b"".join(found), dtype=">u8").astype(np.uint64)


def _pack(digests: Digests) -> dict[str, Any]:
    distinct = np.unique(digests)
    kept = distinct[:MAX_KEPT].astype(">u8").tobytes()
    return {"distinct": len(distinct), "digests": base64.b64encode(kept).decode("ascii")}


def _unpack(section: Mapping[str, Any]) -> Known:
    digests = np.frombuffer(base64.b64decode(section["digests"], validate=True), dtype=">u8")
    distinct = section["distinct"]
    if isinstance(distinct, bool) or not isinstance(distinct, int) or not len(digests) <= distinct:
        raise ValueError("fewer texts than digests")
    return Known(digests.astype(np.uint64), distinct)
