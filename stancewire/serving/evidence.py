"""Which sentence speaks for a topic: the one that, read alone, gives the topic the highest probability.

That is what the model says of a sentence, not a proof of why it decided: a topic may hold by many sentences
that are weak alone. Where no sentence alone holds a word that the model knows, there is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stancewire.examples import Article
from stancewire.predictor import TopicsPrediction, TopicsPredictor
from stancewire.sentences import split_sentences
from stancewire.text import clean_with_offsets

MAX_SENTENCES = 200
"""Of an article that are read alone; evidence is looked for in no later one."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence as the model reads it, where it stands in the text that was given, and its probability."""

    sentence: str
    start: int
    end: int
    probability: float


def topic_evidence(
    predictor: TopicsPredictor, articles: Sequence[Article], predictions: Sequence[TopicsPrediction]
) -> list[dict[str, Evidence]]:
    """Return for each article the evidence of its decided topics, by label."""
    sentences = [
        list(_sentences(article.text, predictor.artefact.manifest.max_chars)) if prediction.labels else []
        for article, prediction in zip(articles, predictions, strict=True)
    ]
    answers = iter(predictor.predict([Article(text=one[0]) for found in sentences for one in found]))
    return [
        _strongest(prediction.labels, {one: next(answers) for one in found})
        for prediction, found in zip(predictions, sentences, strict=True)
    ]


def _sentences(text: str, max_chars: int) -> Iterator[tuple[str, int, int]]:
    cleaned = clean_with_offsets(text, max_chars=max_chars)
    for span in split_sentences(cleaned.text)[:MAX_SENTENCES]:
        sentence = cleaned.text[slice(*span)]
        if any(map(str.isalnum, sentence)):
            yield (sentence, *cleaned.original_span(*span))


def _strongest(
    labels: Sequence[str], answers: Mapping[tuple[str, int, int], TopicsPrediction]
) -> dict[str, Evidence]:
    """Return the most probable sentence of each label; of equal ones the first."""
    found: dict[str, Evidence] = {}
    for sentence, prediction in answers.items():
        if "no_known_features" in prediction.warnings:
            continue
        for score in prediction.scores:
            before = found.get(score.label)
            if score.label in labels and (before is None or score.probability > before.probability):
                found[score.label] = Evidence(*sentence, score.probability)
    return found
