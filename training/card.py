"""The model card: what a model is for, what it learned from, how good it is and where it is weak.

Markdown with the metadata that the Hugging Face hub reads, made from the manifest, the codebook and, where
there is one, the evaluation report. It lies in the artefact, whose manifest names its digest: so it holds
nothing that differs between equal runs, and not the digest of the artefact itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from training import card_sections as sections
from training import card_words as words
from training.card_facts import Facts, Values, codebook_of, in_short
from training.markdown import front_matter
from training.report.formats import percent

__all__ = ["Facts", "card", "description"]

_DIGITS = 6


def card(facts: Facts) -> str:
    """Return the card; equal facts give equal texts."""
    makers = (
        sections.opening,
        sections.use,
        sections.loading,
        sections.labels,
        sections.data,
        sections.results,
        sections.weak_slices,
        sections.behaviour,
        sections.calibration,
        sections.origin,
        sections.citing,
    )
    lines = [*front_matter(_metadata(facts)), *(line for make in makers for line in make(facts))]
    return "\n".join(lines).rstrip("\n") + "\n"


def description(facts: Facts) -> str:
    """Return the card in a few lines, for a registry."""
    manifest = facts.manifest
    lines = [
        f"{words.WHAT[manifest.task]} Family {manifest.family}, by {codebook_of(facts)}.",
        *in_short(facts),
    ]
    return "\n".join(f"- {line}" if number else f"{line}\n" for number, line in enumerate(lines))


def _metadata(facts: Facts) -> dict[str, object]:
    manifest, source = facts.manifest, str(facts.data.get("source", ""))
    tags = ["stancewire", *words.TAGS[manifest.task], manifest.family, "international-security", "news"]
    values: dict[str, object] = {
        "language": "en",
        "license": "apache-2.0" if facts.bundled else "unknown",
        "library_name": "stancewire",
        "pipeline_tag": "text-classification",
        "tags": tags,
    }
    hub = source.removeprefix("hub:") if source.startswith("hub:") else None
    if hub:
        values["datasets"] = [hub]
    if not facts.scores:
        return values
    result = {
        "task": {"type": "text-classification", "name": words.TASKS[manifest.task]},
        "dataset": {
            "type": hub or "custom",
            "name": source or "not told",
            "split": "test",
            "revision": str(facts.data.get("sha256", "not told")),
        },
        "metrics": list(_metrics(facts.scores)),
    }
    values["metrics"] = ["f1", "precision", "recall", "brier_score"]
    values["model-index"] = [{"name": manifest.name, "results": [result]}]
    return values


def _metrics(scores: Values) -> Iterator[dict[str, object]]:
    within = f"{percent(scores['confidence']).replace(' ', '')} interval"

    def figure(kind: str, name: str, value: float, found: Values | None = None) -> dict[str, object]:
        told = f"{name}, {within} {found['low']:.3f} to {found['high']:.3f}" if found else name
        return {"type": kind, "name": told, "value": round(value, _DIGITS)}

    for name in ("macro_f1", "micro_f1"):
        yield figure("f1", name.replace("_f1", "-F1"), scores[name]["value"], scores[name])
    yield figure("accuracy", "all right", scores["exact_match"]["value"], scores["exact_match"])
    for label, found in scores["labels"].items():
        if found["f1"] is not None:
            yield figure("f1", f"F1 of {label}", found["f1"]["value"], found["f1"])
        for kind in ("precision", "recall"):
            if found[kind] is not None:
                yield figure(kind, f"{kind} of {label}", found[kind])
    yield figure("brier_score", "Brier score", scores["after"]["brier"])
    yield figure("ece", "expected calibration error", scores["after"]["ece"])
