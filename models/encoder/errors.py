"""What can go wrong before an encoder learns."""

from __future__ import annotations

from models.errors import FitError


class BackboneError(FitError):
    """The model to fine-tune cannot be found, is not what it must be, or does not fit the task."""
