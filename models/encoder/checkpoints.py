"""Where a fit stands, on disk: tensors and plain figures, never pickles, and never half-written."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from stancewire.atomic import replace_file

_LOG = logging.getLogger(__name__)
STATE, BEST = "state.safetensors", "best.safetensors"
_ABOUT = "stancewire"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a fit stands.

    Attributes:
        step: steps that were taken.
        epoch: epochs that were judged.
        best: score of the best of them; None before the first. Higher is better.
        best_epoch: which it was, from 1; 0 before the first.
    """

    step: int = 0
    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0


class Checkpoints:
    """The two files of a fit: where it stands, and its best weights.

    A disk that is full costs the newest checkpoint alone: the file before it still stands.

    Args:
        folder: of the files; None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def save(self, name: str, tensors: Mapping[str, Tensor], position: Position) -> bool:
        """Put a file in the place of the former one; False where the disk does not take it."""
        if self.folder is None:
            return True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
            replace_file(self.folder / name, [save(plain, {_ABOUT: json.dumps(asdict(position))})])
        except OSError as error:
            _LOG.warning(
                "%s cannot be written: %s; training goes on, and the checkpoint before it still stands",
                self.folder / name,
                error.strerror,
            )
            return False
        return True

    def load(self, name: str, device: torch.device) -> tuple[dict[str, Tensor], Position] | None:
        """Return a file's tensors and where the fit stood; None where there is none, or it is damaged."""
        if self.folder is None or not (self.folder / name).is_file():
            return None
        try:
            with safe_open(self.folder / name, framework="pt", device=str(device)) as file:
                position = Position(**json.loads(file.metadata()[_ABOUT]))
                return {key: file.get_tensor(key) for key in file.keys()}, position  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
            _LOG.warning("%s cannot be read: %s; training starts anew", self.folder / name, error)
            return None
