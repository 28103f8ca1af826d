"""The bundled cases: enough of them, our own, no sentence from the corpus; and the noise laid over them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from stancewire.examples import Article, StanceExample
from stancewire.text import clean
from tests.integration.conftest import ROOT
from training.behaviour import load_suite
from training.behaviour.cases import Question
from training.behaviour.load import BUNDLED
from training.behaviour.noise import _RECODINGS, NOISES, noisy
from training.behaviour.rules import texts_of
from training.data.codebook import load_codebook
from training.yaml import parse_yaml

SUITE = load_suite()
CAPABILITIES = {
    "stance": (
        *("conditionals", "countries", "deeds", "denial", "hedging", "holder_swap", "irony", "negation"),
        *("paraphrase", "target_swap", "tone", "typos", "unicode"),
    ),
    "topics": (
        *("countries", "deeds", "direction", "foreign_sense", "home_arms", "naming", "paraphrase", "passing"),
        *("typos", "unicode"),
    ),
}
FILES = sorted(BUNDLED.glob("*/*.yaml"))


def questions() -> list[Question]:
    """What was written; noise only repeats it."""
    found = [c for capabilities in SUITE.capabilities.values() for c in capabilities]
    written = [capability for capability in found if capability.name not in NOISES]
    return [question for capability in written for case in capability.cases for question in case.questions]


def rules_of(file: Path) -> list[Mapping[str, object]]:
    data = parse_yaml(file.read_bytes(), file.name).data
    assert isinstance(data, dict)
    rules = data.get("cases", [])
    assert isinstance(rules, list)
    return [rule for rule in rules if isinstance(rule, dict)]


def words_of(text: str) -> str:
    """A sentence without what a copyist would change."""
    return " ".join(re.findall(r"\w+", clean(text).casefold()))


def test_the_capabilities_are_these() -> None:
    found = {task: tuple(c.name for c in capabilities) for task, capabilities in SUITE.capabilities.items()}
    assert found == CAPABILITIES
    assert [f"{file.parent.name}/{file.stem}" for file in FILES] == sorted(
        f"{task}/{name}" for task, names in CAPABILITIES.items() for name in names
    )


def test_they_ask_by_the_bundled_codebook() -> None:
    codebook = load_codebook(ROOT / "data/codebook.yaml")
    assert (SUITE.codebook_id, SUITE.codebook_version) == (codebook.id, codebook.version)
    assert SUITE.labels == {"stance": codebook.labels("stance"), "topics": codebook.labels("topics")}


def test_there_are_at_least_150_hand_written_ones() -> None:
    hand_written = sum("slots" not in rule for file in FILES for rule in rules_of(file))
    assert hand_written >= 150
    for task, capabilities in SUITE.capabilities.items():
        for capability in capabilities:
            assert len({case.rule for case in capability.cases}) >= 6, f"{task} {capability.name}"


def test_every_label_is_wanted_somewhere() -> None:
    wanted = {label for question in questions() for label in question.wanted or ()}
    assert wanted == {*SUITE.labels["stance"], *SUITE.labels["topics"]}


def test_no_case_shares_a_sentence_with_the_corpus() -> None:
    """A model has learned the corpus by heart; a case from it would test memory."""
    corpus: set[str] = set()
    for file in sorted((ROOT / "data").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            pieces = [row["title"], *re.split(r"(?<=[.!?])[\"”’']*\s+", row["text"])]
            corpus |= {words_of(piece) for piece in (*pieces, *(s["sentence"] for s in row["stances"]))}
    assert len(corpus) > 5000
    for question in questions():
        example = question.example
        texts = [example.sentence] if isinstance(example, StanceExample) else [example.title, example.text]
        for text in texts:
            for piece in (text, *re.split(r"(?<=[.!?])[\"”’']*\s+", text)):
                assert not words_of(piece) or words_of(piece) not in corpus, piece


def test_targets_and_holders_stay_as_they_are_mistyped_or_not() -> None:
    changed = 0
    for question in questions():
        other = noisy(question.example, "typos")
        if other is None:
            continue
        changed += 1
        texts, others = texts_of(question), texts_of(Question(other))
        assert texts != others
        if isinstance(other, StanceExample):
            assert texts[1:] == others[1:]
            assert other.holder is None or other.holder in other.sentence
        differing = [(one, two) for one, two in zip(texts, others, strict=True) if one != two]
        ((one, two),) = differing
        slips = [pair for pair in zip(one.split(), two.split(), strict=True) if pair[0] != pair[1]]
        assert len(slips) == max(1, min(len(slips), len(one.split()) // 12))
        for before, after in slips:
            assert abs(len(before) - len(after)) <= 1
            assert (before[0], before[-1]) == (after[0], after[-1])
    assert changed > 0.9 * len(questions())


def test_recoded_texts_read_the_same() -> None:
    for question in questions():
        other = noisy(question.example, "unicode")
        assert other is not None
        assert texts_of(question) != texts_of(Question(other))
        for one, two in zip(texts_of(question), texts_of(Question(other)), strict=True):
            plain = clean(two).replace("’", "'").replace("“", '"').replace("”", '"')
            assert plain == unicodedata.normalize("NFC", one)


@pytest.mark.parametrize("way", sorted(_RECODINGS))
def test_every_recoding_changes_something_somewhere(way: str) -> None:
    article = Article(text="""The café "finally" lost its flour, the mayor's office said.""")
    assert _RECODINGS[way](article.text) != article.text


def test_every_process_asks_the_same() -> None:
    """Fault 19: the order of a set or a hash must not leak into the cases."""
    program = (
        "from training.behaviour import load_suite; from hashlib import sha256; "
        "print(sha256(repr(load_suite().capabilities).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


def test_the_documented_cases_load_and_every_capability_is_documented(tmp_path: Path) -> None:
    docs = (ROOT / "docs/behaviour.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", docs, re.DOTALL)
    (tmp_path / "stance").mkdir()
    (tmp_path / "suite.yaml").write_bytes((BUNDLED / "suite.yaml").read_bytes())
    (tmp_path / "stance/shown.yaml").write_text(block, encoding="utf-8")
    (capability,) = load_suite(tmp_path).capabilities["stance"]
    assert [case.kind for case in capability.cases[:4]] == ["minimum", "minimum", "invariance", "direction"]
    assert len(capability.cases) == 4 + 8
    for names in CAPABILITIES.values():
        assert all(f"`{name}`" in docs for name in names)
