"""Faults 16 and 17: text that hides what it says, and text that makes a careless reader slow."""

import tracemalloc
from collections.abc import Callable

import pytest

from stancewire.scripts import mixed_script_words
from stancewire.sentences import split_sentences
from stancewire.text import CleanText, clean, clean_with_offsets
from tests.processor import MOST_GROWTH, growth, seconds

SENTENCE = "The Council kept the sanctions on arms to the region."
MOST_MEMORY = 2.6
SIZE = 30_000

HIDDEN = {
    "zero-width space": "\u200b",
    "soft hyphen": "\u00ad",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "joiner": "\u200d",
    "non-joiner": "\u200c",
    "variation selector": "\ufe0f",
    "variation selector supplement": "\U000e0101",
    "tag": "\U000e0061",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "grapheme joiner": "\u034f",
    "Hangul filler": "\u3164",
    "NUL": "\x00",
    "escape": "\x1b",
}

UNITS = {
    "words": "word ",
    "one word": "a",
    "spaces": " ",
    "newlines": "\n",
    "carriage returns": "\r\n",
    "lines": "a\n",
    "blank lines": "a\n \n",
    "line of blanks": "a" + " " * 999,
    "initials": "a. ",
    "capital initials": "A. ",
    "full stops": ".",
    "spaced full stops": ". ",
    "questions": "A? ",
    "quotes": '"He said." ',
    "open quotes": '"',
    "closing": ".)",
    "brackets": "([{",
    "notes": "ab.[1]",
    "raised notes": "ab.¹²³",
    "capitals": "Aa ",
    "dashes": "A - ",
    "markers": "1. ",
    "bullets": "- ",
    "bullet lines": "- a\n",
    "acronyms": "U.S.",
    "digits": "1.",
    "marks": "\u0301\u0323",
    "marked letters": "e\u0301",
    "decomposing marks": "\u0344",
    "zero width": "\u200b",
    "joiners": "\u200d",
    "Arabic joiners": "\u0646\u200c",
    "joiners and marks": "\u0646\u200c\u064b",
    "emoji": "\U0001f468\u200d",
    "jamo": "\u1112\u1161\u11ab",
    "full width": "\uff41",
    "ligatures": "\ufdf2",
    "mixed scripts": "a\u0430",
    "mixed words": "a\u0430 ",
    "other scripts": "\u0430 ",
    "surrogates": "\ud83d",
    "astral": "\U00020000",
    "full stops of others": "。",
}
READERS: dict[str, Callable[[str], object]] = {
    "clean": clean,
    "clean_with_offsets": clean_with_offsets,
    "split_sentences": split_sentences,
    "mixed_script_words": mixed_script_words,
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_hidden_characters_change_nothing(hidden: str) -> None:
    attacked = hidden + hidden.join(SENTENCE) + hidden
    assert attacked != SENTENCE
    assert clean(attacked) == SENTENCE
    assert clean(hidden * 3 + attacked.replace(hidden, hidden * 3)) == SENTENCE


def test_other_widths_and_forms_change_nothing() -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in SENTENCE)
    assert wide != SENTENCE
    assert clean(wide) == clean(wide.replace(" ", "\u3000")) == SENTENCE
    assert clean("Ako\u0308z me\u0301t Lo\u0301pez") == clean("Aköz mét López") == "Aköz mét López"


def test_look_alikes_are_flagged_and_left() -> None:
    attacked = SENTENCE.replace("sanctions", "s\u0430nctions").replace("arms", "\u03b1rms")
    found = clean_with_offsets(attacked)
    assert found.text == attacked
    assert found.mixed_script == ("s\u0430nctions", "\u03b1rms")


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_the_time_grows_with_the_text_and_not_its_square(reader: Callable[[str], object], unit: str) -> None:
    grown = growth(reader, unit, 2 * SIZE)
    assert grown <= MOST_GROWTH, f"four times the text took {grown:.1f} times as long"


@pytest.mark.parametrize("unit", ["e\u0301", "a. ", "\U0001f468\u200d", "\uff41", "a \n\n"])
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_twice_the_text_takes_twice_the_memory(reader: Callable[[str], object], unit: str) -> None:
    peaks = []
    for size in (SIZE, 2 * SIZE):
        text = (unit * (size // len(unit) + 1))[:size]
        tracemalloc.start()
        reader(text)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= MOST_MEMORY * peaks[0]
    assert peaks[1] <= 200 * 2 * SIZE, "bytes a character"


def test_the_cap_comes_first() -> None:
    found: list[CleanText] = []
    taken = seconds(
        lambda: found.append(clean_with_offsets("e" + "\u0301\u0323" * 5_000_000, max_chars=80_000))
    )
    assert (found[0].read_chars, found[0].original_chars) == (80_000, 10_000_001)
    assert taken < 20, "sorting 80,000 marks as one would take minutes"
