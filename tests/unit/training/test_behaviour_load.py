"""Case files: rules into cases, slots into texts, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from stancewire.examples import Article, StanceExample
from training.behaviour import BehaviourError, load_suite
from training.behaviour.cases import Case, Suite
from training.behaviour.rules import texts_of

HEAD = """codebook: {id: ours, version: "1.0"}
labels:
  stance: [neutral, against, favor]
  topics: [sanctions, diplomacy]
words:
  countries:
    - {name: Peru, people: Peruvian}
    - {name: Chad, people: Chadian}
    - {name: Oman, people: Omani}
    - {name: Laos, people: Lao}
"""
PLAIN = "  - {sentence: Oslo spoke., target: the ban, label: favor}\n"


def written(folder: Path, cases: str, *, file: str = "stance/negation.yaml", head: str = HEAD) -> Path:
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"asks: Does it?\ncases:\n{cases}", encoding="utf-8")
    (folder / "suite.yaml").write_text(head, encoding="utf-8")
    return folder


def suite_of(folder: Path, cases: str, *, file: str = "stance/negation.yaml") -> Suite:
    return load_suite(written(folder, cases, file=file))


def cases_of(folder: Path, cases: str, *, file: str = "stance/negation.yaml") -> tuple[Case, ...]:
    suite = suite_of(folder, cases, file=file)
    (capability,) = suite.capabilities["topics" if file.startswith("topics") else "stance"]
    return capability.cases


def sentences_of(cases: tuple[Case, ...]) -> list[list[str]]:
    return [
        [q.example.sentence for q in case.questions if isinstance(q.example, StanceExample)] for case in cases
    ]


def test_a_plain_rule_is_a_minimum_case(tmp_path: Path) -> None:
    (case,) = cases_of(tmp_path, "  - {sentence: Oslo spoke., target: the ban, holder: Oslo, label: favor}\n")
    (question,) = case.questions
    assert question.example == StanceExample(sentence="Oslo spoke.", target="the ban", holder="Oslo")
    assert (case.kind, case.rule, question.wanted) == ("minimum", "stance/negation.yaml:3", ("favor",))


def test_questions_inherit_what_the_rule_says(tmp_path: Path) -> None:
    rule = """  - sentence: Oslo praised the ban and Rome the sale.
    target: the ban
    holder: Oslo
    label: favor
    expect:
      - {}
      - {target: the sale, label: neutral}
      - {target: the sale, holder: Rome}
"""
    (case,) = cases_of(tmp_path, rule)
    asked = [(*texts_of(question)[2:], question.wanted) for question in case.questions]
    assert asked == [
        ("the ban", "Oslo", ("favor",)),
        ("the sale", "Oslo", ("neutral",)),
        ("the sale", "Rome", ("favor",)),
    ]


def test_a_direction_has_a_label_and_a_way(tmp_path: Path) -> None:
    rule = "  - {from: {sentence: A.}, to: {sentence: B.}, target: the ban, KEY: neutral}\n"
    for key, sign in (("more", 1), ("less", -1)):
        (case,) = cases_of(tmp_path, rule.replace("KEY", key))
        assert (case.kind, case.label, case.sign) == ("direction", "neutral", sign)
        assert sentences_of((case,)) == [["A.", "B."]]


def test_topics_want_sets(tmp_path: Path) -> None:
    rules = "  - {text: One., topics: []}\n  - {title: T, text: Two., topics: [sanctions, diplomacy]}\n"
    one, two = cases_of(tmp_path, rules, file="topics/naming.yaml")
    assert (one.questions[0].example, one.questions[0].wanted) == (Article(text="One."), ())
    assert (two.questions[0].example, two.questions[0].wanted) == (
        Article(title="T", text="Two."),
        ("diplomacy", "sanctions"),
    )


TEMPLATE = """  - sentence: "{who} {did} the ban on {b.people} tea."
    target: the ban
    holder: "{who}"
    label: favor
    fills: 50
    slots:
      who: ["{a.name}", "the {a.people} king"]
      a: countries
      b: countries
      did: [backed, praised]
