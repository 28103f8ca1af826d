"""The bundled corpus is the one that the data card describes, and every row of it keeps the schema."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stancewire.codebook import Codebook
from training.config import RunConfig
from training.data.duplicates import near_duplicates

DATA = Path(__file__).parents[3] / "data"
CARD = (DATA / "README.md").read_text(encoding="utf-8")
ROW = {"id", "event", "outlet", "date", "countries", "title", "text", "topics", "stances"}
STANCE = {"sentence", "target", "target_topic", "holder", "label"}
OUTLETS = {"wire", "daily", "regional", "broadcast", "official", "magazine", "thinktank", "blog"}


# Files beside the articles, with what the data card calls them.
BESIDE = {
    "briefs.jsonl": "briefs",
    "briefs-2.jsonl": "the second briefs",
    "briefs-3.jsonl": "the third briefs",
    "contrasts.jsonl": "the contrasts",
    "releases.jsonl": "the releases",
}
FILES = ("articles.jsonl", *BESIDE)
# That a model may learn from, by what the config of a run says.
TAUGHT = tuple(name for name in FILES if name != "releases.jsonl")


@cache
def rows_of(name: str) -> list[dict[str, Any]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def articles() -> list[dict[str, Any]]:
    return rows_of("articles.jsonl")


def every_row() -> list[dict[str, Any]]:
    return [row for name in FILES for row in rows_of(name)]


def stances(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [stance for row in rows for stance in row["stances"]]


@cache
def codebook() -> Codebook:
    parsed = YAML(typ="safe", pure=True).load((DATA / "codebook.yaml").read_text(encoding="utf-8"))
    return Codebook.from_dict(parsed)


def card_table(heading: str) -> dict[str, list[str]]:
    """Return the first table under a heading of the data card: first column -> the other cells."""
    section = CARD.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("`") for cell in row] for row in rows[2:]]
    return {row[0]: row[1:] for row in cells}


def count(cell: str) -> int:
    return int(cell.replace(",", ""))


def counts(heading: str) -> dict[str, int]:
    return {name: count(cells[0]) for name, cells in card_table(heading).items()}


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_the_one_of_the_data_card(name: str) -> None:
    digest = hashlib.sha256((DATA / name).read_bytes()).hexdigest()
    assert f"`{name}` | `{digest}`" in CARD


def test_sizes_are_those_of_the_data_card() -> None:
    rows, records = articles(), stances(articles())
    assert counts("Size") == {
        "articles": len(rows),
        "events": len({row["event"] for row in rows}),
        "words": sum(len(row["text"].split()) for row in rows),
        "countries": len({country for row in rows for country in row["countries"]}),
        "stance records": len(records),
        "records with a holder": sum(record["holder"] is not None for record in records),
        "distinct targets": len({record["target"] for record in records}),
        "records with a generic target": sum(
            record["target"] in codebook().names("topics").values() for record in records
        ),
    }


def test_events_topics_and_outlets_are_those_of_the_data_card() -> None:
    rows = articles()
    per_event = Counter(Counter(row["event"] for row in rows).values())
    assert counts("Articles per event") == {str(size): n for size, n in per_event.items()}
    sets = Counter(", ".join(sorted(row["topics"])) or "none" for row in rows)
    assert counts("Topics") == {**sets}
    assert counts("Outlets") == dict(Counter(row["outlet"] for row in rows))


def test_the_near_misses_and_the_spread_are_those_of_the_data_card() -> None:
    rows = articles()
    bare = [row for row in rows if not row["topics"]]
    near = sum("sanction" in row["text"].casefold() for row in bare)
    assert f'"sanction" stands in {near} of the {len(bare)}' in CARD
    lengths = [len(row["text"].split()) for row in rows]
    assert f"have {min(lengths)} to {max(lengths)} words" in CARD
    dates = sorted(row["date"] for row in rows)
    assert f"dated {dates[0]} to {dates[-1]}" in CARD
    plain = [row for row in rows if row["id"].startswith("pl")]
    assert f"({len(rows) - len(plain)} articles)" in CARD and f"({len(plain)} articles)" in CARD
    assert f"{sum(not row['topics'] for row in plain)} of them have no" in CARD
    assert all(row["stances"] for row in rows)


@pytest.mark.parametrize(
    ("heading", "name"),
    [("Stance", "articles.jsonl"), *((f"Stance in {called}", name) for name, called in BESIDE.items())],
)
def test_stance_counts_are_those_of_the_data_card(heading: str, name: str) -> None:
    records = stances(rows_of(name))
    found = Counter((record["target_topic"], record["label"]) for record in records)
    order = ("favor", "against", "neutral", "unrelated")
    told = {
        (topic, label): count(cell)
        for topic, cells in card_table(heading).items()
        if topic != "all"
        for label, cell in zip(order, cells, strict=False)
    }
    assert told == dict(found)
    totals = Counter(record["label"] for record in records)
    assert [count(cell) for cell in card_table(heading)["all"]][:4] == [totals[label] for label in order]


@pytest.mark.parametrize(("name", "called"), BESIDE.items())
def test_what_lies_beside_is_that_of_the_data_card(name: str, called: str) -> None:
    rows = rows_of(name)
    assert counts(f"Series of {called}") == dict(Counter(row["id"].split("-")[0] for row in rows))
    sets = Counter(
        "not labelled" if row["topics"] is None else ", ".join(sorted(row["topics"])) or "none"
        for row in rows
    )
    assert counts(f"Topics of {called}") == dict(sets)
    lengths = [len(row["text"].split()) for row in rows]
    card = " ".join(CARD.replace("short texts", "texts").split())
    assert f"{len(rows)} texts of {min(lengths)} to {max(lengths)} words" in card
    assert f"{len(stances(rows)):,} stance records" in card
    assert len({row["event"] for row in rows}) == len(rows)


def test_no_text_is_near_one_of_another_file() -> None:
    files = [name for name in FILES for _ in rows_of(name)]
    pairs = near_duplicates([row["text"] for row in every_row()], threshold=0.2)
    assert [pair for pair in pairs if files[pair.first] != files[pair.second]] == []


def test_what_judges_is_not_learned_from() -> None:
    taught = {extra.path for extra in RunConfig.model_validate({"task": "topics"}).extra}
    assert taught | {"data/articles.jsonl"} == {f"data/{name}" for name in TAUGHT}


@pytest.mark.parametrize("name", FILES)
def test_every_row_keeps_the_schema(name: str) -> None:
    for row in rows_of(name):
        try:
            check_schema(row, is_article=name == "articles.jsonl", is_short=name in TAUGHT[1:])
        except AssertionError as error:
            raise AssertionError(f"{row['id']}: {error}") from error


def check_schema(row: dict[str, Any], *, is_article: bool, is_short: bool) -> None:
    assert set(row) == ROW
    assert all(isinstance(row[key], str) for key in ("id", "event", "outlet", "title", "text"))
    assert all(row[key] for key in ("id", "event", "outlet", "text")) and (row["title"] or not is_article)
    assert row["outlet"] in OUTLETS
    assert datetime.date.fromisoformat(row["date"]).isoformat() == row["date"]
    assert row["countries"] or not is_article
    assert all(re.fullmatch(r"[A-Z]{3}", country) for country in row["countries"])
    assert (8 if is_short else 70) <= len(row["text"].split()) <= 600
    topics = row["topics"]
    assert topics is not None or is_short
    assert set(topics or ()) <= set(codebook().labels("topics"))
    assert len(set(topics or ())) == len(topics or ())
    for record in row["stances"]:
        assert set(record) == STANCE
        assert row["text"].count(record["sentence"]) == 1
        assert record["label"] in codebook().labels("stance")
        assert record["target_topic"] in codebook().labels("topics")
        assert 1 <= len(record["target"].split()) <= 12
        assert record["holder"] is None or record["holder"].casefold() in record["sentence"].casefold()
    keys = [(record["sentence"], record["target"], record["holder"]) for record in row["stances"]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", FILES)
def test_ids_are_unique_and_lines_are_plain(name: str) -> None:
    raw, rows = (DATA / name).read_bytes(), rows_of(name)
    assert len({row["id"] for row in rows}) == len(rows) == raw.count(b"\n")
    assert b"\r" not in raw
    assert not raw.startswith(b"\xef\xbb\xbf")


def test_a_generic_target_is_the_name_of_its_topic() -> None:
    by_name = {name: topic for topic, name in codebook().names("topics").items()}
    records = stances(every_row())
    generic = [record for record in records if record["target"] in by_name]
    assert all(record["target_topic"] == by_name[record["target"]] for record in generic)


def test_samples_and_codebook_examples_are_not_in_the_corpus() -> None:
    corpus = "\n".join(row["title"] + "\n" + row["text"] for row in every_row())
    examples = [text for topic in codebook().topics for text in (*topic.examples, *topic.counter_examples)]
    examples += [example.sentence for label in codebook().stance for example in label.examples]
    assert [text for text in examples if text in corpus] == []
    for sample in sorted((DATA / "samples").glob("*.txt")):
        headline, blank, body = sample.read_text(encoding="utf-8").split("\n", 2)
        assert headline and blank == ""
        assert 150 <= len(body.split()) <= 300
        assert [line for line in body.splitlines() if line and line in corpus] == []
    assert {path.name for path in (DATA / "samples").iterdir()} == {"shells.txt", "football.txt"}


def test_the_rows_shown_in_the_data_card_keep_the_schema() -> None:
    rows = [json.loads(line) for line in CARD.split("```json\n", 1)[1].split("```", 1)[0].splitlines()]
    assert [set(row) for row in rows] == [ROW, ROW]
    assert [row["topics"] for row in rows] == [["arms_trade"], None]
    assert all(set(s) == STANCE and s["sentence"] in row["text"] for row in rows for s in row["stances"])
    table = list(csv.DictReader(CARD.split("```csv\n", 1)[1].split("```", 1)[0].splitlines(), strict=True))
    assert [row["topics"].split(";") for row in table] == [["arms_trade", "sanctions"], ["diplomacy"]]
