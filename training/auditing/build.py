"""The audit as plain data: everything that its page shows stands here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stancewire.calibration import Task
from training.auditing.agree import agree
from training.auditing.annotations import Annotations
from training.auditing.balance import balance
from training.auditing.crossfit import FOLDS, REGULARISATION, NotAuditedError, out_of_sample, rows_of
from training.auditing.findings import findings
from training.auditing.leakage import leakage
from training.auditing.outliers import outliers
from training.auditing.suspects import suspects
from training.auditing.twins import twins
from training.data.load import Corpus
from training.report.build import plain

FORMAT, FORMAT_VERSION = "stancewire-audit", 1
TASKS: tuple[Task, ...] = ("topics", "stance")
SAMPLES, CONFIDENCE = 1000, 0.95


def audit(
    corpus: Corpus,
    annotations: Annotations | None,
    *,
    seed: int = 0,
    report: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Return the whole audit, as JSON can hold it; equal for equal inputs.

    Args:
        corpus: with its labels.
        annotations: of several annotators on its articles; None where there are none.
        seed: of folds and resamples.
        report: told what is being done.
    """
    settings: dict[str, Any] = {"samples": SAMPLES, "confidence": CONFIDENCE, "seed": seed}
    tasks = {task: _task(corpus, task, settings, report) for task in TASKS}
    report("looking for near-duplicates with other labels")
    found: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "corpus": _corpus(corpus),
        "settings": {**settings, "folds": FOLDS, "regularisation": REGULARISATION},
        "suspects": {task: of["suspects"] for task, of in tasks.items()},
        "balance": {task: of["balance"] for task, of in tasks.items()},
        "twins": twins(corpus),
        "leaks": leakage(corpus),
        "outliers": outliers(corpus),
    }
    report("measuring agreement")
    found["agreement"] = agree(annotations, **settings) if annotations else None
    found["findings"] = findings(found)
    return {key: plain(value) for key, value in found.items()}


def _task(
    corpus: Corpus, task: Task, settings: dict[str, Any], report: Callable[[str], None]
) -> dict[str, Any]:
    """Return suspects and balance of a task; {"skipped": why} where it has too few labels."""
    try:
        rows = rows_of(corpus, task)
    except NotAuditedError as error:
        return {"suspects": {"skipped": str(error)}, "balance": {"skipped": str(error)}}
    report(f"counting {task}")
    told: dict[str, Any] = {"balance": balance(rows, corpus.codebook, **settings)}
    try:
        told["suspects"] = suspects(rows, out_of_sample(rows.rows, settings["seed"], report))
    except NotAuditedError as error:
        told["suspects"] = {"skipped": str(error)}
    return told


def _corpus(corpus: Corpus) -> dict[str, Any]:
    book = corpus.codebook
    first, last = corpus.dates or (None, None)
    return {
        "source": corpus.source,
        "sha256": corpus.digest,
        "codebook": {"id": book.id, "version": book.version, "sha256": book.digest},
        "articles": len(corpus),
        "stories": len(set(corpus.groups)),
        "stances": len(corpus.stances),
        "first_date": first,
        "last_date": last,
        "outlets": len({article.outlet for article in corpus.articles if article.outlet}),
        "unlabelled": int(np.isnan(corpus.topics).all(axis=1).sum()),
        "warnings": dict(corpus.warnings),
    }
