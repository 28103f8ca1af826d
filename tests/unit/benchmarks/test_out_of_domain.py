"""What models say of text that is about nothing of theirs: counted as it is, of the texts that are asked."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.out_of_domain import main, sentences_of, strung
from tests.small_models import small_artefact

TEXTS = [f"It rained for {number} days in Oslo." for number in range(13)]
BILLS = [
    {"text": "To name a post office.", "topics": []},
    {"text": "To block shells.", "topics": ["arms_trade"]},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The two public sets, of a few rows."""

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        path = tmp_path / "sets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    write("newsmtsc/dev.jsonl", [{"text": text} for text in TEXTS[:8]])
    write("newsmtsc/dev_multi_target.jsonl", [{"text": text} for text in (*TEXTS[4:], "The talks failed.")])
    write("congress114/dev.jsonl", BILLS)
    return tmp_path / "sets"


def test_sentences_are_asked_once_and_strung_together_once(folder: Path) -> None:
    sentences = sentences_of(folder)
    assert sentences == sorted({*TEXTS, "The talks failed."})
    texts = strung(sentences)
    assert len(texts) == 2
    used = [sentence for sentence in sentences if any(sentence in text for text in texts)]
    assert len(used) == 12 and sum(map(len, used)) + 2 * 5 == sum(map(len, texts))


def test_every_artefact_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = [str(small_artefact(tmp_path, task).path) for task in ("topics", "stance")]
    monkeypatch.setattr(sys, "argv", ["out_of_domain", str(folder), *models])
    main()
    told = capsys.readouterr().out
    assert f"{models[0]}:" in told and f"{models[1]}:" in told
    assert "sentences (14): " in told and "six strung together (2): " in told
    assert re.search(r"bills, \w+: \d have it, \d are tagged, \d of them rightly", told)
    assert "sentences toward diplomacy (13): " in told, "the one that holds a word of it is not asked"
    assert "sentences toward sanctions (14): " in told
    assert "bills toward arms trade (1): " in told, "nor a bill that has a topic"
    for line in told.splitlines():
        if " toward " in line:
            shares = [float(share) for share in re.findall(r"([\d.]+)%", line)]
            assert sum(shares) == pytest.approx(100, abs=0.3)
