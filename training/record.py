"""What is kept of a run: provenance in the artefact; parameters, figures and predictions in MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.base import LabelledSet
from models.registry import family
from stancewire.examples import Article, StanceExample
from training.config_file import dump_config
from training.evaluate.figures import confusion, precision_recall, reliability
from training.evaluate.scores import Evaluation
from training.fit import Trial
from training.prepare import Prepared
from training.present import as_text, results
from training.provenance import PACKAGES, digest_of, git_commit, package_versions
from training.report.files import files
from training.report.seen import SECTION, seen_section
from training.tracking import TrackedRun

_HOME = Path(__file__).resolve().parents[1]
# Settings that change where a run is kept, and nothing of the model.
_NOT_THE_MODEL = {"output", "tracking"}
# Outlets named of each part, the largest.
_OUTLETS = 12


def provenance(prepared: Prepared) -> dict[str, Any]:
    """Return where a model comes from; equal for equal runs, wherever and whenever they are made."""
    config, corpus = prepared.config, prepared.corpus
    commit, changed = git_commit(_HOME)
    first, last = corpus.dates or (None, None)
    return {
        "data": {
            "source": corpus.source,
            "sha256": corpus.digest,
            "articles": len(corpus),
            "stories": len(set(corpus.groups)),
            "first_date": first,
            "last_date": last,
            "outlets": len({article.outlet for article in corpus.articles if article.outlet}),
        },
        **({"extra_data": [one.to_dict() for one in prepared.parts.extra]} if prepared.parts.extra else {}),
        **({"sentences": len(prepared.parts.sentences[0])} if prepared.parts.sentences else {}),
        "split": {"by": prepared.split.by, "left_out": dict(prepared.split.left_out)} | _parts(prepared),
        "config": config.model_dump(mode="json", exclude=_NOT_THE_MODEL),
        "git": {"commit": commit, "changed": changed},
        "packages": package_versions((*PACKAGES, *family(config.model.family).packages)),
        SECTION: seen_section(prepared.parts.train, prepared.parts.dev),
    }


def _parts(prepared: Prepared) -> dict[str, dict[str, Any]]:
    """Return what `parts_of` does, with the dates of every part and the rows of its largest outlets."""
    corpus = prepared.corpus
    told = parts_of(prepared)
    for name, positions in prepared.split.parts.items():
        index = list(positions)
        of = index if prepared.config.task == "topics" else corpus.article_of[index].tolist()
        articles = [corpus.articles[position] for position in of]
        dates = sorted(article.date for article in articles if article.date)
        outlets = Counter(article.outlet for article in articles if article.outlet)
        told[name] |= {
            "first_date": dates[0] if dates else None,
            "last_date": dates[-1] if dates else None,
            "outlets": dict(sorted(outlets.items(), key=lambda pair: (-pair[1], pair[0]))[:_OUTLETS]),
        }
    return told


def parts_of(prepared: Prepared) -> dict[str, dict[str, Any]]:
    """Return size and digest of every part of the split."""
    parts = prepared.parts
    return {
        name: {"rows": len(rows), "stories": len(set(rows.groups)), "sha256": _digest(rows)}
        for name, rows in (("train", parts.train), ("dev", parts.dev), ("test", parts.test))
    }


def log_inputs(run: TrackedRun, prepared: Prepared, origin: Mapping[str, Any]) -> None:
    """Log what the run was asked to do and on which rows.

    Args:
        run: that gets it.
        prepared: what it learns from.
        origin: the `provenance` of the model to be.
    """
    config, commit, changed = prepared.config, origin["git"]["commit"], origin["git"]["changed"]
    run.params(config.model_dump(mode="json"))
    run.text(dump_config(config), "config.yaml")
    run.tags(
        {"stancewire.task": config.task, "stancewire.family": config.model.family}
        | ({"mlflow.source.git.commit": commit, "stancewire.changed": str(changed).lower()} if commit else {})
    )
    for name, context in (("train", "training"), ("dev", "validation"), ("test", "test")):
        part = origin["split"][name]
        run.dataset(f"{config.task}-{name}", config.data.path, part["sha256"], context, part["rows"])
    for number, one in enumerate(prepared.parts.extra, 1):
        run.dataset(f"{config.task}-extra-{number}", one.source, one.digest, "training", len(one.rows))


def log_results(
    run: TrackedRun,
    prepared: Prepared,
    trial: Trial,
    evaluations: Mapping[str, Evaluation],
    report: Mapping[str, Any],
) -> None:
    """Log what came out: figures and report of the first evaluation, metrics of all, every answer on test."""
    task, test = prepared.config.task, prepared.parts.test
    for number, (name, found) in enumerate(evaluations.items()):
        run.metrics(found.flat_metrics("test" if not number else name.replace(" ", "_").replace("-", "_")))
    by_label = dict(zip(test.labels, trial.fitted.thresholds, strict=True))
    page = as_text(results(prepared.config, evaluations, by_label))
    run.text(page, "results.txt")
    run.tags({"mlflow.note.content": f"```\n{page}```"})
    thresholds = trial.fitted.thresholds if task == "topics" else None
    run.figure(confusion(test.truth, trial.decisions, test.labels, task), "figures/confusion.png")
    run.figure(
        precision_recall(test.truth, trial.probabilities, thresholds, test.labels),
        "figures/precision_recall.png",
    )
    run.figure(
        reliability(test.truth, trial.raw, trial.probabilities, test.labels, task), "figures/reliability.png"
    )
    run.table(predictions(prepared, trial), "predictions.json")
    for name, text in files(report).items():
        run.text(text, f"report/{name}")


def predictions(prepared: Prepared, trial: Trial) -> dict[str, list[Any]]:
    """Return every answer on test as columns, the surest mistakes first."""
    test = prepared.parts.test
    wrong = ((test.truth == 1) != trial.decisions) & (test.truth == test.truth)  # NaN is unequal to itself
    distance = abs(trial.probabilities - (test.truth == 1)) * wrong
    order = sorted(range(len(test)), key=lambda row: (-float(distance[row].max()), row))
    columns: dict[str, list[Any]] = {"right": [not wrong[row].any() for row in order]}
    columns["true"] = [_names(test, test.truth[row] == 1) for row in order]
    columns["decided"] = [_names(test, trial.decisions[row]) for row in order]
    for column, label in enumerate(test.labels):
        columns[f"p({label})"] = [round(float(trial.probabilities[row, column]), 4) for row in order]
    columns["story"] = [test.groups[row] for row in order]
    examples = [test.examples[row] for row in order]
    return columns | {name: [_shown(example, name) for example in examples] for name in _fields(test)}


def _fields(rows: LabelledSet) -> tuple[str, ...]:
    return ("id", "title") if rows.task == "topics" else ("target", "holder", "sentence")


def _shown(example: Article | StanceExample, name: str) -> str:
    return getattr(example, name) or ""


def _names(rows: LabelledSet, held: Sequence[bool]) -> str:
    return ", ".join(label for label, holds in zip(rows.labels, held, strict=True) if holds) or "none"


def _digest(rows: LabelledSet) -> str:
    """Return a sha256 over every example with its labels, in order."""
    examples: Sequence[Article | StanceExample] = rows.examples
    return digest_of(
        text
        for example, truth in zip(examples, rows.truth.tolist(), strict=True)
        for text in (*_texts(example), repr(truth))
    )


def _texts(example: Article | StanceExample) -> tuple[str, ...]:
    if isinstance(example, Article):
        return (example.id, example.title, example.text)
    return (example.sentence, example.context, example.target, repr(example.holder))
