"""Readings and artefacts for a terminal: plain tables, and no text that could command the terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, cast

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stancewire.artefact import Artefact
from stancewire.doubt import Abstention
from stancewire.reading import Reading, TopicReading
from stancewire.rollup import SentenceStance, TargetReading
from stancewire.strictjson import JsonValue

# Controls, escapes, direction overrides, invisibles, surrogates: whatever moves the cursor or hides text.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile("[\t\n\r\u2028\u2029\x85]+")
_TRAILING = re.compile(r"(?<! ) +$", re.MULTILINE)
_STYLES = {"favor": "green", "against": "red", "divided": "yellow", "neutral": "", "no_evidence": "dim"}
_BAR_CELLS = 20
_NOTHING_ASKED = "No topic holds, so no stance was asked about; --target PHRASE asks about one."
_STANCE_CELLS = 28
# Beside what a person should look at.
_REVIEW = "?"
_LABEL_CELLS = 14
# A manifest's texts of digests are far longer than anybody reads.
_LONGEST = 200


def silence() -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def escape(text: str) -> str:
    r"""Return a text that is safe to print on one line: "\x1b[2J" is shown, not obeyed."""
    return _UNSAFE.sub(lambda match: ascii(match.group())[1:-1], _BLANKS.sub(" ", text))


def console_on(stream: IO[str]) -> Console:
    """Return a console that takes every text literally."""
    literal: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
    console = _Console(file=stream, **literal)
    if not console.is_terminal:
        console.file = cast("IO[str]", _Trimmed(stream))
    return console


class _Console(Console):
    """A console that leaves it to the command line what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        raise  # what is handled where this is called


class _Trimmed:
    """A stream that leaves out the blanks with which tables fill their lines; for files and pipes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_TRAILING.sub("", text))

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def print_reading(console: Console, reading: Reading, where: str) -> None:
    """Print one reading: title, topics, roll-up, then every sentence with its stances."""
    console.print(_text(reading.article.title or where, "bold"))
    between = " - " if console.options.ascii_only else " · "
    console.print(_text(between.join(_facts(reading, where)), "dim"))
    review = f" ({_REVIEW} for review)" if any(topic.review for topic in reading.topics) else ""
    _section(console, f"Topics{review}", _topics_table(console, reading.topics))
    if not reading.targets:
        console.print()
        console.print(_text(_NOTHING_ASKED))
    else:
        _section(console, "Stances", _targets_table(reading.targets))
    if reading.stances:
        mark = "*" if console.options.ascii_only else "●"
        review = f", {_REVIEW} for review" if any(stance.review for stance in reading.stances) else ""
        title = f"Sentences ({mark} decides the verdict{review})"
        _section(console, title, _sentences_table(console, reading))
    console.print()


def print_artefact(console: Console, artefact: Artefact) -> None:
    """Print what an artefact says about itself."""
    manifest, codebook = artefact.manifest, artefact.manifest.codebook
    facts = {
        "task": manifest.task,
        "family": manifest.family,
        "digest": artefact.digest,
        "codebook": f"{codebook.id} {codebook.version} (sha256 {codebook.sha256[:12]})",
        "calibration": manifest.calibration.method,
        "for review": _abstention(manifest.abstention),
        "reads": f"at most {manifest.max_chars:,} characters",
    }
    if manifest.chunking is not None:
        facts["chunks"] = _chunking(manifest.chunking)
    facts |= _engines(manifest.model)
    if manifest.conformal is not None:
        facts["sets"] = f"hold the true stance of {manifest.conformal.level:.0%} of an event's sentences"
    console.print(_text(manifest.name, "bold"))
    console.print(_pairs(facts.items()))
    _section(console, "Labels", _labels_table(artefact))
    if figures := list(_headlines(manifest.metrics, manifest.family)):
        _section(console, "Metrics (--json has all, --card tells them in words)", _pairs(figures))
    if manifest.provenance:
        _section(console, "Provenance", _pairs(_flat(manifest.provenance)))
    sizes = ((name, f"{ref.bytes:,} bytes  {ref.sha256[:12]}") for name, ref in manifest.files.items())
    _section(console, "Files", _pairs(sizes))


def _chunking(chunking: Mapping[str, int]) -> str:
    """Say how much of a text an encoder reads."""
    tokens, several = f"{chunking['tokens']:,} tokens", chunking["max_chunks"]
    if several == 1:
        return f"one of {tokens}"
    return f"at most {several:,} of {tokens}, {chunking['stride']:,} of them the last one's"


def _engines(model: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Yield what an encoder runs on, with the first figure of its gate, its weights, and its companion."""
    if isinstance(engines := model.get("engines"), dict):
        yield "engines", ", ".join(_engine(*engine) for engine in engines.items()) or "none"
    if isinstance(weights := model.get("weights"), str):
        yield "weights", weights
    if isinstance(linear := model.get("linear"), dict):
        yield "together with", f"a linear model, whose share is {_shown(linear.get('share'))}"


