"""Learning from few rows: what is tuned, what judges it, and that the artefact answers as the model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from models.base import ALONE, FitContext, LabelledSet
from models.encoder.backbone import find_backbone
from models.encoder.errors import BackboneError
from models.encoder.tokens import tokenised
from models.errors import FitError
from models.fewshot.config import FewshotConfig
from models.fewshot.family import FewshotFamily
from models.fewshot.head import fit_head
from models.fewshot.network import SentenceClassifier, embed, new_network
from models.fewshot.tuning import Tuning
from models.linear_rows import macro_f1
from stancewire.artefact import write_artefact
from stancewire.calibration import Calibration
from stancewire.encoding import Layout
from stancewire.examples import Article, StanceExample
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from tests.tiny import tiny_manifest
from tests.unit.models.backbones import quick_few, shared_backbone
from tests.unit.models.rows import stance_rows, topics_rows

NAN = np.nan


def config_of(**changes: object) -> FewshotConfig:
    """Settings with which the tiny backbone learns in a blink."""
    return FewshotConfig.model_validate(quick_few(**changes))


def fitted(rows: LabelledSet, context: FitContext = ALONE, **changes: object) -> FewshotFamily:
    return FewshotFamily(config_of(**changes), seed=3).fit(rows, rows, context)


class Heard:
    """What a fit logs."""

    def __init__(self) -> None:
        self.figures: list[tuple[int, Mapping[str, float]]] = []
        self.context = FitContext(log=lambda step, figures: self.figures.append((step, figures)))

    def of(self, name: str) -> dict[int, float]:
        return {step: figures[name] for step, figures in self.figures if name in figures}


@pytest.mark.parametrize("loss", ["contrastive", "cosine"])
@pytest.mark.parametrize("rows", [topics_rows(), stance_rows(), stance_rows(labels=("against", "favor"))])
def test_it_learns(rows: LabelledSet, loss: str) -> None:
    heard = Heard()
    model = fitted(rows, heard.context, loss=loss)
    found = model.predict_probabilities(rows.examples)
    assert macro_f1(found.astype(np.float64), rows) > 0.95
    losses = heard.of("train/loss")
    assert losses[20] < losses[5]


def test_tuning_draws_like_rows_together() -> None:
    rows = stance_rows()
    labels = rows.truth.argmax(axis=1)

    def gap(network: SentenceClassifier) -> float:
        tokens = tokenised(backbone.tokenizer, layout, rows.examples)
        unit = embed(network, tokens, backbone.pad, 500)
        cosines = unit @ unit.T
        same = labels[:, None] == labels
        return float(cosines[same].mean() - cosines[~same].mean())

    model = fitted(rows, metric="loss")
    backbone, layout = model.learned_.backbone, model.learned_.layout
    tuned = model.learned_.network
    assert isinstance(tuned, SentenceClassifier)
    tuned.head = torch.nn.Identity()
    assert gap(tuned) > gap(new_network(backbone, dropout=None)) + 0.3


def test_embeddings_are_means_over_real_tokens_of_length_one() -> None:
    rows = topics_rows(5)
    backbone = find_backbone(str(shared_backbone()), 64)
    layout = Layout("topics", tokens=64, stride=8, max_chunks=3)
    tokens = tokenised(backbone.tokenizer, layout, rows.examples)
    network = new_network(backbone, dropout=None)
    together = embed(network, tokens, backbone.pad, 10_000)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embed(network, tokens, backbone.pad, 1), together, atol=1e-5)
    ids, second, _ = tokens.sequences(np.arange(1))
    kinds = torch.arange(len(ids[0])) >= second[0]
    with torch.no_grad():
        found = network.inner(torch.tensor(ids), token_type_ids=kinds.long()[None])
    states = found.last_hidden_state[0].mean(dim=0)
    np.testing.assert_allclose(together[0], states / states.norm(), atol=1e-5)


def one_step(**changes: object) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
    """The weights after one step, and what the network gave in it, in order."""
    rows = stance_rows(30)
    config = config_of(steps=1, **changes)
    backbone = find_backbone(config.backbone, 64)
    tokens = tokenised(backbone.tokenizer, Layout("stance", tokens=64), rows.examples)
    network = new_network(backbone, dropout=config.dropout)
    given: list[torch.Tensor] = []
    network.register_forward_hook(lambda _, inputs, output: given.append(output.detach()))
    (step,) = Tuning(network, rows, tokens, config, pad=backbone.pad, seed=0).steps()
    assert step.step == 1
    return network.state_dict(), given


def test_a_step_in_parts_is_the_whole_step() -> None:
    (whole, once), (parts, twice) = (one_step(token_budget=n, dropout=0.0) for n in (10_000, 60))
    assert sum(map(len, twice)) == 2 * sum(map(len, once))
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], atol=2e-4, rtol=0)


def test_parts_drop_out_the_same_both_times() -> None:
    _, given = one_step(token_budget=60, dropout=0.3)
    half = len(given) // 2
    assert half > 1
    for first, second in zip(given[:half], given[half:], strict=True):
        assert torch.equal(first, second)
    _, plain = one_step(token_budget=60, dropout=0.0)
    assert not torch.equal(given[0], plain[0])


def test_the_head_is_scikit_learns() -> None:
    embeddings = np.random.default_rng(0).standard_normal((60, 7)).astype(np.float32)
    for labels in (("a", "b"), ("a", "b", "c")):
        rows = stance_rows(60, labels=("against", "favor", "neutral")[: len(labels)])
        head = fit_head(embeddings, rows, 2.0, None)
        wanted = LogisticRegression(C=2.0, max_iter=1000).fit(embeddings, rows.truth.argmax(axis=1))
        np.testing.assert_allclose(
            head.probabilities(embeddings, "stance"), wanted.predict_proba(embeddings), atol=1e-5
        )


def test_unlabelled_topics_do_not_teach() -> None:
    embeddings = np.random.default_rng(0).standard_normal((40, 7)).astype(np.float32)
    rows = topics_rows(40)
    truth = rows.truth.copy()
    truth[20:, 1] = NAN
    found = fit_head(embeddings, replace(rows, truth=truth), 1.0, "balanced")
    half = fit_head(embeddings[:20], rows.take(range(20)), 1.0, "balanced")
    whole = fit_head(embeddings, rows, 1.0, "balanced")
    np.testing.assert_allclose(found.weight[1], half.weight[1], atol=1e-4)
    np.testing.assert_allclose(found.weight[0], whole.weight[0], atol=1e-4)


def test_a_fit_with_partial_labels() -> None:
    rows = topics_rows()
    truth = rows.truth.copy()
    truth[::3, 0] = truth[1::3, 1] = NAN
    model = fitted(replace(rows, truth=truth), steps=30)
    found = model.predict_probabilities(rows.examples)
    assert macro_f1(found.astype(np.float64), rows) > 0.9


def test_dev_stops_it_and_keeps_the_best() -> None:
    heard = Heard()
    rows = stance_rows()
    wrong = replace(rows, truth=np.roll(rows.truth, 1, axis=1))  # the more is learned, the worse on dev
    model = FewshotFamily(config_of(steps=90, judge_every=5, patience=2), seed=3)
    model.fit(rows, wrong, heard.context)
    scores = heard.of("dev/macro_f1")
    losses = heard.of("dev/loss")
    best = max(scores, key=lambda step: (scores[step], -losses[step]))
    assert max(scores) == best + 10 < 90
    found = model.predict_probabilities(rows.examples)
    assert -np.log(found[wrong.truth == 1]).mean() == pytest.approx(losses[best], rel=1e-3)


def test_without_patience_it_goes_on_to_the_end() -> None:
    heard = Heard()
    rows = stance_rows()
    model = FewshotFamily(config_of(steps=25, patience=None), seed=3)
    model.fit(rows, replace(rows, truth=np.roll(rows.truth, 1, axis=1)), heard.context)
    assert list(heard.of("dev/macro_f1")) == [0, 10, 20, 25]


def test_folds_choose_the_steps_where_dev_is_tiny() -> None:
    rows, heard = stance_rows(30), Heard()
    dev = rows.take([0, 1, 2])
    model = FewshotFamily(config_of(judged_on="auto"), seed=3).fit(rows, dev, heard.context)
    assert not heard.of("dev/macro_f1")
    scores = heard.of("folds/macro_f1")
    assert list(scores) == [0, 10, 20]
    found = model.predict_probabilities(rows.examples)
    assert macro_f1(found.astype(np.float64), rows) > 0.9


def test_a_large_dev_judges_by_some_of_its_rows() -> None:
    heard = Heard()
    fitted(stance_rows(60), heard.context, judged_on="auto", steps=5)
    assert list(heard.of("dev/macro_f1")) == [0, 5]
    one = fitted(stance_rows(60), steps=5, judge_rows=20)
    assert one.learned_.labels == stance_rows().labels


def test_folds_that_lack_a_label_are_refused() -> None:
    rows = stance_rows(30)
    one_story = replace(rows, groups=("a",) * 30)
    with pytest.raises(FitError, match=r"model\.judged_on: .*needs 3 groups.* got 1 groups; add rows"):
        FewshotFamily(config_of(judged_on="folds"), seed=0).fit(one_story, rows)
    by_label = replace(rows, groups=tuple("abc"[i] for i in rows.truth.argmax(axis=1)))
    with pytest.raises(FitError, match=r"without some fold still rows with and without each label"):
        FewshotFamily(config_of(judged_on="folds"), seed=0).fit(by_label, rows)


def test_without_steps_only_the_head_learns() -> None:
    rows = topics_rows()
    network = fitted(rows, steps=0).learned_.network
    assert isinstance(network, SentenceClassifier)
    start = new_network(find_backbone(str(shared_backbone()), 64), dropout=None)
    for name, value in start.inner.state_dict().items():
        assert torch.equal(network.inner.state_dict()[name], value)


def test_a_loss_that_is_no_number_stops_it() -> None:
    with pytest.raises(FitError, match=r"the loss is nan at step \d+ of 20; lower model\.learning_rate"):
        fitted(stance_rows(), learning_rate=1e30)


def test_an_unknown_backbone() -> None:
    with pytest.raises(BackboneError, match="unknown backbone 'minilmm'; wanted 'minilm'"):
        fitted(topics_rows(), backbone="minilmm")


@pytest.mark.parametrize(
    "wrong", [{"steps": -1}, {"batch_size": 2}, {"folds": 1}, {"temperature": 0}, {"shots": 8}]
)
def test_settings_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FewshotConfig.model_validate(wrong)


def exported(model: FewshotFamily, rows: LabelledSet, where: Path) -> Any:  # noqa: ANN401 - a runtime
    staging = where / "staging"
    staging.mkdir()
    n_labels = len(rows.labels)
    manifest = tiny_manifest(
        name="few",
        task=rows.task,
        family=model.name,
        labels=rows.labels,
        thresholds=(0.5,) * n_labels,
        calibration=Calibration.identity(n_labels),
        max_chars=100_000,
        chunking=model.chunking(),
        model=model.export(staging),
    )
    return open_runtime(write_artefact(where / "few", manifest, staging), RuntimeOptions("onnxruntime"))


@pytest.mark.parametrize("rows", [topics_rows(), stance_rows(), stance_rows(labels=("against", "favor"))])
def test_the_artefact_answers_as_the_model(rows: LabelledSet, tmp_path: Path) -> None:
    model = fitted(rows, steps=10)
    runtime = exported(model, rows, tmp_path)
    examples: list[Any] = list(rows.examples[:9])
    if rows.task == "topics":  # several chunks, whose scores are pooled
        examples.append(Article(title="envoys", text="shells and the embargo talks " * 40))
    found = runtime.predict(examples).probabilities
    np.testing.assert_allclose(found, model.predict_probabilities(examples), atol=1e-4)


def test_a_blind_model_does_not_see_the_target(tmp_path: Path) -> None:
    rows = stance_rows(labels=("against", "favor"))
    model = fitted(rows, target_blind=True, steps=5)
    asked = [StanceExample(sentence="Seoul welcomed it", target=target) for target in ("it", "the embargo")]
    for found in (
        model.predict_probabilities(asked),
        exported(model, rows, tmp_path).predict(asked).probabilities,
    ):
        np.testing.assert_array_equal(found[0], found[1])
    seeing = fitted(rows, steps=5).predict_probabilities(asked)
    assert abs(seeing[0] - seeing[1]).max() > 1e-3


def digest(model: FewshotFamily, where: Path) -> str:
    where.mkdir()
    model.export(where)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(where.iterdir()))).hexdigest()


def test_the_seed_decides(tmp_path: Path) -> None:
    rows = stance_rows(30)
    settings = {"judged_on": "folds", "dropout": 0.1, "steps": 10}
    models = [FewshotFamily(config_of(**settings), seed=seed).fit(rows, rows) for seed in (0, 0, 1)]
    found = [digest(model, tmp_path / str(number)) for number, model in enumerate(models)]
    assert found[0] == found[1] != found[2]
