"""The command line: what it prints, its exit codes, and one clear line for every fault."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stancewire import cli
from stancewire.artefact import read_artefact
from stancewire.cli import main
from stancewire.location import DEFAULT_MODELS, MODELS_VARIABLE
from tests.small_models import small_artefact
from tests.tiny import content_of, forge_manifest, write_tiny

ARTICLE = "Envoys sign embargo\n\nThe minister welcomed the embargo. The envoys condemned the talks.\n"
OTHER = "The minister condemned the embargo.\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both models, by the names that training gives them."""
    folder = tmp_path_factory.mktemp("models")
    for task in ("topics", "stance"):
        small_artefact(folder, task, f"stancewire-{task}")
        (folder / f"small-{task}").rename(folder / f"stancewire-{task}")
    return folder


@pytest.fixture
def here(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; the models are found by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MODELS_VARIABLE, str(models))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def article(here: Path) -> str:
    (here / "a.txt").write_text(ARTICLE)
    return "a.txt"


def one_error(capsys: Captured) -> str:
    """The one line on standard error; nothing else was printed."""
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", printed.err), printed.err
    return printed.err


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_read_prints_a_reading(article: str, capsys: Captured) -> None:
    assert main(["read", article, "--target", "the embargo"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[:2] == ["Envoys sign embargo", "a.txt · 2 sentences"]
    assert re.search(
        r"target +verdict +net +favor +against +neutral\n  the embargo +\w+ +[+-]\d\.\d\d", printed.out
    )
    assert re.search(r"\n  . (favor|against|neutral) +0\.\d\d +The minister welcomed", printed.out)
    assert "\x1b" not in printed.out


def test_read_as_json(article: str, capsys: Captured) -> None:
    assert main(["read", article, "--target", "the embargo", "--target", "the talks", "--json"]) == 0
    (reading,) = objects(capsys.readouterr().out)
    assert (reading["schema"], reading["id"], reading["title"]) == (
        "stancewire-reading",
        "a.txt",
        "Envoys sign embargo",
    )
    targets = reading["targets"]
    assert isinstance(targets, list)
    assert [(target["target"], target["topic"]) for target in targets] == [
        ("the embargo", None),
        ("the talks", None),
    ]


def test_topics_are_the_targets(article: str, capsys: Captured) -> None:
    assert main(["read", article, "--json"]) == 0
    (reading,) = objects(capsys.readouterr().out)
    topics, targets = reading["topics"], reading["targets"]
    assert isinstance(topics, list)
    assert isinstance(targets, list)
    decided = [topic["label"] for topic in topics if topic["decision"]]
    assert decided
    assert [target["topic"] for target in targets] == decided


def test_several_files_in_order(article: str, here: Path, capsys: Captured) -> None:
    (here / "b.md").write_text(OTHER)
    (here / "c.json").write_text(json.dumps({"id": "007", "text": OTHER, "title": "C"}))
    (here / "d.jsonl").write_text(
        f'{{"text": "{OTHER.strip()}"}}\n{{"text": "{OTHER.strip()}", "id": "d2"}}\n'
    )
    (here / "e").write_text(OTHER)
    assert main(["read", article, "b.md", "c.json", "d.jsonl", "e", "--json"]) == 0
    assert [reading["id"] for reading in objects(capsys.readouterr().out)] == [
        *("a.txt", "b.md", "007", "d.jsonl:1", "d2", "e"),
    ]


def test_standard_input(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(OTHER.encode())))
    assert main(["read", "-", "--json"]) == 0
    (reading,) = objects(capsys.readouterr().out)
    assert (reading["id"], reading["sentences"]) == ("-", 1)


def test_models_are_found_in_the_working_directory(
    article: str, here: Path, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delenv(MODELS_VARIABLE)
    assert main(["read", article]) == 2
    error = one_error(capsys)
    assert "no topics model at artefacts/stancewire-topics" in error
    assert "python -m training.run configs/topics-linear.yaml" in error
    (here / DEFAULT_MODELS).symlink_to(models)
    assert main(["read", article]) == 0


def test_models_are_named_in_any_order(
    article: str, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    stance, topics = (["--model", str(models / f"stancewire-{task}")] for task in ("stance", "topics"))
    assert main(["read", article, *stance, "--json"]) == 0
    monkeypatch.setenv(MODELS_VARIABLE, "/nowhere")
    assert main(["read", article, *stance, *topics, "--json"]) == 0
    one, other = objects(capsys.readouterr().out)
    assert one == other
    assert main(["read", article, *stance]) == 2
    assert "no topics model at /nowhere/stancewire-topics" in one_error(capsys)


def test_inspect(models: Path, here: Path, capsys: Captured) -> None:
    folder = models / "stancewire-topics"
    digest = read_artefact(folder).digest
    assert main(["inspect", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[:4] == [
        "stancewire-topics",
        "  task         topics",
        "  family       linear",
        f"  digest       {digest}",
    ]
    assert main(["inspect", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"digest": digest, "manifest": content_of(folder)}


def test_help_and_version(capsys: Captured) -> None:
    assert main([]) == 0
    assert "Usage: stancewire" in capsys.readouterr().out
    for command in ([], ["read"], ["inspect"]):
        assert main([*command, "--help"]) == 0
        assert "Usage: stancewire" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert re.fullmatch(r"stancewire \d+\.\d+\S*\n", capsys.readouterr().out)


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "binary.txt": (b"\x7fELF\x00\x01", "expected a text, found binary data"),
    "utf16.txt": (
        ARTICLE.encode("utf-16"),
        r"expected a text, found binary data \(or UTF-16\); save it as UTF-8",
    ),
    "latin.txt": (b"caf\xe9 talks", "not UTF-8 at byte 3; save it as UTF-8"),
    "empty.txt": (b"", "expected a text, found none"),
    "blank.txt": (b" \n\t\n", "expected a text, found none"),
    "bom.txt": (b"\xef\xbb\xbf", "expected a text, found none"),
    "invisible.txt": (
        "\u200b\u200d".encode(),
        "expected an article's text, found 2 characters, none of them",
    ),
    "report.docx": (b"PK", r"expected a \.txt, \.md, \.json or \.jsonl file; convert it first"),
    "broken.json": (b'{"text": ', "not JSON"),
    "list.json": (b"[1]", "expected an object with a 'text', found a list"),
    "null.json": (b'{"text": null}', "expected an object with a non-empty 'text'"),
    "number.json": (b'{"text": 5}', "expected 'text' to be a text, found 5; quote it"),
    "id.json": (b'{"text": "Talks.", "id": 7}', "expected 'id' to be a text, found 7; quote it"),
    "nan.json": (b'{"text": "Talks.", "x": NaN}', "NaN is not JSON"),
    "twice.json": (b'{"text": "Talks.", "text": "Talks."}', "text"),
    "surrogate.json": (b'{"text": "\\ud800"}', "lone surrogate"),
    "deep.json": (b"[" * 100_000, "deep"),
    "empty.json": (b"", "JSON"),
    "empty.jsonl": (b"", "expected an article a line, found none"),
    "bad.jsonl": (b"{", r"bad\.jsonl:1: syntax: not JSON"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_costs_itself_alone(article: str, here: Path, capsys: Captured, name: str) -> None:
    content, message = BAD_FILES[name]
    (here / name).write_bytes(content)
    assert main(["read", name]) == 2
    error = one_error(capsys)
    assert error.startswith(f"error: {name}:")
    assert re.search(message, error)
    assert main(["read", article, name, article, "--json"]) == 2
    printed = capsys.readouterr()
    assert printed.err == error
    assert [reading["id"] for reading in objects(printed.out)] == [article, article]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.txt", "cannot be read: No such file or directory"),
        ("missing.jsonl", "cannot be read: No such file or directory"),
        ("folder", "cannot be read: Is a directory"),
        ("folder.json", "cannot be read: Is a directory"),
        ("a\0b.txt", "cannot be read: embedded null byte"),
        ("x" * 300, "cannot be read: File name too long"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(here: Path, capsys: Captured, name: str, message: str) -> None:
    (here / "folder").mkdir()
    (here / "folder.json").mkdir()
    assert main(["read", name]) == 2
    assert message in one_error(capsys)


def test_a_file_without_permission(here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert main(["read", "a.txt"]) == 2
    assert one_error(capsys) == "error: a.txt: cannot be read: Permission denied\n"


def test_bad_lines_cost_themselves_alone(here: Path, capsys: Captured) -> None:
    lines = ['{"text": "Talks go on."}', "nope", "[]", '{"text": ""}', '{"text": "Talks end.", "id": "5"}']
    (here / "a.jsonl").write_text("\n".join(lines))
    assert main(["read", "a.jsonl", "--json"]) == 2
    printed = capsys.readouterr()
    assert [reading["id"] for reading in objects(printed.out)] == ["a.jsonl:1", "5"]
    assert [line.split(" ")[1] for line in printed.err.splitlines()] == [
        "a.jsonl:2:",
        "a.jsonl:3:",
        "a.jsonl:4:",
    ]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([""], "target 0: expected a phrase of 1 to 200 characters, found '', nothing to read"),
        (["x" * 201], "target 0: expected a phrase of 1 to 200 characters, found 201"),
        (["talks", "Talks"], "target 1: 'Talks' stands there twice; name every target once"),
        ([f"t{number}" for number in range(51)], "expected 1 to 50 targets, found 51"),
    ],
)
def test_bad_targets(article: str, capsys: Captured, targets: list[str], message: str) -> None:
    options = [part for target in targets for part in ("--target", target)]
    assert main(["read", article, article, *options]) == 2
    assert message in one_error(capsys)


BAD_MODELS: dict[str, tuple[Callable[[Path], str], str]] = {
    "missing": (lambda _: "nowhere", "nowhere: expected a stancewire artefact .*found none"),
    "empty": (lambda _: "", "expected an artefact's folder or an MLflow URI, found an empty text"),
    "file": (lambda _: "a.txt", "a.txt: expected a stancewire artefact .*, found a file"),
    "folder": (lambda _: ".", r"expected a stancewire artefact .*, found a folder with 'a\.txt'"),
    "unsealed": (lambda models: str(unsealed(models)), "manifest.json"),
    "strange task": (lambda _: str(write_tiny(Path("tiny")).path), "tiny"),
}


def unsealed(models: Path) -> Path:
    """A manifest that somebody edited."""
    folder = Path("unsealed")
    folder.mkdir()
    text = (models / "stancewire-topics" / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace("stancewire-topics", "stancewire-tropics"))
    return folder


@pytest.mark.parametrize("fault", BAD_MODELS)
@pytest.mark.parametrize("command", ["read", "inspect"])
def test_a_bad_model(article: str, models: Path, capsys: Captured, fault: str, command: str) -> None:
    named, message = BAD_MODELS[fault]
    model = named(models)
    arguments = ["inspect", model] if command == "inspect" else ["read", article, "--model", model]
    code = main(arguments)
    if (command, fault) == ("inspect", "strange task"):
        assert code == 0  # its manifest is fine; only its weights fit no runtime
        return
    assert code == 2
    assert re.search(message, one_error(capsys))


def test_two_models_of_one_task(article: str, models: Path, capsys: Captured) -> None:
    model = str(models / "stancewire-topics")
    assert main(["read", article, "--model", model, "--model", model]) == 2
    assert f"--model {model}: a second topics model; name one of each task at most" in one_error(capsys)


def test_a_default_of_the_wrong_task(
    article: str, models: Path, here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(here))
    for task in ("topics", "stance"):
        (here / f"stancewire-{task}").symlink_to(models / "stancewire-topics")
    assert main(["read", article]) == 2
    error = one_error(capsys)
    assert "expected a topics and a stance model" in error
    assert "name both with --model" in error


def test_models_of_two_codebooks(article: str, models: Path, capsys: Captured) -> None:
    small_artefact(Path.cwd(), "stance", "other-stance")
    content = content_of(Path("small-stance"))
    content["codebook"]["version"] = "9.9"
    forge_manifest(Path("small-stance"), content)
    assert main(["read", article, "--model", "small-stance"]) == 2
    error = one_error(capsys)
    assert "expected models of one codebook, found stancewire-topics by stancewire-security-news 1.0" in error
    assert "other-stance by stancewire-security-news 9.9" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read"], "Missing argument 'FILE'; see stancewire --help"),
        (["read", "a.txt", "--bogus"], "No such option: --bogus"),
        (["read", "a.txt", "--model"], "'--model' requires an argument"),
        (["read", "a.txt", "--target"], "'--target' requires an argument"),
        (["inspect"], "Missing argument 'ARTEFACT'"),
        (["inspect", "a", "b"], "unexpected extra argument"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["--bogus"], "No such option: --bogus"),
    ],
)
def test_bad_usage(here: Path, capsys: Captured, arguments: list[str], message: str) -> None:
    assert main(arguments) == 2
    error = one_error(capsys)
    assert message in error
    assert error.endswith("see stancewire --help\n")


def test_a_name_cannot_command_the_terminal(here: Path, capsys: Captured) -> None:
    assert main(["read", "\x1b[2J\nhidden\u202e.txt"]) == 2
    assert one_error(capsys).startswith("error: \\x1b[2J hidden\\u202e.txt: cannot be read")


def test_an_interrupt(article: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read_files", interrupt)
    assert main(["read", article]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_json_on_any_stream(here: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    (here / "a.txt").write_text("The minister welcomed “les embargos” in Québec 😀 — 서울.")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    assert main(["read", "a.txt", "--target", "embargos", "--json"]) == 0
    reading = json.loads(raw.getvalue().decode(encoding))
    assert reading["stances"][0]["sentence"] == "The minister welcomed “les embargos” in Québec 😀 — 서울."


def test_a_table_is_printed_on_any_stream(here: Path, monkeypatch: pytest.MonkeyPatch, article: str) -> None:
    Path(article).write_text("The minister welcomed the embargo in Québec 😀.")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["read", article, "--target", "the embargo"]) == 0
    assert rb"embargo in Qu\xe9bec \U0001f600." in raw.getvalue()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stancewire", *arguments]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_closed_pipe_is_no_error(article: str, options: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(  # noqa: S603 - our own program
        command("read", *[article] * 40, *options), stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_error(article: str, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own program
            command("read", article, *options), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"
