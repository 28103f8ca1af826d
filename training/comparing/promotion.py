"""Move the alias `champion` to a registered version, if every gate lets it pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from stancewire.errors import InputError, StancewireError
from stancewire.strictjson import dumps
from training.comparing.gates import Gate, Trial, against_champion, artefact_gate, judge, unjudged
from training.comparing.ground import Report, common_ground
from training.comparing.models import Model, load_models
from training.comparing.pairing import ask
from training.comparing.settings import GateName, PromoteConfig
from training.comparing.store import ARTEFACT_TAG, Store, Version
from training.comparing.words import verdict

GATES_TAG, OVER_TAG = "stancewire.gates", "stancewire.promoted_over"
FORCED_TAG, REFUSED_TAG = "stancewire.forced", "stancewire.refused"
LINEAR = "linear"
# Tags hold 5,000 characters in older servers; nine gates fit.
_TAG_CHARS = 160

Outcome = Literal["promoted", "refused", "already champion"]


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        name: of the registered model.
        number: of the version; None takes the alias.
        alias: of the version.
        data: a corpus to judge on; None takes the test part that the models share.
        force: why to promote whatever the gates say; None does not.
        dry_run: judge and change nothing.
        config: what the gates ask for.
    """

    name: str
    number: int | None
    alias: str
    data: str | None
    force: str | None
    dry_run: bool
    config: PromoteConfig


@dataclass(frozen=True)
class Promotion:
    """What came of it.

    Attributes:
        outcome: with a dry run, what would have come of it.
        version: that asked to become champion.
        over: the champion that it was judged against; None where there was none.
        gates: in the order in which they are told.
        sentence: the comparison with the champion in words, or "".
    """

    outcome: Outcome
    version: Version
    over: Version | None
    gates: tuple[Gate, ...] = ()
    sentence: str = ""


def promote(request: Request, store: Store, report: Report) -> Promotion:
    """Judge a version and promote it where every gate lets it pass.

    Raises:
        InputError: if there is no such version, or it and the champion cannot be judged on the same rows.
        MovedError: if another version became champion meanwhile.
        StancewireError: if MLflow cannot be used, or the rows cannot be read.
    """
    report("asking the registry")
    version = store.version(request.name, request.number, request.alias)
    over = store.champion(request.name)
    if over and over.number == version.number:
        return Promotion("already champion", version, over)
    loaded = _loaded(version, report)
    gates = [artefact_gate(loaded, version.tags.get(ARTEFACT_TAG))]
    sentence = ""
    if isinstance(loaded, Model):
        more, sentence = _judged(request, store, loaded, over, report)
        gates += more
    else:
        gates += unjudged(_rest(), "the artefact cannot be loaded")
    refusing = [gate.name for gate in gates if gate.refuses(request.config)]
    # What cannot be loaded would break whoever serves it: no reason is good enough.
    lets = isinstance(loaded, Model) and (not refusing or request.force is not None)
    if not request.dry_run:
        tags = _tags(gates, refusing, over, request.force if lets else None)
        if lets:
            report("moving the alias")
            store.promote(version, over, tags)
        else:
            store.tag(version, {name: tags[name] for name in (GATES_TAG, REFUSED_TAG)})
    return Promotion("promoted" if lets else "refused", version, over, tuple(gates), sentence)


def _loaded(version: Version, report: Report) -> Model | StancewireError:
    report(f"loading {version}")
    try:
        return load_models([(str(version), version.uri)])[0]
    except StancewireError as error:
        return error


def _judged(
    request: Request, store: Store, challenger: Model, over: Version | None, report: Report
) -> tuple[list[Gate], str]:
    """Judge against the champion; with a reason to force, without it where that cannot be."""
    champion = _loaded(over, report) if over else None
    missing = ""
    if isinstance(champion, StancewireError):
        champion, missing = None, f"the champion, {over}, cannot be loaded: {champion}"
    try:
        return _gates(request, store, challenger, champion, missing, report)
    except StancewireError as error:
        if request.force is None:
            raise
        missing = missing or str(error)
    try:
        return _gates(request, store, challenger, None, missing, report)
    except StancewireError:
        return unjudged(_rest(), missing), ""


def _gates(
    request: Request,
    store: Store,
    challenger: Model,
    champion: Model | None,
    missing: str,
    report: Report,
) -> tuple[list[Gate], str]:
    models = [challenger, *filter(None, [champion])]
    linear = _linear(request, store, challenger, report)
    ground = common_ground([*models, *filter(None, [linear])], request.data, report)
    answers = {
        model.name: ask(model.predictor, ground.rows, model.name, report)
        for model in (*models, *filter(None, [linear]))
    }
    trial = Trial(challenger, champion, linear, missing, ground, answers, request.config)
    report("comparing")
    compared = against_champion(trial)
    sentence = verdict(compared, champion.name, challenger.name) if compared and champion else ""
    return judge(trial, compared, report), sentence


def _linear(request: Request, store: Store, challenger: Model, report: Report) -> Model | None:
    """Return the linear model that another family must beat, or None where there is none."""
    if challenger.manifest.family == LINEAR:
        return None
    if request.config.linear:
        return load_models([("the linear model", request.config.linear)])[0]
    for candidate in _linear_versions(store, request.name):
        loaded = _loaded(candidate, report)
        if isinstance(loaded, Model):
            model = Model(f"linear {candidate}", loaded.given, loaded.predictor)
            try:
                common_ground([challenger, model], request.data, report)
            except InputError:  # an older version, of other data
                continue
            return model
    return None


def _linear_versions(store: Store, name: str) -> Iterator[Version]:
    """Yield the linear versions of a name, the newest first."""
    for version in reversed(store.versions(name)):
        if store.family_of(version) == LINEAR:
            yield version


def _rest() -> list[GateName]:
    return [name for name in get_args(GateName) if name not in ("artefact", "target-blind", "linear")]


def _tags(
    gates: list[Gate], refusing: list[GateName], over: Version | None, force: str | None
) -> dict[str, str | None]:
    """Return what the version keeps of this; None takes away what an earlier trial left."""
    told = [{key: value[:_TAG_CHARS] for key, value in asdict(gate).items()} for gate in gates]
    return {
        GATES_TAG: dumps(told).decode(),
        OVER_TAG: str(over or "none"),
        FORCED_TAG: force,
        REFUSED_TAG: ", ".join(refusing) or None,
    }
