"""What manifest.json says, and the only code that reads or writes it. Format: docs/artefact.md."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from stancewire.calibration import Calibration, Task
from stancewire.doubt import Abstention, Conformal, parse_abstention, parse_conformal
from stancewire.errors import ArtefactError
from stancewire.section import Section, listed, shown
from stancewire.strictjson import JsonValue, StrictJsonError, dumps, loads

FORMAT = "stancewire-artefact"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 4_000_000
MAX_FILES = 64
MAX_BYTES = 4 * 2**30
MAX_LABELS = 1000

_FILE_NAME = r"[a-z0-9][a-z0-9_.-]*"
_SHA256 = r"[0-9a-f]{64}"
# Wide enough for any fit, small enough that no later product overflows.
_MAX_FIGURE = 1e6
# Not 0, also as float32: every decision divides by it or compares with it.
_MIN_THRESHOLD = 1e-9
_METHODS = ("none", "platt", "temperature", "vector")
_CHUNKING = ("tokens", "stride", "max_chunks")
_KEYS = (
    "format",
    "format_version",
    "sha256",
    "name",
    "task",
    "family",
    "labels",
    "codebook",
    "thresholds",
    "calibration",
    "abstention",
    "conformal",
    "input",
    "chunking",
    "model",
    "metrics",
    "provenance",
    "files",
)
_Object: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class CodebookRef:
    """The codebook that gave the labels their meaning.

    Attributes:
        id: its name.
        version: its version, as written there.
        sha256: digest of its file.
        names: phrase for people by label ("arms_trade" -> "arms trade").
    """

    id: str
    version: str
    sha256: str
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileRef:
    """What one file of the artefact must be: its digest, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a model but its weights.

    Attributes:
        name: of the model, as registered ("stancewire-topics").
        task: what it answers.
        family: which runtime reads it.
        labels: sorted and unique; the order of every column of probabilities.
        codebook: where the labels come from.
        thresholds: per label, from 1e-9 to 1.
        calibration: per label, fitted on data that trained nothing.
        max_chars: longest input read, in characters after cleaning.
        chunking: "tokens", "stride" and "max_chunks" of an encoder, else None.
        model: the family's own section, checked by its runtime.
        metrics: nested figures and texts from the evaluation.
        provenance: digests, config, versions; nothing that differs between equal runs.
        abstention: which decisions are for review, or None.
        conformal: which stances stay possible, or None.
        files: what lies beside the manifest; filled in when the artefact is written.
    """

    name: str
    task: Task
    family: str
    labels: tuple[str, ...]
    codebook: CodebookRef
    thresholds: tuple[float, ...]
    calibration: Calibration
    max_chars: int
    chunking: Mapping[str, int] | None
    model: _Object
    metrics: _Object
    provenance: _Object
    abstention: Abstention | None = None
    conformal: Conformal | None = None
    files: Mapping[str, FileRef] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return manifest.json: canonical JSON, so equal manifests are equal bytes.

        Raises:
            ArtefactError: if `parse_manifest` would refuse it: nothing is written that could not be read.
        """
        try:
            content = self._content()
            data = dumps(content | {"sha256": _seal(content)})
        except ValueError as error:
            raise ArtefactError(f"the manifest of {shown(self.name)} cannot be written: {error}") from None
        parse_manifest(data, f"the new {MANIFEST}")
        return data

    def _content(self) -> dict[str, object]:
        c = self.calibration
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "name": self.name,
            "task": self.task,
            "family": self.family,
            "labels": self.labels,
            "codebook": {
                "id": self.codebook.id,
                "version": self.codebook.version,
                "sha256": self.codebook.sha256,
                "names": self.codebook.names,
            },
            "thresholds": self._by_label(self.thresholds, "thresholds"),
            "calibration": {
                "method": c.method,
                "slope": self._by_label(c.slope, "slopes"),
                "intercept": self._by_label(c.intercept, "intercepts"),
            },
            "abstention": None if self.abstention is None else self.abstention.to_json(self.labels),
            "conformal": None if self.conformal is None else self.conformal.to_json(),
            "input": {"max_chars": self.max_chars},
            "chunking": self.chunking,
            "model": self.model,
            "metrics": self.metrics,
            "provenance": self.provenance,
            "files": {name: {"sha256": ref.sha256, "bytes": ref.bytes} for name, ref in self.files.items()},
        }

    def _by_label(self, figures: tuple[float, ...], what: str) -> dict[str, float]:
        if len(figures) != len(self.labels):
            raise ValueError(f"{len(figures)} {what} for {len(self.labels)} labels; give one for each")
        return dict(zip(self.labels, figures, strict=True))


