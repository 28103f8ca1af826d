"""Strict YAML 1.2: plain data with the line of every key, or one ConfigError that lists what is wrong.

Nothing is constructed but text, numbers, booleans, null, lists and mappings. Aliases and tags are refused
while parsing, before anything could expand or run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stancewire.errors import StancewireError
from stancewire.section import shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_MOST_TOLD = 50

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = tuple[str | int, ...]
# Line breaks to YAML where they stand bare, so they are written as escapes.
_BREAKS = frozenset("\x85\u2028\u2029")
_CORE = "tag:yaml.org,2002:"


class ConfigError(StancewireError):
    """A config is refused whole; the text lists every problem, or the first 50.

    Attributes:
        problems: one text each.
    """

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        told = [f"{where}: {count}; nothing was run", *(f"  {problem}" for problem in problems[:_MOST_TOLD])]
        more = [f"  and {len(problems) - _MOST_TOLD:,} more"] if len(problems) > _MOST_TOLD else []
        super().__init__("\n".join([*told, *more]))


@dataclass(frozen=True)
class Parsed:
    """Plain data, and the line (from 1) of every value by its path."""

    data: Plain
    lines: dict[Path, int]


def parse_yaml(source: bytes, where: str) -> Parsed:
    """Parse one document.

    Raises:
        ConfigError: if it is too large, not UTF-8, not YAML, has aliases, anchors, tags, directives,
            duplicate keys, keys that are no text, several documents, or nests too deeply.
    """
    if len(source) > MAX_BYTES:
        raise ConfigError(where, [f"wanted at most {MAX_BYTES:,} bytes, got {len(source):,}"])
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"wanted UTF-8, got another byte at {error.start:,}; save the file as UTF-8"
        raise ConfigError(where, [problem]) from None
    try:
        if problems := _forbidden(text):
            raise ConfigError(where, problems)
        node = _yaml().compose(text)
    except (YAMLError, ValueError) as error:
        raise ConfigError(where, [_syntax(error)]) from None
    if node is None:
        raise ConfigError(where, ["wanted a mapping of settings, got an empty file"])
    builder = _Builder()
    data = builder.build(node, ())
    if builder.problems:
        raise ConfigError(where, builder.problems)
    return Parsed(data, builder.lines)


def dump_yaml(data: Plain) -> str:
    """Write plain data as block YAML that `parse_yaml` reads back equal."""
    writer = _yaml()
    writer.default_flow_style = False
    writer.width = MAX_BYTES  # a line that is broken loses the second of two blanks
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel types it as None
    writer.representer.ignore_aliases = lambda _: True
    writer.allow_unicode = _BREAKS.isdisjoint(json.dumps(data, ensure_ascii=False))
    stream = StringIO()
    writer.dump(data, stream)
    return stream.getvalue().removesuffix("...\n")


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def _forbidden(text: str) -> list[str]:
    """Return what is refused before anything is composed."""
    problems, documents, depth = [], 0, 0
    for event in _yaml().parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if event.version or event.tags:
                problems.append(f"line {line}: directives such as %YAML are refused; remove them")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            return [*problems, f"line {line}: wanted at most {MAX_DEPTH} levels, got more"]
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            problems.append(f"line {line}: anchors and aliases are refused; write the value out")
        if getattr(event, "tag", None):
            problems.append(f"line {line}: tags such as !!str are refused; write plain values")
    if documents > 1:
        problems.append(f"wanted one document, got {documents}; remove the '---' lines")
    return problems


class _Builder:
    """Turns nodes into plain data, and collects every problem on the way."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[str] = []

    def build(self, node: Node, path: Path) -> Plain:
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Plain]:
        built: dict[str, Plain] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.problems.append(f"line {line}: wanted a text as key, got a list or mapping")
            elif key.value in built:
                self.problems.append(f"line {line}: {shown(key.value)} is set twice; remove one")
            else:
                built[key.value] = self.build(value, (*path, key.value))
                self.lines[*path, key.value] = line
        return built

    def _scalar(self, node: Node) -> Plain:
        kind, text = str(node.tag).removeprefix(_CORE), str(node.value)
        match kind:
            case "str" | "timestamp":  # a date is a text: nothing here is of another type
                return self._text(node, text)
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return self._integer(node, text.replace("_", ""))
            case "float":
                return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        self.problems.append(f"line {node.start_mark.line + 1}: {shown(text)} reads as a {kind}; quote it")
        return None

    def _text(self, node: Node, text: str) -> str:
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.problems.append(f"line {node.start_mark.line + 1}: a text holds a lone surrogate")
        return text

    def _integer(self, node: Node, text: str) -> int | None:
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2].lower(), 10)
        try:
            return sign * int(digits if base == 10 else digits[2:], base)
        except ValueError:
            line = node.start_mark.line + 1
            self.problems.append(f"line {line}: wanted a whole number, got {shown(text, limit=40)}")
            return None


def _syntax(error: Exception) -> str:
    """Say in one line what is no YAML."""
    said = str(error).splitlines() or [type(error).__name__]
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return said[0]
    problem = str(error.problem or said[0])
    hint = "; indent with blanks, not tabs" if "\\t" in problem else ""
    return f"line {error.problem_mark.line + 1}: {problem}{hint}"
