"""What models say of text that is about nothing of theirs: how freely they tag, how freely they take sides.

Run `python -m benchmarks.out_of_domain FOLDER ARTEFACT [ARTEFACT ...]`, where FOLDER holds newsmtsc and
congress114. Sentences of political news, alone and six strung together, and titles of bills: most of them are
about none of our topics, so the share that is tagged is an upper bound of what is tagged wrongly. Of bills we
know more, for their subjects are given. Stance is asked toward the three generic targets, of sentences that
hold none of the target's words: nearly all of them are unrelated to it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import stancewire
from benchmarks.public_sets import lines
from benchmarks.told import end_with
from stancewire.examples import StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor

Rows: TypeAlias = Sequence[Mapping[str, Any]]
# A sentence with such a word may concern the target.
WORDS = {
    "arms trade": ("arm", "weapon", "sale", "missile", "military"),
    "sanctions": ("sanction", "embargo", "restrict", "tariff"),
    "diplomacy": ("diplom", "talk", "negotiat", "meet", "summit", "treaty", "agreement", "ambassador"),
}
_TOGETHER, _SEED = 6, 5


def sentences_of(folder: Path) -> list[str]:
    """Return the sentences of political news, each once."""
    parts = ("dev", "dev_multi_target")
    return sorted({row["text"] for part in parts for row in lines(folder / "newsmtsc" / f"{part}.jsonl")})


def strung(sentences: Sequence[str]) -> list[str]:
    """Return texts of six sentences that have nothing to do with each other."""
    order = np.random.default_rng(_SEED).permutation(len(sentences))
    return [
        " ".join(sentences[i] for i in order[start : start + _TOGETHER])
        for start in range(0, len(order) - _TOGETHER + 1, _TOGETHER)
    ]


def tell_topics(predictor: TopicsPredictor, sentences: Sequence[str], bills: Rows) -> None:
    """Print the share of texts with each topic, and how right the tags of bills are."""
    for name, texts in (("sentences", sentences), ("six strung together", strung(sentences))):
        found = Counter(label for one in predictor.predict(texts) for label in one.labels)
        shares = ", ".join(f"{label} {found[label] / len(texts):.1%}" for label in predictor.labels)
        print(f"  {name} ({len(texts):,}): {shares}")
    tagged = [one.labels for one in predictor.predict([bill["text"] for bill in bills])]
    for label in predictor.labels:
        held = [label in bill["topics"] for bill in bills]
        said = [label in labels for labels in tagged]
        right = sum(h and s for h, s in zip(held, said, strict=True))
        print(f"  bills, {label}: {sum(held)} have it, {sum(said)} are tagged, {right} of them rightly")


def tell_stance(predictor: StancePredictor, sentences: Sequence[str], bills: Rows) -> None:
    """Print the share of each stance toward targets that the texts have no word of."""
    titles = [bill["text"] for bill in bills if not bill["topics"]]
    for name, texts in (("sentences", sentences), ("bills", titles)):
        for target, words in WORDS.items():
            asked = [text for text in texts if not any(word in text.casefold() for word in words)]
            decided = predictor.decide([StanceExample(sentence=text, target=target) for text in asked])
            found = Counter(one.label for one in decided)
            shares = ", ".join(f"{label} {found[label] / len(asked):.1%}" for label in predictor.labels)
            print(f"  {name} toward {target} ({len(asked):,}): {shares}")


def main() -> None:
    """Print what each artefact says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds newsmtsc and congress114")
    parser.add_argument("artefacts", nargs="+", help="of topics or of stance")
    arguments = parser.parse_args()
    sentences = sentences_of(arguments.folder)
    bills = lines(arguments.folder / "congress114" / "dev.jsonl")
    for name in arguments.artefacts:
        predictor = stancewire.load(name)
        print(f"{name}:")
        if isinstance(predictor, TopicsPredictor):
            tell_topics(predictor, sentences, bills)
        else:
            tell_stance(predictor, sentences, bills)


if __name__ == "__main__":
    raise SystemExit(end_with(main))
