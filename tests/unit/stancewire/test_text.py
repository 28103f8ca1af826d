"""Cleaning: what goes, what stays, where it came from."""

import json
import string
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stancewire.characters import INVISIBLE, tables
from stancewire.text import MAX_CHARS, MAX_MARKS, clean, clean_with_offsets

CORPUS = Path(__file__).parents[3] / "data" / "articles.jsonl"
LETTERS = string.ascii_letters
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
HINDI = "\u0915\u094d\u200d\u0937"
MALAYALAM = "\u0d05\u0d35\u0d28\u0d4d\u200d"

# Letters, blanks, marks, joiners, what decomposes, what is folded, what is dropped, what is broken.
NASTY = (
    "aeA1.\n\r\t "
    "\u00a0\u2028\u2029\x00\x85\x92\u00ad\u200b\u200c\u200d\u200e\u202e\u2060\ufeff\ufe0f\U000e0041"
    "\u0301\u0323\u0338\u0344\u0345\u0f71\u0f72\u0f73\u3099\uff9e\uff76\uff41\u3164\uffa0\u212b\u2126\u1e9b\u0958"
    "\u09c7\u09be\u0915\u094d\u0646\u06cc\u064b\ufdf2\ufdfa\ufb01\ufb2c\u1100\u1161\u11a8\uac00\u232a\u2adc\u2764"
    "\U0001f468\U0001f3fb\U0001d15e\U0001d400\U000110ba\ud83d\ude00\ufffd\u0430\u00bd\u2122"
)
texts = st.text(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=40)


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("plain text", "plain text"),
        ("sanc\u00adtions", "sanctions"),
        ("sanc\u200btions", "sanctions"),
        ("sanc\u200dtions", "sanctions"),
        ("\ufeffsanctions", "sanctions"),
        ("sanc\x00tions\x07", "sanctions"),
        ("sanc\u202etions\u202c", "sanctions"),
        ("sanc\U000e0073tions", "sanctions"),
        ("sa\ufe0fn\U000e0100ctions", "sanctions"),
        ("ｓａｎｃｔｉｏｎｓ！", "sanctions!"),
        ("\U0001d42c\U0001d41a\U0001d427ctions", "sanctions"),
        ("ﬁnance, oﬀer", "finance, offer"),
        ("cafe\u0301", "caf\u00e9"),
        ("cafe\u200b\u0301", "caf\u00e9"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "\ud55c\uad6d"),
        ("ｶﾞｽ", "ガス"),
        ("\u2126 \u212b", "\u03a9 \u00c5"),
        ("a\t\u00a0 b\u3000c", "a b c"),
        ("a \r\n b\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("a\n \n\n\nb\u2029c", "a\n\nb\n\nc"),
        ("Korea\x92s \x93offer\x94", "Korea’s “offer”"),
        ("long\u2010range, non\u2011nuclear", "long-range, non-nuclear"),
        ("a\ud83db\udc00", "a\ufffdb\ufffd"),
        ("½ ² ™ … № Ⅳ ① ℃ ß", "½ ² ™ … № Ⅳ ① ℃ ß"),
        ("“It’s” — №\u2009", "“It’s” — №"),
    ],
)
def test_clean_does(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned


@pytest.mark.parametrize("text", [FAMILY, PERSIAN, HINDI, MALAYALAM, f"{PERSIAN} in {FAMILY}."])
def test_joiners_that_are_read_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("a\u200cb\u200dc", "abc"),
        (FAMILY + "\u200d", FAMILY),
        (FAMILY[:2] + "x", FAMILY[:1] + "x"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\u200d\U0001f525"),
        (PERSIAN[:2] + "\u200c\u200d\u200c" + PERSIAN[3:], PERSIAN),
        ("\u200d" + PERSIAN, PERSIAN),
    ],
)
def test_other_joiners_go(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned


def test_marks_are_capped_before_they_are_sorted() -> None:
    zalgo = "x" + "\u0301\u0323" * 40_000 + "y"
    cleaned = clean(zalgo)
    assert cleaned == unicodedata.normalize("NFC", "x" + "\u0301\u0323" * (MAX_MARKS // 2)) + "y"
    assert clean("\u0344" * 40) == "\u0308\u0301" * (MAX_MARKS // 2), "each is two marks"


@settings(max_examples=600, deadline=None)
@given(texts, st.integers(0, 45))
@example("\u0952\u1ce7\u200dx", 45)
@example("\U0001f139\u200d\u232a", 45)
@example("\ufdf2" * 10, 10)
@example("\ufdf2 \ufdf2", 5)
@example("\ufb00\U0001f468\u200d\U0001f469", 4)  # cut between a joiner and what it joins
def test_cleaning_is_idempotent_and_normal(text: str, max_chars: int) -> None:
    cleaned = clean(text, max_chars=max_chars)
    assert clean(cleaned, max_chars=max_chars) == clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert len(cleaned) <= max_chars
    cleaned.encode()


def test_every_character_is_cleaned_once_and_for_all() -> None:
    # The other planes are unassigned, ideographs or for private use.
    for block in (*range(0, 0x20000, 0x1000), 0x2F000, 0xE0000, 0x10F000):
        chars = [chr(code) for code in range(block, block + 0x1000)]
        for text in ("x".join(chars), "\u0301 ".join(chars), "\u200d\u0915".join(chars)):
            cleaned = clean(text, max_chars=10**6)
            assert clean(cleaned) == cleaned, hex(block)
            assert unicodedata.is_normalized("NFC", cleaned), hex(block)


@settings(max_examples=600, deadline=None)
@given(texts, st.integers(0, 45))
def test_offsets_belong_to_what_clean_returns(text: str, max_chars: int) -> None:
    found = clean_with_offsets(text, max_chars=max_chars)
    offsets = found.offsets
    assert found.text == clean(text, max_chars=max_chars)
    assert offsets.dtype == np.int32
    assert offsets.shape == (len(found.text) + 1,)
    assert (np.diff(offsets) >= 0).all()
    assert offsets[0] >= 0
    assert offsets[-1] <= found.read_chars <= min(max_chars, len(text))
    assert found.original_chars == len(text)
    for place, char in enumerate(found.text):
        start, end = found.original_span(place, place + 1)
        assert start < end
        assert clean(char) in clean(text[start:end]) or text[start:end].isspace() or not clean(char)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(LETTERS + "  \u200b\u00ad\u202e\ufeff"), max_size=40))
def test_each_letter_knows_its_place(text: str) -> None:
    found = clean_with_offsets(text)
    for char, offset in zip(found.text, found.offsets, strict=False):
        assert text[offset] == char
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    assert [offset for offset in found.offsets[:-1] if text[offset].isalpha()] == letters


@pytest.mark.parametrize(
    ("text", "word", "original"),
    [
        ("The \u200bsanc\u00adtions hold.", "sanctions", "sanc\u00adtions"),
        ("The ｓａｎｃｔｉｏｎｓ hold.", "sanctions", "ｓａｎｃｔｉｏｎｓ"),
        ("The cafe\u0301.", "caf\u00e9", "cafe\u0301"),
        ("oﬃce", "off", "oﬃ"),
        ("One.\r\n\r\nTwo.", "One.", "One."),
        ("One.\r\n\r\nTwo. \u200b\n", "Two.", "Two."),
        ("It ended.\u00a0 \u200b It began.", "It ended.", "It ended."),
    ],
)
def test_a_span_leads_back_to_the_original(text: str, word: str, original: str) -> None:
    found = clean_with_offsets(text)
    start = found.text.index(word)
    assert text[slice(*found.original_span(start, start + len(word)))] == original


def test_a_kept_joiner_has_a_place_of_its_own() -> None:
    assert clean_with_offsets(PERSIAN).offsets.tolist() == list(range(len(PERSIAN) + 1))


def test_an_empty_span_stays_empty() -> None:
    assert clean_with_offsets("a\u200bb").original_span(1, 1) == (2, 2)
    assert clean_with_offsets("").original_span(0, 0) == (0, 0)


def test_what_was_cut_is_told() -> None:
    found = clean_with_offsets("one two three", max_chars=8)
    assert (found.text, found.original_chars, found.read_chars) == ("one two", 13, 8)
    whole = clean_with_offsets("one two three ")
    assert (whole.read_chars, whole.original_chars) == (14, 14)
    longer = clean_with_offsets("\ufdf2" * 10, max_chars=10)
    assert len(longer.text) == 10
    assert longer.read_chars < longer.original_chars
    assert clean_with_offsets("x" * (MAX_CHARS + 1)).read_chars == MAX_CHARS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The s\u0430nctions and the sanctions on Россия", ("s\u0430nctions",)),
        ("\u0391rms and \u0391rms, \u13aaat", ("\u0391rms", "\u13aaat")),
        ("Łódź, Москва, Αθήνα, 北京, α-helix, µm", ()),
        ("\u0430" + "a" * 100, ("\u0430" + "a" * 63,)),
        (
            " ".join(f"\u0430{chr(97 + n)}" for n in range(25)),
            tuple(f"\u0430{chr(97 + n)}" for n in range(20)),
        ),
    ],
)
def test_words_of_mixed_script_are_flagged_not_rewritten(text: str, words: tuple[str, ...]) -> None:
    found = clean_with_offsets(text)
    assert found.mixed_script == words
    assert found.text == text


