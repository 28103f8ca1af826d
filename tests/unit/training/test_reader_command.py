"""`python -m training.reader`: two artefacts become one registered model, or one line tells why not."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from stancewire.artefact import Artefact
from tests.small_models import small_artefact
from training.reader_command import main


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artefact, Artefact]:
    folder = tmp_path_factory.mktemp("pair")
    return small_artefact(folder, "topics"), small_artefact(folder, "stance")


def test_a_reader_is_logged_in_one_run_and_registered(
    pair: tuple[Artefact, Artefact],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    topics, stance = pair
    assert main([str(topics.path), str(stance.path), "--name", "news.reader", "--experiment", "e"]) == 0
    assert "models:/news.reader@challenger is version 1" in capsys.readouterr().out
    client = MlflowClient()
    version = client.get_model_version_by_alias("news.reader", "challenger")
    assert version.tags == {
        "stancewire.topics_artefact": topics.digest,
        "stancewire.stance_artefact": stance.digest,
    }
    (experiment,) = [one for one in client.search_experiments() if one.name == "e"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == version.run_id
    assert run.info.status == "FINISHED"
    assert run.data.params == {"topics_model": "small-topics", "stance_model": "small-stance"}
    model = mlflow.pyfunc.load_model("models:/news.reader@challenger")
    assert model.metadata.metadata == {
        "topics_artefact_digest": topics.digest,
        "stance_artefact_digest": stance.digest,
    }
    answer = model.predict(pd.DataFrame({"text": ["The envoys met for talks."]}), params={"evidence": False})
    assert set(answer["kind"]) >= {"topic"}


@pytest.mark.parametrize(
    ("order", "says"),
    [((1, 0), "expected the topics model"), ((0, 0), "expected the stance model")],
)
def test_models_that_make_no_reader_are_refused_before_mlflow_is_opened(
    pair: tuple[Artefact, Artefact],
    order: tuple[int, int],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert main([str(pair[number].path) for number in order]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "mlflow.db").exists()


def test_a_model_that_is_not_there_is_refused(
    pair: tuple[Artefact, Artefact], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nowhere", str(pair[1].path)]) == 2
    assert "nowhere: expected a stancewire artefact" in capsys.readouterr().err
