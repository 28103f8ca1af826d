"""A batch job, top to bottom: hold the output folder, know the input, do the shards that are not done yet."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from stancewire.artefact import Artefact, read_artefact
from stancewire.batch.options import Options
from stancewire.batch.output import Done, Output, open_output
from stancewire.batch.rows import Shard, shards
from stancewire.batch.sources import Source, open_source
from stancewire.batch.staging import Staged
from stancewire.batch.work import Work
from stancewire.errors import InputError, MissingExtraError, StancewireError
from stancewire.location import located
from stancewire.pairs import check_pair
from stancewire.runtime.open import check_options
from stancewire.runtime.options import THREADS_VARIABLE
from stancewire.strictjson import JsonValue

if TYPE_CHECKING:
    from stancewire.batch.copies import Copies
    from stancewire.batch.engines import Engine

STDIN = "-"
REJECTED = 3
"""Exit code of a job that stopped, as more rows were rejected than it was told to put up with."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a job.

    Attributes:
        output: its folder.
        rows: of the input; rows = read + copies + rejected.
        read: articles that were predicted: with --dedupe, stories.
        copies: articles that were not, as copies of one that was.
        rejected: rows by reason.
        shards: that are in place.
        resumed: how many of the rows are in shards that were in place before.
        is_done: whether all of the input was worked on; not so where more was rejected than allowed.
    """

    output: Path
    rows: int
    read: int
    copies: int
    rejected: Mapping[str, int]
    shards: int
    resumed: int
    is_done: bool

    @property
    def n_rejected(self) -> int:
        """How many rows were rejected, for whatever reason."""
        return sum(self.rejected.values())

    @property
    def exit_code(self) -> int:
        """0, or 3 where more was rejected than allowed."""
        return 0 if self.is_done else REJECTED


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        summary: of what is in place.
        share: of the input, 0 to 1.
    """

    summary: Summary
    share: float


Report = Callable[[Progress], None]


