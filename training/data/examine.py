"""Read a whole corpus: its rows, and everything that is wrong with them, alone and together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stancewire.errors import InputError
from stancewire.readers import Reject
from stancewire.section import listed
from training.data.faults import Fault, counted
from training.data.records import RowReader
from training.data.rows import LabelledArticle, SeenId
from training.data.schema import Schema
from training.data.sources import Source
from training.data.together import faults_of_ids, faults_together, gather


@dataclass(frozen=True)
class Examined:
    """A corpus as found.

    Attributes:
        source: its name.
        digest: sha256 of its bytes.
        articles: every one that could be read, in order.
        faults: errors and warnings, in the order of files and lines.
        n_records: rows read or rejected.
    """

    source: str
    digest: str
    articles: tuple[LabelledArticle, ...]
    faults: tuple[Fault, ...]
    n_records: int

    @property
    def errors(self) -> tuple[Fault, ...]:
        """The faults for which training refuses the corpus."""
        return tuple(fault for fault in self.faults if fault.severity == "error")

    @property
    def warnings(self) -> dict[str, int]:
        """How often each warning occurs."""
        return counted(fault.code for fault in self.faults if fault.severity == "warning")


def examine(source: Source, schema: Schema) -> Examined:
    """Read every row of every part, and check them one by one and against each other.

    Raises:
        InputError: if a file cannot be read at all, or lacks a column that the schema maps.
    """
    rows: list[LabelledArticle] = []
    faults: list[Fault] = []
    ids: list[SeenId] = []
    columns: set[str] = set()
    n_records = 0
    for part in source.parts:
        reader = RowReader(schema, part.where, cells=part.cells)
        for item in part.rows:
            n_records += 1
            if isinstance(item, Reject):
                reader.reject(item)
            elif (row := reader.read(*item)) is not None:
                rows.append(replace(row, split=part.split or row.split))
        faults += [*reader.faults, *reader.misnamed()]
        ids += reader.ids
        columns |= reader.columns.keys()
    _check_columns(source.name, schema, columns)
    articles, joined = gather(rows)
    faults += joined
    faults += [*faults_of_ids(ids), *faults_together(articles)]
    order = {part.where: number for number, part in enumerate(source.parts)}
    faults.sort(key=lambda fault: (order[fault.file], fault.line))
    return Examined(source.name, source.digest, tuple(articles), tuple(faults), n_records)


def _check_columns(source: str, schema: Schema, columns: set[str]) -> None:
    missing = [f"{theirs!r} (for {ours})" for ours, theirs in schema.columns.items() if theirs not in columns]
    if columns and missing:
        have = listed(sorted(columns), limit=20)
        raise InputError(f"{source}: wanted the column {', '.join(missing)}; found {have}")
