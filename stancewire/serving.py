"""The MLflow loader module: `loader_module="stancewire.serving"`, data = an artefact folder.

MLflow calls `_load_pyfunc` with the artefact's path; nothing is unpickled and no code travels with the model.
Answers are long-form: one row per input row and label. pandas and mlflow are imported when a model is served,
never by `import stancewire`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import Predictor, StancePrediction, TopicsPrediction, load
from stancewire.scoring import guard_server
from stancewire.section import listed

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

TOPICS_COLUMNS = {"text": True, "title": False, "id": False}
STANCE_COLUMNS = {"sentence": True, "target": True, "holder": False, "context": False, "id": False}
OUTPUT_COLUMNS = {
    "id": "string",
    "label": "string",
    "probability": "double",
    "decision": "boolean",
    "threshold": "double",
    "review": "boolean",
    "model": "string",
    "codebook": "string",
}


def signature(task: str) -> ModelSignature:
    """Return the explicit MLflow signature of a task; columns that may be missing are optional."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    columns = TOPICS_COLUMNS if task == "topics" else STANCE_COLUMNS
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec("string", name, required=required) for name, required in columns.items()
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec(kind, name) for name, kind in OUTPUT_COLUMNS.items()]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


class ServedModel:
    """What MLflow calls: a DataFrame in the signature's columns in, long-form rows out. Thread-safe."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row.

        Args:
            model_input: one row per text (topics) or question (stance).
            params: must be empty; this model takes none.

        Raises:
            MlflowException: with code BAD_REQUEST, for a row that cannot be predicted; it names the row.
        """
        import pandas as pd
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import BAD_REQUEST

        try:
            if params:
                raise InputError(f"the model takes no params, found {listed(params)}; leave them out")
            rows = list(_rows(model_input, self._columns))
            predictions = self._predict(rows)
        except StancewireError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from error
        ids = [row["id"] if row["id"] is not None else str(n) for n, row in enumerate(rows)]
        return pd.DataFrame(
            [line for id_, p in zip(ids, predictions, strict=True) for line in _lines(id_, p)],
            columns=list(OUTPUT_COLUMNS),
        )

    @property
    def _columns(self) -> dict[str, bool]:
        return TOPICS_COLUMNS if self.predictor.task == "topics" else STANCE_COLUMNS

    def _predict(self, rows: list[dict[str, str | None]]) -> Sequence[TopicsPrediction | StancePrediction]:
        if self.predictor.task == "topics":
            return self.predictor.predict(
                [Article(text=row["text"] or "", title=row["title"] or "") for row in rows]
            )
        return self.predictor.predict(
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


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load an artefact for MLflow; in the process of its scoring server, check requests from now on."""
    guard_server()
    return ServedModel(load(Path(data_path)))


def _rows(frame: pd.DataFrame, columns: Mapping[str, bool]) -> Iterator[dict[str, str | None]]:
    """Yield each row as texts; a missing value is None, and refused where a text is required.

    What is no text is refused, not converted: 7 is not "7", and an id of 7 may have been 007.
    """
    known = [column for column in columns if column in frame.columns]
    if absent := [column for column, required in columns.items() if required and column not in known]:
        raise InputError(f"expected a column {listed(absent)}; the columns are {_described(columns)}")
    for number, values in enumerate(frame[known].itertuples(index=False, name=None)):
        row = dict.fromkeys(columns) | dict(zip(known, map(_text_or_none, values), strict=True))
        for name, value in row.items():
            if value is None and columns[name]:
                raise InputError(f"row {number}: '{name}' is missing; the columns are {_described(columns)}")
            if value is not None and not isinstance(value, str):
                hint = "; quote it" if isinstance(value, int | float) else ""
                raise InputError(
                    f"row {number}: expected '{name}' to be a text, found {type(value).__name__}{hint}"
                )
        yield row


def _text_or_none(value: object) -> Any:  # noqa: ANN401 - what is no text is refused by the caller
    """Return a plain text, None for pandas' ways to say that nothing is there, or else the value."""
    import pandas as pd

    if isinstance(value, str):
        return str(value)
    missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return None if missing else value


def _described(columns: Mapping[str, bool]) -> str:
    return ", ".join(name if required else f"{name} (optional)" for name, required in columns.items())


def _lines(id_: str, prediction: TopicsPrediction | StancePrediction) -> Iterator[tuple[object, ...]]:
    source = prediction.provenance
    for score in prediction.scores:
        yield (
            id_,
            score.label,
            float(score.probability),
            bool(score.decision),
            float(score.threshold),
            bool(score.review),
            f"{source.model}@{source.digest[:12]}",
            f"{source.codebook_id}@{source.codebook_version}",
        )
