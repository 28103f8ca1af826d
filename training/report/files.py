"""The report as two files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stancewire.atomic import new_folder, write_file
from stancewire.errors import StancewireError
from training.report.page import page

PAGE, DATA = "report.html", "report.json"


class ReportError(StancewireError):
    """A report cannot be written where it was asked for."""


def files(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the page and its data by file name; equal reports are equal texts."""
    data = json.dumps(report, ensure_ascii=False, allow_nan=False, indent=1)
    return {PAGE: page(report), DATA: f"{data}\n"}


def write(report: Mapping[str, Any], folder: Path) -> None:
    """Write both files, whole or not at all; a report that stood there is replaced.

    Raises:
        ReportError: if something else stands there, or it cannot be written.
    """
    try:
        with new_folder(folder, check_folder) as building:
            for name, text in files(report).items():
                write_file(building / name, [text.encode("utf-8")])
    except OSError as error:
        raise ReportError(f"{folder}: the report cannot be written: {error.strerror or error}") from error


def check_folder(folder: Path) -> None:
    """Refuse a place where something else than a report stands.

    Raises:
        ReportError: naming what stands there.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ReportError(f"{folder}: wanted a folder for the report, found something else; name another")
    others = sorted({file.name for file in folder.iterdir()} - {PAGE, DATA}) if folder.exists() else []
    if others:
        raise ReportError(
            f"{folder}: wanted a new folder, or one with a report alone, found {others[0]!r} in it; "
            "name another"
        )
