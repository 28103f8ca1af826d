"""TF-IDF and a linear classifier: trains in seconds, and is the baseline of every other family.

Topics: one binary classifier per label, so that none, one or several may hold. Stance: one multinomial
classifier. What is exported are plain tables; stancewire.runtime.linear reads them without scikit-learn.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from models.base import ALONE, Examples, Family, FamilyConfig, FitContext, LabelledSet
from models.linear_rows import ClassWeights, check, check_terms, frequent, macro_f1, problems, weighted
from stancewire.calibration import Probabilities, Task
from stancewire.features import FEATURES, FEATURES_VERSION, Terms
from stancewire.runtime.linear import WEIGHTS, pack_terms, sigmoid, softmax
from stancewire.text import MAX_CHARS

_LOG = logging.getLogger(__name__)

Scores: TypeAlias = NDArray[np.float64]
Classifier: TypeAlias = LogisticRegression | LinearSVC
Positive = Annotated[float, Field(gt=0)]


class LinearConfig(FamilyConfig):
    """How the linear family learns."""

    family: Literal["linear"] = "linear"
    """Name of the family."""

    classifier: Literal["logistic_regression", "linear_svm"] = "logistic_regression"
    """What is fitted on the TF-IDF rows. The margins of an SVM pass through a sigmoid or softmax, and are
    probabilities only after calibration."""

    regularisation: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)] = (1.0, 3.0, 10.0)
    """Inverse strengths C: smaller is smoother. Several: the one with the best macro-F1 in grouped
    cross-validation inside train. One: no cross-validation."""

    folds: Annotated[int, Field(ge=2)] = 5
    """Folds of that cross-validation; rows of one group stay together."""

    min_documents: Annotated[int, Field(ge=1)] = 2
    """A term in fewer training rows is left out."""

    max_terms: Annotated[int, Field(ge=1)] = 50_000
    """Terms kept per block of features, the most frequent ones."""

    class_weights: ClassWeights = "balanced"
    """Weight of the rows where a label holds, by label name; a label not named has 1. "balanced": inverse to
    how often each label holds. null: 1 for all."""

    max_iterations: Annotated[int, Field(ge=1)] = 1_000
    """Steps after which the solver gives up."""


class Linear(Family):
    """TF-IDF blocks under logistic regression or a linear SVM.

    Learned:
        task_, labels_: as in the training rows.
        blocks_: names of the feature blocks in use.
        vectorizers_: one per block that holds any frequent term.
        classifiers_: one per label (topics) or one in all (stance).
        regularisation_: the inverse strength C in use.
    """

    name: ClassVar[str] = "linear"
    Config: ClassVar[type[FamilyConfig]] = LinearConfig
    takes_extra: ClassVar[bool] = True
    heeds_targets: ClassVar[bool] = False
    config: LinearConfig

    def fit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Learn from train and from the further rows of the context, by their weights; dev is not looked at.

        Raises:
            FitError: if the rows cannot teach what the config asks.
        """
        check(train, self.config.class_weights, self.config.folds if self._searches else 1)
        self._set_up(train)
        rows, weights = weighted(train, context.extra)
        terms = self._terms(rows.examples)
        # One thread: the solver's many small steps lose more by waiting for threads than they gain.
        with threadpool_limits(1):
            self.regularisation_ = (
                self._best(terms, rows, weights, len(train))
                if self._searches
                else self.config.regularisation[0]
            )
            self._classify(self._count(terms), rows, weights, self.regularisation_)
        return self

    def predict_probabilities(self, examples: Examples) -> Probabilities:
        """Return scikit-learn's own probabilities; the runtime is held to them by a test."""
        if not len(examples):
            return np.zeros((0, len(self.labels_)), dtype=np.float32)
        with threadpool_limits(1):
            return self._probabilities(self._matrix(self._terms(examples))).astype(np.float32)

    def export(self, folder: Path) -> dict[str, Any]:
        """Write the tables that stancewire.runtime.linear reads."""
        blocks = [vectorizer.get_feature_names_out().tolist() for vectorizer in self.vectorizers_.values()]
        coef, intercept = self._tables()
        tensors: dict[str, NDArray[Any]] = {
            "terms": pack_terms([term for block in blocks for term in block]),
            "idf": np.concatenate([v.idf_ for v in self.vectorizers_.values()]).astype(np.float32),
            "coef": np.ascontiguousarray(coef, dtype=np.float32),
            "intercept": np.ascontiguousarray(intercept, dtype=np.float64),
        }
        save_file(tensors, folder / WEIGHTS)
        counts = {name: len(block) for name, block in zip(self.vectorizers_, blocks, strict=True)}
        return {"features": FEATURES_VERSION, "terms": counts}

    @property
    def _searches(self) -> bool:
        return len(self.config.regularisation) > 1

    def _set_up(self, train: LabelledSet) -> None:
        self.task_: Task = train.task
        self.labels_ = train.labels
        features = FEATURES[train.task]
        blind = self.config.target_blind and train.task == "stance"
        self.blocks_ = (
            tuple(name for name in features.blocks if name in features.target_blind)
            if blind
            else features.blocks
        )

    def _terms(self, examples: Examples) -> list[Terms]:
        """Return the terms of each row, one list per block in use."""
        features = FEATURES[self.task_]
        in_use = [features.blocks.index(name) for name in self.blocks_]
        rows = features.extract_all(examples, MAX_CHARS)
        return [tuple(row[block] for block in in_use) for row in rows]

    def _best(self, terms: list[Terms], rows: LabelledSet, weights: Scores, n_train: int) -> float:
        """Return the inverse strength with the best macro-F1 on held-out groups; of equals, the first.

        Rows beyond those of train teach in every fold and judge in none.
        """
        strengths, train = self.config.regularisation, rows.take(range(n_train))
        held_out = {c: np.zeros(train.truth.shape) for c in strengths}
        folds = GroupKFold(self.config.folds, shuffle=True, random_state=self.seed)
        for own, held in folds.split(terms[:n_train], groups=train.groups):
            fitted = np.append(own, np.arange(n_train, len(rows)))
            part = Linear(self.config, seed=self.seed)
            part._set_up(train)
            kept = rows.take(fitted)
            check(kept, self.config.class_weights, 1)
            matrix = part._count([terms[i] for i in fitted])
            asked = part._matrix([terms[i] for i in held])
            found: Sequence[Classifier] = ()
            for c in strengths:
                part._classify(matrix, kept, weights[fitted], c, found)
                found = part.classifiers_
                held_out[c][held] = part._probabilities(asked)
        scores = [macro_f1(held_out[c], train) for c in strengths]
        for c, score in zip(strengths, scores, strict=True):
            _LOG.info("regularisation %g: macro-F1 %.4f in cross-validation", c, score)
        return strengths[int(np.argmax(scores))]

    def _count(self, terms: list[Terms]) -> csr_matrix:
        """Learn the vocabularies and return the matrix of the rows that they come from."""
        vocabularies = {
            name: frequent([row[block] for row in terms], self.config.min_documents, self.config.max_terms)
            for block, name in enumerate(self.blocks_)
        }
        check_terms(vocabularies, self.config.min_documents)
        self.vectorizers_ = {
            name: TfidfVectorizer(
                analyzer=itemgetter(block), lowercase=False, sublinear_tf=True, vocabulary=vocabulary
            ).fit(terms)
            for block, (name, vocabulary) in enumerate(vocabularies.items())
            if vocabulary
        }
        return self._matrix(terms)

    def _classify(
        self,
        matrix: csr_matrix,
        rows: LabelledSet,
        weights: Scores,
        c: float,
        begin: Sequence[Classifier] = (),
    ) -> None:
        """Learn the classifiers, one for each problem.

        Args:
            matrix: of the rows.
            rows: with their labels.
            weights: of the rows.
            c: inverse strength of regularisation.
            begin: those of the same rows and another strength, to go on from, which takes fewer steps; they
                are changed.
        """
        asked = problems(rows, self.config.class_weights, weights)
        self.classifiers_ = [
            self._classifier(c, problem.class_weight, first).fit(
                matrix[problem.rows], problem.truth, sample_weight=weights[problem.rows]
            )
            for problem, first in zip_longest(asked, begin)
        ]

    def _classifier(self, c: float, class_weight: dict[int, float], begin: Classifier | None) -> Classifier:
        steps = self.config.max_iterations
        if self.config.classifier == "linear_svm":
            return LinearSVC(C=c, class_weight=class_weight, max_iter=steps, random_state=self.seed)
        if begin is not None:
            return begin.set_params(C=c, warm_start=True)
        return LogisticRegression(C=c, class_weight=class_weight, max_iter=steps)

    def _matrix(self, terms: list[Terms]) -> csr_matrix:
        return hstack(
            [vectorizer.transform(terms) for vectorizer in self.vectorizers_.values()], format="csr"
        )

    def _probabilities(self, matrix: csr_matrix) -> Scores:
        if self.config.classifier == "linear_svm":
            coef, intercept = self._tables()
            scores = matrix @ coef.T + intercept
            return sigmoid(scores) if self.task_ == "topics" else softmax(scores)
        if self.task_ == "topics":
            return np.column_stack([c.predict_proba(matrix)[:, 1] for c in self.classifiers_])
        return np.asarray(self.classifiers_[0].predict_proba(matrix))

    def _tables(self) -> tuple[Scores, Scores]:
        """Return coefficients [labels, terms] and intercepts [labels]."""
        coef = np.vstack([classifier.coef_ for classifier in self.classifiers_])
        intercept = np.concatenate([classifier.intercept_ for classifier in self.classifiers_])
        if self.task_ == "stance" and len(self.labels_) == 2:
            # scikit-learn keeps one row for two classes; halves of it, of either sign, give the same softmax.
            coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
        return coef, intercept
