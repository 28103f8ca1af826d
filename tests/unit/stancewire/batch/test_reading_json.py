"""What is written of a reading is what json writes of `to_dict`, byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.batch.reading_json import reading_json
from stancewire.drafts import TopicReading
from stancewire.examples import Article
from stancewire.predictor import Provenance
from stancewire.reading import Reader, Reading
from tests.batch_cases import TEXTS

# Quotes, controls, a line separator, what needs four bytes; and of the caller's texts a lone surrogate.
_MARKS = 'a"\\/\n\x00\x7f\u00e9\u2028\U0001f600'
STORABLE = st.text(_MARKS, max_size=6)
ANY = st.text(_MARKS + "\ud800", max_size=6)
SHARE = st.floats(0, 1)
COUNT = st.integers(0, 2**40)
MODELS = st.builds(
    Provenance, model=STORABLE, digest=STORABLE, codebook_id=STORABLE, codebook_version=STORABLE
)
READINGS = st.builds(
    Reading,
    article=st.builds(Article, text=ANY, id=ANY, title=ANY, date=st.none() | ANY, outlet=st.none() | ANY),
    topics=st.lists(
        st.builds(
            TopicReading,
            label=STORABLE,
            name=STORABLE,
            probability=SHARE,
            threshold=SHARE,
            decision=st.booleans(),
            review=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    targets=st.just(()),
    stances=st.just(()),
    sentences=COUNT,
    cut_chars=COUNT,
    cut_share=SHARE,
    mixed_script=st.lists(STORABLE, max_size=2).map(tuple),
    warnings=st.lists(STORABLE, max_size=2).map(tuple),
    topics_model=MODELS,
    stance_model=st.none() | MODELS,
)


def written(reading: Reading) -> str:
    return json.dumps(reading.to_dict(), ensure_ascii=False, allow_nan=False)


@settings(max_examples=50, deadline=None)
@given(READINGS)
def test_the_same_text_as_json_writes(reading: Reading) -> None:
    assert reading_json(reading) == written(reading)


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_text_of_what_models_say(reader: Reader, text: str) -> None:
    article = Article(id="a1", title="A headline", text=text)
    alone = Reader(reader.topics).read(article)
    both = reader.read(article)
    assert (reading_json(alone), reading_json(both)) == (written(alone), written(both))
