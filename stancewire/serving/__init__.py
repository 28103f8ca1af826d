"""The MLflow loader module: `loader_module="stancewire.serving"`, data = an artefact's or a reader's folder.

MLflow calls `_load_pyfunc` with that folder's path; nothing is unpickled and no code travels with the model.
Answers are long-form. pandas and mlflow are imported when a model is served, never by `import stancewire`.
"""

from __future__ import annotations

from pathlib import Path

from stancewire.serving.guard import guard_server
from stancewire.serving.model import ServedModel, served_from
from stancewire.serving.schema import OUTPUT_COLUMNS, signature

__all__ = ["OUTPUT_COLUMNS", "ServedModel", "signature"]


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load an artefact or a reader; in the process of MLflow's server, check requests from now on."""
    guard_server()
    return served_from(Path(data_path))
