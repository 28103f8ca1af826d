"""The loop: it resumes exactly, keeps the best, survives a full disk, and stops where there is no number."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import models.encoder.loop as loop
import stancewire.atomic as atomic
from models.base import FitContext, LabelledSet
from models.encoder.checkpoints import BEST, STATE, Checkpoints, Position
from models.encoder.config import EncoderConfig
from models.encoder.errors import BackboneError
from models.encoder.family import EncoderFamily
from models.encoder.losses import Loss
from models.encoder.optimiser import Average, new_optimiser, set_step_size
from models.encoder.processes import Processes
from models.errors import FitError
from tests.unit.models.backbones import quick
from tests.unit.models.rows import stance_rows, topics_rows

Logged = list[tuple[int, dict[str, float]]]


def fitted(
    rows: LabelledSet,
    folder: Path | None = None,
    logged: Logged | None = None,
    **changes: Any,  # noqa: ANN401
) -> EncoderFamily:
    """Fit the tiny encoder."""
    heard = [] if logged is None else logged
    context = FitContext(checkpoints=folder, log=lambda step, figures: heard.append((step, dict(figures))))
    model = EncoderFamily(EncoderConfig.model_validate(quick(epochs=3) | changes), seed=1)
    return model.fit(rows, rows, context)


def weights(model: EncoderFamily) -> dict[str, Tensor]:
    return dict(model.learned_.network.state_dict())


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Killed(Exception):
    """In the place of a SIGKILL."""


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the loop die before a step."""
    honest = loop.Loop._step

    def dying(self: loop.Loop, rows: Any) -> Any:  # noqa: ANN401
        if self.position.step == step:
            raise Killed
        return honest(self, rows)

    monkeypatch.setattr(loop.Loop, "_step", dying)


@pytest.mark.parametrize("settings", [{}, {"average": 0.9, "dropout": 0.2, "holder_dropout": 0.3}])
@pytest.mark.parametrize("step", [5, 8, 13])
def test_a_killed_fit_goes_on_and_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, settings: dict[str, Any]
) -> None:
    rows = stance_rows()
    whole = fitted(rows, **settings)
    with monkeypatch.context() as patched:
        killed_at(patched, step)
        with pytest.raises(Killed):
            fitted(rows, tmp_path, checkpoint_minutes=1e-6, **settings)
    assert (tmp_path / STATE).is_file()
    logged: Logged = []
    resumed = fitted(rows, tmp_path, logged, checkpoint_minutes=1e-6, **settings)
    assert same(weights(whole), weights(resumed))
    judged = [figures["epoch"] for _, figures in logged if "epoch" in figures]
    assert judged == [epoch for epoch in (1, 2, 3) if 8 * epoch > step or (8 * epoch == step and epoch == 3)]


def test_a_fit_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    rows = stance_rows()
    first = fitted(rows, tmp_path)
    logged: Logged = []
    again = fitted(rows, tmp_path, logged)
    assert same(weights(first), weights(again))
    assert [figures for step, figures in logged if step] == []


def test_the_best_epoch_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows, scores = stance_rows(), iter([0.2, 0.9, 0.3, 0.4])
    kept: list[dict[str, Tensor]] = []
    honest = loop.Loop._judge

    def judged(self: loop.Loop, epoch: int) -> loop.Judged:
        kept.append({name: value.clone() for name, value in self._model.state_dict().items()})
        score = next(scores)
        object.__setattr__(self._goal, "judge", lambda: {"macro_f1": score, "loss": 1 - score})
        return honest(self, epoch)

    monkeypatch.setattr(loop.Loop, "_judge", judged)
    model = fitted(rows, tmp_path, epochs=4)
    assert same(weights(model), kept[1])
    best = Checkpoints(tmp_path).load(BEST, torch.device("cpu"))
    assert best is not None
    assert same(best[0], kept[1])
    assert (best[1].best, best[1].best_epoch) == (0.9, 2)


