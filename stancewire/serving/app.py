"""What each process of `stancewire serve` runs: MLflow's scoring server for one model, behind our front."""

from __future__ import annotations

import os

from stancewire.errors import StancewireError
from stancewire.parent import end_with_parent
from stancewire.serving.front import Front
from stancewire.serving.options import Limits

MODEL = "STANCEWIRE_SERVE_MODEL"


def create() -> Front:
    """Load the model that the environment names, and return its application; uvicorn calls it.

    Raises:
        StancewireError: if the model cannot be loaded.
    """
    end_with_parent()
    from mlflow.pyfunc import load_model, scoring_server

    from stancewire.serving.model import ServedModel

    model = load_model(os.environ[MODEL])
    served = model.get_raw_model()  # type: ignore[no-untyped-call]
    if not isinstance(served, ServedModel):
        raise StancewireError("expected a model that stancewire logged; name another")
    return Front(scoring_server.init(model), served.sources, Limits.of_environment())