def test_the_corpus_is_clean() -> None:
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert clean(row["text"]) == row["text"], row["id"]


def test_the_tables_hold_what_they_say() -> None:
    found = tables()
    assert len(found.rewritten) > 2_000
    assert all(found.rewrite.fullmatch(char) for char in found.rewritten)
    assert {char for char in map(chr, range(0x110000)) if unicodedata.combining(char)} <= found.tail
    invisible = [char for char in found.rewritten if not found.rewritten[char] and char > "\x9f"]
    assert {"\u200b", "\u00ad", "\ufeff", "\U000e0020"} <= set(invisible)
    assert "\u200d" not in INVISIBLE


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a b", "a b"),
        ("a  b", "a b"),
        (" a", "a"),
        ("a ", "a"),
        ("a\nb", "a\nb"),
        ("a \nb", "a\nb"),
        ("a\n b", "a\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a\n\n\nb", "a\n\nb"),
        ("a\n \nb", "a\n\nb"),
        ("\na\n", "a"),
        ("é  b", "é b"),
        ("é \nb", "é\nb"),
    ],
)
def test_blanks_of_plain_texts(text: str, wanted: str) -> None:
    """Each reason alone why a text that looks plain is not tidy."""
    assert clean(text) == wanted
    assert clean_with_offsets(text).text == wanted