def run_job(
    source: str | Path, output: str | Path, options: Options, report: Report | None = None
) -> Summary:
    """Read all of an input into an output folder, or what a former run of the same job left undone.

    Args:
        source: a file, a folder, or "-": JSONL on standard input.
        output: a folder to make, or that of the same job.
        options: what to do.
        report: told of every shard that is in place.

    Raises:
        StancewireError: if anything cannot be done; the shards that are done stay.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError.of("stancewire batch", "batch")
    try:
        path = Path(output)
        _check_apart(source, path)
        with ExitStack() as stack:
            held = stack.enter_context(open_output(path))
            job = _Job(held, options, report or _unheard)
            models = [stack.enter_context(located(name)) for name in (options.topics, options.stance) if name]
            return job.run(models, _opened(source, held, options))
    except OSError as error:
        from stancewire.batch.engines.messages import told

        raise StancewireError(told(error, str(output))) from error


class _Job:
    """One run of a job."""

    def __init__(self, output: Output, options: Options, report: Report) -> None:
        self._output = output
        self._options = options
        self._report = report
        self._done: dict[int, Done] = {}
        self._counts: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._resumed = 0
        self._shares: dict[int, float] = {}

    def run(self, models: list[Path], source: Source) -> Summary:
        artefacts = [read_artefact(folder) for folder in models]
        check_pair(*(artefact.manifest for artefact in artefacts))
        for artefact in artefacts:
            check_options(artefact, self._options.of_runtime(), here=self._options.engine == "local")
        fingerprint = _fingerprint(artefacts, source, self._options)
        for number, shard in self._output.begin(fingerprint, self._options.format).items():
            self._add(number, shard)
        self._resumed = self._counts["rows"]
        if not self._output.is_done and not self._is_over():
            self._work(source, self._engine(), self._work_of(artefacts))
        if self._output.is_done or not self._is_over():
            self._output.finish(self._done)
            return self._summary(is_done=True)
        return self._summary(is_done=False)

    def _work(self, source: Source, engine: Engine, work: Work) -> None:
        """Have the shards done that are not, until too much is rejected."""
        copies = None
        if self._options.dedupe:
            from stancewire.batch.copies import find_copies

            copies = find_copies(source.rows(), self._options.columns)
        with closing(_through(engine(self._pending(source, copies), work))) as finished:
            for staged in finished:
                self._add(staged.number, self._output.commit(staged))
                self._report(Progress(self._summary(is_done=False), self._shares.pop(staged.number, 1.0)))
                if self._is_over():
                    return

    def _pending(self, source: Source, copies: Copies | None) -> Iterator[Shard]:
        rows = source.rows() if copies is None else map(copies.marked, source.rows())
        for shard in shards(rows, self._options.shard_rows):
            if shard.number not in self._done:
                self._shares[shard.number] = source.share()
                yield shard

    def _engine(self) -> Engine:
        options = self._options
        workers, row_seconds = options.workers, options.row_seconds
        if options.engine == "spark":
            from stancewire.batch.engines.spark import run_spark

            return partial(run_spark, master=options.master, workers=workers, row_seconds=row_seconds)
        from stancewire.batch.engines.local import run_local

        return partial(run_local, workers=workers, row_seconds=row_seconds)

    def _work_of(self, artefacts: list[Artefact]) -> Work:
        options = self._options
        topics, stance = artefacts[0], artefacts[1] if len(artefacts) > 1 else None
        return Work(
            topics=str(topics.path),
            topics_digest=topics.digest,
            stance=str(stance.path) if stance else None,
            stance_digest=stance.digest if stance else None,
            folder=str(self._output.staging),
            targets=None if options.targets is None else tuple(options.targets),
            columns=dict(options.columns),
            format=options.format,
            runtime=options.runtime,
            variant=options.variant,
            threads=_threads(options),
        )

    def _add(self, number: int, shard: Done) -> None:
        self._done[number] = shard
        self._counts.update(rows=shard.rows, read=shard.read, copies=shard.copies)
        self._rejected.update(shard.rejected)

    def _is_over(self) -> bool:
        limit = self._options.max_rejects
        return limit is not None and self._rejected.total() > limit

    def _summary(self, *, is_done: bool) -> Summary:
        return Summary(
            output=self._output.path,
            rows=self._counts["rows"],
            read=self._counts["read"],
            copies=self._counts["copies"],
            rejected=dict(sorted(self._rejected.items())),
            shards=len(self._done),
            resumed=self._resumed,
            is_done=is_done,
        )


def _opened(source: str | Path, output: Output, options: Options) -> Source:
    """Open the input; what comes on standard input is kept in the output folder until the job ends."""
    path = Path(source)
    if str(source) == STDIN:
        path = output.staging / "input.jsonl"
        with path.open("xb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    return open_source(path, delimiter=options.delimiter, columns=options.columns)


def _check_apart(source: str | Path, output: Path) -> None:
    """Refuse an output inside the folder that is read, which would read itself."""
    inside, folder = output.resolve(), Path(source).resolve()
    if str(source) != STDIN and (inside == folder or folder in inside.parents):
        raise InputError(f"{output}: lies inside the input; choose a folder elsewhere")


def _fingerprint(artefacts: list[Artefact], source: Source, options: Options) -> dict[str, JsonValue]:
    """Return all that the results depend on."""
    import stancewire

    models: list[JsonValue] = [
        {"name": artefact.manifest.name, "digest": artefact.digest} for artefact in artefacts
    ]
    return {
        "stancewire": stancewire.__version__,
        "topics": models[0],
        "stance": models[1] if len(models) > 1 else None,
        "input": {"kind": source.kind, "sha256": source.sha256, "bytes": source.n_bytes},
        "options": options.of_results(),
    }


def _through(staged: Iterator[Staged]) -> Generator[Staged, None, None]:
    """Yield what an engine yields, as something that can be closed."""
    yield from staged


def _threads(options: Options) -> int | None:
    """Return the threads of each process: as the environment says, or all cores, shared among them."""
    if options.threads is None and THREADS_VARIABLE in os.environ:
        return None
    return options.threads or max(1, len(os.sched_getaffinity(0)) // options.workers)


def _unheard(progress: Progress) -> None:
    pass
