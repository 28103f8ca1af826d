"""What is remembered of words, and when it is forgotten."""

from __future__ import annotations

import pytest

from stancewire.memo import Memo


def test_a_memo_forgets_before_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.memo._MOST_REMEMBERED", 2)
    calls = []
    memo = Memo(lambda word: calls.append(word) or word.upper())  # type: ignore[func-returns-value]
    assert [memo[word] for word in ("a", "a", "b", "c", "a")] == ["A", "A", "B", "C", "A"]
    assert calls == ["a", "b", "c", "a"]
    assert len(memo) == 2
    assert memo["x" * 101] == "X" * 101
    assert len(memo) == 2
