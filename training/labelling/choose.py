"""Choose what to label next: several criteria take turns, and no story is told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from stancewire.errors import InputError
from stancewire.manifest import Manifest
from training.labelling.doubt import DOUBTFUL, Measure, Scores, doubt, lack, rarity, training_counts, weigh
from training.labelling.pool import Candidate, Pool
from training.labelling.spread import Coverage

Criterion: TypeAlias = Literal["uncertain", "rare", "diverse", "random"]
CRITERIA: tuple[Criterion, ...] = ("uncertain", "rare", "diverse", "random")
SHARES: Mapping[Criterion, float] = {"uncertain": 0.5, "rare": 0.2, "diverse": 0.3, "random": 0.0}
_NO_COUNTS = "the model's manifest tells no counts of labels: nothing is chosen for rare ones"


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        n: how many questions.
        shares: of each criterion; they are scaled to sum to 1.
        measure: of doubt.
        per_article: most questions about one article.
        seed: of ties, samples and chance.
    """

    n: int
    shares: Mapping[Criterion, float]
    measure: Measure = "margin"
    per_article: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Pick:
    """One question and why it was chosen.

    Attributes:
        candidate: what is asked.
        probabilities: the model's answer by label.
        criterion: which one chose it.
        score: what that criterion saw in it.
        why: in words.
    """

    candidate: Candidate
    probabilities: Mapping[str, float]
    criterion: Criterion
    score: float
    why: str


@dataclass(frozen=True)
class Choice:
    """What to label next.

    Attributes:
        picks: in the order in which they are best labelled: whoever stops early has a fair share of each.
        doubtful: share of the pool's questions on which the model is in doubt.
        notes: what could not be done as asked.
    """

    picks: tuple[Pick, ...]
    doubtful: float
    notes: tuple[str, ...]


def choose(
    pool: Pool, probabilities: Probabilities, manifest: Manifest, coverage: Coverage, wish: Wish
) -> Choice:
    """Choose questions.

    Args:
        pool: the candidates.
        probabilities: calibrated answers, float32 [n_candidates, n_labels].
        manifest: of the model that answered.
        coverage: of the candidates' vectors, nothing chosen yet.
        wish: how many, and by which criteria.

    Raises:
        InputError: if no criterion has a share.
    """
    shares = _scaled(wish.shares)
    thresholds = np.asarray(manifest.thresholds, np.float32)
    weighed = weigh(probabilities, thresholds, pool.task)
    counts = training_counts(manifest)
    notes = []
    if counts is None and shares["rare"]:
        notes.append(_NO_COUNTS)
        shares = _scaled({**shares, "rare": 0.0})
    weights = rarity(counts, manifest.labels) if counts else np.ones(len(manifest.labels))
    promise = lack(probabilities, weights)
    order = np.random.default_rng(wish.seed).permutation(len(pool.candidates))
    stories = _Stories(pool.candidates, wish.per_article)
    scores: dict[Criterion, Scores] = {
        "uncertain": doubt(weighed, pool.task, wish.measure),
        "rare": promise.sum(axis=1),
        "random": np.zeros(len(order)),
    }
    takers: dict[Criterion, Callable[[], tuple[int, float] | None]] = {
        name: _Ranking(found, order, stories).best for name, found in scores.items()
    }
    takers["diverse"] = lambda: _most_new(coverage, order, stories)
    why = _Reasons(pool, probabilities, manifest, weighed, promise, counts, coverage)
    picks = []
    for criterion, row, score in _turns(shares, takers, wish.n):
        told = dict(zip(manifest.labels, map(float, probabilities[row]), strict=True))
        picks.append(Pick(pool.candidates[row], told, criterion, round(score, 6), why.of(criterion, row)))
        stories.take(row)
        coverage.add(row)
    if len(picks) < wish.n:
        notes.append(
            f"{len(picks):,} of {wish.n:,}: the pool has no further story; add articles"
            + ("" if pool.task == "topics" else ", or raise --per-article")
        )
    doubtful = float((doubt(weighed, pool.task, "margin") >= DOUBTFUL).mean())
    return Choice(tuple(picks), doubtful, tuple(notes))


def _scaled(shares: Mapping[Criterion, float]) -> dict[Criterion, float]:
    total = sum(shares.values())
    if not total > 0 or min(shares.values()) < 0:
        told = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise InputError(f"wanted a share above 0 for a criterion that can choose, got {told}")
    return {name: shares.get(name, 0.0) / total for name in CRITERIA}


