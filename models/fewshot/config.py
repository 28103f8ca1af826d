"""How a model learns from few labels: every option with its default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.base import FamilyConfig
from models.encoder.config import Count, EncoderConfig, Positive, Share, Text
from models.linear_rows import ClassWeights
from stancewire.calibration import Task

_SHARED = (
    "backbone",
    "tokens",
    "stride",
    "max_chunks",
    "learning_rate",
    "layer_decay",
    "weight_decay",
    "warmup",
    "gradient_clip",
    "token_budget",
    "dropout",
    "precision",
    "quantise",
    "device",
    "threads",
    "target_blind",
)


class FewshotConfig(FamilyConfig):
    """How the few-shot family learns: 8 to 64 rows of each label are what it is for."""

    family: Literal["fewshot"] = "fewshot"
    """Name of the family."""

    backbone: Text = "minilm"
    """What is tuned, best a sentence encoder: "minilm", a folder that holds a transformers model, or
    owner/name on the hub."""

    tokens: Annotated[int, Field(ge=16, le=8192)] | None = None
    """Longest sequence in tokens, separators included. null: 256 for topics, 128 for stance."""

    stride: Annotated[int, Field(ge=0)] | None = None
    """Topics: tokens that a chunk of an article shares with the one before. null: 32 for topics, 0 for
    stance."""

    max_chunks: Count | None = None
    """Topics: chunks of an article; what comes after is cut. null: 8 for topics, 1 for stance."""

    loss: Literal["contrastive", "cosine"] = "contrastive"
    """What draws rows together: "contrastive" (of all rows of a step, those of like labels are to be the
    nearest) or "cosine" (like rows are to have a cosine of 1, others of 0; SetFit's own)."""

    temperature: Positive = 0.1
    """Of the contrastive loss: the smaller, the more the nearest rows count."""

    batch_size: Annotated[int, Field(ge=4)] = 32
    """Rows of one step, balanced over the labels; every two of them are a pair."""

    steps: Annotated[int, Field(ge=0)] = 60
    """Steps at most. 0: the backbone stays as it is, and only the head learns."""

    judge_every: Count = 20
    """Steps between two judgements of the classifier; it is judged before the first step too."""

    patience: Count | None = 2
    """Judgements without a better score after which tuning stops. null: it never stops early."""

    metric: Literal["macro_f1", "average_precision", "loss"] = "macro_f1"
    """What judges the classifier: "macro_f1" of plain decisions, the mean "average_precision" of the labels,
    or the "loss" (the least)."""

    judged_on: Literal["auto", "dev", "folds", "none"] = "auto"
    """Which rows judge: "dev", or "folds" of train, whole stories together, which choose the number of steps
    at the price of one more tuning for each fold. "auto": dev where it has 10 rows of each label, else
    folds. "none": all steps are taken."""

    folds: Annotated[int, Field(ge=2)] = 3
    """Folds of that cross-validation."""

    judge_rows: Count = 500
    """Rows of dev that judge, at most, drawn at random."""

    regularisation: Positive = 10.0
    """Inverse strength C of the logistic regression on the tuned embeddings: smaller is smoother."""

    class_weights: ClassWeights = "balanced"
    """Weight, in the head, of the rows where a label holds, by label name; a label not named has 1.
    "balanced": inverse to how often each label holds. null: 1 for all."""

    learning_rate: Positive = 1e-4
    """Highest step size."""

    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the step size from each layer to the one below it; 1: all alike."""

    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pull of the weights toward 0, biases and norms left out."""

    warmup: Share = 0.1
    """Share of the steps in which the step size rises; after it, it falls linearly to 0."""

    token_budget: Annotated[int, Field(ge=16)] = 8192
    """Tokens that go through the network at once; a step of more is cut, with the same outcome."""

    gradient_clip: Positive = 1.0
    """Longest gradient of a step; a longer one is scaled down."""

    dropout: Share | None = None
    """Share of the network's units that a step leaves out. null: as the backbone says."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Of the steps; "auto": bf16 where the processor computes in it. Head and answers are fp32."""

    quantise: bool = True
    """Whether the weights are rounded to 8 bits before the head is fitted: the artefact has a quarter of the
    size, and processors with instructions for int8 answer faster."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training runs; "auto": a GPU where there is one."""

    threads: Count | None = None
    """Threads of the processor; null: what torch takes, one per core."""

    def encoder(self, task: Task) -> EncoderConfig:
        """Return what the encoder family needs to know, filled in for the task."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return EncoderConfig.model_validate({**shared, "pooling": "mean", "mark": False}).for_task(task)
