"""docs/batch.md tells of every column and option that there is, and of no other."""

from __future__ import annotations

import re

import typer.main

from stancewire.batch.columns import TABLES, schemas
from stancewire.cli import app
from tests.batch_cases import ROOT

TEXT = (ROOT / "docs" / "batch.md").read_text("utf-8")


def described(kind: object) -> str:
    name = str(kind)
    if not name.startswith("list"):
        return name
    return f"list of {'struct' if 'struct' in name else 'string'}"


def test_every_column_is_told() -> None:
    for name in TABLES:
        part = TEXT.split(f"\n**{name}**")[1].split("\n\n")[1]
        told = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", part, re.M)
        assert told == [(field.name, described(field.type)) for field in schemas()[name]]


def test_every_option_is_told() -> None:
    (command,) = (c for name, c in typer.main.get_command(app).commands.items() if name == "batch")  # type: ignore[attr-defined]
    real = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    options = TEXT.split("## Options")[1].split("\n## ")[0]
    assert set(re.findall(r"`(--[\w-]+)", options)) - {"--help"} == real
