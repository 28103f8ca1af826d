"""Find the folder of an artefact: a path, an MLflow model folder around it, or an MLflow URI."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from stancewire.errors import ArtefactError, MissingExtraError, StancewireError
from stancewire.section import shown

MLMODEL = "MLmodel"
LOADER = "stancewire.serving"
MODELS_VARIABLE = "STANCEWIRE_MODELS"
DEFAULT_MODELS = "artefacts"
"""Where training leaves models, under the working directory."""

_NAMES = {"topics": "stancewire-topics", "stance": "stancewire-stance"}

_URI = re.compile(r"(models|runs):/+[^/]")
_SIGNED_IN = re.compile(r"//[^/\s]*@")
_SQLITE = "sqlite:///"
_MAX_MLMODEL_BYTES = 1_000_000
_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_]+):[ \t]*(?P<value>.*)")


@contextmanager
def located(path_or_uri: str | Path) -> Iterator[Path]:
    """Yield the artefact's folder; what was downloaded for it is gone afterwards.

    Args:
        path_or_uri: an artefact's folder, an MLflow model's folder (the artefact is its data), or an MLflow
            URI, `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/RUN/PATH`.

    Raises:
        ArtefactError: if an MLflow model is not stancewire's, or cannot be fetched.
        MissingExtraError: for a URI, when mlflow is not installed.
    """
    with fetched(path_or_uri) as folder:
        yield inside(folder)


@contextmanager
def fetched(path_or_uri: str | Path) -> Iterator[Path]:
    """Yield the named folder itself, which may be an MLflow model's; arguments and errors as in `located`."""
    if not str(path_or_uri):
        raise ArtefactError("expected an artefact's folder or an MLflow URI, found an empty text")
    if not is_uri(path_or_uri):
        yield Path(path_or_uri)
        return
    with TemporaryDirectory(prefix="stancewire-") as folder:
        yield _download(str(path_or_uri), folder)


def default_model(task: str, advice: str) -> Path:
    """Return the folder of the model that training leaves for a task.

    Raises:
        StancewireError: if there is none; the advice tells how else to name one.
    """
    folder = Path(os.environ.get(MODELS_VARIABLE) or DEFAULT_MODELS) / _NAMES[task]
    if not folder.exists():
        raise StancewireError(
            f"no {task} model at {folder}: train one (python -m training.run configs/{task}-linear.yaml), "
            f"{advice}, or set {MODELS_VARIABLE} to the folder that holds {_NAMES[task]}"
        )
    return folder


def is_uri(path_or_uri: str | Path) -> bool:
    """Tell whether this is an MLflow URI."""
    return isinstance(path_or_uri, str) and _URI.match(path_or_uri) is not None


def without_password(text: str) -> str:
    """Return a message that may name a server, without the user and password or token before its host."""
    return _SIGNED_IN.sub("//***@", text)


def inside(folder: Path) -> Path:
    """Step from an MLflow model's folder to the artefact in it; other folders are returned as they are.

    Raises:
        ArtefactError: if it is an MLflow model, and not stancewire's.
    """
    file = folder / MLMODEL
    try:
        if not file.is_file():
            return folder
        with file.open("rb") as opened:
            content = opened.read(_MAX_MLMODEL_BYTES)
    except (OSError, ValueError):  # the reader of artefacts says what is wrong with the path
        return folder
    return folder / _data_path(file, content.decode("utf-8", "replace"))


def _data_path(file: Path, text: str) -> PurePosixPath:
    """Return where an MLmodel file says that stancewire's data lie, relative to it.

    Only the few lines that MLflow writes for a pyfunc are understood; this is no YAML reader.
    """
    values = _python_function(text)
    if (loader := values.get("loader_module")) != LOADER:
        raise ArtefactError(
            f"{file}: expected a model whose loader is {LOADER}, found {shown(loader or 'none')}; "
            "name a model that stancewire logged"
        )
    path = PurePosixPath(values.get("data") or "..")
    if path.is_absolute() or ".." in path.parts:
        raise ArtefactError(
            f"{file}: expected data inside its folder, found {shown(values.get('data') or 'none')}; "
            "get an intact copy of the model"
        )
    return path


def _python_function(text: str) -> dict[str, str]:
    """Return the plain keys under `flavors: python_function:`."""
    values: dict[str, str] = {}
    above: list[str] = []
    for line in text.splitlines():
        if not (match := _KEY.fullmatch(line)):
            continue
        above = [*above[: len(match["indent"]) // 2], match["key"]]
        if above[:2] == ["flavors", "python_function"] and len(above) == 3:
            values[match["key"]] = match["value"].strip().strip("'\"")
    return values


def _check_store(uri: str, store: str) -> None:
    """Refuse a local store that is not there: MLflow would create an empty one."""
    local, path = store.startswith(_SQLITE), Path(store.removeprefix(_SQLITE))
    if local and not path.is_file():
        raise ArtefactError(f"{uri}: there is no MLflow database at {path}; set MLFLOW_TRACKING_URI")


def _download(uri: str, folder: str) -> Path:
    """Fetch a model's folder from MLflow."""
    # MLflow reports its use unless told not to, and looks once, when it is first imported.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
    except ImportError:
        raise MissingExtraError.of(f"loading {uri}", "serve") from None
    _check_store(uri, mlflow.get_registry_uri() if uri.startswith("models:") else mlflow.get_tracking_uri())
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
    except Exception as error:  # mlflow lets its stores' own exceptions through, whatever they are
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        told = f"cannot be fetched from MLflow at {mlflow.get_tracking_uri()}: {reason}"
        raise ArtefactError(
            f"{uri}: {without_password(told)}; check the name, or set MLFLOW_TRACKING_URI"
        ) from error
