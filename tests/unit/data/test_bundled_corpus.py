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
from training.data.duplicates import near_duplicates

DATA = Path(__file__).parents[3] / "data"
CARD = (DATA / "README.md").read_text(encoding="utf-8")
ROW = {"id", "event", "outlet", "date", "countries", "title", "text", "topics", "stances"}
STANCE = {"sentence", "target", "target_topic", "holder", "label"}
OUTLETS = {"wire", "daily", "regional", "broadcast", "official", "magazine", "thinktank", "blog"}


FILES = ("articles.jsonl", "briefs.jsonl")


@cache
def rows_of(name: str) -> list[dict[str, Any]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def articles() -> list[dict[str, Any]]:
    return rows_of("articles.jsonl")


def briefs() -> list[dict[str, Any]]:
    return rows_of("briefs.jsonl")


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
    ("heading", "name"), [("Stance", "articles.jsonl"), ("Stance in briefs", "briefs.jsonl")]
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


def test_the_briefs_are_those_of_the_data_card() -> None:
    rows = briefs()
    assert counts("Series of briefs") == dict(Counter(row["id"].split("-")[0] for row in rows))
    sets = Counter(", ".join(sorted(row["topics"])) or "none" for row in rows)
    assert counts("Topics of briefs") == dict(sets)
    lengths = [len(row["text"].split()) for row in rows]
    assert f"{len(rows)} short texts of {min(lengths)} to {max(lengths)} words" in CARD
    assert f"{len(stances(rows)):,} stance records" in CARD
    assert len({row["event"] for row in rows}) == len(rows)


def test_no_brief_is_near_an_article() -> None:
    texts = [row["text"] for row in (*articles(), *briefs())]
    pairs = near_duplicates(texts, threshold=0.2)
    assert not [pair for pair in pairs if pair.first < len(articles()) <= pair.second]


@pytest.mark.parametrize("row", [*articles(), *briefs()], ids=lambda row: row["id"])
def test_every_row_keeps_the_schema(row: dict[str, Any]) -> None:
    assert set(row) == ROW
    is_brief = row["id"].startswith("br")
    assert all(isinstance(row[key], str) for key in ("id", "event", "outlet", "title", "text"))
    assert all(row[key] for key in ("id", "event", "outlet", "text")) and (row["title"] or is_brief)
    assert row["outlet"] in OUTLETS
    assert datetime.date.fromisoformat(row["date"]).isoformat() == row["date"]
    assert row["countries"] or is_brief
    assert all(re.fullmatch(r"[A-Z]{3}", country) for country in row["countries"])
    assert (8 if is_brief else 70) <= len(row["text"].split()) <= 600
    assert set(row["topics"]) <= set(codebook().labels("topics"))
    assert len(set(row["topics"])) == len(row["topics"])
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
    records = stances([*articles(), *briefs()])
    generic = [record for record in records if record["target"] in by_name]
    assert all(record["target_topic"] == by_name[record["target"]] for record in generic)


def test_samples_and_codebook_examples_are_not_in_the_corpus() -> None:
    corpus = "\n".join(row["title"] + "\n" + row["text"] for row in (*articles(), *briefs()))
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
