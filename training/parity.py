"""The parity gate: what is shipped must answer as what was trained, on every engine that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from models.base import Examples, LabelledSet
from models.scoring import counts_of, f1, macro
from stancewire.artefact import Artefact
from stancewire.calibration import Probabilities, decide
from stancewire.errors import StancewireError
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from training.export import Fitted

MIN_AGREEMENT = 0.995
MAX_F1_CHANGE = 0.005
AS_IT_COMES = RuntimeOptions()


class ParityError(StancewireError):
    """An exported model does not answer as the trained one."""


@dataclass(frozen=True)
class Asked:
    """Rows without labels that the trained model was asked about.

    Attributes:
        examples: the rows.
        raw: its probabilities of them before calibration, float32 [n_rows, n_labels].
    """

    examples: Examples
    raw: Probabilities


@dataclass(frozen=True)
class Parity:
    """How alike two models answer.

    Attributes:
        agreement: share of labelled rows whose every decision is equal.
        difference: largest difference of a calibrated probability.
        rows: that were asked about.
        elsewhere: the same share of other rows, by what they are.
        macro_f1: change of macro-F1 on the labelled rows, from -1 to 1.
        f1: change of F1 by label.
    """

    agreement: float
    difference: float
    rows: int
    elsewhere: Mapping[str, float] = field(default_factory=dict)
    macro_f1: float = 0.0
    f1: Mapping[str, float] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Tell whether the model may be shipped."""
        least = min(self.agreement, *self.elsewhere.values(), 1.0)
        return least >= MIN_AGREEMENT and abs(self.macro_f1) <= MAX_F1_CHANGE

    @property
    def line(self) -> str:
        """The figures in a few words."""
        shares = {"labelled rows": self.agreement} | dict(self.elsewhere)
        alike = ", ".join(f"{share:.1%} of {name}" for name, share in shares.items())
        return (
            f"{alike}; macro-F1 {100 * self.macro_f1:+.2f} points; probabilities differ by up to "
            f"{self.difference:.2g}"
        )


def check_parity(
    artefact: Artefact,
    fitted: Fitted,
    rows: LabelledSet,
    trained: Probabilities,
    options: RuntimeOptions = AS_IT_COMES,
    other: Mapping[str, Asked] = MappingProxyType({}),
) -> Parity:
    """Ask the exported model what the trained one was asked.

    Args:
        artefact: the exported model.
        fitted: the trained one.
        rows: that it was asked about.
        trained: its calibrated probabilities of them, float32 [n_rows, n_labels].
        options: how the exported one is run.
        other: what both were asked besides, by what it is.

    Raises:
        ParityError: if fewer than 99.5 % of rows, of any kind, get equal decisions, or macro-F1 changes by
            more than 0.5 points.
    """
    found = measure_parity(artefact, fitted, rows, trained, options, other)
    if not found.passes:
        raise ParityError(
            f"{artefact.manifest.name}: wanted an exported model that decides {MIN_AGREEMENT:.1%} of rows as "
            f"the trained one, with a macro-F1 no more than {100 * MAX_F1_CHANGE:g} points away, got "
            f"{found.line}; nothing was shipped"
        )
    return found


def measure_parity(
    artefact: Artefact,
    fitted: Fitted,
    rows: LabelledSet,
    trained: Probabilities,
    options: RuntimeOptions = AS_IT_COMES,
    other: Mapping[str, Asked] = MappingProxyType({}),
) -> Parity:
    """Return how alike the two answer; see `check_parity`."""
    thresholds = np.asarray(fitted.thresholds, dtype=np.float32)
    runtime = open_runtime(artefact, options)

    def decided(raw: Probabilities) -> tuple[Probabilities, NDArray[np.bool_]]:
        probabilities = fitted.calibration.apply(raw, fitted.task)
        return probabilities, decide(probabilities, thresholds, fitted.task)

    asked, after = decided(runtime.predict(rows.examples).probabilities)
    before = decide(trained, thresholds, fitted.task)
    counts = [counts_of(rows.truth, decisions).sum(axis=0) for decisions in (before, after)]
    elsewhere = {
        name: _alike(decided(one.raw)[1], decided(runtime.predict(one.examples).probabilities)[1])
        for name, one in other.items()
    }
    changes = np.nan_to_num(f1(counts[1]) - f1(counts[0]))
    return Parity(
        agreement=_alike(before, after),
        difference=float(np.abs(trained - asked).max()),
        rows=len(rows),
        elsewhere=elsewhere,
        macro_f1=float(np.nan_to_num(macro(counts[1]) - macro(counts[0]))),
        f1=dict(zip(rows.labels, changes.tolist(), strict=True)),
    )


def _alike(wanted: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    return float((wanted == found).all(axis=1).mean())
