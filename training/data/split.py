"""Split a corpus into train, dev and test, so that the test is of what the model has not seen.

Story clusters (events joined by near-duplicates) stay whole. Both tasks get the same articles in the same
part, because topics and stance labels are balanced together: whole readings can then be judged on test. Every
split ends in the leak gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Task
from stancewire.errors import InputError
from training.data.enough import check_labels, check_parts
from training.data.leaks import KINDS, Leak, leak_gate
from training.data.load import Corpus
from training.data.shots import few_rows
from training.data.stratify import assign
from training.data.tables import groups_of, truth_of
from training.data.targets import held_out_targets, normal_target

if TYPE_CHECKING:
    from training.config_sections import SplitConfig

By = Literal["event", "time", "outlet", "target", "given", "random"]
PARTS = ("train", "dev", "test")
TRAIN, DEV, TEST, LEFT_OUT = 0, 1, 2, -1

Parts = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Positions of a task's rows by part: of articles for topics, of stance records for stance.

    Attributes:
        by: how it was made.
        train: learned from.
        dev: calibrates and sets thresholds.
        test: judged on, once.
        left_out: number of rows in no part, by reason.
        leaks: found, and allowed by name.
    """

    by: By
    train: tuple[int, ...]
    dev: tuple[int, ...]
    test: tuple[int, ...]
    left_out: Mapping[str, int]
    leaks: tuple[Leak, ...] = ()

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """The rows by name of the part."""
        return {"train": self.train, "dev": self.dev, "test": self.test}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to split.

    Attributes:
        by: "event" (whole stories), "time" (the newest are the test), "outlet" (named ones are), "target"
            (stance targets that training never sees), "given" (the corpus says), "random" (rows; it leaks).
        dev: share of dev, where it is not said otherwise.
        test: share of test, likewise.
        dev_from: by time, the date from which a story is dev.
        test_from: by time, the date from which a story is test.
        outlets: by outlet, those that are the test.
        targets: by target, those held out; none: all that only test stories have.
        allow_leaks: kinds of leaks and ids of articles that may leak; "random" to split at random at all.
        shots: rows of each label that train keeps, and for topics as many without any; None: all.
    """

    by: By = "event"
    dev: float = 0.2
    test: float = 0.2
    dev_from: str | None = None
    test_from: str | None = None
    outlets: Sequence[str] = ()
    targets: Sequence[str] = ()
    allow_leaks: Sequence[str] = ()
    shots: int | None = None


def make_split(corpus: Corpus, task: Task, config: SplitConfig, *, seed: int) -> Split:
    """Split as a config says; see `split_corpus`.

    Raises:
        ValueError: if the corpus was loaded with another threshold of near-duplicates than the config's.
    """
    if corpus.threshold != config.near_duplicate_threshold:
        wanted = f"near_duplicate_threshold={config.near_duplicate_threshold}"
        raise ValueError(f"load the corpus with {wanted}; it was loaded with {corpus.threshold}")
    plan = Plan(
        by=config.by,
        dev=config.dev,
        test=config.test,
        dev_from=config.dev_from,
        test_from=config.test_from,
        outlets=config.outlets,
        targets=config.targets,
        allow_leaks=config.allow_leaks,
        shots=config.shots,
    )
    return split_corpus(corpus, task, plan, seed=seed)


def split_corpus(corpus: Corpus, task: Task, plan: Plan, *, seed: int) -> Split:
    """Split the rows of a task.

    Raises:
        InputError: if a label has too few stories, a part stays empty, or the split needs what is not there.
        LeakError: if the same or nearly the same text stands on both sides.
    """
    check_labels(corpus, task)
    reasons: dict[str, int] = {}
    rows = _MAKERS[plan.by](corpus, task, plan, seed, reasons)
    unlabelled = np.isnan(truth_of(corpus, task)).all(axis=1)
    if unlabelled.any():
        reasons["not labelled"] = int(unlabelled.sum())
        rows = np.where(unlabelled, LEFT_OUT, rows)
    parts = {name: tuple(np.flatnonzero(rows == part).tolist()) for part, name in enumerate(PARTS)}
    check_parts(corpus, task, parts, plan.by)
    allow = set(plan.allow_leaks)
    leaks = leak_gate(corpus, task, parts, allow=KINDS if plan.by == "random" else allow - {"random"})
    if plan.shots is not None:
        parts["train"] = _few(corpus, task, parts["train"], plan.shots, seed)
        reasons["over split.shots"] = int((rows == TRAIN).sum()) - len(parts["train"])
    return Split(plan.by, parts["train"], parts["dev"], parts["test"], reasons, leaks)


def _few(corpus: Corpus, task: Task, train: tuple[int, ...], shots: int, seed: int) -> tuple[int, ...]:
    """Return so many of the rows for each label."""
    index = np.asarray(train, np.intp)
    groups = groups_of(corpus, task)
    kept = few_rows(truth_of(corpus, task)[index], [groups[i] for i in train], task, shots, seed=seed)
    return tuple(index[kept].tolist())


def _by_event(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    return _rows(corpus, task, _share_out(corpus, (1 - plan.dev - plan.test, plan.dev, plan.test), seed))


def _by_time(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    undated = [article.id for article in corpus.articles if article.date is None]
    if undated:
        found = f"{len(undated):,} have none ({', '.join(undated[:5])})"
        raise InputError(f"{corpus.source}: split by time: wanted a date in every article, {found}")
    newest: dict[str, str] = {}
    for article, group in zip(corpus.articles, corpus.groups, strict=True):
        newest[group] = max(newest.get(group, ""), article.date or "")
    dates = np.array([newest[group] for group in corpus.groups])
    test_from = plan.test_from or _cut(dates, plan.test * len(dates))
    older = dates[dates < test_from]
    dev_from = plan.dev_from or _cut(older, plan.dev * len(dates))
    return _rows(corpus, task, np.where(dates >= test_from, TEST, np.where(dates >= dev_from, DEV, TRAIN)))


def check_outlets(corpus: Corpus, outlets: Sequence[str], key: str) -> None:
    """Refuse outlets that no article is of.

    Raises:
        InputError: naming the key of the config, and the outlets that there are.
    """
    known = Counter(article.outlet for article in corpus.articles if article.outlet)
    unknown = sorted(set(outlets) - set(known))
    if unknown or not outlets:
        have = ", ".join(f"{name} ({count:,})" for name, count in known.most_common(12)) or "none"
        asked = f"found {unknown[0]!r}" if unknown else "found none"
        raise InputError(f"{key}: wanted outlets of {corpus.source}: {have}; {asked}")


def _by_outlet(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    check_outlets(corpus, plan.outlets, "split.outlets")
    is_test = np.array([article.outlet in plan.outlets for article in corpus.articles])
    told = {group for group, held in zip(corpus.groups, is_test, strict=True) if held}
    sibling = np.array([group in told for group in corpus.groups])
    share = min(plan.dev / max(1e-9, 1 - plan.test), 0.5)
    parts = _share_out(corpus, (1 - share, share), seed, where=~is_test & ~sibling)
    parts = np.where(is_test, TEST, np.where(sibling, LEFT_OUT, parts))
    rows = _rows(corpus, task, parts)
    reasons["stories that a test outlet also tells"] = int((rows == LEFT_OUT).sum())
    return rows


def _by_target(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    if task != "stance":
        raise InputError(
            "split.by: wanted a split that fits topics, found 'target', which is for stance alone"
        )
    rows = _by_event(corpus, task, plan, seed, reasons)
    targets = [normal_target(record.target) for record in corpus.stances]
    held = held_out_targets(targets, rows == TEST, plan.targets)
    is_held = np.array([target in held for target in targets])
    reasons["test stories, target also in training"] = int(((rows == TEST) & ~is_held).sum())
    reasons["training stories, target held out"] = int(((rows != TEST) & is_held).sum())
    return np.where((rows == TEST) == is_held, rows, LEFT_OUT)


def _as_given(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    missing = sum(split is None for split in corpus.splits)
    if missing:
        raise InputError(
            f"{corpus.source}: split as given: wanted train, dev or test in the 'split' of every article, "
            f"{missing:,} of {len(corpus):,} have none"
        )
    return _rows(corpus, task, np.array([PARTS.index(split or "") for split in corpus.splits]))


def _at_random(corpus: Corpus, task: Task, plan: Plan, seed: int, reasons: dict[str, int]) -> Parts:
    if "random" not in plan.allow_leaks:
        raise InputError("split.by: a random split leaks; to see the gap, name 'random' in split.allow_leaks")
    n_rows = len(truth_of(corpus, task))
    order = np.random.default_rng(seed).permutation(n_rows)
    n_test, n_dev = round(plan.test * n_rows), round(plan.dev * n_rows)
    parts = np.full(n_rows, TRAIN)
    parts[order[:n_test]] = TEST
    parts[order[n_test : n_test + n_dev]] = DEV
    return parts


_MAKERS: dict[By, Callable[[Corpus, Task, Plan, int, dict[str, int]], Parts]] = {
    "event": _by_event,
    "time": _by_time,
    "outlet": _by_outlet,
    "target": _by_target,
    "given": _as_given,
    "random": _at_random,
}


def _share_out(
    corpus: Corpus, shares: Iterable[float], seed: int, *, where: NDArray[np.bool_] | None = None
) -> Parts:
    """Return the part of each article: whole stories, balanced over topics and stance labels at once."""
    counts = np.hstack(
        [
            np.ones((len(corpus), 1)),
            _shares_of_groups(corpus),
            corpus.topics == 1,
            corpus.topics == 0,
            (corpus.topics == 0).all(axis=1, keepdims=True),
            _stance_counts(corpus),
        ]
    )
    chosen = np.ones(len(corpus), bool) if where is None else where
    names, group_of = np.unique(np.asarray(corpus.groups)[chosen], return_inverse=True)
    by_group = np.zeros((len(names), counts.shape[1]))
    np.add.at(by_group, group_of, counts[chosen])
    parts = np.full(len(corpus), LEFT_OUT)
    parts[chosen] = assign(by_group, tuple(shares), seed=seed)[group_of]
    return parts


def _shares_of_groups(corpus: Corpus) -> NDArray[np.float64]:
    """Return one over the size of each article's story: they add up to the number of stories."""
    sizes = Counter(corpus.groups)
    return np.array([[1 / sizes[group]] for group in corpus.groups])


def _stance_counts(corpus: Corpus) -> NDArray[np.float64]:
    """Return the number of stance records of each label by article."""
    if not corpus.stances:
        return np.zeros((len(corpus), 0))
    truth = truth_of(corpus, "stance")
    counts = np.zeros((len(corpus), truth.shape[1]))
    np.add.at(counts, corpus.article_of, truth)
    return counts


def _rows(corpus: Corpus, task: Task, parts: Parts) -> Parts:
    """Return the part of each row of the task from that of its article."""
    return parts if task == "topics" else parts[corpus.article_of]


def _cut(dates: NDArray[np.str_], n_newest: float) -> str:
    """Return the date from which on about so many are newest; those of one day stay together."""
    ordered = np.sort(dates)[::-1]
    return str(ordered[min(len(ordered), max(1, round(n_newest))) - 1]) if len(ordered) else ""
