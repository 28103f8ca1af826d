"""`python -m training.data check`: every fault with its line, an exit code, a summary."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpora import row_of, rows_of, text_of, write_jsonl
from training.data.check import CLEAN, FAULTY, main
from training.data.examine import Examined, examine
from training.data.faults import Fault
from training.data.schema import Schema
from training.data.sources import open_source

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = Schema(
    topics=("arms_trade", "diplomacy", "sanctions"), stances=("against", "favor", "neutral", "unrelated")
)
TEXT = "They met in Muscat. He said no. Both left."
STANCE = {"sentence": "He said no.", "target": "talks", "label": "against", "holder": "He"}


@pytest.fixture(autouse=True)
def in_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default codebook is found from the checkout's folder."""
    monkeypatch.chdir(ROOT)


def examined(folder: Path, *rows: object) -> Examined:
    return examine(open_source(str(write_jsonl(folder / "a.jsonl", rows))), SCHEMA)


def told(found: Examined) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.severity, fault.code) for fault in found.faults]


def article(**changes: object) -> dict[str, object]:
    return {"id": "a", "text": TEXT, "topics": [], "stances": [STANCE]} | changes


def test_a_good_row_has_no_faults(tmp_path: Path) -> None:
    assert examined(tmp_path, article(event=None, date="2026-03-01", countries=["KEN"])).faults == ()


