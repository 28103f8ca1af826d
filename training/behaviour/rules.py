"""One written rule of a case file: checked, then filled into cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stancewire.calibration import Task
from stancewire.checked import Checked, found, meant
from stancewire.examples import Article, StanceExample
from training.behaviour.cases import Case, Kind, Question, Sign
from training.behaviour.grammar import (
    DEFAULT_FILLS,
    Filling,
    GrammarError,
    Slot,
    Value,
    capital,
    filled,
    fillings,
    slots_in,
)

MAX_FILLS = 50
# The texts of a question by task, and the key of the labels that are wanted.
TEXTS: Mapping[Task, tuple[str, ...]] = {
    "stance": ("sentence", "context", "target", "holder"),
    "topics": ("title", "text"),
}
_WANTED: Mapping[Task, str] = {"stance": "label", "topics": "topics"}
_NEEDED: Mapping[Task, tuple[str, ...]] = {"stance": ("sentence", "target"), "topics": ("text",)}
_SHAPES = ("expect", "same", "vary", "from", "to", "more", "less")
_KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("minimum", frozenset()),
    ("minimum", frozenset({"expect"})),
    ("invariance", frozenset({"same"})),
    ("invariance", frozenset({"vary"})),
    ("direction", frozenset({"from", "to", "more"})),
    ("direction", frozenset({"from", "to", "less"})),
)


def keys(task: Task) -> tuple[str, ...]:
    """Return what a rule may hold."""
    return (*TEXTS[task], _WANTED[task], *_SHAPES, "slots", "fills")


@dataclass(frozen=True, slots=True)
class Shared:
    """What the rules of a file share: their task, its labels, and lists of words by name."""

    task: Task
    labels: tuple[str, ...]
    words: Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as written, slots and all."""

    texts: Mapping[str, str]
    wanted: tuple[str, ...] | None


class _Refused(Exception):
    """The rule has a fault, which is reported already."""


def cases_of(row: Checked, shared: Shared, where: str) -> tuple[Case, ...]:
    """Return the cases of one rule; none where it is faulty, which `row` then tells.

    Args:
        row: the rule, its keys checked.
        shared: what its file shares.
        where: its file and line.
    """
    try:
        return _Rule(row, shared, where).cases()
    except _Refused:
        return ()


