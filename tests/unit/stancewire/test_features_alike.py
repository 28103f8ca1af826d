"""Reading many rows at once gives the terms of reading each alone, word by word."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES, FEATURES_VERSION
from stancewire.features.words import plain, stem, tokens, word_set, words
from stancewire.text import clean
from tests import plain_stance

DIGEST = "b7236823d450fb3b1f178b60ecc6de11371d20585737aacec07382008d65ca30"
PIECES = (
    *sorted(
        word_set("a the not n't don't No refuse never nothing 's ' '' _ – , . ; : ! ? ( ) 5,000 U.S. a_b")
    ),
    *sorted(word_set("deliver delivery delivered ships shipped embargo talks dialogue weapon weapons'")),
    *sorted(word_set('arms sanctions ’s “ ” — " é e\u0301 İ ß 制裁 😀 ﬁ Ａ ѕanctions')),
    *("\u200b", "\u00ad", "\n", "\r\n", "\t", "  ", "\u2028", "\ud800", "the 'deal'", "arms sale", "x" * 120),
)


def odd_text(chance: random.Random, longest: int) -> str:
    """Pieces in a row, mostly with blanks between."""
    found: list[str] = []
    for _ in range(int(chance.random() * longest)):
        found += PIECES[int(chance.random() * len(PIECES))], " " * (chance.random() < 0.6)
    return "".join(found)


def part_of(chance: random.Random, text: str, longest: int) -> str:
    """Some words of a text in a row, so that targets and holders are named."""
    parts = text.split(" ")
    start = int(chance.random() * len(parts))
    return " ".join(parts[start : start + 1 + int(chance.random() * longest)])


def odd_rows(n_rows: int, seed: int) -> list[StanceExample]:
    """Rows that share sentences, contexts, targets and holders, or parts of them."""
    chance = random.Random(seed)  # noqa: S311
    texts = [odd_text(chance, 30) for _ in range(n_rows // 3)]
    rows = []
    for _ in range(n_rows):
        sentence, context = (texts[int(chance.random() * len(texts))] for _ in range(2))
        target = part_of(chance, sentence, 3) if chance.random() < 0.6 else odd_text(chance, 6)
        holder = part_of(chance, sentence, 2) if chance.random() < 0.5 else None
        rows.append(
            StanceExample(
                sentence=sentence,
                target=target,
                holder=holder,
                context=context if chance.random() < 0.8 else "",
            )
        )
    return rows


def found_terms(rows: Sequence[StanceExample], max_chars: int) -> list[tuple[list[str], ...]]:
    """The terms by the way that models take."""
    return list(FEATURES["stance"].extract_all(rows, max_chars))


@pytest.mark.parametrize("max_chars", [5, 40, 1_000_000])
@pytest.mark.parametrize("seed", range(3))
def test_odd_rows_read_at_once(seed: int, max_chars: int) -> None:
    rows = odd_rows(700, seed)
    for row, found in zip(rows, found_terms(rows, max_chars), strict=True):
        assert found == plain_stance.terms(row, max_chars), row


def test_the_rows_are_odd_enough() -> None:
    """Every case is there, else the test above shows little."""
    rows = odd_rows(2_000, 0)
    found = found_terms(rows, 1_000_000)
    masked = [row for row in found if "TARGET" in row[1]]
    assert len(masked) > 500
    assert len([row for row in masked if row[4]]) > 300
    assert len([row for row in found if any(term.startswith("~") for term in row[0])]) > 500
    for share in (
        "named before whole",
        "named before in part",
        "named before not",
        "named whole, before whole",
    ):
        assert len([row for row in found if share in row[3]]) > 10, share
    assert len({row.sentence for row in rows}) < 700


def test_passes_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = odd_rows(120, 9)
    wanted = [plain_stance.terms(row, 1_000) for row in rows]
    for n_rows, n_words in ((1, 10**6), (7, 10**6), (10**6, 1), (10**6, 50)):
        monkeypatch.setattr("stancewire.features.base.MAX_ROWS", n_rows)
        monkeypatch.setattr("stancewire.features.base.MAX_WORDS", n_words)
        assert found_terms(rows, 1_000) == wanted
    assert found_terms([], 1_000) == []


TEXT = st.text(alphabet=st.sampled_from("aAns.,'’t _-—“\n\u200bé\u0301ø制7"), max_size=30)


@settings(max_examples=300)
@given(st.lists(st.tuples(TEXT, TEXT, st.none() | TEXT, TEXT), min_size=1, max_size=5), st.integers(1, 40))
def test_any_rows(rows: list[tuple[str, str, str | None, str]], max_chars: int) -> None:
    examples = [
        StanceExample(sentence=sentence, target=target, holder=holder, context=context)
        for sentence, target, holder, context in rows
    ]
    wanted = [plain_stance.terms(example, max_chars) for example in examples]
    assert found_terms(examples, max_chars) == wanted


def test_of_a_holder_no_more_is_looked_for_than_is_read() -> None:
    """The first sixteen words, of as many characters as are read of any text."""
    many = " ".join(f"w{number}" for number in range(16))
    rows = [
        StanceExample(sentence=f"{many} signs deals", target="deals", holder=f"{many} w90 w91"),
        StanceExample(sentence="Oslo signs deals", target="deals", holder=f"Oslo{' ' * 99}w90"),
    ]
    for row, max_chars in itertools.product(rows, (16, 80, 1_000)):
        assert found_terms([row], max_chars) == [plain_stance.terms(row, max_chars)]
    assert found_terms(rows[:1], 1_000)[0][4] == found_terms(rows[1:], 16)[0][4] == ["sign"]


def test_terms_are_those_of_version_one() -> None:
    """An artefact tells by this version how its terms came to be: raise it when the digest changes."""
    assert FEATURES_VERSION == 1
    found = json.dumps(found_terms(odd_rows(400, 4), 1_000))
    assert hashlib.sha256(found.encode()).hexdigest() == DIGEST


def test_words_of_every_short_text() -> None:
    """In ASCII no pattern looks for words, and apostrophes and marks are dealt with one by one."""
    word = re.compile(r"\w+(?:'\w+)*")
    token = re.compile(r"\w+(?:'\w+)*|[,;:.!?()\"“”—–]")
    for letters in itertools.product("a'_ .-B", repeat=6):
        text = "".join(letters)
        assert words(text) == word.findall(plain(text)), text
        marks = [mark.replace(".", ",") for mark in token.findall(text.lower().replace("_", " "))]
        assert [mark.replace(".", ",") for mark in tokens(plain(text))] == marks, text


@given(st.text())
def test_words_of_any_text(text: str) -> None:
    wanted = re.findall(r"\w+(?:'\w+)*", plain(text))
    assert words(text) == wanted
    assert [found for found in tokens(plain(text)) if found[0].isalnum()] == wanted


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.integers(1, 40))
def test_topics_of_any_articles(rows: list[tuple[str, str]], max_chars: int) -> None:
    articles = [Article(title=title, text=text) for title, text in rows]
    wanted = [
        ([stem(word) for text in row for word in words(clean(text, max_chars=max_chars))],) for row in rows
    ]
    assert list(FEATURES["topics"].extract_all(articles, max_chars)) == wanted
