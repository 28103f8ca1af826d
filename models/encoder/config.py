"""How an encoder learns: every option with its default."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from models.base import FamilyConfig
from models.linear_rows import ClassWeights
from stancewire.calibration import Task

Pooling: TypeAlias = Literal["mean", "max", "attention", "noisy_or"]
Head: TypeAlias = Literal["mean", "first"]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]


class EncoderConfig(FamilyConfig):
    """How the encoder family learns. What is null differs by task; `for_task` fills it in."""

    family: Literal["encoder"] = "encoder"
    """Name of the family."""

    backbone: Text = "minilm"
    """What is fine-tuned: "minilm", a folder that holds a transformers model, or owner/name on the hub."""

    init_from: Text | None = None
    """Checkpoint of another run to start from, such as artefacts/checkpoints/stancewire-stance, head and all;
    its backbone is then taken too. null: the backbone with a new head."""

    init_label_map: dict[str, Text] = Field(default_factory=dict)
    """Our label by the other run's, where they differ; one of ours that none maps to starts anew."""

    tokens: Annotated[int, Field(ge=16, le=8192)] | None = None
    """Longest sequence in tokens, separators included. null: 256 for topics, 128 for stance."""

    stride: Annotated[int, Field(ge=0)] | None = None
    """Topics: tokens that a chunk of an article shares with the one before. null: 32."""

    max_chunks: Count | None = None
    """Topics: chunks of an article; what comes after is cut. null: 8."""

    head: Head = "mean"
    """What the labels are read from: the "mean" of a sequence's tokens, or what the backbone makes of the
    "first", as transformers' own classifiers do."""

    pooling: Pooling = "mean"
    """Topics: how the scores of an article's chunks make one: "mean", "max", "attention" (learned weights) or
    "noisy_or" (one chunk suffices)."""

    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    """"cross_entropy" (binary by topic, over the classes for stance) or "focal" (easy rows count less)."""

    focal_gamma: Positive = 2.0
    """How fast a row counts less in the focal loss the surer the model is of it."""

    class_weights: ClassWeights = None
    """Weight of the rows where a label holds, by label name; a label not named has 1. "balanced": inverse to
    how often each label holds. null: 1 for all."""

    label_smoothing: Share = 0.0
    """Share of the truth that is spread evenly over the labels."""

    learning_rate: Positive = 1e-4
    """Highest step size, of the last layer and the head."""

    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the step size from each layer to the one below it; 1: all alike."""

    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Pull of the weights toward 0, biases and norms left out."""

    warmup: Share = 0.1
    """Share of the steps in which the step size rises; after it, it falls linearly to 0."""

    epochs: Count | None = None
    """Times that every row is seen, at most. null: 8, and fewer, down to 4, where the rows seen would be
    more than 20,000."""

    patience: Count | None = None
    """Epochs without a better score on dev after which training stops. null: it never stops early."""

    metric: Literal["macro_f1", "average_precision", "loss"] = "macro_f1"
    """What dev chooses the best epoch by: "macro_f1" of plain decisions, the mean "average_precision" of the
    labels, or the "loss" (the least)."""

    batch_size: Count | None = None
    """Rows of one step. null: 8 for topics, 16 for stance."""

    token_budget: Annotated[int, Field(ge=16)] = 8192
    """Tokens that go through the network at once; a step of more is cut, with the same outcome."""

    gradient_clip: Positive = 1.0
    """Longest gradient of a step; a longer one is scaled down."""

    dropout: Share | None = None
    """Share of the network's units that a training step leaves out. null: as the backbone says."""

    attention_dropout: Share | None = 0.0
    """Share of the attention weights that a training step leaves out; drawing them takes a quarter of a
    step's time on a processor. null: as the backbone says."""

    average: Share = 0.0
    """Exponential moving average of the weights, which is what is judged and kept: its decay a step, such as
    0.999. 0: the last weights."""

    freeze_embeddings: bool = False
    """Whether the table of token embeddings stays as it is: half of MiniLM's weights, and a faster step."""

    freeze_layers: Annotated[int, Field(ge=0)] = 0
    """Layers from the bottom that stay as they are, with the embeddings under them: the way back ends above
    them, so that each saves a tenth of a step of MiniLM's six layers."""

    mark: bool = True
    """Stance: whether target and holder are marked where they stand in the sentence, as `* target *` and
    `# holder #`."""

    distractors: Share = 0.0
    """Stance: share of the training rows that an epoch asks once more, beside a sentence of another story; it
    has nothing to say on their target."""

    holder_dropout: Share = 0.0
    """Stance: share of the training rows, drawn anew each epoch, whose holder is left out."""

    context_dropout: Share = 0.0
    """Stance: share of the training rows whose context is left out."""

    title_dropout: Share = 0.0
    """Topics: share of the training rows whose title is left out."""

    word_dropout: Share = 0.0
    """Share of the training tokens that are masked."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Of the training steps; "auto": bf16 where the processor computes in it. Answers are in fp32."""

    linear_share: Share = 0.0
    """Weight in every answer of a linear model, which is fitted on the same rows and shipped in the same
    artefact: the logits are the weighted mean of both. It steadies answers on texts unlike the corpus. 0, or
    where the rows cannot teach a linear model: the encoder answers alone."""

    quantise: bool = True
    """Whether the weights are rounded to 8 bits before the network is calibrated and judged: the artefact has
    a quarter of the size, and processors with instructions for int8 answer faster."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where training runs; "auto": a GPU where there is one."""

    threads: Count | None = None
    """Threads of the processor; null: what torch takes, one per core."""

    checkpoint_minutes: Positive = 5.0
    """Minutes between checkpoints that a killed run goes on from; there is one after every epoch too."""

    def for_task(self, task: Task, n_rows: int = 0) -> EncoderConfig:
        """Return the config with what differs by task filled in; a sentence is never cut into chunks.

        Args:
            task: "topics" or "stance".
            n_rows: of train, which the epochs hang on.
        """
        defaults = dict(_BY_TASK[task])
        if n_rows:
            defaults["epochs"] = max(_FEWEST_EPOCHS, min(defaults["epochs"], _ROWS_SEEN // n_rows))
        filled = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        whole = {"stride": 0, "max_chunks": 1} if task == "stance" else {}
        return self.model_copy(update=filled | whole)


# Of large sets, MiniLM learns as much in fewer epochs.
_FEWEST_EPOCHS, _ROWS_SEEN = 4, 20_000
_BY_TASK: dict[Task, dict[str, int]] = {
    "topics": {"tokens": 256, "stride": 32, "max_chunks": 8, "epochs": 8, "batch_size": 8},
    "stance": {"tokens": 128, "epochs": 8, "batch_size": 16},
}
