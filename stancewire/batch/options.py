"""What a batch job is asked to do, checked before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from stancewire.batch.rows import SHARD_ROWS
from stancewire.batch.staging import FORMATS, Format
from stancewire.errors import StancewireError
from stancewire.readers import FIELDS
from stancewire.runtime.options import RUNTIME_VARIABLE, RuntimeOptions, runtime_options
from stancewire.section import listed, shown
from stancewire.strictjson import JsonValue

EngineName: TypeAlias = Literal["local", "spark"]
ENGINES: tuple[EngineName, ...] = ("local", "spark")
MAX_WORKERS = 1024
MAX_SHARD_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a job is asked to do.

    Attributes:
        topics: an artefact's folder, or an MLflow URI.
        stance: likewise; without one only topics are predicted.
        targets: phrases to ask about, in place of each article's decided topics.
        engine: where shards are worked on.
        master: of Spark.
        workers: processes of the local engine.
        threads: of each process; None shares the cores among them.
        runtime: what runs an encoder, as in `stancewire.load`.
        variant: the numbers that an encoder computes with, as in `stancewire.load`.
        format: of the output.
        shard_rows: most rows of the input in one shard.
        max_rejects: the job stops when more rows are rejected; None never stops.
        dedupe: whether copies of an article are read at all.
        row_seconds: a row that takes longer is rejected; None waits for ever.
        delimiter: what parts the cells of CSV.
        columns: the input's column by field of an article, where the two names differ.
    """

    topics: str
    stance: str | None = None
    targets: Sequence[str] | None = None
    engine: EngineName = "local"
    master: str | None = None
    workers: int = 1
    threads: int | None = None
    runtime: str | None = None
    variant: str | None = None
    format: Format = "parquet"
    shard_rows: int = SHARD_ROWS
    max_rejects: int | None = None
    dedupe: bool = False
    row_seconds: float | None = None
    delimiter: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be done.

        Raises:
            StancewireError: for a value that is none of those that are allowed.
        """
        _check_choice("engine", self.engine, ENGINES)
        _check_choice("format", self.format, FORMATS)
        _check_whole("workers", self.workers, 1, MAX_WORKERS)
        _check_whole("shard_rows", self.shard_rows, 1, MAX_SHARD_ROWS)
        if self.threads is not None:
            _check_whole("threads", self.threads, 1, MAX_WORKERS)
        self.of_runtime()
        if self.max_rejects is not None:
            _check_whole("max_rejects", self.max_rejects, 0, 2**63 - 1)
        if self.row_seconds is not None and not self.row_seconds > 0:
            raise StancewireError(f"row_seconds: expected more than 0, found {self.row_seconds}")
        if self.master is not None and self.engine != "spark":
            raise StancewireError("master: only the spark engine has one; add --engine spark")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise StancewireError(f"delimiter: expected one character, found {shown(self.delimiter)}")
        if unknown := sorted(set(self.columns) - set(FIELDS)):
            raise StancewireError(f"columns: unknown field {listed(unknown)}; known are {', '.join(FIELDS)}")
        if self.targets is not None:
            if self.stance is None:
                raise StancewireError("targets: need a model for stance; name one, or leave targets out")
            from stancewire.reading import checked_targets

            checked_targets(self.targets)

    def of_runtime(self) -> RuntimeOptions:
        """Return what models are run with.

        Raises:
            StancewireError: for a value that is none of the known ones.
        """
        return runtime_options(self.runtime, threads=self.threads, variant=self.variant)

    def of_results(self) -> dict[str, JsonValue]:
        """Return the options that the results depend on."""
        return {
            "targets": None if self.targets is None else list(self.targets),
            "runtime": self.runtime or os.environ.get(RUNTIME_VARIABLE),
            "variant": self.variant,
            "format": self.format,
            "shard_rows": self.shard_rows,
            "dedupe": self.dedupe,
            "row_seconds": self.row_seconds,
            "delimiter": self.delimiter,
            "columns": dict(self.columns),
        }


def _check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise StancewireError(f"{name}: expected {' or '.join(allowed)}, found {shown(value)}")


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise StancewireError(f"{name}: expected an integer from {low:,} to {high:,}, found {shown(value)}")
