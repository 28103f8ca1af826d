"""One row of a corpus: from a record to a labelled article, with everything that is wrong with it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence

from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.readers import Reject, article_from_record
from stancewire.section import shown
from training.data.faults import Fault, Severity
from training.data.labels import LabelReader
from training.data.rows import LabelledArticle, SeenId, StanceRecord, Topics
from training.data.schema import ARTICLE_FIELDS, FIELDS, SPLITS, STANCE_FIELDS, Schema

_COUNTRY = re.compile(r"[A-Z]{3}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class RowReader:
    """Reads the records of one file, and collects what is wrong.

    Args:
        schema: what the columns and labels mean.
        file: name of the file, for faults.
        cells: True where every value is a text (CSV): an empty cell is then null, and lists are one cell.
    """

    def __init__(self, schema: Schema, file: str, *, cells: bool) -> None:
        self.faults: list[Fault] = []
        self.ids: list[SeenId] = []
        self.columns: dict[str, int] = {}
        self._schema, self._file, self._cells = schema, file, cells
        self._labels = LabelReader(schema, self._fault, cells=cells)
        self._line = 0
        self._good = True

    def reject(self, reject: Reject) -> None:
        """Take up a row that could not be read."""
        self.faults.append(Fault(self._file, reject.line, reject.reason, reject.detail))

    def read(self, line: int, record: Mapping[str, object]) -> LabelledArticle | None:
        """Return the labelled article of a record; None where it is left out, or, with faults, wrong."""
        self._line, self._good = line, True
        self.columns = dict.fromkeys(record, line) | self.columns
        values = self._values(record)
        by_record = self._schema.column("sentence") in record
        if isinstance(name := values["id"], str) and name.strip():
            self.ids.append(SeenId(self._file, line, name, by_record))
        bare = by_record and values["text"] is None
        stances = self._own_stance(values) if by_record else self._labels.stances(values["stances"])
        if bare and not stances and self._good:
            return None  # a label that the schema leaves out
        topics = self._labels.topics(values["topics"], record)
        if bare and stances:
            values["text"] = stances[0].sentence
            self._check_unlabelled(topics)
        article = self._article(values, record)
        split = self._split(values["split"])
        if article is not None:
            self._check_sentences(article.text, stances)
        if article is None or not self._good:
            return None
        return LabelledArticle(
            file=self._file,
            line=line,
            article=article,
            topics=topics,
            stances=stances,
            split=split,
            by_record=by_record,
            bare=bare,
        )

    def misnamed(self) -> list[Fault]:
        """Return the columns that, but for case or blanks, are those of a field that no row has."""
        column = self._schema.column
        fields = [*ARTICLE_FIELDS, "topics", "stances", "split"]
        if column("topics") not in self.columns:
            fields += self._schema.topics
        if column("sentence") in self.columns or column("text") not in self.columns:
            fields += STANCE_FIELDS
        missing = {name.casefold(): name for name in map(column, fields) if name not in self.columns}
        return [
            Fault(
                self._file, line, "column_variant", f"no field is named {shown(name)}; did you mean {meant}?"
            )
            for name, line in self.columns.items()
            if (meant := missing.get(name.strip().casefold())) is not None
        ]

    def _fault(self, code: str, detail: str, severity: Severity = "error") -> None:
        self.faults.append(Fault(self._file, self._line, code, detail, severity))
        self._good &= severity != "error"

    def _values(self, record: Mapping[str, object]) -> dict[str, object]:
        """Return the record's values by our names; an empty cell is null."""
        values = {name: record.get(self._schema.column(name)) for name in FIELDS}
        if self._cells:
            values = {name: None if value == "" else value for name, value in values.items()}
            if isinstance(values["countries"], str):
                values["countries"] = self._labels.cell_list(values["countries"])
        if type(date := values["date"]) is datetime.date:  # a column of dates in Parquet
            values["date"] = date.isoformat()
        return values

    def _own_stance(self, values: Mapping[str, object]) -> tuple[StanceRecord, ...]:
        """Return the one stance of a row that holds one."""
        if values["stances"] is not None:
            self._fault("wrong_type", "expected 'stances' or a 'sentence' in a row, found both")
        item = {name: values[name] for name in STANCE_FIELDS}
        if values["text"] is None and item["context"] is None:
            item["context"] = ""
        record = self._labels.stance(item)
        return () if record is None else (record,)

    def _article(self, values: Mapping[str, object], record: Mapping[str, object]) -> Article | None:
        used = {self._schema.column(name) for name in (*FIELDS, *self._schema.topics)}
        extra = {name: value for name, value in record.items() if name not in used}
        try:
            # Columns that are not ours but bear our names cannot pass: the mapped ones win.
            article = article_from_record(extra | {name: values[name] for name in ARTICLE_FIELDS})
        except InputError as error:
            missing = values["text"] is None or not str(values["text"]).strip()
            self._fault("no_text" if missing else "wrong_type", str(error))
            return None
        self._check_metadata(article)
        return article

    def _check_metadata(self, article: Article) -> None:
        if not article.id.strip():
            self._fault("no_id", "expected a text in 'id'; every article needs a name of its own")
        if article.date is not None and not _is_date(article.date):
            self._fault("not_a_date", f"expected 'date' as YYYY-MM-DD, found {shown(article.date)}")
        for country in article.countries:
            if not _COUNTRY.fullmatch(country):
                wanted = "expected ISO 3166-1 alpha-3 codes in 'countries', such as KEN"
                self._fault("country_code", f"{wanted}; found {shown(country)}", "warning")

    def _check_unlabelled(self, topics: Topics) -> None:
        if any(held is not None for held in topics.values()):
            self._fault("no_text", "expected the article's 'text' in a row that has topics")

    def _check_sentences(self, text: str, stances: Sequence[StanceRecord]) -> None:
        for number, record in enumerate(stances, 1):
            if record.sentence not in text:
                self._fault("sentence_not_in_text", f"the sentence of stance {number} is not in the text")

    def _split(self, value: object) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and value in SPLITS:
            return SPLITS[value]
        self._fault(
            "unknown_split", f"expected 'split' to be one of {', '.join(SPLITS)}; found {shown(value)}"
        )
        return None


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and datetime.date.fromisoformat(text))
    except ValueError:
        return False
