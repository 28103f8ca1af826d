"""What an encoder answers while it is trained, and how good that is on dev."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from models.encoder.network import Classifier, scores_of
from models.encoder.processes import Processes
from models.encoder.tokens import Tokens
from models.scoring import average_precision, counts_of, macro
from stancewire.calibration import Probabilities, Task
from stancewire.runtime.batching import batches
from stancewire.runtime.pooling import Pooling, columns, pool

_TINY = 1e-7


def answers(
    model: Classifier,
    tokens: Tokens,
    *,
    n_labels: int,
    task: Task,
    pooling: Pooling,
    pad: int,
    budget: int,
    processes: Processes,
) -> Probabilities:
    """Return raw probabilities of all rows, float32 [n_rows, n_labels], in every process alike.

    Args:
        model: on its device; asked without dropout, in the numbers of the caller's autocast.
        tokens: of the rows.
        n_labels: columns.
        task: whose link makes probabilities.
        pooling: of a row's sequences.
        pad: token id behind the end of a sequence.
        budget: tokens of a batch.
        processes: that share the work.
    """
    n_rows = len(tokens.cut)
    ids, second, rows = tokens.sequences(np.arange(n_rows))
    scores = torch.zeros(len(ids), columns(n_labels, pooling), device=processes.device)
    model.eval()
    every = list(batches([len(sequence) for sequence in ids], budget))
    with torch.inference_mode():
        for chosen in every[processes.rank :: processes.size]:
            scores[torch.from_numpy(chosen)] = scores_of(
                model,
                [ids[i] for i in chosen],
                [second[i] for i in chosen],
                pad=pad,
                device=processes.device,
            ).float()
    processes.add_up([scores])
    return pool(scores.cpu().numpy(), np.asarray(rows, np.intp), pooling, task)


def scores_on(
    truth: NDArray[np.float32], task: Task, ask: Callable[[], Probabilities]
) -> Callable[[], Mapping[str, float]]:
    """Return what asks a model about rows and scores its answers: "macro_f1", "average_precision", "loss".

    Macro-F1 is of plain decisions: above one half for topics, the likeliest for stance.
    """

    def judge() -> Mapping[str, float]:
        found = ask()
        decided = found > 0.5 if task == "topics" else found == found.max(axis=1, keepdims=True)
        precisions = [average_precision(truth[:, i], found[:, i]) for i in range(truth.shape[1])]
        known = [value for value in precisions if value is not None]
        return {
            "macro_f1": float(np.nan_to_num(macro(counts_of(truth, decided).sum(axis=0)))),
            "average_precision": float(np.mean(known)) if known else 0.0,
            "loss": _log_loss(truth, found.astype(np.float64), task),
        }

    return judge


def _log_loss(truth: NDArray[np.float32], probabilities: NDArray[np.float64], task: Task) -> float:
    p = np.clip(probabilities, _TINY, 1 - _TINY)
    held = -np.log(p) * (truth == 1)
    if task == "stance":
        return float(held.sum() / max(1, int((truth == 1).sum())))
    cells = held - np.log1p(-p) * (truth == 0)
    return float(cells.sum() / max(1, int((~np.isnan(truth)).sum())))
