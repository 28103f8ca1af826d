"""The audit: planted faults are found, clean rows are left alone, the page shows what the JSON holds."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.corpora import STANCES, TOPICS, corpus_of, row_of, rows_of, text_of, write_jsonl
from tests.integration.conftest import ROOT
from training.auditing.annotations import Annotations
from training.auditing.balance import balance, lopsided
from training.auditing.build import audit
from training.auditing.command import main
from training.auditing.crossfit import NotAuditedError, out_of_sample
from training.auditing.crossfit import rows_of as audited_rows
from training.auditing.files import DATA, PAGE, files
from training.auditing.leakage import leakage
from training.auditing.outliers import english_share, outliers
from training.auditing.suspects import suspects
from training.auditing.twins import twins
from training.data.codebook import load_codebook
from training.data.rows import Topics

CODEBOOK = load_codebook(ROOT / "data" / "codebook.yaml")
VERBS = {"against": "condemned", "favor": "welcomed", "neutral": "described", "unrelated": "painted"}
WORDS = {"arms_trade": "missiles", "diplomacy": "envoys", "sanctions": "embargo"}
HOSTILE = "<script>alert(1)</script> & <b>bold</b>"
Captured = pytest.CaptureFixture[str]


def telling_row(number: int, **changes: object) -> dict[str, Any]:
    """A row whose words tell its labels: one topic or none, and two stances."""
    topics = [TOPICS[number % 4]] if number % 4 < 3 else []
    labels = [STANCES[(number + shift) % 4] for shift in (0, 1)]
    sentences = [f"The minister {VERBS[label]} deal {number} on day {i}." for i, label in enumerate(labels)]
    body = " ".join([text_of(number), *(f"{WORDS[topic]} {WORDS[topic]}." for topic in topics), *sentences])
    stances = [
        {"sentence": sentence, "target": f"deal {number}", "holder": "The minister", "label": label}
        for sentence, label in zip(sentences, labels, strict=True)
    ]
    return row_of(number, event=f"e{number}", text=body, topics=topics, stances=stances) | changes


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An audit of 80 articles of which two topics and two stances are labelled wrong."""
    rows = [telling_row(number) for number in range(80)]
    rows[9]["topics"], rows[30]["topics"] = [], ["arms_trade", "sanctions"]
    for number, label in ((13, "neutral"), (44, "favor")):
        assert rows[number]["stances"][0]["label"] != label
        rows[number]["stances"][0]["label"] = label
    rows[5]["title"] = HOSTILE
    return audit(corpus_of(tmp_path_factory.mktemp("planted"), rows), None)


def test_planted_label_errors_are_found_and_few_others(planted: Mapping[str, Any]) -> None:
    topics = planted["suspects"]["topics"]
    first = [(one["article"], one["label"], one["given"], one["suggested"]) for one in topics["shown"][:2]]
    assert sorted(first) == [
        ("a009", "diplomacy", False, "diplomacy"),
        ("a030", "arms_trade", True, "not arms_trade"),
    ]
    assert topics["checked"] == 80
    assert topics["found"] == sum(topics["by_label"].values()) <= 4
    stance = planted["suspects"]["stance"]
    assert {(one["article"], one["label"], one["suggested"]) for one in stance["shown"][:2]} == {
        ("a013", "neutral", "favor"),
        ("a044", "favor", "against"),
    }
    assert [one["quality"] for one in stance["shown"]] == sorted(one["quality"] for one in stance["shown"])


