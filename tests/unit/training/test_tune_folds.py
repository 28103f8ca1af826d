"""What trials are judged on: stories whole, each judging once, nothing of test; scores over pooled rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.base import ALONE, LabelledSet
from stancewire.errors import InputError
from tests.corpora import rows_of, write_jsonl
from training.config_sections import ExtraConfig
from training.evaluate.metrics import counts_of, macro
from training.fit import fit
from training.prepare import Corpora, Prepared, prepare
from training.tuning.config import TuneConfig
from training.tuning.folds import Ground, make_ground, scores
from training.tuning.load import load_sweep

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", params=["topics", "stance"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("folds")
    data = write_jsonl(folder / "a.jsonl", rows_of(60))
    file = folder / "c.yaml"
    file.write_text("tune: {space: {model.min_documents: {int: [1, 2]}}}\nmodel: {regularisation: [3]}\n")
    settings = [
        f"task={request.param}",
        f"data.path={data}",
        f"data.codebook={ROOT / 'data/codebook.yaml'}",
    ]
    return prepare(load_sweep(file, settings).config, Corpora(), lambda step: None)


def tune(**changes: object) -> TuneConfig:
    return TuneConfig.model_validate({"space": {"model.min_documents": {"int": [1, 2]}}, **changes})


def stories(ground: Ground, rows: np.ndarray) -> set[str]:
    return {ground.rows.groups[row] for row in rows}


def test_other_corpora_teach_in_every_cut_but_for_what_judges(prepared: Prepared, tmp_path: Path) -> None:
    train = {row["id"]: row for row in rows_of(60)}
    more = [row | {"id": f"new-{name}"} for name, row in list(train.items())[:30]] + rows_of(70)[60:]
    path = str(write_jsonl(tmp_path / "more.jsonl", more))
    config = prepared.config.model_copy(update={"extra_data": (ExtraConfig(path=path),)})
    ground = make_ground(prepare(config, Corpora(), lambda step: None), tune())
    (extra,) = ground.extra
    assert len(extra.rows)
    for rows in (ground.rows, prepared.parts.test):
        assert all(example not in extra.rows.examples for example in rows.examples)
    for cut in ground.cuts:
        ((rows, weight),) = ground.parts(cut).around(ALONE).extra
        assert (rows is extra.rows, weight) == (True, 1.0)


@pytest.mark.parametrize("folds", [3, 5])
def test_each_story_of_train_and_dev_judges_once(prepared: Prepared, folds: int) -> None:
    ground = make_ground(prepared, tune(folds=folds))
    train, dev, test = prepared.parts.train, prepared.parts.dev, prepared.parts.test
    assert set(ground.rows.groups) == set(train.groups) | set(dev.groups)
    assert not set(ground.rows.groups) & set(test.groups)
    assert ground.rows.examples == (*train.examples, *dev.examples)
    assert np.array_equal(ground.rows.truth, np.concatenate([train.truth, dev.truth]), equal_nan=True)
    assert len(ground.cuts) == folds
    judged = np.concatenate([cut.judge for cut in ground.cuts])
    assert sorted(judged.tolist()) == list(range(len(ground.rows)))
    for cut in ground.cuts:
        rows = [set(part.tolist()) for part in (cut.train, cut.dev, cut.judge)]
        assert sum(map(len, rows)) == len(set.union(*rows)) == len(ground.rows)
        parts = [stories(ground, part) for part in (cut.train, cut.dev, cut.judge)]
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert len(cut.judge) == pytest.approx(len(ground.rows) / folds, abs=4)
        assert (ground.rows.truth[cut.judge] == 1).any(axis=0).all()


def test_on_dev_train_alone_teaches_and_each_half_judges_once(prepared: Prepared) -> None:
    ground = make_ground(prepared, tune(metric="dev"))
    n_train, n_dev = len(prepared.parts.train), len(prepared.parts.dev)
    one, other = ground.cuts
    for cut in ground.cuts:
        assert cut.train.tolist() == list(range(n_train))
        assert not stories(ground, cut.dev) & stories(ground, cut.judge)
    assert (one.judge.tolist(), one.dev.tolist()) == (other.dev.tolist(), other.judge.tolist())
    assert sorted([*one.judge, *other.judge]) == list(range(n_train, n_train + n_dev))


def test_folds_follow_the_seed(prepared: Prepared) -> None:
    def judges(seed: int) -> list[list[int]]:
        config = prepared.config.model_copy(update={"seed": seed})
        ground = make_ground(replace(prepared, config=config), tune())
        return [cut.judge.tolist() for cut in ground.cuts]

    assert judges(0) == judges(0) != judges(1)


def test_scores_are_those_of_whole_pipelines_on_pooled_rows(prepared: Prepared) -> None:
    ground = make_ground(prepared, tune(folds=3))
    found = list(scores(prepared.config, ground))
    assert len(found) == 3
    truth, decided = [], []
    for cut, scored in zip(ground.cuts, found, strict=True):
        parts = ground.parts(cut)
        assert parts.test.examples == tuple(ground.rows.examples[row] for row in cut.judge)
        trial = fit(prepared.config, prepared.config.model, parts)
        truth.append(parts.test.truth)
        decided.append(trial.decisions)
        alone = counts_of(truth[-1], decided[-1]).sum(axis=0).astype(float)
        pooled = counts_of(np.concatenate(truth), np.concatenate(decided)).sum(axis=0).astype(float)
        assert scored.fold == pytest.approx(float(macro(alone)))
        assert scored.running == pytest.approx(float(macro(pooled)))


def test_a_label_of_too_few_stories_is_refused(prepared: Prepared) -> None:
    train = prepared.parts.train
    truth = np.concatenate([train.truth, prepared.parts.dev.truth])[: len(train)].copy()
    truth[:, 0] = 0
    truth[0, 0] = 1
    if train.task == "stance":
        truth[1:, 1] = np.maximum(truth[1:, 1], (truth[1:].sum(axis=1) == 0))
    rare = LabelledSet(train.task, train.examples, train.labels, truth, train.groups)
    dev = prepared.parts.dev
    none = dev.truth.copy()
    none[:, 0] = 0
    bare = LabelledSet(dev.task, dev.examples, dev.labels, none, dev.groups)
    parts = replace(prepared.parts, train=rare, dev=bare)
    with pytest.raises(InputError, match="wanted rows with and without every label in each of the 5 folds"):
        make_ground(replace(prepared, parts=parts), tune())
    assert len(make_ground(replace(prepared, parts=parts), tune(metric="dev")).cuts) == 2