def _engine(name: str, figures: JsonValue) -> str:
    first = dict(list(figures.items())[:1]) if isinstance(figures, dict) else {}
    return f"{name} ({_shown(first)})" if first else name


def _abstention(abstention: Abstention | None) -> str:
    """Say what a model keeps from review."""
    if abstention is None:
        return "nothing"
    return f"all but what keeps {abstention.keep_precision:g} right, as training saw it"


def _facts(reading: Reading, where: str) -> Iterator[str]:
    """Yield the remarks under the title."""
    if reading.article.title:
        yield reading.article.id or where
    yield f"{reading.sentences} sentence{'' if reading.sentences == 1 else 's'}"
    if reading.cut_chars:
        yield f"{reading.cut_chars:,} characters at the end were not read"
    elif reading.cut_share:
        yield f"the topics model did not read {reading.cut_share:.0%} of it"
    if reading.mixed_script:
        yield f"words that mix alphabets: {', '.join(reading.mixed_script)}"
    yield from (warning.replace("_", " ") for warning in reading.warnings if warning == "no_known_features")


def _topics_table(console: Console, topics: Iterable[TopicReading]) -> Table:
    yes, no, full, empty = "*-#." if console.options.ascii_only else "●○█░"
    table = _table("", "", "", ("probability", "right"), ("threshold", "right"), "")
    for topic in topics:
        cells = round(topic.probability * _BAR_CELLS)
        table.add_row(
            yes if topic.decision else no,
            _text(topic.name, "bold" if topic.decision else ""),
            full * cells + empty * (_BAR_CELLS - cells),
            f"{topic.probability:.2f}",
            f"{topic.threshold:.2f}",
            _REVIEW if topic.review else "",
        )
    return table


def _targets_table(targets: Iterable[TargetReading]) -> Table:
    table = _table("target", "verdict", *((name, "right") for name in ("net", "favor", "against", "neutral")))
    for target in targets:
        table.add_row(
            _text(target.target),
            _text(target.verdict.replace("_", " "), _STYLES[target.verdict]),
            "" if target.net is None else f"{target.net:+.2f}",
            *(str(target.counts[label]) for label in ("favor", "against", "neutral")),
        )
    return table


