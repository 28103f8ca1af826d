"""Attacks on the reading: code by name, endless texts, hidden characters, whatever else a file may hold."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire import cli, holders
from stancewire.cli import main
from stancewire.errors import StancewireError
from stancewire.examples import Article
from stancewire.headline import split_headline
from stancewire.holders import find_holder
from stancewire.reading import Reader
from stancewire.terminal import console_on, escape, print_reading
from stancewire.words import words_of
from tests.fake_models import by_words, fake_stance, fake_topics
from tests.processor import MOST_GROWTH, growth

SIZE = 40_000


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("models")
    return Reader(fake_topics(folder, lambda _: (0.9, 0.9, 0.9)), fake_stance(folder, by_words))


CODE_BY_NAME = {
    "hydra": {"text": "Talks.", "_target_": "antigravity.fly"},
    "trust": {"text": "Talks.", "trust_remote_code": True, "auto_map": {"AutoModel": "antigravity.Model"}},
    "yaml": {"text": "Talks.", "title": "!!python/object/apply:os.system ['touch pwned']"},
    "pickle": {"text": "Talks.", "outlet": "cos\nsystem\n(S'touch pwned'\ntR."},
    "class": {"text": "Talks.", "__class__": "antigravity.Article", "py/object": "antigravity.Article"},
    "format": {"text": "{0.__class__.__init__.__globals__} %s %(x)s ${x} talks.", "title": "{reading}"},
}


@pytest.mark.parametrize("record", CODE_BY_NAME.values(), ids=CODE_BY_NAME)
def test_names_in_an_article_are_text(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "open_reader", lambda _: reader)
    Path("a.json").write_text(json.dumps(record))
    modules = set(sys.modules)
    assert main(["read", "a.json", "--json"]) == 0
    assert main(["read", "a.json"]) == 0
    assert not (set(sys.modules) - modules) & {"antigravity"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "model", ["antigravity:fly", "antigravity.Model", "file:///etc/passwd", "http://localhost/x", "s3://x/y"]
)
def test_a_model_is_a_folder_and_never_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Talks.")
    assert main(["read", "a.txt", "--model", model]) == 2
    assert "expected a stancewire artefact" in capsys.readouterr().err
    assert "antigravity" not in sys.modules


UNITS = {
    "words": "talks ",
    "commas": "a, ",
    "asides": ", who said, ",
    "clauses": ", and X, who was, ",
    "and": ", and the minister said ",
    "semicolons": "; X said ",
    "quotes": '"',
    "curly": "“a” ",
    "single": "‘a’ ",
    "said": "said ",
    "according": "according to ",
    "views": "in the words of ",
    "by": "was condemned by ",
    "initials": "A. ",
    "acronym": "U.S.",
    "brackets": "(",
    "names": "Ann ",
    "pronouns": "He said. ",
    "one word": "a",
    "hyphens": "a-",
    "apostrophes": "a's",
    "blank lines": "\n\n",
    "carriage": "\r",
    "blanks": " ",
    "escape": "\x1b[",
    "digits": "1,",
}


def by_terminal(reader: Reader, text: str) -> None:
    print_reading(console_on(io.StringIO()), reader.read(Article(text="Talks.", title=text)), "a")


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("what", ["holders", "words", "headline", "escape", "read", "terminal"])
def test_the_time_grows_with_the_text_and_not_its_square(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, what: str, unit: str
) -> None:
    if what == "holders":  # linear even without the cap
        monkeypatch.setattr(holders, "_MAX_CHARS", 4 * SIZE)
    run: Callable[[str], object] = {
        "holders": lambda text: find_holder(text, text),
        "words": words_of,
        "headline": split_headline,
        "escape": escape,
        "read": lambda text: reader.read(f"x{text}", targets=["talks"]),
        "terminal": lambda text: by_terminal(reader, text),
    }[what]
    grown = growth(run, unit, 2 * SIZE)
    assert grown <= MOST_GROWTH, f"four times the text took {grown:.1f} times as long"


HIDDEN = {
    "zero width": "\u200b",
    "soft hyphen": "\u00ad",
    "byte order mark": "\ufeff",
    "tag": "\U000e0041",
    "bidi": "\u202e",
    "variation": "\ufe0f",
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_hidden_characters_change_no_stance_and_no_holder(reader: Reader, hidden: str) -> None:
    text = "Seoul condemned the talks. He said no. According to Kyiv, the talks go on."
    plain = reader.read(text, targets=["talks"])
    attacked = reader.read(hidden + hidden.join(text), targets=[hidden.join("talks")])
    assert [(s.target, s.label, s.sentence, s.holder and s.holder.text) for s in attacked.stances] == [
        (s.target, s.label, s.sentence, s.holder and s.holder.text) for s in plain.stances
    ]
    assert len(plain.stances) == 2


@given(
    st.text(max_size=60),
    st.text(max_size=30),
    st.one_of(st.none(), st.lists(st.text(max_size=12), max_size=3), st.text(max_size=5)),
)
def test_only_our_errors_leave_a_reading(
    reader: Reader, text: str, title: str, targets: list[str] | str | None
) -> None:
    try:
        reading = reader.read(Article(text=text, title=title), targets=targets)
    except StancewireError as error:
        assert str(error)
    else:
        stream = io.StringIO()
        print_reading(console_on(stream), reading, title)
        assert stream.getvalue().encode()
        assert json.dumps(reading.to_dict(), allow_nan=False, ensure_ascii=False).encode()