def test_the_least_loss_is_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    losses, best = iter([0.9, 0.2, 0.5]), []
    honest = loop.Loop._judge

    def judged(self: loop.Loop, epoch: int) -> loop.Judged:
        loss = next(losses)
        object.__setattr__(self._goal, "judge", lambda: {"macro_f1": loss, "loss": loss})
        found = honest(self, epoch)
        best.append(found.is_best)
        return found

    monkeypatch.setattr(loop.Loop, "_judge", judged)
    fitted(stance_rows(), metric="loss")
    assert best == [True, True, False]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 2), (2, 3), (None, 5)])
def test_training_stops_early(monkeypatch: pytest.MonkeyPatch, patience: int | None, epochs: int) -> None:
    honest = loop.Loop._judge
    seen = []

    def judged(self: loop.Loop, epoch: int) -> loop.Judged:
        seen.append(epoch)
        object.__setattr__(self._goal, "judge", lambda: {"macro_f1": 0.5})
        return honest(self, epoch)

    monkeypatch.setattr(loop.Loop, "_judge", judged)
    fitted(stance_rows(), epochs=5, patience=patience)
    assert len(seen) == epochs


def test_no_number_stops_the_fit_and_keeps_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Loss.total

    def broken(self: Loss, logits: Tensor, truth: Any) -> Tensor:  # noqa: ANN401
        calls.append(1)
        return honest(self, logits, truth) * (float("nan") if len(calls) > 10 else 1)

    calls: list[int] = []
    monkeypatch.setattr(Loss, "total", broken)
    with pytest.raises(
        FitError, match=rf"loss is nan at step 11 of 24; .* of epoch 1, are kept in {tmp_path}"
    ):
        fitted(stance_rows(), tmp_path)
    best = Checkpoints(tmp_path).load(BEST, torch.device("cpu"))
    assert best is not None
    assert all(torch.isfinite(value).all() for value in best[0].values())
    calls.extend([1] * 100)
    with pytest.raises(FitError, match=r"step 1 of 24; there were no weights worth keeping yet"):
        fitted(stance_rows())


def test_a_full_disk_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, old = Checkpoints(tmp_path), {"weight": torch.arange(6.0)}
    assert store.save(BEST, old, Position(3, 1, 0.5, 1))

    def full(path: Path, chunks: Any) -> None:  # noqa: ANN401
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "write_file", full)
    with caplog.at_level(logging.WARNING):
        assert not store.save(BEST, {"weight": torch.zeros(6)}, Position(9, 2, 0.7, 2))
    assert (
        "No space left on device; training goes on, and the checkpoint before it still stands" in caplog.text
    )
    assert [path.name for path in tmp_path.iterdir()] == [BEST]
    found = store.load(BEST, torch.device("cpu"))
    assert found is not None
    assert same(found[0], old)
    assert found[1] == Position(3, 1, 0.5, 1)
    whole = fitted(stance_rows())
    assert same(weights(whole), weights(fitted(stance_rows(), tmp_path / "fit")))


