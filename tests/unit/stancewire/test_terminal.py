"""What a terminal shows: everything that was read, nothing that commands it, at any width."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.artefact import Artefact
from stancewire.doubt import Abstention, Conformal
from stancewire.examples import Article
from stancewire.reading import Reader, Reading
from stancewire.terminal import console_on, escape, print_artefact, print_reading
from tests.fake_models import by_words, fake_stance, fake_topics
from tests.tiny import write_tiny

TEXT = (
    "Seoul condemned the sanctions. Sanctions were renewed after the talks. Kyiv welcomed the sanctions. "
    "The envoy welcomed the sanctions again. Oslo welcomed the sanctions too. The talks go on."
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Ascii(io.StringIO):
    """A text stream of 7 bits."""

    encoding = "ascii"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("models")
    return Reader(fake_topics(folder, lambda _: (0.1, 0.52, 0.99)), fake_stance(folder, by_words))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    set_terminal(monkeypatch, 80)


def set_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def shown(reading: Reading, stream: IO[str] | None = None, where: str = "file.txt") -> str:
    stream = stream or io.StringIO()
    print_reading(console_on(stream), reading, where)
    stream.seek(0)
    return stream.read()


@pytest.mark.usefixtures("narrow")
def test_a_reading_on_80_columns(reader: Reader) -> None:
    article = Article(title="Talks and [bold]sanctions[/bold] :smile:", text=TEXT, id="a7")
    assert shown(reader.read(article)) == (
        "Talks and [bold]sanctions[/bold] :smile:\n"
        "a7 · 6 sentences\n"
        "\n"
        "Topics\n"
        "                                       probability  threshold\n"
        "  ○  arms trade  ██░░░░░░░░░░░░░░░░░░         0.10       0.50\n"
        "  ●  diplomacy   ██████████░░░░░░░░░░         0.52       0.50\n"
        "  ●  sanctions   ████████████████████         0.99       0.50\n"
        "\n"
        "Stances\n"
        "  target     verdict        net  favor  against  neutral\n"
        "  diplomacy  no evidence             0        0        0\n"
        "  sanctions  favor        +0.50      3        1        1\n"
        "\n"
        "Sentences (● decides the verdict)\n"
        "    against 0.90 sanctions  Seoul condemned the sanctions.\n"
        "                            — Seoul\n"
        "\n"
        "    neutral 0.70 sanctions  Sanctions were renewed after the talks.\n"
        "\n"
        "  ● favor   0.80 sanctions  Kyiv welcomed the sanctions.\n"
        "                            — Kyiv\n"
        "\n"
        "  ● favor   0.80 sanctions  The envoy welcomed the sanctions again.\n"
        "                            — The envoy\n"
        "\n"
        "  ● favor   0.80 sanctions  Oslo welcomed the sanctions too.\n"
        "                            — Oslo\n"
        "\n"
    )


@pytest.mark.usefixtures("narrow")
def test_what_is_for_review_is_marked_and_explained(tmp_path: Path) -> None:
    topics = Abstention(0.9, (0.0, 0.6, 0.6), (0.05, 1.0, 1.0))
    stance = Abstention(0.9, (0.75,) * 4, None)
    reader = Reader(
        fake_topics(tmp_path, lambda _: (0.1, 0.52, 0.99), abstention=topics),
        fake_stance(tmp_path, by_words, abstention=stance),
    )
    text = shown(reader.read(TEXT))
    assert "\nTopics (? for review)\n" in text
    assert "  ○  arms trade  ██░░░░░░░░░░░░░░░░░░         0.10       0.50  ?\n" in text
    assert "  ●  diplomacy   ██████████░░░░░░░░░░         0.52       0.50  ?\n" in text
    assert "  ●  sanctions   ████████████████████         0.99       0.50\n" in text
    assert "\nSentences (● decides the verdict, ? for review)\n" in text
    assert "    neutral 0.70 ? sanctions  Sanctions were renewed after the talks.\n" in text
    assert text.count("?") == 5


@pytest.mark.usefixtures("narrow")
def test_a_sentence_of_two_targets_is_shown_once(reader: Reader) -> None:
    text = shown(reader.read("Seoul condemned the sanctions talks.", targets=["sanctions", "talks"]))
    assert text.count("Seoul condemned") == 1
    assert "  ● against 0.90 sanctions  Seoul condemned the sanctions talks.\n" in text
    assert "  ● against 0.90 talks      — Seoul\n" in text


@pytest.mark.usefixtures("narrow")
def test_one_target_is_not_repeated(reader: Reader) -> None:
    text = shown(reader.read("Kyiv welcomed the talks.", targets=["the long talks in Doha about talks"]))
    assert text.count("the long talks in Doha about talks") == 1
    assert "  ● favor   0.80   Kyiv welcomed the talks.\n" in text
    assert text.startswith("file.txt\n1 sentence\n")


@pytest.mark.usefixtures("narrow")
def test_no_topic_is_said(tmp_path: Path) -> None:
    reader = Reader(fake_topics(tmp_path, lambda _: (0, 0, 0)), fake_stance(tmp_path, by_words))
    text = shown(reader.read(TEXT))
    assert text.startswith("file.txt\n6 sentences\n")
    assert text.endswith(
        "\n\nNo topic holds, so no stance was asked about; --target PHRASE asks about one.\n\n"
    )
    assert "Sentences" not in text


@pytest.mark.usefixtures("narrow")
def test_what_was_not_read_well_is_said(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda _: (0, 0, 0), blank=True, max_chars=60)
    text = shown(Reader(topics, fake_stance(tmp_path, by_words)).read("Kyіv. " + "x" * 2_000))
    text = " ".join(text.split())
    assert "1,946 characters at the end were not read" in text
    assert "words that mix alphabets: Kyіv" in text
    assert "no known features" in text


@pytest.mark.parametrize("width", [30, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    set_terminal(monkeypatch, width)
    targets = ["an embargo on everything that flies over the talks", "sanctions", "talks"]
    text = shown(reader.read(f"{'Talks ' * 5}\n\n{TEXT}", targets=targets))
    assert max(map(len, text.splitlines())) <= width
    assert all(line == line.rstrip() for line in text.splitlines())
    squeezed = re.sub(r"\s+", " ", text)
    if width >= 80:
        assert "The envoy welcomed the sanctions again." in squeezed
        assert re.search(r"● favor   0\.80 sanctions", text)


def test_colours_are_for_terminals(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    set_terminal(monkeypatch, 80)
    reading = reader.read(Article(title="T", text=TEXT))
    coloured, plain = shown(reading, Terminal()), shown(reading)
    assert "\x1b[32m" in coloured  # favor is green
    assert "\x1b[31m" in coloured  # against is red
    assert "\x1b" not in plain
    visible = "\n".join(line.rstrip() for line in ANSI.sub("", coloured).split("\n"))
    assert visible == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown(reading, Terminal()))


@pytest.mark.usefixtures("narrow")
def test_seven_bits_will_do(reader: Reader) -> None:
    stream = Ascii()
    text = shown(reader.read(Article(title="T", text=TEXT, id="7")), stream)
    assert text.isascii()
    assert "  *  diplomacy   ##########..........         0.52       0.50\n" in text
    assert "Sentences (* decides the verdict)\n" in text
    assert "-- Seoul\n" in text
    assert "7 - 6 sentences\n" in text


HOSTILE = {
    "escape": "a\x1b[2Jb",
    "eight bit": "a\x9b2Jb",
    "bell": "a\x07b",
    "link": "\x1b]8;;http://x\x1b\\talks\x1b]8;;\x1b\\",
    "carriage": "good\rbad",
    "backspace": "good\b\b\b\bbad",
    "bidi": "\u202egro.live\u202c\u2066\u2069\u200f\u061c",
    "invisible": "a\u200bb\ufeffc\u00add\u2060e\U000e0041f",
    "surrogate": "a\ud800b",
    "lines": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "del": "a\x7fb",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_escape_shows_what_it_does_not_obey(text: str) -> None:
    safe = escape(text)
    assert [c for c in safe if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}] == []
    assert "\n" not in safe


def test_escape_leaves_what_is_harmless() -> None:
    assert escape("Łódź, 서울 “yes” 👩‍👧 [red] e\u0301") == "Łódź, 서울 “yes” 👩‍👧 [red] e\u0301"
    assert escape("a\x1b[2Jb\u202e") == r"a\x1b[2Jb\u202e"
    assert escape("two\r\n\tlines") == "two lines"


@given(st.text())
def test_escaped_is_escaped(text: str) -> None:
    assert escape(escape(text)) == escape(text)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_part_of_an_article_commands_the_terminal(reader: Reader, text: str) -> None:
    article = Article(title=text, text=f"Kyiv{text} welcomed the talks {text}.", id=text)
    printed = shown(reader.read(article, targets=[f"{text} talks", "talks"]), where=text)
    controls = {c for c in printed if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert controls <= {"\n", "\u200d"}


@pytest.fixture
def artefact(tmp_path: Path) -> Artefact:
    provenance = {
        "git": {"commit": "abc\x1b[2J", "dirty": True},
        "seeds": [1, 2],
        "rows": [{"f1": 0.5, "n": 3}, {"f1": 1.0, "n": 4}],
    }
    figure = {"value": 0.71249, "low": 0.66, "high": 0.75}
    rate = {"value": 0.25, "low": 0.1, "high": 0.5}
    metrics = {
        "test": {
            "linear": {"macro_f1": figure, "labels": {"sanctions": {"f1": figure, "support": 3}}},
            "majority": {"macro_f1": figure, "micro_f1": figure},
        },
        "behaviour": {"capabilities": {"deeds": {"rate": rate, "examples": ["not told here"]}}},
    }
    return write_tiny(tmp_path / "model", provenance=provenance, metrics=metrics)


def test_an_artefact_tells_what_is_for_review_and_the_sets(tmp_path: Path) -> None:
    stream = io.StringIO()
    changes = {"abstention": Abstention(0.75, (0.5,) * 4, None), "conformal": Conformal(0.9, 0.8)}
    print_artefact(console_on(stream), fake_stance(tmp_path, by_words, **changes).artefact)
    assert "  for review   all but what keeps 0.75 right, as training saw it\n" in stream.getvalue()
    assert "  sets         hold the true stance of 90% of an event's sentences\n" in stream.getvalue()


@pytest.mark.usefixtures("narrow")
def test_an_artefact_on_80_columns(artefact: Artefact) -> None:
    stream = io.StringIO()
    print_artefact(console_on(stream), artefact)
    (size,) = (ref for ref in artefact.manifest.files.values())
    assert stream.getvalue() == (
        "tiny-topics\n"
        "  task         topics\n"
        "  family       linear\n"
        f"  digest       {artefact.digest}\n"
        "  codebook     stancewire 1.0 (sha256 000000000000)\n"
        "  calibration  platt\n"
        "  for review   nothing\n"
        "  reads        at most 1,000 characters\n"
        "  chunks       at most 8 of 128 tokens, 32 of them the last one's\n"
        "\n"
        "Labels\n"
        "  label       phrase      threshold  slope  intercept\n"
        "  arms_trade  arms trade      0.100  1.500     -0.100\n"
        "  diplomacy                   0.333  1.000     +0.000\n"
        "  sanctions                   1.000  0.500     +2.000\n"
        "\n"
        "Metrics (--json has all, --card tells them in words)\n"
        "  fails at deeds                   0.250  [0.100, 0.500]\n"
        "  test.linear.labels.sanctions.f1  0.712  [0.660, 0.750]\n"
        "  test.linear.macro_f1             0.712  [0.660, 0.750]\n"
        "  test.majority.macro_f1           0.712  [0.660, 0.750]\n"
        "\n"
        "Provenance\n"
        "  git.commit  abc\\x1b[2J\n"
        "  git.dirty   True\n"
        "  rows        f1 0.500, n 3; f1 1.000, n 4\n"
        "  seeds       1, 2\n"
        "\n"
        "Files\n"
        f"  weights.safetensors  {size.bytes:,} bytes  {size.sha256[:12]}\n"
    )
