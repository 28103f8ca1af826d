"""What is to be done with every shard: plain values, that any engine can send anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from stancewire.batch.staging import Format


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Attributes:
        topics: folder of the artefact for topics.
        topics_digest: its digest.
        stance: folder of the artefact for stance, if stances are asked for.
        stance_digest: its digest.
        folder: where files are staged; on the file system of the output.
        targets: phrases to ask about, in place of each article's decided topics.
        columns: the input's column by field of an article, where the two names differ.
        format: of the output.
        runtime: what runs an encoder, as in `stancewire.load`.
        variant: the numbers that an encoder computes with, as in `stancewire.load`.
        threads: of one process; None leaves it to the model.
    """

    topics: str
    topics_digest: str
    folder: str
    stance: str | None = None
    stance_digest: str | None = None
    targets: tuple[str, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    format: Format = "parquet"
    runtime: str | None = None
    variant: str | None = None
    threads: int | None = None

    def to_json(self) -> str:
        """Return the work as text, to be sent to another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Work:
        """Return the work that `to_json` wrote."""
        values = json.loads(text)
        targets = values.pop("targets")
        return cls(**values, targets=None if targets is None else tuple(targets))
