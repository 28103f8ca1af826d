"""The MLflow loader module: `loader_module="stancewire.serving"`, data = an artefact's or a reader's folder.

MLflow calls `_load_pyfunc` with that folder's path; nothing is unpickled and no code travels with the model.
Answers are long-form. pandas and mlflow are imported when a model is served, never by `import stancewire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stancewire.serving.guard import guard_server
from stancewire.serving.model import ServedModel, served_from
from stancewire.serving.options import loading_options
from stancewire.serving.schema import OUTPUT_COLUMNS, signature

__all__ = ["OUTPUT_COLUMNS", "ServedModel", "signature"]


def _load_pyfunc(data_path: str, model_config: Mapping[str, object] | None = None) -> ServedModel:
    """Load a model for MLflow; in the process of its scoring server, check requests from now on.

    Args:
        data_path: the folder of an artefact or a reader.
        model_config: MLflow's own: `threads`, how many each call of the model may use.
    """
    guard_server()
    return served_from(Path(data_path), **loading_options(model_config))
