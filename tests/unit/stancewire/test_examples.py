"""Articles and stance examples: plain values that cannot be changed."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from stancewire import Article, StanceExample


def test_only_what_is_needed_is_required() -> None:
    assert dataclasses.astuple(Article(text="Talks.")) == ("Talks.", "", "", None, None, (), None, {})
    example = StanceExample(sentence="Talks.", target="talks")
    assert (example.holder, example.context) == (None, "")


@pytest.mark.parametrize(
    "value",
    [Article(text="Talks."), StanceExample(sentence="Talks.", target="talks")],
    ids=["article", "stance"],
)
def test_they_can_be_sent_to_other_processes(value: Article | StanceExample) -> None:
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own


@pytest.mark.parametrize("kind", [Article, StanceExample])
def test_fields_are_named(kind: type) -> None:
    with pytest.raises(TypeError):
        kind("Talks.", "talks")


def test_they_cannot_be_changed() -> None:
    for value in (Article(text="Talks."), StanceExample(sentence="Talks.", target="talks")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, "other")
    with pytest.raises(TypeError):
        Article(text="Talks.").extra["key"] = 1  # type: ignore[index]  # the fault under test
