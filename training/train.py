"""One training run, top to bottom: fit, calibrate, judge, ship, track, register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from models.base import FitContext, Log
from stancewire.artefact import CARD, Artefact
from training.ahead import Ahead
from training.behaviour.trained import Behaviour, log_behaviour, try_behaviour
from training.card import Facts, card, description
from training.config import RunConfig
from training.engines import Gate, gate
from training.evaluate.scores import Evaluation
from training.export import export
from training.fit import Trial, fit
from training.prepare import OtherSplit, Prepared
from training.record import log_inputs, log_results, provenance
from training.report.of_run import run_report
from training.resume import UnderWay, keep_checkpoint
from training.rivals import MODEL, TARGET_BLIND, evaluations_of, other_splits
from training.tracking import RegisteredVersion, TrackedRun, tracked_run

ALIAS = "challenger"


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind.

    Attributes:
        config: that it ran.
        run_id: of the MLflow run.
        evaluations: by model, on test: the trained one first, then what it must beat.
        splits: the same family judged on other splits: "random", by rows, which leaks; "time", the newest
            stories; "outlet", outlets that it was not trained on. Those that were tried.
        thresholds: by label.
        artefact: what was written.
        behaviour: failure rates of the behavioural tests, or why they were skipped.
        parity: of the artefact and the trained model, on every engine that was tried.
        version: in the registry; None where it was not registered.
        refused: why it was not registered although the config asks for it; else "".
    """

    config: RunConfig
    run_id: str
    evaluations: Mapping[str, Evaluation]
    splits: Mapping[str, Evaluation]
    thresholds: Mapping[str, float]
    artefact: Artefact
    behaviour: Behaviour
    parity: Gate
    version: RegisteredVersion | None
    refused: str


def train(
    prepared: Prepared, kept: UnderWay, report: Callable[[str], None], ahead: Ahead | None = None
) -> Outcome:
    """Train as the config says, in one MLflow run.

    Args:
        prepared: labelled rows in parts.
        kept: what the run keeps while it is under way; removed when it ends well.
        report: told what is being done.
        ahead: what makes fits of this run side by side, if anything does.

    Raises:
        StancewireError: if the rows cannot teach, the artefact cannot be written or does not answer as the
            trained model, or MLflow cannot be used. The run is then marked FAILED; an artefact that stood
            before still stands.
    """
    config, parts = prepared.config, prepared.parts
    report("opening MLflow")
    with (
        kept.to_its_end(),
        tracked_run(config.tracking.experiment, config.name, {}, resume=kept.run_id) as run,
    ):
        kept.belongs_to(run.run_id)

        def surround(name: str) -> FitContext:
            context = kept.context(name, _curves(run, report, name))
            return ahead.finish(context) if ahead else context

        origin = provenance(prepared)
        log_inputs(run, prepared, origin)
        beside = "" if parts.sentences is None else f" and {len(parts.sentences[0]):,} sentences of theirs"
        report(f"fitting {config.model.family} on {len(parts.train):,} rows{beside}")
        trial = fit(config, config.model, parts, surround(MODEL))
        report("judging on test")
        evaluations, blind = evaluations_of(config, trial, parts, surround)
        report("judging on other splits")
        splits = other_splits(prepared, surround)
        report("testing behaviour")
        behaviour = try_behaviour(prepared, trial, blind)
        report("writing the artefact")
        artefact, parity, told = _ship(prepared, origin, trial, evaluations, splits, behaviour)
        report("logging to MLflow")
        log_results(run, prepared, trial, evaluations, told)
        run.text(artefact.read_bytes(CARD).decode("utf-8"), CARD)
        log_behaviour(run, behaviour)
        run.metrics(parity.metrics())
        run.metrics({f"{by}_split/macro_f1": found.macro_f1.value for by, found in splits.items()})
        model_uri = run.model(artefact.path, artefact.manifest.name)
        run.tags({"stancewire.artefact": artefact.digest})
        keep_checkpoint(trial.fitted.family, Path(config.output), config.name)
        refused = _refusal(config, evaluations)
        about = description(Facts(artefact.manifest, prepared.corpus.codebook, told))
        version = None if refused else _register(run, config, artefact, model_uri, about)
    thresholds = dict(zip(parts.train.labels, trial.fitted.thresholds, strict=True))
    return Outcome(
        config, run.run_id, evaluations, splits, thresholds, artefact, behaviour, parity, version, refused
    )