def parse_manifest(data: bytes, where: str = MANIFEST) -> Manifest:
    """Read manifest.json.

    Args:
        data: its bytes.
        where: its path, for messages.

    Raises:
        ArtefactError: unless it is exactly what this version of the package writes.
    """
    try:
        content = loads(data, max_bytes=MAX_MANIFEST_BYTES)
    except StrictJsonError as error:
        raise ArtefactError(
            f"{where}: expected a manifest in strict JSON: {error}; get an intact copy"
        ) from None
    _check_version(content, where)
    top = Section(content, where, _KEYS)
    _check_seal(top, cast("dict[str, JsonValue]", content), data, where)
    labels = _labels(top, where)
    codebook = top.section("codebook", ("id", "version", "sha256", "names"))
    names = codebook.section("names", codebook.json("names"))
    task = cast("Task", top.choice("task", "topics", "stance"))
    return Manifest(
        name=top.text("name", pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*"),
        task=task,
        family=top.text("family", pattern=r"[a-z][a-z0-9_]*"),
        labels=labels,
        codebook=CodebookRef(
            id=codebook.text("id"),
            version=codebook.text("version"),
            sha256=codebook.text("sha256", pattern=_SHA256),
            names={label: names.text(label) for label in sorted(codebook.json("names"))},
        ),
        thresholds=_figures(top.section("thresholds", labels), labels, _MIN_THRESHOLD, 1.0),
        calibration=_calibration(top.section("calibration", ("method", "slope", "intercept")), labels, where),
        max_chars=top.section("input", ("max_chars",)).integer("max_chars", 1, 10_000_000),
        chunking=None if top.absent("chunking") else _chunking(top.section("chunking", _CHUNKING)),
        model=top.json("model"),
        metrics=top.json("metrics"),
        provenance=top.json("provenance"),
        abstention=parse_abstention(top, labels, task, where),
        conformal=parse_conformal(top, task, where),
        files=_files(top, where),
    )


def _check_version(content: JsonValue, where: str) -> None:
    """Refuse what is not ours, and what is newer, before looking at its keys."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = shown(content.get("format", "no such key")) if isinstance(content, dict) else "no object"
        raise ArtefactError(
            f'{where}: expected "format": "{FORMAT}", found {found}; name a stancewire artefact'
        )
    version = content.get("format_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ArtefactError(f"{where}.format_version: expected {FORMAT_VERSION}, found {shown(version)}")
    if version > FORMAT_VERSION:
        raise ArtefactError(
            f"{where}: format_version {version} is newer than {FORMAT_VERSION}, the newest known; "
            "upgrade stancewire"
        )


def _seal(content: Mapping[str, object]) -> str:
    """Return the digest of everything in the manifest but the digest itself."""
    return hashlib.sha256(dumps(content)).hexdigest()


def _check_seal(top: Section, content: dict[str, JsonValue], data: bytes, where: str) -> None:
    """Refuse a manifest that was changed after it was written, in its values or only in its bytes."""
    claimed = top.text("sha256", pattern=_SHA256)
    found = _seal({key: value for key, value in content.items() if key != "sha256"})
    if claimed != found or dumps(content) != data:
        raise ArtefactError(
            f"{where}: digest mismatch: expected sha256 {claimed[:12]}, found {found[:12]} or other blanks; "
            "get an intact copy, or export again instead of editing"
        )


def _labels(top: Section, where: str) -> tuple[str, ...]:
    labels = top.texts("labels")
    where = f"{where}.labels"
    if not 1 <= len(labels) <= MAX_LABELS:
        raise ArtefactError(f"{where}: expected 1 to {MAX_LABELS:,} labels, found {len(labels):,}")
    if bad := [label for label in labels if not label.isprintable() or label != label.strip() or not label]:
        raise ArtefactError(f"{where}: empty, padded or unprintable: {listed(bad)}")
    if list(labels) != sorted(set(labels)):
        raise ArtefactError(f"{where}: expected sorted and unique labels, found {listed(labels)}")
    return labels


def _figures(section: Section, labels: tuple[str, ...], low: float, high: float) -> tuple[float, ...]:
    return tuple(section.number(label, low, high) for label in labels)


def _calibration(section: Section, labels: tuple[str, ...], where: str) -> Calibration:
    method = section.choice("method", *_METHODS)
    slope = _figures(section.section("slope", labels), labels, 1 / _MAX_FIGURE, _MAX_FIGURE)
    intercept = _figures(section.section("intercept", labels), labels, -_MAX_FIGURE, _MAX_FIGURE)
    calibration = Calibration(method, slope, intercept)
    if method == "none" and calibration != Calibration.identity(len(labels)):
        raise ArtefactError(
            f'{where}.calibration: method "none" with slopes or intercepts that change something'
        )
    return calibration


def _chunking(section: Section) -> dict[str, int]:
    tokens = section.integer("tokens", 1, 100_000)
    return {
        "tokens": tokens,
        "stride": section.integer("stride", 0, tokens),
        "max_chunks": section.integer("max_chunks", 1, 100_000),
    }


def _files(top: Section, where: str) -> dict[str, FileRef]:
    names = sorted(top.json("files"))
    where = f"{where}.files"
    if not 1 <= len(names) <= MAX_FILES:
        raise ArtefactError(f"{where}: expected 1 to {MAX_FILES} files, found {len(names):,}")
    if bad := [name for name in names if not is_file_name(name)]:
        raise ArtefactError(
            f"{where}: expected flat names such as 'weights.safetensors', found {listed(bad)}"
        )
    section = top.section("files", names)
    files: dict[str, FileRef] = {}
    for name in names:
        entry = section.section(name, ("sha256", "bytes"))
        files[name] = FileRef(entry.text("sha256", pattern=_SHA256), entry.integer("bytes", 1, MAX_BYTES))
    if (total := sum(ref.bytes for ref in files.values())) > MAX_BYTES:
        raise ArtefactError(f"{where}: {total:,} bytes in all, at most {MAX_BYTES:,} are read")
    return files


def is_file_name(name: str) -> bool:
    """Tell whether a file of an artefact may bear this name: flat, lower case, never the manifest's own."""
    return re.fullmatch(_FILE_NAME, name) is not None and len(name) <= 100 and name != MANIFEST
