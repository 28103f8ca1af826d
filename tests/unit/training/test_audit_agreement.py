"""Krippendorff's alpha against published worked examples, and the file of annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.errors import InputError
from tests.corpora import corpus_of, rows_of, write_jsonl
from training.auditing.agree import agree
from training.auditing.agreement import Agreement, agreement, alpha, coincidences
from training.auditing.annotations import people, read_annotations
from training.data.load import Corpus

SETTINGS: dict[str, Any] = {"samples": 200, "confidence": 0.95, "seed": 0}


def units_of(*annotators: str) -> list[dict[str, str]]:
    """Units from one line for each annotator, a value a character; a full stop is left out."""
    return [
        {str(who): value for who, value in enumerate(values) if value != "."}
        for values in zip(*(line.split() for line in annotators), strict=True)
    ]


def found(units: Sequence[Mapping[str, str]]) -> Agreement:
    return agreement(units, [str(number) for number in range(len(units))], **SETTINGS)


@pytest.mark.parametrize(
    ("annotators", "wanted"),
    [
        # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", examples A to C.
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),
    ],
)
def test_published_examples(annotators: tuple[str, ...], wanted: float) -> None:
    told = found(units_of(*annotators))
    assert told.alpha is not None
    assert round(told.alpha, 3) == wanted
    assert told.low is not None
    assert told.high is not None
    assert told.low < wanted < told.high


def test_a_unit_with_one_label_tells_nothing() -> None:
    units = units_of("a b a b c", "a b b b .")
    assert found(units).units == 4
    assert found(units) == found(units[:4])


@pytest.mark.parametrize("units", [[], [{"x": "a"}, {"y": "b"}], [{"x": "a", "y": "a"}] * 3])
def test_no_pair_and_no_second_value_leave_it_undefined(units: list[dict[str, str]]) -> None:
    told = found(units)
    assert (told.alpha, told.low, told.high) == (None, None, None)
    assert told.observed == (1.0 if len(units) == 3 else None)


def test_by_hand() -> None:
    """Two people, four units, one disagreement: o = 2 of n = 8; expected 2 * 5 * 3 / 7."""
    told = found(units_of("a a a b", "a a b b"))
    assert told.alpha == pytest.approx(1 - 2 / (2 * 5 * 3 / 7))
    assert told.observed == pytest.approx(6 / 8)


def test_articles_are_resampled_whole() -> None:
    """All disagreement sits in one article: the interval is wider than if every unit were one."""
    units = units_of("a b a b a b a b a a a a", "a b a b a b a b b b b b")
    articles = [str(number // 4) for number in range(12)]
    whole, single = agreement(units, articles, **SETTINGS), found(units)
    assert whole.alpha == single.alpha
    assert None not in (whole.low, whole.high, single.low, single.high)
    width = np.subtract(whole.high, whole.low)  # type: ignore[arg-type]
    assert width > np.subtract(single.high, single.low)  # type: ignore[arg-type]


def test_units_keep_their_article() -> None:
    """Without the one article that is disputed, agreement is perfect: a quarter of the resamples says so."""
    units = units_of("a a a a b b a b c d", "a a a a b b a b d e")
    told = agreement(units, ["calm"] * 8 + ["disputed"] * 2, **SETTINGS)
    assert told.high == 1
    assert told.alpha is not None
    assert told.alpha < 0.8


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.sampled_from("abc")), min_size=1, max_size=9))
def test_alpha_is_at_most_one_and_knows_no_names(units: list[dict[str, str]]) -> None:
    told = found(units)
    other = found(
        [{who: {"a": "c", "b": "a", "c": "b"}[said] for who, said in unit.items()} for unit in units]
    )
    assert (told.alpha is None) == (other.alpha is None)
    if told.alpha is not None:
        assert told.alpha <= 1 + 1e-12
        assert told.alpha == pytest.approx(other.alpha)
    matrices = coincidences(units, "abc")
    assert matrices.sum() == pytest.approx(sum(len(unit) for unit in units if len(unit) > 1))
    assert np.isnan(alpha(matrices.sum(axis=0))) == (told.alpha is None)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return corpus_of(tmp_path_factory.mktemp("corpus"), rows_of(6))


def said(who: str, topics: object = ("sanctions",), **changes: object) -> dict[str, Any]:
    return {"id": "a001", "annotator": who, "topics": topics} | changes


def stance(who: str, label: str = "favor", **changes: object) -> dict[str, Any]:
    row = {"id": "a001", "annotator": who, "sentence": "They met.", "target": "talks", "label": label}
    return row | changes


def test_annotations_are_read_and_counted(tmp_path: Path, corpus: Corpus) -> None:
    rows = [
        said("Ada", ["sanctions"]),
        said("Ben", {"sanctions": True, "diplomacy": False}),
        said("Cleo", []),
        said("Ada", ["diplomacy"], id="a002"),
        said("Ben", ["diplomacy"], id="a002"),
        stance("Ada", "favor", holder="They"),
        stance("Ben", "against", holder="They"),
        stance("Cleo", "favor"),
    ]
    read = read_annotations(str(write_jsonl(tmp_path / "a.jsonl", rows)), corpus)
    assert list(people(read)) == ["Ada", "Ben", "Cleo"]
    assert read.topics["a001"]["Ben"] == {"arms_trade": None, "diplomacy": False, "sanctions": True}
    assert read.topics["a001"]["Cleo"] == {"arms_trade": False, "diplomacy": False, "sanctions": False}
    told = agree(read, **SETTINGS)
    topics = told["topics"]
    assert topics["labels"]["arms_trade"]["alpha"] is None
    assert topics["labels"]["diplomacy"]["alpha"] == 1
    assert topics["labels"]["sanctions"]["units"] == 2
    assert topics["people"]["Ada"] == {"labelled": 2, "pairs": 2, "agrees": 0.5}
    assert topics["people"]["Ben"]["labelled"] == 1  # only whole sets count
    assert topics["disputed"]["found"] == 1
    assert topics["disputed"]["shown"][0]["said"] == {"Ada": "sanctions", "Cleo": "none"}
    assert told["stance"]["whole"]["units"] == 1  # another holder is another unit
    assert told["stance"]["disputed"]["shown"] == [
        {
            "article": "a001",
            "sentence": "They met.",
            "target": "talks",
            "holder": "They",
            "said": {"Ada": "favor", "Ben": "against"},
        }
    ]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([], "found no line"),
        ([said("Ada", id="zzz")], "no article of the corpus has the id 'zzz'"),
        ([said(" ")], "wanted 'annotator' to be a text"),
        ([said("Ada", ["sport"])], "no topic is named 'sport'"),
        ([said("Ada", {"sanctions": 1})], "wanted true, false or null"),
        ([said("Ada", None)], "wanted 'topics' to be a list or a mapping"),
        ([said("Ada"), said("Ada", [])], "line 2: 'Ada' has said this already"),
        ([stance("Ada"), stance("Ada", "against")], "line 2: 'Ada' has said this already"),
        ([stance("Ada", "maybe")], "no stance is named 'maybe'"),
        ([stance("Ada", holder=3)], "wanted 'holder' to be a text or null"),
        ([stance("Ada") | {"topics": []}], "wanted either 'topics'"),
        ([{"id": "a001", "annotator": "Ada"}], "wanted either 'topics'"),
        ([stance("Ada", target="")], "wanted 'target' to be a text"),
        ([said("Ada", mood="good")], "unknown field 'mood'"),
        (["not an object"], "line 1: "),
    ],
)
def test_a_faulty_file_is_one_clear_error(
    tmp_path: Path, corpus: Corpus, rows: list[object], wanted: str
) -> None:
    with pytest.raises(InputError, match=re.escape(wanted)):
        read_annotations(str(write_jsonl(tmp_path / "a.jsonl", rows)), corpus)


def test_many_faults_are_counted(tmp_path: Path, corpus: Corpus) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [said("Ada", ["sport"])] * 9)
    with pytest.raises(InputError, match="found 9 faults in 9 lines") as caught:
        read_annotations(str(path), corpus)
    assert str(caught.value).endswith("and 4 more")
    assert json.dumps(str(caught.value)).count("sport") == 5
