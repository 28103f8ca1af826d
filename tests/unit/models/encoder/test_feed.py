"""What a step is made of: every row once an epoch, of like length together, parts left out as asked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.encoder.tokens
from models.base import Examples
from models.encoder.backbone import find_backbone
from models.encoder.batches import drawn, packs_of, parts_of, random, steps_of
from models.encoder.config import EncoderConfig
from models.encoder.feed import Feed
from models.encoder.tokens import Tokens, tokenised
from stancewire.encoding import Encoder, Layout
from stancewire.examples import Article, StanceExample
from tests.unit.models.backbones import quick, shared_backbone, word_tokenizer
from tests.unit.models.rows import stance_rows, topics_rows

STANCE, TOPICS = Layout("stance", 64), Layout("topics", 32, 4, 3)


def feed_of(examples: Examples, layout: Layout, weights: Any = None, **settings: Any) -> Feed:  # noqa: ANN401
    config = EncoderConfig.model_validate(quick(**settings)).for_task(layout.task)
    backbone = find_backbone(str(shared_backbone()), layout.tokens)
    ones = np.ones(len(examples)) if weights is None else np.asarray(weights, float)
    return Feed(examples, ones, backbone, layout, config, seed=7, cache=None)


@given(lengths=st.lists(st.integers(1, 300), min_size=1, max_size=60), size=st.integers(1, 9))
def test_every_row_is_in_one_step_and_steps_are_of_like_length(lengths: list[int], size: int) -> None:
    sizes, rows = np.array(lengths), np.arange(len(lengths))
    steps = steps_of(rows, sizes, size, random(0, 0))
    assert sorted(np.concatenate(steps)) == list(rows)
    assert sorted(map(len, steps))[-1] <= size
    assert sum(len(step) < size for step in steps) <= 1
    # Within one window: cut from the sorted rows, so no step's lengths enclose another's.
    spans = sorted((int(sizes[step].min()), int(sizes[step].max())) for step in steps)
    assert all(one[1] <= other[0] or one == other for one, other in pairwise(spans))


@given(lengths=st.lists(st.integers(1, 100), min_size=0, max_size=30), budget=st.integers(1, 200))
def test_parts_keep_order_and_budget(lengths: list[int], budget: int) -> None:
    sizes, rows = np.array(lengths, int), np.arange(len(lengths))
    parts = list(parts_of(rows, sizes, budget))
    assert [row for part in parts for row in part] == list(rows)
    assert all(len(part) == 1 or sizes[part].sum() <= budget for part in parts)
    assert all(sizes[one].sum() + sizes[other[0]] > budget for one, other in pairwise(parts))


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40))
def test_packs_hold_every_sequence_once_and_pad_little(lengths: list[int]) -> None:
    packs = list(packs_of(lengths))
    assert sorted(np.concatenate(packs)) == list(range(len(lengths)))
    for pack in packs:
        sizes = np.array(lengths)[pack]
        assert sizes.min() >= 0.7 * sizes.max()


def test_rows_are_drawn_as_often_as_they_weigh() -> None:
    weights = np.array([1.0, 0.25, 2.5, 0.0])
    counts = np.mean(
        [np.bincount(drawn(weights, random(0, epoch)), minlength=4) for epoch in range(2000)], axis=0
    )
    assert counts == pytest.approx(weights, abs=0.05)
    assert counts[0] == 1


def test_an_epoch_is_the_same_whenever_it_is_asked_for() -> None:
    rows = stance_rows()
    feed = feed_of(rows.examples, STANCE, holder_dropout=0.5)
    first, again, other = feed.epoch(3), feed.epoch(3), feed.epoch(4)
    assert [step.rows.tolist() for step in first] == [step.rows.tolist() for step in again]
    assert [step.variants.tolist() for step in first] == [step.variants.tolist() for step in again]
    assert [step.rows.tolist() for step in first] != [step.rows.tolist() for step in other]


def test_the_number_of_steps_is_that_of_the_epochs() -> None:
    rows = stance_rows()
    feed = feed_of(rows.examples, STANCE, np.linspace(0, 3, len(rows)), batch_size=4)
    assert feed.n_steps(5) == sum(len(feed.epoch(epoch)) for epoch in range(5))
    assert feed.n_steps(0) == 0


def words_of(feed: Feed, epoch: int) -> dict[int, set[tuple[int, ...]]]:
    """The token ids that each row was read as."""
    found: dict[int, set[tuple[int, ...]]] = {}
    for number, step in enumerate(feed.epoch(epoch)):
        for place, row in enumerate(step.rows):
            ids, _, _ = feed.sequences(step, np.array([place]), number)
            found.setdefault(int(row), set()).add(tuple(ids[0]))
    return found


def test_whole_rows_are_read_as_inference_reads_them() -> None:
    rows = stance_rows()
    wanted = Encoder(word_tokenizer(), STANCE).encode(rows.examples).ids
    assert words_of(feed_of(rows.examples, STANCE), 0) == {
        row: {tuple(ids)} for row, ids in enumerate(wanted)
    }


@pytest.mark.parametrize(("part", "without"), [("holder", None), ("context", "")])
def test_a_part_of_a_question_is_left_out_as_often_as_asked(part: str, without: Any) -> None:  # noqa: ANN401
    example = StanceExample(sentence="it welcomed", target="the deal", holder="paris", context="they met")
    rows = (example,) * 400
    bare = StanceExample(
        **{
            "sentence": "it welcomed",
            "target": "the deal",
            "holder": "paris",
            "context": "they met",
            part: without,
        }
    )
    encoder = Encoder(word_tokenizer(), STANCE)
    whole, cut = (tuple(encoder.encode([one]).ids[0]) for one in (example, bare))
    read = [
        next(iter(ids)) for ids in words_of(feed_of(rows, STANCE, **{f"{part}_dropout": 0.25}), 1).values()
    ]
    assert set(read) == {whole, cut}
    assert read.count(cut) == pytest.approx(100, abs=30)


def test_both_parts_of_a_question_may_be_left_out() -> None:
    example = StanceExample(sentence="it welcomed", target="the deal", holder="paris", context="they met")
    feed = feed_of((example,) * 200, STANCE, holder_dropout=0.5, context_dropout=0.5)
    assert len({next(iter(ids)) for ids in words_of(feed, 0).values()}) == 4


def test_a_title_is_left_out() -> None:
    rows = (Article(title="arms deal", text="envoys met"),) * 100
    encoder = Encoder(word_tokenizer(), TOPICS)
    wanted = {tuple(encoder.encode([one]).ids[0]) for one in (rows[0], Article(text="envoys met"))}
    found = words_of(feed_of(rows, TOPICS, title_dropout=0.5), 0)
    assert {next(iter(ids)) for ids in found.values()} == wanted


def test_words_are_hidden_but_neither_marks_nor_the_question() -> None:
    example = StanceExample(sentence="the ministry welcomed the deal", target="the deal", holder="paris")
    feed = feed_of((example,) * 300, STANCE, word_dropout=0.3)
    backbone = find_backbone(str(shared_backbone()), 64)
    plain = Encoder(word_tokenizer(), STANCE).encode([example])
    whole, second = np.array(plain.ids[0]), plain.second[0]
    read = np.array([next(iter(ids)) for ids in words_of(feed, 0).values()])
    hidden = read == backbone.mask
    assert ((read == whole) | hidden).all()
    special = np.isin(whole, list(backbone.special))
    assert not hidden[:, special].any()
    assert not hidden[:, second:].any()
    assert hidden[:, :second][:, ~special[:second]].mean() == pytest.approx(0.3, abs=0.05)


def test_tokens_hold_what_was_encoded() -> None:
    rows = topics_rows(12)
    encoded = Encoder(word_tokenizer(), TOPICS).encode(rows.examples)
    tokens = Tokens.of(encoded)
    ids, second, places = tokens.sequences(np.arange(12))
    assert (ids, second, places) == (encoded.ids, encoded.second, encoded.rows.tolist())
    some, _, at = tokens.sequences(np.array([5, 2]))
    chosen = [i for row in (5, 2) for i in np.flatnonzero(encoded.rows == row)]
    assert some == [encoded.ids[i] for i in chosen]
    assert sorted(set(at)) == [0, 1]
    assert tokens.row_lengths.sum() == tokens.sequence_lengths.sum() == len(tokens.ids)


def test_what_was_tokenised_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, made = stance_rows().examples, []

    class Counted(Encoder):
        def encode(self, examples: Any) -> Any:  # noqa: ANN401
            made.append(len(examples))
            return super().encode(examples)

    monkeypatch.setattr(models.encoder.tokens, "Encoder", Counted)
    first, again = (tokenised(word_tokenizer(), STANCE, rows, tmp_path) for _ in range(2))
    assert made == [len(rows)]
    for name in Tokens.__slots__:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    for other in (Layout("stance", 48), Layout("stance", 64, target_blind=True)):
        tokenised(word_tokenizer(), other, rows, tmp_path)
    tokenised(word_tokenizer(), STANCE, rows[1:], tmp_path)
    tokenised(word_tokenizer().replace(b"seoul", b"tokyo"), STANCE, rows, tmp_path)
    assert len(made) == 5
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    rows = stance_rows().examples
    wanted = tokenised(word_tokenizer(), STANCE, rows, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"damaged")
    np.testing.assert_array_equal(tokenised(word_tokenizer(), STANCE, rows, tmp_path).ids, wanted.ids)
    assert file.stat().st_size > 100


def test_a_cache_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    rows = stance_rows().examples
    assert len(tokenised(word_tokenizer(), STANCE, rows, tmp_path / "file" / "cache").cut) == len(rows)
