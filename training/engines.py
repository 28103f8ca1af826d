"""Which engines an exported encoder may be run with: those on which it passes the parity gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from models.base import Examples, LabelledSet
from stancewire.artefact import Artefact
from stancewire.calibration import Probabilities
from stancewire.examples import Article, StanceExample
from stancewire.runtime.open import ENCODERS
from stancewire.runtime.options import RuntimeOptions
from training.behaviour.noise import noisy
from training.export import Fitted
from training.parity import Asked, Parity, check_parity, measure_parity

# The reference: a model that fails here is not shipped at all.
_REFERENCE = "onnxruntime"


@dataclass(frozen=True)
class Gate:
    """What the gate found.

    Attributes:
        parity: of the reference: onnxruntime in fp32 for encoders, else the family's one runtime.
        passed: figures by engine, for the manifest; None for families that have no engines.
        failed: figures of the engines that this machine has and that did not pass.
    """

    parity: Parity
    passed: Mapping[str, Parity] | None
    failed: Mapping[str, Parity]

    def to_dict(self) -> dict[str, Any] | None:
        """Return what the manifest's `engines` gets."""
        if self.passed is None:
            return None
        return {name: asdict(parity) for name, parity in self.passed.items()}

    def told(self) -> dict[str, str]:
        """Return what is said of every engine that did not pass, by its name."""
        told = "misses the parity gate, and runs only when asked for by name"
        return {name: f"{told}: {parity.line}" for name, parity in self.failed.items()}

    def metrics(self) -> dict[str, float]:
        """Return what MLflow gets: the reference, and every engine under its name."""
        of_engines = {**(self.passed or {}), **self.failed}
        told = {"parity/agreement": self.parity.agreement, "parity/difference": self.parity.difference}
        for name, parity in of_engines.items():
            told |= {f"parity/{name}/{key}": value for key, value in _figures(parity).items()}
        return told


def _figures(parity: Parity) -> dict[str, float]:
    """Return the figures of one engine, flat."""
    return {
        "agreement": parity.agreement,
        "difference": parity.difference,
        "macro_f1": parity.macro_f1,
        **{f"agreement/{name}": share for name, share in parity.elsewhere.items()},
        **{f"f1/{label}": change for label, change in parity.f1.items()},
    }


def gate(
    artefact: Artefact, fitted: Fitted, dev: LabelledSet, test: LabelledSet, trained: Probabilities
) -> Gate:
    """Hold an exported model against the trained one, on text that chose it and on text unlike any.

    The reference answers for the figures of test, and is asked about it too. Other engines are not: which of
    them may be used is a choice, and test is there to judge what was chosen.

    Args:
        artefact: the exported model; its manifest may name no engine yet.
        fitted: the trained one.
        dev: rows that chose the best epoch.
        test: rows that judged it.
        trained: its calibrated probabilities of test.

    Raises:
        ParityError: if the reference does not pass.
    """
    if artefact.manifest.family not in ENCODERS:
        return Gate(check_parity(artefact, fitted, test, trained), None, {})
    from stancewire.runtime.choice import runs_here
    from stancewire.runtime.encoder_model import read_model

    on_dev, unlike = (
        Asked(rows, fitted.family.predict_probabilities(rows))
        for rows in (dev.examples, disguised(dev.examples))
    )
    calibrated = fitted.calibration.apply(on_dev.raw, fitted.task)
    found: dict[str, Parity] = {}
    for choice in read_model(artefact).choices:
        options = RuntimeOptions(choice.engine, choice.variant)
        if choice.name == _REFERENCE:
            other = {"dev": on_dev, "disguised rows": unlike}
            found[choice.name] = check_parity(artefact, fitted, test, trained, options, other)
        elif runs_here(choice):
            other = {"disguised rows": unlike}
            found[choice.name] = measure_parity(artefact, fitted, dev, calibrated, options, other)
    passed = {name: parity for name, parity in found.items() if parity.passes}
    failed = {name: parity for name, parity in found.items() if not parity.passes}
    return Gate(found[_REFERENCE], passed, failed)


def disguised(examples: Examples) -> Examples:
    """Return rows unlike what any model was trained on: mistyped, in capitals, of shuffled words.

    Stance: each also with the target and the holder of another row.
    """
    chance = np.random.default_rng(0)
    made: list[Any] = []
    for number, example in enumerate(examples):
        other = examples[(number + len(examples) // 2) % len(examples)]
        kind = number % 3
        if isinstance(example, Article):
            made.append(_article(example, kind, chance))
        elif isinstance(example, StanceExample) and isinstance(other, StanceExample):
            made.append(_question(example, other, kind, chance))
    return tuple(made)


def _article(example: Article, kind: int, chance: np.random.Generator) -> Article:
    return replace(example, title=_text(example.title, kind, chance), text=_text(example.text, kind, chance))


def _question(
    example: StanceExample, other: StanceExample, kind: int, chance: np.random.Generator
) -> StanceExample:
    sentence = _text(example.sentence, kind, chance)
    return replace(example, sentence=sentence, target=other.target, holder=other.holder)


def _text(text: str, kind: int, chance: np.random.Generator) -> str:
    if kind == 0:
        changed = noisy(Article(text=text), "typos")
        return changed.text if isinstance(changed, Article) else text
    if kind == 1:
        return text.upper()
    words = text.split()
    chance.shuffle(words)
    return " ".join(words)
