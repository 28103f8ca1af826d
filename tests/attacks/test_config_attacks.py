"""Faults 7, 9 and 10 in what people write by hand: code by name, wrong kinds, YAML's own traps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stancewire.errors import CodebookError, StancewireError
from training.behaviour.load import BUNDLED as CASES
from training.behaviour.load import load_suite
from training.command import main
from training.config_file import dump_config, load_config
from training.data.codebook import load_codebook
from training.tuning.load import load_sweep
from training.yaml import ConfigError, dump_yaml, parse_yaml

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / "configs").glob("*.yaml"))
BY_NAME = {
    "target": ("_target_: antigravity.fly", "unknown key"),
    "trust": ("trust_remote_code: true", "unknown key"),
    "class": ("__class__: antigravity.Model", "unknown key"),
    "module": ("loader_module: antigravity", "unknown key"),
    "apply": ("seed: !!python/object/apply:os.mkdir [marker]", "tags such as !!str are refused"),
    "name": ("seed: !!python/name:antigravity.fly", "tags such as !!str are refused"),
    "new": ("seed: !<tag:yaml.org,2002:python/module:antigravity> x", "tags such as !!str are refused"),
    "family": ("model: {family: antigravity.Model}", "wanted 'encoder' or 'fewshot' or 'linear'"),
    "codebook": ("data: {codebook: [antigravity]}", "wanted a text"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    return code, *capsys.readouterr()


@pytest.mark.parametrize(("line", "says"), BY_NAME.values(), ids=BY_NAME)
def test_a_config_names_no_code(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(f"task: topics\n{line}\n")
    modules = set(sys.modules)
    code, out, err = said(capsys, str(config))
    assert (code, out) == (2, "")
    assert says in err
    assert "antigravity" not in set(sys.modules) - modules
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "place", ["data", "split", "model", "calibration", "thresholds", "evaluation", "tracking"]
)
@pytest.mark.parametrize("key", ["_target_", "trust_remote_code", "auto_map"])
def test_no_section_of_a_config_takes_code_by_name(tmp_path: Path, place: str, key: str) -> None:
    (tmp_path / "c.yaml").write_text(f"task: topics\n{place}: {{{key}: antigravity.fly}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    told = [problem for problem in caught.value.problems if problem.startswith(f"{place}.{key} ")]
    assert len(told) == 1
    assert "unknown key; " in told[0]


def test_a_codebook_and_cases_name_no_code(tmp_path: Path) -> None:
    book = "id: a\nversion: '1'\n_target_: antigravity.fly\ntopics:\n  - {id: a, name: a, definition: b}\n"
    (tmp_path / "book.yaml").write_text(book)
    with pytest.raises(CodebookError, match="_target_: unknown key; the known ones are id, version, topics"):
        load_codebook(tmp_path / "book.yaml")
    suite = (CASES / "suite.yaml").read_text("utf-8")
    (tmp_path / "suite.yaml").write_text(f"{suite}\n_target_: antigravity.fly\n", encoding="utf-8")
    with pytest.raises(StancewireError, match=r"_target_.*unknown key"):
        load_suite(tmp_path)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("setting", ["data: {codebook: 'PATH'}", "data: {path: 'PATH'}"])
@pytest.mark.parametrize("path", ["a\\0b", "\\ud800", "/dev/null/x", "a" * 5000])
def test_paths_that_no_file_has_are_one_error(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, path: str
) -> None:
    quoted = setting.replace("'PATH'", f'"{path}"')
    (tmp_path / "c.yaml").write_text(f"task: topics\n{quoted}\n")
    code, _, err = said(capsys, str(tmp_path / "c.yaml"), "--dry-run")
    assert code == 2
    assert err.startswith("error: ")
    assert list(here.iterdir()) == []


WRONG = """\
task: topics
seed: 3.7
sede: 1
split: {dev: .nan, test: -0.2}
model:
  folds: "5"
  max_terms: true
  regularisation: []
