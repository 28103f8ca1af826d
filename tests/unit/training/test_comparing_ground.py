"""Which rows models are compared on: the same for both, and seen by neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancewire.artefact import Artefact
from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.manifest import Manifest
from stancewire.predictor import load
from tests.corpora import STANCES, TOPICS, row_of, text_of, write_jsonl
from training.comparing.ground import Ground, common_ground
from training.comparing.models import Model, load_models
from training.config import RunConfig
from training.config_file import validate
from training.evaluate.metrics import evaluate
from training.export import export
from training.fit import fit
from training.prepare import Corpora, Prepared, prepare
from training.record import provenance

ROOT = Path(__file__).resolve().parents[3]
TOPIC_WORDS = dict(zip(TOPICS, ("shells", "envoys", "embargo"), strict=True))
STANCE_WORDS = dict(zip(STANCES, ("condemned", "welcomed", "described", "harvested"), strict=True))


def told_row(number: int) -> dict[str, Any]:
    """A row whose words tell its labels, but for every ninth, which lies."""
    said, held = (number + (number % 9 == 8), number)
    topics = [topic for bit, topic in enumerate(TOPICS) if held >> bit & 1]
    words = [TOPIC_WORDS[topic] for bit, topic in enumerate(TOPICS) if said >> bit & 1]
    parts = [f"{text_of(f'part {number}', 1, 8)[:-1]} {word}." for word in words]
    verbs = [STANCE_WORDS[STANCES[(said + i) % 4]] for i in range(2)]
    sentences = [f"{text_of(f'{number} {i}', 1, 5)[:-1]} {verb} it." for i, verb in enumerate(verbs)]
    stances = [
        {
            "sentence": sentence,
            "target": f"deal {number % 7}",
            "label": STANCES[(held + i) % 4],
            "holder": None,
        }
        for i, sentence in enumerate(sentences)
    ]
    text = " ".join([text_of(number, 2), *parts, *sentences])
    return row_of(number, text=text, topics=topics, stances=stances)


def told_corpus(folder: Path, n_rows: int = 160, first: int = 0, name: str = "told.jsonl") -> Path:
    return write_jsonl(folder / name, [told_row(number) for number in range(first, first + n_rows)])


def config_of(data: Path, task: str = "topics", **changes: object) -> RunConfig:
    """A quick run; sections are merged."""
    settings: dict[str, Any] = {
        "task": task,
        "data": {"path": str(data), "codebook": str(ROOT / "data/codebook.yaml")},
        "model": {"regularisation": [3.0]},
        "evaluation": {"random_split": False, "samples": 100, "behaviour": False},
    }
    for key, value in changes.items():
        settings[key] = {**settings.get(key, {}), **value} if isinstance(value, Mapping) else value
    return validate(settings, {}, "a test")


def prepared_of(config: RunConfig) -> Prepared:
    return prepare(config, Corpora(), lambda step: None)


def ship(config: RunConfig, folder: Path) -> Artefact:
    """Train and export as a run does, without MLflow."""
    prepared = prepared_of(config)
    trial, test = fit(config, config.model, prepared.parts), prepared.parts.test
    found = evaluate(
        test.truth,
        trial.probabilities,
        trial.decisions,
        labels=test.labels,
        task=config.task,
        groups=test.groups,
        samples=100,
    )
    return export(
        trial.fitted,
        folder,
        name=config.name,
        codebook=prepared.corpus.codebook,
        metrics={"test": {"linear": found.to_dict()}, "parity": {"agreement": 1.0}},
        provenance=provenance(prepared),
    )


@cache
def data_in(base: Path) -> Path:
    (base / "told").mkdir()
    return told_corpus(base / "told")


@cache
def shipped_in(base: Path) -> Mapping[str, Path]:
    data, home = data_in(base), base / "shipped"
    home.mkdir()
    configs = {
        "plain": config_of(data),
        "few terms": config_of(data, model={"max_terms": 20}),
        "seed": config_of(data, seed=1),
        "time": config_of(data, split={"by": "time"}),
        "other data": config_of(told_corpus(home, name="other.jsonl", first=1)),
        "stance": config_of(data, "stance"),
    }
    return {name: ship(config, home / name.replace(" ", "-")).path for name, config in configs.items()}


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Artefacts by what is special about them; other modules import this, so that it is made once."""
    return shipped_in(tmp_path_factory.getbasetemp())


