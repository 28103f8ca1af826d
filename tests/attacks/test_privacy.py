"""What an article says stays in the output: not in a log, not in an error message, not in another place."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from stancewire.batch import run
from stancewire.errors import StancewireError
from stancewire.examples import Article
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.readers import read_csv
from stancewire.reading import Reader
from tests.small_models import small_artefact
from tests.watched import watched

PACKAGE = Path(__file__).resolve().parents[2] / "stancewire"
# Every piece of text of every row holds it.
WORDS = "the confidential words of nobody else"
_GOOD = {"id": "a1", "title": f"On {WORDS}", "text": f"The minister welcomed {WORDS}. Envoys met."}
GOOD = json.dumps(_GOOD).encode()
BAD = [
    json.dumps(_GOOD | change).encode()
    for change in (
        *({"text": [WORDS]}, {"text": {"a": WORDS}}, {"text": None}, {"text": 7}, {"text": "\u200b"}),
        *(
            {"id": 7},
            {"id": [WORDS]},
            {"title": [WORDS]},
            {"countries": WORDS},
            {"countries": [WORDS, 7]},
        ),
        *({"date": {"a": WORDS}}, {"outlet": [WORDS]}),
    )
] + [
    GOOD[:-1],
    GOOD + b"x",
    GOOD.replace(b"Envoys", b"Envoys\xe9"),
    GOOD.replace(b"Envoys", b"\\ud800"),
    GOOD.replace(b"Envoys", b"\x00"),
    GOOD.replace(b"Envoys", b"\\u0000"),
    GOOD.replace(b"Envoys", b"\r"),
    GOOD.replace(b'"a1"', b"NaN"),
    json.dumps(WORDS).encode(),
    json.dumps([WORDS]).encode(),
    f'{{"{WORDS * 2}": 1, "{WORDS * 2}": 2}}'.encode(),
    b'{"text": ' + b"[" * 100 + json.dumps(WORDS).encode() + b"]" * 100 + b"}",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return str(small_artefact(folder, "topics").path), str(small_artefact(folder, "stance").path)


def test_reading_tells_of_bad_rows_without_their_words_and_writes_nothing(
    tmp_path: Path, models: tuple[str, str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join([GOOD, *BAD]))
    named = [part for model in models for part in ("--model", model)]
    done = watched(tmp_path, "read", str(file), *named, "--json")
    assert done.code == 2
    assert WORDS in done.out  # the reading itself, which was asked for
    assert done.err.count("error: ") == len(BAD)
    assert WORDS not in done.err
    assert done.outside() == []


@pytest.mark.parametrize("how", ["jsonl", "csv", "stdin", "folder"])
def test_a_batch_job_keeps_words_to_its_tables(tmp_path: Path, models: tuple[str, str], how: str) -> None:
    rows = b"\n".join([GOOD, *BAD])
    source, stdin = tmp_path / f"rows.{how}", b""
    if how == "stdin":
        source, stdin = Path("-"), rows
    elif how == "folder":
        source.mkdir()
        for number, row in enumerate([GOOD, *BAD]):
            (source / f"{number}.txt").write_bytes(row)
    elif how == "csv":
        source.write_bytes(
            f'id,title,text\na,{WORDS},"Talks."\nb,{WORDS}\nc,"{WORDS}" x,a\nd,"{WORDS}'.encode()
        )
    else:
        source.write_bytes(rows)
    out = tmp_path / "out"
    options = ["--topics", models[0], "--stance", models[1], "--format", "jsonl", "--workers", "2"]
    done = watched(tmp_path, "batch", str(source), str(out), *options, "--shard-rows", "9", stdin=stdin)
    assert done.code == 0, done.err
    assert out / "_SUCCESS" in done.written
    assert done.outside(out) == []
    assert WORDS not in done.out + done.err
    tables = {path: path.read_text("utf-8") for path in out.rglob("*") if path.is_file()}
    rejected = [text for path, text in tables.items() if path.parent.name == "rejects"]
    assert sum(text.count("\n") for text in rejected) > 1
    with_words = {path.parent.name for path, text in tables.items() if WORDS in text}
    assert "readings" in with_words
    assert with_words <= {"readings", "stances"}


def test_a_watched_command_cannot_hide(tmp_path: Path, models: tuple[str, str]) -> None:
    """The watch itself: what another process of the job writes is seen, and so is a word in the log."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(GOOD)
    done = watched(tmp_path, "batch", str(file), "out", "--topics", models[0], "--topics-only")
    assert (done.code, len(done.outside())) > (0, 5), done.err
    assert done.outside(tmp_path / "home" / "out") == []
    parts = [path for path in done.written if path.parent.name == "_temporary" and "readings" in path.name]
    assert parts  # a worker's


