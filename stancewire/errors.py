"""Every error that stancewire raises on purpose: one base, one line for people, one exit code."""

from __future__ import annotations


class StancewireError(Exception):
    """Base of all errors a user can cause; its text says what was wanted, what came, and what to do next."""

    exit_code = 2


class ArtefactError(StancewireError):
    """An artefact folder is missing, damaged, unsafe or of a version that this package does not read."""


class InputError(StancewireError):
    """An input file, row or text cannot be read or predicted.

    Attributes:
        reason: a stable code, for counting rejects.
    """

    def __init__(self, message: str, *, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class CodebookError(StancewireError):
    """A codebook is malformed, or two parts that must share one codebook do not."""


class MissingExtraError(StancewireError):
    """An optional dependency is not installed; the text names the pip line that brings it."""

    @classmethod
    def of(cls, what: str, extra: str) -> MissingExtraError:
        """Say which extra of the package brings `what`."""
        return cls(f"{what} needs an optional dependency: pip install 'stancewire[{extra}]'")
