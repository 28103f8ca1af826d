"""What a run prints: results, and where everything is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from stancewire.location import without_password
from training.config import RunConfig
from training.evaluate.scores import Evaluation
from training.evaluate.tables import ranged, result
from training.tracking import DEFAULT_URI

if TYPE_CHECKING:
    from training.train import Outcome

_PAGE_CELLS = 110
_SPLITS = {
    "random": "split by rows, which leaks",
    "time": "split by time, on the newest stories",
    "outlet": "split by outlet, on outlets it never saw",
}


def results(
    config: RunConfig, evaluations: Mapping[str, Evaluation], thresholds: Mapping[str, float]
) -> Group:
    """Return the tables of a run: the trained model first, under its family's name."""
    return result(f"{config.name}: {config.task} on test", evaluations, thresholds)


def as_text(tables: RenderableType) -> str:
    """Return tables as plain text, for a page that has no terminal."""
    page = Console(file=StringIO(), width=_PAGE_CELLS, force_terminal=False, color_system=None)
    with page.capture() as captured:
        page.print(tables)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def outcome_lines(outcome: Outcome) -> Iterator[RenderableType]:
    """Yield the tables and lines that tell how a run went."""
    config = outcome.config
    yield results(config, outcome.evaluations, outcome.thresholds)
    ours = next(iter(outcome.evaluations.values())).macro_f1.value
    for by, found in outcome.splits.items():
        points = f"{100 * (found.macro_f1.value - ours):+.1f} points"
        yield Text(f"{_SPLITS[by]}, it would score {ranged(found.macro_f1)}, {points}", style="dim")
    yield Text(f"behaviour {outcome.behaviour.line}")
    if outcome.behaviour.model:
        yield Text(f"          python -m training.behaviour {outcome.artefact.path} tells more")
    parity = outcome.parity.parity
    yield Text(
        f"artefact  {outcome.artefact.path} (sha256 {outcome.artefact.digest[:12]}; decides "
        f"{parity.agreement:.1%} of {parity.rows:,} test rows as trained)"
    )
    for name, told in outcome.parity.told().items():
        yield Text(f"engine    {name} {told}", style="yellow")
    yield Text(f"MLflow    run {outcome.run_id}, experiment {config.tracking.experiment}")
    if outcome.version:
        yield Text(f"registry  {outcome.version.uri} is version {outcome.version.version}")
    elif outcome.refused:
        yield Text(f"registry  not registered: {outcome.refused}", style="yellow")
    yield Text(f"see it    {ui_hint()}\n")


def ui_hint() -> str:
    """Return how to open the MLflow pages of the runs."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri.startswith(("http://", "https://")):
        return without_password(uri)
    if uri == DEFAULT_URI:
        return "make ui, then http://127.0.0.1:5000"
    named = shlex.quote(uri) if without_password(uri) == uri else '"$MLFLOW_TRACKING_URI"'
    return f"mlflow ui --backend-store-uri {named}, then http://127.0.0.1:5000"
