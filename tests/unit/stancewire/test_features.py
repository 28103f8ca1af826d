"""Terms of articles and of sentences with targets."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.examples import Article, StanceExample
from stancewire.features import FEATURES
from stancewire.features.base import pairs
from stancewire.features.kinds import KINDS, OTHER, kind_of
from stancewire.features.words import STEMS, plain, stem, tokens, words
from tests.processor import MOST_GROWTH, growth

MANY = 1_000_000


def blocks(sentence: str, target: str, holder: str | None = None, context: str = "") -> dict[str, list[str]]:
    """The terms of a stance example by block."""
    example = StanceExample(sentence=sentence, target=target, holder=holder, context=context)
    features = FEATURES["stance"]
    return dict(zip(features.blocks, features.extract(example, MANY), strict=True))


def test_words_and_marks() -> None:
    assert words("Seoul’s “No.” – it'll cost 5,000 won_each 制裁") == [
        "seoul's",
        "no",
        "it'll",
        "cost",
        "5",
        "000",
        "won",
        "each",
        "制裁",
    ]
    assert tokens(plain("No, (it) isn’t.")) == ["no", ",", ",", "it", ",", "isn't", ","]
    assert tokens(plain("“No” – (it)")) == ["“", "no", "”", "–", "(", "it", ")"]
    assert tokens(plain("' - _ 😀")) == []


@pytest.mark.parametrize(
    ("forms", "wanted"),
    [
        ("deliver delivers delivered delivering delivery deliveries", "deliv"),
        ("shipped shipping shipments", "ship"),
        ("sanction sanctions sanctioned sanction's", "sanct"),
        ("supply supplies supplied", "suppl"),
        ("weapon weapons weapon's", "weapon"),
        ("talk talks talked talking", "talk"),
        ("bans ban", "ban"),
        ("japan's japan", "japan"),
        ("us", "us"),
        ("pass", "pass"),
        ("a", "a"),
        ("制裁", "制裁"),
    ],
)
def test_stems(forms: str, wanted: str) -> None:
    assert {stem(form) for form in forms.split()} == {wanted}


def test_a_stem_keeps_four_letters() -> None:
    assert stem("nation") != stem("native")
    assert (stem("sing"), stem("bed"), stem("user")) == ("sing", "bed", "user")


@given(st.text())
def test_stems_are_never_empty_and_words_are_tokens(text: str) -> None:
    found = [STEMS[word] for word in words(text)]
    assert all(found)
    assert [token for token in tokens(plain(text)) if token[0].isalnum()] == words(text)


def test_pairs() -> None:
    assert pairs(["a", "b", "c"]) == ["a b", "b c"]
    assert pairs(["a"]) == pairs([]) == []


def test_topics_are_stems_of_title_and_text() -> None:
    article = Article(title="Shells shipped", text="The\u200b shells’ shipment.")
    assert FEATURES["topics"].extract(article, MANY) == (["shell", "ship", "the", "shell", "ship"],)
    assert FEATURES["topics"].extract(article, 6) == (["shell", "the", "s"],)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("sanctions", "restriction"),
        ("arms trade", "arms"),
        ("diplomacy", "contact"),
        ("the arms embargo on South Sudan", "restriction"),
        ("North Korean artillery shells for Russia", "arms"),
        ("talks in Doha on the oil price cap", "contact"),
        ("a cut-off of remittances", OTHER),
        ("the lifting of sanctions", "ending"),
        ("support for the blockade", "restriction"),
        ("the opera", OTHER),
        ("", OTHER),
    ],
)
def test_kinds_of_targets(target: str, kind: str) -> None:
    assert kind_of(words(target)) == kind


def test_no_noun_has_two_kinds() -> None:
    from stancewire.features import kinds

    nouns = [stem(noun) for listed in kinds._NOUNS.values() for noun in listed]
    assert len(set(KINDS)) == len(
        {(stem(noun), kind) for kind, all_ in kinds._NOUNS.items() for noun in all_}
    )
    assert set(nouns) == set(KINDS)


def test_negation_marks_to_the_end_of_its_clause() -> None:
    found = blocks("Oslo did not oppose it, but Rome never spoke; we can't go.", "x")["sentence"]
    singles = [term for term in found if " " not in term]
    assert singles == "oslo did not ~oppos ~it but rome never ~spok we can't ~go".split()  # noqa: SIM905
    assert "not ~oppos" in found
    assert "~it but" in found


def test_the_target_is_masked_wherever_it_is_named() -> None:
    found = blocks("The shipments of shells were blocked after a shell was shipped", "shell shipments")[
        "masked"
    ]
    singles = [term for term in found if " " not in term]
    assert singles == "the TARGET of TARGET were block after a TARGET was TARGET".split()  # noqa: SIM905
    assert "TARGET were" in found


def test_neighbouring_words_of_the_target_are_one_mention() -> None:
    found = blocks("Minsk wants artillery shells deliveries", "delivery of artillery shells")["masked"]
    assert found == ["minsk", "want", "TARGET", "minsk want", "want TARGET"]


def test_function_words_of_a_target_name_nothing() -> None:
    assert "TARGET" not in blocks("He is the man of the year", "the end of it")["masked"]


def test_no_term_is_a_word_of_the_target_alone() -> None:
    """A target that the sentence does not name shows by its kind and its absence, and by nothing else."""
    assert blocks("Rain fell on Oslo", "the opera season") == blocks("Rain fell on Oslo", "a ferry timetable")


@pytest.mark.parametrize(
    ("sentence", "context", "wanted"),
    [
        ("The oil price cap works", "", {"named whole", "named before not", "named 3"}),
        (
            "The cap works",
            "Oil is dear",
            {"named in part", "named before in part", "named in part, before in part"},
        ),
        ("It works", "The price cap on oil", {"named not", "named before whole", "named 0"}),
    ],
)
def test_how_much_of_the_target_is_named(sentence: str, context: str, wanted: set[str]) -> None:
    assert wanted <= set(blocks(sentence, "the oil price cap", context=context)["relation"])


def test_words_meet_the_kind_of_the_target() -> None:
    assert "restriction renew" in blocks("Brussels renewed it", "sanctions")["kind"]
    assert "arms renew" in blocks("Brussels renewed it", "arms trade")["kind"]
    relation = blocks("Brussels banned a summit", "arms trade")["relation"]
    assert {"arms", "arms and contact", "arms not spoken of"} <= set(relation)
    assert "contact spoken of" in blocks("Brussels held a summit", "diplomacy")["relation"]


def test_what_leads_to_the_target_starts_behind_the_holder() -> None:
    sentence = "Rome praised the deal that Oslo will never sign"
    assert blocks(sentence, "the deal")["lead"][:3] == ["rome", "prais", "the"]
    sentence = "Rome said that Oslo firmly rejects the deal"
    assert blocks(sentence, "the deal", holder="Oslo")["lead"][:3] == ["firml", "reject", "the"]
    assert blocks(sentence, "the deal")["lead"][:3] == ["said", "that", "oslo"]
    assert blocks(sentence, "opera", holder="Oslo")["lead"] == []


def test_six_words_lead_to_the_target() -> None:
    lead = blocks("One two three four five six seven deals", "deals")["lead"]
    assert lead[:7] == ["two", "thre", "four", "five", "six", "seven", "two thre"]


def test_a_holder_behind_the_target_leaves_the_lead_alone() -> None:
    sentence = "He will sign the deal, Oslo said"
    assert blocks(sentence, "the deal", holder="Oslo")["lead"] == blocks(sentence, "the deal")["lead"]


def test_whether_a_holder_is_named_is_no_term() -> None:
    """Annotators name holders where there is a stance: a habit, and no evidence."""
    without = blocks("The cabinet approved the deal", "the deal")
    assert without == blocks("The cabinet approved the deal", "the deal", holder="Lima")


def test_neutral_to_invisibles_width_and_form() -> None:
    clean = blocks("Oslo condemned the café deal", "the café deal", holder="Oslo")
    dirty = blocks(
        "Ｏslo con\u200bdemned the cafe\u0301 deal", "the cafe\u0301 de\u00adal", holder="Os\u200blo"
    )
    assert clean == dirty


@given(st.text(max_size=60), st.text(max_size=30), st.none() | st.text(max_size=20), st.text(max_size=30))
def test_any_text_gives_terms_without_line_breaks(
    sentence: str, target: str, holder: str | None, context: str
) -> None:
    for terms in blocks(sentence, target, holder, context).values():
        assert all(term and "\n" not in term and term == term.strip() for term in terms)


@pytest.mark.parametrize(
    "unit",
    ["oslo ", "x", "no ", ", ", "it's ", "' "],
    ids=["words", "one word", "negations", "commas", "apostrophes", "quotes"],
)
def test_the_time_grows_with_the_text_and_not_its_square(unit: str) -> None:
    assert growth(lambda part: blocks(part, part, holder=part, context=part), unit, 200_000) <= MOST_GROWTH


def test_long_words_are_not_remembered() -> None:
    gc.collect()
    tracemalloc.start()
    for number in range(50):
        blocks(f"{number}" + "x" * 100_000, f"{number}" + "y" * 100_000)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 1_000_000
