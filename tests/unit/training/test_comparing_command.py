"""The command lines: what is printed, JSON that is byte-identical, settings, refusals, exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from tests.unit.training.test_comparing_ground import ROOT, data, shipped, told_corpus
from training.comparing import compare_command
from training.comparing.settings import GateName, PromoteConfig, load_settings
from training.yaml import ConfigError, parse_yaml

__all__ = ["data", "shipped"]


def test_everything_is_printed(shipped: Mapping[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    a, b = str(shipped["plain"]), str(shipped["few terms"])
    assert compare_command.main([a, b, "--samples", "200", "--examples", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for part in (
        f"A  {a}",
        f"B  {b}",
        "topics on the test part of",
        "B minus A",
        "macro-F1",
        "McNemar, exact",
    ):
        assert part in out, part
    assert "F1 of sanctions" in out
    assert "32 rows in 16 events; in brackets 95% intervals over 200 resamples" in out
    assert compare_command.main([a, a]) == 0
    assert "A and B decide all 32 rows in 16 events alike." in capsys.readouterr().out


def test_the_json_is_whole_and_the_same_in_every_process(
    shipped: Mapping[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(shipped["plain"]), str(shipped["few terms"]), "--json", "--samples", "200"]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "training.compare", *arguments],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert compare_command.main(arguments) == 0
    assert capsys.readouterr().out == done.stdout
    found = json.loads(done.stdout)
    assert found["data"] | {"source": "", "sha256": ""} == {
        "source": "",
        "sha256": "",
        "part": "test",
        "rows": 32,
        "events": 16,
        "notes": [],
    }
    test = found["mcnemar"]
    assert (test["fixed"], test["broken"]) == tuple(
        len(found["changes"][kind]) for kind in ("fixed", "broken")
    )
    assert found["differing_rows"] == sum(map(len, found["changes"].values()))
    told = found["difference"]["macro_f1"]["value"]
    a, b = (found["models"][side]["evaluation"]["macro_f1"]["value"] for side in "AB")
    assert told == pytest.approx(b - a)


def test_new_rows_judge_too(
    shipped: Mapping[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = str(told_corpus(tmp_path, 30, first=1000))
    assert compare_command.main([str(shipped["plain"]), str(shipped["seed"]), "--data", new]) == 0
    assert f"topics on all of {new}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plain", "nowhere"], "expected a stancewire artefact"),
        (["plain", "stance"], "the task of A is 'topics', that of B is 'stance'"),
        (["plain", "time"], "were split differently (split.by 'event' and 'time')"),
        (["plain", "plain", "--data", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
    ],
)
def test_bad_input_is_one_error(
    shipped: Mapping[str, Path], capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert compare_command.main([str(shipped.get(one, one)) for one in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert says in err


@pytest.mark.parametrize(
    "flags",
    [
        ["--samples", "1"],
        ["--samples", "²"],
        ["--confidence", "nan"],
        ["--confidence", "1"],
        ["--seed", "-1"],
    ],
)
def test_flags_are_checked(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        compare_command.main(["a", "b", *flags])
    assert stopped.value.code == 2
    assert "wanted a" in capsys.readouterr().err


def test_telemetry_is_off_whatever_is_imported_first() -> None:
    code = (
        "import training.tracking\n"
        "from mlflow.telemetry import client\n"
        "assert client.get_telemetry_client() is None"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_settings_come_from_a_file_and_flags(tmp_path: Path) -> None:
    assert load_settings(None, []) == PromoteConfig()
    file = tmp_path / "gates.yaml"
    file.write_text("margin: 0.01\nmust_measure: [quality, behaviour]\n")
    found = load_settings(str(file), ["margin=0.03", "linear=models:/x@champion"])
    assert (found.margin, found.linear) == (0.03, "models:/x@champion")
    assert found.must_measure == ("quality", "behaviour")
    assert load_settings(None, ["must_measure=[]"]).must_measure == ()


def test_wrong_settings_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "gates.yaml"
    file.write_text("margin: true\nmargn: 1\nparity: 1.1\nmust_measure: [speed]\n")
    with pytest.raises(ConfigError) as refused:
        load_settings(str(file), [])
    told = str(refused.value)
    assert told.startswith(f"{file}: 4 problems")
    for part in (
        "margin: wanted",
        "margn: unknown key; did you mean 'margin'?",
        "parity: wanted",
        "must_measure",
    ):
        assert part in told, part


@pytest.mark.parametrize("setting", ["margin", "=1", "margin=[", "margin=", "samples=1e3", "zzz=1"])
def test_wrong_flags_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError):
        load_settings(None, [setting])


@pytest.mark.parametrize("source", ["- 1\n", "margin: 1\nmargin: 2\n", ""])
def test_wrong_files_are_refused(tmp_path: Path, source: str) -> None:
    file = tmp_path / "gates.yaml"
    file.write_text(source)
    with pytest.raises(ConfigError):
        load_settings(str(file), [])


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in PromoteConfig.model_fields.values())
    with pytest.raises(ValidationError):
        PromoteConfig.model_validate({"confidence": float("nan")})


def test_the_documented_settings_are_those_there_are() -> None:
    page = (ROOT / "docs/promotion.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_`, ]+) \| (.+?) \| ", page.partition("| setting |")[2], re.MULTILINE)
    told = {name: cell for names, cell in rows for name in re.findall("[a-z_]+", names)}
    assert set(told) == set(PromoteConfig.model_fields)
    defaults = PromoteConfig()
    for name in set(told) - {"samples", "seed", "linear", "must_measure"}:
        assert float(told[name]) == getattr(defaults, name), name
    assert tuple(re.findall("[a-z-]+", told["must_measure"])) == defaults.must_measure
    assert told["samples"] == f"{defaults.samples}, {defaults.seed}"
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert PromoteConfig.model_validate(parse_yaml(example.encode(), "docs").data).margin == 0.01
    gates = re.findall(
        r"^\| `([a-z-]+)` \|", page.partition("| gate |")[2].partition("exit code")[0], re.MULTILINE
    )
    assert tuple(gates) == get_args(GateName)