def _curves(run: TrackedRun, report: Callable[[str], None], name: str) -> Log:
    """Return what logs the figures of a fit's steps, under the fit's name but for the model itself."""
    prefix = "" if name == MODEL else f"{name.replace('-', '_')}/"

    def log(step: int, figures: Mapping[str, float]) -> None:
        run.metrics({f"{prefix}{key}": value for key, value in figures.items()}, step)
        if (score := figures.get("dev/macro_f1")) is not None:
            report(f"fitting {name}: epoch {figures['epoch']:g}, macro-F1 on dev {score:.3f}")

    return log


def _ship(
    prepared: Prepared,
    origin: Mapping[str, Any],
    trial: Trial,
    evaluations: Mapping[str, Evaluation],
    splits: Mapping[str, Evaluation],
    behaviour: Behaviour,
) -> tuple[Artefact, Gate, dict[str, Any]]:
    """Write the artefact once it is known to answer as the trained model; return the report on it too."""
    config = prepared.config
    metrics: dict[str, Any] = {
        "test": {name: found.to_dict() for name, found in evaluations.items()},
        **{f"{by}_split": splits[by].to_dict() if by in splits else None for by in get_args(OtherSplit)},
        **behaviour.to_dict(),
    }
    shared: dict[str, Any] = {
        "name": config.name,
        "codebook": prepared.corpus.codebook,
        "provenance": origin,
    }
    with TemporaryDirectory(prefix="stancewire-") as folder:
        tried = export(trial.fitted, Path(folder) / config.name, metrics=metrics, **shared)
        found = gate(tried, trial.fitted, prepared.parts.dev, prepared.parts.test, trial.probabilities)
        engines = found.to_dict()
        if engines is not None:
            folder_of_gated = Path(folder) / "gated"
            tried = export(trial.fitted, folder_of_gated, metrics=metrics, engines=engines, **shared)
        # Of the trial, which answers alike: the card has its weak slices, and stands in what is shipped.
        report = run_report(prepared, evaluations, tried)
    metrics["parity"] = asdict(found.parity)
    shipped = export(
        trial.fitted,
        Path(config.output) / config.name,
        metrics=metrics,
        card=lambda manifest: card(Facts(manifest, prepared.corpus.codebook, report)),
        engines=engines,
        **shared,
    )
    return shipped, found, report | {"model": report["model"] | {"digest": shipped.digest}}


def _refusal(config: RunConfig, evaluations: Mapping[str, Evaluation]) -> str:
    """Return why the model may not be registered, or ""."""
    blind = evaluations.get(TARGET_BLIND)
    if not config.tracking.register_model or blind is None:
        return ""
    margin = evaluations[config.model.family].macro_f1.value - blind.macro_f1.value
    wanted = config.tracking.target_blind_margin
    if margin >= wanted:
        return ""
    return (
        f"it beats the target-blind model by {100 * margin:.1f} points of macro-F1, less than the "
        f"{100 * wanted:g} of tracking.target_blind_margin: it hardly looks at the target"
    )


def _register(
    run: TrackedRun, config: RunConfig, artefact: Artefact, model_uri: str, about: str
) -> RegisteredVersion | None:
    if not config.tracking.register_model:
        return None
    tags = {"stancewire.artefact": artefact.digest}
    return run.register(model_uri, config.name, ALIAS, tags, about)
