"""Loading a corpus: every format gives the same rows, and faults refuse it whole."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Never

import datasets
import numpy as np
import pytest

from stancewire.codebook import Codebook
from stancewire.errors import CodebookError, InputError
from tests.corpora import TOPICS, corpus_of, row_of, rows_of, text_of, write_jsonl
from training.config_sections import DataConfig
from training.data import hub
from training.data.codebook import load_codebook
from training.data.load import Corpus, load_corpus, read_corpus

ROOT = Path(__file__).resolve().parents[3]
NAN = float("nan")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def topic_rows(n_rows: int) -> list[dict[str, Any]]:
    return [row_of(number, stances=[]) for number in range(n_rows)]


def as_cells(row: Mapping[str, Any]) -> dict[str, object]:
    cells = {name: value for name, value in row.items() if name != "stances"}
    return cells | {"topics": ";".join(row["topics"]) or "none", "countries": ";".join(row["countries"])}


def same(one: Corpus, other: Corpus) -> None:
    assert one.articles == other.articles
    assert np.array_equal(one.topics, other.topics, equal_nan=True)
    assert one.stances == other.stances
    assert one.groups == other.groups


def test_the_bundled_corpus_loads_whole() -> None:
    corpus = read_corpus(
        str(ROOT / "data/articles.jsonl"), codebook=load_codebook(ROOT / "data/codebook.yaml")
    )
    assert (len(corpus), len(corpus.stances), len(set(corpus.groups))) == (504, 3_655, 303)
    assert corpus.digest == hashlib.sha256((ROOT / "data/articles.jsonl").read_bytes()).hexdigest()
    assert corpus.dates == ("1998-05-13", "2026-10-05")
    assert corpus.warnings == {}
    assert np.nansum(corpus.topics, axis=0).tolist() == [189, 195, 198]
    # Wire copies were written for one event in eight, and are found from their text alone.
    events = {article.event for pair in corpus.pairs for article in (corpus.articles[pair.first],)}
    assert 28 <= len(events) <= 40
    assert all(
        corpus.articles[pair.first].event == corpus.articles[pair.second].event for pair in corpus.pairs
    )


def test_rows_keep_all_that_they_say(tmp_path: Path) -> None:
    row = row_of(3, id="007", event=None, desk={"n": 1}, split="validation")
    corpus = corpus_of(tmp_path, [row, row_of(4)])
    article = corpus.articles[0]
    assert (article.id, article.event, article.title, article.countries) == (
        "007",
        None,
        row["title"],
        ("KEN",),
    )
    assert dict(article.extra) == {"desk": {"n": 1}}
    assert corpus.splits == ("dev", None)
    assert corpus.topics[0].tolist() == [1, 1, 0]
    assert corpus.article_of.tolist() == [0, 0, 1, 1]
    record = corpus.stances[1]
    assert (record.target, record.label, record.holder, record.context) == ("deal 3", "against", None, None)


def test_the_table_is_a_dataset_of_explicit_types(tmp_path: Path) -> None:
    table = corpus_of(tmp_path, [row_of(3, id="007", topics=None), row_of(4, desk=5)]).table
    assert isinstance(table, datasets.Dataset)
    assert table.features["id"] == datasets.Value("string")
    assert table.features["topics"] == {topic: datasets.Value("bool") for topic in TOPICS}
    assert table[0]["id"] == "007"
    assert table[0]["topics"] == dict.fromkeys(TOPICS)
    assert json.loads(table[1]["extra"]) == {"desk": 5}
    assert table[0]["stances"][0]["holder"] is None


def test_csv_parquet_and_tsv_give_what_jsonl_gives(tmp_path: Path) -> None:
    rows = topic_rows(9)
    expected = corpus_of(tmp_path, rows)
    same(read_corpus(str(write_csv(tmp_path / "a.csv", list(map(as_cells, rows))))), expected)
    same(read_corpus(str(write_csv(tmp_path / "a.tsv", list(map(as_cells, rows)), "\t"))), expected)
    semicolons = [as_cells(row) | {"topics": "|".join(row["topics"]) or "none"} for row in rows]
    path = str(write_csv(tmp_path / "b.txt", semicolons, ";"))
    same(read_corpus(path, format="csv", delimiter=";", separator="|"), expected)
    datasets.Dataset.from_list(rows_of(9)).to_parquet(tmp_path / "a.parquet")
    same(read_corpus(str(tmp_path / "a.parquet")), corpus_of(tmp_path, rows_of(9)))


def test_dates_of_parquet_are_read_and_times_are_refused(tmp_path: Path) -> None:
    day = datetime.date(2026, 3, 1)
    rows = [{"id": "a", "text": text_of(1), "date": day}, {"id": "b", "text": text_of(2), "date": None}]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "a.parquet")
    assert [article.date for article in read_corpus(str(tmp_path / "a.parquet")).articles] == [
        "2026-03-01",
        None,
    ]
    rows = [{"id": "a", "text": text_of(1), "date": datetime.datetime(2026, 3, 1, 12, 30)}]
    datasets.Dataset.from_list(rows).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match="expected 'date' to be a text"):
        read_corpus(str(tmp_path / "b.parquet"))


def test_a_config_is_read_by_its_names(tmp_path: Path) -> None:
    book = tmp_path / "own.yaml"
    topics = "".join(f"  - {{id: {topic}, name: {topic}, definition: D.}}\n" for topic in ("arms", "talks"))
    book.write_text(f"id: own\nversion: '1'\ntopics:\n{topics}")
    cells = [{"nr": "007", "text": text_of(1), "topics": "ARMS|talks"}, {"nr": "8", "text": text_of(2)}]
    config = DataConfig(
        path=str(write_csv(tmp_path / "a.txt", cells, ";")),
        codebook=str(book),
        format="csv",
        delimiter=";",
        columns={"id": "nr"},
        label_map={"ARMS": "arms"},
        topics_separator="|",
    )
    corpus = load_corpus(config, near_duplicate_threshold=0.5)
    assert [article.id for article in corpus.articles] == ["007", "8"]
    assert (corpus.codebook.id, corpus.threshold) == ("own", 0.5)
    np.testing.assert_array_equal(corpus.topics, [[1, 1], [NAN, NAN]])


def test_one_column_per_topic(tmp_path: Path) -> None:
    columns = {"arms_trade": "ARMS", "diplomacy": "diplomacy"}
    rows = [
        {"id": f"00{n}", "text": text_of(n), "ARMS": arms, "diplomacy": talks}
        for n, (arms, talks) in enumerate([("1", "0"), ("", "1"), ("0", "")])
    ]
    corpus = read_corpus(str(write_csv(tmp_path / "a.csv", rows)), columns=columns)
    # Nobody labelled sanctions: no column, no negatives.
    np.testing.assert_array_equal(corpus.topics, [[1, 0, NAN], [NAN, 1, NAN], [0, NAN, NAN]])
    assert [article.id for article in corpus.articles] == ["000", "001", "002"]
    assert all(dict(article.extra) == {} for article in corpus.articles)


def test_what_nobody_labelled_is_no_negative(tmp_path: Path) -> None:
    topics: list[object] = [None, [], {"sanctions": True, "diplomacy": None}, {"arms_trade": False}]
    corpus = corpus_of(tmp_path, [row_of(n, topics=value) for n, value in enumerate(topics)])
    np.testing.assert_array_equal(corpus.topics, [[NAN] * 3, [0] * 3, [NAN, NAN, 1], [0, NAN, NAN]])


def test_an_empty_topics_cell_is_not_labelled_and_none_is_none(tmp_path: Path) -> None:
    rows = [
        {"id": n, "text": text_of(n), "topics": cell}
        for n, cell in enumerate(["", "none", "sanctions ; diplomacy"])
    ]
    corpus = read_corpus(str(write_csv(tmp_path / "a.csv", rows)))
    np.testing.assert_array_equal(corpus.topics, [[NAN] * 3, [0] * 3, [0, 1, 1]])


def test_rows_of_one_stance_each_become_articles(tmp_path: Path) -> None:
    rows = [
        {
            "id": "a",
            "sentence": "They met.",
            "target": "talks",
            "holder": "",
            "label": "favor",
            "context": "Before.",
        },
        {
            "id": "b",
            "sentence": "No deal.",
            "target": "the deal",
            "holder": "",
            "label": "AGAINST",
            "context": "",
        },
        {
            "id": "a",
            "sentence": "He left.",
            "target": "talks",
            "holder": "He",
            "label": "AGAINST",
            "context": "",
        },
    ]
    corpus = read_corpus(str(write_csv(tmp_path / "a.csv", rows)), label_map={"AGAINST": "against"})
    assert [article.text for article in corpus.articles] == ["They met.\nHe left.", "No deal."]
    assert [record.context for record in corpus.stances] == ["Before.", "", ""]
    assert [record.holder for record in corpus.stances] == [None, "He", None]
    assert [record.label for record in corpus.stances] == ["favor", "against", "against"]
    assert corpus.article_of.tolist() == [0, 0, 1]
    assert np.isnan(corpus.topics).all()


def test_rows_of_one_stance_each_may_bring_their_article(tmp_path: Path) -> None:
    text = "One. They met. He left."
    rows = [
        {
            "id": "a",
            "text": text,
            "topics": ["diplomacy"],
            "sentence": sentence,
            "target": "talks",
            "label": "favor",
        }
        for sentence in ("They met.", "He left.")
    ]
    corpus = corpus_of(tmp_path, rows)
    assert [article.text for article in corpus.articles] == [text]
    assert corpus.topics.tolist() == [[0, 1, 0]]
    assert [record.context for record in corpus.stances] == [None, None]
    with pytest.raises(InputError, match=r"article_differs 1.*\n.*differ in 'topics'"):
        corpus_of(tmp_path, [rows[0], rows[1] | {"topics": []}])


def test_a_folder_of_three_files_is_a_given_split(tmp_path: Path) -> None:
    rows = topic_rows(6)
    for place, name in enumerate(("train", "validation", "test")):
        write_jsonl(tmp_path / f"{name}.jsonl", rows[2 * place : 2 * place + 2])
    corpus = read_corpus(str(tmp_path))
    assert dict(zip([article.id for article in corpus.articles], corpus.splits, strict=True)) == {
        "a000": "train",
        "a001": "train",
        "a002": "dev",
        "a003": "dev",
        "a004": "test",
        "a005": "test",
    }
    before = corpus.digest
    write_jsonl(tmp_path / "test.jsonl", rows[4:5])
    assert read_corpus(str(tmp_path)).digest != before
    (tmp_path / "validation.jsonl").unlink()
    with pytest.raises(InputError, match=r"found test\.jsonl, train\.jsonl"):
        read_corpus(str(tmp_path))


def test_an_id_in_two_files_is_found(tmp_path: Path) -> None:
    for place, name in enumerate(("train", "dev", "test")):
        write_jsonl(tmp_path / f"{name}.jsonl", [row_of(place, id="x" if place else "y")])
    with pytest.raises(InputError, match=r"id 'x' is taken by .*dev\.jsonl:1, first at .*test\.jsonl:1"):
        read_corpus(str(tmp_path))


def test_label_map_and_columns_are_checked(tmp_path: Path) -> None:
    path = str(write_jsonl(tmp_path / "a.jsonl", topic_rows(3)))
    for options, told in (
        ({"columns": {"txt": "body"}}, "no field is named 'txt'"),
        ({"columns": {"text": "a", "title": "a"}}, "'a' is mapped to two fields"),
        ({"columns": {"topics": "lables"}}, r"wanted the column 'lables' \(for topics\)"),
        ({"label_map": {"x": "sanction"}}, "the codebook has no label 'sanction'"),
        ({"separator": " "}, "topics_separator"),
    ):
        with pytest.raises(InputError, match=told):
            read_corpus(path, **options)


def test_a_codebook_without_stances_refuses_them(tmp_path: Path) -> None:
    topics = [{"id": "gas", "name": "natural gas", "definition": "Gas."}]
    book = Codebook.from_dict({"id": "own", "version": "1", "topics": topics})
    rows = [{"id": str(n), "text": text_of(n), "topics": ["gas"] * (n % 2)} for n in range(4)]
    corpus = read_corpus(str(write_jsonl(tmp_path / "a.jsonl", rows)), codebook=book)
    assert corpus.topics.tolist() == [[0], [1], [0], [1]]
    with pytest.raises(InputError, match="no stance 'against'; it has none"):
        read_corpus(str(write_jsonl(tmp_path / "a.jsonl", [row_of(0, topics=[])])), codebook=book)


def test_a_codebook_that_is_none_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="cannot be read"):
        load_codebook(tmp_path / "none.yaml")
    (tmp_path / "a.yaml").write_text("id: x\n")
    with pytest.raises(CodebookError, match=r"a\.yaml: the codebook has 2 faults"):
        load_codebook(tmp_path / "a.yaml")


@pytest.mark.parametrize("path", ["none.jsonl", "data/none.csv", "data/none", "x"])
def test_a_missing_file_is_no_dataset_of_the_hub(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match="no such file"):
        read_corpus(path)


def test_a_file_of_unknown_format_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.xlsx", topic_rows(3))
    with pytest.raises(InputError, match=r"found '\.xlsx'; name the format"):
        read_corpus(str(path))
    assert len(read_corpus(str(path), format="jsonl")) == 3


def test_a_parquet_file_that_is_none_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_corpus(str(tmp_path / "a.parquet"))


def test_parquet_numbers_are_no_ids(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"id": [7, 8], "text": ["a b", "c d"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="expected 'id' to be a text, found 7"):
        read_corpus(str(tmp_path / "a.parquet"))


def test_local_files_open_no_socket_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Never:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(home))
    datasets.Dataset.from_list(rows_of(4)).to_parquet(tmp_path / "a.parquet")
    for path in (write_jsonl(tmp_path / "a.jsonl", rows_of(4)), tmp_path / "a.parquet"):
        assert len(read_corpus(str(path))) == 4
    assert list(home.iterdir()) == []


class FakeHub:
    """Stands in for the hub's client and for `load_dataset`."""

    def __init__(self, splits: Mapping[str, datasets.Dataset]) -> None:
        self.splits, self.asked = splits, list[str]()

    def dataset_info(self, name: str, timeout: float) -> None:
        self.asked.append(name)
        assert timeout <= 10

    def load_dataset(self, name: str) -> Mapping[str, datasets.Dataset]:
        assert datasets.are_progress_bars_disabled()
        return self.splits

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub, "HfApi", lambda: self)
        monkeypatch.setattr(datasets, "load_dataset", self.load_dataset)


