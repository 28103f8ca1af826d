"""What becomes of the best trial: a config of its own, one training on the whole, one judgement on test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
from training.prepare import Prepared
from training.resume import under_way
from training.train import Outcome, train
from training.tuning.load import Sweep
from training.tuning.search import Found
from training.tuning.show import score
from training.tuning.study import Trials
from training.tuning.track import SweepRun
from training.yaml import dump_yaml

_CHOICE = "choice"


@dataclass(frozen=True)
class Earlier:
    """The choice was trained before, and its artefact stands.

    Attributes:
        run_id: of its MLflow run.
        refused: why it was not registered; else "".
    """

    run_id: str
    refused: str


def write_best(sweep: Sweep, found: Found, run: SweepRun) -> None:
    """Write the config of the best trial, whole or not at all, and log it."""
    best = found.best
    head = (
        f"# Chosen by a sweep: trial {best.ordinal} of {sweep.tune.trials}, macro-F1 {score(best.score)} by "
        f"{sweep.tune.metric} (as it stood: {score(found.baseline.score)}).\n"
    )
    text = head + dump_yaml(sweep.settings(best.drawn))
    part = sweep.best.with_name(f"{sweep.best.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(text, encoding="utf-8")
    part.replace(sweep.best)
    run.text(text, "best.yaml")
    figures = {"best/macro_f1": best.score or 0.0, "trials": float(len(found.ended))}
    run.metrics(figures)
    run.tags({"stancewire.best_trial": str(best.ordinal)})


def train_best(
    sweep: Sweep,
    prepared: Prepared,
    found: Found,
    trials: Trials,
    run: SweepRun,
    report: Callable[[str], None],
) -> Outcome | Earlier:
    """Train the best trial's config as any other; once, however often the sweep is called again.

    Raises:
        StancewireError: as `train` does.
    """
    earlier = trials.noted(_CHOICE)
    home = Path(sweep.config.output) / sweep.config.name
    if earlier and earlier["trial"] == found.best.ordinal and earlier["artefact"] == _digest(home):
        return Earlier(earlier["run"], earlier["refused"])
    chosen = replace(prepared, config=sweep.run(found.best.drawn))
    with under_way(chosen, fresh=False) as kept:
        outcome = train(chosen, kept, report)
    noted = {"run": outcome.run_id, "artefact": outcome.artefact.digest, "refused": outcome.refused}
    trials.note(_CHOICE, {"trial": found.best.ordinal, **noted})
    run.tags({"stancewire.choice_run": outcome.run_id})
    return outcome


def _digest(home: Path) -> str | None:
    try:
        return read_artefact(home).digest
    except ArtefactError:
        return None