@pytest.mark.parametrize(
    ("changes", "code", "detail"),
    [
        ({"text": ""}, "no_text", "non-empty text"),
        ({"text": None}, "no_text", "non-empty text"),
        ({"text": 5}, "wrong_type", "found 5; quote it"),
        ({"id": None}, "no_id", "'id'"),
        ({"id": " "}, "no_id", "'id'"),
        ({"id": 7}, "wrong_type", "found 7; quote it"),
        ({"event": 7}, "wrong_type", "'event'"),
        ({"date": "2026-3-1"}, "not_a_date", "'2026-3-1'"),
        ({"date": "2026-02-30"}, "not_a_date", "'2026-02-30'"),
        ({"date": "20260301"}, "not_a_date", "YYYY-MM-DD"),
        ({"date": "2026-03-01T10:00:00"}, "not_a_date", "YYYY-MM-DD"),
        ({"countries": "KEN"}, "wrong_type", "a list of texts"),
        ({"topics": "sanctions"}, "wrong_type", "a list, a mapping or null"),
        ({"topics": ["sanctions", "sanctions"]}, "topic_twice", "sanctions stands twice"),
        ({"topics": ["sanktions"]}, "unknown_label", "did you mean sanctions?"),
        ({"topics": ["Sanctions"]}, "label_variant", "no topic 'Sanctions'; did you mean sanctions?"),
        ({"topics": [None]}, "empty_label", "expected a topic"),
        ({"topics": [1]}, "wrong_type", "found 1; quote it"),
        ({"topics": {"sanctions": "yes"}}, "wrong_type", "true, false or null, found 'yes'"),
        ({"topics": {"sport": True}}, "unknown_label", "it has arms_trade, diplomacy, sanctions"),
        ({"split": "holdout"}, "unknown_split", "train, dev, validation, test; found 'holdout'"),
        ({"stances": {}}, "wrong_type", "'stances' to be a list"),
        ({"stances": ["x"]}, "wrong_type", "to be an object"),
        (
            {"stances": [STANCE | {"label": " FAVOR "}]},
            "label_variant",
            "no stance ' FAVOR '; did you mean favor?",
        ),
        ({"stances": [STANCE | {"label": "pro"}]}, "unknown_label", "'pro'"),
        ({"stances": [STANCE | {"label": ""}]}, "empty_label", "expected a stance, found none"),
        ({"stances": [STANCE | {"label": None}]}, "empty_label", "expected a stance, found none"),
        ({"stances": [STANCE | {"target_topic": "x"}]}, "unknown_label", "target_topic 'x'"),
        ({"stances": [STANCE | {"target": ""}]}, "empty_stance", "'target'"),
        ({"stances": [STANCE | {"holder": 5}]}, "wrong_type", "'holder' of a stance"),
        (
            {"stances": [STANCE | {"sentence": "He said yes.", "holder": None}]},
            "sentence_not_in_text",
            "stance 1",
        ),
        ({"stances": [STANCE, STANCE | {"label": "favor"}]}, "stance_conflict", "is against in this article"),
    ],
)
def test_errors(tmp_path: Path, changes: dict[str, object], code: str, detail: str) -> None:
    (fault,) = examined(tmp_path, article(id="first", text=text_of(1), stances=[]), article(**changes)).faults
    assert (fault.line, fault.severity, fault.code) == (2, "error", code)
    assert detail in fault.detail


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"countries": ["KE"]}, "country_code"),
        ({"stances": [STANCE | {"holder": "the minister"}]}, "holder_not_in_sentence"),
        ({"stances": [STANCE | {"target": "a " * 13}]}, "long_target"),
        ({"stances": [STANCE | {"annotator": "x"}]}, "unknown_field"),
        ({"stances": [STANCE, STANCE]}, "stance_twice"),
    ],
)
def test_warnings_do_not_stop_training(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    found = examined(tmp_path, article(**changes))
    assert told(found) == [(1, "warning", code)]
    assert len(found.articles) == 1
    assert found.warnings == {code: 1}


def test_a_holder_may_differ_in_case(tmp_path: Path) -> None:
    assert examined(tmp_path, article(stances=[STANCE | {"holder": "he"}])).faults == ()


def test_the_limit_of_a_target_is_twelve_words(tmp_path: Path) -> None:
    assert examined(tmp_path, article(stances=[STANCE | {"target": "a " * 12}])).faults == ()


def test_one_text_with_two_labels(tmp_path: Path) -> None:
    rows = [
        article(id="a", topics=["sanctions"], stances=[]),
        article(id="b", topics=[], text=TEXT.upper(), stances=[]),
        article(id="c", topics=None, stances=[]),
        article(id="d", topics=["sanctions"], stances=[]),
        article(id="e", text=text_of(1), stances=[]),
    ]
    found = examined(tmp_path, *rows)
    assert told(found) == [
        (2, "error", "text_conflict"),
        (3, "warning", "same_text"),
        (4, "warning", "same_text"),
    ]
    assert "the same text as line 1, with sanctions labelled the other way" in found.faults[0].detail


def test_one_sentence_with_two_stances_in_two_articles(tmp_path: Path) -> None:
    other = {"id": "b", "text": "He said no. Rain fell.", "topics": []}
    copied = examined(tmp_path, article(), other | {"stances": [STANCE]})
    assert copied.faults == ()
    contrary = examined(tmp_path, article(), other | {"stances": [STANCE | {"label": "neutral"}]})
    assert told(contrary) == [(2, "error", "stance_conflict")]
    assert "the same record is against in line 1" in contrary.faults[0].detail


def test_an_id_that_stands_twice_is_found_in_faulty_rows_too(tmp_path: Path) -> None:
    rows = [article(), {"id": "a", "text": ""}, article(text=text_of(1), stances=[]), {"id": "b", "text": ""}]
    assert told(examined(tmp_path, *rows)) == [
        (2, "error", "no_text"),
        (2, "error", "duplicate_id"),
        (3, "error", "duplicate_id"),
        (4, "error", "no_text"),
    ]


def test_all_faults_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    row = article(id=7, date="x", topics=["x"], split="y", stances=[STANCE | {"label": "z"}])
    assert sorted(fault.code for fault in examined(tmp_path, row).faults) == [
        "unknown_label",
        "unknown_label",
        "unknown_split",
        "wrong_type",
    ]


def test_a_row_with_a_stance_of_its_own_and_a_list_is_refused(tmp_path: Path) -> None:
    row = {"id": "a", "text": TEXT, **STANCE, "stances": []}
    assert told(examined(tmp_path, row)) == [(1, "error", "wrong_type")]


def test_topics_need_a_text(tmp_path: Path) -> None:
    assert told(examined(tmp_path, {"id": "a", **STANCE, "topics": ["sanctions"]})) == [
        (1, "error", "no_text")
    ]
    assert told(examined(tmp_path, {"id": "a", **STANCE})) == []


def test_the_command_counts_and_exits_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row_of(n, topics=["Sanctions"] if n < 4 else None) for n in range(6)]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    with path.open("a") as file:
        file.write("oops\n")
    assert main(["check", str(path)]) == FAULTY
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0]
        == f"{path}:1: error: label_variant: the codebook has no topic 'Sanctions'; did you mean sanctions?"
    )
    assert f"{path}:7: error: syntax: not JSON: Expecting value at column 1" in lines
    assert lines[-4].startswith("note: articles with no topic labelled (null or empty), which teach none: 2;")
    assert lines[-3] == f"{path}: 7 rows, 2 articles, 5 errors, 0 warnings"
    assert lines[-2] == "label_variant 4, syntax 1"
    assert lines[-1].startswith("  4 times label_variant: the codebook has no topic 'Sanctions'")