def test_nobody_is_asked_about_a_story_that_taught(tmp_path: Path) -> None:
    """Labels that only the story tells cannot be learned: a leak would give them away."""
    rows = [telling_row(number) for number in range(40)]
    told = audited_rows(corpus_of(tmp_path, rows), "topics").rows
    noise = np.random.default_rng(0).integers(0, 2, (20, 3)).astype(np.float32)
    pairs = replace(told, truth=np.repeat(noise, 2, axis=0), groups=tuple(str(i // 2) for i in range(40)))
    twice = replace(pairs, examples=tuple(pairs.examples[i // 2 * 2] for i in range(40)))  # type: ignore[arg-type]
    found = out_of_sample(twice, 0, lambda step: None)
    assert ((found > 0.5) == (twice.truth == 1)).mean() < 0.75


def test_unlabelled_topics_are_never_suspect(tmp_path: Path) -> None:
    rows = [telling_row(number) for number in range(40)]
    for row in rows[::5]:
        row["topics"] = {"sanctions": "sanctions" in row["topics"]}
    checked = audited_rows(corpus_of(tmp_path, rows), "topics")
    wrong = 1 - np.nan_to_num(checked.rows.truth, nan=0.0)
    told = suspects(checked, np.clip(wrong.astype(np.float64), 0.1, 0.9))
    masked = {row["id"] for row in rows[::5]}
    assert {one["label"] for one in told["shown"] if one["article"] in masked} <= {"sanctions"}


@pytest.mark.parametrize(
    "rows", [[row_of(i, topics=None, stances=[]) for i in range(9)], [telling_row(i) for i in (0, 1, 2, 3)]]
)
def test_too_few_labels_are_told(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    found = audit(corpus_of(tmp_path, rows), None)
    assert set(found["suspects"]["topics"]) == {"skipped"}
    assert any("Labels of topics were not looked at" in one["text"] for one in found["findings"])
    assert "Not looked at: " in files(found)[PAGE]


def test_no_labels_are_no_rows(tmp_path: Path) -> None:
    with pytest.raises(NotAuditedError, match="no stance labels"):
        audited_rows(corpus_of(tmp_path, [row_of(0, stances=[])]), "stance")


def test_near_duplicates_with_other_labels(tmp_path: Path) -> None:
    text = text_of("one", 12)
    cut = text.rsplit(" ", 4)[0] + " end."
    sentence = "The minister of the northern republic welcomed the long delayed embargo on all arms"
    near = sentence.replace("arms", "weapons.")
    stances = [{"sentence": f"{sentence}.", "target": "the embargo", "holder": None, "label": "favor"}]
    again = [{"sentence": near, "target": "embargo", "holder": None, "label": "against"}]
    other = [{"sentence": near, "target": "talks", "holder": None, "label": "neutral"}]
    rows = [
        row_of(0, text=f"{text} {sentence}.", topics=["sanctions"], stances=stances),
        row_of(1, text=f"{cut} {near}", topics=["sanctions", "diplomacy"], stances=again + other),
        row_of(2, text=text_of("two", 12), topics=[], stances=[]),
        row_of(3, text=text_of("two", 12) + " more words.", topics={"diplomacy": False}, stances=[]),
    ]
    found = twins(corpus_of(tmp_path, rows))
    assert found["near_duplicates"] == 2
    (pair,) = found["topics"]["shown"]
    assert pair["differ"] == ["diplomacy"]
    assert [one["article"] for one in pair["articles"]] == ["a000", "a001"]
    (stance,) = found["stance"]["shown"]
    assert [one["label"] for one in stance["records"]] == ["favor", "against"]
    assert 0.8 <= stance["similarity"] < 1


def test_one_sentence_with_two_stances_toward_one_target(tmp_path: Path) -> None:
    row = telling_row(0)
    first = row["stances"][0]
    row["stances"] = [first | {"target": "the deal"}, first | {"target": "deal", "label": "neutral"}]
    found = twins(corpus_of(tmp_path, [row]))["stance"]
    assert (found["found"], found["shown"][0]["similarity"]) == (1, 1.0)


def test_leaks_of_a_given_split(tmp_path: Path) -> None:
    rows = [telling_row(number) for number in range(8)]
    assert leakage(corpus_of(tmp_path, rows)) is None
    for number, row in enumerate(rows):
        row["split"] = "train" if number < 5 else "test"
    clean = leakage(corpus_of(tmp_path, rows))
    assert clean is not None
    assert (clean["found"], clean["without_a_part"]) == (0, 0)
    rows[7]["event"] = rows[0]["event"]
    rows[6]["text"] = rows[1]["text"] + " And more."
    rows[6]["stances"] = rows[1]["stances"]
    del rows[2]["split"]
    found = leakage(corpus_of(tmp_path, rows))
    assert found is not None
    assert found["parts"] == {"train": 4, "dev": 0, "test": 3}
    assert found["without_a_part"] == 1
    assert found["kinds"] == {"same_text": 0, "near_text": 1, "same_sentence": 2, "same_event": 2}
    assert found["shown"][0]["code"] == "near_text"


def test_leaks_into_test_come_first(tmp_path: Path) -> None:
    rows = [telling_row(number) for number in range(4)]
    for row, split in zip(rows, ("train", "dev", "train", "test"), strict=True):
        row["split"] = split
    rows[1]["text"] = rows[0]["text"]
    rows[1] |= {"topics": rows[0]["topics"], "stances": []}
    rows[3]["event"] = rows[2]["event"]
    found = leakage(corpus_of(tmp_path, rows))
    assert found is not None
    assert [one["code"] for one in found["shown"]] == ["same_event", "same_text", "same_event"]


def test_a_lopsided_outlet_stands_first(tmp_path: Path) -> None:
    rows = [telling_row(number, countries=[], date=None) for number in range(120)]
    for number, row in enumerate(rows):
        row["outlet"] = "tabloid" if row["topics"] == ["sanctions"] and number < 100 else "wire"
    checked = audited_rows(corpus_of(tmp_path, rows), "topics")
    found = balance(checked, CODEBOOK, samples=300, confidence=0.95, seed=0)
    assert found["labels"]["sanctions"] == {"rows": 30, "labelled": 120, "stories": 30, "share": 0.25}
    assert found["none"] == 30
    first = found["slices"][0]
    assert first["dimension"] == "outlet"
    tabloid = next(one for one in found["slices"] if one["value"] == "tabloid")
    share = tabloid["labels"]["sanctions"]
    assert (share["share"], share["rest"]) == (1.0, pytest.approx(5 / 95))
    assert share["over_rest"]["value"] == pytest.approx(90 / 95)
    # 25 stories without an exception may hide 11 % of exceptions: 1 - 0.05 ** (1 / 25)
    assert share["over_rest"]["low"] < 90 / 95 - 0.11
    assert lopsided(tabloid) > 0.5
    wire = next(one for one in found["slices"] if one["value"] == "wire")
    assert wire["labels"]["sanctions"]["over_rest"]["value"] == pytest.approx(-90 / 95)


def test_small_slices_are_not_judged(tmp_path: Path) -> None:
    rows = [telling_row(number, outlet="tiny" if number < 9 else "wire") for number in range(40)]
    checked = audited_rows(corpus_of(tmp_path, rows), "topics")
    found = balance(checked, CODEBOOK, samples=50, confidence=0.95, seed=0)
    tiny = next(one for one in found["slices"] if one["value"] == "tiny")
    assert not tiny["enough"]
    assert {of["over_rest"] for of in tiny["labels"].values()} == {None}
    assert lopsided(tiny) == 0
    rows = [telling_row(number, outlet="one" if number < 20 else "wire") for number in range(40)]
    story = [row | {"event": "e0"} if row["outlet"] == "one" else row for row in rows]
    told = balance(
        audited_rows(corpus_of(tmp_path, story), "topics"), CODEBOOK, samples=50, confidence=0.95, seed=0
    )
    assert [one["enough"] for one in told["slices"] if one["value"] == "one"] == [False]
    order = [one["enough"] for one in found["slices"]]
    assert order == sorted(order, reverse=True)


GERMAN = (
    "Die Minister der beiden Länder trafen sich am Montag in Genf und sprachen lange über die Lieferung von "
    "Munition, ohne sich auf einen Termin zu einigen, wie ein Sprecher des Amtes am Abend sagte."
)
FRENCH = (
    "Les ministres des deux pays se sont réunis lundi à Genève et ont longuement parlé de la livraison de "
    "munitions, sans parvenir à un accord sur une date, a déclaré le porte-parole du ministère le soir."
)
SPANISH = (
    "Los ministros de ambos países se reunieron el lunes en Ginebra y hablaron largo rato sobre la entrega "
    "de municiones, sin llegar a un acuerdo sobre la fecha, según dijo por la noche un portavoz suyo."
)
ENGLISH = (
    "The ministers of the two countries met in Geneva on Monday and spoke at length about the delivery of "
    "ammunition, without agreeing on a date, as a spokesman for the ministry said in the evening."
)


def test_running_english_is_told_from_other_languages() -> None:
    assert (english_share(ENGLISH) or 0) > 0.3
    assert (english_share(ENGLISH.upper()) or 0) > 0.3
    for other in (GERMAN, FRENCH, SPANISH):
        share = english_share(other)
        assert share is not None
        assert share < 0.15
    assert english_share("Nineteen words and no more " * 3) is None


def test_unusual_texts_are_found(tmp_path: Path) -> None:
    rows = [row_of(number, text=f"{ENGLISH} Day {number}.", stances=[]) for number in range(30)]
    rows += [row_of(30, text=GERMAN, stances=[]), row_of(31, text="Too short.", stances=[])]
    rows += [row_of(32, text=f"{ENGLISH} " * 60 + "The s\u0430nctions.", stances=[])]
    found = outliers(corpus_of(tmp_path, rows))
    assert [one["article"] for one in found["language"]["shown"]] == ["a030"]
    assert found["language"]["too_short"] == 1
    assert {one["article"] for one in found["articles"]["shown"]} == {"a031", "a032"}
    assert found["sentences"] is None
    assert found["mixed_script"]["shown"] == [{"article": "a032", "words": ["s\u0430nctions"]}]


def test_few_texts_have_no_outliers(tmp_path: Path) -> None:
    rows = [row_of(number, text=text_of(number, 1 + 30 * (number == 0))) for number in range(10)]
    found = outliers(corpus_of(tmp_path, [row | {"stances": []} for row in rows]))
    assert found["articles"]["found"] == 0


def figures(value: object) -> set[str]:
    """Every whole number of the JSON, as the page writes them."""
    if isinstance(value, Mapping):
        return set().union(*map(figures, value.values()), set())
    if isinstance(value, list):
        return set().union(*map(figures, value), set())
    return {f"{value:,}"} if isinstance(value, int) and not isinstance(value, bool) else set()


def poisoned(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same audit with every text a hostile one."""
    if isinstance(value, Mapping):
        return {key: poisoned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


def test_the_page_loads_nothing_and_escapes_everything(tmp_path: Path, planted: Mapping[str, Any]) -> None:
    rows = [telling_row(number, split=("train", "test")[number % 2]) for number in range(40)]
    rows[1]["text"] = rows[0]["text"] + " Later more."
    rows[1] |= {"event": "e0", "stances": [], "topics": ["sanctions"]}
    rows[2]["text"] += f" {GERMAN * 40} s\u0430nctions"
    rows[3]["text"] = GERMAN
    rows[3]["stances"] = []
    held: Topics = dict.fromkeys(TOPICS, True)
    said: dict[str, Topics] = {"Ada": held, HOSTILE: dict.fromkeys(TOPICS, False)}
    stance = {"Ada": "favor", HOSTILE: "against"}
    told = Annotations(topics={"a000": said}, stances={("a000", "They met.", "talks", "They"): stance})
    full = audit(corpus_of(tmp_path, rows), told)
    assert full["leaks"]["found"]
    assert full["twins"]["topics"]["found"]
    for found in (planted, full):
        page = files(found)[PAGE]
        assert "default-src &#x27;none&#x27;" in page
        assert not re.search(r"(src|href)=\"(?!#)", page)
        hostile = files(poisoned(found))[PAGE]
        assert "<script" not in hostile
        assert "<b>bold" not in hostile
        assert hostile.count("&lt;script&gt;") > 30


def test_the_tiles_stand_in_the_json(planted: Mapping[str, Any]) -> None:
    page, data = files(planted)[PAGE], json.loads(files(planted)[DATA])
    tiles = re.findall(r"<b>([\d,]+)</b>", page.split('class="findings"')[0])
    assert tiles
    assert set(tiles) <= figures(data)


def test_equal_inputs_give_equal_bytes(tmp_path: Path, planted: Mapping[str, Any]) -> None:
    corpus = corpus_of(tmp_path, [telling_row(number) for number in range(30)])
    told = Annotations(
        topics={"a000": {"Ada": dict.fromkeys(TOPICS, True), "Ben": dict.fromkeys(TOPICS, False)}}
    )
    assert files(audit(corpus, told)) == files(audit(corpus, told))


def test_the_command_writes_both_files(tmp_path: Path, capsys: Captured) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", [telling_row(number) for number in range(30)])
    said = write_jsonl(
        tmp_path / "said.jsonl",
        [
            {"id": f"a00{n}", "annotator": who, "topics": topics}
            for n in range(4)
            for who, topics in (("Ada", ["sanctions"]), ("Ben", ["sanctions"] * (n % 2)))
        ],
    )
    output = tmp_path / "out"
    assert main([str(data), "--annotations", str(said), "--output", str(output), "--codebook", _book()]) == 0
    printed = capsys.readouterr()
    assert str(output / PAGE) in printed.out
    assert "Krippendorff's alpha on topics is -" in printed.out
    assert sorted(file.name for file in output.iterdir()) == sorted((DATA, PAGE))
    content = json.loads((output / DATA).read_text(encoding="utf-8"))
    assert content["format"] == "stancewire-audit"
    page = (output / PAGE).read_text(encoding="utf-8")
    assert all(html.escape(one["text"], quote=False) in page for one in content["findings"])
    assert printed.err == ""


def _book() -> str:
    return str(ROOT / "data" / "codebook.yaml")


@pytest.mark.parametrize(
    ("rows", "more", "wanted"),
    [
        ([row_of(0, topics=["sport"])], [], "wanted a corpus without faults"),
        ([], [], "found no row"),
        (rows_of(4), ["--annotations", "nowhere.jsonl"], "nowhere.jsonl"),
        (rows_of(4), ["--codebook", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input_is_one_error_and_nothing_is_written(
    tmp_path: Path, capsys: Captured, rows: list[object], more: list[str], wanted: str
) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", rows)
    codebook = [] if "--codebook" in more else ["--codebook", _book()]
    assert main([str(data), "--output", str(tmp_path / "out"), *codebook, *more]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("error: ") == 1
    assert wanted in printed.err
    assert printed.out == ""
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_refused(tmp_path: Path, capsys: Captured) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", rows_of(4))
    (tmp_path / "notes.txt").write_text("mine")
    assert main([str(data), "--output", str(tmp_path), "--codebook", _book()]) == 2
    assert "wanted a new folder" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"
