"""Where a model comes from."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from training.provenance import digest_of, git_commit, package_versions


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(  # noqa: S603 - fixed program
        ["git", "-C", str(folder), *identity, *arguments],  # noqa: S607 - git is found on PATH
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_commit_and_whether_anything_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_commit(tmp_path) == (None, False)
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "a")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_commit(tmp_path) == (head, False)
    (tmp_path / "untracked").write_text("1")
    assert git_commit(tmp_path) == (head, False)
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == (head, True)


def test_outside_git_and_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_commit(tmp_path) == (None, False)
    assert git_commit(tmp_path / "missing") == (None, False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(Path(__file__).parent) == (None, False)


def test_a_git_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("git", 10)

    monkeypatch.setattr(subprocess, "run", hang)
    assert git_commit(tmp_path) == (None, False)


def test_versions() -> None:
    found = package_versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == version("numpy")
    assert set(package_versions(["numpy", "no-such-package"])) == {"python", "numpy"}


def test_a_digest_tells_where_one_text_ends() -> None:
    assert digest_of(["ab", "c"]) != digest_of(["a", "bc"]) != digest_of(["abc"])
    assert digest_of([]) == hashlib.sha256().hexdigest()
    assert digest_of(["é"]) == hashlib.sha256((2).to_bytes(8, "big") + "é".encode()).hexdigest()
    assert len(digest_of(["\ud800"])) == 64
