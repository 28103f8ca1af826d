"""Writing and reading artefacts where nobody means harm; tests/attacks holds the rest."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load, save

from stancewire.artefact import read_artefact, write_artefact
from stancewire.calibration import Calibration
from stancewire.errors import ArtefactError
from stancewire.tensors import parse_tensors
from tests.tiny import MANIFEST, WEIGHTS, staged, tiny_manifest, tiny_weights, write_tiny


def refused(path: Path | str) -> str:
    with pytest.raises(ArtefactError) as caught:
        read_artefact(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_round_trip(tmp_path: Path) -> None:
    written = write_tiny(tmp_path / "a", 2.5)
    read = read_artefact(str(tmp_path / "a"))
    assert read.path == written.path == tmp_path / "a"
    assert read.manifest == written.manifest
    assert read.manifest.thresholds == tiny_manifest().thresholds
    assert (
        read.digest == written.digest == hashlib.sha256((tmp_path / "a" / MANIFEST).read_bytes()).hexdigest()
    )
    assert read.read_bytes(WEIGHTS) == tiny_weights(2.5)
    tensors = read.tensors(WEIGHTS)
    assert list(tensors) == ["coef", "intercept"]
    np.testing.assert_array_equal(tensors["coef"], np.full((3, 4), 2.5, np.float32))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [MANIFEST, WEIGHTS]


def test_equal_inputs_give_equal_bytes_elsewhere_and_over_itself(tmp_path: Path) -> None:
    first, second = write_tiny(tmp_path / "a"), write_tiny(tmp_path / "deep" / "b")
    again = write_tiny(tmp_path / "a")
    assert first.digest == second.digest == again.digest
    assert write_tiny(tmp_path / "a", 2.0).digest != first.digest
    assert write_tiny(tmp_path / "a", max_chars=999).digest != first.digest


def test_tensors_are_read_only(tmp_path: Path) -> None:
    tensor = write_tiny(tmp_path / "a").tensors(WEIGHTS)["coef"]
    with pytest.raises(ValueError, match="read-only"):
        tensor[0, 0] = 7


def test_other_files_travel_as_bytes(tmp_path: Path) -> None:
    staging = staged(tmp_path / "staging")
    (staging / "tokenizer.json").write_bytes(b"{}")
    artefact = write_artefact(tmp_path / "a", tiny_manifest(), staging)
    assert artefact.read_bytes("tokenizer.json") == b"{}"
    with pytest.raises(ArtefactError, match="safetensors"):
        artefact.tensors("tokenizer.json")
    with pytest.raises(ArtefactError, match=r"'model\.onnx'"):
        artefact.read_bytes("model.onnx")
    with pytest.raises(ArtefactError, match=r"'model\.onnx'"):
        artefact.tensors("model.onnx")


def test_a_copied_or_moved_folder_is_the_same_artefact(tmp_path: Path) -> None:
    written = write_tiny(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "link").symlink_to("c")
    assert {read_artefact(tmp_path / name).digest for name in ("b", "c", "link")} == {written.digest}


def test_writing_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a")
    (tmp_path / "latest").symlink_to("a")
    new = write_artefact(tmp_path / "latest", tiny_manifest(max_chars=5), staged(tmp_path / "staging"))
    assert (tmp_path / "latest").is_symlink()
    assert read_artefact(tmp_path / "a").digest == new.digest


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ((), "an empty folder"),
        (("notes.txt",), "'notes.txt'"),
        (("MLmodel", "data"), "MLflow"),
        (("config.json", "model.safetensors"), "transformers"),
        (("model.pkl",), "pickle"),
        (("classifier.joblib",), "never opened"),
        (tuple(f"file{n}" for n in range(1000)), "992 more"),
        (("\x1b[2J",), r"\x1b"),
    ],
)
def test_a_folder_of_something_else_says_what_it_is(
    tmp_path: Path, names: tuple[str, ...], hint: str
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"\x80\x04")
    message = refused(tmp_path)
    assert MANIFEST in message
    assert hint in message


def test_a_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(pickle.dumps(3))
    (tmp_path / "article.txt").write_text("text")
    (tmp_path / "loop").symlink_to("loop")
    assert "No such file" in refused(tmp_path / "missing")
    assert "never opened" in refused(tmp_path / "model.joblib")
    assert "found a file" in refused(tmp_path / "article.txt")
    assert refused(tmp_path / "loop")
    assert refused(tmp_path / ("x" * 5000))
    assert refused("nul\0inside")


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write_tiny(tmp_path / "a")
    (tmp_path / "a" / name).unlink()
    assert name in refused(tmp_path / "a")


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "weights.safetensors.bak", "__pycache__"])
def test_an_extra_file_is_named(tmp_path: Path, name: str) -> None:
    write_tiny(tmp_path / "a")
    (tmp_path / "a" / name).mkdir() if name.startswith("__") else (tmp_path / "a" / name).touch()
    assert f"'{name}'" in refused(tmp_path / "a")


def unwritable(destination: Path, staging: Path, **changes: object) -> str:
    with pytest.raises(ArtefactError) as caught:
        write_artefact(destination, tiny_manifest(**changes), staging)
    return str(caught.value)


@pytest.mark.parametrize("name", ["notes.txt", "Weights.safetensors", ".hidden"])
def test_a_folder_of_the_users_own_is_never_replaced(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / name).write_text("precious")
    assert "not a stancewire artefact" in unwritable(mine, staged(tmp_path / "staging"))
    (mine / MANIFEST).write_text('{"format": "other"}')
    assert "not a stancewire artefact" in unwritable(mine, staged(tmp_path / "staging"))
    assert (mine / name).read_text() == "precious"
    write_tiny(tmp_path / "a")
    (tmp_path / "a" / name).write_text("precious")
    assert name in unwritable(tmp_path / "a", staged(tmp_path / "staging"))
    assert (tmp_path / "a" / name).read_text() == "precious"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["nul\0inside", "/", "lone\ud800", "x" * 300])
def test_a_destination_that_no_folder_can_have(tmp_path: Path, name: str) -> None:
    assert unwritable(tmp_path / name, staged(tmp_path / "staging"))
    assert [path.name for path in tmp_path.iterdir()] == ["staging"]


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    assert "not a stancewire artefact" in unwritable(tmp_path / "file", staged(tmp_path / "staging"))
    assert str(tmp_path / "file" / "a") in unwritable(tmp_path / "file" / "a", staged(tmp_path / "staging"))
    assert (tmp_path / "file").read_text() == "precious"


def test_an_empty_folder_and_a_damaged_artefact_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    digest = write_tiny(tmp_path / "a").digest
    (tmp_path / "a" / WEIGHTS).write_bytes(b"damaged")
    assert write_tiny(tmp_path / "a").digest == digest == read_artefact(tmp_path / "a").digest


def test_bad_staging_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a"
    assert "missing" in unwritable(target, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "files" in unwritable(target, tmp_path / "empty")
    for n, name in enumerate([MANIFEST, "Weights.bin", "a b", "..."]):
        staging = staged(tmp_path / f"staging{n}")
        (staging / name).touch()
        assert f"'{name}'" in unwritable(target, staging)
    staging = staged(tmp_path / "linked")
    (staging / "x").symlink_to(WEIGHTS)
    assert "symbolic link" in unwritable(target, staging)
    (staging / "x").unlink()
    (staging / "x").mkdir()
    assert "a folder" in unwritable(target, staging)
    assert not target.exists()
    assert not list(tmp_path.glob(".*"))


def test_weights_that_could_not_be_read_are_not_written(tmp_path: Path) -> None:
    old = write_tiny(tmp_path / "a")
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / WEIGHTS).write_bytes(save({"coef": np.array([1, np.nan])}))
    assert "NaN" in unwritable(tmp_path / "a", tmp_path / "staging")
    assert "tiny thing" in unwritable(tmp_path / "a", staged(tmp_path / "good"), name="tiny thing")
    assert "2 slopes for 3" in unwritable(
        tmp_path / "a", tmp_path / "good", calibration=Calibration("none", (1.0, 1.0), (0.0, 0.0))
    )
    assert read_artefact(tmp_path / "a").digest == old.digest


NUMBERS = st.sampled_from(["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"])
ARRAYS = NUMBERS.flatmap(
    lambda dtype: hnp.arrays(
        np.dtype(dtype),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if dtype.startswith("f") else None,
    )
)


@given(st.dictionaries(st.text("abcXYZ._0", min_size=1, max_size=8), ARRAYS, max_size=5))
@settings(max_examples=150, deadline=None)
def test_tensors_equal_those_of_the_safetensors_library(arrays: dict[str, np.ndarray]) -> None:
    data = save(arrays, metadata={"from": "test"})
    ours, theirs = parse_tensors(data, "file"), load(data)
    assert list(ours) == sorted(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype
        np.testing.assert_array_equal(array, theirs[name], strict=True)
