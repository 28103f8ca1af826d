"""What can be wrong with a backbone is told before anything is learned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest

import models.encoder.backbone as backbones
from models.encoder.backbone import NAMED, Packaged, find_backbone
from models.encoder.errors import BackboneError
from stancewire.encoding import TOKENIZER
from stancewire.errors import MissingExtraError
from tests.encoders import roberta_tokenizer
from tests.unit.models.backbones import POSITIONS, shared_backbone, word_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the tiny backbone that a test may damage."""
    return Path(shutil.copytree(shared_backbone(), tmp_path / "backbone"))


def change(file: Path, **fields: Any) -> None:  # noqa: ANN401
    content = json.loads(file.read_bytes()) | fields
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_a_folder_is_a_backbone(folder: Path) -> None:
    found = find_backbone(str(folder), 64)
    vocabulary = json.loads(word_tokenizer())["model"]["vocab"]
    assert (found.folder, found.pad, found.positions) == (folder, vocabulary["[PAD]"], POSITIONS)
    assert found.mask == vocabulary["[MASK]"]
    assert found.special == {vocabulary[name] for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    assert found.tokenizer == word_tokenizer()
    assert len(found.sha256) == 64


def test_an_unknown_backbone_is_answered_with_the_names_and_how_to_give_a_path() -> None:
    with pytest.raises(BackboneError, match=r"unknown backbone 'minilmm'; wanted 'minilm', a folder that"):
        find_backbone("minilmm", 64)
    with pytest.raises(BackboneError, match=r"such as \./my-model, or owner/name on the hub"):
        find_backbone("./nothing/here", 64)


def test_a_named_backbone_must_be_what_was_judged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder.parent / "tiny_package"
    shutil.copytree(folder, package / "model")
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(folder.parent))
    named = Packaged("tiny_package", "tiny-package", "model", {TOKENIZER: "0" * 64})
    monkeypatch.setattr(backbones, "NAMED", {"tiny": named})
    with pytest.raises(
        BackboneError, match=r"digest mismatch: expected sha256 0{12}, .*--force-reinstall tiny-pa"
    ):
        find_backbone("tiny", 64)
    digest = backbones._digest(package / "model" / TOKENIZER, "tiny")
    monkeypatch.setattr(backbones, "NAMED", {"tiny": Packaged(*named_fields(named), {TOKENIZER: digest})})
    assert find_backbone("tiny", 64).folder == package / "model"
    monkeypatch.setattr(backbones, "NAMED", {"gone": Packaged("no_such_package", "x", "model", {})})
    with pytest.raises(MissingExtraError, match=r"stancewire\[encoder\]"):
        find_backbone("gone", 64)


def named_fields(named: Packaged) -> tuple[str, str, str]:
    return named.module, named.package, named.folder


def test_weights_of_the_named_backbone_are_pinned() -> None:
    assert list(NAMED) == ["minilm"]
    assert set(NAMED["minilm"].sha256) == {"model.safetensors", "tokenizer.json"}
    assert all(len(digest) == 64 for digest in NAMED["minilm"].sha256.values())


def test_the_hub_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def none(self: object, name: str, **settings: object) -> None:
        asked.append(name)
        raise ConnectionError("no route to host")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", none)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(
        BackboneError, match=r"someone/model cannot be fetched.*no route.*give the folder's path"
    ):
        find_backbone("someone/model", 64)
    assert asked == ["someone/model"]
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE is set"):
        find_backbone("someone/model", 64)
    assert len(asked) == 1


def test_a_sequence_over_the_positions_is_refused(folder: Path) -> None:
    with pytest.raises(
        BackboneError, match=rf"model.tokens: wanted at most {POSITIONS}, .*, got {POSITIONS + 1};"
    ):
        find_backbone(str(folder), POSITIONS + 1)
    assert find_backbone(str(folder), POSITIONS).positions == POSITIONS


def test_positions_of_roberta_begin_behind_its_pad_token(folder: Path) -> None:
    change(folder / "config.json", model_type="roberta", pad_token_id=1)
    (folder / TOKENIZER).write_bytes(roberta_tokenizer())
    names = {"pad_token": "<pad>", "unk_token": None, "cls_token": "<s>", "sep_token": "</s>"}
    change(folder / "tokenizer_config.json", **names | {"mask_token": "<mask>"})
    assert find_backbone(str(folder), 64).positions == POSITIONS - 2


def test_a_tokenizer_without_pad_token_is_refused(folder: Path) -> None:
    change(folder / "tokenizer_config.json", pad_token=None)
    with pytest.raises(BackboneError, match="has no pad token"):
        find_backbone(str(folder), 64)


def test_pickled_weights_are_never_opened(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BackboneError, match=r"wanted weights as model.safetensors, found.*pytorch_model.bin"):
        find_backbone(str(folder), 64)


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b'{"a": 1'])
def test_a_folder_without_a_model_is_told(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(BackboneError, match=r"config.json"):
        find_backbone(str(folder), 64)


def test_a_damaged_tokenizer_is_told(folder: Path) -> None:
    (folder / TOKENIZER).write_bytes(b'{"model": 3}')
    with pytest.raises(BackboneError, match="its tokenizer cannot be read"):
        find_backbone(str(folder), 64)


def test_another_digest_for_other_weights(folder: Path) -> None:
    before = find_backbone(str(folder), 64).sha256
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(bytes(data))
    assert find_backbone(str(folder), 64).sha256 != before
    assert np.unique([before, find_backbone(str(shared_backbone()), 64).sha256]).size == 1
