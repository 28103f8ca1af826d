"""Put new files in place whole; what stands there already, such as a person's labels, is never replaced."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from stancewire.atomic import new_folder, write_file
from stancewire.errors import InputError, StancewireError
from stancewire.strictjson import JsonValue, loads

_MAX_JSON_BYTES = 1_000_000_000


class OutputError(StancewireError):
    """An output cannot be written where it was asked for."""


def check_new(path: Path) -> None:
    """Refuse a place where something stands.

    Raises:
        OutputError: naming it.
    """
    if os.path.lexists(path):
        raise OutputError(f"{path}: wanted a new name, something stands there, maybe labels; name another")


def write_new(path: Path, data: bytes) -> None:
    """Write a new file, whole or not at all.

    Raises:
        OutputError: if something stands there, or it cannot be written.
    """
    building = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(building, [data])
        check_new(path)
        building.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        building.unlink(missing_ok=True)


def write_folder(folder: Path, files: Mapping[str, str], may_replace: Callable[[Path], None]) -> None:
    """Write a folder of texts, whole or not at all.

    Args:
        folder: its name to be.
        files: text by name.
        may_replace: raises if what stands there must stay, as `check_new` does for whatever it is.

    Raises:
        OutputError: if it cannot be written; and whatever `may_replace` raises.
    """
    try:
        with new_folder(folder, may_replace) as building:
            for name, text in files.items():
                write_file(building / name, [text.encode("utf-8", "replace")])
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error


def read_json(path: str) -> JsonValue:
    """Read a JSON file strictly.

    Raises:
        InputError: if it cannot be read, or is none.
    """
    try:
        return loads(Path(path).read_bytes(), max_bytes=_MAX_JSON_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: wanted a JSON file: {reason}") from None
