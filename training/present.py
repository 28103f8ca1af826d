"""What a run prints: results, and where everything is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from training.evaluate.tables import result
from training.tracking import DEFAULT_URI
from training.train import Outcome


def outcome_lines(outcome: Outcome) -> Iterator[RenderableType]:
    """Yield the tables and lines that tell how a run went."""
    config = outcome.config
    models = {_named(name, outcome): found for name, found in outcome.evaluations.items()}
    yield result(f"{config.name}: {config.task} on test", models, outcome.thresholds)
    if gap := outcome.random_split:
        ours = next(iter(outcome.evaluations.values())).macro_f1.value
        yield Text(
            f"split by rows instead of {config.split.by}, which leaks, it would score "
            f"{gap.macro_f1.value:.3f} ({100 * (gap.macro_f1.value - ours):+.1f} points)",
            style="dim",
        )
    parity = outcome.parity
    yield Text(
        f"artefact  {outcome.artefact.path} (sha256 {outcome.artefact.digest[:12]}; decides "
        f"{parity.agreement:.1%} of {parity.rows:,} test rows as trained)"
    )
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
        return uri
    return f"mlflow ui --backend-store-uri {shlex.quote(uri)}, then http://127.0.0.1:5000"


def _named(name: str, outcome: Outcome) -> str:
    return f"{outcome.config.name} ({name})" if name == outcome.config.model.family else name
