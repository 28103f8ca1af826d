"""Codebooks: the shipped one, a minimal one of a user's own, and every fault at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stancewire.codebook import STANCES, Codebook
from stancewire.errors import CodebookError

SHIPPED = Path(__file__).parents[3] / "data" / "codebook.yaml"
SMALL: dict[str, Any] = {
    "id": "energy",
    "version": "2026.1",
    "topics": [{"id": "gas", "name": "natural gas", "definition": "Gas is bought or sold."}],
}


@cache
def parsed() -> dict[str, Any]:
    mapping: dict[str, Any] = YAML(typ="safe", pure=True).load(SHIPPED.read_text(encoding="utf-8"))
    return mapping


def shipped() -> dict[str, Any]:
    """Return a copy that a test may break."""
    return copy.deepcopy(parsed())


def faults(mapping: object) -> list[str]:
    with pytest.raises(CodebookError) as caught:
        Codebook.from_dict(mapping)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_the_shipped_codebook_labels_are_the_contract() -> None:
    book = Codebook.from_dict(shipped())
    assert (book.id, book.version) == ("stancewire-security-news", "1.0")
    assert book.labels("topics") == ("arms_trade", "diplomacy", "sanctions")
    assert book.labels("stance") == STANCES == tuple(sorted(STANCES))
    assert book.names("topics") == {
        "arms_trade": "arms trade",
        "sanctions": "sanctions",
        "diplomacy": "diplomacy",
    }
    assert all(len(topic.examples) >= 3 and len(topic.counter_examples) >= 3 for topic in book.topics)
    assert all(topic.holds and topic.does_not_hold and topic.parent is None for topic in book.topics)
    assert all(label.examples for label in book.stance)
    assert len(book.stance_rules) == 10


def test_the_shipped_crosswalk_is_many_to_many_and_cited() -> None:
    book = Codebook.from_dict(shipped())
    assert [scheme.id for scheme in book.schemes] == ["iptc-mediatopics", "cap", "plover"]
    for scheme in book.schemes:
        entries = book.crosswalk(scheme.id)
        topics_of: dict[str, set[str]] = {}
        for entry in entries:
            topics_of.setdefault(entry.code, set()).add(entry.topic)
        assert {entry.topic for entry in entries} == set(book.labels("topics"))
        assert max(len(topics) for topics in topics_of.values()) > 1, "one code, several topics"
        assert len(topics_of) > len(book.topics), "one topic, several codes"
        assert "http" in scheme.source and scheme.version
    # PLOVER's SANCTION is any reduction of relations: nowhere the same as, or a part of, our sanctions.
    relations = {(e.topic, e.code): e.relation for e in book.crosswalk("plover")}
    assert relations["sanctions", "SANCTION"] == "related"
    assert {relations["arms_trade", "AID"], relations["arms_trade", "COOPERATE"]} == {"related"}
    # One code has one label, whichever topic points to it.
    labels = {(e.scheme, e.code, e.label) for t in book.topics for e in t.crosswalk}
    assert len(labels) == len({(scheme, code) for scheme, code, _ in labels})


def test_a_minimal_codebook_of_other_topics_works() -> None:
    book = Codebook.from_dict(SMALL)
    assert book.labels("topics") == ("gas",)
    assert book.names("topics") == {"gas": "natural gas"}
    assert not book.schemes and not book.topics[0].crosswalk and not book.stance
    with pytest.raises(CodebookError, match=r"energy .* defines no stance labels; add a `stance` section"):
        book.labels("stance")
    with pytest.raises(CodebookError, match="no scheme 'cap', but these: none"):
        book.crosswalk("cap")


def test_labels_that_look_like_missing_values_stay_text() -> None:
    texts = ("no", "NA", "null", "007", "Rüstung")
    topics = [{"id": text, "name": text, "definition": "d"} for text in texts]
    assert Codebook.from_dict({**SMALL, "topics": topics}).labels("topics") == tuple(sorted(texts))


def test_the_digest_follows_content_not_order_of_keys() -> None:
    mapping = shipped()
    digest = Codebook.from_dict(mapping).digest
    turned = json.loads(json.dumps(mapping), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert Codebook.from_dict(turned).digest == digest
    edited = copy.deepcopy(mapping)
    edited["topics"][0]["counter_examples"][0] += "!"
    assert Codebook.from_dict(edited).digest != digest
    assert len(digest) == 64


def test_parents_form_trees() -> None:
    child = {"id": "lng", "name": "LNG", "definition": "Liquid gas.", "parent": "gas"}
    book = Codebook.from_dict({**SMALL, "topics": [*SMALL["topics"], child]})
    assert book.topics[1].parent == "gas"


def broken(edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    mapping = shipped()
    edit(mapping)
    return mapping


def topic(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Return an edit of the first topic."""
    return lambda mapping: mapping["topics"][0].update(changes)


