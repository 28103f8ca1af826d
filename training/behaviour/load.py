"""Read the cases from their YAML files; every fault is told with its file and line."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from stancewire.calibration import Task
from stancewire.checked import Checked
from stancewire.examples import Article
from training.behaviour.cases import BehaviourError, Capability, Case, Question, Suite
from training.behaviour.grammar import Value
from training.behaviour.noise import NOISES, Noise, noisy
from training.behaviour.rules import Shared, cases_of, keys, texts_of, values_of
from training.yaml import ConfigError, Parsed, parse_yaml

BUNDLED = Path(__file__).parent / "cases"
_HEAD = "suite.yaml"
_TASKS: tuple[Task, ...] = get_args(Task)
_STEP = re.compile(r"[^.\[\]]+|(?<=\[)\d+(?=\])")
_SHOWN = 20


def load_suite(folder: Path = BUNDLED) -> Suite:
    """Read a folder of cases: suite.yaml, and TASK/CAPABILITY.yaml for every capability.

    Raises:
        BehaviourError: listing every fault of every file.
    """
    return _bundled() if folder == BUNDLED else _load(folder)


@cache
def _bundled() -> Suite:
    return _load(BUNDLED)


def _load(folder: Path) -> Suite:
    reader = _Reader(folder)
    suite = reader.suite()
    if reader.faults:
        shown = [f"  {fault}" for fault in reader.faults[:_SHOWN]]
        more = len(reader.faults) - _SHOWN
        count = "1 fault" if len(reader.faults) == 1 else f"{len(reader.faults)} faults"
        rest = [f"  and {more} more"] if more > 0 else []
        raise BehaviourError("\n".join([f"the behavioural cases have {count}:", *shown, *rest]))
    return suite


class _Reader:
    """Reads one folder and collects what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.faults: list[str] = []
        self._folder = folder
        self._digest = hashlib.sha256()
        self._seen: dict[tuple[object, ...], tuple[str, tuple[str, ...] | None]] = {}

    def suite(self) -> Suite:
        parsed = self._parse(_HEAD)
        faults: list[str] = []
        top = Checked(parsed.data, "", faults, required=("codebook", "labels"), optional=("words",))
        codebook = top.section("codebook", required=("id", "version"))
        identifier, version = codebook.identifier("id"), codebook.text("version")
        labels_at = top.section("labels", required=(), optional=_TASKS)
        labels = {task: tuple(sorted(labels_at.texts(task))) for task in _TASKS}
        words = _words(top)
        self._tell(_HEAD, parsed, faults)
        capabilities = {}
        for task in _TASKS:
            shared = Shared(task, labels[task], words)
            capabilities[task] = tuple(self._capabilities(shared))
        if not any(capabilities.values()) and not self.faults:
            self.faults.append(f"{self._folder}: wanted files such as stance/negation.yaml, got none")
        return Suite(identifier, version, labels, capabilities, self._digest.hexdigest())

    def _capabilities(self, shared: Shared) -> Iterator[Capability]:
        """Read what was written first: noise is laid over all of it."""
        home = self._folder / shared.task
        written: dict[str, Capability] = {}
        noises: dict[str, Noise] = {}
        for path in sorted(home.iterdir(), key=lambda path: path.name) if home.is_dir() else ():
            file = f"{shared.task}/{path.name}"
            if path.suffix != ".yaml":
                self.faults.append(f"{file}: wanted only .yaml files, one for each capability")
                continue
            parsed = self._parse(file)
            faults: list[str] = []
            optional = ("noise", "cases")
            top = Checked(parsed.data, "", faults, required=("asks",), optional=optional)
            asks = top.text("asks")
            if "noise" in top:
                noises[path.stem] = next((n for n in NOISES if n == top.choice("noise", NOISES)), NOISES[0])
            written[path.stem] = Capability(path.stem, asks, self._cases(top, shared, file, parsed, faults))
            if not faults and not written[path.stem].cases and "noise" not in top:
                top.fault("cases", "wanted at least one case")
            self._tell(file, parsed, faults)
        plain = [case for capability in written.values() for case in capability.cases]
        for name, capability in written.items():
            noise = noises.get(name)
            cases = _noisy(plain, noise) if noise else ()
            yield Capability(name, capability.asks, (*capability.cases, *cases))

    def _cases(
        self, top: Checked, shared: Shared, file: str, parsed: Parsed, faults: list[str]
    ) -> tuple[Case, ...]:
        found: list[Case] = []
        for number, row in enumerate(top.rows("cases", required=(), optional=keys(shared.task))):
            where = f"{file}:{parsed.lines.get(('cases', number), 1)}"
            # A rule whose keys are wrong has said so; what follows from them would only repeat it.
            wrong = any(fault.startswith(row.path) for fault in faults)
            cases = () if wrong else cases_of(row, shared, where)
            for question in (question for case in cases for question in case.questions):
                self._compare(row, question, where)
            found += cases
        return tuple(found)

    def _compare(self, row: Checked, question: Question, where: str) -> None:
        """Report a question that another rule wants answered otherwise."""
        if question.wanted is None:
            return
        key = "text" if isinstance(question.example, Article) else "sentence"
        other, wanted = self._seen.setdefault(texts_of(question), (where, question.wanted))
        if wanted != question.wanted:
            row.fault(key, f"wants another answer than {other}, which asks the same")
        elif other != where:
            row.fault(key, f"asks what {other} asks already")

    def _parse(self, file: str) -> Parsed:
        try:
            source = (self._folder / file).read_bytes()
        except OSError as error:
            raise BehaviourError(
                f"{self._folder / file}: the cases cannot be read: {error.strerror}"
            ) from None
        self._digest.update(f"{file}\0{len(source)}\0".encode() + source)
        try:
            return parse_yaml(source, file)
        except ConfigError as error:
            self.faults += [f"{file}: {problem}" for problem in error.problems]
            return Parsed({}, {})

    def _tell(self, file: str, parsed: Parsed, faults: list[str]) -> None:
        """Keep faults with their lines; a file that is no YAML has told its own."""
        if parsed.lines:
            self.faults += [f"{file}:{_line(parsed, fault)}: {fault}" for fault in faults]


def _words(top: Checked) -> dict[str, tuple[Value, ...]]:
    raw = top.raw("words")
    if not isinstance(raw, Mapping):
        return {}
    words = {}
    for name, held in raw.items():
        words[name], problem = values_of(held)
        if problem:
            top.fault(f"words.{name}", problem)
    return words


def _noisy(cases: list[Case], noise: Noise) -> Iterator[Case]:
    """Lay noise over the first question of every minimum rule; fills of one rule are alike, one will do."""
    rules: set[str] = set()
    for case in cases:
        first = case.questions[0]
        if case.kind != "minimum" or case.rule in rules:
            continue
        rules.add(case.rule)
        other = noisy(first.example, noise)
        if other is not None:
            yield Case("invariance", case.rule, (Question(first.example), Question(other)))


def _line(parsed: Parsed, fault: str) -> int:
    """Return the line of the deepest part of a fault's dotted path that was written."""
    path: list[str | int] = [
        int(step) if step.isdigit() else step for step in _STEP.findall(fault.partition(": ")[0])
    ]
    while path and tuple(path) not in parsed.lines:
        path.pop()
    return parsed.lines.get(tuple(path), 1)
