"""Texts in, predictions out: a runtime's raw probabilities, calibrated and decided.

One answer per input row, in input order. A row that cannot be predicted raises one InputError that names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Generic, Literal, NamedTuple, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from stancewire.artefact import Artefact, read_artefact
from stancewire.calibration import Probabilities, decide
from stancewire.errors import InputError
from stancewire.examples import Article, StanceExample
from stancewire.location import located
from stancewire.runtime import RawPrediction, Runtime
from stancewire.scripts import mixed_script_words
from stancewire.text import clean

# A call of the runtime takes so many rows, or fewer of so many characters: enough for texts of like length to
# meet in one batch of an encoder, few enough that memory stays flat.
BATCH_ROWS = 1024
_BATCH_CHARS = 2_000_000

Warn = Literal["no_known_features", "text_cut", "mixed_script"]
E = TypeVar("E", Article, StanceExample)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which model answered, by which codebook.

    Attributes:
        model: the artefact's name.
        digest: sha256 of its manifest, which names every file's digest.
        codebook_id: where the labels come from.
        codebook_version: in which version.
    """

    model: str
    digest: str
    codebook_id: str
    codebook_version: str


@dataclass(frozen=True, slots=True)
class Score:
    """One label of one prediction.

    Attributes:
        label: its id.
        probability: calibrated.
        threshold: see `decide`.
        decision: whether it holds.
        review: whether a person should look at the decision: training did not show decisions like it to be
            right often enough. For stance only ever true of the decided label.
    """

    label: str
    probability: float
    threshold: float
    decision: bool
    review: bool = False


