"""The report of a training run: the artefact on the run's own test part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stancewire.artefact import Artefact
from training.evaluate.scores import Evaluation
from training.prepare import Prepared
from training.report.answers import ask
from training.report.build import Setting, build


def run_report(
    prepared: Prepared, evaluations: Mapping[str, Evaluation], artefact: Artefact
) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        prepared: what it learned from and is judged on.
        evaluations: on test, by model: the trained one first.
        artefact: what it wrote.
    """
    config, corpus = prepared.config, prepared.corpus
    setting = Setting(
        part="test",
        source=corpus.source,
        digest=corpus.digest,
        codebook=corpus.codebook,
        evaluations=evaluations,
        evaluation=config.evaluation,
        seed=config.seed,
    )
    return build(ask(artefact, corpus, prepared.split.test), setting)
