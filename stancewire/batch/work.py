"""What is to be done with every shard: plain values, that any engine can send anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from stancewire.batch.process import Watch, process
from stancewire.batch.rows import Shard
from stancewire.batch.staging import Format, Staged, stage
from stancewire.errors import StancewireError
from stancewire.predictor import Predictor, load
from stancewire.reading import Reader


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


def load_reader(work: Work) -> Reader:
    """Load the models, once in every process.

    Raises:
        StancewireError: if one cannot be loaded, or is not what the job began with.
    """
    topics, stance = _load(work.topics, work), _load(work.stance, work)
    for predictor, digest in ((topics, work.topics_digest), (stance, work.stance_digest)):
        if predictor is not None and predictor.artefact.digest != digest:
            raise StancewireError(
                f"{predictor.artefact.path}: was replaced while the job ran; run again with one model"
            )
    return Reader(topics, stance)  # type: ignore[arg-type]  # it refuses a model of another task


def _load(folder: str | None, work: Work) -> Predictor | None:
    if folder is None:
        return None
    return load(folder, runtime=work.runtime, variant=work.variant, threads=work.threads)


def work_on(shard: Shard, reader: Reader, work: Work, watch: Watch | None = None) -> Staged:
    """Read the rows of a shard, and stage its files.

    Raises:
        OSError: if they cannot be written.
    """
    tables = process(shard.rows, reader, targets=work.targets, columns=work.columns, watch=watch)
    return stage(tables, shard, Path(work.folder), work.format)