"""


def test_templates_are_filled_with_parts_and_slots_in_slots(tmp_path: Path) -> None:
    cases = cases_of(tmp_path, TEMPLATE)
    assert len(cases) == 2 * 4 * 3 * 2
    assert {case.rule for case in cases} == {"stance/negation.yaml:3"}
    found = {sentence for (sentence,) in sentences_of(cases)}
    assert {"Peru backed the ban on Lao tea.", "The Omani king praised the ban on Chadian tea."} <= found
    assert not any("Peruvian king" in s and "Peruvian tea" in s for s in found)
    for case in cases:
        example = case.questions[0].example
        assert isinstance(example, StanceExample)
        assert example.holder is not None
        assert example.sentence.startswith(example.holder)


def test_another_rule_changes_no_filling(tmp_path: Path) -> None:
    few = TEMPLATE.replace("fills: 50", "fills: 5")
    alone = sentences_of(cases_of(tmp_path, few))
    assert len(alone) == 5
    assert sentences_of(cases_of(tmp_path, PLAIN + few))[1:] == alone
    assert len(cases_of(tmp_path, few.replace("    fills: 5\n", ""))) == 8


def test_what_varies_is_all_that_differs(tmp_path: Path) -> None:
    rule = """  - sentence: "{a.name} {did} the ban on {b.people} tea."
    target: the ban
    holder: "{a.name}"
    vary: [a]
    slots: {a: countries, b: countries, did: [backed, praised]}
