"""Which runtime reads an artefact."""

from __future__ import annotations

from stancewire.artefact import Artefact
from stancewire.errors import ArtefactError
from stancewire.runtime import Runtime
from stancewire.runtime.options import RuntimeOptions

# Families whose artefacts are graphs over token ids, and have engines to choose from.
ENCODERS = ("encoder", "fewshot")
_DEFAULTS = RuntimeOptions()


def open_runtime(artefact: Artefact, options: RuntimeOptions = _DEFAULTS) -> Runtime:
    """Return the runtime of the artefact's family.

    Args:
        artefact: a whole one.
        options: for families that have a choice; a linear model runs in numpy, on one thread.

    Raises:
        ArtefactError: if this package knows no such family, or its part of the artefact is not as it must be.
        MissingExtraError: if an engine that is asked for is not installed.
        StancewireError: if this machine cannot run what is asked for.
    """
    family = artefact.manifest.family
    if family in ENCODERS:
        from stancewire.runtime.encoder import EncoderRuntime

        return EncoderRuntime(artefact, options)
    check_options(artefact, options)
    if family == "linear":
        from stancewire.runtime.linear import LinearRuntime

        return LinearRuntime(artefact)
    raise ArtefactError(
        f"{artefact.path}: expected a model family that this stancewire runs (encoder, fewshot, linear), "
        f"found {family!r}; upgrade stancewire"
    )


def check_options(artefact: Artefact, options: RuntimeOptions, *, here: bool = True) -> None:
    """Raise what `open_runtime` would of the options, without loading the model.

    Args:
        artefact: a whole one.
        options: what it is to be run with.
        here: whether this machine is to run it; else only what the artefact has is looked at.

    Raises:
        ArtefactError: if the artefact has not what is asked for.
        MissingExtraError: if an engine that is asked for is not installed.
        StancewireError: if this machine cannot run what is asked for.
    """
    if artefact.manifest.family in ENCODERS:
        from stancewire.runtime.choice import choose, offered
        from stancewire.runtime.encoder_model import read_model

        (choose if here else offered)(read_model(artefact), options, str(artefact.path))
    elif options.variant is not None:
        raise ArtefactError(
            f"{artefact.path}: no variants in this artefact of the {artefact.manifest.family} family; "
            "leave variant out"
        )
