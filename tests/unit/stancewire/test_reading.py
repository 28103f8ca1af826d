"""Readings: topics decide what is asked, every sentence is asked once, offsets lead back to the text."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.artefact import CodebookRef
from stancewire.calibration import Calibration
from stancewire.errors import CodebookError, InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.headline import split_headline
from stancewire.predictor import StancePredictor
from stancewire.reading import MAX_TARGETS, Reader, Reading, checked_targets
from stancewire.text import clean
from tests.fake_models import CODEBOOK, FakeRuntime, by_words, fake_stance, fake_topics

TEXT = (
    "Seoul condemned the sanctions. The sanctions were renewed. Kyiv welcomed the sanctions. "
    "The talks were welcomed by Oslo. It rained."
)


def by_title(article: Article) -> Sequence[float]:
    """Topics that the title names."""
    return [0.9 if name in article.title else 0.2 for name in ("arms", "talks", "sanctions")]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("models")
    return Reader(fake_topics(folder, by_title), fake_stance(folder, by_words))


def stance_of(reader: Reader) -> StancePredictor:
    """The model for stance of a reader that has one."""
    assert reader.stance is not None
    return reader.stance


def questions(reader: Reader) -> list[StanceExample]:
    """What the stance model was last asked."""
    runtime = stance_of(reader)._runtime
    assert isinstance(runtime, FakeRuntime)
    return list(runtime.calls[-1])


def test_the_decided_topics_are_the_targets(reader: Reader) -> None:
    reading = reader.read(Article(title="sanctions and talks", text=TEXT, id="7"))
    assert [(t.label, t.decision) for t in reading.topics] == [
        ("arms_trade", False),
        ("diplomacy", True),
        ("sanctions", True),
    ]
    assert [(t.name, t.threshold) for t in reading.topics] == [
        ("arms trade", 0.5),
        ("diplomacy", 0.5),
        ("sanctions", 0.5),
    ]
    assert reading.topics[0].probability == pytest.approx(0.2)
    assert [(t.target, t.topic) for t in reading.targets] == [
        ("diplomacy", "diplomacy"),
        ("sanctions", "sanctions"),
    ]


def test_every_sentence_that_concerns_a_target_has_a_stance(reader: Reader) -> None:
    reading = reader.read(TEXT, targets=["sanctions", "talks", "shells"])
    assert [(s.target, s.label, s.sentence) for s in reading.stances] == [
        ("sanctions", "against", "Seoul condemned the sanctions."),
        ("sanctions", "neutral", "The sanctions were renewed."),
        ("sanctions", "favor", "Kyiv welcomed the sanctions."),
        ("talks", "favor", "The talks were welcomed by Oslo."),
    ]
    assert reading.stances[0].probability == pytest.approx(0.9)
    assert [s.holder and s.holder.text for s in reading.stances] == ["Seoul", None, "Kyiv", "Oslo"]
    assert reading.sentences == 5
    assert [(t.target, t.topic, t.verdict, t.net) for t in reading.targets] == [
        ("sanctions", None, "divided", 0.0),
        ("talks", None, "favor", 1.0),
        ("shells", None, "no_evidence", None),
    ]
    assert [s.sentence[:5] for s in reading.targets[0].deciding] == ["Seoul", "Kyiv "]


def test_targets_replace_the_topics(reader: Reader) -> None:
    reading = reader.read(Article(title="sanctions", text=TEXT), targets=["talks"])
    assert [target.target for target in reading.targets] == ["talks"]
    assert reading.topics[2].decision


def test_no_topic_no_question(reader: Reader) -> None:
    reading = reader.read(TEXT)
    assert (reading.targets, reading.stances, reading.sentences) == ((), (), 5)


def test_the_model_is_asked_about_each_sentence_with_what_stands_around_it(reader: Reader) -> None:
    text = 'Seoul condemned the talks. It wants them stopped. "They are wrong," said an envoy. "Never."'
    reader.read(text, targets=["talks", "sanctions"])
    asked = questions(reader)
    assert len(asked) == 8
    assert [q.target for q in asked] == ["talks"] * 4 + ["sanctions"] * 4
    assert [(q.sentence, q.context, q.holder) for q in asked[:4]] == [
        ("Seoul condemned the talks.", "", "Seoul"),
        ("It wants them stopped.", "Seoul condemned the talks.", "It"),
        ('"They are wrong," said an envoy.', "It wants them stopped.", "an envoy"),
        ('"Never."', '"They are wrong," said an envoy.', None),
    ]


def test_a_pronoun_in_a_row_means_the_same(reader: Reader) -> None:
    text = (
        'The envoy said the talks failed. He called the talks over. He left the talks. "No talks," he said. '
        '"No more talks." She stayed in the talks.'
    )
    found = [(s.holder.text, s.holder.mention, s.holder.in_context, text[s.holder.start : s.holder.end])
             for s in reader.read(text, targets=["talks"]).stances if s.holder]  # fmt: skip
    assert found == [
        ("The envoy", "The envoy", False, "The envoy"),
        ("The envoy", "He", True, "The envoy"),
        ("The envoy", "He", True, "The envoy"),
        ("The envoy", "he", True, "The envoy"),
        ("The envoy", "", True, "The envoy"),
        ("She", "She", False, "She"),
    ]


def test_provenance_names_both_models(reader: Reader) -> None:
    reading = reader.read(TEXT)
    assert reading.topics_model == reader.topics.provenance
    assert reading.stance_model == stance_of(reader).provenance


def test_readings_are_frozen(reader: Reader) -> None:
    reading = reader.read(TEXT, targets=["talks"])
    for value in (reading, reading.topics[0], reading.targets[0], reading.stances[0], reading.topics_model):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)


@pytest.mark.parametrize(
    ("text", "title", "offset"),
    [
        ("Talks fail\n\nThe envoys left.", "Talks fail", 12),
        ("\n  Talks fail  \r\n \r\n\n  The envoys left.", "Talks fail", 23),
        ("Talks fail\r\rThe envoys left.", "Talks fail", 12),
        ("Talks fail?\n\nYes.", "Talks fail?", 13),
        ("Talks fail.\n\nYes.", "", 0),
        ("Talks fail\nYes.", "", 0),
        ("Talks fail\r\nYes.", "", 0),
        ("Talks fail\n\n", "", 0),
        ("Talks fail", "", 0),
        ("x" * 200 + "\n\nYes.", "x" * 200, 202),
        ("x" * 201 + "\n\nYes.", "", 0),
        ("", "", 0),
    ],
)
def test_split_headline(text: str, title: str, offset: int) -> None:
    article, found = split_headline(text)
    assert (article.title, found) == (title, offset)
    assert article.text == text[offset:]


ODD = {
    "headline": "Talks fail\n\nKyiv welcomed the talks. Seoul condemned the talks.",
    "crlf": "Kyiv welcomed\r\nthe talks.\r\n\r\n\r\nSeoul   condemned the talks.\r\n",
    "nfd": "Le\u0301on Gue\u0301rin welcomed the talks. Bogota\u0301 condemned the talks.",
    "invisible": "\ufeff\u200bKyiv wel\u00adcomed the \u200btalks. \u2066Seoul condemned the talks.\u200b",
    "wide": "Ｋｙｉｖ welcomed the talks. 𝐒𝐞𝐨𝐮𝐥 condemned the talks.",
    "emoji": "👩‍👧 Kyiv welcomed the talks 😀. Seoul condemned the talks.",
    "bullets": "- Kyiv welcomed the talks.\n- Seoul condemned the talks.",
    "surrogate": "Kyiv welcomed \ud800 the talks. Seoul condemned the talks.",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_offsets_lead_back_to_the_original(reader: Reader, text: str) -> None:
    reading = reader.read(text, targets=["talks"])
    assert [s.label for s in reading.stances] == ["favor", "against"]
    for stance in reading.stances:
        assert clean(text[stance.start : stance.end]) == clean(stance.sentence)
        assert stance.holder is not None
        assert clean(text[stance.holder.start : stance.holder.end]) == stance.holder.text


def test_offsets_of_an_article_are_into_its_text(reader: Reader) -> None:
    article = Article(title="A headline", text="\n\nKyiv welcomed the talks.")
    (stance,) = reader.read(article, targets=["talks"]).stances
    assert (stance.start, stance.end) == (2, 26)


PIECES = st.sampled_from(
    [
        *(
            "Kyiv welcomed the talks. ",
            "Seoul condemned the talks",
            "The envoy said: ",
            "“Talks!” ",
            " he said",
        ),
        *(
            "\r\n",
            "\n\n",
            "\n",
            " ",
            ".",
            "\u200b",
            "\u00ad",
            "e\u0301",
            "ﬁ",
            "\ud800",
            "U.S. ",
            "- ",
            "\u2066",
        ),
    ]
)


@settings(max_examples=150)
@given(st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=80)))
def test_any_text_is_read_or_refused(reader: Reader, text: str) -> None:
    try:
        reading = reader.read(text, targets=["talks"])
    except InputError:
        assert not clean(split_headline(text)[0].text).strip()
        return
    previous = 0
    for stance in reading.stances:
        assert previous <= stance.start < stance.end <= len(text)
        assert clean(text[stance.start : stance.end]) == clean(stance.sentence)
        previous = stance.end
        if stance.holder:
            assert clean(text[stance.holder.start : stance.holder.end]) == clean(stance.holder.text)
    assert json.loads(json.dumps(reading.to_dict(), allow_nan=False)) == reading.to_dict()
    json.dumps(reading.to_dict(), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u200d", "\ufeff"])
def test_a_text_with_nothing_to_read_is_refused(reader: Reader, text: str) -> None:
    for article in (text, Article(title="Talks", text=text)):
        with pytest.raises(InputError, match=r"expected an article's text, found \d+ characters, none"):
            reader.read(article)


@pytest.mark.parametrize("text", [None, 3, b"talks", ["talks"], float("nan")])
def test_what_is_no_text_is_refused(reader: Reader, text: object) -> None:
    with pytest.raises(InputError, match=f"found a {type(text).__name__}"):
        reader.read(Article(text=text))  # type: ignore[arg-type]  # the fault under test


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "expected 1 to 50 targets, found 0"),
        (["t"] * (MAX_TARGETS + 1), "expected 1 to 50 targets, found 51"),
        ("talks", r"expected a list of targets, found one text; write targets=\['talks'\]"),
        ([""], "target 0: expected a phrase of 1 to 200 characters, found '', nothing to read"),
        (["talks", " \u200b"], r"target 1: expected a phrase of 1 to 200 characters, found ' \\u200b'"),
        (["x" * 201], "target 0: expected a phrase of 1 to 200 characters, found 201$"),
        (["talks", "shells", "Talks "], "target 2: 'Talks' stands there twice"),
        (["talks", None], "target 1: expected a text, found a NoneType"),
    ],
)
def test_bad_targets(reader: Reader, targets: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reader.read(TEXT, targets=targets)  # type: ignore[arg-type]  # the fault under test


def test_targets_are_cleaned_and_keep_their_order() -> None:
    assert checked_targets(["the  EU\nprice cap", "a\u200bb", "x" * 200]) == [
        "the EU price cap",
        "ab",
        "x" * 200,
    ]
    many = [f"target {number}" for number in range(MAX_TARGETS)]
    assert checked_targets(many) == many


def test_a_long_article_is_cut_and_says_so(tmp_path: Path) -> None:
    reader = Reader(
        fake_topics(tmp_path, by_title, max_chars=60), fake_stance(tmp_path, by_words, max_chars=80)
    )
    text = "Kyiv welcomed the talks. " * 10
    reading = reader.read(Article(title="talks", text=text))
    assert reading.cut_chars == len(text) - 60
    assert "text_cut" in reading.warnings
    assert max(stance.end for stance in reader.read(text, targets=["talks"]).stances) <= 60


@pytest.mark.parametrize(("topics", "stance"), [(60, 80), (80, 60)])
def test_the_shorter_reader_of_the_two_decides(tmp_path: Path, topics: int, stance: int) -> None:
    reader = Reader(
        fake_topics(tmp_path, by_title, max_chars=topics), fake_stance(tmp_path, by_words, max_chars=stance)
    )
    reading = reader.read("Kyiv welcomed the talks. " * 2 + "x" * 20)
    assert (reading.cut_chars, reading.warnings) == (10, ("text_cut",))


def test_a_topic_without_a_phrase_is_called_by_its_label(tmp_path: Path) -> None:
    nameless = CodebookRef(CODEBOOK.id, CODEBOOK.version, CODEBOOK.sha256, {})
    topics = fake_topics(tmp_path, by_title, codebook=nameless)
    reading = Reader(topics, fake_stance(tmp_path, by_words)).read(Article(title="arms", text=TEXT))
    assert [topic.name for topic in reading.topics] == ["arms trade", "diplomacy", "sanctions"]
    assert reading.targets[0].target == "arms trade"


def test_warnings_of_the_topics_model_are_kept(tmp_path: Path) -> None:
    reader = Reader(fake_topics(tmp_path, by_title, blank=True), fake_stance(tmp_path, by_words))
    reading = reader.read("Kyіv welcomed the talks.")
    assert reading.warnings == ("no_known_features", "mixed_script")
    assert reading.mixed_script == ("Kyіv",)
    assert reading.cut_chars == 0


def test_swapped_models_are_refused(tmp_path: Path) -> None:
    topics, stance = fake_topics(tmp_path, by_title), fake_stance(tmp_path, by_words)
    with pytest.raises(StancewireError, match="expected a topics model, found tiny-stance, a stance model"):
        Reader(stance, topics)  # type: ignore[arg-type]  # the fault under test
    with pytest.raises(StancewireError, match="expected a stance model, found tiny-topics"):
        Reader(topics, topics)  # type: ignore[arg-type]  # the fault under test


@pytest.mark.parametrize("change", [{"id": "other"}, {"version": "1.1"}, {"sha256": "1" * 64}])
def test_models_of_two_codebooks_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    other = dataclasses.replace(CODEBOOK, **change)  # type: ignore[arg-type]  # all are texts
    with pytest.raises(CodebookError, match="expected models of one codebook, found tiny-topics by"):
        Reader(fake_topics(tmp_path, by_title), fake_stance(tmp_path, by_words, codebook=other))


def test_names_of_the_labels_may_differ_between_the_models(tmp_path: Path) -> None:
    named = CodebookRef(CODEBOOK.id, CODEBOOK.version, CODEBOOK.sha256, {"favor": "in favor"})
    Reader(fake_topics(tmp_path, by_title), fake_stance(tmp_path, by_words, codebook=named))


def test_a_stance_model_without_our_labels_is_refused(tmp_path: Path) -> None:
    stance = fake_stance(
        tmp_path,
        lambda _: (1, 0),
        labels=("against", "other"),
        thresholds=(0.5, 0.5),
        calibration=Calibration.identity(2),
    )
    with pytest.raises(CodebookError, match="missing favor, neutral, unrelated"):
        Reader(fake_topics(tmp_path, by_title), stance)


DOCS = Path(__file__).resolve().parents[3] / "docs" / "reading.md"


def keys_of(value: object, prefix: str = "") -> dict[str, str]:
    """Every dotted key of a JSON value with the JSON type of what it holds; of a list, those of its items."""
    names = {str: "text", bool: "boolean", int: "number", float: "number", type(None): "null"}
    found: dict[str, str] = {}
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= keys_of(inner, f"{prefix}.{key}" if prefix else key)
        return found if prefix == "" else {prefix: "object"} | found
    if isinstance(value, list):
        for inner in value:
            found |= keys_of(inner, f"{prefix}[]")
        return {prefix: "list"} | found
    return {prefix: names[type(value)]}


def documented() -> dict[str, str]:
    """The rows `| key | type | …` of the schema's table."""
    return dict(
        re.findall(r"^\| `([a-z_.\[\]]+)` \| ([a-z ]+?)(?: or null)? \|", DOCS.read_text("utf-8"), re.M)
    )


