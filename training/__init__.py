"""Train, judge, track and promote stancewire classifiers from a checkout."""

import os
from pathlib import Path

import stancewire

_HERE = Path(__file__).resolve().parents[1]
_FOUND = Path(stancewire.__file__).resolve().parents[1]

if _FOUND != _HERE:
    raise ImportError(
        f"training in {_HERE} found a stancewire in {_FOUND}, which is not this checkout's: "
        "run from the checkout's folder, in an environment made by `pip install --editable '.[train]'`"
    )

# MLflow looks at this once, when it is first imported, and then reports to its makers or does not.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
