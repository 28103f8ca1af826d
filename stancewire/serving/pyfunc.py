"""An artefact or a reader as an MLflow model: what `save_model` and `log_model` are told."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stancewire.artefact import Artefact, read_artefact
from stancewire.location import LOADER
from stancewire.serving.reader_folder import TASKS, is_reader_folder
from stancewire.serving.schema import Kind, signature

if TYPE_CHECKING:
    import pandas as pd

_ARTICLE = {
    "text": "The two ministers met to negotiate the delivery of artillery shells despite the embargo.",
    "title": "Envoys meet over a shipment of shells",
    "id": "1",
}
EXAMPLES: Mapping[Kind, Mapping[str, str]] = {
    "topics": _ARTICLE,
    "stance": {
        "sentence": "The ministry welcomed the embargo and condemned the sales that it bans.",
        "target": "the embargo",
        "holder": "The ministry",
        "context": "",
        "id": "1",
    },
    "reader": _ARTICLE,
}
# The smallest set that serves: of MLflow the part without tracking server and training libraries.
_SERVER = ("pandas>=2.2", "uvloop>=0.19", "httptools>=0.6")


def pyfunc_arguments(folder: Path) -> dict[str, Any]:
    """Return what `mlflow.pyfunc.save_model` and `log_model` need; no code and no pickle travels.

    Args:
        folder: an artefact's or a reader's.

    Raises:
        StancewireError: if it is damaged.
    """
    reader = is_reader_folder(folder)
    artefacts = [read_artefact(folder / task) for task in TASKS] if reader else [read_artefact(folder)]
    kind: Kind = "reader" if reader else artefacts[0].manifest.task
    return {
        "loader_module": LOADER,
        "data_path": str(folder),
        "signature": signature(kind),
        "input_example": input_example(kind),
        "pip_requirements": requirements(),
        "metadata": {_digest_name(one, reader): one.digest for one in artefacts},
    }


def input_example(kind: Kind) -> pd.DataFrame:
    """Return one row for a kind of model."""
    import pandas as pd

    return pd.DataFrame([EXAMPLES[kind]])


def requirements() -> list[str]:
    """Return the pip lines of an environment that serves a model: this package, and light ones."""
    import mlflow

    return [f"mlflow-skinny=={mlflow.__version__}", f"stancewire=={version('stancewire')}", *_SERVER]


def save_pyfunc(folder: Path, destination: Path) -> Path:
    """Write an MLflow model around an artefact's or a reader's folder, without an input example.

    Raises:
        StancewireError: if it is damaged.
    """
    import mlflow.pyfunc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses the example, which it would predict
        mlflow.pyfunc.save_model(destination, **pyfunc_arguments(folder) | {"input_example": None})
    return destination


def _digest_name(artefact: Artefact, reader: bool) -> str:
    return f"{artefact.manifest.task}_artefact_digest" if reader else "artefact_digest"
