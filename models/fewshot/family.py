"""The few-shot family: light to import; torch and transformers are loaded when a model is fitted."""

from __future__ import annotations

from typing import ClassVar, Self

from models.base import ALONE, FamilyConfig, FitContext, LabelledSet
from models.encoder.family import EncoderFamily, check_installed
from models.fewshot.config import FewshotConfig


class FewshotFamily(EncoderFamily):
    """A sentence encoder tuned by contrast, under logistic regression; shipped and run as any encoder.

    Learned:
        learned_: the network, with its labels, backbone and layout.
        graph_: its ONNX file, once it was exported.
    """

    name: ClassVar[str] = "fewshot"
    Config: ClassVar[type[FamilyConfig]] = FewshotConfig
    resumes: ClassVar[bool] = False
    takes_extra: ClassVar[bool] = False
    config: FewshotConfig  # type: ignore[assignment]

    def fit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Learn from train; dev chooses when to stop, where it has rows enough.

        Raises:
            FitError: if the rows cannot teach what the config asks, the backbone does not fit, or the loss is
                no number any more.
            MissingExtraError: if torch or transformers are not installed.
        """
        check_installed("the few-shot family")
        from models.fewshot.fitting import fit

        self.learned_ = fit(self.config, self.seed, train, dev, context)
        return self
