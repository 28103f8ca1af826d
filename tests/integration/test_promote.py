"""Compare and promote against a real MLflow store: gates, tags, refusals, force, and two at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking import MlflowClient
from safetensors.numpy import save_file

from stancewire.artefact import Artefact, Manifest, read_artefact, write_artefact
from stancewire.runtime.linear import WEIGHTS
from tests.integration.conftest import ROOT, Trained
from tests.unit.training.test_comparing_ground import config_of, ship, told_corpus
from training.comparing import compare_command, promote_command
from training.comparing.promotion import Request, promote
from training.comparing.settings import PromoteConfig
from training.comparing.store import MovedError, Store
from training.tracking import RegisteredVersion, tracked_run

Said = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Shelf:
    """A store with logged models, registered under whatever name a test likes."""

    folder: Path
    database: Path
    uris: dict[str, str]
    artefacts: dict[str, Artefact]
    runs: dict[str, str]

    def register(self, name: str, which: str, digest: str | None = "its own") -> int:
        tags = {} if digest is None else {"stancewire.artefact": digest}
        if digest == "its own":
            tags = {"stancewire.artefact": self.artefacts[which].digest}
        with tracked_run("tests", name, {}) as run:
            made: RegisteredVersion = run.register(self.uris[which], name, "challenger", tags)
        return made.version

    def champion(self, name: str) -> int | None:
        aliases = MlflowClient().get_registered_model(name).aliases
        return int(aliases["champion"]) if "champion" in aliases else None

    def tags(self, name: str, version: int) -> dict[str, str]:
        return dict(MlflowClient().get_model_version(name, str(version)).tags)


def negated(artefact: Artefact, folder: Path, manifest: Manifest | None = None) -> Artefact:
    """The same artefact with every coefficient negated; it still claims the figures of the good one."""
    staging = folder.with_name(f"{folder.name}-staging")
    staging.mkdir()
    tensors = {name: np.array(tensor) for name, tensor in artefact.tensors(WEIGHTS).items()}
    tensors["coef"] = -tensors["coef"]
    save_file(tensors, staging / WEIGHTS)
    return write_artefact(folder, replace(manifest or artefact.manifest, files={}), staging)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    data, other = told_corpus(folder), told_corpus(folder, name="other.jsonl", first=1)
    artefacts = {
        "good": ship(config_of(data), folder / "good"),
        "again": ship(config_of(data, model={"max_terms": 5000, "regularisation": [2.5]}), folder / "again"),
        "elsewhere": ship(config_of(other), folder / "elsewhere"),
        "stance": ship(config_of(data, "stance"), folder / "stance"),
    }
    artefacts["broken"] = negated(artefacts["good"], folder / "broken")
    uris, runs = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        patch.setenv("COLUMNS", "400")
        for name, artefact in artefacts.items():
            with tracked_run("tests", name, {"stancewire.family": "linear"}) as run:
                uris[name] = run.model(artefact.path, artefact.manifest.name)
                runs[name] = run.run_id
        yield Shelf(folder, folder / "mlflow.db", uris, artefacts, runs)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = promote_command.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def gates_in(tags: dict[str, str]) -> dict[str, str]:
    return {gate["name"]: gate["status"] for gate in json.loads(tags["stancewire.gates"])}


def test_the_first_champion_needs_the_baselines_alone(shelf: Shelf, said: Said) -> None:
    assert shelf.register("first", "good") == 1
    code, out, err = said("first")
    assert (code, err) == (0, "")
    assert "promoted: first version 1 is the champion; before it was none" in out
    assert shelf.champion("first") == 1
    tags = shelf.tags("first", 1)
    assert tags["stancewire.promoted_over"] == "none"
    assert gates_in(tags) == {
        "artefact": "passed",
        "unseen": "passed",
        "quality": "not needed",
        "majority": "passed",
        "reproduced": "passed",
        "behaviour": "not needed",
        "parity": "passed",
    }
    assert "stancewire.forced" not in tags
    assert "stancewire.refused" not in tags
    code, out, _ = said("first")
    assert (code, out) == (0, "first version 1 is already the champion; nothing was changed\n")
    assert shelf.tags("first", 1) == tags


def test_an_equal_model_follows_the_champion(shelf: Shelf, said: Said) -> None:
    shelf.register("equal", "good")
    said("equal")
    shelf.register("equal", "again")
    code, out, _ = said("equal", "--dry-run")
    assert code == 0
    assert "dry run, nothing was changed" in out
    assert shelf.champion("equal") == 1
    assert "stancewire.gates" not in shelf.tags("equal", 2)
    assert said("equal", "--set", "majority_margin=0.99")[0] == 3
    assert shelf.tags("equal", 2)["stancewire.refused"] == "majority"
    code, out, _ = said("equal")
    assert code == 0
    assert "stancewire.refused" not in shelf.tags("equal", 2)
    assert "promoted: equal version 2 is the champion; before it was version 1" in out
    assert shelf.champion("equal") == 2
    tags = shelf.tags("equal", 2)
    assert tags["stancewire.promoted_over"] == "version 1"
    assert {gates_in(tags)[name] for name in ("quality", "behaviour", "reproduced")} == {"passed"}


@pytest.mark.parametrize("first", [False, True])
def test_a_broken_model_is_refused_with_the_reason(shelf: Shelf, said: Said, first: bool) -> None:
    name = f"broken{first}"
    if not first:
        shelf.register(name, "good")
        said(name)
    version = shelf.register(name, "broken")
    code, out, err = said(name)
    assert (code, err) == (3, "")
    assert shelf.champion(name) == (None if first else 1)
    found = gates_in(shelf.tags(name, version))
    assert found["majority"] == found["reproduced"] == "failed"
    assert found["artefact"] == found["parity"] == "passed"  # it is what was written, and says so itself
    assert f"refused: {name} version {version} is not promoted (" in out
    if not first:
        assert found["quality"] == "failed"
        assert "version 1 is better by " in out
        assert "the champion is version 1" in out
    refused = shelf.tags(name, version)["stancewire.refused"]
    assert {"majority", "reproduced"} <= set(refused.split(", "))
    assert shelf.tags(name, version).get("stancewire.promoted_over") is None


def test_force_needs_a_reason_which_is_stored_and_goes_with_the_next_trial(shelf: Shelf, said: Said) -> None:
    shelf.register("forced", "good")
    said("forced")
    shelf.register("forced", "broken")
    for empty in ("", "  \n", "x" * 1001):
        code, out, err = said("forced", "--force", empty)
        assert (code, out) == (2, "")
        assert "--force: wanted a reason" in err
        assert shelf.champion("forced") == 1
    code, out, _ = said("forced", "--force", " a drill\x1b[2J ")
    assert code == 0
    assert "despite quality, majority" in out
    assert r"a drill\x1b[2J" in out
    assert shelf.champion("forced") == 2
    assert shelf.tags("forced", 2)["stancewire.forced"] == "a drill\x1b[2J"
    assert gates_in(shelf.tags("forced", 2))["quality"] == "failed"
    code, _, _ = said("forced", "--version", "1")  # back to the good one, past every gate
    assert (code, shelf.champion("forced")) == (0, 1)
    assert shelf.tags("forced", 1)["stancewire.promoted_over"] == "version 2"


@pytest.mark.parametrize(
    ("digest", "says"), [("0" * 64, "registered was 000000000000"), (None, "has no tag")]
)
def test_an_artefact_that_is_not_what_was_registered_is_refused(
    shelf: Shelf, said: Said, digest: str | None, says: str
) -> None:
    name = f"digest{digest is None}"
    shelf.register(name, "good", digest)
    code, out, _ = said(name)
    assert code == 3
    assert says in out
    assert "not promoted (artefact)" in out
    assert shelf.champion(name) is None


def test_an_artefact_that_does_not_load_is_never_promoted(
    shelf: Shelf, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact = negated(shelf.artefacts["broken"], tmp_path / "good", shelf.artefacts["good"].manifest)
    with tracked_run("tests", "damaged", {}) as run:
        uri = run.model(artefact.path, artefact.manifest.name)
        run.register(uri, "damaged", "challenger", {"stancewire.artefact": artefact.digest})
        where = Path(run_folder(uri))
    (weights,) = where.rglob(WEIGHTS)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    for arguments in ((), ("--force", "whatever")):
        code, out, _ = said("damaged", *arguments)
        assert code == 3
        assert "digest mismatch" in out
        assert shelf.champion("damaged") is None
    assert gates_in(shelf.tags("damaged", 1))["quality"] == "not measured"


def run_folder(uri: str) -> str:
    location: str = MlflowClient().get_logged_model(uri.removeprefix("models:/")).artifact_location
    return location.removeprefix("file://")


def test_a_damaged_champion_is_not_measured_and_refuses(shelf: Shelf, said: Said, tmp_path: Path) -> None:
    copy = negated(shelf.artefacts["broken"], tmp_path / "good", shelf.artefacts["good"].manifest)
    with tracked_run("tests", "later", {}) as run:
        uri = run.model(copy.path, copy.manifest.name)
        run.register(uri, "later", "challenger", {"stancewire.artefact": copy.digest})
    assert said("later")[0] == 0
    (weights,) = Path(run_folder(uri)).rglob(WEIGHTS)
    weights.unlink()
    shelf.register("later", "good")
    code, out, _ = said("later")
    assert code == 3
    assert "the champion, version 1, cannot be loaded" in out
    assert gates_in(shelf.tags("later", 2))["quality"] == "not measured"
    assert gates_in(shelf.tags("later", 2))["majority"] == "passed"
    code, out, _ = said("later", "--force", "the champion is gone")
    assert (code, shelf.champion("later")) == (0, 2)
    assert "stancewire.refused" in shelf.tags("later", 2)


def test_a_champion_of_other_data_needs_rows_that_neither_has_seen(
    shelf: Shelf, said: Said, tmp_path: Path
) -> None:
    shelf.register("moved", "elsewhere")
    assert said("moved")[0] == 0
    shelf.register("moved", "good")
    code, out, err = said("moved")
    assert (code, out) == (2, "")
    assert "were trained on different data" in err
    assert "--data PATH" in err
    assert shelf.champion("moved") == 1
    assert "stancewire.gates" not in shelf.tags("moved", 2)
    new = str(told_corpus(tmp_path, 60, first=2000))
    code, out, _ = said("moved", "--data", new, "--set", "margin=0.2", "--dry-run")
    assert code == 0, out
    assert "judged on other rows than its test part" in out
    code, out, _ = said("moved", "--data", new, "--set", "margin=0.2", "--set", "must_measure=[reproduced]")
    assert code == 3
    assert "not measured, refuses" in out
    assert shelf.champion("moved") == 1
    code, out, _ = said("moved", "--force", "new corpus")
    assert (code, shelf.champion("moved")) == (0, 2)
    assert gates_in(shelf.tags("moved", 2))["quality"] == "not measured"


def test_a_stance_model_without_a_target_blind_margin_is_refused(shelf: Shelf, said: Said) -> None:
    shelf.register("stance", "stance")
    code, out, _ = said("stance")
    assert code == 3
    assert "holds no margin over a target-blind model" in out
    assert "not promoted (target-blind)" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "no model is registered as 'nothing'; there are "),
        (["bad", "--version", "7"], "bad has no version 7; its versions are 1; name one with --version"),
        (["bad", "--alias", "x"], "bad has no alias 'x'; its versions are 1"),
        (["bad", "--data", "gone.jsonl"], "gone.jsonl: no such file"),
        (["bad", "--set", "margn=0.1"], "margn: unknown key; did you mean 'margin'?"),
        (["bad", "--config", "gone.yaml"], "gone.yaml: 1 problem"),
    ],
)
def test_bad_input_is_one_error_and_changes_nothing(
    shelf: Shelf, said: Said, arguments: list[str], says: str
) -> None:
    if not MlflowClient().search_registered_models("name='bad'"):
        shelf.register("bad", "good")
    code, out, err = said(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err
    assert shelf.champion("bad") is None
    assert set(shelf.tags("bad", 1)) == {"stancewire.artefact"}


def test_no_store_is_told_and_none_is_made(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    code, _, err = said("x")
    assert code == 2
    assert "there is no database" in err
    assert compare_command.main(["0" * 32, "models:/x/1"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_champion_that_moved_meanwhile_stops_the_move(shelf: Shelf) -> None:
    for which in ("good", "again", "broken"):
        shelf.register("race", which)
    store = Store.open()
    one, two, three = store.versions("race")
    store.promote(one, None, {})
    store.promote(two, one, {})
    with pytest.raises(
        MovedError, match="was version 1 when version 3 was judged and is version 2 now"
    ) as error:
        store.promote(three, one, {"stancewire.promoted_over": "version 1"})
    assert error.value.exit_code == 3
    assert shelf.champion("race") == 2
    assert "stancewire.promoted_over" not in shelf.tags("race", 3)
    with pytest.raises(MovedError, match="was none when"):
        store.promote(three, None, {})


def test_two_promotes_at_once_leave_one_champion(shelf: Shelf) -> None:
    """Both are judged before either moves the alias: one does, the other is told and changes nothing."""
    for which in ("good", "again"):
        shelf.register("both", which)
    judged = threading.Barrier(2, timeout=60)

    def report(step: str) -> None:
        if step == "moving the alias":
            judged.wait()

    def run(number: int) -> str:
        request = Request("both", number, "", None, None, False, PromoteConfig())
        try:
            return promote(request, Store.open(), report).outcome
        except MovedError:
            return "moved"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, (1, 2)))
    assert sorted(outcomes) == ["moved", "promoted"]
    winner = outcomes.index("promoted") + 1
    assert shelf.champion("both") == winner
    assert shelf.tags("both", winner)["stancewire.promoted_over"] == "none"
    assert set(shelf.tags("both", 3 - winner)) == {"stancewire.artefact"}


def test_compare_takes_runs_folders_and_registered_models(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.register("names", "good")
    folder = shelf.folder / "good"
    outputs = []
    for name in (
        shelf.runs["good"],
        f"runs:/{shelf.runs['good']}",
        "models:/names@challenger",
        "models:/names/1",
        shelf.uris["good"],
        str(folder),
    ):
        assert compare_command.main([name, str(shelf.folder / "broken"), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["models"]["A"].pop("given") == name
        outputs.append(found)
    assert outputs[0]["models"]["A"]["sha256"] == read_artefact(folder).digest
    assert all(output == outputs[0] for output in outputs)
    assert outputs[0]["verdict"].startswith("A is better by ")
    with tracked_run("tests", "empty", {}) as run:
        pass
    for wrong, says in ((run.run_id, "it logged 0"), ("f" * 32, "there is none")):
        assert compare_command.main([wrong, str(folder)]) == 2
        assert says in capsys.readouterr().err


def test_a_newcomer_promotes_what_a_run_registered(trained: Trained) -> None:
    def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", f"training.{module}", *arguments],
            cwd=ROOT,
            env=dict(trained.environment),
            capture_output=True,
            text=True,
        )

    done = run("promote", "stancewire-topics")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "promoted: stancewire-topics version 1 is the champion" in done.stdout
    client = MlflowClient(trained.environment["MLFLOW_TRACKING_URI"])
    assert client.get_model_version_by_alias("stancewire-topics", "champion").aliases == [
        "challenger",
        "champion",
    ]
    done = run("compare", "models:/stancewire-topics@champion", str(trained.topics))
    assert (done.returncode, done.stderr) == (0, "")
    assert "A and B decide all 99 rows in 66 events alike." in done.stdout
