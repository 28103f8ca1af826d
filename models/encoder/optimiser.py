"""How weights move: AdamW, smaller steps in lower layers, a linear rise and fall, and a moving average."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from models.encoder.config import EncoderConfig
from models.encoder.errors import BackboneError
from models.encoder.network import Classifier

_LAYER = re.compile(r"\.(?:layers?|h|blocks?)\.(\d+)\.")


def new_optimiser(model: nn.Module, config: EncoderConfig) -> torch.optim.AdamW:
    """Return AdamW whose groups remember their highest step size as "highest"."""
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decay = config.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((_share(name, model, config.layer_decay), decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "weight_decay": decay, "highest": share * config.learning_rate}
            for (share, decay), parameters in groups.items()
        ],
        lr=config.learning_rate,
        fused=True,
    )


def set_step_size(optimiser: torch.optim.Optimizer, step: int, total: int, warmup: float) -> float:
    """Set the step size of step 0, 1, … of so many; return its share of the highest."""
    rising = round(warmup * total)
    share = (step + 1) / (rising + 1) if step < rising else (total - step) / max(1, total - rising)
    for group in optimiser.param_groups:
        group["lr"] = share * group["highest"]
    return share


def optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what the optimiser remembers of each weight, by name."""
    return {
        f"{key}/{name}": value
        for name, parameter in model.named_parameters()
        for key, value in optimiser.state.get(parameter, {}).items()
    }


def restore_optimiser(
    model: nn.Module, optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimiser_tensors` returned."""
    parameters = dict(model.named_parameters())
    for key, value in tensors.items():
        what, _, name = key.partition("/")
        parameter = parameters[name]
        kept = value.clone() if what == "step" else value.to(parameter.device, copy=True)
        optimiser.state[parameter][what] = kept


class Average:
    """An exponential moving average of weights; it follows faster at first.

    Args:
        weights: to start from.
        decay: share of the average that a step keeps.
    """

    def __init__(self, weights: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def follow(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Move toward the weights after step 0, 1, …."""
        decay = min(self.decay, (1 + step) / (10 + step))
        floats = [name for name, value in self.weights.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [self.weights[name] for name in floats], [weights[name] for name in floats], 1 - decay
        )


def freeze(model: Classifier, *, embeddings: bool, layers: int) -> None:
    """Let weights stay as they are.

    Args:
        model: whose weights they are.
        embeddings: whether the table of token embeddings is among them.
        layers: how many layers from the bottom are, with all that is under them.

    Raises:
        BackboneError: if that leaves no layer to learn.
    """
    if embeddings:
        model.inner.get_input_embeddings().requires_grad_(False)
    if not layers:
        return
    named = list(model.named_parameters())
    depth = _depth(name for name, _ in named)
    if layers >= depth:
        raise BackboneError(f"model.freeze_layers: wanted fewer than the backbone's {depth}, got {layers}")
    for name, parameter in named:
        found = _LAYER.search(name)
        if int(found.group(1)) < layers if found else "embeddings" in name:
            parameter.requires_grad_(False)


def _share(name: str, model: nn.Module, decay: float) -> float:
    """Return the step size of a weight as a share of the highest."""
    if decay == 1:
        return 1.0
    n_layers = _depth(name for name, _ in model.named_parameters())
    found = _LAYER.search(name)
    if found:
        return float(decay ** (n_layers - 1 - int(found.group(1))))
    return float(decay**n_layers) if "embeddings" in name else 1.0


def _depth(names: Iterable[str]) -> int:
    return 1 + max((int(found.group(1)) for name in names if (found := _LAYER.search(name))), default=-1)