def full_reading(reader: Reader) -> Reading:
    """A reading in which no optional part is null."""
    article = Article(title="sanctions", text=f"{TEXT} Kyіv.", id="7", date="2024-05-01", outlet="wire")
    return reader.read(article)


def test_the_documented_keys_are_the_real_ones(reader: Reader) -> None:
    real = keys_of(full_reading(reader).to_dict())
    assert documented() == real
    assert list(documented()) == list(real)


def test_the_json_holds_what_the_reading_holds(reader: Reader) -> None:
    reading = full_reading(reader)
    value = reading.to_dict()
    assert (value["schema"], value["schema_version"]) == ("stancewire-reading", 1)
    assert (value["id"], value["title"], value["date"], value["outlet"]) == (
        "7",
        "sanctions",
        "2024-05-01",
        "wire",
    )
    assert value["topics"] == [dataclasses.asdict(topic) for topic in reading.topics]
    assert value["stances"] == [dataclasses.asdict(stance) for stance in reading.stances]
    assert value["models"]["topics"] == dataclasses.asdict(reading.topics_model)
    assert value["models"]["stance"] == dataclasses.asdict(stance_of(reader).provenance)
    (target,) = value["targets"]
    assert target["counts"] == {"against": 1, "favor": 1, "neutral": 1}
    assert [reading.stances[at] for at in target["deciding"]] == list(reading.targets[0].deciding)
    assert value["mixed_script"] == ["Kyіv"]


def test_no_lone_surrogate_leaves(reader: Reader) -> None:
    article = Article(
        text="Kyiv welcomed the \ud800 talks.", title="\ud801", id="\ud802", outlet="\ud803", date="\ud804"
    )
    value = reader.read(article, targets=["talks"]).to_dict()
    assert "talks" in json.dumps(value, ensure_ascii=False).encode().decode()


def test_a_runtime_that_answers_nan_is_an_input_error(tmp_path: Path) -> None:
    reader = Reader(fake_topics(tmp_path, by_title), fake_stance(tmp_path, lambda _: (np.nan,) * 4))
    with pytest.raises(InputError, match="no probabilities"):
        reader.read(TEXT, targets=["talks"])