class _Rule:
    def __init__(self, row: Checked, shared: Shared, where: str) -> None:
        self._row = row
        self._shared = shared
        self._where = where

    def cases(self) -> tuple[Case, ...]:
        kind = self._kind()
        asked = self._questions(kind)
        label, sign = self._direction(kind)
        slots = self._slots()
        vary = self._row.texts("vary")
        self._check_slots(asked, slots, vary)
        made: dict[tuple[tuple[str, ...], ...], Case] = {}
        for group in self._fillings(slots, vary):
            questions = tuple(self._question(one, filling) for filling in group for one in asked)
            texts = tuple(texts_of(question) for question in questions)
            if len(set(texts)) < len(texts):
                raise self._refuse(_NEEDED[self._shared.task][0], "asks the same question twice")
            made.setdefault(texts, Case(kind, self._where, questions, label, sign))
        return tuple(made.values())

    def _kind(self) -> Kind:
        present = frozenset(name for name in _SHAPES if name in self._row)
        for kind, shape in _KINDS:
            if present == shape:
                return kind
        raise self._refuse(
            sorted(present)[0],
            f"wanted one of: {', '.join(' + '.join(sorted(shape)) or 'none' for _, shape in _KINDS)}; "
            f"got {' + '.join(sorted(present))}",
        )

    def _questions(self, kind: Kind) -> list[_Asked]:
        names = TEXTS[self._shared.task]
        wanted = (_WANTED[self._shared.task],) if kind == "minimum" else ()
        rows = [self._row]
        for name in ("expect", "same"):
            if name in self._row:
                least = 2 if name == "same" else 1
                rows = self._row.rows(name, required=(), optional=(*names, *wanted), at_least=least)
        if kind == "direction":
            rows = [self._row.section(name, required=(), optional=names) for name in ("from", "to")]
        if not rows:
            raise _Refused
        if kind != "minimum" and _WANTED[self._shared.task] in self._row:
            raise self._refuse(_WANTED[self._shared.task], "only the answers are compared here; leave it out")
        return [self._asked(row, kind) for row in rows]

    def _asked(self, row: Checked, kind: Kind) -> _Asked:
        texts = {}
        for name in TEXTS[self._shared.task]:
            holder = row if name in row else self._row
            texts[name] = holder.text(name)
            if name in _NEEDED[self._shared.task] and not texts[name].strip():
                if name not in holder:
                    row.fault(name, "missing, here and for the rule as a whole")
                raise _Refused
        return _Asked(texts, self._labels(row) if kind == "minimum" else None)

    def _labels(self, row: Checked) -> tuple[str, ...]:
        name = _WANTED[self._shared.task]
        holder = row if name in row else self._row
        if name not in holder:
            row.fault(name, "missing, here and for the rule as a whole")
            raise _Refused
        if self._shared.task == "stance":
            return (holder.choice(name, self._shared.labels),)
        labels = holder.texts(name)
        for label in labels:
            if label not in self._shared.labels:
                known = ", ".join(self._shared.labels)
                holder.fault(
                    name, f"wanted some of {known}; got {found(label)}{meant(label, self._shared.labels)}"
                )
        if len(set(labels)) < len(labels):
            holder.fault(name, "a label stands twice")
        return tuple(sorted(labels))

    def _direction(self, kind: Kind) -> tuple[str, Sign]:
        if kind != "direction":
            return "", 0
        key = "more" if "more" in self._row else "less"
        return self._row.choice(key, self._shared.labels), 1 if key == "more" else -1

    def _slots(self) -> dict[str, Slot]:
        raw = self._row.raw("slots")
        if raw is None:
            return {}
        if not isinstance(raw, Mapping) or not raw:
            raise self._refuse("slots", f"wanted a mapping of names to values, got {found(raw)}")
        return {name: self._slot(name, held) for name, held in raw.items()}

    def _slot(self, name: str, held: object) -> Slot:
        words = self._shared.words
        if isinstance(held, str):
            if held not in words:
                known = ", ".join(words) or "none"
                raise self._refuse(
                    f"slots.{name}", f"no list of words is called {found(held)}; there are: {known}"
                )
            return Slot(words[held], held)
        values, problem = values_of(held)
        if problem:
            raise self._refuse(f"slots.{name}", problem)
        return Slot(values, f" {name}")

    def _check_slots(self, asked: Sequence[_Asked], slots: Mapping[str, Slot], vary: Sequence[str]) -> None:
        values = [value for slot in slots.values() for value in slot.values]
        held = [text for value in values for text in ([value] if isinstance(value, str) else value.values())]
        used = slots_in([*(text for one in asked for text in one.texts.values()), *held])
        if unknown := sorted(used - slots.keys()):
            raise self._refuse("slots", f"missing: {', '.join(unknown)}")
        if unused := sorted(slots.keys() - used):
            raise self._refuse("slots", f"never used: {', '.join(unused)}")
        if stray := [name for name in vary if name not in slots]:
            raise self._refuse("vary", f"no slot is called {found(stray[0])}{meant(stray[0], slots)}")
        if "fills" in self._row and not slots:
            raise self._refuse("fills", "there are no slots to fill")

    def _fillings(self, slots: Mapping[str, Slot], vary: Sequence[str]) -> list[list[Filling]]:
        if not slots:
            return [[{}]]
        n = DEFAULT_FILLS if "fills" not in self._row else self._row.raw("fills")
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MAX_FILLS:
            raise self._refuse("fills", f"wanted a whole number from 1 to {MAX_FILLS}, got {found(n)}")
        try:
            return fillings(slots, n, vary)
        except GrammarError as error:
            raise self._refuse("slots", str(error)) from None

    def _question(self, asked: _Asked, filling: Filling) -> Question:
        try:
            texts = {name: filled(text, filling) for name, text in asked.texts.items()}
        except GrammarError as error:
            raise self._refuse("slots", str(error)) from None
        if stray := next((text for text in texts.values() if set("{}") & set(text)), ""):
            raise self._refuse(_NEEDED[self._shared.task][0], f"a brace is left: {found(stray)}")
        if self._shared.task == "topics":
            return Question(Article(title=capital(texts["title"]), text=capital(texts["text"])), asked.wanted)
        sentence = capital(texts["sentence"]) if filling else texts["sentence"]
        holder = texts["holder"]
        if holder not in sentence:
            holder = capital(holder)
        if holder not in sentence:
            raise self._refuse("holder", f"{found(holder)} does not stand in {found(sentence)}")
        example = StanceExample(
            sentence=sentence, context=texts["context"], target=texts["target"], holder=holder or None
        )
        return Question(example, asked.wanted)

    def _refuse(self, key: str, text: str) -> _Refused:
        self._row.fault(key, text)
        return _Refused()


def values_of(held: object) -> tuple[tuple[Value, ...], str]:
    """Return the values of a slot or of a shared list, or what is wrong with them."""
    if not isinstance(held, list) or not held:
        return (), f"wanted a list of values, or the name of a list of words; got {found(held)}"
    values: list[Value] = []
    for item in held:
        parts = item.values() if isinstance(item, Mapping) else [item]
        if not all(isinstance(text, str) and text.strip() and text.isprintable() for text in parts):
            return (), f"wanted printable texts, or mappings of them; got {found(item)}"
        values.append(item)
    if any(values.count(value) > 1 for value in values):
        return (), "a value stands twice"
    return tuple(values), ""


def texts_of(question: Question) -> tuple[str, ...]:
    """Return what makes a question another one."""
    example = question.example
    names = TEXTS["topics" if isinstance(example, Article) else "stance"]
    return tuple(getattr(example, name) or "" for name in names)
