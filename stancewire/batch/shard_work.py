"""Work on a shard: the models loaded, its rows read, its files staged. A parent of workers does without."""

from __future__ import annotations

from pathlib import Path

from stancewire.batch.process import Watch, process
from stancewire.batch.rows import Shard
from stancewire.batch.staging import Staged, stage
from stancewire.batch.work import Work
from stancewire.errors import StancewireError
from stancewire.predictor import Predictor, load
from stancewire.reading import Reader


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
