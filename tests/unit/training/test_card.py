"""The model card: what it tells, that hostile texts stay texts, and that readers do not mind it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from stancewire.artefact import CARD, Artefact, read_artefact, write_artefact
from stancewire.cli import main
from stancewire.codebook import Codebook
from stancewire.predictor import load
from stancewire.terminal import escape
from tests.integration.conftest import ROOT
from tests.report_cases import random_answers, report_of
from tests.small_models import CODEBOOK, fitted, topics_rows
from tests.tiny import staged, tiny_manifest
from training import card_words as words
from training.behaviour.report import BehaviourReport, CapabilityResult
from training.card import Facts, card, description
from training.evaluate.scores import Interval
from training.export import export
from training.markdown import code, fenced, front_matter, table, text

HOSTILE = "<script>alert(1)</script> [x](http://e.example) ![i](u) **b** `c` | d\n# e\x1b[2J & $f$ ~~g~~ _h_"
PART = {"rows": 40, "stories": 20, "first_date": "2010-01-02", "last_date": "2011-01-02", "sha256": "a" * 64}
WRITINGS = st.text(st.sampled_from("ab1.)-+=*_`#|<>~[](!&;\\:/ $\n\u2028é")) | st.text(
    st.characters(exclude_categories=["Cs"])
)
BY_TASK = pytest.mark.parametrize("task", ["topics", "stance"])
Captured = pytest.CaptureFixture[str]


def capability(rate: float, failures: int) -> CapabilityResult:
    interval = Interval(rate, max(0.0, rate - 0.1), min(1.0, rate + 0.1))
    return CapabilityResult("Does it hold?", 20, failures, 5, interval, {"minimum": (20, failures)}, ())


def behaviour(**rates: float) -> dict[str, Any]:
    found = {name: capability(rate, round(20 * rate)) for name, rate in rates.items()}
    return BehaviourReport("topics", "0" * 64, 0.95, found).to_dict()


def facts_of(folder: Path, task: str) -> Facts:
    """Facts of a model that is often right, with everything that a training run would know of it."""
    answers = random_answers(folder, task)
    report = report_of(answers)
    baseline = {**report["evaluation"], "margins": {}}
    judged = {**report["evaluation"], "margins": {"majority": {"value": 0.1, "low": 0.02, "high": 0.2}}}
    parts: dict[str, Any] = {
        name: PART | {"outlets": {"wire": 30, "daily": 10}} for name in ("train", "dev", "test")
    }
    manifest = replace(
        answers.artefact.manifest,
        metrics={
            "test": {"linear": judged, "majority": baseline},
            "random_split": report["evaluation"],
            "behaviour": behaviour(negation=0.25, deeds=0.75),
            "behaviour_target_blind": behaviour(negation=0.5, deeds=0.5) if task == "stance" else None,
        },
        provenance={
            "data": {
                "source": "mine/articles.jsonl",
                "sha256": "b" * 64,
                "articles": 120,
                "stories": 60,
                "first_date": "2010-01-02",
                "last_date": "2013-01-02",
                "outlets": 2,
            },
            "split": {"by": "event", "left_out": {"not labelled": 3}, **parts},
            "git": {"commit": "c" * 40, "changed": True},
            "packages": {"numpy": "2.0", "stancewire": "0.1.0"},
        },
    )
    return Facts(manifest, CODEBOOK, report)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Facts]:
    return {task: facts_of(tmp_path_factory.mktemp(task), task) for task in ("topics", "stance")}


def changed(facts: Facts, part: str, **values: object) -> Facts:
    """The same facts with a section of the provenance changed."""
    provenance: dict[str, Any] = dict(facts.manifest.provenance)
    provenance[part] = provenance[part] | values
    return replace(facts, manifest=replace(facts.manifest, provenance=provenance))


def table_after(told: str, heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    rest = told.split(f"\n{heading}\n", 1)[1].splitlines()
    start = next(number for number, line in enumerate(rest) if line.startswith("|"))
    rows = []
    for line in rest[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def metadata(told: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(told.split("---\n")[1])
    return found


@BY_TASK
def test_the_hub_reads_the_metadata(both: Mapping[str, Facts], task: str) -> None:
    facts = both[task]
    read: Any = ModelCard(card(facts)).data
    assert (read.language, read.license) == ("en", "unknown")
    assert (read.library_name, read.pipeline_tag) == ("stancewire", "text-classification")
    assert {"stancewire", "linear"} <= set(read.tags or ())
    assert read.model_name == facts.manifest.name
    assert read.eval_results is not None
    told = {one.metric_name: (one.metric_type, one.metric_value) for one in read.eval_results}
    assert {one.dataset_name for one in read.eval_results} == {"mine/articles.jsonl"}
    assert {one.dataset_revision for one in read.eval_results} == {"b" * 64}
    scores = facts.scores
    (macro,) = (found for name, found in told.items() if name and name.startswith("macro-F1, 95% interval"))
    assert macro == ("f1", pytest.approx(scores["macro_f1"]["value"], abs=1e-6))
    for label, found in scores["labels"].items():
        assert told[f"recall of {label}"] == ("recall", pytest.approx(found["recall"], abs=1e-6))
    assert told["Brier score"] == ("brier_score", pytest.approx(scores["after"]["brier"], abs=1e-6))


def test_a_data_set_of_the_hub_is_named(both: Mapping[str, Facts]) -> None:
    assert "datasets" not in metadata(card(both["topics"]))
    found = metadata(card(changed(both["topics"], "data", source="hub:some/news")))
    assert found["datasets"] == ["some/news"]
    assert found["model-index"][0]["results"][0]["dataset"]["type"] == "some/news"


def test_the_bundled_corpus_is_told_as_synthetic_and_no_other(both: Mapping[str, Facts]) -> None:
    data = (ROOT / "data" / "articles.jsonl").read_bytes()
    assert hashlib.sha256(data).hexdigest() == words.BUNDLED_SHA256
    told = card(changed(both["stance"], "data", sha256=words.BUNDLED_SHA256))
    assert words.SYNTHETIC in told
    assert metadata(told)["license"] == "apache-2.0"
    other = card(both["stance"])
    assert words.SYNTHETIC not in other
    assert "Apache" not in other


@BY_TASK
def test_the_weakest_stand_first(both: Mapping[str, Facts], task: str) -> None:
    facts = both[task]
    told = card(facts)
    labels = [row[0].strip("*") for row in table_after(told, "### Labels, the weakest first")]
    f1 = {label: found["f1"]["value"] for label, found in facts.scores["labels"].items()}
    assert labels == sorted(f1, key=lambda label: f1[label])
    assert facts.report is not None
    slices = [row[0] for row in table_after(told, "## Weak slices, the worst first")]
    scored = [one for one in facts.report["slices"] if one["macro_f1"] is not None]
    assert slices == [f"{one['dimension']}: {one['value']}" for one in scored][:10]
    spots = [tuple(row[:2]) for row in table_after(told, "### Labels on slices")]
    wanted = [(one["label"], f"{one['dimension']}: {one['value']}") for one in facts.report["weak_spots"]]
    assert spots == wanted[:8]
    rates = table_after(told, "## Behaviour, the worst first")
    assert [row[0] for row in rates] == ["deeds", "negation"]
    assert rates[0][2] == "75 % (65 % to 85 %)"
    assert rates[0][-1] == "15 of 20"
    assert [len(row) for row in rates] == [5 if task == "stance" else 4] * 2


def test_a_label_that_no_row_holds_stands_last(both: Mapping[str, Facts]) -> None:
    metrics: Any = dict(both["topics"].manifest.metrics)
    judged = metrics["test"]["linear"]
    empty = {"precision": None, "recall": None, "f1": None, "average_precision": None}
    labels = {**judged["labels"], "arms_trade": {**empty, "support": 0, "predicted": 2}}
    metrics["test"] = {"linear": {**judged, "labels": labels, "warnings": ["arms_trade: no positives"]}}
    facts = replace(both["topics"], manifest=replace(both["topics"].manifest, metrics=metrics))
    told = card(facts)
    rows = table_after(told, "### Labels, the weakest first")
    assert rows[-1] == ["**arms_trade**", "no row holds it", "–", "–", "–", "0"]
    assert "- Warning: arms_trade: no positives" in told
    names = {one["name"] for one in metadata(told)["model-index"][0]["results"][0]["metrics"]}
    assert "recall of diplomacy" in names
    assert not any("arms_trade" in name for name in names)


def test_other_corpora_are_told(both: Mapping[str, Facts]) -> None:
    facts = both["stance"]
    assert "Learned from beside train" not in card(facts)
    more = [{"source": "mine/tweets.csv", "sha256": "c" * 64, "weight": 0.5, "rows": 1200, "left_out": 3}]
    provenance: dict[str, Any] = {**facts.manifest.provenance, "extra_data": more}
    told = card(replace(facts, manifest=replace(facts.manifest, provenance=provenance)))
    digest = "c" * 64
    assert f"1,200 rows of mine/tweets.csv, sha256 `{digest}`, at a weight of 0.5" in told


@BY_TASK
def test_labels_are_defined_and_data_told(both: Mapping[str, Facts], task: str) -> None:
    facts = both[task]
    told = card(facts)
    entries = CODEBOOK.topics if task == "topics" else CODEBOOK.stance
    meaning = {entry.id: entry.definition for entry in entries}
    thresholds = facts.manifest.thresholds
    rows = table_after(told, "## Labels")
    assert [row[0].strip("*") for row in rows] == list(facts.manifest.labels)
    assert [row[2] for row in rows] == [meaning[label] for label in facts.manifest.labels]
    assert [row[3] for row in rows] == [f"{threshold:.2f}" for threshold in thresholds]
    assert CODEBOOK.digest in told
    assert (f"1. {CODEBOOK.stance_rules[0]}" in told) == (task == "stance")
    assert "- Size: 120 articles in 60 stories, of 2 outlets" in told
    assert "- Period: 2010-01-02 to 2013-01-02" in told
    assert "- Left out: 3 rows (not labelled)" in told
    parts = table_after(told, "## Data")
    assert parts[0] == ["train", "40", "20", "2010-01-02 to 2011-01-02", "wire 30, daily 10"]
    results = table_after(told, "## Results on test")
    assert [row[0] for row in results] == ["**this model**", "majority"]
    assert results[1][-1] == "+10.0 (+2.0 to +20.0)"
    assert f"commit `{'c' * 40}`, with uncommitted changes" in told
    assert "version = {0.1.0}" in told


@pytest.mark.parametrize(
    ("right", "wanted"),
    [
        ({"value": 0.95, "low": 0.9, "high": 1.0}, "of those 95 % (90 % to 100 %) are right"),
        (None, "so none can be counted as right"),
    ],
)
def test_it_tells_how_many_decisions_need_no_person(
    both: Mapping[str, Facts], right: dict[str, float] | None, wanted: str
) -> None:
    assert "review" not in card(both["topics"])
    metrics: Any = dict(both["topics"].manifest.metrics)
    coverage = {"value": 0.6, "low": 0.5, "high": 0.7}
    kept = {"asked": 0.9, "coverage": coverage, "right": right, "labels": {}}
    metrics["test"] = {"linear": {**metrics["test"]["linear"], "kept": kept}}
    told = card(replace(both["topics"], manifest=replace(both["topics"].manifest, metrics=metrics)))
    assert f"60 % (50 % to 70 %) of the decisions on test; {wanted}. Asked for on dev: 90 %." in told


def test_little_known_is_little_told(tmp_path: Path) -> None:
    manifest = tiny_manifest(metrics={}, provenance={})
    told = card(Facts(manifest, CODEBOOK))
    assert "Not evaluated" in told
    assert "does not say what the model learned from" in told
    assert "version = {not told}" in told
    assert "slice" not in told.lower()
    assert "model-index" not in metadata(told)
    read: Any = ModelCard(told).data
    assert read.library_name == "stancewire"
    assert description(Facts(manifest, CODEBOOK)).endswith("Not evaluated: the manifest holds no scores.")


def test_the_description_is_short_and_says_where_it_is_weak(both: Mapping[str, Facts]) -> None:
    told = description(both["stance"])
    label, _ = both["stance"].weak_labels[0]
    assert f"Weakest label: {label}" in told
    assert "Weakest slice: " in told
    assert "fail most at deeds 75 %, negation 25 %" in told
    assert len(told) < 1000


@BY_TASK
def test_equal_facts_give_equal_cards(both: Mapping[str, Facts], tmp_path: Path, task: str) -> None:
    assert card(facts_of(tmp_path, task)) == card(both[task])
    assert card(both[task]).endswith("```\n")


def rendered(markdown: str) -> str:
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


def test_hostile_texts_stay_texts(both: Mapping[str, Facts]) -> None:
    facts = changed(both["topics"], "data", source=HOSTILE)
    facts = changed(facts, "packages", numpy=HOSTILE, stancewire=HOSTILE)
    part = PART | {"outlets": {HOSTILE: 3}}
    facts = changed(facts, "split", train=part, by=HOSTILE, left_out={HOSTILE: 1})
    topic = replace(CODEBOOK.topics[0], name=HOSTILE, definition=HOSTILE)
    book: Codebook = replace(CODEBOOK, topics=(topic, *CODEBOOK.topics[1:]))
    assert facts.report is not None
    report = dict(facts.report)
    report["slices"] = [{**report["slices"][0], "value": HOSTILE}]
    report["weak_spots"] = [{**report["weak_spots"][0], "value": HOSTILE}]
    told = card(replace(facts, codebook=book, report=report))
    plain = card(both["topics"])
    body = told.split("---\n", 2)[2]
    page = rendered(body)
    for tag in ("<script", "<a ", "<img", "<s>", "<em>"):
        assert tag not in page, tag
    assert page.count("<strong>") == rendered(plain.split("---\n", 2)[2]).count("<strong>")
    assert page.count("<h1>") == 1
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; [x](http://e.example)") >= 8
    assert "\x1b" not in told
    widths = [len(re.findall(r"<t[dh]", row)) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    wanted = rendered(plain.split("---\n", 2)[2])
    assert set(widths) == {
        len(re.findall(r"<t[dh]", row)) for row in re.findall(r"<tr>.*?</tr>", wanted, re.DOTALL)
    }
    assert metadata(told)["model-index"][0]["results"][0]["dataset"]["name"] == HOSTILE


@given(WRITINGS)
def test_escaped_text_renders_as_itself(value: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"{text(value)}\n")
    shown = escape(value).strip()
    kinds = [token.type for token in page]
    assert kinds == (["paragraph_open", "inline", "paragraph_close"] if shown else [])
    if shown:
        assert page[1].children is not None
        assert {child.type for child in page[1].children} == {"text"} | (
            {"text_special"} & {child.type for child in page[1].children}
        )
        assert " ".join("".join(child.content for child in page[1].children).split()) == " ".join(
            shown.split()
        )


@given(WRITINGS)
def test_escaped_text_stays_in_its_cell(value: str) -> None:
    page = rendered("\n".join(table(["a", "b"], [[f"x{text(value)}", "end"]])))
    assert page.count("<td>") == 2
    assert "<td>end</td>" in page


@given(WRITINGS)
def test_code_renders_as_itself(value: str) -> None:
    shown = escape(value).strip()
    if not shown:
        return
    page = MarkdownIt("commonmark").parse(f"x {code(value)} y")
    assert page[1].children is not None
    inner = [child.content for child in page[1].children if child.type == "code_inline"]
    assert [" ".join(one.split()) for one in inner] == [" ".join(shown.split())]


def test_a_block_of_code_is_never_left() -> None:
    (block,) = MarkdownIt("commonmark").parse("\n".join(fenced("a\n```\nb\n````", "python")))
    assert (block.type, block.content) == ("fence", "a\n```\nb\n````\n")


@given(st.text() | WRITINGS)
def test_front_matter_keeps_every_text(value: str) -> None:
    lines = front_matter({"a": value, "b": [value, "no"], "c": [{"d": value, "e": {"f": [value]}}]})
    told = value.encode("utf-8", "replace").decode()
    inside = "\n".join(lines[1 : lines.index("---", 1)])
    found = YAML(typ="safe", pure=True).load(inside)
    assert found == {"a": told, "b": [told, "no"], "c": [{"d": told, "e": {"f": [told]}}]}
    assert all("\n" not in line for line in lines)


def carded(folder: Path, told: str = "# A card\n\nplain\n") -> Artefact:
    return export(
        fitted("topics"),
        folder,
        name="small-topics",
        codebook=CODEBOOK,
        metrics={},
        provenance={},
        card=lambda manifest: told,
    )


def test_readers_do_not_mind_the_card(tmp_path: Path) -> None:
    model = fitted("topics")
    bare = export(model, tmp_path / "a", name="small", codebook=CODEBOOK, metrics={}, provenance={})
    told = carded(tmp_path / "b")
    assert set(told.manifest.files) - set(bare.manifest.files) == {CARD}
    examples = topics_rows().examples
    answers = [
        [one.scores for one in load(found.path).predict(examples)]  # type: ignore[arg-type]
        for found in (bare, told)
    ]
    assert answers[0] == answers[1]
    assert read_artefact(told.path).read_bytes(CARD) == b"# A card\n\nplain\n"


def test_the_card_is_of_the_manifest_that_is_written(tmp_path: Path) -> None:
    made = export(
        fitted("topics"),
        tmp_path / "a",
        name="small",
        codebook=CODEBOOK,
        metrics={"macro_f1": 1.0},
        provenance={},
        card=lambda manifest: card(Facts(manifest, CODEBOOK)),
    )
    assert made.read_bytes(CARD).decode() == card(Facts(made.manifest, CODEBOOK))


@BY_TASK
def test_the_way_to_load_works(
    both: Mapping[str, Facts], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    told = card(both[task])
    export(fitted(task), tmp_path / f"small-{task}", name="a", codebook=CODEBOOK, metrics={}, provenance={})
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", told, re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(program, {})  # noqa: S102 - our own documented lines
    assert re.search(r"0\.\d", printed.getvalue())


def test_inspect_prints_the_card(tmp_path: Path, capsys: Captured) -> None:
    told = "# Ünï – card\n\n| a | b |\n| --- | ---: |\n"
    folder = str(carded(tmp_path / "a", told).path)
    assert main(["inspect", folder, "--card"]) == 0
    assert capsys.readouterr().out == told
    assert main(["inspect", folder]) == 0
    assert CARD in capsys.readouterr().out


def test_a_card_cannot_command_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    folder = staged(tmp_path / "staging")
    (folder / CARD).write_bytes(b"a\x1b[2J\r\n\xff\xe2\x80\xae\n")
    write_artefact(tmp_path / "a", tiny_manifest(), folder)
    assert main(["inspect", str(tmp_path / "a"), "--card"]) == 0
    assert capsys.readouterr().out == "a\\x1b[2J \n\ufffd\\u202e\n"


@pytest.mark.parametrize(
    ("flags", "wanted"), [(["--card"], "expected a model card"), (["--card", "--json"], "--json or --card")]
)
def test_no_card_and_two_outputs_are_errors(
    tmp_path: Path, capsys: Captured, flags: list[str], wanted: str
) -> None:
    write_artefact(tmp_path / "a", tiny_manifest(), staged(tmp_path / "staging"))
    assert main(["inspect", str(tmp_path / "a"), *flags]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", printed.err)
    assert wanted in printed.err
