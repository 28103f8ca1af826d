"""Where an artefact is: a folder, an MLflow model around it, or an MLflow URI."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from stancewire.errors import ArtefactError, MissingExtraError
from stancewire.location import is_uri, located, without_password
from stancewire.predictor import load

MLMODEL = """flavors:
  python_function:
    data: {data}
    loader_module: {loader}
"""


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("models:/name@alias", True),
        ("models:/name/3", True),
        ("models:///name/3", True),
        ("runs:/0123/model", True),
        ("models:", False),
        ("models:/", False),
        ("models/name", False),
        ("./runs:/x", False),
        ("C:\\models", False),
        ("", False),
    ],
)
def test_is_uri(text: str, uri: bool) -> None:
    assert is_uri(text) == uri
    assert not is_uri(Path(text))


@pytest.mark.parametrize("folder", ["a", Path("a"), "a/", "models:x"])
def test_a_path_is_itself(folder: str | Path) -> None:
    with located(folder) as found:
        assert found == Path(folder)


@pytest.mark.parametrize("data", ["data/model", "'data/model'", '"data/model"', "data/model   "])
def test_an_mlflow_folder_holds_the_artefact(tmp_path: Path, data: str) -> None:
    (tmp_path / "MLmodel").write_text(MLMODEL.format(data=data, loader="stancewire.serving"))
    for named in (tmp_path, str(tmp_path)):
        with located(named) as found:
            assert found == tmp_path / "data" / "model"


def test_the_empty_text_is_no_path() -> None:
    with pytest.raises(ArtefactError, match="an MLflow URI, found an empty text"), located(""):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "flavors: !!python/object/apply:os.system ['touch pwned']\n",
        "flavors:\n  python_function:\n    loader_module: !!python/name:os.system\n",
        "flavors:\n  python_function:\n    loader_module: os\n    data: data\n",
        "flavors:\n  python_function:\n    loader_module: stancewire.serving.evil\n    data: data\n",
        "  python_function:\n    loader_module: stancewire.serving\n",
        "a: &a [*a]\n" * 1_000,
        "\x00\xff",
        "",
    ],
)
def test_an_mlmodel_file_names_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(ArtefactError, match=r"expected a model whose loader is stancewire\.serving"):
        load(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["MLmodel"]


class Store:
    """Stands for MLflow: one model folder, and a note of what was asked."""

    def __init__(self, model: Path, uri: str = "http://server:5000", registry: str = "") -> None:
        self.model = model
        self.asked: list[str] = []
        self.folders: list[Path] = []
        self.artifacts = SimpleNamespace(download_artifacts=self.download_artifacts)
        self.uri, self.registry = uri, registry or uri

    def get_tracking_uri(self) -> str:
        return self.uri

    def get_registry_uri(self) -> str:
        return self.registry

    def download_artifacts(self, *, artifact_uri: str, dst_path: str) -> str:
        self.asked.append(artifact_uri)
        self.folders.append(Path(dst_path))
        if "missing" in artifact_uri:
            raise RuntimeError("no such model\nand a long story")
        return str(shutil.copytree(self.model, Path(dst_path) / "model"))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    model = tmp_path / "logged"
    (model / "data").mkdir(parents=True)
    (model / "MLmodel").write_text(MLMODEL.format(data="data", loader="stancewire.serving"))
    (model / "data" / "file").write_text("found")
    store = Store(model)
    monkeypatch.setitem(sys.modules, "mlflow", store)
    return store


@pytest.mark.parametrize("uri", ["models:/name@alias", "runs:/1/model"])
def test_a_uri_is_fetched_and_cleaned_up(store: Store, uri: str) -> None:
    with located(uri) as found:
        assert (found / "file").read_text() == "found"
        assert found.name == "data"
    assert store.asked == [uri]
    assert not store.folders[0].exists()


def test_a_model_that_is_not_there(store: Store) -> None:
    with pytest.raises(ArtefactError) as raised, located("models:/missing@alias"):
        pass
    assert str(raised.value) == (
        "models:/missing@alias: cannot be fetched from MLflow at http://server:5000: no such model; "
        "check the name, or set MLFLOW_TRACKING_URI"
    )
    assert not store.folders[0].exists()


@pytest.mark.parametrize("signed_in", ["user:secret", "secret", "user:sec@ret", "user:secret%2F"])
def test_no_password_is_told(store: Store, signed_in: str) -> None:
    store.uri = f"https://{signed_in}@tracking.example:5000"
    with pytest.raises(ArtefactError) as raised, located("models:/missing@alias"):
        pass
    assert "from MLflow at https://***@tracking.example:5000: no such model" in str(raised.value)
    assert "sec" not in str(raised.value)


@pytest.mark.parametrize("text", ["models:/name@alias", "sqlite:////a/b@c.db", "http://host/a@b"])
def test_what_holds_no_password_is_told_as_it_is(text: str) -> None:
    assert without_password(text) == text


@pytest.mark.parametrize("uri", ["models:/name@alias", "runs:/1/model"])
def test_no_database_is_created(store: Store, tmp_path: Path, uri: str) -> None:
    """Only the store that the URI is about counts: the registry, or the tracking store."""
    missing = f"sqlite:///{tmp_path / 'mlflow.db'}"
    store.uri, store.registry = ("http://server", missing) if uri[0] == "m" else (missing, "http://server")
    with pytest.raises(ArtefactError, match=r"there is no MLflow database at .*mlflow\.db; set MLFLOW_"):
        load(uri)
    assert store.asked == []
    (tmp_path / "mlflow.db").touch()
    with located(uri):
        assert store.asked == [uri]


def test_a_uri_without_mlflow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stancewire\[serve\]'"), located("runs:/1/m"):
        pass


def test_fetching_a_model_tells_nobody(tmp_path: Path) -> None:
    """MLflow's telemetry is off where we are what imports it."""
    code = (
        "import stancewire\n"
        "try:\n    stancewire.load('models:/none@challenger')\n"
        "except stancewire.StancewireError:\n    pass\n"
        "from mlflow.telemetry import client\n"
        "assert client.get_telemetry_client() is None"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
