"""The report of an artefact on any labelled corpus: on rows that it has not seen, by its own codebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.artefact import Artefact
from stancewire.codebook import Codebook
from stancewire.errors import CodebookError, InputError
from stancewire.section import listed
from training.config_sections import EvaluationConfig
from training.data.load import Corpus
from training.data.tables import labelled_set, truth_of
from training.evaluate.baselines import majority
from training.evaluate.doubts import with_doubts
from training.evaluate.metrics import evaluate
from training.evaluate.scores import Evaluation
from training.report.answers import Answers, Progress, ask
from training.report.build import Setting, build
from training.report.seen import Seen, text_digests

Positions = NDArray[np.intp]

_SHOWN = 3


class SeenRowsError(InputError):
    """Rows to judge on are among those that taught or tuned the model."""


def data_report(
    artefact: Artefact,
    corpus: Corpus,
    *,
    split: str | None = None,
    leave_out_seen: bool = False,
    progress: Progress = lambda done, of: None,
    step: Callable[[str], None] = lambda step: None,
) -> dict[str, Any]:
    """Return the report of an artefact on a corpus.

    Args:
        artefact: to judge.
        corpus: of the artefact's codebook; see `check_codebook`.
        split: judge on this part of a corpus that says its parts; None takes all rows.
        leave_out_seen: leave out the rows that the model has seen, instead of refusing the corpus.
        progress: told how many rows are done.
        step: told what is being done.

    Raises:
        InputError: if no row is left, the model has seen some, or none holds a label.
    """
    task = artefact.manifest.task
    step("looking for rows that the model has seen")
    rows, notes = _unseen(artefact, corpus, _rows(corpus, artefact, split), leave_out_seen)
    step(f"asking {artefact.manifest.name}")
    answers = ask(artefact, corpus, rows.tolist(), progress)
    step("scoring")
    settings = EvaluationConfig()
    part = f"the {split} part" if split else "all rows"
    setting = Setting(
        part=f"{part} that it has not seen" if leave_out_seen else part,
        source=corpus.source,
        digest=corpus.digest,
        codebook=corpus.codebook,
        evaluations=_evaluations(answers, settings),
        evaluation=settings,
        seed=0,
        majority_of="these very rows" if task == "stance" else "these rows",
        notes=notes,
    )
    return build(answers, setting)


def check_codebook(artefact: Artefact, codebook: Codebook) -> None:
    """Refuse labels that mean something else than those that the model learned.

    Raises:
        CodebookError: naming both codebooks.
    """
    manifest = artefact.manifest
    labels = codebook.labels(manifest.task)
    if labels != manifest.labels:
        raise CodebookError(
            f"{manifest.name}: wanted a codebook with its labels {listed(manifest.labels)}, found "
            f"{listed(labels)}; name the codebook that it was trained with by --codebook"
        )
    theirs = manifest.codebook
    if theirs.sha256 != codebook.digest:
        raise CodebookError(
            f"{manifest.name}: wanted the codebook that it was trained with, {theirs.id} {theirs.version} "
            f"(sha256 {theirs.sha256[:12]}), found {codebook.id} {codebook.version} "
            f"({codebook.digest[:12]}); name it by --codebook, or train again with the new one"
        )


def _rows(corpus: Corpus, artefact: Artefact, split: str | None) -> Positions:
    """Return the positions of labelled rows, of one part where one is asked for."""
    task = artefact.manifest.task
    truth = truth_of(corpus, task)
    chosen = ~np.isnan(truth).all(axis=1) if len(truth) else np.zeros(0, np.bool_)
    if split:
        of = np.asarray([one or "none" for one in corpus.splits], dtype=object)
        parts = of if task == "topics" else of[corpus.article_of]
        chosen &= parts == split
        if not chosen.any():
            have = ", ".join(f"{name} ({(parts == name).sum():,})" for name in sorted(set(parts))) or "none"
            raise InputError(
                f"{corpus.source}: wanted labelled rows of the part {split!r}; its rows are of: {have}"
            )
    if not chosen.any():
        raise InputError(
            f"{corpus.source}: wanted rows with {task} labels to judge {artefact.manifest.name} on, found "
            f"none in {len(corpus):,} articles; label some"
        )
    return np.flatnonzero(chosen)


def _unseen(
    artefact: Artefact, corpus: Corpus, rows: Positions, leave_out: bool
) -> tuple[Positions, tuple[str, ...]]:
    """Return the rows to judge on, and what must be said of them."""
    name, seen = artefact.manifest.name, Seen.of(artefact.manifest)
    if seen is None:
        if leave_out:
            raise InputError(f"{name}: its manifest does not say which texts it has seen; train again")
        return rows, (
            f"The manifest of {name} does not say which texts it has seen: these may be among them.",
        )
    labelled = labelled_set(corpus, artefact.manifest.task, rows)
    digests = text_digests(labelled)
    taught, tuned = seen.train.holds(digests), seen.dev.holds(digests)
    known = taught | tuned
    if leave_out and not seen.whole:
        raise InputError(
            f"{name}: its manifest keeps a sample of the texts that it has seen, so that they cannot be left "
            "out one by one; leave them out of the data"
        )
    if not known.any():
        return rows, ()
    if not leave_out:
        raise SeenRowsError(_refusal(artefact, corpus, rows, taught, tuned))
    if known.all():
        raise InputError(f"{corpus.source}: {name} has seen all {len(rows):,} rows; name other data")
    said = f"Left out, as {name} has seen them: {int(known.sum()):,} of {len(rows):,} rows."
    return rows[~known], (said,)


def _refusal(
    artefact: Artefact,
    corpus: Corpus,
    rows: Positions,
    taught: NDArray[np.bool_],
    tuned: NDArray[np.bool_],
) -> str:
    articles = rows if artefact.manifest.task == "topics" else corpus.article_of[rows]
    ids = dict.fromkeys(corpus.articles[int(one)].id for one in articles[taught | tuned])
    learned, only_tuned = int(taught.sum()), int((tuned & ~taught).sum())
    return (
        f"{corpus.source}: wanted rows that {artefact.manifest.name} has not seen; of {len(rows):,}, it "
        f"learned from {learned:,} and was tuned on {only_tuned:,}, such as those of "
        f"{listed(list(ids)[:_SHOWN])}; judge on the others with --leave-out-seen"
    )


def _evaluations(answers: Answers, settings: EvaluationConfig) -> dict[str, Evaluation]:
    rows, task = answers.rows, answers.task
    share, always = majority(rows.truth, len(rows), task)
    shared: dict[str, Any] = {
        "labels": rows.labels,
        "task": task,
        "groups": rows.groups,
        "samples": settings.samples,
        "confidence": settings.confidence,
        "bins": settings.bins,
    }
    judged = evaluate(
        rows.truth,
        answers.probabilities,
        answers.decisions,
        raw_probabilities=answers.raw,
        baselines={"majority": always},
        **shared,
    )
    manifest = answers.artefact.manifest
    judged = with_doubts(
        judged,
        rows,
        answers.probabilities,
        answers.decisions,
        abstention=manifest.abstention,
        conformal=manifest.conformal,
        samples=settings.samples,
        seed=0,
    )
    return {
        manifest.family: judged,
        "majority": evaluate(rows.truth, share, always, **shared),
    }
