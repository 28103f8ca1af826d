"""What every model family keeps, run over all of them and both tasks."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.base import Family, LabelledSet
from models.encoder.config import EncoderConfig
from models.encoder.family import EncoderFamily
from models.errors import FitError, UnknownFamilyError
from models.fewshot.family import FewshotFamily
from models.linear import Linear
from stancewire.examples import Article, StanceExample
from tests.unit.models.backbones import quick, quick_few
from tests.unit.models.rows import bundled_articles, bundled_stances, stance_rows, topics_rows


@dataclass(frozen=True)
class Case:
    """A family with a config on rows of a task."""

    family: str
    config: Callable[[], dict[str, Any]]
    rows: Callable[[], LabelledSet]

    def new(self, seed: int = 3, **changes: object) -> Family:
        """Return an unfitted model."""
        kind = registry.family(self.family)
        return kind(kind.Config(**(self.config() | changes)), seed=seed)

    def fitted(self) -> Family:
        """Return a newly fitted model."""
        rows = self.rows()
        return self.new().fit(rows, rows)


@cache
def learned(case: Case) -> Family:
    """Return a fitted model, the same for all who only ask it."""
    return case.fitted()


def logistic_regression() -> dict[str, Any]:
    """The linear family with its default classifier."""
    return {"classifier": "logistic_regression"}


def linear_svm() -> dict[str, Any]:
    """The linear family with the other one."""
    return {"classifier": "linear_svm"}


def both() -> dict[str, Any]:
    """The encoder family with a linear model that answers too."""
    return quick(linear_share=0.4)


def two_stances() -> LabelledSet:
    """Rows of two labels, which scikit-learn keeps in one row of coefficients."""
    return stance_rows(labels=("against", "favor"))


CASES = {
    f"linear, {classifier.__name__}, {rows.__name__}": Case("linear", classifier, rows)
    for classifier in (logistic_regression, linear_svm)
    for rows in (topics_rows, stance_rows, two_stances)
} | {
    f"{family}, {rows.__name__}": Case(family, settings, rows)
    for family, settings in (("encoder", quick), ("fewshot", quick_few))
    for rows in (topics_rows, stance_rows)
}
CASES |= {
    f"encoder and linear, {rows.__name__}": Case("encoder", both, rows) for rows in (topics_rows, stance_rows)
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_every_family_stands_under_the_contract() -> None:
    assert {case.family for case in CASES.values()} == set(registry.names())


def test_the_registered_families() -> None:
    assert registry.names() == ("encoder", "fewshot", "linear")
    assert registry.family("encoder") is EncoderFamily
    assert registry.family("fewshot") is FewshotFamily
    assert registry.family("linear") is Linear


def test_a_second_family_of_one_name_is_refused() -> None:
    class Other(Linear):
        pass

    with pytest.raises(ValueError, match=r"'linear' is Linear already; give .*Other another name"):
        registry.register(Other)
    assert registry.register(Linear) is Linear
    assert registry.family("linear") is Linear


def test_an_unknown_family_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownFamilyError, match=r"'liner'; did you mean 'linear'\? the families are: encoder, "
    ):
        registry.family("liner")
    with pytest.raises(UnknownFamilyError, match="'tree'; the families are"):
        registry.family("tree")


@every_case
def test_a_constructor_only_stores(case: Case) -> None:
    model = case.new()
    assert set(vars(model)) == {"config", "seed"}


@every_case
def test_fit_returns_the_model_and_learned_names_end_in_an_underscore(case: Case) -> None:
    model, rows = case.new(), case.rows()
    config, truth = model.config, rows.truth.copy()
    assert model.fit(rows, rows) is model
    names = set(vars(model)) - {"config", "seed"}
    assert names
    assert all(name.endswith("_") for name in names)
    assert model.config is config
    np.testing.assert_array_equal(rows.truth, truth)


@every_case
def test_probabilities(case: Case) -> None:
    model, rows = learned(case), case.rows()
    examples: Any = bundled_articles()[-60:] if rows.task == "topics" else bundled_stances()[-60:]
    found = model.predict_probabilities(examples)
    assert found.dtype == np.float32
    assert found.shape == (60, len(rows.labels))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found <= 1).all()
    if rows.task == "stance":
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@every_case
def test_what_was_taught_is_known(case: Case) -> None:
    model, rows = learned(case), case.rows()
    found = model.predict_probabilities(rows.examples)
    decided = found > 0.5 if rows.task == "topics" else found == found.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(decided, rows.truth == 1)


@every_case
def test_no_rows_give_no_rows(case: Case) -> None:
    model = learned(case)
    found = model.predict_probabilities(())
    assert found.shape == (0, len(case.rows().labels))
    assert found.dtype == np.float32


@every_case
def test_rows_are_answered_alike_alone_and_in_any_order(case: Case) -> None:
    model, rows = learned(case), case.rows()
    together = model.predict_probabilities(rows.examples)
    turned: Any = rows.examples[::-1]
    np.testing.assert_allclose(model.predict_probabilities(turned)[::-1], together, atol=1e-6)
    for position in (0, 7):
        alone: Any = rows.examples[position : position + 1]
        np.testing.assert_allclose(
            model.predict_probabilities(alone), together[position : position + 1], atol=1e-6
        )


def digest(case: Case, folder: Path) -> str:
    """The digest of what a newly fitted model exports."""
    folder.mkdir()
    model = case.fitted().export(folder)
    found = hashlib.sha256(repr(model).encode())
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


@every_case
def test_the_same_seed_gives_the_same_bytes(case: Case, tmp_path: Path) -> None:
    assert digest(case, tmp_path / "one") == digest(case, tmp_path / "two")


def test_other_processes_give_the_same_bytes(tmp_path: Path) -> None:
    case = CASES["linear, logistic_regression, stance_rows"]
    program = (
        "import sys; from pathlib import Path;"
        "from tests.unit.models.test_family_contract import CASES, digest;"
        "print(digest(CASES['linear, logistic_regression, stance_rows'], Path(sys.argv[1])))"
    )
    found = {digest(case, tmp_path / "here")}
    for hash_seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"}
        command = [sys.executable, "-c", program, str(tmp_path / hash_seed)]
        root = Path(__file__).parents[3]
        done = subprocess.run(  # noqa: S603 - the command is ours
            command, env=environment, cwd=root, capture_output=True, text=True, check=True
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


@every_case
def test_one_row_is_refused(case: Case) -> None:
    rows = case.rows().take([0])
    with pytest.raises(FitError, match="at least 2 training rows, got 1"):
        case.new().fit(rows, rows)


@every_case
def test_a_label_without_rows_is_refused(case: Case) -> None:
    rows = case.rows()
    kept = np.flatnonzero(rows.truth[:, 0] == 0)
    with pytest.raises(FitError, match=rf"{rows.labels[0]} \(0 with it, {len(kept)} without\)"):
        case.new().fit(rows.take(kept), rows)


@every_case
def test_one_class_only_is_refused(case: Case) -> None:
    rows = case.rows()
    kept = np.flatnonzero(rows.truth[:, 0] == 1)
    with pytest.raises(FitError, match=rf"{rows.labels[0]} \({len(kept)} with it, 0 without\)"):
        case.new().fit(rows.take(kept), rows)


@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.family == "linear" and case.rows is topics_rows]
)
def test_articles_without_any_word_are_refused(case: Case) -> None:
    rows = case.rows()
    with pytest.raises(FitError, match=r"min_documents.*got none"):
        case.new().fit(replace(rows, examples=(Article(text="?"),) * len(rows)), rows)


def test_an_encoder_answers_alone_where_its_rows_teach_no_linear_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = stance_rows()
    examples: Any = tuple(StanceExample(sentence=f"w{row}", target=f"t{row}") for row in range(len(rows)))
    odd = replace(rows, examples=examples)
    model = EncoderFamily(EncoderConfig(**both() | {"epochs": 1, "target_blind": True}), seed=1).fit(odd, odd)
    assert dict(model.beside) == {}
    assert "the encoder answers alone" in caplog.text
    np.testing.assert_array_equal(model.predict_probabilities(examples), model.learned_.answer(examples))
