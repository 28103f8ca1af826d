"""Writing a report: whole, in its own folder, never over something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report_cases import random_answers, report_of
from training.report import files as module
from training.report.files import ReportError, files, write


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report_of(random_answers(tmp_path_factory.mktemp("files"), "topics", 20))


def test_page_and_data_are_written_and_replaced(report: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "mine"
    write(report | {"model": report["model"] | {"name": "older"}}, folder)
    write(report, folder)
    told = files(report)
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} == told
    assert json.loads(told["report.json"]) == report
    assert [file.name for file in folder.parent.iterdir()] == ["mine"]


def test_nothing_else_is_replaced(report: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match=r"found 'notes\.txt' in it; name another"):
        write(report, folder)
    assert [file.name for file in folder.iterdir()] == ["notes.txt"]
    file = tmp_path / "file"
    file.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(folder)
    for place in (file, link):
        with pytest.raises(ReportError, match="wanted a folder"):
            write(report, place)
    assert file.read_text() == "mine"


def test_a_failed_write_leaves_the_old_report(
    report: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    write(report, folder)
    before = (folder / "report.json").read_bytes()

    def full(path: Path, chunks: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_file", full)
    with pytest.raises(ReportError, match="No space left"):
        write(report | {"findings": []}, folder)
    assert (folder / "report.json").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