def test_a_dataset_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = datasets.Features(
        {
            "id": datasets.Value("string"),
            "text": datasets.Value("string"),
            "topics": datasets.List(datasets.ClassLabel(names=list(TOPICS))),
        }
    )
    splits = {
        name: datasets.Dataset.from_dict({"id": [name], "text": [text_of(name)], "topics": [[place]]}, kinds)
        for place, name in enumerate(("train", "validation", "test"))
    }
    fake = FakeHub(splits)
    fake.install(monkeypatch)
    corpus = read_corpus("own/news")
    assert fake.asked == ["own/news"]
    assert corpus.topics.tolist() == np.eye(3).tolist()
    assert corpus.splits == ("train", "dev", "test")
    assert read_corpus("hub:own/news").digest == corpus.digest
    assert not datasets.are_progress_bars_disabled()
    FakeHub({"all": splits["train"]}).install(monkeypatch)
    with pytest.raises(InputError, match="found 'all'"):
        read_corpus("own/news")


def test_a_class_that_nobody_gave_is_not_the_last_one() -> None:
    kinds = datasets.Features({"label": datasets.ClassLabel(names=["against", "favor"])})
    table = datasets.Dataset.from_dict({"label": [0, -1, None, 1]}, features=kinds)
    assert [row["label"] for _, row in hub.named_rows(table)] == ["against", None, None, "favor"]


def test_a_hub_out_of_reach_is_one_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoHub:
        def dataset_info(self, name: str, timeout: float) -> None:
            raise ConnectionError("[Errno -2] Name or service not known")

    monkeypatch.setattr(hub, "HfApi", NoHub)
    monkeypatch.setattr(datasets, "load_dataset", lambda _: pytest.fail("tried six times"))
    with pytest.raises(
        InputError, match=r"hub:own/news: the dataset cannot be loaded: .*not known; check the name"
    ):
        read_corpus("own/news")
