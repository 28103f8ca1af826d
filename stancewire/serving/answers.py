"""The lines of an answer: one per row and label, target or sentence, with the columns of the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from stancewire.predictor import Provenance, Score, StancePrediction, TopicsPrediction
from stancewire.reading import Reading
from stancewire.rollup import AGAINST, FAVOR, NEUTRAL, SentenceStance, TargetReading
from stancewire.serving.evidence import Evidence
from stancewire.serving.params import Options
from stancewire.serving.schema import OUTPUT_COLUMNS

Line: TypeAlias = Mapping[str, Any]


def topics_lines(
    id_: str | None, prediction: TopicsPrediction, evidence: Mapping[str, Evidence]
) -> list[Line]:
    """Return one line per topic."""
    return [
        {
            "id": id_,
            **_score(score),
            **_evidence(evidence.get(score.label)),
            **_source(prediction.warnings, prediction.provenance),
        }
        for score in prediction.scores
    ]


def stance_lines(id_: str | None, prediction: StancePrediction) -> list[Line]:
    """Return one line per stance."""
    return [
        {"id": id_, **_score(score), **_source(prediction.warnings, prediction.provenance)}
        for score in prediction.scores
    ]


def reading_lines(id_: str | None, reading: Reading, options: Options) -> list[Line]:
    """Return a line per topic, then for each target its own and, as evidence, those of its sentences."""
    lines = [
        _reading_line(
            id_,
            reading,
            reading.topics_model,
            kind="topic",
            target=topic.name,
            topic=topic.label,
            label=topic.label,
            probability=topic.probability,
            threshold=topic.threshold,
            decision=topic.decision,
            review=topic.review,
        )
        for topic in reading.topics
    ]
    for target in reading.targets:
        lines.append(_target_line(id_, reading, target))
        if options.evidence:
            stances = [stance for stance in reading.stances if stance.target == target.target]
            for stance in _chosen(stances, target, options.max_sentences):
                lines.append(_sentence_line(id_, reading, target, stance))
    return lines


def _chosen(
    stances: Sequence[SentenceStance], target: TargetReading, at_most: int | None
) -> list[SentenceStance]:
    """Return the sentences to tell of, in the order of the text; deciding, then probable ones go first."""
    if at_most is None or len(stances) <= at_most:
        return list(stances)
    rank = sorted(stances, key=lambda stance: (stance not in target.deciding, -stance.probability))
    kept = rank[:at_most]
    return [stance for stance in stances if stance in kept]


def _target_line(id_: str | None, reading: Reading, target: TargetReading) -> Line:
    return _reading_line(
        id_,
        reading,
        reading.stance_model,
        kind="target",
        target=target.target,
        topic=target.topic,
        label=target.verdict,
        net=target.net,
        **{side: target.counts[side] for side in (FAVOR, AGAINST, NEUTRAL)},
    )


def _sentence_line(id_: str | None, reading: Reading, target: TargetReading, stance: SentenceStance) -> Line:
    return _reading_line(
        id_,
        reading,
        reading.stance_model,
        kind="sentence",
        target=stance.target,
        topic=target.topic,
        label=stance.label,
        probability=stance.probability,
        review=stance.review,
        sentence=stance.sentence,
        start=stance.start,
        end=stance.end,
        holder=stance.holder.text if stance.holder else None,
        deciding=stance in target.deciding,
    )


def _reading_line(id_: str | None, reading: Reading, model: Provenance | None, **values: object) -> Line:
    return {
        **dict.fromkeys(OUTPUT_COLUMNS["reader"]),
        "id": id_,
        **values,
        **_source(reading.warnings, model),
    }


def _score(score: Score) -> Line:
    return {
        "label": score.label,
        "probability": float(score.probability),
        "decision": bool(score.decision),
        "threshold": float(score.threshold),
        "review": bool(score.review),
    }


def _evidence(evidence: Evidence | None) -> Line:
    return {
        "evidence": evidence and evidence.sentence,
        "start": evidence and evidence.start,
        "end": evidence and evidence.end,
        "evidence_probability": evidence and evidence.probability,
    }


def _source(warnings: Sequence[str], source: Provenance | None) -> Line:
    return {
        "warnings": " ".join(warnings),
        "model": source and f"{source.model}@{source.digest[:12]}",
        "codebook": source and f"{source.codebook_id}@{source.codebook_version}",
    }
