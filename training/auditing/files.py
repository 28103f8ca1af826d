"""The audit as two files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.auditing.page import page
from training.labelling.files import OutputError

PAGE, DATA = "audit.html", "audit.json"


def files(audit: Mapping[str, Any]) -> dict[str, str]:
    """Return the page and its data by file name; equal audits are equal texts."""
    data = json.dumps(audit, ensure_ascii=False, allow_nan=False, indent=1)
    return {PAGE: page(audit), DATA: f"{data}\n"}


def check_folder(folder: Path) -> None:
    """Refuse a place where something else than an audit stands.

    Raises:
        OutputError: naming what stands there.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"{folder}: wanted a folder for the audit, found something else; name another")
    if folder.exists() and (others := sorted({file.name for file in folder.iterdir()} - {PAGE, DATA})):
        raise OutputError(
            f"{folder}: wanted a new folder, or one with an audit alone, found {others[0]!r}; name another"
        )
