"""Digests of what a model has seen: whole or a sample, and never mistaken."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from models.base import LabelledSet
from stancewire.errors import ArtefactError
from stancewire.examples import Article
from stancewire.manifest import Manifest
from stancewire.strictjson import JsonValue
from stancewire.terminal import print_artefact
from tests.small_models import small_artefact, stance_rows, topics_rows
from training.report import seen as module
from training.report.seen import SECTION, Seen, digests_of, seen_section, text_digests

NONE = np.zeros((99, 0), np.float32)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return small_artefact(tmp_path_factory.mktemp("seen"), "stance").manifest


def with_section(manifest: Manifest, section: object) -> Manifest:
    return replace(manifest, provenance={SECTION: cast("JsonValue", section)})


def seen_of(manifest: Manifest, section: object) -> Seen:
    found = Seen.of(with_section(manifest, section))
    assert found is not None
    return found


def test_every_row_of_train_and_dev_is_known_and_no_other(manifest: Manifest) -> None:
    rows = stance_rows()
    train, dev, other = rows.take(range(4)), rows.take(range(4, 8)), rows.take(range(8, 12))
    assert len(set(text_digests(rows).tolist())) == 12
    found = seen_of(manifest, seen_section(train, dev))
    assert found.whole
    assert found.train.holds(text_digests(train)).all()
    assert found.dev.holds(text_digests(dev)).all()
    assert not found.train.holds(text_digests(dev)).any()
    assert not found.train.holds(text_digests(other)).any()


def test_targets_are_those_of_train_however_they_are_spelt(manifest: Manifest) -> None:
    rows = stance_rows()
    found = seen_of(manifest, seen_section(rows.take([0]), rows.take([1])))
    assert found.targets.holds(digests_of(["embargo"])).tolist() == [True]
    assert found.targets.holds(digests_of(["talks"])).tolist() == [False]


def test_a_text_is_known_by_its_words_alone() -> None:
    rows = topics_rows().take([0, 1])
    one, other = Article(text="The  envoys met, twice."), Article(text="the envoys — met twice", title="x")
    same = replace(rows, examples=(one, other))
    assert len(set(text_digests(same).tolist())) == 1
    retouched = replace(rows, examples=(one, Article(text="The envoys met once.")))
    assert len(set(text_digests(retouched).tolist())) == 2


def test_a_sample_knows_that_it_is_one(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 5)
    rows = stance_rows()
    found = seen_of(manifest, seen_section(rows, rows.take([0])))
    digests = np.unique(text_digests(rows))
    assert (len(found.train.digests), found.train.distinct) == (5, len(digests))
    assert not found.train.whole
    assert not found.whole
    assert found.dev.whole
    assert found.train.digests.tolist() == digests[:5].tolist()


@given(st.lists(st.text(), max_size=20))
def test_digests_survive_packing(texts: list[str]) -> None:
    digests = digests_of(texts)
    found = module._unpack(module._pack(digests))
    assert found.digests.tolist() == sorted(set(digests.tolist()))
    assert found.holds(digests).all()


@pytest.mark.parametrize(
    "section",
    [
        {},
        [],
        {"train": 1, "dev": 1, "targets": 1},
        {name: {"distinct": 1, "digests": "?"} for name in ("train", "dev", "targets")},
        {name: {"distinct": 1, "digests": "AAAA"} for name in ("train", "dev", "targets")},
        {name: {"distinct": 0, "digests": "AAAAAAAAAAA="} for name in ("train", "dev", "targets")},
        {name: {"distinct": True, "digests": ""} for name in ("train", "dev", "targets")},
    ],
)
def test_a_section_that_is_none_is_refused(manifest: Manifest, section: object) -> None:
    with pytest.raises(ArtefactError, match="train again"):
        Seen.of(with_section(manifest, section))


def test_people_are_shown_the_beginning_of_the_digests(tmp_path: Path) -> None:
    artefact = small_artefact(tmp_path, "stance")
    texts = LabelledSet("topics", tuple(Article(text=f"Story {i}.") for i in range(99)), (), NONE, ("",) * 99)
    known = replace(artefact, manifest=with_section(artefact.manifest, seen_section(texts, texts)))
    stream = StringIO()
    print_artefact(Console(file=stream, width=1000), known)
    (line,) = [one for one in stream.getvalue().splitlines() if "train_digests.dev.digests" in one]
    assert re.search(r" \S{200}… \(1,056 characters\)$", line.rstrip())


def test_an_artefact_without_the_section_says_nothing(tmp_path: Path) -> None:
    assert Seen.of(small_artefact(tmp_path, "topics").manifest) is None
