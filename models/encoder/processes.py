"""The processes of one training run: one, or those that torchrun started, each with a share of every step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor

from stancewire.errors import StancewireError


class Processes:
    """This process among its like: NCCL between GPUs, Gloo between processors.

    Args:
        device: "auto", "cpu" or "cuda".

    Raises:
        StancewireError: if a GPU is asked for and there is none.
    """

    def __init__(self, device: Literal["auto", "cpu", "cuda"]) -> None:
        from accelerate import PartialState  # type: ignore[import-untyped]

        has_gpu = torch.cuda.is_available()
        if device == "cuda" and not has_gpu:
            raise StancewireError(
                "model.device: wanted a GPU that torch can use, found none; take auto or cpu"
            )
        state = PartialState(cpu=device == "cpu" or not has_gpu)
        self.device: torch.device = torch.device("cpu") if device == "cpu" else state.device
        self.rank: int = state.process_index
        self.size: int = state.num_processes

    @classmethod
    def alone(cls) -> Processes:
        """Return this process on its processor, whatever others there are."""
        one = cls.__new__(cls)
        one.device, one.rank, one.size = torch.device("cpu"), 0, 1
        return one

    @torch.no_grad()
    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors, in place, by their sums over all processes."""
        if self.size == 1:
            return
        parts = list(tensors)
        flat = torch.cat([part.reshape(-1) for part in parts])
        torch.distributed.all_reduce(flat)
        start = 0
        for part in parts:
            part.copy_(flat[start : start + part.numel()].view_as(part))
            start += part.numel()

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            torch.distributed.barrier()


def in_bf16(precision: Literal["auto", "fp32", "bf16"], device: torch.device) -> bool:
    """Tell whether training computes in bf16: when asked to, or with "auto" where the hardware does."""
    return precision == "bf16" or (precision == "auto" and has_bf16(device))


def has_bf16(device: torch.device) -> bool:
    """Tell whether the hardware computes in bf16; where it only emulates it, fp32 is faster."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
