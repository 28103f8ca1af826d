"""The encoder family: light to import; torch and transformers are loaded when a model is fitted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from models.base import ALONE, Examples, Family, FamilyConfig, FitContext, LabelledSet
from models.encoder.config import EncoderConfig
from models.errors import FitError
from models.linear import Linear, LinearConfig
from stancewire.calibration import Probabilities
from stancewire.encoding import TOKENIZER
from stancewire.errors import MissingExtraError
from stancewire.runtime.pooling import blend

if TYPE_CHECKING:
    from models.encoder.fitting import Learned

_LOG = logging.getLogger(__name__)


def check_installed(what: str) -> None:
    """Refuse to fit without the packages of the extra.

    Raises:
        MissingExtraError: naming what needs them, and the pip line.
    """
    for package in ("torch", "transformers", "accelerate", "onnx"):
        if find_spec(package) is None:
            raise MissingExtraError.of(what, "encoder")


class EncoderFamily(Family):
    """A transformer, fine-tuned end to end.

    Learned:
        learned_: the network, with its labels, backbone and layout.
        linear_: what answers with it, if the config gives it a share.
        graph_: its ONNX file, once it was exported.
    """

    name: ClassVar[str] = "encoder"
    Config: ClassVar[type[FamilyConfig]] = EncoderConfig
    packages: ClassVar[tuple[str, ...]] = ("torch", "transformers", "tokenizers", "onnx")
    resumes: ClassVar[bool] = True
    takes_extra: ClassVar[bool] = True
    config: EncoderConfig
    learned_: Learned
    linear_: Linear
    graph_: bytes

    @classmethod
    def on_processor(cls, config: FamilyConfig) -> bool:
        """Tell whether there is no GPU, or none is wanted."""
        if getattr(config, "device", "auto") == "cpu" or find_spec("torch") is None:
            return True
        from torch.cuda import is_available

        return not is_available()

    def fit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Learn from train; dev chooses the best epoch.

        Raises:
            FitError: if the rows cannot teach what the config asks, the backbone does not fit, or the loss is
                no number any more.
            MissingExtraError: if torch or transformers are not installed.
        """
        self.prefit(train, dev, context)
        if self.config.linear_share:
            settings = LinearConfig(target_blind=self.config.target_blind)
            words = replace(context, extra=context.plain)
            try:
                self.linear_ = Linear(settings, seed=self.seed).fit(train, dev, words)
            except FitError as error:
                _LOG.warning("the encoder answers alone, as the linear model cannot learn: %s", error)
        return self

    def prefit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Learn the network; what answers with it takes seconds.

        Raises:
            FitError, MissingExtraError: as `fit` does.
        """
        check_installed("the encoder family")
        from models.encoder.fitting import fit

        self.learned_ = fit(self.config, self.seed, train, dev, context)
        return self

    @property
    def beside(self) -> Mapping[str, Family]:
        """The linear model, where one answers too."""
        return {Linear.name: self.linear_} if hasattr(self, "linear_") else {}

    def predict_probabilities(self, examples: Examples) -> Probabilities:
        """Return torch's own probabilities in fp32; the parity gate holds the runtimes to them."""
        found = self.learned_.answer(examples)
        if not self.beside:
            return found
        words = self.linear_.predict_probabilities(examples)
        return blend(found, words, self.config.linear_share, self.learned_.task)

    def export(self, folder: Path) -> dict[str, Any]:
        """Write the graph and the tokenizer that stancewire.runtime.encoder reads."""
        from models.encoder.export import GRAPH, graph_of, model_section

        if not hasattr(self, "graph_"):
            self.graph_ = graph_of(self.learned_.network)
        (folder / GRAPH).write_bytes(self.graph_)
        (folder / TOKENIZER).write_bytes(self.learned_.backbone.tokenizer)
        model = model_section(self.learned_)
        if self.beside:
            model["linear"] = {"share": self.config.linear_share, **self.linear_.export(folder)}
        return model

    def chunking(self) -> Mapping[str, int] | None:
        """Return how texts become sequences."""
        layout = self.learned_.layout
        return {"tokens": layout.tokens, "stride": layout.stride, "max_chunks": layout.max_chunks}

    def keep(self, folder: Path) -> None:
        """Write a transformers checkpoint, which `init_from` reads."""
        from models.encoder.export import write_checkpoint

        write_checkpoint(self.learned_, folder)
