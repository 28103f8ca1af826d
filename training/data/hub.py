"""Datasets of the Hugging Face hub: fetched by `datasets`, class numbers turned back into names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import datasets
from huggingface_hub import HfApi

from stancewire.errors import InputError

_SECONDS = 10


def download(name: str) -> Mapping[str, datasets.Dataset]:
    """Return the splits of a dataset; what is in the local cache needs no network in offline mode.

    Raises:
        InputError: if the hub or the dataset cannot be reached, within seconds.
    """
    try:
        if not datasets.config.HF_HUB_OFFLINE:
            # load_dataset tries six times, for 23 seconds, when there is no network. This asks once.
            HfApi().dataset_info(name, timeout=_SECONDS)
        with _no_progress():
            loaded: Mapping[str, datasets.Dataset] = datasets.load_dataset(name)
    except Exception as error:  # the hub's client raises its HTTP library's own errors, which change with it
        reason = (str(error) or type(error).__name__).splitlines()[0]
        advice = "check the name and the network, or download it as Parquet and name the file"
        raise InputError(f"hub:{name}: the dataset cannot be loaded: {reason}; {advice}") from error
    return loaded


def named_rows(dataset: datasets.Dataset) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the rows from 1, with the names of classes instead of their numbers."""
    names = {column: found for column, kind in dataset.features.items() if (found := _class_names(kind))}
    for number, row in enumerate(dataset, 1):
        yield number, {column: _named(value, names.get(column)) for column, value in row.items()}


def _class_names(kind: object) -> list[str] | None:
    inner = getattr(kind, "feature", kind)
    return list(inner.names) if isinstance(inner, datasets.ClassLabel) else None


def _named(value: object, names: list[str] | None) -> object:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    # -1 is how datasets writes a class that nobody gave.
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


@contextmanager
def _no_progress() -> Iterator[None]:
    """Silence progress bars, and restore them as they were."""
    hidden = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            datasets.enable_progress_bars()
