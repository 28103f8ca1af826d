"""Texts as sequences: everything of them is there, in order, cut as stated, whatever stands beside them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, processors

from stancewire.encoding import Encoded, Encoder, Layout, marked
from stancewire.errors import ArtefactError
from stancewire.examples import Article, StanceExample
from tests.encoders import WORDS, bert_tokenizer, roberta_tokenizer

BERT, ROBERTA = bert_tokenizer(), roberta_tokenizer()
CLS, SEP, UNK = 2, 3, 1
ARTICLES = Layout(task="topics", tokens=32, stride=6, max_chunks=4)
QUESTIONS = Layout(task="stance", tokens=32)
TEXTS = st.text(st.characters(), max_size=200) | st.lists(st.sampled_from(WORDS)).map(" ".join)


def ids_of(text: str, tokenizer: bytes = BERT) -> list[int]:
    found: list[int] = Tokenizer.from_buffer(tokenizer).encode(text, add_special_tokens=False).ids
    return found


def tokens_of(ids: list[int], tokenizer: bytes = BERT) -> list[str]:
    read = Tokenizer.from_buffer(tokenizer)
    return [read.id_to_token(token) or "" for token in ids]


def encode(layout: Layout, *examples: Article | StanceExample, tokenizer: bytes = BERT) -> Encoded:
    rows: list[Article] = list(examples)  # type: ignore[arg-type]  # either kind, never mixed
    return Encoder(tokenizer, layout).encode(rows)


def words(count: int) -> str:
    return " ".join(WORDS[i % len(WORDS)] for i in range(count))


@given(
    length=st.integers(0, 200),
    title=st.integers(0, 12),
    tokens=st.integers(24, 60),
    stride=st.integers(0, 5),
    max_chunks=st.integers(1, 5),
)
def test_chunks_cover_the_text_with_the_stated_stride(
    length: int, title: int, tokens: int, stride: int, max_chunks: int
) -> None:
    layout = Layout(task="topics", tokens=tokens, stride=stride, max_chunks=max_chunks)
    found = encode(layout, Article(title=words(title), text=words(length)))
    kept = min(title, tokens // 4)
    head = [CLS, *ids_of(words(title))[:kept], *([SEP] if kept else [])]
    chunks = []
    for ids in found.ids:
        assert len(ids) <= tokens
        assert ids[: len(head)] == head
        assert ids[-1] == SEP
        chunks.append(ids[len(head) : -1])
    text = ids_of(words(length))
    read = list(chunks[0])
    for before, chunk in pairwise(chunks):
        assert chunk[:stride] == before[len(before) - stride :]
        assert len(chunk) > stride
        read += chunk[stride:]
    assert read == text[: len(read)]
    assert len(chunks) == max_chunks or len(read) == length
    assert found.cut[0] == pytest.approx(1 - (kept + len(read)) / (title + length) if title + length else 0)
    assert (found.cut[0] == 0) == (kept == title and len(read) == length)


def test_a_question_is_laid_out_as_stated() -> None:
    example = StanceExample(
        sentence="They welcomed it.", target="the talks", holder="Seoul", context="Envoys said no."
    )
    found = encode(QUESTIONS, example)
    (ids,) = found.ids

    def spelled(ids: list[int]) -> str:
        return " ".join(tokens_of(ids))

    expected = "[CLS] envoys said no . [SEP] they welcomed it . [SEP] the talks [SEP] seoul [SEP]"
    assert spelled(ids) == expected
    assert spelled(ids[found.second[0] :]) == "the talks [SEP] seoul [SEP]"
    bare = encode(QUESTIONS, StanceExample(sentence="They welcomed it.", target="the talks"))
    assert spelled(bare.ids[0]) == "[CLS] they welcomed it . [SEP] the talks [SEP]"
    assert found.cut[0] == bare.cut[0] == 0


def test_separators_are_the_tokenizers_own() -> None:
    example = StanceExample(sentence="no", target="it", context="so", holder="he")
    (ids,) = encode(Layout(task="stance", tokens=64), example, tokenizer=ROBERTA).ids
    joined = "".join(tokens_of(ids, ROBERTA))
    assert joined == "<s>so</s></s>no</s></s>it</s></s>he</s>"
    found = encode(Layout(task="stance", tokens=64), example, tokenizer=ROBERTA)
    assert found.second == [len(ids)], "a tokenizer without types has no second segment"
    title = encode(Layout(task="topics", tokens=64), Article(title="a", text="b"), tokenizer=ROBERTA)
    assert "".join(tokens_of(title.ids[0], ROBERTA)) == "<s>a</s></s>b</s>"


def test_what_is_too_long_loses_its_context_first() -> None:
    def asked(**lengths: int) -> tuple[str, float]:
        fields = {name: words(count) for name, count in lengths.items()}
        found = encode(QUESTIONS, StanceExample(**fields))
        assert len(found.ids[0]) <= QUESTIONS.tokens
        return " ".join(tokens_of(found.ids[0])), float(found.cut[0])

    text, cut = asked(sentence=15, target=4, holder=2, context=30)
    assert f"[SEP] {words(15)} [SEP] {words(4)} [SEP] {words(2)} [SEP]" in text
    context = text.split(" [SEP] ")[0].removeprefix("[CLS] ").split()
    assert context == words(30).split()[-len(context) :], "the words next to the sentence stay"
    assert cut == pytest.approx(1 - (15 + 4 + 2 + len(context)) / 51)
    text, cut = asked(sentence=60, target=40, holder=40, context=5)
    first, target, holder = text.removeprefix("[CLS] ").removesuffix(" [SEP]").split(" [SEP] ")
    assert (target, holder) == (words(8), words(4))
    assert first == words(len(first.split()))
    assert cut == pytest.approx(1 - (len(first.split()) + 8 + 4) / 145)


@pytest.mark.parametrize(
    ("sentence", "target", "holder", "expected"),
    [
        ("Seoul praised the ban.", "the ban", "Seoul", "# Seoul # praised * the ban *."),
        ("The BAN, the ban.", "the ban", "", "* The BAN *, * the ban *."),
        ("Bans and bandits, banned.", "ban", "", "Bans and bandits, banned."),
        ("The arms\nembargo holds.", "arms embargo", "", "The * arms\nembargo * holds."),
        ("The U.S. embargo.", "U.S.", "the u.s. embargo", "# The * U.S. * embargo #."),
        ("(Iran) said.", "Iran", "Iran", "(# * Iran # *) said."),
        ("a+b? a+b", "a+b", "\\w+", "* a+b *? * a+b *"),
        ("Nothing.", "", "", "Nothing."),
        ("", "ban", "he", ""),
        ("So it goes.", " ", "\n", "So it goes."),
    ],
)
def test_target_and_holder_are_marked_where_they_stand(
    sentence: str, target: str, holder: str, expected: str
) -> None:
    assert marked(sentence, target, holder) == expected


@given(TEXTS, TEXTS, TEXTS)
def test_marks_are_all_that_is_added(sentence: str, target: str, holder: str) -> None:
    found = marked(sentence, target, holder)
    left = iter(found)
    assert all(character in left for character in sentence), "every character is there, in order"
    assert set(found) <= set(sentence) | set("*# ")


def test_a_word_that_stands_everywhere_is_marked_in_no_time() -> None:
    assert marked("a " * 200_000, "a", "a").count("*") == 400_000


def test_marks_are_read_as_asked() -> None:
    example = StanceExample(
        sentence="Seoul welcomed the talks.",
        target="the talks",
        holder="Seoul",
        context="Envoys praised the talks.",
    )
    layout = replace(QUESTIONS, tokens=200, marked=True)
    plain, with_marks, blind = (
        "".join(tokens_of(encode(one, example, tokenizer=ROBERTA).ids[0], ROBERTA)).replace("Ġ", " ")
        for one in (replace(layout, marked=False), layout, replace(layout, target_blind=True))
    )
    assert "#" not in plain and "*" not in plain
    assert "# Seoul # welcomed * the talks *." in with_marks
    assert "Envoys praised the talks." in with_marks, "the context is no place of a stance"
    assert "#" not in blind and "*" not in blind


def test_marks_are_no_text() -> None:
    example = StanceExample(sentence="ееее", target="ееее")
    for layout in (QUESTIONS, replace(QUESTIONS, marked=True)):
        assert encode(layout, example).blank.tolist() == [True]


@given(st.lists(TEXTS, min_size=4, max_size=4), st.lists(TEXTS, min_size=2, max_size=2))
def test_target_blind_knows_nothing_of_the_target(texts: list[str], other: list[str]) -> None:
    layout = Layout(task="stance", tokens=32, target_blind=True)
    sentence, context, target, holder = texts
    one, another = (
        encode(layout, StanceExample(sentence=sentence, context=context, target=t, holder=h))
        for t, h in ((target, holder), (other[0], other[1] or None))
    )
    assert (one.ids, one.second, one.cut[0]) == (another.ids, another.second, another.cut[0])


@settings(deadline=None)
@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS, st.none() | TEXTS), min_size=1, max_size=6),
    st.sampled_from([BERT, ROBERTA]),
    st.sampled_from(["topics", "stance"]),
)
def test_any_text_becomes_sequences_and_none_changes_another(
    rows: list[tuple[str, str, str, str | None]], tokenizer: bytes, task: str
) -> None:
    layout = ARTICLES if task == "topics" else QUESTIONS
    examples = [
        Article(title=a, text=b)
        if task == "topics"
        else StanceExample(sentence=a, context=b, target=c, holder=d)
        for a, b, c, d in rows
    ]
    encoder = Encoder(tokenizer, layout)
    together = encode(layout, *examples, tokenizer=tokenizer)
    alone = [encode(layout, example, tokenizer=tokenizer) for example in examples]
    assert together.ids == [ids for one in alone for ids in one.ids]
    assert together.second == [start for one in alone for start in one.second]
    assert together.cut.tolist() == [one.cut[0] for one in alone]
    assert together.blank.tolist() == [one.blank[0] for one in alone]
    assert together.rows.tolist() == [row for row, one in enumerate(alone) for _ in one.ids]
    for ids, second in zip(together.ids, together.second, strict=True):
        assert 0 < len(ids) <= layout.tokens
        assert 0 <= min(ids) <= max(ids) <= encoder.last_token
        assert 0 < second <= len(ids)
    assert ((together.cut >= 0) & (together.cut <= 1)).all()


def test_what_the_tokenizer_does_not_know_is_blank() -> None:
    found = encode(ARTICLES, Article(text="日本"), Article(text="日本 talks"), Article(text=""))
    assert found.blank.tolist() == [True, False, True]
    assert found.ids[0] == [CLS, UNK, UNK, SEP]
    assert found.cut.tolist() == [0, 0, 0]
    asked = StanceExample(sentence="日本", target="talks", context="talks")
    assert encode(QUESTIONS, asked).blank.tolist() == [True], "the sentence is what is judged"
    assert encode(ARTICLES, Article(text="日本"), tokenizer=ROBERTA).blank.tolist() == [False]


def test_no_examples_are_no_sequences() -> None:
    found = encode(ARTICLES)
    assert (found.ids, len(found.rows), len(found.cut)) == ([], 0, 0)
    assert found.rows.dtype == np.intp


@pytest.mark.parametrize("text", ["a" * 100_000, "a " * 50_000, "é" * 50_000, "日" * 50_000])
def test_long_words_and_texts_are_bounded(text: str) -> None:
    for tokenizer in (BERT, ROBERTA):
        found = encode(ARTICLES, Article(text=text), tokenizer=tokenizer)
        assert len(found.ids) <= ARTICLES.max_chunks
        assert max(map(len, found.ids)) <= ARTICLES.tokens


def test_texts_are_cleaned_and_capped() -> None:
    layout = Layout(task="topics", tokens=32, max_chars=9)
    found = encode(layout, Article(text="the\u00ad ta\u200blks about"))
    assert tokens_of(found.ids[0]) == ["[CLS]", "the", "t", "##a", "##l", "[SEP]"]


def test_an_own_truncation_or_padding_of_the_tokenizer_is_not_heeded() -> None:
    content = json.loads(BERT)
    content["truncation"] = {
        "direction": "Right",
        "max_length": 4,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    content["padding"] = {
        "strategy": {"Fixed": 30},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    example = Article(text=words(12))
    changed = json.dumps(content).encode()
    assert encode(ARTICLES, example, tokenizer=changed).ids == encode(ARTICLES, example).ids


@pytest.mark.parametrize("layout", [Layout(task="topics", tokens=12), Layout("topics", 40, stride=17)])
def test_a_layout_without_room_is_refused(layout: Layout) -> None:
    with pytest.raises(ArtefactError, match=r"tokenizer.json: sequences of .* leave no room for text"):
        Encoder(BERT, layout)


def without_separator() -> bytes:
    tokenizer = Tokenizer.from_buffer(BERT)
    tokenizer.post_processor = processors.TemplateProcessing("$A", "$A $B", [])
    return str(tokenizer.to_str()).encode()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", BERT[:-9], without_separator()])
def test_what_is_no_tokenizer_of_an_encoder_is_refused(content: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"^tokenizer.json: expected a"):
        Encoder(content, ARTICLES)
