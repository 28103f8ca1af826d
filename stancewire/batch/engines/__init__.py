"""One file per way to work on shards: what each is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from stancewire.batch.rows import Shard
from stancewire.batch.staging import Staged
from stancewire.batch.work import Work


class Engine(Protocol):
    """Works on shards, wherever. A stopped iterator leaves nothing running."""

    def __call__(self, shards: Iterable[Shard], work: Work) -> Iterator[Staged]:
        """Yield each shard's staged files once, in any order; shards are taken as they are needed.

        Raises:
            StancewireError: if a model cannot be loaded, or a file cannot be written.
        """
        ...
