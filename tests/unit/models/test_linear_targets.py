"""The target decides: in constructed rows, and in the model of the bundled corpus; never in a blind model."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from models.base import LabelledSet
from models.linear import Linear, LinearConfig
from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES
from tests.corpora import text_of
from tests.unit.models.rows import CORPUS
from training.data.load import read_corpus
from training.data.split import Plan, split_corpus
from training.data.tables import labelled_set

LABELS = ("against", "favor", "unrelated")
PAIRS = (("embargo", "frigate sale"), ("asset freeze", "border talks"), ("visa ban", "drone deal"))


def two_sided_rows() -> LabelledSet:
    """Sentences that welcome one thing and condemn another, asked about both, and about a third."""
    examples, labels, groups = [], [], []
    for number in range(48):
        one, other = PAIRS[number % 3] if number % 2 else PAIRS[number % 3][::-1]
        halves = (f"welcomed the {one}", f"condemned the {other}")
        sentence = f"Oslo {' but '.join(halves[:: (-1) ** (number // 6)])}, {text_of(number, 1, 3)}"
        third = "grain harvest" if number % 4 < 2 else "ferry timetable"
        for label, target in enumerate((other, one, third)):
            examples.append(StanceExample(sentence=sentence, target=f"the {target}"))
            labels.append(label)
            groups.append(f"e{number // 2}")
    truth = np.eye(3, dtype=np.float32)[labels]
    return LabelledSet("stance", tuple(examples), LABELS, truth, tuple(groups))


def fitted(**config: object) -> Linear:
    rows = two_sided_rows()
    return Linear(LinearConfig.model_validate({"regularisation": [10.0]} | config), seed=0).fit(rows, rows)


def labels_of(model: Linear, sentence: str, targets: tuple[str, ...], holder: str | None = None) -> list[str]:
    asked = [StanceExample(sentence=sentence, target=target, holder=holder) for target in targets]
    return [model.labels_[i] for i in model.predict_probabilities(asked).argmax(axis=1)]


def test_swapping_the_target_swaps_the_label_also_of_targets_never_seen() -> None:
    model = fitted()
    sentence = "Lima welcomed the helicopter lease but condemned the fishing boycott"
    targets = ("the helicopter lease", "the fishing boycott", "the opera season")
    assert labels_of(model, sentence, targets) == ["favor", "against", "unrelated"]
    turned = "Lima condemned the helicopter lease but welcomed the fishing boycott"
    assert labels_of(model, turned, targets) == ["against", "favor", "unrelated"]


def test_a_blind_model_cannot_tell_targets_apart() -> None:
    model = fitted(target_blind=True)
    sentence = "Lima welcomed the helicopter lease but condemned the fishing boycott"
    asked = [
        StanceExample(sentence=sentence, target=target, holder=holder)
        for target in ("the helicopter lease", "the fishing boycott", "", "制裁")
        for holder in (None, "Lima")
    ]
    found = model.predict_probabilities(asked)
    assert model.blocks_ == ("sentence",)
    np.testing.assert_array_equal(found, np.repeat(found[:1], len(asked), axis=0))


def test_blocks_of_a_blind_model_do_not_look_at_the_target() -> None:
    features = FEATURES["stance"]
    example = StanceExample(sentence="Oslo never welcomed the embargo", target="the embargo", holder="Oslo")
    other = replace(example, target="talks in Doha", holder=None)
    for name, one, two in zip(
        features.blocks, features.extract(example, 999), features.extract(other, 999), strict=True
    ):
        assert (one == two) == (name in features.target_blind), name


@pytest.fixture(scope="module")
def trained() -> Linear:
    """The stance model of the bundled corpus's train part."""
    corpus = read_corpus(str(CORPUS))
    train = labelled_set(corpus, "stance", split_corpus(corpus, "stance", Plan(), seed=0).train)
    return Linear(LinearConfig(regularisation=(3.0,)), seed=0).fit(train, train)


def test_the_trained_model_leans_by_the_target(trained: Linear) -> None:
    """Chance is one half: of two targets in one sentence, the welcomed one has the greater lean to favor."""
    targets = (
        ("the ceasefire accord", "the sale of tanks to Sudan"),
        ("the oil embargo", "the frigate purchase"),
        ("the asset freeze", "the missile shipment"),
    )
    verbs = (("welcomed", "condemned"), ("backed", "rejected"), ("called for", "warned against"))
    right = []
    for one, other in (*targets, *(pair[::-1] for pair in targets)):
        for yes, no in verbs:
            for sentence in (f"Oslo {yes} {one} but {no} {other}.", f"Oslo {no} {other} but {yes} {one}."):
                asked = [StanceExample(sentence=sentence, target=target) for target in (one, other)]
                found = trained.predict_probabilities(asked)
                lean = found[:, trained.labels_.index("favor")] - found[:, trained.labels_.index("against")]
                right.append(lean[0] > lean[1])
    assert np.mean(right) >= 0.6


def test_the_trained_model_finds_what_a_sentence_does_not_concern(trained: Linear) -> None:
    sentence = "The town is better known for its cheese market and a bridge from 1612."
    assert labels_of(trained, sentence, ("sanctions", "arms trade", "diplomacy")) == ["unrelated"] * 3


@pytest.fixture(scope="module")
def topics() -> Linear:
    """The topics model of the bundled corpus's train part."""
    corpus = read_corpus(str(CORPUS))
    train = labelled_set(corpus, "topics", split_corpus(corpus, "topics", Plan(), seed=0).train)
    return Linear(LinearConfig(regularisation=(3.0,)), seed=0).fit(train, train)


def topics_of(model: Linear, title: str, text: str) -> set[str]:
    found = model.predict_probabilities([Article(title=title, text=text)])[0]
    return {label for label, probability in zip(model.labels_, found, strict=True) if probability > 0.5}


def test_the_sample_articles(topics: Linear) -> None:
    samples = CORPUS.parent / "samples"
    found = {}
    for name in ("shells", "football"):
        title, text = re.split(r"\n+", (samples / f"{name}.txt").read_text(encoding="utf-8"), maxsplit=1)
        found[name] = topics_of(topics, title, text)
    assert found == {"shells": {"arms_trade", "diplomacy", "sanctions"}, "football": set()}


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (
            "Governing body hands club a transfer ban over unpaid wages",
            "The sport's governing body has sanctioned the club with a two-window transfer ban and a fine "
            "after it failed to pay former players. The coach called the sanctions harsh. The club said "
            "it would appeal, and that the team would focus on Sunday's derby.",
        ),
        (
            "Water pistols are this summer's best-selling toy",
            "Retailers say sales of toy guns have doubled since June as a heat wave keeps children outdoors. "
            "The most popular model, a foam-dart blaster that looks like a tank, sold out within a week.",
        ),
        (
            "Council sanctions new cycle path",
            "The city council on Tuesday sanctioned the construction of a cycle path along the river. "
            "The mayor said work would begin in the autumn. Shopkeepers had opposed the plan.",
        ),
        (
            "Police seize pistols in raid on city flat",
            "Officers searched a flat in the north of the city on Monday and found four pistols, a shotgun "
            "and 300 rounds of ammunition. Two men were arrested and will appear before magistrates.",
        ),
    ],
)
def test_look_alikes_have_no_topic(topics: Linear, title: str, text: str) -> None:
    assert topics_of(topics, title, text) == set()