def test_warnings_count_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write_jsonl(tmp_path / "a.jsonl", [row_of(1, countries=["USA", "UK"])]))
    assert main(["check", path]) == CLEAN
    assert main(["check", path, "--strict"]) == FAULTY
    assert "country_code" in capsys.readouterr().out


def test_columns_labels_and_codebook_are_named_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yaml").write_text(
        'id: own\nversion: "1"\ntopics:\n  - {id: gas, name: natural gas, definition: Gas.}\n'
    )
    (tmp_path / "a.txt").write_text("nr;body;what\n007;Gas flowed.;GAS\n008;None did.;none\n")
    arguments = ["check", str(tmp_path / "a.txt"), "--format", "csv", "--delimiter", ";"]
    arguments += ["--codebook", str(tmp_path / "own.yaml"), "--column", "id=nr", "--column", "text=body"]
    assert main([*arguments, "--column", "topics=what", "--label", "GAS=gas"]) == CLEAN
    assert "1 yes, 1 no, 0 not labelled" in capsys.readouterr().out
    assert main([*arguments, "--column", "topics=wat"]) == FAULTY
    assert "wanted the column 'wat' (for topics); found 'body', 'nr', 'what'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "a", "--column", "x"], ["chek", "a"]])
def test_a_wrong_command_line_exits_with_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("content", ["", "\n\n", "id,text\n"])
def test_nothing_is_a_fault(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert main(["check", str(tmp_path / "a.csv")]) == FAULTY
    assert "no article can be read" in capsys.readouterr().out


def test_the_bundled_corpus_is_clean_and_the_check_is_light() -> None:
    code = (
        "import sys; from training.data.check import main; "
        "code = main(['check', 'data/articles.jsonl', '--strict']); "
        "sys.exit(code or any(heavy in sys.modules for heavy in ('datasets', 'pandas', 'torch', 'mlflow')))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stdout + done.stderr
    assert "504 rows, 504 articles, 0 errors, 0 warnings" in done.stdout
    assert "132,579" in done.stdout


def test_the_module_runs_as_a_command(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [*rows_of(2), {}])
    command = [sys.executable, "-m", "training.data", "check", str(tmp_path / "a.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own code
    assert (done.returncode, done.stderr) == (2, "")


def test_terminal_codes_are_shown_not_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = article(topics=["\x1b[31mred"], date="\x1b]0;t\x07", stances=[STANCE | {"\x1b[2J": 1}])
    assert main(["check", str(write_jsonl(tmp_path / "a.jsonl", [row]))]) == FAULTY
    assert "\x1b" not in capsys.readouterr().out


def test_a_file_name_commands_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a\x1b[31m.jsonl", [article(id=7), article(id=7)])
    assert main(["check", str(path)]) == FAULTY
    assert main(["check", str(path) + "\udcff"]) == FAULTY
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert r"a\x1b[31m.jsonl:1: error: wrong_type" in told.out
    assert told.err.startswith("error: ")
    assert r"\udcff: no such file" in told.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full disk to try")
def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [article()])
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-m", "training.data", "check", str(path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
    assert done.returncode == FAULTY
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_fault_reads_as_one_line() -> None:
    assert str(Fault("a.jsonl", 3, "no_id", "expected a text")) == "a.jsonl:3: error: no_id: expected a text"
