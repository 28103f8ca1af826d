"""The leak gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from stancewire.errors import InputError
from tests.corpora import corpus_of, row_of, text_of
from training.data.leaks import LeakError, find_leaks, leak_gate
from training.data.load import Corpus

COPY = text_of("copy", 8)
PARTS = {"train": (0, 1), "dev": (2,), "test": (3, 4)}


def leaky(folder: Path) -> Corpus:
    """Five articles: 0 and 3 are equal, 1 and 4 nearly, 2 and 3 tell one event."""
    return corpus_of(
        folder,
        [
            row_of(0, id="same", text=COPY, event=None, stances=[], topics=None),
            row_of(1, id="near", event=None, stances=[]),
            row_of(2, id="told", event="e", stances=[]),
            row_of(3, id="twin", text=COPY.upper(), event="e", stances=[], topics=None),
            row_of(
                4,
                id="retouched",
                text=text_of(1).partition(".")[2] + text_of("more", 2),
                event=None,
                stances=[],
            ),
        ],
    )


def test_every_kind_is_found_and_told(tmp_path: Path) -> None:
    corpus = leaky(tmp_path)
    with pytest.raises(LeakError) as caught:
        leak_gate(corpus, "topics", PARTS)
    assert [(leak.code, leak.first, leak.second, leak.parts) for leak in caught.value.leaks] == [
        ("same_text", "same", "twin", ("train", "test")),
        ("near_text", "near", "retouched", ("train", "test")),
        # The copy joins the event of its twin.
        ("same_event", "same", "told", ("train", "dev")),
        ("same_event", "same", "twin", ("train", "test")),
        ("same_event", "told", "twin", ("dev", "test")),
        ("same_event", "near", "retouched", ("train", "test")),
    ]
    assert 0.4 < caught.value.leaks[1].similarity < 1
    lines = str(caught.value).splitlines()
    assert lines[0] == "wanted a split without leaks, found 6 (same_event 4, near_text 1, same_text 1)"
    assert lines[1].startswith("  same_text 1.00: same (train) ~ twin (test): '")
    assert lines[6] == "  and 1 more"
    assert "split.allow_leaks" in lines[-1]
    assert caught.value.exit_code == 2


def test_rows_of_one_part_leak_nothing(tmp_path: Path) -> None:
    corpus = leaky(tmp_path)
    assert find_leaks(corpus, "topics", {"train": (0, 2, 3), "dev": (), "test": (1, 4)}) == ()


def test_leaks_are_allowed_by_kind_and_by_article(tmp_path: Path) -> None:
    corpus = leaky(tmp_path)
    with pytest.raises(LeakError, match=r"found 2 \(near_text 1, same_text 1\)"):
        leak_gate(corpus, "topics", PARTS, allow=["same_event"])
    with pytest.raises(LeakError, match=r"found 1 \(near_text 1\)"):
        leak_gate(corpus, "topics", PARTS, allow=["same_event", "twin"])
    allowed = leak_gate(corpus, "topics", PARTS, allow=["same_event", "twin", "near"])
    assert len(allowed) == 6


def test_an_allowed_name_must_mean_something(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"split\.allow_leaks: .*same_text.*; found 'evnt'"):
        leak_gate(leaky(tmp_path), "topics", PARTS, allow=["evnt"])


def test_an_excerpt_is_near_and_not_the_same(tmp_path: Path) -> None:
    rows = [row_of(n, event=None, stances=[], text=text_of("whole", size)) for n, size in enumerate((12, 8))]
    (leak, _) = find_leaks(corpus_of(tmp_path, rows), "topics", {"train": (0,), "dev": (), "test": (1,)})
    assert (leak.code, leak.similarity) == ("near_text", 1.0)


def test_one_sentence_on_two_sides(tmp_path: Path) -> None:
    stance = {"sentence": "Talks failed again.", "target": "talks", "label": "neutral"}
    rows = [
        row_of(
            n, event=None, text=f"{text_of(n)} Talks failed again.", stances=[stance | {"target": f"t{n}"}]
        )
        for n in range(3)
    ]
    corpus = corpus_of(tmp_path, rows)
    (leak,) = find_leaks(corpus, "stance", {"train": (0,), "dev": (1,), "test": ()})
    assert (leak.code, leak.parts, leak.snippet) == ("same_sentence", ("train", "dev"), "Talks failed again.")
    assert len(find_leaks(corpus, "stance", {"train": (0,), "dev": (1,), "test": (2,)})) == 3
    assert find_leaks(corpus, "topics", {"train": (0,), "dev": (1,), "test": (2,)}) == ()


def test_records_of_one_article_on_two_sides(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(0), row_of(1)])
    (leak,) = find_leaks(corpus, "stance", {"train": (0,), "dev": (), "test": (1,)})
    assert (leak.code, leak.first, leak.second) == ("same_event", "a000", "a000")


def test_snippets_are_short_and_escaped(tmp_path: Path) -> None:
    title = "\x1b[31m" + "long " * 500
    corpus = corpus_of(tmp_path, [row_of(n, title=title) for n in range(2)])
    with pytest.raises(LeakError) as caught:
        leak_gate(corpus, "topics", {"train": (0,), "dev": (), "test": (1,)})
    assert "\x1b" not in str(caught.value)
    assert max(map(len, str(caught.value).splitlines())) < 160