def second(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Return an edit of the second topic."""
    return lambda mapping: mapping["topics"][1].update(changes)


def relation(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Return an edit of the first topic's first crosswalk entry."""
    return lambda mapping: mapping["topics"][0]["crosswalk"][0].update(changes)


AN_ID = "wanted a letter or digit, then up to 63 letters, digits, _ . or -; got"
ONE_LINE = "wanted one line of printable text, got"
CASES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda m: m.update(version=1.0), "version: wanted a text, got a number: 1.0; put it in quotes"),
    (lambda m: m.pop("version"), "version: missing"),
    (lambda m: m.update(titel="x"), "titel: unknown key (did you mean title?); the known ones are id,"),
    (lambda m: m.update(topics=[]), "topics: wanted at least 1, got 0"),
    (lambda m: m.update(topics={}), "topics: wanted a list of mappings, got a mapping"),
    (lambda m: m["topics"].append("gas"), "topics[3]: wanted a mapping, got 'gas'"),
    (topic(id=False), f"topics[0].id: {AN_ID} true or false: False; put it in quotes"),
    (topic(id="arms trade"), f"topics[0].id: {AN_ID} 'arms trade'"),
    (topic(id="x" * 65), f"topics[0].id: {AN_ID} 'xxx"),
    (second(id="ARMS_TRADE"), "topics[1].id: 'ARMS_TRADE' is the id of topics[0] already"),
    (second(name=" Arms  trade "), "topics[1].name: ' Arms  trade ' is the name of topics[0] already"),
    (topic(name="  "), "topics[0].name: wanted a text, got an empty one"),
    (topic(name="x" * 101), "topics[0].name: wanted at most 100 characters, got 101"),
    (topic(name="a\x1b[2J"), rf"topics[0].name: {ONE_LINE} 'a\x1b[2J'"),
    (topic(name="a\nb"), rf"topics[0].name: {ONE_LINE} 'a\nb'"),
    (topic(name="a\ud800"), rf"topics[0].name: {ONE_LINE} 'a\ud800'"),
    (topic(definition=None), "topics[0].definition: wanted a text, got nothing"),
    (topic(holds="a"), "topics[0].holds: wanted a list of texts, got 'a'"),
    (topic(holds=["a", 3]), "topics[0].holds[1]: wanted a text, got a number: 3; put it in quotes"),
    (topic(parent="sanction"), "topics[0].parent: no topic has the id 'sanction' (did you mean sanctions?)"),
    (topic(parent="arms_trade"), "topics[0].parent: the topic is its own ancestor"),
    (topic(crosswalk=None), "topics[0].crosswalk: wanted a list of mappings, got nothing"),
    (
        relation(relation="broad"),
        "topics[0].crosswalk[0].relation: wanted one of broader, exact, narrower, related; got 'broad' "
        "(did you mean broader?)",
    ),
    (
        relation(scheme="iptc"),
        "topics[0].crosswalk[0].scheme: wanted one of iptc-mediatopics, cap, plover; got 'iptc'",
    ),
    (
        relation(code=1606),
        "topics[0].crosswalk[0].code: wanted a text, got a number: 1606; put it in quotes",
    ),
    (
        relation(code="medtop:20000643"),
        "topics[0].crosswalk[2].code: 'medtop:20000643' stands twice; give one relation for each code",
    ),
    (lambda m: m.update(stance={}), "stance.labels: missing"),
    (
        lambda m: m["stance"].update(labels=m["stance"]["labels"][:1]),
        "stance.labels: wanted at least 2, got 1",
    ),
    (
        lambda m: m["stance"]["labels"][1].update(id="favour"),
        "stance.labels[1].id: wanted one of against, favor, neutral, unrelated; got 'favour' "
        "(did you mean favor?)",
    ),
    (
        lambda m: m["stance"]["labels"][0]["examples"][0].update(holder="Oslo"),
        "stance.labels[0].examples[0].holder: 'Oslo' does not stand in its sentence",
    ),
    (lambda m: m["schemes"]["cap"].pop("source"), "schemes.cap.source: missing"),
    (lambda m: m["schemes"].update({"c p": {}}), f"schemes.c p: {AN_ID} 'c p'"),
    (lambda m: m["schemes"].update(cap="x"), "schemes.cap: wanted a mapping, got 'x'"),
    (lambda m: m.update(schemes=[]), "schemes: wanted a mapping, got a list"),
]


