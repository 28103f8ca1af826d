"""What can go wrong while a family learns."""

from __future__ import annotations

from stancewire.errors import StancewireError


class FitError(StancewireError):
    """The training rows cannot teach what was asked: too few, one class only, or a label without rows."""


class UnknownFamilyError(StancewireError):
    """No family of that name is registered."""
