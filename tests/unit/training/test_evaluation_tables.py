"""What a run prints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console, RenderableType

from training.evaluate import tables
from training.evaluate.metrics import Evaluation, Interval, evaluate

LABELS = ("arms_trade", "diplomacy", "sanctions")
THRESHOLDS = {"arms_trade": 0.28, "diplomacy": 0.34, "sanctions": 0.5}


def printed(what: RenderableType, width: int = 80) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


@pytest.fixture
def models() -> dict[str, Evaluation]:
    r = np.random.default_rng(0)
    truth = (r.random((60, 3)) < 0.5).astype(np.float32)
    truth[:, 2] = 0
    blind = r.random((60, 3)) < 0.5
    decisions = np.where(r.random((60, 3)) < 0.9, truth == 1, blind)
    said = np.where(decisions, 0.8, 0.2).astype(np.float32)
    groups = [str(i // 2) for i in range(60)]

    def of(decided: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], **more: object) -> Evaluation:
        return evaluate(truth, said, decided, labels=LABELS, task="topics", groups=groups, **more)  # type: ignore[arg-type]

    raw = np.full((60, 3), 0.5, np.float32)
    return {"linear": of(decisions, raw_probabilities=raw, baselines={"blind": blind}), "blind": of(blind)}


def test_a_result_fits_80_columns_uncut(models: dict[str, Evaluation]) -> None:
    text = printed(tables.result("topics: test", models, THRESHOLDS))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_result_names_models_labels_margins_and_warnings(models: dict[str, Evaluation]) -> None:
    text = printed(tables.result("topics: test", models, THRESHOLDS), 120)
    first = models["linear"]
    assert text.startswith("topics: test")
    assert tables.ranged(first.macro_f1) in text
    assert f"{first.before.ece:.3f} > {first.after.ece:.3f}" in text if first.before else False
    assert f"{first.before.brier:.3f} > {first.after.brier:.3f}" in text if first.before else False
    assert "beats blind by" in text
    assert "60 test rows in 30 events; in brackets 95% intervals over events" in text
    assert "! sanctions: no positives" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["diplomacy"][-2:] == [str(first.labels["diplomacy"].support), "0.34"]
    assert lines["sanctions"][1] == "-"


@pytest.mark.parametrize(
    ("interval", "says"),
    [
        (Interval(0.0414, 0.0117, 0.0702), "beats blind by 4.1 points of macro-F1 (1.2 to 7.0)"),
        (Interval(-0.04, -0.07, -0.01), "loses to blind by 4.0 points of macro-F1 (-7.0 to -1.0)"),
        (
            Interval(0.01, -0.005, 0.03),
            "not shown to differ from blind: +1.0 points of macro-F1 (-0.5 to 3.0)",
        ),
        (Interval(0.0, 0.0, 0.0), "not shown to differ from blind: +0.0 points of macro-F1 (0.0 to 0.0)"),
    ],
)
def test_a_margin_says_who_is_better_only_when_the_interval_does(interval: Interval, says: str) -> None:
    assert tables.margin("blind", interval) == says


def test_names_are_no_markup(models: dict[str, Evaluation]) -> None:
    text = printed(tables.headline("[red]t[/red]", {"[bold]m": models["blind"]}))
    assert "[bold]m" in text
    assert "[red]t[/red]" in text
    odd = replace(models["blind"], labels={"[bold]l": models["blind"].labels["arms_trade"]})
    assert "[bold]l" in printed(tables.per_label(odd, {"[bold]l": 0.5}))
