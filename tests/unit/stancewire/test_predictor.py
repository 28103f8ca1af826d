"""Predictors: calibrated, decided, in order, and an error in the place of a wrong answer."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import stancewire
from stancewire.calibration import Calibration
from stancewire.doubt import Abstention
from stancewire.errors import ArtefactError, InputError, MissingExtraError
from stancewire.examples import Article, StanceExample
from stancewire.location import located
from stancewire.predictor import BATCH_ROWS
from tests.fake_models import FakeRuntime, by_words, fake_stance, fake_topics
from tests.tiny import write_tiny

MLMODEL = """artifact_path: model
flavors:
  other:
    data: elsewhere
  python_function:
    data: {data}
    env:
      data: wrong
      conda: conda.yaml
    loader_module: {loader}
    python_version: 3.11.2
mlflow_version: 3.1.0
"""


def test_topics_are_decided_by_thresholds_in_order(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda a: (len(a.text) / 10, 0.5, 0.49))
    first, second = topics.predict([Article(text="two"), "ninechars"])
    assert [score.label for score in first.scores] == ["arms_trade", "diplomacy", "sanctions"]
    assert first.labels == ("diplomacy",)
    assert second.labels == ("arms_trade", "diplomacy")
    assert second.scores[0].probability == pytest.approx(0.9)
    assert second.scores[0].threshold == 0.5
    assert first.provenance.model == "tiny-topics"
    assert first.provenance.digest == topics.artefact.digest
    assert (first.provenance.codebook_id, first.provenance.codebook_version) == ("stancewire", "1.0")


def test_the_empty_set_is_an_answer(tmp_path: Path) -> None:
    assert fake_topics(tmp_path, lambda _: (0.1, 0.1, 0.1)).predict(["x"])[0].labels == ()


def test_calibration_comes_before_the_decision(tmp_path: Path) -> None:
    calibration = Calibration("platt", (1.0, 1.0, 1.0), (5.0, 0.0, -5.0))
    topics = fake_topics(tmp_path, lambda _: (0.4, 0.4, 0.9), calibration=calibration)
    assert topics.predict(["x"])[0].labels == ("arms_trade",)


def test_stance_is_one_label(tmp_path: Path) -> None:
    stance = fake_stance(tmp_path, by_words)
    answer = stance.predict([StanceExample(sentence="Kyiv welcomed the talks.", target="talks")])[0]
    assert (answer.label, round(answer.probability, 3)) == ("favor", 0.8)
    assert sum(score.decision for score in answer.scores) == 1


def test_the_decided_stance_alone_is_that_of_the_prediction(tmp_path: Path) -> None:
    doubt = Abstention(0.9, (0.95, 0.5, 0.5, 0.5), None)
    stance = fake_stance(tmp_path, by_words, abstention=doubt)
    sentences = ("Rome condemned the embargo.", "Rome welcomed the embargo.", "It snows.") * BATCH_ROWS
    asked = [StanceExample(sentence=sentence, target="the embargo") for sentence in sentences]
    predicted = [(one.label, one.probability, one.review) for one in stance.predict(asked)]
    assert stance.decide(asked) == predicted
    assert {review for _, _, review in predicted} == {True, False}
    with pytest.raises(InputError, match="row 1: expected a non-empty 'sentence'"):
        stance.decide([asked[0], StanceExample(sentence=" ", target="sanctions")])


def test_batches_are_bounded_and_keep_their_order(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda a: (int(a.text) / 10_000, 0, 0))
    numbers = range(2 * BATCH_ROWS + 3)
    answers = topics.predict([str(n) for n in numbers])
    assert [round(a.scores[0].probability * 10_000) for a in answers] == list(numbers)
    runtime = topics._runtime
    assert isinstance(runtime, FakeRuntime)
    assert [len(call) for call in runtime.calls] == [BATCH_ROWS, BATCH_ROWS, 3]


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    assert fake_topics(tmp_path, lambda _: (0, 0, 0)).predict([]) == []
    assert fake_stance(tmp_path, by_words).predict([]) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.5, 1.5])
def test_what_is_no_probability_is_never_decided(tmp_path: Path, bad: float) -> None:
    stance = fake_stance(tmp_path, lambda e: (bad,) * 4 if e.sentence == "bad" else (1, 0, 0, 0))
    rows = [StanceExample(sentence=text, target="t") for text in ("good", "bad")]
    with pytest.raises(InputError, match="row 1: tiny-stance answered"):
        stance.predict(rows)
    assert stance.predict(rows[:1])[0].label == "against"


def test_the_row_of_a_later_batch_is_named(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda a: (float("nan") if a.text == "bad" else 0, 0, 0))
    with pytest.raises(InputError, match=f"row {BATCH_ROWS + 1}: "):
        topics.predict(["good"] * (BATCH_ROWS + 1) + ["bad"])


def test_a_runtime_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"expected 1 rows of 3 probabilities, the runtime answered \(1, 2\)"
    ):
        fake_topics(tmp_path, lambda _: (0.1, 0.2)).predict(["x"])


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200b", "\ufeff \u2060", None, 7, b"bytes"])
def test_without_text_there_is_no_prediction(tmp_path: Path, text: str) -> None:
    topics = fake_topics(tmp_path, lambda _: (0, 0, 0))
    with pytest.raises(InputError, match=r"row 1: expected .*'text'"):
        topics.predict([Article(text="fine"), Article(text=text)])


@pytest.mark.parametrize("field", ["sentence", "target"])
def test_a_question_needs_sentence_and_target(tmp_path: Path, field: str) -> None:
    fields = {"sentence": "s", "target": "t"} | {field: " "}
    with pytest.raises(InputError, match=f"row 0: expected a non-empty '{field}'"):
        fake_stance(tmp_path, by_words).predict([StanceExample(**fields)])


def test_warnings(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda _: (0, 0, 0), blank=True, max_chars=10)
    plain, long = topics.predict(["short", "x" * 11])
    assert plain.warnings == ("no_known_features",)
    assert long.warnings == ("no_known_features", "text_cut")


def test_mixed_script_is_flagged(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda _: (0, 0, 0))
    found = topics.predict(["s\u0430nctions", "санкции", "sanctions"])  # a Cyrillic "а" in the first
    assert [answer.warnings for answer in found] == [("mixed_script",), (), ()]


def test_threads_do_not_mix_answers(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda a: (float(a.text), 0, 0))
    wrong: list[float] = []

    def work(value: float) -> None:
        for _ in range(20):
            answers = topics.predict([str(value)] * 5)
            wrong.extend(
                s.scores[0].probability for s in answers if abs(s.scores[0].probability - value) > 1e-6
            )

    threads = [threading.Thread(target=work, args=(n / 10,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_path_is_located_as_it_is(tmp_path: Path) -> None:
    with located(tmp_path / "missing") as folder:
        assert folder == tmp_path / "missing"
    with pytest.raises(ArtefactError, match="found none"):
        stancewire.load(tmp_path / "missing")


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_an_mlflow_folder_leads_to_its_artefact(tmp_path: Path, quote: str) -> None:
    write_tiny(tmp_path / "data" / "stancewire-topics")
    data = f"{quote}data/stancewire-topics{quote}"
    (tmp_path / "MLmodel").write_text(MLMODEL.format(data=data, loader="stancewire.serving"))
    with located(str(tmp_path)) as folder:
        assert folder == tmp_path / "data" / "stancewire-topics"


@pytest.mark.parametrize("data", ["../elsewhere", "/etc", "a/../../b", ""])
def test_an_mlflow_folder_leads_nowhere_else(tmp_path: Path, data: str) -> None:
    (tmp_path / "MLmodel").write_text(MLMODEL.format(data=data, loader="stancewire.serving"))
    with pytest.raises(ArtefactError, match="expected data inside its folder"), located(tmp_path):
        pass


@pytest.mark.parametrize("content", [MLMODEL.format(data="d", loader="mlflow.sklearn"), "", "\0\xff", "a: b"])
def test_another_projects_mlflow_model_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(ArtefactError, match=r"expected a model whose loader is stancewire\.serving"):
        stancewire.load(tmp_path)


def test_a_uri_without_mlflow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stancewire\[serve\]'"):
        stancewire.load("models:/stancewire-topics@challenger")


def test_import_loads_nothing() -> None:
    """Numbers of modules are steadier than milliseconds."""
    code = (
        "import sys; before = set(sys.modules); import stancewire; new = set(sys.modules) - before;"
        "print(sorted(m for m in new if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['stancewire']"


def test_public_names_are_all_there() -> None:
    assert all(hasattr(stancewire, name) for name in stancewire.__all__)
    assert set(stancewire.__all__) <= set(dir(stancewire))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        stancewire.nothing  # noqa: B018  # the access is what is tested
