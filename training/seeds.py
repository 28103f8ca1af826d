"""One config trained with several seeds: how much of a score is luck."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from rich.table import Table
from rich.text import Text

from training.config import RunConfig
from training.evaluate.scores import Evaluation


@dataclass(frozen=True)
class Spread:
    """A score over seeds: its mean, and its standard deviation, from 0 to 1."""

    mean: float
    deviation: float


def seeds_of(text: str) -> tuple[int, ...]:
    """Return the seeds of a command line: "0,1,2"."""
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        seeds = ()
    if len(seeds) < 2 or len(set(seeds)) < len(seeds) or not all(0 <= seed < 2**32 for seed in seeds):
        raise argparse.ArgumentTypeError(
            f"wanted at least two different seeds from 0 to {2**32 - 1}, as in 0,1,2, got {text!r}"
        )
    return seeds


def with_seeds(config: RunConfig, seeds: Sequence[int]) -> list[RunConfig]:
    """Return the config once for each seed, all on the split of the config as it is.

    The first keeps its name, and is registered where the config says so. The others get names of their own,
    and are not registered.
    """
    split = config.split.model_copy(update={"seed": config.split_seed})
    runs = []
    for number, seed in enumerate(seeds):
        changes: dict[str, object] = {"seed": seed, "split": split}
        if number:
            unregistered = config.tracking.model_copy(update={"register_model": False})
            changes |= {"name": f"{config.name}-seed{seed}", "tracking": unregistered}
        runs.append(config.model_copy(update=changes))
    return runs


def spreads(runs: Sequence[Mapping[str, Evaluation]]) -> dict[str, Spread]:
    """Return macro-F1 over seeds by model, and the F1 of each label of the first model."""
    first = next(iter(runs[0]))
    found = {name: _spread([run[name].macro_f1.value for run in runs]) for name in runs[0]}
    for label in runs[0][first].labels:
        scores = [run[first].labels[label].f1 for run in runs]
        if known := [score.value for score in scores if score is not None]:
            found[f"{first}, {label}"] = _spread(known)
    return found


def seeds_table(name: str, seeds: Sequence[int], found: Mapping[str, Spread]) -> Table:
    """Return mean and spread over seeds as a table."""
    table = Table(
        title=Text(f"{name}: over the seeds {', '.join(map(str, seeds))}, on one split"),
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    table.add_column("macro-F1 of a model, F1 of a label", overflow="fold")
    table.add_column("mean", justify="right")
    table.add_column("deviation", justify="right")
    for what, spread in found.items():
        table.add_row(Text(what), f"{spread.mean:.3f}", f"{spread.deviation:.3f}")
    return table


def _spread(values: Sequence[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0)
