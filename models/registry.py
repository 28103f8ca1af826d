"""Families by name: configs and artefacts name a family, and never import one."""

from __future__ import annotations

from difflib import get_close_matches

from models.base import Family, FamilyConfig
from models.encoder.family import EncoderFamily
from models.errors import UnknownFamilyError
from models.fewshot.family import FewshotFamily
from models.linear import Linear

_FAMILIES: dict[str, type[Family]] = {}


def register(family: type[Family]) -> type[Family]:
    """Make a family known under its name.

    Raises:
        ValueError: if another family has that name.
    """
    known = _FAMILIES.setdefault(family.name, family)
    if known is not family:
        raise ValueError(
            f"family {family.name!r} is {known.__qualname__} already; give {family.__qualname__} another name"
        )
    return family


def family(name: str) -> type[Family]:
    """Return the family of that name.

    Raises:
        UnknownFamilyError: if there is none; the message lists those that there are.
    """
    if name in _FAMILIES:
        return _FAMILIES[name]
    close = get_close_matches(name, _FAMILIES, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UnknownFamilyError(f"unknown model family {name!r}; {hint}the families are: {', '.join(names())}")


def heeds_targets(config: FamilyConfig) -> bool:
    """Tell whether such a model can learn that a sentence sides with one target and against another."""
    return family(config.family).heeds_targets and not config.target_blind


def names() -> tuple[str, ...]:
    """Return every registered name, sorted."""
    return tuple(sorted(_FAMILIES))


register(EncoderFamily)
register(FewshotFamily)
register(Linear)