@pytest.mark.parametrize(("edit", "fault"), CASES, ids=[fault[:50] for _, fault in CASES])
def test_a_fault_is_named_with_its_path(edit: Callable[[dict[str, Any]], object], fault: str) -> None:
    assert any(line.startswith(fault) for line in faults(broken(edit))), faults(broken(edit))


def test_all_faults_come_at_once() -> None:
    mapping = shipped()
    mapping["version"] = 1.0
    mapping["topics"][0]["exampels"] = []
    mapping["topics"][1].pop("definition")
    mapping["topics"][2]["crosswalk"][0]["relation"] = "exactly"
    mapping["stance"]["labels"][0]["id"] = "con"
    with pytest.raises(CodebookError, match=r"^the codebook has 5 faults:") as caught:
        Codebook.from_dict(mapping)
    paths = [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]]
    assert sorted(paths) == [
        "stance.labels[0].id",
        "topics[0].exampels",
        "topics[1].definition",
        "topics[2].crosswalk[0].relation",
        "version",
    ]


def test_a_ring_of_parents_is_refused() -> None:
    topics = [
        {"id": a, "name": a, "definition": "d", "parent": b} for a, b in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    topics.append({"id": "d", "name": "d", "definition": "d", "parent": "a"})
    told = faults({**SMALL, "topics": topics})
    assert told == [f"topics[{n}].parent: the topic is its own ancestor" for n in range(3)]


@pytest.mark.parametrize("value", [None, [], "text", 3, float("nan"), True, {}])
def test_what_is_no_codebook_is_refused(value: object) -> None:
    assert faults(value)


def test_a_number_too_long_to_print_is_refused() -> None:
    assert faults({**SMALL, "version": 10**5000}) == [
        "version: wanted a text, got a number: very many digits; put it in quotes"
    ]


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3)
)
KEYS = ("id", "version", "topics", "stance", "schemes", "labels", "name", "definition", "parent", "crosswalk")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), ANY), st.data())
def test_only_codebook_errors_escape(mapping: dict[str, object], data: st.DataObject) -> None:
    whole = shipped()
    where = data.draw(st.sampled_from([whole, whole["topics"][0], whole["topics"][0]["crosswalk"][0]]))
    for candidate in (mapping, {**SMALL, "topics": [mapping]}, whole):
        where.update(mapping)
        try:
            Codebook.from_dict(candidate)
        except CodebookError as error:
            assert "\x1b" not in str(error)


def test_the_table_in_the_docs_is_the_crosswalk() -> None:
    lines = (SHIPPED.parents[1] / "docs" / "codebook.md").read_text(encoding="utf-8").splitlines()
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    told = {tuple(row[:4]) for row in tables if len(row) == 5 and row[1].startswith("`")}
    book = Codebook.from_dict(shipped())
    assert told == {
        (entry.topic, f"`{entry.code}`", entry.label, entry.relation)
        for topic in book.topics
        for entry in topic.crosswalk
    }
    assert all(scheme.version in "\n".join(lines) for scheme in book.schemes)


def test_the_minimal_codebook_of_the_docs_works() -> None:
    docs = (SHIPPED.parents[1] / "docs" / "codebook.md").read_text(encoding="utf-8")
    block = docs.split("```yaml\n", 1)[1].split("```", 1)[0]
    book = Codebook.from_dict(YAML(typ="safe", pure=True).load(block))
    assert book.names("topics") == {"gas": "natural gas", "grid": "the power grid"}
    told = docs.split("the codebook has 3 faults:\n", 1)[1].split("```", 1)[0].splitlines()
    entry = {"id": "gas", "name": "gas", "defnition": "d"}
    assert faults({"id": "x", "version": 1.0, "topics": [entry]}) == [line.strip() for line in told]
