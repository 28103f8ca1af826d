"""Stancewire: topics, stances and holders in international-security news.

Names are loaded on first use, so that `import stancewire` costs nothing and pulls in nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stancewire.errors import StancewireError
    from stancewire.examples import Article, StanceExample
    from stancewire.predictor import (
        StancePrediction,
        StancePredictor,
        TopicsPrediction,
        TopicsPredictor,
        load,
    )
    from stancewire.reading import Reader, Reading

    __version__: str

__all__ = [
    "Article",
    "Reader",
    "Reading",
    "StanceExample",
    "StancePrediction",
    "StancePredictor",
    "StancewireError",
    "TopicsPrediction",
    "TopicsPredictor",
    "__version__",
    "load",
]

_HOMES = {
    "Article": "examples",
    "Reader": "reading",
    "Reading": "reading",
    "StanceExample": "examples",
    "StancePrediction": "predictor",
    "StancePredictor": "predictor",
    "StancewireError": "errors",
    "TopicsPrediction": "predictor",
    "TopicsPredictor": "predictor",
    "load": "predictor",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("stancewire")
    elif name in _HOMES:
        value = getattr(import_module(f"stancewire.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'stancewire' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names too, loaded or not."""
    return sorted({*globals(), *__all__})
