"""Several seeds of one config: one split, one name that is registered, mean and spread."""

from __future__ import annotations

import argparse
from dataclasses import astuple
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from training.config import RunConfig
from training.evaluate.metrics import evaluate
from training.evaluate.scores import Evaluation
from training.seeds import seeds_of, seeds_table, spreads, with_seeds


def judged(right: int) -> Evaluation:
    """Scores of ten rows, so many of which are right."""
    truth = np.eye(2, dtype=np.float32)[np.arange(10) % 2]
    decided = truth == 1
    decided[right:] = ~decided[right:]
    return evaluate(
        truth,
        truth,
        decided,
        labels=("no", "yes"),
        task="stance",
        groups=[str(row) for row in range(10)],
        samples=100,
    )


def test_seeds_are_read() -> None:
    assert seeds_of("0,1,2") == (0, 1, 2)
    for text in ("0", "", "1,1", "0,-1", "0,x", "0,4294967296", "1.5,2"):
        with pytest.raises(argparse.ArgumentTypeError, match="wanted at least two different seeds"):
            seeds_of(text)


@pytest.mark.parametrize("values", [{"seed": 5}, {"split": {"seed": 9}, "seed": 5}])
def test_all_seeds_learn_from_one_split(values: dict[str, object]) -> None:
    config = RunConfig.model_validate({"task": "stance", "name": "mine"} | values)
    runs = with_seeds(config, (3, 4))
    assert [run.seed for run in runs] == [3, 4]
    assert {run.split_seed for run in runs} == {config.split_seed}
    assert [run.name for run in runs] == ["mine", "mine-seed4"]
    assert [run.tracking.register_model for run in runs] == [True, False]


def test_the_seed_of_the_split_is_the_run_s_own_unless_it_is_named() -> None:
    assert RunConfig.model_validate({"task": "stance", "seed": 5}).split_seed == 5
    assert RunConfig.model_validate({"task": "stance", "split": {"seed": 0}, "seed": 5}).split_seed == 0


def test_mean_and_spread() -> None:
    found = spreads([{"mine": judged(10), "floor": judged(5)}, {"mine": judged(8), "floor": judged(5)}])
    assert list(found) == ["mine", "floor", "mine, no", "mine, yes"]
    assert astuple(found["mine"]) == pytest.approx((0.9, 0.2 / 2**0.5))
    assert found["floor"].deviation == 0
    page = Console(file=StringIO(), width=80)
    page.print(seeds_table("a model", (3, 4), found))
    text = page.file.getvalue()  # type: ignore[attr-defined]
    assert "over the seeds 3, 4" in text
    assert "0.900" in text
    assert "0.141" in text