@pytest.mark.parametrize("damage", [b"", b"half a checkpoint", None])
def test_a_damaged_checkpoint_is_told_and_left_behind(
    tmp_path: Path, damage: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    rows = stance_rows()
    whole = fitted(rows, tmp_path)
    file = tmp_path / STATE
    file.write_bytes(file.read_bytes()[:-1] if damage is None else damage)
    with caplog.at_level(logging.WARNING):
        again = fitted(rows, tmp_path)
    assert "cannot be read" in caplog.text
    assert same(weights(whole), weights(again))


@pytest.mark.parametrize("rows", [stance_rows(), topics_rows()], ids=["stance", "topics"])
def test_a_step_cut_to_fit_memory_learns_the_same(rows: LabelledSet) -> None:
    whole, cut = fitted(rows, epochs=1), fitted(rows, epochs=1, token_budget=40)
    one, other = (model.predict_probabilities(rows.examples) for model in (whole, cut))
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert np.ptp(one[:, 0]) > 1e-2  # they are no constant


def test_unlabelled_cells_teach_nothing() -> None:
    rows = topics_rows()
    rows.truth[20:, 1] = np.nan
    other = topics_rows()
    other.truth[20:, 1] = np.nan
    model = fitted(rows, epochs=1)
    assert same(weights(model), weights(fitted(other, epochs=1)))
    negative = topics_rows()
    negative.truth[20:, 1] = 0
    assert not same(weights(model), weights(fitted(negative, epochs=1)))


def test_frozen_embeddings_stay() -> None:
    rows = stance_rows()
    name = "inner.embeddings.word_embeddings.weight"
    free, frozen = fitted(rows, epochs=1), fitted(rows, epochs=1, freeze_embeddings=True)
    start = fitted(rows, epochs=1, learning_rate=1e-12, weight_decay=0)
    torch.testing.assert_close(weights(frozen)[name], weights(start)[name], atol=1e-6, rtol=0)
    assert not torch.allclose(weights(free)[name], weights(start)[name], atol=1e-4)


def test_frozen_layers_stay_with_all_that_is_under_them() -> None:
    rows = stance_rows()
    moved, start = fitted(rows, epochs=1, freeze_layers=1), fitted(rows, epochs=1, learning_rate=1e-12)
    now, before = weights(moved), weights(start)
    for name in now:
        stays = "embeddings" in name or ".layer.0." in name
        assert torch.allclose(now[name], before[name], atol=1e-6) == stays, name


def test_a_network_of_frozen_layers_alone_is_refused() -> None:
    with pytest.raises(BackboneError, match="freeze_layers: wanted fewer than the backbone's 2, got 2"):
        fitted(stance_rows(), epochs=1, freeze_layers=2)


def test_layers_further_down_take_smaller_steps() -> None:
    model = fitted(stance_rows(), epochs=1).learned_.network
    optimiser = new_optimiser(model, EncoderConfig(learning_rate=1.0, layer_decay=0.5))
    highest = {id(p): g["highest"] for g in optimiser.param_groups for p in g["params"]}
    decay = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    named = dict(model.named_parameters())
    for part, wanted in (
        ("classifier.weight", 1.0),
        ("inner.encoder.layer.1.output.dense.weight", 1.0),
        ("inner.encoder.layer.0.output.dense.weight", 0.5),
        ("inner.embeddings.word_embeddings.weight", 0.25),
    ):
        assert highest[id(named[part])] == wanted
        assert decay[id(named[part])] == 0.01
    assert decay[id(named["inner.encoder.layer.0.output.dense.bias"])] == 0
    assert decay[id(named["inner.embeddings.LayerNorm.weight"])] == 0


def test_the_step_size_rises_and_falls() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([{"params": [weight], "highest": 2.0}])
    shares = [set_step_size(optimiser, step, 10, 0.3) for step in range(10)]
    assert shares[:4] == [0.25, 0.5, 0.75, 1.0]
    assert np.allclose(np.diff(shares[3:]), -1 / 7)
    assert shares[-1] == pytest.approx(1 / 7)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(2 / 7)
    assert set_step_size(optimiser, 0, 1, 0.0) == 1


def test_an_average_follows_the_weights() -> None:
    average = Average({"w": torch.zeros(2), "n": torch.tensor(3)}, 0.5)
    average.follow({"w": torch.ones(2), "n": torch.tensor(4)}, 0)
    assert average.weights["w"].tolist() == pytest.approx([0.9, 0.9])
    average.follow({"w": torch.zeros(2), "n": torch.tensor(4)}, 1000)
    assert average.weights["w"].tolist() == pytest.approx([0.45, 0.45])


def test_curves_are_logged() -> None:
    logged: Logged = []
    fitted(stance_rows(), None, logged, epochs=4)
    assert set(logged[0][1]) == {"text_cut/train", "text_cut/dev"}
    steps = [step for step, figures in logged if "train/loss" in figures]
    assert steps == [20]
    assert [figures["epoch"] for _, figures in logged if "dev/macro_f1" in figures] == [1, 2, 3, 4]


def test_a_gpu_that_is_not_there_is_told() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(Exception, match=r"model\.device: wanted a GPU that torch can use, found none"):
        Processes("cuda")