def test_nothing_is_logged_of_a_reading(models: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    topics, stance = (load(model) for model in models)
    assert isinstance(topics, TopicsPredictor)
    assert isinstance(stance, StancePredictor)
    with caplog.at_level(logging.DEBUG):
        reading = Reader(topics, stance).read(
            Article(id="a1", title=_GOOD["title"], text=_GOOD["text"]), targets=["talks", WORDS]
        )
    assert WORDS in reading.article.text
    assert WORDS not in caplog.text


@pytest.mark.parametrize("limit", [1, None])
def test_errors_of_a_job_repeat_no_row(
    tmp_path: Path, models: tuple[str, str], caplog: pytest.LogCaptureFixture, limit: int | None
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join([GOOD, *BAD]))
    with caplog.at_level(logging.DEBUG):
        summary = run(file, tmp_path / "out", topics=models[0], max_rejects=limit)
        file.write_bytes(GOOD + b"\n" + GOOD)
        with pytest.raises(StancewireError) as caught:
            run(file, tmp_path / "out", topics=models[0], max_rejects=limit)
    assert WORDS not in f"{summary} {caught.value} {caplog.text}"


@pytest.mark.parametrize("row", [f"{WORDS},{WORDS}", f'"{WORDS}', f'"{WORDS}"x', f"{WORDS},", f"\xff{WORDS}"])
def test_a_table_without_a_header_is_refused_without_its_words(tmp_path: Path, row: str) -> None:
    (tmp_path / "a.csv").write_text(f"{row}\n{row}\n", encoding="latin-1")
    with pytest.raises(StancewireError) as caught:
        list(read_csv(tmp_path / "a.csv"))
    assert WORDS not in str(caught.value)


# Names that hold what an article says, wherever in the package they stand. Its length or kind may be told.
_TEXTS = {
    "text",
    "texts",
    "title",
    "sentence",
    "context",
    "headline",
    "body",
    "article",
    "record",
    "cell",
    "cells",
}
_HARMLESS = {"len", "type", "kind", "kind_of", "named"}
# Not an article's: the value of a variable of the environment.
_OTHER_TEXTS = {("options.py", "shown(text)")}


def told(source: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of messages (of errors, rejects and logs) that may hold words, as (where, code)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _makes_a_message(node):
            for piece in ast.walk(node):
                if isinstance(piece, ast.FormattedValue) and _TEXTS & set(_names(piece.value)):
                    yield f"line {piece.lineno}", ast.unparse(piece.value)


def _makes_a_message(node: ast.Call) -> bool:
    name = _called(node)
    return name.endswith("Error") or name in {
        *("Reject", "MlflowException", "of", "refused", "Row"),
        *("debug", "info", "warning", "error", "exception", "critical", "log"),
    }


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and _called(node) in _HARMLESS:
        return
    if isinstance(node, ast.Attribute):
        yield node.attr
        if node.attr not in _TEXTS and not isinstance(node.value, ast.Name):
            yield from _names(node.value)
        return
    if isinstance(node, ast.Name):
        yield node.id
    for inner in ast.iter_child_nodes(node):
        yield from _names(inner)


@pytest.mark.parametrize(
    "source",
    [
        "raise InputError(f'found {text}')",
        "raise InputError(f'found {shown(article.text)}')",
        "raise errors.InputError(f'found {row.title[:40]!r}')",
        "_LOG.debug(f'{sentence}')",
        "yield Reject(line, 'x', f'{cells[0]}')",
        "raise InputError(f'{clean(text)}')",
    ],
)
def test_the_scan_of_messages_finds(source: str) -> None:
    assert list(told(source))


@pytest.mark.parametrize(
    "source",
    [
        "raise InputError(f'{len(text):,}')",
        "raise InputError(f'{kind(record)}')",
        "x = f'{text}'",
        "f(f'{text}')",
    ],
)
def test_the_scan_of_messages_lets_be(source: str) -> None:
    assert not list(told(source))


def test_no_message_of_the_package_is_made_of_words() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    assert len(modules) > 60
    found = {(path.name, code) for path in modules for _, code in told(path.read_text(encoding="utf-8"))}
    assert found == _OTHER_TEXTS
