"""Words, noun phrases and subjects: worked examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire import cues, verbs
from stancewire.phrases import MAX_WORDS, phrase_end, subject_of
from stancewire.words import head_of, read_word, singular, spans_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.S. said no.", ["The", "U.S.", "said", "no", "."]),
        ("Gen. J. Doe's envoy", ["Gen.", "J.", "Doe's", "envoy"]),
        ("1,200.50 tons", ["1,200.50", "tons"]),
        ("the workers’ union", ["the", "workers’", "union"]),
        ("‘We will,’ he said", ["‘", "We", "will", ",", "’", "he", "said"]),
        ("the ’90s", ["the", "’90s"]),
        ("air-to-air AT&T km/h", ["air-to-air", "AT&T", "km/h"]),
        ("He's a-b. U.S.-led a/", ["He's", "a-b", ".", "U.S.", "-", "led", "a", "/"]),
        ("A. Chu, Mr. Lee's s’ end.", ["A.", "Chu", ",", "Mr.", "Lee's", "s’", "end", "."]),
        ("caféau lait", ["caféau", "lait"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [word.text for word in words_of(text)] == words


@given(st.text())
def test_words_cover_all_but_blanks(text: str) -> None:
    words = words_of(text)
    assert [text[slice(*span)] for span in spans_of(text, words)] == [word.text for word in words]
    assert "".join(word.text for word in words) == "".join(text.split())


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("ministers", "minister"),
        ("minister's", "minister"),
        ("ministers'", "minister"),
        ("embassies", "embassy"),
        ("gunmen", "gunman"),
        ("sheikhs", "sheikh"),
        ("bosses", "boss"),
        ("churches", "church"),
        ("taxes", "tax"),
        ("congress", "congress"),
        ("talk", "talk"),
    ],
)
def test_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("word", "kinds"),
    [
        ("Seoul", "name"),
        ("al-Murrani", "name"),
        ("diplomats", "person"),
        ("policewoman", "person"),
        ("economist", "person"),
        ("ministries", "body"),
        ("headquarters", "body"),
        ("embargo", "thing"),
        ("inflation", "abstract"),
        ("organisation", "body"),
        ("she", "pronoun"),
    ],
)
def test_kinds_of_words(word: str, kinds: str) -> None:
    (found,) = words_of(word)
    is_a = {
        "name": found.is_name,
        "person": found.is_person,
        "body": found.is_body,
        "thing": found.is_thing,
        "abstract": found.looks_abstract,
        "pronoun": found.is_pronoun,
    }
    assert [kind for kind, holds in is_a.items() if holds] == [kinds]


@pytest.mark.parametrize(
    ("phrase", "head"),
    [
        ("the minister of trade", "minister"),
        ("a former head of state", "head"),
        ("Moscow's foreign ministry", "ministry"),
        ("the group, based in Rome", "group"),
        ("envoys", "envoys"),
    ],
)
def test_head(phrase: str, head: str) -> None:
    words = words_of(phrase)
    assert head_of(words, 0, len(words)).text == head


@pytest.mark.parametrize(
    ("clause", "subject", "verb", "kind"),
    [
        ("the army will never attack the port", "the army", "attack", ""),
        ("the port was attacked", "the port", "attacked", "passive"),
        ("the port has been held since May", "the port", "held", "passive"),
        ("the minister is opposed to it", "the minister", "opposed", "state"),
        ("the port is closed to ships, he said", "the port", "closed", "passive"),
        ("the road is long", "the road", "long", "state"),
        ("the army is leaving", "the army", "leaving", ""),
        ("in Cairo the envoys on Monday met again", "the envoys", "met", ""),
        ("in June 2020 envoys met again", "envoys", "met", ""),
        ("Citing the delays, the firm withdrew", "the firm", "withdrew", ""),
        ("In Tashkent the Uzbek envoys met", "the Uzbek envoys", "met", ""),
        ("Chad, the Congo and Gabon met", "Chad, the Congo and Gabon", "met", ""),
        ("PARIS (Wire) - The envoys met again", "The envoys", "met", ""),
        ("the envoy who studies exports warned of it", "the envoy", "warned", ""),
        ("the shells that the army bought hit a bridge", "the shells", "hit", ""),
        ("the court, in The Hague, on Friday upheld the ban", "the court", "upheld", ""),
        ("unions, for their part, oppose it", "unions", "oppose", ""),
        ("the union, for its part, drafts a reply", "the union", "drafts", ""),
        ("Oslo mulls its options", "Oslo", "mulls", ""),
        ("the council fully supports it", "the council", "supports", ""),
        ("critics there describe it as a prize", "critics", "describe", ""),
        ("Should the army attack, envoys will leave", "envoys", "leave", ""),
        ("in a letter annexed to the report, the envoys denied it", "the envoys", "denied", ""),
        ("the White House states that it will stay", "the White House", "states", ""),
    ],
)
def test_subject(clause: str, subject: str, verb: str, kind: str) -> None:
    words = words_of(clause)
    found = subject_of(words, 0, len(words))
    assert found is not None
    spans = list(spans_of(clause, words))
    assert clause[spans[found.start][0] : spans[found.end - 1][1]] == subject
    assert words[found.verb].text == verb
    assert (found.passive, found.is_state) == (kind == "passive", kind == "state")


@pytest.mark.parametrize(
    "clause",
    [
        "",
        "no deal yet",
        "has left",
        "takes note of it",
        "the end",
        "(the army",
        "the talks: envoys left",
        "the talks; envoys left",
        "the supplies and talks",
    ],
)
def test_no_subject(clause: str) -> None:
    words = words_of(clause)
    assert subject_of(words, 0, len(words)) is None


def test_a_subject_is_not_endless() -> None:
    for length, found in ((MAX_WORDS, True), (MAX_WORDS + 1, False)):
        words = words_of("old " * (length - 1) + "envoys met")
        assert (subject_of(words, 0, len(words)) is not None) == found


@pytest.mark.parametrize(
    ("phrase", "end"),
    [
        ("the envoys after talks", 2),
        ("the envoys who left", 2),
        ("the envoys, he said", 2),
        ("the envoys on Monday", 2),
        ("the envoys later", 2),
        ("the Justice and Trade Departments", 5),
        ("Oslo and Rome said so", 1),
        ("the envoys and the army", 2),
        ("the envoys met", 2),
        ("the army May 5", 2),
    ],
)
def test_phrase_end(phrase: str, end: int) -> None:
    words = words_of(phrase)
    assert phrase_end(words, 0, len(words)) == end


def test_word_lists_name_every_word_once_and_in_one_class() -> None:
    assert not cues.PERSON & cues.THING
    assert not cues.GROUP & cues.THING
    assert not cues.PERSON & cues.QUANTIFIER
    assert verbs.SAYING < verbs.ACTING < verbs.WILFUL
    assert verbs.ACTING < verbs.FINITE
    every = {*cues.PERSON, *cues.GROUP, *cues.THING}
    assert [word for word in every if word != word.lower() or singular(word) in every - {word}] == []


@pytest.mark.parametrize(
    ("text", "is_name"),
    [("Seoul", True), ("al-Murrani", True), ("al-qaida", False), ("al-", False), ("un-Named", False)],
)
def test_names(text: str, is_name: bool) -> None:
    assert read_word(text).is_name is is_name


def test_words_are_found_where_they_stand() -> None:
    text = "The the 'the' U.S. the\n the_the’s"
    words = words_of(text)
    assert [text[slice(*span)] for span in spans_of(text, words)] == [word.text for word in words]
    assert list(spans_of("a a  a", words_of("a a  a"))) == [(0, 1), (2, 3), (5, 6)]