"""
    cases = cases_of(tmp_path, rule)
    assert len(cases) == 8
    for one, other in sentences_of(cases):
        assert one.split()[0] != other.split()[0]
        assert one.split()[1:] == other.split()[1:]
    assert {case.kind for case in cases} == {"invariance"}


def test_noise_is_laid_over_every_minimum_rule_once(tmp_path: Path) -> None:
    written(tmp_path, "  - {sentence: Nothing was delivered., target: the ban, label: favor}\n" + TEMPLATE)
    (tmp_path / "stance" / "typos.yaml").write_text("asks: Typos?\nnoise: typos\n")
    _, typos = load_suite(tmp_path).capabilities["stance"]
    assert [case.rule for case in typos.cases] == ["stance/negation.yaml:3", "stance/negation.yaml:4"]
    assert all(case.kind == "invariance" for case in typos.cases)
    assert all(one != other for one, other in sentences_of(typos.cases))


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        (
            "  - {sentence: A., target: t, label: favour}\n",
            ":3: cases[0].label: wanted one of against, favor",
        ),
        (PLAIN + "  - {sentence: A., target: t}\n", ":4: cases[1].label: missing"),
        ("  - {sentence: A., label: favor}\n", ":3: cases[0].target: missing"),
        ("  - {sentence: A., target: '', label: favor}\n", "target: wanted a text, got an empty one"),
        ("  - {sentence: A., target: 7, label: favor}\n", "target: wanted a text, got a number: 7"),
        (
            "  - {sentence: A., target: t, lable: favor}\n",
            "cases[0].lable: unknown key (did you mean label?)",
        ),
        ("  - Oslo spoke.\n", "cases[0]: wanted a mapping, got 'Oslo spoke.'"),
        ("  []\n", "cases: wanted at least one case"),
        ("  - {sentence: A., target: t, holder: Oslo, label: favor}\n", "'Oslo' does not stand in 'A.'"),
        (
            "  - {sentence: A., target: t, same: [{sentence: B.}]}\n",
            "cases[0].same: wanted at least 2, got 1",
        ),
        (
            "  - {target: t, same: [{sentence: A.}, {sentence: A.}]}\n",
            "cases[0].sentence: asks the same question twice",
        ),
        ("  - {target: t, label: favor, same: [{sentence: A.}, {sentence: B.}]}\n", "leave it out"),
        ("  - {target: t, from: {sentence: A.}, more: favor}\n", "got from + more"),
        (
            "  - {target: t, from: {sentence: A.}, to: {sentence: B.}, more: f}\n",
            "cases[0].more: wanted one of",
        ),
        ("  - {sentence: A., target: t, expect: [{label: favor}], vary: [a]}\n", "got expect + vary"),
        ("  - {sentence: 'A {b}.', target: t, label: favor}\n", "cases[0].slots: missing: b"),
        ("  - {sentence: 'A {B}.', target: t, label: favor}\n", "a brace is left: 'A {B}.'"),
        (
            "  - {sentence: A., target: t, label: favor, slots: {b: [c]}}\n",
            "cases[0].slots: never used: b",
        ),
        (
            "  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: contries}}\n",
            "cases[0].slots.b: no list of words is called 'contries'; there are: countries",
        ),
        (
            "  - {sentence: 'A {b.capital}.', target: t, label: favor, slots: {b: countries}}\n",
            "{b.capital} fits no value of the slot, which is parts: name, people",
        ),
        ("  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: countries}}\n", "{b} fits no value"),
        ("  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: [7]}}\n", "wanted printable texts"),
        ("  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: []}}\n", "wanted a list of values"),
        ("  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: [c, c]}}\n", "a value stands twice"),
        ("  - {sentence: 'A {b}.', target: t, label: favor, slots: {b: ['{b}']}}\n", "in a circle"),
        (
            "  - {sentence: 'A {b}.', target: t, label: favor, fills: 99, slots: {b: [c]}}\n",
            "cases[0].fills: wanted a whole number from 1 to 50, got a number: 99",
        ),
        ("  - {sentence: A., target: t, label: favor, fills: 3}\n", "there are no slots to fill"),
        (
            "  - {sentence: 'A {b}.', target: t, vary: [c], slots: {b: [c, d]}}\n",
            "cases[0].vary: no slot is called 'c'",
        ),
        (
            "  - {sentence: 'A {b}.', target: t, vary: [b], slots: {b: [c]}}\n",
            "wanted at least 2 values for 'b'",
        ),
        (PLAIN + PLAIN, ":4: cases[1].sentence: asks what stance/negation.yaml:3 asks already"),
        (
            PLAIN + PLAIN.replace("favor", "neutral"),
            ":4: cases[1].sentence: wants another answer than stance/negation.yaml:3",
        ),
        ("  - {sentence: A., sentence: B., target: t, label: favor}\n", "line 3: 'sentence' is set twice"),
        ("  - &a {sentence: A., target: t, label: favor}\n", "anchors and aliases are refused"),
    ],
)
def test_faults_are_told_with_their_lines(tmp_path: Path, cases: str, says: str) -> None:
    with pytest.raises(BehaviourError) as refused:
        suite_of(tmp_path, cases)
    text = str(refused.value)
    assert text.startswith("the behavioural cases have 1 fault:\n  stance/negation.yaml:")
    assert says in text


def test_all_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, "  - {text: A., topics: [sanctoins]}\n", file="topics/naming.yaml")
    written(
        tmp_path, PLAIN.replace("favor", "pro") + PLAIN.replace("target", "tarket"), head=HEAD + "more: 1\n"
    )
    (tmp_path / "stance" / "notes.txt").write_text("mine")
    with pytest.raises(BehaviourError) as refused:
        load_suite(tmp_path)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0].strip() for line in lines[1:]] == [
        "suite.yaml:11",
        "topics/naming.yaml:3",
        "stance/negation.yaml:4",
        "stance/negation.yaml:3",
        "stance/notes.txt",
    ]
    assert "(did you mean sanctions?)" in lines[2]


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BehaviourError, match=r"suite\.yaml: the cases cannot be read"):
        load_suite(tmp_path)
    (tmp_path / "suite.yaml").write_text(HEAD)
    with pytest.raises(BehaviourError, match=r"wanted files such as stance/negation\.yaml, got none"):
        load_suite(tmp_path)


def test_the_digest_follows_every_byte(tmp_path: Path) -> None:
    first = suite_of(tmp_path, PLAIN).digest
    assert suite_of(tmp_path, PLAIN).digest == first
    assert suite_of(tmp_path, PLAIN + "# a note\n").digest != first
    assert load_suite(written(tmp_path, PLAIN, head=HEAD + "# a note\n")).digest != first