def _sentences_table(console: Console, reading: Reading) -> Table:
    """Make one row per sentence: a line for each target that it concerns, then its words and its holder."""
    by_sentence: dict[tuple[int, int], list[SentenceStance]] = {}
    for stance in sorted(reading.stances, key=lambda stance: stance.start):
        by_sentence.setdefault((stance.start, stance.end), []).append(stance)
    deciding = {id(stance) for target in reading.targets for stance in target.deciding}
    mark, dash = ("*", "--") if console.options.ascii_only else ("●", "—")
    several = len(reading.targets) > 1
    table = _table("", "", gap=1)
    table.show_header = False
    table.columns[0].max_width = max(_STANCE_CELLS, console.width // 3)
    table.columns[1].ratio = 1
    for stances in by_sentence.values():
        lines = Table.grid(padding=(0, 1, 0, 0))
        marked = any(stance.review for stance in stances)
        lines.add_column(no_wrap=True, min_width=_LABEL_CELLS + (2 if marked else 0))
        lines.add_column(no_wrap=True, overflow="crop" if console.options.ascii_only else "ellipsis")
        for stance in stances:
            line = f"{mark if id(stance) in deciding else ' '} {stance.label:<7} {stance.probability:.2f}"
            line += f" {_REVIEW}" if stance.review else ""
            style = _STYLES.get(stance.label, "")
            lines.add_row(_text(line, style), _text(stance.target if several else "", style))
        words = _text(stances[0].sentence)
        if (holder := stances[0].holder) is not None:
            words.append(f"\n{dash} {escape(holder.text)}", style="bold")
        table.add_row(lines, words)
    return table


def _labels_table(artefact: Artefact) -> Table:
    manifest = artefact.manifest
    table = _table("label", "phrase", *((name, "right") for name in ("threshold", "slope", "intercept")))
    rows = zip(
        manifest.labels,
        manifest.thresholds,
        manifest.calibration.slope,
        manifest.calibration.intercept,
        strict=True,
    )
    for label, threshold, slope, intercept in rows:
        phrase = manifest.codebook.names.get(label, "")
        table.add_row(_text(label), _text(phrase), f"{threshold:.3f}", f"{slope:.3f}", f"{intercept:+.3f}")
    return table


def _flat(values: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """Yield nested values under dotted names, as they are shown."""
    for name, value in _leaves(values):
        yield name, _shown(value)


def _leaves(values: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yield nested values under dotted names; an estimate with its interval stays whole."""
    for key, value in values.items():
        if isinstance(value, dict) and not _is_estimate(value):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _headlines(metrics: Mapping[str, JsonValue], family: str) -> Iterator[tuple[str, str]]:
    """Yield the model's own figures that have an interval, the macro-F1 of others, and failure rates."""
    for name, value in _leaves(metrics):
        own = name.startswith(f"test.{family}.") or name.endswith(".macro_f1")
        if isinstance(value, dict) and own:
            yield name, _shown(value)
        elif isinstance(value, dict) and name.startswith("behaviour.capabilities."):
            yield f"fails at {name.split('.')[2]}", _shown(value)


def _is_estimate(value: Mapping[str, JsonValue]) -> bool:
    return {"value", "low", "high"} <= value.keys()


def _shown(value: JsonValue) -> str:
    if isinstance(value, dict) and not _is_estimate(value):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, dict):
        return f"{_shown(value['value'])}  [{_shown(value['low'])}, {_shown(value['high'])}]"
    if isinstance(value, list):
        return ("; " if any(isinstance(inner, dict) for inner in value) else ", ").join(map(_shown, value))
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value):,} characters)"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(*columns: str | tuple[str, str], gap: int = 0) -> Table:
    """Make a table without rules; a column is its heading, or heading and alignment."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, gap, 0), header_style="dim")
    for column in columns:
        name, align = (column, "left") if isinstance(column, str) else column
        table.add_column(name, justify="right" if align == "right" else "left", overflow="fold")
    return table


def _pairs(rows: Iterable[tuple[str, str]]) -> Padding:
    table = _table("", "")
    table.show_header = False
    for name, value in rows:
        table.add_row(_text(name, "dim"), _text(value))
    return Padding(table, (0, 0, 0, 2))


def _section(console: Console, title: str, content: Table | Padding) -> None:
    console.print()
    console.print(_text(title, "bold"))
    console.print(content if isinstance(content, Padding) else Padding(content, (0, 0, 0, 2)))


def _text(text: str, style: str = "") -> Text:
    return Text(escape(text), style=style)
