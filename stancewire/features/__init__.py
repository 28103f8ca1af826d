"""From an example to the terms that the linear family counts.

Training hands these functions to scikit-learn, and the runtime calls the same ones: they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stancewire.calibration import Task
from stancewire.features.base import Features, Form, Runs, Terms
from stancewire.features.stance import STANCE
from stancewire.features.topics import TOPICS

__all__ = ["FEATURES", "FEATURES_VERSION", "Features", "Form", "Runs", "Terms"]

# An artefact stores the version, and a package of another one refuses it: raise it when any term changes.
FEATURES_VERSION = 1
FEATURES: Mapping[Task, Features] = MappingProxyType({"topics": TOPICS, "stance": STANCE})