@dataclass(frozen=True, slots=True)
class TopicsPrediction:
    """The topics of one article.

    Attributes:
        scores: one per label, in the artefact's order.
        warnings: what a reader of the result should know: "no_known_features" (the model answers from its
            bias alone), "text_cut" (the text is longer than the model reads), "mixed_script" (words mix
            alphabets).
        provenance: which model answered.
        cut_share: how much of the text the model did not read, from 0 to 1: characters over its limit, and
            of an encoder the tokens that no chunk held.
    """

    scores: tuple[Score, ...]
    warnings: tuple[Warn, ...]
    provenance: Provenance
    cut_share: float = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The decided labels; possibly none."""
        return tuple(score.label for score in self.scores if score.decision)


@dataclass(frozen=True, slots=True)
class StancePrediction:
    """The stance of one sentence toward one target; fields as in TopicsPrediction.

    Attributes:
        conformal_set: the stances that stay possible at the level that the artefact names, the decided one
            among them; None where it names no level. See stancewire.doubt.Conformal for what that promises.
    """

    scores: tuple[Score, ...]
    warnings: tuple[Warn, ...]
    provenance: Provenance
    conformal_set: tuple[str, ...] | None = None
    cut_share: float = 0.0

    @property
    def label(self) -> str:
        """The one decided label."""
        return self._decided.label

    @property
    def probability(self) -> float:
        """The calibrated probability of the decided label."""
        return self._decided.probability

    @property
    def review(self) -> bool:
        """Whether a person should look at the decision."""
        return self._decided.review

    @property
    def _decided(self) -> Score:
        for score in self.scores:
            if score.decision:
                return score
        raise ValueError("no stance is decided; a predictor decides exactly one")


class Stance(NamedTuple):
    """The decided stance of one sentence toward one target, and no more.

    Attributes:
        label: the one decided label.
        probability: calibrated.
        review: whether a person should look at the decision.
    """

    label: str
    probability: float
    review: bool


# Scores, warnings, unread share, conformal set.
_Answer: TypeAlias = tuple[tuple[Score, ...], tuple[Warn, ...], float, tuple[str, ...] | None]


class _Batch(NamedTuple):
    """Some rows at once.

    Attributes:
        texts: every text of each row.
        raw: what the runtime answered.
        probabilities: calibrated, [n_rows, n_labels].
        decisions: bool, [n_rows, n_labels].
        review: bool, [n_rows, n_labels].
    """

    texts: list[tuple[str, ...]]
    raw: RawPrediction
    probabilities: Probabilities
    decisions: NDArray[np.bool_]
    review: NDArray[np.bool_]


class _Predictor(Generic[E]):
    """What both predictors share. Holds no state that a call changes: safe to call from several threads."""

    def __init__(self, artefact: Artefact, runtime: Runtime) -> None:
        manifest = artefact.manifest
        self.artefact = artefact
        self.labels = manifest.labels
        self.thresholds = np.asarray(manifest.thresholds, dtype=np.float32)
        self.provenance = Provenance(
            manifest.name, artefact.digest, manifest.codebook.id, manifest.codebook.version
        )
        self._runtime = runtime

    def with_thresholds(self, thresholds: Mapping[str, float]) -> Self:
        """Return a predictor of the same model that decides by other thresholds for some labels.

        What is for review stays as training chose it, for the model's own thresholds.
        """
        if not thresholds:
            return self
        manifest = self.artefact.manifest
        own = zip(self.labels, manifest.thresholds, strict=True)
        others = tuple(thresholds.get(label, threshold) for label, threshold in own)
        twin = copy(self)
        twin.artefact = replace(self.artefact, manifest=replace(manifest, thresholds=others))
        twin.thresholds = np.asarray(others, dtype=np.float32)
        return twin

    def _predict(self, examples: Sequence[E]) -> Iterator[_Answer]:
        """Yield what is said of every row."""
        limit = self.artefact.manifest.max_chars
        for batch in self._batches(examples):
            raw, decisions = batch.raw, batch.decisions
            unread: list[float] = [0.0] * len(batch.texts) if raw.cut is None else raw.cut.tolist()
            sets = self._conformal_sets(batch.probabilities, decisions)
            scores = map(
                self._scores, batch.probabilities.tolist(), decisions.tolist(), batch.review.tolist()
            )
            odd = (_oddities(texts, limit) for texts in batch.texts)
            rows = zip(scores, raw.blank.tolist(), odd, unread, sets, strict=True)
            for said, blank, (mixed, over), left, members in rows:
                cut = 1 - (1 - over) * (1 - left)
                yield said, _warnings(blank, cut > 0, mixed), cut, members

    def _batches(self, examples: Sequence[E]) -> Iterator[_Batch]:
        """Yield what the model says and what is decided, a bounded number of rows at a time."""
        start = 0
        while start < len(examples):
            texts = list(self._checked(examples, start))
            raw = self._runtime.predict(examples[start : start + len(texts)])
            probabilities = self._calibrated(raw, start, len(texts))
            decisions = decide(probabilities, self.thresholds, self.artefact.manifest.task)
            yield _Batch(texts, raw, probabilities, decisions, self._review(probabilities, decisions))
            start += len(texts)

    def _checked(self, examples: Sequence[E], start: int) -> Iterator[tuple[str, ...]]:
        """Refuse a row without text; yield the texts of the others, as many as make a batch."""
        in_batch = 0
        for row, example in enumerate(examples[start : start + BATCH_ROWS], start):
            if in_batch >= _BATCH_CHARS:
                return
            self._check(example, row)
            texts = self._texts(example)
            in_batch += sum(map(len, texts))
            yield texts

    def _calibrated(self, raw: RawPrediction, start: int, n_rows: int) -> Probabilities:
        """Calibrate, once every raw probability is known to be one: the argmax of NaN would be class 0."""
        shape = raw.probabilities.shape
        if shape != (n_rows, len(self.labels)):
            raise InputError(
                f"{self.provenance.model}: expected {n_rows} rows of {len(self.labels)} probabilities, "
                f"the runtime answered {shape}; export the artefact again"
            )
        bad = ~((raw.probabilities >= 0) & (raw.probabilities <= 1)).all(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"row {start + row}: {self.provenance.model} answered {raw.probabilities[row].tolist()}, "
                "which are no probabilities; leave the row out, or export the artefact again"
            )
        return self.artefact.manifest.calibration.apply(raw.probabilities, self.artefact.manifest.task)

    def _review(self, probabilities: Probabilities, decisions: NDArray[np.bool_]) -> NDArray[np.bool_]:
        abstention = self.artefact.manifest.abstention
        return np.zeros_like(decisions) if abstention is None else abstention.review(probabilities, decisions)

    def _scores(
        self, probabilities: list[float], decisions: list[bool], review: list[bool]
    ) -> tuple[Score, ...]:
        thresholds = self.artefact.manifest.thresholds
        return tuple(map(Score, self.labels, probabilities, thresholds, decisions, review))

    def _conformal_sets(
        self, probabilities: Probabilities, decisions: NDArray[np.bool_]
    ) -> list[tuple[str, ...] | None]:
        """Return for each row the labels that stay possible; None where nothing is promised."""
        return [None] * len(probabilities)

    def _check(self, example: E, row: int) -> None:
        """Refuse a row without text."""
        raise NotImplementedError

    def _texts(self, example: E) -> tuple[str, ...]:
        """Return every text of a checked row."""
        raise NotImplementedError


class TopicsPredictor(_Predictor[Article]):
    """Topics of articles; several labels may hold, or none."""

    task: Literal["topics"] = "topics"

    def predict(self, articles: Sequence[Article | str]) -> list[TopicsPrediction]:
        """Predict every article, in input order; a bare text is an article without a title.

        Raises:
            InputError: for an article without text, naming its position.
        """
        examples = [Article(text=item) if isinstance(item, str) else item for item in articles]
        return [
            TopicsPrediction(scores, warnings, self.provenance, cut)
            for scores, warnings, cut, _ in self._predict(examples)
        ]

    def _check(self, example: Article, row: int) -> None:
        _check_text(example.text, row, "text")

    def _texts(self, example: Article) -> tuple[str, ...]:
        return (example.title, example.text)


class StancePredictor(_Predictor[StanceExample]):
    """Stances of sentences toward targets; exactly one label holds."""

    task: Literal["stance"] = "stance"

    def predict(self, examples: Sequence[StanceExample]) -> list[StancePrediction]:
        """Predict every example, in input order.

        Raises:
            InputError: for an example without sentence or target, naming its position.
        """
        return [
            StancePrediction(scores, warnings, self.provenance, members, cut)
            for scores, warnings, cut, members in self._predict(examples)
        ]

    def decide(self, examples: Sequence[StanceExample]) -> list[Stance]:
        """Return the stance that `predict` decides for every example, several times as fast.

        Raises:
            InputError: as `predict`.
        """
        found: list[Stance] = []
        for batch in self._batches(examples):
            decided = batch.decisions.argmax(axis=1)
            rows = np.arange(len(decided))
            labels = [self.labels[label] for label in decided.tolist()]
            probabilities = batch.probabilities[rows, decided].tolist()
            review = batch.review[rows, decided].tolist()
            found += map(Stance, labels, probabilities, review)
        return found

    def _conformal_sets(
        self, probabilities: Probabilities, decisions: NDArray[np.bool_]
    ) -> list[tuple[str, ...] | None]:
        conformal = self.artefact.manifest.conformal
        if conformal is None:
            return super()._conformal_sets(probabilities, decisions)
        held = conformal.members(probabilities, decisions).tolist()
        return [tuple(compress(self.labels, members)) for members in held]

    def _check(self, example: StanceExample, row: int) -> None:
        _check_text(example.sentence, row, "sentence")
        _check_text(example.target, row, "target")

    def _texts(self, example: StanceExample) -> tuple[str, ...]:
        return (example.sentence, example.context, example.target, example.holder or "")


Predictor: TypeAlias = TopicsPredictor | StancePredictor


def load(
    path_or_uri: str | Path,
    *,
    runtime: str | None = None,
    threads: int | None = None,
    variant: str | None = None,
) -> Predictor:
    """Load an artefact and return the predictor of its task.

    Args:
        path_or_uri: the folder that training wrote, an MLflow model's folder, or an MLflow URI such as
            `models:/stancewire-topics@challenger`.
        runtime: what runs an encoder: "onnxruntime", "openvino", or "auto", the fastest one installed that
            passed the parity gate in training. None: as STANCEWIRE_RUNTIME says, or "auto".
        threads: of one call of an encoder. None: as STANCEWIRE_THREADS says, or every core of this process.
        variant: the numbers that an encoder computes with: "fp32", "bf16" or "int8". None: the fastest that
            passed the gate.

    Raises:
        ArtefactError: if it is missing, damaged, unsafe or of a newer version.
        MissingExtraError: for a URI, when mlflow is not installed; for a runtime that is not.
        StancewireError: for an option that is none, or that this machine cannot run.
    """
    from stancewire.runtime.open import open_runtime
    from stancewire.runtime.options import runtime_options

    options = runtime_options(runtime, threads=threads, variant=variant)
    with located(path_or_uri) as folder:
        artefact = read_artefact(folder)
    opened = open_runtime(artefact, options)
    if artefact.manifest.task == "topics":
        return TopicsPredictor(artefact, opened)
    return StancePredictor(artefact, opened)


def _warnings(blank: bool, cut: bool, odd: tuple[Warn, ...]) -> tuple[Warn, ...]:
    if not (blank or cut):
        return odd
    no_features: tuple[Warn, ...] = ("no_known_features",) if blank else ()
    too_long: tuple[Warn, ...] = ("text_cut",) if cut else ()
    return (*no_features, *too_long, *odd)


def _oddities(texts: tuple[str, ...], limit: int) -> tuple[tuple[Warn, ...], float]:
    """Return what is odd about the texts of a row, and the share of them that is over the limit."""
    mixed = not all(map(str.isascii, texts)) and any(
        not text.isascii() and mixed_script_words(clean(text, max_chars=limit)) for text in texts
    )
    chars = sum(map(len, texts))
    over = 0.0 if chars <= limit else sum(max(0, len(text) - limit) for text in texts) / chars
    return ("mixed_script",) if mixed else (), over


def _check_text(text: object, row: int, name: str) -> None:
    """Refuse what is no text, or holds nothing that can be read."""
    if not isinstance(text, str):
        raise InputError(f"row {row}: expected '{name}' to be a text, found a {type(text).__name__}")
    # No letter is ever cleaned away, so that most texts need not be cleaned to know that something is left.
    if not text[:1].isalnum() and not any(map(str.isalnum, text)) and not clean(text).strip():
        raise InputError(f"row {row}: expected a non-empty '{name}', found no readable character")
