"""Dropout whose draws take little of a step: torch draws on a processor one number after the other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

# Of the numbers that are drawn: 16 bits tell shares from 1/65,536 on.
_NUMBERS = 2**16


class Dropout(nn.Dropout):
    """As nn.Dropout, on a processor with numbers of NumPy's SFC64, seeded by torch's."""

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, in training a share of them 0 and the others larger by as much."""
        left_out = round(self.p * _NUMBERS)
        if not self.training or not left_out or values.device.type != "cpu":
            return super().forward(values)
        chance = np.random.SFC64(int(torch.randint(2**62, ())))
        drawn = np.frombuffer(np.random.Generator(chance).bytes(2 * values.numel()), np.uint16)
        kept = torch.from_numpy(drawn >= left_out).view(values.shape)
        return values * kept.to(values.dtype).mul_(_NUMBERS / (_NUMBERS - left_out))


def draw_faster(network: nn.Module) -> None:
    """Let every plain dropout of a network draw so."""
    for module in network.modules():
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p))
