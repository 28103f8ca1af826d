"""A Spark session for one job: that of the notebook or of spark-submit, or one that is opened and closed."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stancewire.errors import MissingExtraError, StancewireError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17
# Set by spark-submit for the Python that it starts.
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
_DEFAULTS = {
    "spark.app.name": "stancewire",
    # A page that would show the job to everyone on the network.
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}
# Said by pyspark of pandas 3, which the job does not use.
_PANDAS = "PySpark does not yet fully support pandas"


@contextmanager
def spark_session(master: str | None, workers: int) -> Iterator[SparkSession]:
    """Yield a session; one that was opened here is stopped at the end, and its Java process with it.

    Args:
        master: a Spark master; None: the one that spark-submit was told, else this machine alone.
        workers: threads of this machine, where there is no other master.

    Raises:
        MissingExtraError: without pyspark.
        StancewireError: without a Java that Spark can start, or if Spark does not start.
    """
    try:
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError.of("--engine spark", "spark") from None

    warnings.filterwarnings("ignore", _PANDAS)
    if SparkContext._active_spark_context is not None:  # started by any thread of this process
        active = SparkSession.builder.getOrCreate()
        _check_master(active, master)
        yield active.newSession()
        return
    session = _started(master, workers)
    try:
        yield session
    finally:
        session.stop()


def _check_master(active: SparkSession, master: str | None) -> None:
    found = active.sparkContext.master
    if master not in (None, found):
        raise StancewireError(
            f"expected to use Spark's master {master}, but a session on {found} is open in this process; "
            "stop it, or leave the master out"
        )


def _started(master: str | None, workers: int) -> SparkSession:
    _check_java()
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Spark starts its Python workers by this name, and would take the first python3 of the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master is None and _SUBMITTED not in os.environ:
        master = f"local[{workers}]"
    if master is not None and master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        SparkContext._ensure_initialized()  # from here on SparkConf knows what spark-submit was told
        conf = SparkConf()
        if master is not None:
            conf.setMaster(master)
        for name, value in _DEFAULTS.items():
            conf.setIfMissing(name, value)
        conf.set("spark.ui.showConsoleProgress", "false")  # the job has its own
        return SparkSession.builder.config(conf=conf).getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise StancewireError(f"Spark does not start: {said(error)}; {_JAVA_HINT}") from None


_JAVA_HINT = f"it needs Java {OLDEST_JAVA} or newer: install one, or set JAVA_HOME to it"


def _check_java() -> None:
    """Refuse early, where Spark would only say that a process ended."""
    home = os.environ.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").is_file():
        raise StancewireError(f"Spark does not start: there is no bin/java in JAVA_HOME; {_JAVA_HINT}")
    if not home and shutil.which("java") is None:
        raise StancewireError(f"Spark does not start: there is no java on the PATH; {_JAVA_HINT}")


def said(error: Exception) -> str:
    """Return what an error of Spark says in one line: of Java's, the line that names its exception."""
    lines = [line.removeprefix(": ") for line in str(error).splitlines() if line.strip()]
    java = [line for line in lines if "Exception: " in line]
    return (java or lines or [type(error).__name__])[0]
