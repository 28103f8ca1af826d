"""How far the annotators of a corpus agree: by label, by person, and where they do not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from training.auditing.agreement import agreement
from training.auditing.annotations import Annotations, people

SHOWN = 40

Unit = dict[str, Hashable]
Units = Sequence[Mapping[str, Hashable]]


def agree(annotations: Annotations, *, samples: int, confidence: float, seed: int) -> dict[str, Any]:
    """Return agreement on topics and stance; a task that nobody labelled is None.

    Topics: alpha of each topic, and of whole sets of topics as one nominal value. Stance: of the four
    labels, and of each against the others.
    """
    settings: dict[str, Any] = {"samples": samples, "confidence": confidence, "seed": seed}

    def alpha(units: Units, articles: Sequence[str]) -> dict[str, Any]:
        return asdict(agreement(units, articles, **settings))

    found: dict[str, Any] = {"annotators": list(people(annotations)), "topics": None, "stance": None}
    if annotations.topics:
        articles = list(annotations.topics)
        said = list(annotations.topics.values())
        sets = [_whole_sets(unit) for unit in said]
        names = next(iter(said[0].values()))
        found["topics"] = {
            "whole": alpha(sets, articles),
            "labels": {name: alpha([_of_topic(unit, name) for unit in said], articles) for name in names},
            "people": _people(sets),
            "disputed": _disputed(sets, [{"article": article} for article in articles]),
        }
    if annotations.stances:
        keys = list(annotations.stances)
        units: list[Unit] = [dict(unit) for unit in annotations.stances.values()]
        articles = [key[0] for key in keys]
        labels = sorted({str(label) for unit in units for label in unit.values()})
        told = [dict(zip(("article", "sentence", "target", "holder"), key, strict=True)) for key in keys]
        found["stance"] = {
            "whole": alpha(units, articles),
            "labels": {
                label: alpha([{who: said == label for who, said in unit.items()} for unit in units], articles)
                for label in labels
            },
            "people": _people(units),
            "disputed": _disputed(units, told),
        }
    return found


def _of_topic(unit: Mapping[str, Mapping[str, bool | None]], topic: str) -> Unit:
    return {who: held[topic] for who, held in unit.items() if held[topic] is not None}


def _whole_sets(unit: Mapping[str, Mapping[str, bool | None]]) -> Unit:
    """Return the set of topics of everybody who looked at all of them."""
    return {
        who: " + ".join(topic for topic, holds in held.items() if holds) or "none"
        for who, held in unit.items()
        if None not in held.values()
    }


def _people(units: Units) -> dict[str, dict[str, Any]]:
    """Return how much everybody labelled, and how often each agrees with another one on the same unit."""
    counts: dict[str, list[int]] = {}
    for unit in units:
        for who in unit:
            counts.setdefault(who, [0, 0, 0])[0] += 1
        for one, other in combinations(unit, 2):
            for who in (one, other):
                counts[who][1] += 1
                counts[who][2] += unit[one] == unit[other]
    return {
        who: {"labelled": labelled, "pairs": pairs, "agrees": same / pairs if pairs else None}
        for who, (labelled, pairs, same) in sorted(counts.items())
    }


def _disputed(units: Units, told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the units with more than one label, those with the most pairs apart first."""
    apart = [
        sum(unit[one] != unit[other] for one, other in combinations(unit, 2)) / max(1, len(unit))
        for unit in units
    ]
    order = sorted((number for number, share in enumerate(apart) if share), key=lambda n: (-apart[n], n))
    shown = [{**told[number], "said": dict(sorted(units[number].items()))} for number in order[:SHOWN]]
    return {"found": len(order), "shown": shown}
