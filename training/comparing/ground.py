"""The rows that models are compared on: seen by none of them, the same for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.base import LabelledSet
from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.section import shown
from training.comparing.models import Model, check_alike
from training.config import RunConfig
from training.config_file import validate
from training.data.codebook import BUNDLED, load_codebook
from training.data.load import Corpus, read_corpus
from training.data.tables import labelled_set
from training.prepare import Corpora, Prepared, prepare
from training.report.seen import Digests, Seen, text_digests

Report = Callable[[str], None]

_ELSEWHERE = "--data PATH judges both on rows that you name"
# What a split depends on: the rows and their order, the stories, the balance, the shares, the draw.
_SPLITTING = ("data", "split", "seed")


@dataclass(frozen=True)
class Ground:
    """Labelled rows to judge on.

    Attributes:
        source: the corpus that they are of.
        digest: sha256 of it.
        part: "test", that of the models' own split, or "all".
        rows: examples, truth and stories.
        unknown: why it is not known whether some model has seen some of them; empty where none has.
    """

    source: str
    digest: str
    part: str
    rows: LabelledSet
    unknown: tuple[str, ...] = ()


def common_ground(models: Sequence[Model], data: str | None, report: Report) -> Ground:
    """Return rows that models can be compared on.

    Args:
        models: one or more.
        data: a corpus, all of whose labelled rows judge; None takes the test part that the models share.
        report: told what is being done.

    Raises:
        InputError: if the models answer different questions, were split differently, or have seen the rows.
        StancewireError: if the rows cannot be read.
    """
    check_alike(models)
    corpora = Corpora()
    return _test_part(models, corpora, report) if data is None else _all_of(data, models, corpora, report)


def _test_part(models: Sequence[Model], corpora: Corpora, report: Report) -> Ground:
    """Split again as each model was, and see that the test is the same to the last row."""
    configs = [_config(model) for model in models]
    _check_same_split(models, configs)
    prepared = [_as_trained(*pair, corpora, report) for pair in zip(models, configs, strict=True)]
    first = prepared[0]
    where = f"the test part of {first.corpus.source}"
    for model, own in zip(models, prepared, strict=True):
        _check_unseen(model, _digests(own), first.parts.test, where, _ELSEWHERE)
    return Ground(first.corpus.source, first.corpus.digest, "test", first.parts.test)


def _all_of(data: str, models: Sequence[Model], corpora: Corpora, report: Report) -> Ground:
    report(f"reading {data}")
    corpus = read_corpus(data, codebook=load_codebook(_codebook_of(models[0])))
    _check_codebook(models[0], corpus)
    every = labelled_set(corpus, models[0].manifest.task)
    labelled = np.flatnonzero(~np.isnan(every.truth).all(axis=1))
    if not len(labelled):
        raise InputError(f"{data}: wanted rows with {every.task} labels to judge on, found none")
    rows = every.take(labelled)
    unknown = []
    for model in models:
        digests, doubt = _known(model, corpora, report)
        _check_unseen(model, digests, rows, data, "leave out --data to judge on the models' own test part")
        unknown += [f"whether {model.name} has seen these rows is not known: {doubt}"] if doubt else []
    return Ground(corpus.source, corpus.digest, "all", rows, tuple(unknown))


def _config(model: Model) -> RunConfig:
    """Return the config that a manifest keeps.

    Raises:
        InputError: if it keeps none that can be read.
    """
    told = model.manifest.provenance.get("config")
    try:
        return validate(_plain(told), {}, "provenance.config")
    except StancewireError as error:
        reason = str(error).splitlines()[-1].strip()
    raise InputError(
        f"{model.name} ({model.manifest.name}): wanted a manifest that tells how its data were split, found "
        f"none that this version reads ({reason}); {_ELSEWHERE}"
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    return value


def _check_same_split(models: Sequence[Model], configs: Sequence[RunConfig]) -> None:
    """See that the manifests name the same data and the same test rows.

    Raises:
        InputError: saying what differs.
    """
    for other, config in list(zip(models, configs, strict=True))[1:]:
        first = models[0]
        pair = f"{first.name} and {other.name}"
        if (one := _told(first, "data", "sha256")) != (two := _told(other, "data", "sha256")):
            raise InputError(
                f"{pair} were trained on different data: {configs[0].data.path} (sha256 {one[:12]}) and "
                f"{config.data.path} (sha256 {two[:12]}); {_ELSEWHERE}"
            )
        if _told(first, "split", "test", "sha256") != _told(other, "split", "test", "sha256"):
            raise InputError(
                f"{pair} were split differently{_difference(configs[0], config)}: the test of one is not "
                f"that of the other; {_ELSEWHERE}"
            )


def _told(model: Model, *path: str) -> str:
    """Return a text of a manifest's provenance, "" where there is none."""
    here: Any = model.manifest.provenance
    for step in path:
        here = here.get(step) if isinstance(here, Mapping) else None
    return here if isinstance(here, str) else ""