def models(shipped: Mapping[str, Path], *names: str) -> list[Model]:
    return load_models([(side, str(shipped[name])) for side, name in zip("AB", names, strict=False)])


def ground(of: list[Model], data: str | None = None) -> Ground:
    return common_ground(of, data, lambda step: None)


def changed(model: Model, **changes: object) -> Model:
    """The same model with another manifest."""
    predictor = load(model.given)
    values: dict[str, Any] = changes
    manifest = replace(predictor.artefact.manifest, **values)
    predictor.artefact = replace(predictor.artefact, manifest=manifest)
    return Model(model.name, model.given, predictor)


@pytest.mark.parametrize("names", [("plain",), ("plain", "few terms"), ("stance",)])
def test_the_default_is_the_test_part_to_the_last_row(
    shipped: Mapping[str, Path], data: Path, names: tuple[str, ...]
) -> None:
    task = "stance" if names == ("stance",) else "topics"
    expected = prepared_of(config_of(data, task)).parts.test
    found = ground(models(shipped, *names))
    assert (found.part, found.source, found.unknown) == ("test", str(data), ())
    assert found.rows.examples == expected.examples
    assert found.rows.groups == expected.groups
    np.testing.assert_array_equal(found.rows.truth, expected.truth)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("plain", "seed"), "A and B were split differently (seed 0 and 1)"),
        (("plain", "time"), "A and B were split differently (split.by 'event' and 'time')"),
        (("plain", "other data"), "A and B were trained on different data"),
        (("plain", "stance"), "the task of A is 'topics', that of B is 'stance'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    shipped: Mapping[str, Path], names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        ground(models(shipped, *names))


def test_a_test_part_that_leaks_is_refused(data: Path, tmp_path: Path) -> None:
    rows = [told_row(number) for number in range(160)]
    for row in rows:
        row["stances"][0] |= {"sentence": "They condemned it.", "target": f"deal {row['id']}"}
        row["text"] += " They condemned it."
    leaky = write_jsonl(tmp_path / "leaky.jsonl", rows)
    config = config_of(leaky, "stance", split={"allow_leaks": ["same_sentence"]})
    model = load_models([("A", str(ship(config, tmp_path / "leaky").path))])
    with pytest.raises(InputError, match=r"the test part of .*: wanted rows that A .* has not seen, \d+ of"):
        ground(model)


def test_data_that_changed_since_are_refused(tmp_path: Path) -> None:
    own = told_corpus(tmp_path)
    model = load_models([("A", str(ship(config_of(own), tmp_path / "model").path))])
    own.write_text(own.read_text() + "\n")
    with pytest.raises(InputError, match=r"has changed since A .* was trained: expected sha256"):
        ground(model)
    own.unlink()
    with pytest.raises(InputError, match=r"(?s)A .*no such file.*--data PATH"):
        ground(model)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: {"labels": ("arms_trade", "diplomacy", "war")}, "the labels of A is"),
        (lambda m: {"codebook": replace(m.codebook, version="9")}, "the codebook of A is"),
        (lambda m: {"codebook": replace(m.codebook, sha256="0" * 64)}, "the codebook of A is"),
    ],
)
def test_other_labels_or_codebooks_are_refused(
    shipped: Mapping[str, Path], change: Callable[[Manifest], dict[str, object]], says: str
) -> None:
    a, b = models(shipped, "plain", "plain")
    with pytest.raises(InputError, match=says):
        ground([a, changed(b, **change(b.manifest))])


