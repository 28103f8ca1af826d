"""What MLflow calls: a DataFrame in a model's columns in, long-form rows out."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import Provenance, StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader
from stancewire.serving.answers import Line, reading_lines, stance_lines, topics_lines
from stancewire.serving.evidence import Evidence, topic_evidence
from stancewire.serving.params import Options, options_of
from stancewire.serving.reader_folder import is_reader_folder, read_reader_folder
from stancewire.serving.rows import Row, checked_rows, rows_of
from stancewire.serving.schema import DEFAULTS, INPUT_COLUMNS, JSON, JSON_COLUMN, OUTPUT_COLUMNS, Kind
from stancewire.strictjson import JsonValue

if TYPE_CHECKING:
    import pandas as pd

# The lines of one input row in the long form, and what stands for it in the form "json".
Answer: TypeAlias = tuple[Sequence[Line], object]


class ServedModel(ABC):
    """What MLflow calls. Holds nothing that a call changes: safe to call from several threads.

    Args:
        labels: those that may have a threshold.
        sources: which models answer, by task.
    """

    kind: ClassVar[Kind]

    def __init__(self, labels: Collection[str], sources: Mapping[str, Provenance]) -> None:
        self.labels = labels
        self.sources = sources

    def get_raw_model(self) -> ServedModel:
        """Return this model; MLflow asks so for what stands behind its own."""
        return self

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row.

        Args:
            model_input: one row per text (topics, reader) or question (stance).
            params: see docs/serving.md; missing ones keep their defaults.

        Raises:
            MlflowException: with code BAD_REQUEST, for a row that cannot be predicted, which it names, and
                for params that are none of the model's.
        """
        import pandas as pd
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import BAD_REQUEST

        try:
            options = options_of(params, DEFAULTS[self.kind], self.labels)
            lines = self._lines(rows_of(model_input, INPUT_COLUMNS[self.kind]), options)
        except StancewireError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from error
        columns = [JSON_COLUMN] if options.form == JSON else list(OUTPUT_COLUMNS[self.kind])
        # Objects: pandas would turn a missing integer into a float, and a missing float into NaN, no JSON.
        return pd.DataFrame(
            {name: pd.Series([line[name] for line in lines], dtype=object) for name in columns},
            columns=columns,
        )

    def answer(
        self, cells: Iterable[Sequence[object]], names: Sequence[str], params: JsonValue
    ) -> list[Line]:
        """Predict as `predict` does, without tables: what a server answers with is its rows of columns.

        Args:
            cells: the values of each row.
            names: of their columns.
            params: as in `predict`.

        Raises:
            StancewireError: where `predict` raises an MlflowException.
        """
        options = options_of(params, DEFAULTS[self.kind], self.labels)
        return self._lines(checked_rows(cells, names, INPUT_COLUMNS[self.kind]), options)

    def _lines(self, rows: Iterable[Row], options: Options) -> list[Line]:
        numbered = [
            {**row, "id": str(number) if row["id"] is None else row["id"]} for number, row in enumerate(rows)
        ]
        answers = self._answers(numbered, options)
        if options.form == JSON:
            return [
                {JSON_COLUMN: json.dumps(whole, ensure_ascii=False, allow_nan=False)} for _, whole in answers
            ]
        return [line for some, _ in answers for line in some]

    @abstractmethod
    def _answers(self, rows: Sequence[Row], options: Options) -> Iterable[Answer]:
        """Yield one answer a row."""


class ServedTopics(ServedModel):
    """Topics of articles."""

    kind = "topics"

    def __init__(self, predictor: TopicsPredictor) -> None:
        super().__init__(predictor.labels, {"topics": predictor.provenance})
        self.predictor = predictor

    def _answers(self, rows: Sequence[Row], options: Options) -> Iterable[Answer]:
        predictor = self.predictor.with_thresholds(options.thresholds)
        articles = [_article(row) for row in rows]
        predictions = predictor.predict(articles)
        evidence: Sequence[Mapping[str, Evidence]] = [{}] * len(rows)
        if options.evidence:
            evidence = topic_evidence(predictor, articles, predictions)
        for row, prediction, found in zip(rows, predictions, evidence, strict=True):
            lines = topics_lines(row["id"], prediction, found)
            yield lines, lines


class ServedStance(ServedModel):
    """Stances of sentences toward targets."""

    kind = "stance"

    def __init__(self, predictor: StancePredictor) -> None:
        super().__init__(predictor.labels, {"stance": predictor.provenance})
        self.predictor = predictor

    def _answers(self, rows: Sequence[Row], options: Options) -> Iterable[Answer]:
        predictions = self.predictor.with_thresholds(options.thresholds).predict(
            [
                StanceExample(
                    sentence=row["sentence"] or "",
                    target=row["target"] or "",
                    holder=row["holder"],
                    context=row["context"] or "",
                )
                for row in rows
            ]
        )
        for row, prediction in zip(rows, predictions, strict=True):
            lines = stance_lines(row["id"], prediction)
            yield lines, lines


class ServedReader(ServedModel):
    """Whole readings: the topics of articles, and who stands how toward what in them."""

    kind = "reader"

    def __init__(self, topics: TopicsPredictor, stance: StancePredictor) -> None:
        super().__init__(
            (*topics.labels, *stance.labels), {"topics": topics.provenance, "stance": stance.provenance}
        )
        self.topics = topics
        self.stance = stance

    def _answers(self, rows: Sequence[Row], options: Options) -> Iterable[Answer]:
        topics = self.topics.with_thresholds(options.thresholds)
        stance = self.stance.with_thresholds(options.thresholds)
        readings = Reader(topics, stance).read_many(map(_article, rows), options.targets)
        for number, (row, reading) in enumerate(zip(rows, readings, strict=True)):
            if isinstance(reading, InputError):
                if reading.__cause__ is not None and not isinstance(reading.__cause__, InputError):
                    raise reading.__cause__  # the model is at fault, not the row
                raise InputError(f"row {number}: {reading}", reason=reading.reason)
            yield reading_lines(row["id"], reading, options), reading.to_dict()


def served_from(folder: Path) -> ServedModel:
    """Load what a folder holds: an artefact, or a reader of two.

    Raises:
        StancewireError: if it is neither, or damaged.
    """
    if is_reader_folder(folder):
        return ServedReader(*read_reader_folder(folder))
    predictor = load(folder)
    return ServedTopics(predictor) if isinstance(predictor, TopicsPredictor) else ServedStance(predictor)


def _article(row: Row) -> Article:
    return Article(text=row["text"] or "", title=row["title"] or "", id=row["id"] or "")
