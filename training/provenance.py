"""Where a model comes from: commit, package versions and data digests, equal for equal runs."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "safetensors", "scikit-learn", "stancewire")


def git_commit(folder: Path) -> tuple[str | None, bool]:
    """Return the commit of the checkout and whether it has uncommitted changes; (None, False) outside git."""
    commit = _git(folder, "rev-parse", "HEAD")
    return commit, bool(commit and _git(folder, "status", "--porcelain", "--untracked-files=no"))


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions that a re-run needs, Python's own included."""
    versions = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def digest_of(parts: Iterable[str]) -> str:
    """Return a sha256 over texts in order, unambiguous about where one ends."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed program and arguments
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is found on PATH on purpose
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
