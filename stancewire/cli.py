"""The command line: parse, call a plain function, return an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Annotated, TypeAlias

import typer

from stancewire.artefact import CARD, Artefact, read_artefact
from stancewire.batch.command import batch_command
from stancewire.batch.csv_command import csv_command
from stancewire.errors import ArtefactError, InputError, StancewireError
from stancewire.inputs import read_articles
from stancewire.location import DEFAULT_MODELS, MODELS_VARIABLE, default_model, located
from stancewire.predictor import Predictor, StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader, checked_targets
from stancewire.serving.command import serve_command
from stancewire.strictjson import loads
from stancewire.terminal import console_on, escape, print_artefact, print_reading, silence

INTERRUPTED = 130
_MAX_MANIFEST_BYTES = 10_000_000
# What a command line asks for, still to be run: typer parses, but answers some errors of a job its own way.
Job: TypeAlias = Callable[[], int]
# The base of every usage error; typer exports only this child of it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 2 when anything could not be done, or 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, not a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are text streams
    try:
        job = app(args=arguments, prog_name="stancewire", standalone_mode=False)
        exit_code: int = job() if callable(job) else 0
        sys.stdout.flush()
        return exit_code
    except StancewireError as error:
        return _complain(error)
    except _UsageError as error:
        return _complain(f"{_said(error)}; see stancewire --help")
    except BrokenPipeError:
        silence()  # nobody listens: end quietly
        return 0
    except OSError as error:
        silence()
        return _complain(f"the output cannot be written: {error.strerror}")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED


def _said(error: Exception) -> str:
    """Return a usage error's text; typer adds the name of the option there."""
    return str(getattr(error, "format_message", error.__str__)()).rstrip(".")


def _version(wanted: bool) -> None:
    if wanted:
        import stancewire

        typer.echo(f"stancewire {stancewire.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _stancewire(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Topics, stances and holders in international-security news."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("read")
def _read(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help=".txt, .md, .json, .jsonl, or - for standard input."),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="PHRASE", help="Ask about this phrase instead of the topics; repeatable."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="An artefact's folder or MLflow URI; repeatable, one of each task. Without: that "
            f"under {DEFAULT_MODELS}/, or under ${MODELS_VARIABLE}.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per article and line.")
    ] = False,
) -> Job:
    """Read articles: their topics, and who stands how toward what."""
    return lambda: read_files(files, targets=target, reader=open_reader(model or ()), as_json=as_json)


@app.command("inspect")
def _inspect(
    artefact: Annotated[str, typer.Argument(metavar="ARTEFACT", help="An artefact's folder or MLflow URI.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the model card, Markdown.")] = False,
) -> Job:
    """Show what an artefact says about itself."""
    return lambda: inspect(artefact, as_json=as_json, card=card)


app.command("serve")(serve_command)
app.command("batch")(batch_command)
app.command("csv")(csv_command)


def inspect(artefact: str, *, as_json: bool, card: bool = False) -> int:
    """Print what an artefact says about itself, or its model card.

    Raises:
        StancewireError: if it cannot be read, has no card, or both JSON and the card are asked for.
    """
    if as_json and card:
        raise StancewireError("expected --json or --card, found both; the card is Markdown")
    with located(artefact) as folder:
        found = read_artefact(folder)
    if card:
        sys.stdout.write(card_of(found))
    elif as_json:
        content = loads(found.manifest.to_bytes(), max_bytes=_MAX_MANIFEST_BYTES)
        _print_json({"digest": found.digest, "manifest": content})
    else:
        print_artefact(console_on(sys.stdout), found)
    return 0


def card_of(artefact: Artefact) -> str:
    """Return the model card of an artefact, safe to print.

    Raises:
        ArtefactError: if it has none.
    """
    if CARD not in artefact.manifest.files:
        raise ArtefactError(
            f"{artefact.path}: expected a model card, {CARD}, found none; train the model again"
        )
    lines = artefact.read_bytes(CARD).decode("utf-8", "replace").split("\n")
    return "\n".join(map(escape, lines))


def open_reader(models: Iterable[str]) -> Reader:
    """Load the models that are named, and the default one of a task that is not.

    Raises:
        StancewireError: if one cannot be loaded, two are of one task, or there is no default.
    """
    found: dict[str, Predictor] = {}
    for name in models:
        predictor = load(name)
        if predictor.task in found:
            raise StancewireError(
                f"--model {name}: a second {predictor.task} model; name one of each task at most"
            )
        found[predictor.task] = predictor
    topics, stance = found.get("topics") or _default("topics"), found.get("stance") or _default("stance")
    if not isinstance(topics, TopicsPredictor) or not isinstance(stance, StancePredictor):
        raise StancewireError(
            f"expected a topics and a stance model, found {topics.provenance.model} ({topics.task}) and "
            f"{stance.provenance.model} ({stance.task}); name both with --model"
        )
    return Reader(topics, stance)


def read_files(files: Iterable[str], *, targets: Sequence[str] | None, reader: Reader, as_json: bool) -> int:
    """Read every article of every file; one that cannot be read is reported, and the others still are."""
    if targets is not None:
        targets = checked_targets(targets)
    console = console_on(sys.stdout)
    exit_code = 0
    for where, article in (pair for file in files for pair in read_articles(file)):
        try:
            if isinstance(article, InputError):
                raise article
            reading = reader.read(article, targets)
        except InputError as error:
            known = isinstance(article, InputError)
            exit_code = _complain(error if known else f"{where}: {error}")
            continue
        if not reading.article.id:
            reading = replace(reading, article=replace(reading.article, id=where))
        if as_json:
            _print_json(reading.to_dict())
        else:
            print_reading(console, reading, where)
    return exit_code


def _default(task: str) -> Predictor:
    """Load the model that training leaves under the working directory."""
    return load(default_model(task, "name one with --model"))


def _print_json(value: object) -> None:
    # Where the stream is not UTF-8, its own escapes ("\xe9") would be no JSON.
    ensure_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=ensure_ascii, allow_nan=False) + "\n")


def _complain(error: object) -> int:
    """Print one line on standard error and return the exit code of a failure."""
    sys.stdout.flush()
    sys.stderr.write(f"error: {escape(str(error))}\n")
    return error.exit_code if isinstance(error, StancewireError) else StancewireError.exit_code
