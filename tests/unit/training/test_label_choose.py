"""What to label next: which articles may be asked, by which criterion, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import LabelledSet
from stancewire.artefact import Artefact
from stancewire.calibration import Task
from stancewire.examples import Article, StanceExample
from tests.corpora import text_of, write_jsonl
from tests.label_cases import article, pool_of
from tests.small_models import CODEBOOK, fitted, small_artefact
from training.export import export
from training.labelling.command import main
from training.labelling.files import OutputError, write_new
from training.report.seen import SECTION, seen_section


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("topics"), "topics")


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("stance"), "stance")


def chosen(folder: Path, *arguments: str, name: str = "queue.jsonl") -> list[dict[str, Any]]:
    output = folder / name
    assert main([*arguments, "--output", str(output)]) == 0
    return [json.loads(line) for line in output.read_text("utf-8").splitlines()]


def notes(rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [row["queue"] for row in rows]


def test_shares_stories_and_reasons(tmp_path: Path, topics: Artefact) -> None:
    pool = pool_of(tmp_path, 40)
    rows = chosen(tmp_path, str(pool), "--model", str(topics.path), "--n", "10", "--random", "0.2")
    assert len(rows) == 10
    assert len({row["event"] for row in rows}) == 10
    # No counts in this manifest: the share of "rare" goes to the others, 0.5, 0.3 and 0.2.
    assert Counter(note["criterion"] for note in notes(rows)) == {"uncertain": 5, "diverse": 3, "random": 2}
    assert all(note["why"] and note["model"].startswith("small-topics sha256:") for note in notes(rows))
    assert all(row["topics"] is None and "split" not in row for row in rows)
    scores = [note["score"] for note in notes(rows) if note["criterion"] == "uncertain"]
    assert scores == sorted(scores, reverse=True)


def test_the_most_doubtful_come_first(tmp_path: Path, topics: Artefact) -> None:
    arguments = [str(pool_of(tmp_path, 20)), "--model", str(topics.path), "--rare", "0", "--diverse", "0"]
    some = chosen(tmp_path, *arguments, "--n", "4", name="some.jsonl")
    every = chosen(tmp_path, *arguments, "--n", "99", name="every.jsonl")
    assert len(every) == 10  # stories
    assert some == every[:4]
    assert some[0]["queue"]["score"] > every[-1]["queue"]["score"]


def test_the_same_seed_chooses_the_same(tmp_path: Path, topics: Artefact) -> None:
    arguments = [str(pool_of(tmp_path, 30)), "--model", str(topics.path), "--n", "8", "--random", "1"]
    once = chosen(tmp_path, *arguments, name="1")
    assert once == chosen(tmp_path, *arguments, name="2")
    assert once != chosen(tmp_path, *arguments, "--seed", "1", name="3")


def test_copies_labelled_stories_and_seen_events_are_left_out(
    tmp_path: Path, topics: Artefact, capsys: pytest.CaptureFixture[str]
) -> None:
    text = text_of("wire", 8)
    rows = [
        article(0, id="one", event=None, text=text),
        article(1, id="copy", event=None, text=f"{text} Retouched at the end."),
        article(2, id="labelled", event="e", topics=["sanctions"]),
        article(3, id="sibling", event="e"),
        article(4, id="known", event=None),
        article(6, id="free", event=None, topics=None),
    ]
    pool = write_jsonl(tmp_path / "pool.jsonl", rows)
    done = write_jsonl(tmp_path / "done.jsonl", [article(4, id="other", event=None, topics=[])])
    arguments = [str(pool), "--model", str(topics.path), "--n", "9", "--labelled", str(done)]
    found = [row["id"] for row in chosen(tmp_path, *arguments)]
    assert "free" in found
    assert len(found) == 2
    assert len({"one", "copy"} & set(found)) == 1
    told = capsys.readouterr().out
    assert "labelled already: 1" in told
    assert "of a story that is labelled already: 2" in told
    assert "2 of 9" in told


def test_a_stance_model_asks_about_sentences(tmp_path: Path, stance: Artefact) -> None:
    pool = pool_of(tmp_path, 12, topics={"sanctions": True, "diplomacy": False})
    rows = chosen(tmp_path, str(pool), "--model", str(stance.path), "--n", "12", "--per-article", "2")
    assert len(rows) == 12
    assert {row["target"] for row in rows} == {"sanctions"}
    assert {row["target_topic"] for row in rows} == {"sanctions"}
    assert all(row["sentence"] in row["text"] and row["label"] is None for row in rows)
    assert max(Counter(row["id"] for row in rows).values()) == 2
    by_event: dict[str, set[str]] = {}
    for row in rows:
        by_event.setdefault(row["event"], set()).add(row["id"])
    assert all(len(ids) == 1 for ids in by_event.values())
    assert rows[0]["topics"] == {"sanctions": True, "diplomacy": False}


def test_targets_are_named_or_decided(tmp_path: Path, stance: Artefact, topics: Artefact) -> None:
    pool = str(pool_of(tmp_path, 12))
    named = chosen(
        tmp_path, pool, "--model", str(stance.path), "--n", "4", "--target", "the embargo", name="1"
    )
    assert {row["target"] for row in named} == {"the embargo"}
    arguments = [pool, "--model", str(stance.path), "--topics-model", str(topics.path), "--n", "6"]
    decided = chosen(tmp_path, *arguments, name="2")
    assert {row["target_topic"] for row in decided} <= {"arms_trade", "diplomacy", "sanctions"}
    assert "arms trade" in {row["target"] for row in decided} | {"arms trade"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--target", "x"], "leave them out"),
        (["--uncertain", "0", "--rare", "1", "--diverse", "0"], "a criterion that can choose"),
        (["--labelled", "POOL"], "all 4 are left out"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, topics: Artefact, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    pool = str(pool_of(tmp_path, 4))
    output = tmp_path / "queue.jsonl"
    more = [pool if one == "POOL" else one for one in more]
    assert main([pool, "--model", str(topics.path), "--output", str(output), *more]) == 2
    assert says in capsys.readouterr().err
    assert not output.exists()


def test_a_stance_model_needs_targets(
    tmp_path: Path, stance: Artefact, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = str(pool_of(tmp_path, 4))
    assert main([pool, "--model", str(stance.path), "--output", str(tmp_path / "q")]) == 2
    assert "--topics-model" in capsys.readouterr().err


def test_labels_that_stand_there_are_not_overwritten(
    tmp_path: Path, topics: Artefact, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "queue.jsonl"
    output.write_text("a day of work")
    pool = str(pool_of(tmp_path, 4))
    assert main([pool, "--model", str(topics.path), "--output", str(output)]) == 2
    assert output.read_text() == "a day of work"
    assert "name another" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_what_the_model_has_seen_is_left_out(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "The minister welcomed the embargo on all arms."
    seen: Article | StanceExample = (
        Article(text=sentence) if task == "topics" else StanceExample(sentence=sentence, target="x")
    )
    kind: Task = "topics" if task == "topics" else "stance"
    taught = LabelledSet(kind, (seen,), ("a",), np.ones((1, 1), np.float32), ("g",))  # type: ignore[arg-type]
    none = taught.take([])
    artefact = export(
        fitted(task),
        tmp_path / "model",
        name="model",
        codebook=CODEBOOK,
        metrics={},
        provenance={SECTION: seen_section(none, taught)},
    )
    rows = [article(0, text=sentence), article(2, text=f"{text_of('new', 1)} {sentence.upper()}")]
    pool = str(write_jsonl(tmp_path / "pool.jsonl", rows))
    more = [] if task == "topics" else ["--target", "the embargo"]
    found = chosen(tmp_path, pool, "--model", str(artefact.path), *more)
    assert [row["id"] for row in found] == ["p002"]
    assert "that the model has seen" in capsys.readouterr().out
    assert [sentence.upper() in row.get("sentence", "") for row in found] == [False]


def test_sentences_stand_in_their_articles_to_the_character(tmp_path: Path, stance: Artefact) -> None:
    text = "Ships\u00ad left the har\u200bbour at dawn. The minister wel\u00adcomed the embargo   on arms."
    pool = write_jsonl(tmp_path / "pool.jsonl", [article(0, text=text)])
    rows = chosen(tmp_path, str(pool), "--model", str(stance.path), "--target", "the embargo")
    assert sorted(row["sentence"] for row in rows) == sorted(
        [
            "Ships\u00ad left the har\u200bbour at dawn.",
            "The minister wel\u00adcomed the embargo   on arms.",
        ]
    )


def test_what_is_like_a_choice_is_not_chosen_for_being_different(tmp_path: Path, topics: Artefact) -> None:
    words = [*["envoys summit"] * 3, *["tanks missiles"] * 2, "blacklist assets"]
    rows = [
        article(number, id=f"{number} {said}", event=None, title="", text=f"{text_of(number, 1)} {said}")
        for number, said in enumerate(words)
    ]
    pool = str(write_jsonl(tmp_path / "pool.jsonl", rows))
    arguments = [pool, "--model", str(topics.path), "--n", "3", "--uncertain", "0", "--rare", "0"]
    found = chosen(tmp_path, *arguments)
    assert [row["id"][2:] for row in found] == ["envoys summit", "tanks missiles", "blacklist assets"]


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    file = tmp_path / "queue.jsonl"
    file.write_text("labels")
    with pytest.raises(OutputError, match="name another"):
        write_new(file, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["queue.jsonl"]
    assert file.read_text() == "labels"
