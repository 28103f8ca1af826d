"""The command line of registering a reader: both artefacts in one MLflow model, logged in one run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from stancewire.artefact import read_artefact
from stancewire.location import located
from stancewire.serving.reader_folder import TASKS, write_reader_folder
from training.config_sections import TrackingConfig
from training.console import DONE, reporting, told
from training.tracking import RegisteredVersion, tracked_run

NAME, ALIAS = "stancewire-reader", "challenger"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when registered, 2 where something given is wrong, 130 interrupted."""
    options = _parser().parse_args(arguments)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    with reporting(console) as report:
        version = register(options.topics, options.stance, options.name, options.experiment, report)
    console.print(f"{version.uri} is version {version.version}; see stancewire serve {version.uri}")
    return DONE


def register(
    topics: str, stance: str, name: str, experiment: str, report: Callable[[str], None]
) -> RegisteredVersion:
    """Log two artefacts as one reader in one run, and register it as challenger.

    Args:
        topics: an artefact's folder or MLflow URI.
        stance: another.
        name: of the registered model.
        experiment: of the run.
        report: told what is being done.

    Raises:
        StancewireError: if they are damaged, swapped or of two codebooks, or MLflow cannot be used.
    """
    with ExitStack() as stack:
        report("reading the models")
        temporary = Path(stack.enter_context(TemporaryDirectory(prefix="stancewire-")))
        folders = [stack.enter_context(located(model)) for model in (topics, stance)]
        artefacts = dict(zip(TASKS, map(read_artefact, folders), strict=True))
        folder = write_reader_folder(temporary / "reader", *folders)
        report("logging to MLflow")
        run = stack.enter_context(tracked_run(experiment, name, {}))
        tags = {f"stancewire.{task}_artefact": artefact.digest for task, artefact in artefacts.items()}
        run.params({f"{task}_model": artefact.manifest.name for task, artefact in artefacts.items()})
        run.tags(tags)
        parts = " and ".join(f"{a.manifest.name}@{a.digest[:12]}" for a in artefacts.values())
        return run.register(run.model(folder, name), name, ALIAS, tags, f"A reader of {parts}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.reader",
        description="Log a topics and a stance model as one reader, and register it as challenger.",
    )
    for task in TASKS:
        parser.add_argument(
            task, metavar=task.upper(), help=f"the {task} model: an artefact's folder or an MLflow URI"
        )
    parser.add_argument("--name", default=NAME, help="of the registered model (default: %(default)s)")
    parser.add_argument(
        "--experiment",
        default=TrackingConfig().experiment,
        help="of the MLflow run (default: %(default)s)",
    )
    return parser
