"""What the command line reads: articles out of files, and an error in the place of each that is none."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire import inputs
from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.inputs import article_of, read_articles
from stancewire.strictjson import JsonValue

FULL: dict[str, JsonValue] = {
    "id": "007",
    "title": "Talks",
    "text": "Envoys met.",
    "date": "2024-05-01",
    "outlet": "wire",
    "event": "e1",
    "countries": ["NOR", "SWE"],
    "url": "x:1",
    "words": 2,
    "_target_": "os.system",
}


def test_a_record_becomes_an_article() -> None:
    article = article_of(FULL, "here")
    assert article == Article(
        id="007",
        title="Talks",
        text="Envoys met.",
        date="2024-05-01",
        outlet="wire",
        event="e1",
        countries=("NOR", "SWE"),
        extra={"url": "x:1", "words": 2, "_target_": "os.system"},
    )


@pytest.mark.parametrize(
    "absent", [{}, dict.fromkeys(["id", "title", "date", "outlet", "event", "countries"])]
)
def test_only_the_text_is_required(absent: dict[str, None]) -> None:
    assert article_of({"text": "T", **absent}, "here") == Article(text="T")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "here: expected an object with a 'text', found a NoneType"),
        ("text", "found a str"),
        ([], "found a list"),
        ({}, "here: expected an object with a non-empty 'text'"),
        ({"text": ""}, "non-empty 'text'"),
        ({"text": 0}, "here: expected 'text' to be a text, found 0; quote it"),
        ({"text": ["a"]}, r"expected 'text' to be a text, found a list of 1"),
        ({"text": "a", "id": 7}, "expected 'id' to be a text, found 7"),
        ({"text": "a", "title": False}, "expected 'title' to be a text, found False"),
        ({"text": "a", "date": 2024}, "expected 'date' to be a text, found 2024"),
        ({"text": "a", "outlet": {}}, "expected 'outlet' to be a text"),
        ({"text": "a", "event": 1.5}, "expected 'event' to be a text"),
        ({"text": "a", "countries": "NOR"}, "here: expected 'countries' to be a list of texts, found a text"),
        ({"text": "a", "countries": ["NOR", 47]}, r"to be a list of texts, found a list of 2"),
    ],
)
def test_a_record_that_is_no_article(record: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        article_of(record, "here")  # type: ignore[arg-type]  # the fault under test


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.md", "a", ".hidden"])
def test_text_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes("\ufeffÜber\r\n\r\nTalks.\n".encode())
    assert list(read_articles(str(path))) == [(str(path), "Über\r\n\r\nTalks.\n")]


def test_json_files(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(FULL))
    assert list(read_articles(str(path))) == [(str(path), article_of(FULL, ""))]


def test_jsonl_files_name_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.JSONL"
    path.write_text('{"text": "one"}\n\n{"text": 2}\n{"text": "three"}\n{"text": "four", "id": "f"}')
    found = list(read_articles(str(path)))
    assert [where for where, _ in found] == [f"{path}:{line}" for line in (1, 3, 4, 5)]
    assert [article for _, article in found if isinstance(article, Article)] == [
        Article(text="one"),
        Article(text="three"),
        Article(text="four", id="f"),
    ]
    assert isinstance(found[1][1], InputError)
    assert str(found[1][1]).startswith(f"{path}:3: expected 'text'")


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, expected in (("Talks €".encode(), "Talks €"), (b"\xff", None), (b"", None)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="ascii"))
        ((where, article),) = read_articles("-")
        assert where == "-"
        if expected is None:
            assert isinstance(article, InputError)
            assert str(article).startswith("standard input: ")
        else:
            assert article == expected


@pytest.mark.parametrize("name", ["a.txt", "a.json"])
def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(inputs, "MAX_BYTES", 20)
    path = tmp_path / name
    for text, fits in (('{"text": "talks..."}', True), ('{"text": "talks...."}', False)):
        path.write_text(text)
        ((_, article),) = read_articles(str(path))
        assert isinstance(article, InputError) != fits


@given(st.binary(max_size=60), st.sampled_from([".txt", ".json", ".jsonl"]))
def test_any_bytes_give_articles_or_errors(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    path.write_bytes(data)
    found = list(read_articles(str(path)))
    assert found
    for where, article in found:
        assert where.startswith(str(path))
        assert isinstance(article, Article | str | InputError)
        if isinstance(article, InputError):
            assert str(article).startswith(str(path))
