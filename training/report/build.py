"""The report as plain data: everything that the page shows stands here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stancewire.codebook import Codebook
from training.config_sections import EvaluationConfig
from training.evaluate.scores import Evaluation
from training.report.answers import Answers
from training.report.crossings import crossings
from training.report.curves import coverage_risk, precision_recall, reliability
from training.report.findings import findings
from training.report.mistakes import mistakes
from training.report.noise import suspects
from training.report.seen import SECTION, Seen
from training.report.slices import slices_of
from training.report.weak import Resampled, score_slices, weak_spots

FORMAT, FORMAT_VERSION = "stancewire-report", 1
_DIGITS = 6
_SPOTS = 12
# What neither UTF-8 nor HTML can hold.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Setting:
    """On what, and beside what, a model is judged.

    Attributes:
        part: "test" of a run, or what was asked for.
        source: of the rows.
        digest: sha256 of the source.
        codebook: what the labels mean.
        evaluations: by model: the judged one first, then what it must beat.
        evaluation: how many resamples, which confidence, how many bins.
        seed: of the resamples.
        majority_of: rows whose labels the majority baseline knows.
        notes: what a reader must know of these rows.
    """

    part: str
    source: str
    digest: str
    codebook: Codebook
    evaluations: Mapping[str, Evaluation]
    evaluation: EvaluationConfig
    seed: int
    majority_of: str = "train"
    notes: tuple[str, ...] = ()


def build(answers: Answers, setting: Setting) -> dict[str, Any]:
    """Return the whole report, as JSON can hold it; equal for equal inputs."""
    manifest = answers.artefact.manifest
    slices = slices_of(answers, setting.codebook, Seen.of(manifest))
    resampled = Resampled(answers, setting.evaluation, setting.seed)
    scored = score_slices(answers, slices, resampled)
    (_, judged), *baselines = setting.evaluations.items()
    overall = {label: found.f1.value if found.f1 else None for label, found in judged.labels.items()}
    report = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model": _model(answers),
        "trained_on": {key: value for key, value in manifest.provenance.items() if key != SECTION},
        "judged_on": _judged_on(answers, setting),
        "evaluation": judged.to_dict(),
        "baselines": {name: found.to_dict() for name, found in baselines},
        "own_run": _own_run(answers),
        "crossings": crossings(answers),
        "precision_recall": precision_recall(answers),
        "reliability": reliability(answers, setting.evaluation.bins),
        "coverage_risk": coverage_risk(answers),
        "slices": scored,
        "weak_spots": weak_spots(scored, overall)[:_SPOTS],
        "mistakes": mistakes(answers),
        "suspect_labels": suspects(answers),
        "reading": _reading(answers),
    }
    report["findings"] = findings(report)
    return {key: plain(value) for key, value in report.items()}


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON values have no narrower type
    """Return JSON values: figures rounded to six digits, texts that every reader takes.

    Raises:
        ValueError: for NaN or infinity, which are no JSON.
    """
    if isinstance(value, str):
        return _UNFIT.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"wanted a finite figure, got {value}")
        return round(value, _DIGITS) + 0.0
    return value


def _model(answers: Answers) -> dict[str, Any]:
    manifest = answers.artefact.manifest
    codebook = manifest.codebook
    return {
        "name": manifest.name,
        "task": manifest.task,
        "family": manifest.family,
        "digest": answers.artefact.digest,
        "calibration": manifest.calibration.method,
        "thresholds": dict(zip(manifest.labels, manifest.thresholds, strict=True)),
        "codebook": {"id": codebook.id, "version": codebook.version, "sha256": codebook.sha256},
    }


def _judged_on(answers: Answers, setting: Setting) -> dict[str, Any]:
    dates = sorted(article.date for article in answers.articles if article.date)
    return {
        "part": setting.part,
        "source": setting.source,
        "sha256": setting.digest,
        "rows": len(answers.rows),
        "articles": len(set(answers.articles_read)),
        "stories": len(set(answers.rows.groups)),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates else None,
        "outlets": len({article.outlet for article in answers.articles if article.outlet}),
        "samples": setting.evaluation.samples,
        "confidence": setting.evaluation.confidence,
        "majority_of": setting.majority_of,
        "notes": list(setting.notes),
    }


def _own_run(answers: Answers) -> dict[str, Any] | None:
    """Return what the run that made the model measured, split by split; None where it measured nothing."""
    metrics: Any = answers.artefact.manifest.metrics
    provenance: Any = answers.artefact.manifest.provenance
    test = metrics.get("test")
    family = answers.artefact.manifest.family
    if not isinstance(test, Mapping) or family not in test:
        return None
    by = provenance.get("split", {}).get("by", "event")
    splits = {by: test[family]["macro_f1"]}
    for name in ("time", "outlet", "random"):
        if found := metrics.get(f"{name}_split"):
            splits[name] = found["macro_f1"]
    return {"models": {name: found["macro_f1"] for name, found in test.items()}, "splits": splits}


def _reading(answers: Answers) -> dict[str, Any]:
    """Return how much of the rows the model could not read, or read with a warning."""
    limit = answers.artefact.manifest.max_chars
    lengths = [sum(map(len, answers.texts(row))) for row in range(len(answers.rows))]
    counts = {
        name: sum(name in found for found in answers.warnings)
        for name in ("text_cut", "no_known_features", "mixed_script")
    }
    return {
        "max_chars": limit,
        "longest": max(lengths),
        "rows": counts,
        "share_of_rows_cut": counts["text_cut"] / len(lengths),
        "share_of_text_cut": sum(max(0, length - limit) for length in lengths) / max(1, sum(lengths)),
    }
