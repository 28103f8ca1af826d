"""What the labels mean: topics and stances with their definitions, and their relation to other schemes.

A codebook is written as YAML (`data/codebook.yaml`); training parses the YAML and hands over the mapping, so
that reading a codebook here needs no YAML library. Who labels other topics writes a codebook of their own:
only an id, a version and one topic with an id, a name and a definition are required.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stancewire.calibration import Task
from stancewire.checked import Checked, found, meant, report_twins
from stancewire.errors import CodebookError
from stancewire.examples import StanceExample
from stancewire.strictjson import dumps

Relation: TypeAlias = Literal["broader", "exact", "narrower", "related"]

# What a foreign code is, seen from our topic, as in SKOS: "broader" is `our topic skos:broadMatch code`.
RELATIONS: tuple[Relation, ...] = ("broader", "exact", "narrower", "related")
# Roll-ups and net stance are defined for these four; a codebook redefines their meaning, not their names.
STANCES = ("against", "favor", "neutral", "unrelated")

_TOPIC = ("id", "name", "definition")
_TOPIC_MORE = ("holds", "does_not_hold", "parent", "examples", "counter_examples", "crosswalk")


@dataclass(frozen=True, slots=True)
class Scheme:
    """Another classification that the crosswalk points to.

    Attributes:
        id: short name that crosswalk entries use ("iptc-mediatopics").
        title: name for people.
        version: edition or date of the scheme that the codes were read in.
        source: public address where the codes were read.
    """

    id: str
    title: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class CrosswalkEntry:
    """One relation between a topic and a code of another scheme; a topic has many, and so has a code.

    Attributes:
        topic: id of our topic.
        scheme: id of a declared scheme.
        code: the scheme's own code ("medtop:20000642").
        label: the scheme's own name of the code.
        relation: what the code is, seen from the topic: "broader" covers the topic and more, "narrower" is
            a part of it, "exact" the same, "related" overlaps or touches.
        note: where the two part, or "".
    """

    topic: str
    scheme: str
    code: str
    label: str
    relation: Relation
    note: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """A label of the topics task.

    Attributes:
        id: the label, as it stands in data and artefacts.
        name: phrase for people, and the stance target that is asked about by default.
        definition: when an article gets the topic.
        holds: cases that belong to it.
        does_not_hold: cases that look like it and do not belong.
        parent: id of the topic that this one is a part of, or None.
        examples: sentences whose article gets the topic.
        counter_examples: sentences that do not give an article the topic.
        crosswalk: relations to other schemes.
    """

    id: str
    name: str
    definition: str
    holds: tuple[str, ...] = ()
    does_not_hold: tuple[str, ...] = ()
    parent: str | None = None
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    crosswalk: tuple[CrosswalkEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class StanceLabel:
    """A label of the stance task: its id, a phrase for people, what it means, and worked examples."""

    id: str
    name: str
    definition: str
    examples: tuple[StanceExample, ...] = ()


@dataclass(frozen=True, slots=True)
class Codebook:
    """Definitions of every label, in one version.

    Attributes:
        id: name of the codebook.
        version: changes whenever a meaning does.
        title: name for people, or "".
        topics: at least one, in the order written.
        stance: the stance labels, or empty where only topics are labelled.
        stance_rules: how hard cases of stance are decided, in the order written.
        schemes: what the crosswalk points to.
        digest: sha256 over the canonical JSON of the whole mapping: any edit of a meaning changes it.
    """

    id: str
    version: str
    title: str
    topics: tuple[Topic, ...]
    stance: tuple[StanceLabel, ...]
    stance_rules: tuple[str, ...]
    schemes: tuple[Scheme, ...]
    digest: str

    @classmethod
    def from_dict(cls, mapping: object) -> Codebook:
        """Read a parsed codebook.

        Raises:
            CodebookError: naming every fault with its dotted path.
        """
        return _read(mapping)

    def labels(self, task: Task) -> tuple[str, ...]:
        """Return the sorted label ids of a task."""
        return tuple(sorted(self.names(task)))

    def names(self, task: Task) -> dict[str, str]:
        """Return the phrase for people by label id.

        Raises:
            CodebookError: if the codebook defines no labels for the task.
        """
        entries = {
            "topics": {topic.id: topic.name for topic in self.topics},
            "stance": {label.id: label.name for label in self.stance},
        }[task]
        if not entries:
            raise CodebookError(
                f"codebook {self.id} {self.version} defines no {task} labels; add a `{task}` section to it"
            )
        return entries

    def crosswalk(self, scheme: str) -> tuple[CrosswalkEntry, ...]:
        """Return every relation to a scheme, over all topics.

        Raises:
            CodebookError: if the codebook does not declare the scheme.
        """
        known = [declared.id for declared in self.schemes]
        if scheme not in known:
            declared = ", ".join(known) or "none"
            raise CodebookError(f"codebook {self.id} declares no scheme {scheme!r}, but these: {declared}")
        return tuple(entry for topic in self.topics for entry in topic.crosswalk if entry.scheme == scheme)


def _read(mapping: object) -> Codebook:
    faults: list[str] = []
    optional = ("title", "stance", "schemes")
    top = Checked(mapping, "", faults, required=("id", "version", "topics"), optional=optional)
    schemes = _schemes(top)
    rows = top.rows("topics", required=_TOPIC, optional=_TOPIC_MORE, at_least=1)
    topics = tuple(_topic(row, [scheme.id for scheme in schemes]) for row in rows)
    report_twins(rows, "id")
    report_twins(rows, "name")
    _report_parents(rows, topics)
    stance, rules = _stance(top)
    identifier, version = top.identifier("id"), top.text("version", longest=64)
    title = top.maybe_text("title") or ""
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise CodebookError("\n  ".join([f"the codebook has {count}:", *faults]))
    digest = hashlib.sha256(dumps(mapping)).hexdigest()
    return Codebook(identifier, version, title, topics, stance, rules, schemes, digest)


def _schemes(top: Checked) -> tuple[Scheme, ...]:
    pairs = top.named("schemes", required=("title", "version", "source"))
    return tuple(
        Scheme(name, row.text("title"), row.text("version"), row.text("source")) for name, row in pairs
    )


def _topic(row: Checked, schemes: list[str]) -> Topic:
    identifier = row.identifier("id")
    crosswalk = row.rows("crosswalk", required=("scheme", "code", "label", "relation"), optional=("note",))
    entries = tuple(_crosswalk_entry(entry, identifier, schemes) for entry in crosswalk)
    seen: set[tuple[str, str]] = set()
    for entry, read in zip(crosswalk, entries, strict=True):
        if (read.scheme, read.code) in seen:
            entry.fault("code", f"{found(read.code)} stands twice; give one relation for each code")
        seen.add((read.scheme, read.code))
    return Topic(
        id=identifier,
        name=row.text("name", longest=100),
        definition=row.text("definition"),
        holds=row.texts("holds"),
        does_not_hold=row.texts("does_not_hold"),
        parent=row.maybe_text("parent"),
        examples=row.texts("examples"),
        counter_examples=row.texts("counter_examples"),
        crosswalk=entries,
    )


def _crosswalk_entry(row: Checked, topic: str, schemes: list[str]) -> CrosswalkEntry:
    chosen = row.choice("relation", RELATIONS)
    return CrosswalkEntry(
        topic=topic,
        scheme=row.choice("scheme", schemes),
        code=row.text("code"),
        label=row.text("label"),
        relation=next((relation for relation in RELATIONS if relation == chosen), "related"),
        note=row.maybe_text("note") or "",
    )


def _report_parents(rows: list[Checked], topics: tuple[Topic, ...]) -> None:
    """Report a parent that is no topic, and a chain of parents that comes back to its start."""
    parents = {topic.id: topic.parent for topic in topics}
    for row, topic in zip(rows, topics, strict=True):
        if topic.parent is not None and topic.parent not in parents:
            row.fault("parent", f"no topic has the id {found(topic.parent)}{meant(topic.parent, parents)}")
        ancestors: set[str] = set()
        parent = topic.parent
        while parent is not None and parent not in ancestors:
            ancestors.add(parent)
            parent = parents.get(parent)
        if topic.id in ancestors:
            row.fault("parent", "the topic is its own ancestor")


def _stance(top: Checked) -> tuple[tuple[StanceLabel, ...], tuple[str, ...]]:
    """Read the stance section; leaving it out is no fault, an empty one is."""
    if "stance" not in top:
        return (), ()
    section = top.section("stance", required=("labels",), optional=("rules",))
    rows = section.rows("labels", required=("id", "name", "definition"), optional=("examples",), at_least=2)
    report_twins(rows, "id")
    report_twins(rows, "name")
    labels = tuple(
        StanceLabel(
            id=row.choice("id", STANCES),
            name=row.text("name", longest=100),
            definition=row.text("definition"),
            examples=_stance_examples(row),
        )
        for row in rows
    )
    return labels, section.texts("rules")


def _stance_examples(label: Checked) -> tuple[StanceExample, ...]:
    examples = []
    for row in label.rows("examples", required=("sentence", "target"), optional=("holder",)):
        sentence, holder = row.text("sentence"), row.maybe_text("holder")
        if holder is not None and holder not in sentence:
            row.fault("holder", f"{found(holder)} does not stand in its sentence")
        examples.append(StanceExample(sentence=sentence, target=row.text("target"), holder=holder))
    return tuple(examples)
