"""Target: everything that happens to a text, from its bytes to the terminal."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path

from stancewire.examples import Article
from stancewire.reading import Reader
from stancewire.sentences import split_sentences
from stancewire.terminal import console_on, print_reading
from stancewire.text import clean, clean_with_offsets
from tests.fake_models import by_words, fake_stance, fake_topics
from tests.fuzz.loop import Target

_PRINTED = 8  # one in so many: tables take most of the time
_MAX_CHARS = 1_000  # of the fake models: longer texts are cut
_ARTICLES = (
    'Talks in Minsk\n\nSEOUL, March 21 (Agency) - The minister condemned the talks. "It ends," he said.',
    "According to the U.S. envoy, Gen. Park welcomed the talks on the embargo; the president did not.",
    "- One.\n- Two said no.\n\n(a) Three, who was there, told Ann Lee that they had signed. She added: yes.",
)
_WORDS = (
    *(b" said ", b"according to ", b"who ", b", ", b". ", b"Mr. ", b"U.S. ", b"He ", b"the talks", b"\n\n"),
    *("“", "”", "‘", "’", "…", "—", "\u0646\u200c", "\ufdf2", "\U000e0041", "\u1112\u1161"),
)


def text(folder: Path) -> Target:
    """Cleaning is idempotent and keeps places, sentences lie in order, and a reading can be stored."""
    reader = Reader(fake_topics(folder, lambda _: (0.9, 0.9, 0.9)), fake_stance(folder, by_words))

    def check(data: bytes) -> None:
        given = data.decode("utf-8", "surrogateescape")
        found = clean_with_offsets(given, max_chars=_MAX_CHARS)
        assert found.text == clean(given, max_chars=_MAX_CHARS) == clean(found.text, max_chars=_MAX_CHARS)
        assert len(found.offsets) == len(found.text) + 1
        assert all(one <= other for one, other in pairwise(found.offsets.tolist()))
        assert int(found.offsets[-1]) <= found.read_chars <= found.original_chars == len(given)
        spans = split_sentences(found.text)
        assert all(span.start < span.end <= len(found.text) for span in spans)
        assert all(one.end <= other.start for one, other in pairwise(spans))
        reading = reader.read(given if data[:1] < b"\x60" else Article(text=given), targets=["talks"])
        for stance in reading.stances:
            assert 0 <= stance.start < stance.end <= len(given)
        assert json.dumps(reading.to_dict(), allow_nan=False, ensure_ascii=False).encode()
        if len(data) % _PRINTED:
            return
        stream = io.StringIO()
        print_reading(console_on(stream), reading, "here")
        assert "\x1b" not in stream.getvalue()

    tokens = [word if isinstance(word, bytes) else word.encode() for word in _WORDS]
    return Target(check, [article.encode() for article in _ARTICLES], tokens)
