"""Finding integers among many, and the columns of the terms that runs of words stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.features import Form, Runs
from stancewire.runtime.keytable import KeyTable
from stancewire.runtime.vocabulary import Vocabulary

KEYS = st.integers(0, 2**62) | st.integers(0, 40)


@given(st.sets(KEYS, max_size=60), st.lists(KEYS, max_size=60))
def test_a_table_is_a_dictionary(known: set[int], asked: list[int]) -> None:
    keys = np.asarray(sorted(known), dtype=np.int64)
    table = KeyTable(keys, np.arange(len(keys)) + 5)
    wanted = {key: value for value, key in enumerate(keys.tolist(), 5)}
    found = table.find(np.asarray([*asked, *known], dtype=np.int64))
    assert found.tolist() == [wanted.get(key, -1) for key in [*asked, *known]]


def test_keys_that_meet_in_one_slot_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.runtime.keytable._SPREAD", np.uint64(0))
    keys = np.arange(50)
    table = KeyTable(keys, keys * 2)
    assert table.find(np.arange(60)).tolist() == [*(keys * 2).tolist(), *[-1] * 10]


WORDS = ("a", "b", "c", "~a", "TARGET", "é")
RUN = st.lists(st.sampled_from(WORDS), max_size=6)


@given(st.lists(RUN, min_size=1, max_size=5), st.data())
def test_columns_are_the_places_of_the_terms(runs: list[list[str]], data: st.DataObject) -> None:
    """As with texts and a dictionary: for every form, known words and unknown ones."""
    forms = (Form.PAIRED, Form.ALONE, Form.BEHIND)
    heads = [run for run, words in enumerate(runs) if words]  # a run behind a word has that word
    possible = {form: {term for run in heads for term in form.terms(runs[run])} for form in forms}
    terms = [sorted(data.draw(st.sets(st.sampled_from([*sorted(possible[form]), "z z"])))) for form in forms]
    lexicon = sorted({word for run in runs for word in run})
    found = Runs(
        lexicon,
        np.asarray([lexicon.index(word) for run in runs for word in run], dtype=np.int64),
        np.asarray([len(run) for run in runs], dtype=np.int64),
        np.zeros((0, 3), dtype=np.int64),
    )
    asked = [(0, run) for run in range(len(runs))] + [(1, run) for run in range(len(runs))]
    asked += [(2, run) for run in heads]
    blocks, cells = np.asarray(asked, dtype=np.int64).T
    known = Vocabulary(list(zip(forms, terms, strict=True))).find(found, blocks, cells)
    starts = [0, len(terms[0]), len(terms[0]) + len(terms[1])]
    wanted = [
        (cell, starts[block] + terms[block].index(term))
        for cell, (block, run) in enumerate(asked)
        for term in forms[block].terms(runs[run])
        if term in terms[block]
    ]
    assert sorted(zip(*(side.tolist() for side in known), strict=True)) == sorted(wanted)
