"""The command `stancewire serve`: parse, and call a plain function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from stancewire.errors import StancewireError
from stancewire.location import default_model
from stancewire.serving.options import Limits, Pair, ServeOptions

_LIMITS = Limits()


def serve_command(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="An artefact's folder, an MLflow model's, or an MLflow URI.",
            show_default=False,
        ),
    ] = None,
    topics: Annotated[
        str | None, typer.Option(metavar="MODEL", help="With --stance: serve both as one reader.")
    ] = None,
    stance: Annotated[str | None, typer.Option(metavar="MODEL", help="With --topics.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 5001,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes, each with the model in its memory.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Of one call of an encoder, in each worker.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="Of an encoder: onnxruntime, openvino or auto.", show_default=False)
    ] = None,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of one request.")] = _LIMITS.max_rows,
    max_bytes: Annotated[int, typer.Option(min=1, help="Bytes of one request's body.")] = _LIMITS.max_bytes,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds until a request is answered 504.")] = 60,
) -> Callable[[], int]:
    """Serve a model over HTTP; without a MODEL those that training left, as a reader."""
    options = ServeOptions(host, port, workers, threads, runtime, Limits(max_rows, max_bytes), timeout)

    def job() -> int:
        # With asyncio and all of the server, which no other command needs.
        from stancewire.serving.server import serve

        return serve(named_model(model, topics, stance), options, _told)

    return job


def named_model(model: str | None, topics: str | None, stance: str | None) -> str | Pair:
    """Return what is to be served.

    Raises:
        StancewireError: if a model is named beside a pair, half a pair is, or nothing without a default.
    """
    if model is not None and topics is None and stance is None:
        return model
    if model is None and topics is not None and stance is not None:
        return Pair(topics, stance)
    if model is not None or topics is not None or stance is not None:
        raise StancewireError("expected one MODEL, or both --topics and --stance; leave out the others")
    advice = "name a MODEL, or --topics and --stance"
    return Pair(str(default_model("topics", advice)), str(default_model("stance", advice)))


def _told(line: str) -> None:
    typer.echo(line, err=True)