def _difference(one: RunConfig, other: RunConfig) -> str:
    """Say which settings of a split differ, as " (seed 0 and 1)"."""
    from training.tracking import flatten

    first, second = (
        flatten(config.model_dump(mode="json", include=set(_SPLITTING))) for config in (one, other)
    )
    told = [
        f"{name} {shown(first.get(name))} and {shown(second.get(name))}"
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    ]
    return f" ({', '.join(told)})" if told else ""


def _as_trained(model: Model, config: RunConfig, corpora: Corpora, report: Report) -> Prepared:
    """Split as a model was.

    Raises:
        InputError: if what is there now is not what the model was trained on.
    """
    from training.record import parts_of

    try:
        prepared = prepare(config, corpora, report)
    except StancewireError as error:
        raise InputError(f"{model.name} ({model.manifest.name}): {error}\n  {_ELSEWHERE}") from error
    _check_codebook(model, prepared.corpus)
    if (now := prepared.corpus.digest) != (then := _told(model, "data", "sha256")):
        raise InputError(
            f"{config.data.path} has changed since {model.name} ({model.manifest.name}) was trained: "
            f"expected sha256 {then[:12]}, found {now[:12]}; {_ELSEWHERE}"
        )
    for name, part in parts_of(prepared).items():
        if part["sha256"] != _told(model, "split", name, "sha256"):
            raise InputError(
                f"{config.data.path}: the {name} part of {model.name} ({model.manifest.name}) comes out "
                f"differently now than when it was trained; train it again, or: {_ELSEWHERE}"
            )
    return prepared


def _check_codebook(model: Model, corpus: Corpus) -> None:
    book, now = model.manifest.codebook, corpus.codebook
    if book.sha256 != now.digest:
        raise InputError(
            f"{model.name} ({model.manifest.name}) answers by codebook {book.id} {book.version} (sha256 "
            f"{book.sha256[:12]}), the labels of {corpus.source} are read by {now.id} {now.version} (sha256 "
            f"{now.digest[:12]}); bring back the codebook that it was trained with"
        )


def _codebook_of(model: Model) -> str:
    """Return the file of the codebook that a model was trained with."""
    try:
        return _config(model).data.codebook
    except InputError:
        return BUNDLED


def _known(model: Model, corpora: Corpora, report: Report) -> tuple[Digests, str]:
    """Return digests of the texts that taught or tuned a model, and why others may be missing, or ""."""
    if seen := Seen.of(model.manifest):
        kept = np.concatenate([seen.train.digests, seen.dev.digests])
        texts = seen.train.distinct + seen.dev.distinct
        return kept, "" if seen.whole else f"its manifest keeps {len(kept):,} of {texts:,} texts"
    try:  # an artefact from before manifests told so
        return _digests(_as_trained(model, _config(model), corpora, report)), ""
    except StancewireError as error:
        return np.empty(0, np.uint64), str(error)


def _digests(prepared: Prepared) -> Digests:
    return np.concatenate([text_digests(part) for part in (prepared.parts.train, prepared.parts.dev)])


def _check_unseen(model: Model, known: Digests, rows: LabelledSet, where: str, advice: str) -> None:
    """Refuse rows that taught or tuned a model: it would be judged on what it was told.

    Raises:
        InputError: with their number and the first of them.
    """
    seen = np.flatnonzero(np.isin(text_digests(rows), known))
    if len(seen):
        first: Article | StanceExample = rows.examples[int(seen[0])]
        text = first.text if isinstance(first, Article) else first.sentence
        raise InputError(
            f"{where}: wanted rows that {model.name} ({model.manifest.name}) has not seen, {len(seen):,} of "
            f"{len(rows):,} taught or tuned it, such as {shown(text)}; take those out, or {advice}"
        )
