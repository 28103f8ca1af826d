"""The pool: articles that nobody labelled yet, as questions that a model can be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.examples import Article, StanceExample
from stancewire.manifest import Manifest
from stancewire.predictor import BATCH_ROWS, TopicsPredictor
from stancewire.sentences import split_sentences
from stancewire.text import clean, clean_with_offsets
from stancewire.wording import fold
from training.data.duplicates import clusters, near_duplicates
from training.data.examine import Examined, examine
from training.data.faults import refusal
from training.data.rows import LabelledArticle
from training.data.schema import Schema
from training.data.sources import Format, open_source
from training.report.seen import Seen, digests_of

Targets = Mapping[str, str | None]
TargetsOf = Callable[[LabelledArticle], Targets]

# Shorter sentences are headings, fragments and asides: their stance teaches little.
_MIN_WORDS = 4


@dataclass(frozen=True)
class Candidate:
    """One question: the topics of an article, or the stance of a sentence toward a target.

    Attributes:
        row: the article, with the topics that it has already.
        example: what a model is asked.
        story: cluster of the article: its event and near-duplicates.
        sentence: as it stands in the article, to the character; "" for topics.
        target_topic: the topic that a stance target belongs to, or None.
    """

    row: LabelledArticle
    example: Article | StanceExample
    story: str
    sentence: str = ""
    target_topic: str | None = None


@dataclass(frozen=True)
class Pool:
    """What may be asked.

    Attributes:
        source: name of the file.
        task: what is asked.
        candidates: in the order of the file.
        n_articles: in the file.
        left_out: why articles, or sentences, are no candidates, with counts.
    """

    source: str
    task: Task
    candidates: tuple[Candidate, ...]
    n_articles: int
    left_out: Mapping[str, int]


def read_rows(
    path: str, schema: Schema, *, format: Format = "auto", delimiter: str | None = None
) -> Examined:
    """Read a pool, or articles that are labelled already, strictly.

    Raises:
        InputError: if it cannot be read, has faults, or holds no article.
    """
    found = examine(open_source(path, format=format, delimiter=delimiter), schema)
    if found.errors:
        raise InputError(refusal(path, found.errors, n_rows=len(found.articles)))
    if not found.articles:
        raise InputError(f"{path}: wanted articles, found no row; see docs/data.md for the schema")
    return found


def make_pool(
    pool: Examined, manifest: Manifest, *, labelled: Examined | None = None, targets: TargetsOf | None = None
) -> Pool:
    """Return the questions of a pool that are worth a person's time.

    Left out are articles that have labels of the task, other tellings of their stories, and texts that the
    model has learned from or was tuned on.

    Args:
        pool: articles.
        manifest: of the model; its task is asked.
        labelled: further articles whose stories need no more labels.
        targets: of stance, which targets each article's sentences are asked about.

    Raises:
        InputError: if nothing is left.
    """
    task = manifest.task
    left_out: Counter[str] = Counter()
    rows = [*pool.articles, *(labelled.articles if labelled else ())]
    stories = _stories(rows)
    done = [number >= len(pool.articles) or _is_labelled(row, task) for number, row in enumerate(rows)]
    told = {story for story, is_done in zip(stories, done, strict=True) if is_done}
    seen = _SeenTexts(manifest)
    candidates: list[Candidate] = []
    for number, row in enumerate(pool.articles):
        if done[number]:
            left_out["articles that are labelled already"] += 1
        elif stories[number] in told:
            left_out["articles of a story that is labelled already"] += 1
        elif task == "topics":
            if not clean(row.article.text).strip():
                left_out["articles without a readable character"] += 1
            elif seen.holds(row.article.text):
                left_out["articles that the model has seen"] += 1
            else:
                candidates.append(Candidate(row, row.article, stories[number]))
        else:
            asked = targets(row) if targets else {}
            left_out["articles without a target"] += not asked
            for found in _sentences(row, stories[number], asked, manifest.max_chars):
                if seen.holds(found.sentence):
                    left_out["sentences that the model has seen, by target"] += 1
                else:
                    candidates.append(found)
    kept = {what: count for what, count in left_out.items() if count}
    if not candidates:
        why = "; ".join(f"{what}: {count:,}" for what, count in kept.items())
        raise InputError(
            f"{pool.source}: wanted articles to label, all {len(pool.articles):,} are left out ({why}); "
            "name a pool with new articles"
        )
    return Pool(pool.source, task, tuple(candidates), len(pool.articles), kept)


def topic_targets(names: Mapping[str, str]) -> TargetsOf:
    """Ask about the topics that people gave the article.

    Args:
        names: phrase for people by topic.
    """
    return lambda row: {names.get(topic, topic): topic for topic, holds in row.topics.items() if holds}


def decided_targets(topics: TopicsPredictor, rows: Sequence[LabelledArticle]) -> TargetsOf:
    """Ask about the topics that a model decides, as readings do."""
    names = topics.artefact.manifest.codebook.names
    labels: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(rows), BATCH_ROWS):
        batch = rows[start : start + BATCH_ROWS]
        for row, found in zip(batch, topics.predict([row.article for row in batch]), strict=True):
            labels[row.article.id] = found.labels
    return lambda row: {names.get(topic, topic): topic for topic in labels[row.article.id]}


def _stories(rows: Sequence[LabelledArticle]) -> tuple[str, ...]:
    """Return the story cluster of each article; two files may use an id twice."""
    pairs = near_duplicates([row.article.text for row in rows])
    names = [f"{number} {row.article.id}" for number, row in enumerate(rows)]
    return clusters(names, [row.article.event for row in rows], pairs)


def _is_labelled(row: LabelledArticle, task: Task) -> bool:
    if task == "stance":
        return bool(row.stances)
    return any(holds is not None for holds in row.topics.values())


def _sentences(row: LabelledArticle, story: str, targets: Targets, max_chars: int) -> Iterator[Candidate]:
    if not targets:
        return
    text = clean_with_offsets(row.article.text, max_chars=max_chars)
    context = ""
    done: set[str] = set()
    for span in split_sentences(text.text):
        start, end = text.original_span(*span)
        sentence = row.article.text[start:end]
        key = fold(sentence)
        if key.count(" ") + 1 >= _MIN_WORDS and key not in done:
            done.add(key)
            for target, topic in targets.items():
                example = StanceExample(sentence=sentence, target=target, context=context)
                yield Candidate(row, example, story, sentence, topic)
        context = text.text[slice(*span)]


class _SeenTexts:
    """Texts that taught or tuned a model, as far as its manifest tells."""

    def __init__(self, manifest: Manifest) -> None:
        seen = Seen.of(manifest)
        self._digests = (
            frozenset()
            if seen is None
            else frozenset([*seen.train.digests.tolist(), *seen.dev.digests.tolist()])
        )

    def holds(self, text: str) -> bool:
        return bool(self._digests) and int(digests_of([fold(text)])[0]) in self._digests