thresholds: {objective: precision}
"""


def test_everything_wrong_is_told_at_once_and_nothing_is_written(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fault 9."""
    (tmp_path / "c.yaml").write_text(WRONG)
    (tmp_path / "none.yaml").write_text("seed: 1\n")
    code, out, err = said(capsys, str(tmp_path / "c.yaml"), str(tmp_path / "none.yaml"))
    assert (code, out) == (2, "")
    assert list(here.iterdir()) == []
    dotted = [line.split(" ")[2].rstrip(":") for line in err.splitlines() if line.startswith("  ")]
    assert dotted == [
        *(
            "seed",
            "sede",
            "split.dev",
            "split.test",
            "model.folds",
            "model.max_terms",
            "model.regularisation",
        ),
        *("thresholds", "task"),
    ]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "epochs", ["3.7", "true", '"5"', ".nan", ".inf", "-3", "null", "[3]", "{a: 3}", "1e3", "3.0"]
)
def test_a_whole_number_is_a_whole_number(tmp_path: Path, epochs: str) -> None:
    """Fault 9: nothing is rounded, cast or guessed."""
    (tmp_path / "c.yaml").write_text(f"task: topics\nseed: {epochs}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("seed (line 2): wanted ")


@pytest.mark.parametrize("label", ["no", "yes", "on", "off", "NO", "n", "null_", "1e3x"])
def test_words_that_yaml_1_1_takes_for_booleans_are_labels(tmp_path: Path, label: str) -> None:
    """Fault 10."""
    (tmp_path / "c.yaml").write_text(f"task: topics\ndata:\n  label_map: {{{label}: {label}}}\n")
    assert load_config(tmp_path / "c.yaml").data.label_map == {label: label}
    (tmp_path / "b.yaml").write_text(
        f"id: a\nversion: '1'\ntopics:\n  - {{id: {label}, name: a, definition: b}}\n"
    )
    assert load_codebook(tmp_path / "b.yaml").labels("topics") == (label,)


@pytest.mark.parametrize("label", ["true", "False", "7", "1.5", ".nan", "0x1F"])
def test_what_is_no_text_is_no_label_and_is_to_be_quoted(tmp_path: Path, label: str) -> None:
    """Fault 10."""
    (tmp_path / "c.yaml").write_text(f"task: topics\ndata: {{label_map: {{pro: {label}}}}}\n")
    with pytest.raises(ConfigError, match=r"label_map\.pro \(line 2\): wanted a text, got .*; quote it"):
        load_config(tmp_path / "c.yaml")
    (tmp_path / "b.yaml").write_text(
        f"id: a\nversion: '1'\ntopics:\n  - {{id: {label}, name: a, definition: b}}\n"
    )
    with pytest.raises(CodebookError, match=r"topics\[0\]\.id: .*; put it in quotes"):
        load_codebook(tmp_path / "b.yaml")


def test_a_rate_without_a_point_is_a_number(tmp_path: Path) -> None:
    """Fault 10: to YAML 1.1 it is a text."""
    (tmp_path / "c.yaml").write_text("task: topics\nmodel: {regularisation: [3e-4, 1e2]}\n")
    config = load_config(tmp_path / "c.yaml")
    assert config.model.model_dump()["regularisation"] == (3e-4, 100.0)


TRAPS = {
    "duplicate": ("task: topics\nseed: 1\nseed: 2\n", "'seed' is set twice"),
    "deep duplicate": ("task: topics\nmodel: {folds: 3, folds: 4}\n", "'folds' is set twice"),
    "alias": ("task: &t topics\nname: *t\n", "anchors and aliases are refused"),
    "merge": ("a: &a {seed: 1}\ntask: topics\n<<: *a\n", "anchors and aliases are refused"),
    "tab": ("task: topics\nmodel:\n\tfolds: 3\n", "indent with blanks, not tabs"),
    "two documents": ("task: topics\n---\ntask: stance\n", "wanted one document"),
    "bomb": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        "anchors and aliases are refused",
    ),
}


@pytest.mark.parametrize(("text", "says"), TRAPS.values(), ids=TRAPS)
def test_traps_of_yaml_are_refused_by_name(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """Fault 10."""
    (tmp_path / "c.yaml").write_text(text)
    code, _, err = said(capsys, str(tmp_path / "c.yaml"))
    assert code == 2
    assert says in err
    assert len(err) < 6_000
    assert list(here.iterdir()) == []
    for load in (load_config, load_codebook):
        with pytest.raises(ConfigError, match=says):
            load(tmp_path / "c.yaml")


def test_every_shipped_file_loads_and_survives_a_dump(tmp_path: Path) -> None:
    """Fault 10."""
    dumped = tmp_path / "dumped.yaml"
    assert len(SHIPPED) >= 3
    for file in SHIPPED:
        if file.stem.endswith("-tune"):
            assert load_sweep(file)
            continue
        config = load_config(file)
        dumped.write_text(dump_config(config), encoding="utf-8")
        assert load_config(dumped) == config
    others = [ROOT / "data" / "codebook.yaml", *sorted(CASES.rglob("*.yaml"))]
    assert len(others) > 20
    for file in others:
        data = parse_yaml(file.read_bytes(), str(file)).data
        assert parse_yaml(dump_yaml(data).encode(), "dump").data == data
