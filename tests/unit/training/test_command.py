"""The command line of training before a run opens: refusals, dumps, plans, exit codes; nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpora import row_of, rows_of, text_of, write_jsonl
from training.command import main
from training.config_file import load_config


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, where anything written would show."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


ROOT = Path(__file__).resolve().parents[3]
TOPICS, STANCE = str(ROOT / "configs/topics-linear.yaml"), str(ROOT / "configs/stance-linear.yaml")
CODEBOOK = f"data.codebook={ROOT / 'data/codebook.yaml'}"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_dry_run_prints_the_parts_and_writes_nothing(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", rows_of(60))
    arguments = [TOPICS, STANCE, "--dry-run", "--set", f"data.path={data}", "--set", CODEBOOK]
    code, out, err = said(capsys, *arguments)
    assert (code, err) == (0, "")
    assert "stancewire-topics: linear, topics, split by event" in out
    assert "stancewire-stance: linear, stance, split by event" in out
    rows = [line for line in out.splitlines() if "train" in line]
    assert len(rows) == 2
    assert list(empty.iterdir()) == []


def test_a_dry_run_tells_what_teaches_beside_train(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_jsonl(tmp_path / "a.jsonl", rows_of(60))
    rows = [row_of(n, id=f"m{n}", text=text_of(f"more {n}"), stances=[]) for n in range(3)]
    write_jsonl(tmp_path / "more.jsonl", rows)
    settings = (f"data.path={data}", CODEBOOK, "extra_data=[{path: ../more.jsonl}]")
    code, out, err = said(capsys, TOPICS, "--dry-run", *(part for one in settings for part in ("--set", one)))
    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if "+ ../more.jsonl" in line]
    assert line.split("│")[2].strip() == "3"
    assert list(empty.iterdir()) == []


def test_a_dry_run_tells_what_is_left_out(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(60)
    rows[7] |= {"topics": None}
    data = write_jsonl(tmp_path / "a.jsonl", rows)
    code, out, _ = said(capsys, TOPICS, "--dry-run", "--set", f"data.path={data}", "--set", CODEBOOK)
    assert code == 0
    (line,) = [line for line in out.splitlines() if "left out: not labelled" in line]
    assert line.split("│")[2].strip() == "1"


def test_a_dump_is_a_config(empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, TOPICS, "--dump-config", "--set", "seed=7")
    assert (code, err) == (0, "")
    (tmp_path / "dumped.yaml").write_text(out, encoding="utf-8")
    assert load_config(tmp_path / "dumped.yaml") == load_config(TOPICS, ["seed=7"])
    assert list(empty.iterdir()) == []


def test_the_problems_of_all_configs_are_told_together(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("task: topics\nsed: 1\nseed: true\n")
    other.write_text("task: stanc\n")
    code, out, err = said(capsys, str(one), TOPICS, str(other))
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"error: {one}: 2 problems; nothing was run",
        "  sed (line 2): unknown key; did you mean 'seed'?",
        "  seed (line 3): wanted a whole number, got true",
        f"error: {other}: 1 problem; nothing was run",
        "  task (line 1): wanted 'topics' or 'stance', got 'stanc'; did you mean 'stance'?",
    ]
    assert list(empty.iterdir()) == []


def test_two_configs_for_one_folder_are_refused(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, TOPICS, TOPICS)
    assert code == 2
    assert "two configs would write artefacts/stancewire-topics" in err


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (None, "no such file"),
        ([], "found no row"),
        (
            [row_of(n, topics=["sanctions"]) for n in range(20)],
            "wanted 3 stories or more that hold each label",
        ),
        (rows_of(3), "wanted 3 stories or more"),
        ([row_of(n, topics=["sanktions"]) for n in range(20)], "unknown_label"),
        ([row_of(n, text="") for n in range(20)], "text"),
        ([{"headline": "x"}] * 3, "id"),
    ],
)
@pytest.mark.parametrize("flag", ["--dry-run", None])
def test_bad_data_is_refused_before_anything_is_written(
    empty: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rows: list[object] | None,
    says: str,
    flag: str | None,
) -> None:
    path = tmp_path / "a.jsonl"
    if rows is not None:
        write_jsonl(path, rows)
    flags = [flag] if flag else []
    code, out, err = said(capsys, TOPICS, *flags, "--set", f"data.path={path}", "--set", CODEBOOK)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {path}")
    assert says in err
    assert list(empty.iterdir()) == []


def test_a_leak_stops_the_run_and_shows_the_pair(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(60)
    for number, row in enumerate(rows):
        row |= {"split": ("train", "train", "train", "dev", "test")[number // 2 % 5]}
    rows[8] |= {"text": rows[0]["text"], "topics": rows[0]["topics"], "stances": []}
    data = write_jsonl(tmp_path / "a.jsonl", rows)
    arguments = [TOPICS, "--set", f"data.path={data}", "--set", CODEBOOK, "--set", "split.by=given"]
    code, _, err = said(capsys, *arguments)
    assert code == 2
    assert "same_text 1.00: a000 (train) ~ a008 (test)" in err
    assert list(empty.iterdir()) == []
    code, out, _ = said(capsys, *arguments, "--dry-run", "--set", "split.allow_leaks=[a008]")
    assert (code, "split by given" in out) == (0, True)


def test_an_interrupted_run_says_so(
    empty: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.command.prepare", interrupt)
    code, _, err = said(capsys, TOPICS)
    assert (code, err) == (130, "interrupted\n")


def test_the_text_of_an_article_cannot_drive_the_terminal(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [row_of(0, topics=["\x1b[31mred"])])
    _, _, err = said(capsys, TOPICS, "--set", f"data.path={path}", "--set", CODEBOOK)
    assert "\x1b" not in err
    assert "red" in err