def _turns(
    shares: Mapping[Criterion, float],
    takers: Mapping[Criterion, Callable[[], tuple[int, float] | None]],
    n: int,
) -> Iterator[tuple[Criterion, int, float]]:
    """Yield choices, each by the criterion that is furthest behind its share."""
    given: dict[Criterion, int] = {name: 0 for name in CRITERIA if shares[name] > 0}
    while given and sum(given.values()) < n:
        turn = sum(given.values()) + 1
        # Round, so that a share of 0.1 times 10 is not behind one of 0.2 times 5 by the last bit.
        name = max(given, key=lambda one: round(shares[one] * turn - given[one], 9))
        found = takers[name]()
        if found is None:
            return  # what one criterion may no longer take, none may
        given[name] += 1
        yield name, *found


class _Stories:
    """Which candidates may still be taken: one article of each story, so many questions of it."""

    def __init__(self, candidates: Sequence[Candidate], per_article: int) -> None:
        self._candidates = candidates
        self._per_article = per_article
        self._of_story: dict[str, tuple[str, int]] = {}
        self._taken: set[int] = set()

    def allows(self, row: int) -> bool:
        candidate = self._candidates[row]
        article, count = self._of_story.get(candidate.story, (candidate.row.article.id, 0))
        return row not in self._taken and article == candidate.row.article.id and count < self._per_article

    def take(self, row: int) -> None:
        candidate = self._candidates[row]
        _, count = self._of_story.get(candidate.story, ("", 0))
        self._of_story[candidate.story] = (candidate.row.article.id, count + 1)
        self._taken.add(row)


class _Ranking:
    """Candidates by a score that no choice changes; of equals, the first in a random order."""

    def __init__(self, scores: Scores, order: NDArray[np.intp], stories: _Stories) -> None:
        self._scores, self._stories = scores, stories
        self._rows: list[int] = order[np.argsort(-scores[order], kind="stable")].tolist()
        self._next = 0

    def best(self) -> tuple[int, float] | None:
        while self._next < len(self._rows):
            row = self._rows[self._next]
            if self._stories.allows(row):
                return row, float(self._scores[row])
            self._next += 1  # what was once refused is never allowed again
        return None


def _most_new(coverage: Coverage, order: NDArray[np.intp], stories: _Stories) -> tuple[int, float] | None:
    """Return the allowed candidate that covers most; outside of the sample where none in it is allowed."""
    gains = coverage.gains()
    rank = np.argsort(order)[coverage.candidates]
    for place in np.lexsort((rank, -gains)).tolist():
        if stories.allows(row := int(coverage.candidates[place])):
            return row, float(gains[place])
    return next(((int(row), 0.0) for row in order if stories.allows(int(row))), None)


@dataclass(frozen=True)
class _Reasons:
    """Why a row was chosen, in words."""

    pool: Pool
    probabilities: Probabilities
    manifest: Manifest
    weighed: Scores
    promise: Scores
    counts: Mapping[str, float] | None
    coverage: Coverage

    def of(self, criterion: Criterion, row: int) -> str:
        if criterion == "uncertain":
            return self._uncertain(row)
        if criterion == "rare":
            return self._rare(row)
        return self._diverse(row) if criterion == "diverse" else "drawn by chance"

    def _uncertain(self, row: int) -> str:
        labels, p = self.manifest.labels, self.probabilities[row]
        if self.pool.task == "topics":
            label = int(np.argmin(np.abs(self.weighed[row] - 0.5)))
            return f"{labels[label]} {p[label]:.2f}, decided from {self.manifest.thresholds[label]:.2f} on"
        first, second = np.argsort(-self.weighed[row], kind="stable")[:2]
        return f"{labels[first]} {p[first]:.2f} or {labels[second]} {p[second]:.2f}"

    def _rare(self, row: int) -> str:
        label = int(np.argmax(self.promise[row]))
        name = self.manifest.labels[label]
        held = round((self.counts or {}).get(name, 0.0))
        return (
            f"may be {name} ({self.probabilities[row][label]:.2f}), which about {held:,} training rows held"
        )

    def _diverse(self, row: int) -> str:
        nearest = self.coverage.nearest(row)
        return f"like much of the pool, and unlike what is chosen before it (at most {nearest:.2f} similar)"
