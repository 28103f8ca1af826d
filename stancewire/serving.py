"""The MLflow loader module: `loader_module="stancewire.serving"`, data = an artefact folder.

MLflow calls `_load_pyfunc` with the artefact's path; nothing is unpickled and no code travels with the model.
Answers are long-form: one row per input row and label. pandas and mlflow are imported when a model is served,
never by `import stancewire`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancewire.errors import StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import Predictor, StancePrediction, TopicsPrediction, load

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
                raise StancewireError(f"this model takes no params, got {sorted(params)}: leave params out")
            rows = list(_rows(model_input, self._columns))
            predictions = self._predict(rows)
        except StancewireError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from None
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
    """Load an artefact for MLflow."""
    return ServedModel(load(Path(data_path)))


def _rows(frame: pd.DataFrame, columns: dict[str, bool]) -> Iterator[dict[str, str | None]]:
    """Yield each row as plain text values; a missing value is None and refused where text is required."""
    records = frame.reindex(columns=list(columns)).to_dict("records")
    for number, record in enumerate(records):
        row = {name: value if isinstance(value, str) else None for name, value in record.items()}
        for name, required in columns.items():
            if required and not (row[name] or "").strip():
                raise StancewireError(f"row {number}: '{name}' must be a non-empty text")
        yield {str(name): value for name, value in row.items()}


def _lines(id_: str, prediction: TopicsPrediction | StancePrediction) -> Iterator[tuple[object, ...]]:
    source = prediction.provenance
    for score in prediction.scores:
        yield (
            id_,
            score.label,
            float(score.probability),
            bool(score.decision),
            float(score.threshold),
            f"{source.model}@{source.digest[:12]}",
            f"{source.codebook_id}@{source.codebook_version}",
        )
