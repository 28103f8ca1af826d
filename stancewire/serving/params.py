"""The params of a request, strictly checked: an unknown name, type, label or figure is refused, not ignored.

No message repeats a value that was sent, and a name only where it is plainly one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from stancewire.errors import InputError
from stancewire.reading import MAX_TARGET_CHARS, MAX_TARGETS
from stancewire.section import listed
from stancewire.serving.schema import EVIDENCE, FORM, JSON, LONG, MAX_SENTENCES, TARGETS, THRESHOLDS
from stancewire.strictjson import JsonValue, StrictJsonError, dumps, loads
from stancewire.text import clean

MOST_SENTENCES = 1_000_000
_MIN_THRESHOLD = 1e-9  # as in a manifest
_MAX_THRESHOLDS_BYTES = 100_000
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,39}", re.ASCII)
_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    type(None): "null",
    bool: "a boolean",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What one call asks for; docs/serving.md describes each.

    Attributes:
        thresholds: by label, in place of the model's own.
        evidence: whether the sentences behind the answer are wanted.
        targets: to ask about; None: the decided topics.
        max_sentences: of each target that are answered; None: all.
        form: "long" or "json".
    """

    thresholds: Mapping[str, float]
    evidence: bool
    targets: tuple[str, ...] | None
    max_sentences: int | None
    form: str


def options_of(
    params: JsonValue | Mapping[str, Any], defaults: Mapping[str, Any], labels: Collection[str]
) -> Options:
    """Check the params of a call; those that are missing keep their defaults.

    Args:
        params: by name, as MLflow hands them on or a request has them; None: none.
        defaults: of the params that the model takes.
        labels: that may have a threshold.

    Raises:
        InputError: naming the param, what was wanted and the kind of what came.
    """
    given = {**defaults, **checked({} if params is None else params, defaults)}
    return Options(
        thresholds=_thresholds(given[THRESHOLDS], labels),
        evidence=given.get(EVIDENCE, False),
        targets=tuple(given.get(TARGETS, ())) or None,
        max_sentences=given.get(MAX_SENTENCES) or None,
        form=given[FORM],
    )


def checked(params: JsonValue | Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return params as MLflow takes them: thresholds become a JSON text.

    Raises:
        InputError: for an unknown name, or a value of another type; labels are not looked at.
    """
    if not isinstance(params, Mapping):
        raise InputError(
            f"params: expected an object, found {kind_of(params)}; leave it out for the defaults"
        )
    for name in params:
        if name not in known:
            raise InputError(
                f"params: unknown {named([name])}{_meant(name, known)}; the model takes {', '.join(known)}"
            )
    return {name: _CHECKS[name](value) for name, value in params.items()}


def named(names: Iterable[object]) -> str:
    """Return the names that plainly are some, escaped; the others, which may be texts, by number."""
    every = list(names)
    plain = [name for name in every if isinstance(name, str) and _NAME.fullmatch(name)]
    others = len(every) - len(plain)
    told = ([listed(plain)] if plain else []) + ([f"{others} that is no plain name"] if others else [])
    return " and ".join(told) or "none"


def kind_of(value: object) -> str:
    """Return what a JSON value is, without showing it."""
    return _KINDS.get(type(value), "a number")


def _meant(name: object, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1) if isinstance(name, str) else []
    return f" (did you mean {close[0]!r}?)" if close else ""


def _wrong(name: str, expected: str, value: object) -> InputError:
    return InputError(f"params.{name}: expected {expected}, found {kind_of(value)}")


def _evidence(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(EVIDENCE, "true or false", value)
    return value


def _max_sentences(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_SENTENCES:
        raise _wrong(MAX_SENTENCES, f"an integer from 0 (all) to {MOST_SENTENCES:,}", value)
    return value


def _form(value: object) -> str:
    if value not in (LONG, JSON):
        raise _wrong(FORM, f"{LONG!r} or {JSON!r}", value)
    return str(value)


def _targets(value: object) -> list[str]:
    """Check as Reader.read does, whose messages may show the phrase."""
    if not isinstance(value, list | tuple) or len(value) > MAX_TARGETS:
        found = f"{len(value)} of them" if isinstance(value, list | tuple) else kind_of(value)
        raise InputError(f"params.{TARGETS}: expected a list of at most {MAX_TARGETS} texts, found {found}")
    seen: set[str] = set()
    for number, target in enumerate(value):
        where = f"params.{TARGETS}[{number}]"
        if not isinstance(target, str):
            raise InputError(f"{where}: expected a text, found {kind_of(target)}")
        if len(target) > MAX_TARGET_CHARS or not (phrase := " ".join(clean(target).split()).casefold()):
            raise InputError(
                f"{where}: expected a phrase of 1 to {MAX_TARGET_CHARS} readable characters, "
                f"found {len(target):,}"
            )
        if phrase in seen:
            raise InputError(f"{where}: stands there twice; name every target once")
        seen.add(phrase)
    return [str(target) for target in value]


def _thresholds_text(value: object) -> str:
    """Return thresholds as JSON text, however they came."""
    if isinstance(value, Mapping):
        try:
            return dumps(value).decode("utf-8")
        except StrictJsonError:
            raise _wrong(THRESHOLDS, "an object of numbers by label", value) from None
    if not isinstance(value, str):
        raise _wrong(THRESHOLDS, "an object of numbers by label, or one as JSON text", value)
    return value


def _thresholds(text: str, labels: Collection[str]) -> dict[str, float]:
    try:
        value = loads(text, max_bytes=_MAX_THRESHOLDS_BYTES)
    except StrictJsonError as error:
        raise InputError(f"params.{THRESHOLDS}: {told(error)}") from None
    if not isinstance(value, dict):
        raise _wrong(THRESHOLDS, "an object of numbers by label", value)
    for label, threshold in value.items():
        if label not in labels:
            raise InputError(
                f"params.{THRESHOLDS}: unknown label {named([label])}{_meant(label, labels)}; "
                f"the labels are {', '.join(labels)}"
            )
        number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        if not number or not _MIN_THRESHOLD <= float(threshold) <= 1.0:  # type: ignore[arg-type]  # a number
            raise InputError(
                f"params.{THRESHOLDS}.{label}: expected a number above 0 and at most 1, "
                f"found {'another' if number else kind_of(threshold)}"
            )
    return {label: float(threshold) for label, threshold in value.items()}  # type: ignore[arg-type]  # checked


def told(error: StrictJsonError) -> str:
    """Return what is wrong with a JSON text, without a key of it, which may be a text."""
    return "a key stands twice in one object" if error.reason == "duplicate_key" else str(error)


_Check: TypeAlias = Callable[[object], Any]
_CHECKS: Mapping[str, _Check] = {
    THRESHOLDS: _thresholds_text,
    EVIDENCE: _evidence,
    TARGETS: _targets,
    MAX_SENTENCES: _max_sentences,
    FORM: _form,
}
