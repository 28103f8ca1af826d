"""Judging an artefact on a corpus: which rows, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancewire.artefact import Artefact
from stancewire.errors import CodebookError, InputError
from stancewire.predictor import load
from tests.corpora import corpus_of, row_of, rows_of
from tests.small_models import CODEBOOK, small_artefact
from training.data.load import Corpus
from training.data.tables import labelled_set
from training.evaluate.metrics import EvaluationError
from training.report import seen as seen_module
from training.report.answers import ask
from training.report.of_data import SeenRowsError, check_codebook, data_report
from training.report.seen import SECTION, seen_section

TASKS = ("topics", "stance")


@pytest.fixture(scope="module", params=TASKS)
def artefact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("artefact"), request.param)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return corpus_of(tmp_path, rows_of(40))


def knowing(artefact: Artefact, corpus: Corpus, train: list[int], dev: list[int]) -> Artefact:
    """Return the artefact as if these rows had taught and tuned it."""
    task = artefact.manifest.task
    section = seen_section(labelled_set(corpus, task, train), labelled_set(corpus, task, dev))
    return replace(artefact, manifest=replace(artefact.manifest, provenance={SECTION: section}))


def test_all_rows_are_judged_as_the_predictor_answers(artefact: Artefact, corpus: Corpus) -> None:
    steps: list[Any] = []
    fresh = knowing(artefact, corpus_of(Path(artefact.path).parent, [row_of(99)]), [0], [0])
    report = data_report(fresh, corpus, progress=lambda done, of: steps.append((done, of)), step=steps.append)
    rows = labelled_set(corpus, artefact.manifest.task)
    assert report["judged_on"]["rows"] == len(rows)
    assert report["judged_on"]["sha256"] == corpus.digest
    assert report["judged_on"]["notes"] == []
    assert (len(rows), len(rows)) in steps
    predictor: Any = load(artefact.path)
    answers = predictor.predict(rows.examples)
    decided = np.array([[score.decision for score in one.scores] for one in answers])
    right = ((rows.truth == 1) == decided).all(axis=1).mean()
    assert report["evaluation"]["exact_match"]["value"] == pytest.approx(right, abs=1e-6)
    assert set(report["baselines"]) == {"majority"}


def test_raw_probabilities_are_those_before_calibration(artefact: Artefact, corpus: Corpus) -> None:
    answers = ask(artefact, corpus, [3, 1, 2])
    calibrated = artefact.manifest.calibration.apply(answers.raw, artefact.manifest.task)
    assert np.allclose(calibrated, answers.probabilities, atol=1e-6)
    assert not np.allclose(answers.raw, answers.probabilities, atol=1e-3)
    of = [3, 1, 2] if artefact.manifest.task == "topics" else corpus.article_of[[3, 1, 2]].tolist()
    assert [one.id for one in answers.articles] == [corpus.articles[row].id for row in of]


def test_rows_of_several_batches_keep_their_raw_probabilities(tmp_path: Path) -> None:
    told = ("Shells and missiles", "Talks at the summit", "The embargo")
    corpus = corpus_of(tmp_path, [row_of(i, title=told[i % 3]) for i in range(300)])
    artefact = small_artefact(tmp_path, "topics")
    answers = ask(artefact, corpus, range(300))
    assert len(np.unique(answers.raw[:, 0].round(4))) > 1
    assert np.allclose(artefact.manifest.calibration.apply(answers.raw, "topics"), answers.probabilities)


def test_many_rows_come_back_in_their_order(artefact: Artefact, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, rows_of(300))
    order = list(range(299, -1, -1))
    backward, forward = ask(artefact, corpus, order), ask(artefact, corpus, order[::-1])
    assert np.array_equal(backward.probabilities, forward.probabilities[::-1])
    assert np.array_equal(backward.raw, forward.raw[::-1])


def test_rows_that_taught_or_tuned_are_refused_or_left_out(artefact: Artefact, corpus: Corpus) -> None:
    known = knowing(artefact, corpus, [0, 1, 2], [5])
    n_rows = len(labelled_set(corpus, artefact.manifest.task))
    wanted = f"of {n_rows}, it learned from 3 and was tuned on 1, such as those of"
    with pytest.raises(SeenRowsError, match=wanted):
        data_report(known, corpus)
    report = data_report(known, corpus, leave_out_seen=True)
    assert report["judged_on"]["rows"] == n_rows - 4
    assert report["judged_on"]["notes"] == [
        f"Left out, as {known.manifest.name} has seen them: 4 of {n_rows} rows."
    ]


def test_a_model_that_has_seen_everything_is_judged_on_nothing(artefact: Artefact, corpus: Corpus) -> None:
    every = list(range(len(labelled_set(corpus, artefact.manifest.task))))
    with pytest.raises(InputError, match=rf"has seen all {len(every)} rows"):
        data_report(knowing(artefact, corpus, every, [0]), corpus, leave_out_seen=True)


def test_a_sample_finds_but_cannot_leave_out(
    artefact: Artefact, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_module, "MAX_KEPT", 3)
    known = knowing(artefact, corpus, list(range(10)), [11])
    with pytest.raises(SeenRowsError, match="it learned from 3"):
        data_report(known, corpus)
    with pytest.raises(InputError, match="keeps a sample"):
        data_report(known, corpus, leave_out_seen=True)


def test_a_manifest_that_says_nothing_is_told(artefact: Artefact, corpus: Corpus) -> None:
    report = data_report(artefact, corpus)
    (note,) = report["judged_on"]["notes"]
    assert "does not say which texts it has seen" in note
    assert note in [one["text"] for one in report["findings"]]
    with pytest.raises(InputError, match="train again"):
        data_report(artefact, corpus, leave_out_seen=True)


def test_one_part_is_judged_alone(artefact: Artefact, tmp_path: Path) -> None:
    rows = [row_of(i, split=("train", "test")[i % 2]) for i in range(20)]
    corpus = corpus_of(tmp_path, rows)
    report = data_report(artefact, corpus, split="test")
    per_article = 1 if artefact.manifest.task == "topics" else 2
    assert report["judged_on"]["rows"] == 10 * per_article
    assert report["judged_on"]["part"] == "the test part"
    with pytest.raises(InputError, match=r"rows of the part 'dev'; its rows are of: test \(\d+\), train"):
        data_report(artefact, corpus, split="dev")
    with pytest.raises(InputError, match=r"its rows are of: none \(\d+\)"):
        data_report(artefact, corpus_of(tmp_path, rows_of(4)), split="test")


def test_a_corpus_without_labels_is_refused(artefact: Artefact, tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(i, topics=None, stances=[]) for i in range(5)])
    with pytest.raises(InputError, match=f"wanted rows with {artefact.manifest.task} labels"):
        data_report(artefact, corpus)


def test_a_corpus_where_nothing_holds_is_refused(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(i, topics=[]) for i in range(12)])
    with pytest.raises(EvaluationError, match="12 rows without"):
        data_report(small_artefact(tmp_path, "topics"), corpus)


def test_unlabelled_articles_are_not_judged(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(i, topics=None if i < 3 else ["sanctions"]) for i in range(12)])
    report = data_report(small_artefact(tmp_path, "topics"), corpus)
    assert report["judged_on"]["rows"] == 9
    warned = [one["text"] for one in report["findings"] if one["about"] == "warning"]
    assert sum("no positives" in text for text in warned) == 2


def test_another_codebook_is_refused(artefact: Artefact) -> None:
    check_codebook(artefact, CODEBOOK)
    with pytest.raises(CodebookError, match="name it by --codebook"):
        check_codebook(artefact, replace(CODEBOOK, digest="1" * 64, version="2.0"))
    other = replace(CODEBOOK, topics=CODEBOOK.topics[1:], stance=CODEBOOK.stance[1:])
    with pytest.raises(CodebookError, match="wanted a codebook with its labels"):
        check_codebook(artefact, other)