def test_a_codebook_that_changed_since_is_refused(shipped: Mapping[str, Path], data: Path) -> None:
    (a,) = models(shipped, "plain")
    other = changed(a, codebook=replace(a.manifest.codebook, sha256="0" * 64))
    for where in (None, str(data)):
        with pytest.raises(InputError, match=r"answers by codebook .* \(sha256 000000000000\)"):
            ground([other], where)


def test_a_manifest_without_a_config_or_with_other_parts_is_refused(shipped: Mapping[str, Path]) -> None:
    (a,) = models(shipped, "plain")
    told: dict[str, Any] = dict(a.manifest.provenance)
    with pytest.raises(InputError, match="wanted a manifest that tells how its data were split"):
        ground([changed(a, provenance={"data": told["data"]})])
    split = told["split"] | {"train": {"rows": 1, "stories": 1, "sha256": "0" * 64}}
    with pytest.raises(InputError, match=r"the train part of A .* comes out differently now"):
        ground([changed(a, provenance=told | {"split": split})])


def test_rows_of_ones_own_must_be_new(shipped: Mapping[str, Path], data: Path, tmp_path: Path) -> None:
    pair = models(shipped, "plain", "few terms")
    new = told_corpus(tmp_path, 30, first=1000)
    found = ground(pair, str(new))
    assert (found.part, len(found.rows), found.unknown) == ("all", 30, ())
    with pytest.raises(InputError, match=r"has not seen, 128 of 160 taught or tuned it, such as "):
        ground(pair, str(data))
    parts = prepared_of(config_of(data)).parts
    for part in (parts.train, parts.dev):
        first = part.examples[0]
        assert isinstance(first, Article)
        old = told_row(int(first.id[1:])) | {"title": "Another title", "id": "new"}
        mixed = write_jsonl(tmp_path / "mixed.jsonl", [told_row(1000), old])
        with pytest.raises(InputError, match="1 of 2 taught or tuned it"):
            ground(pair, str(mixed))


def test_without_digests_the_data_are_split_again(
    shipped: Mapping[str, Path], data: Path, tmp_path: Path
) -> None:
    (a,) = models(shipped, "plain")
    told: dict[str, Any] = {k: v for k, v in a.manifest.provenance.items() if k != "train_digests"}
    assert len(told) < len(a.manifest.provenance)
    bare = changed(a, provenance=told)
    with pytest.raises(InputError, match="128 of 160 taught or tuned it"):
        ground([bare], str(data))
    new = str(told_corpus(tmp_path, 30, first=1000))
    assert ground([bare], new).unknown == ()
    told["config"] = told["config"] | {
        "data": told["config"]["data"] | {"path": str(tmp_path / "gone.jsonl")}
    }
    (doubt,) = ground([changed(a, provenance=told)], new).unknown
    assert doubt.startswith("whether A has seen these rows is not known: A (stancewire-topics): ")


def test_a_sample_of_digests_leaves_a_doubt(shipped: Mapping[str, Path], tmp_path: Path) -> None:
    (a,) = models(shipped, "plain")
    told: dict[str, Any] = dict(a.manifest.provenance)
    digests = told["train_digests"]
    more = digests | {"train": digests["train"] | {"distinct": 90_000}}
    known = ground(
        [changed(a, provenance=told | {"train_digests": more})], str(told_corpus(tmp_path, 20, first=1000))
    )
    assert len(known.unknown) == 1
    assert "its manifest keeps 128 of 90,032 texts" in known.unknown[0]


def test_rows_without_labels_do_not_judge(shipped: Mapping[str, Path], tmp_path: Path) -> None:
    model = models(shipped, "plain")
    rows = [told_row(1000), told_row(1001) | {"topics": None}]
    assert len(ground(model, str(write_jsonl(tmp_path / "some.jsonl", rows))).rows) == 1
    with pytest.raises(InputError, match="wanted rows with topics labels to judge on, found none"):
        ground(model, str(write_jsonl(tmp_path / "none.jsonl", rows[1:])))
