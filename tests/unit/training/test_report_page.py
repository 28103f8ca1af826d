"""The page: all of its figures are data, all of its texts are harmless, nothing is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.examples import Article
from tests.report_cases import random_answers, report_of, topics_answers
from tests.small_models import small_artefact
from training.evaluate.scores import Evaluation
from training.report.build import plain
from training.report.files import files
from training.report.markup import element, table
from training.report.page import page

_FIGURE = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=y>\x00\x1b[2J\ud800\u202e"


class Reader(HTMLParser):
    """Reads a page: its elements, and its texts outside drawings, styles and quotes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.seen.append((tag, told))
        if tag not in ("meta", "br"):
            self.open.append((tag, told.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        inside = {tag for tag, _ in self.open} | {
            name for _, classes in self.open for name in classes.split()
        }
        if not inside & {"style", "title", "text", "quote", "code"}:
            self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def leaves(value: object) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (leaf for key, inner in value.items() for leaf in (key, *leaves(inner)))
    elif isinstance(value, list):
        yield from (leaf for inner in value for leaf in leaves(inner))
    else:
        yield value


def shown_forms(report: object) -> set[str]:
    """Return every way in which a figure of the data may be written."""
    forms: set[str] = set()
    for leaf in leaves(report):
        if isinstance(leaf, str):
            forms |= set(_FIGURE.findall(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            forms |= {f"{leaf:,}", f"{leaf:.3f}", f"{leaf:.2f}", f"{leaf:+.2f}", f"{leaf:.0f}"}
            forms |= {f"{100 * leaf:.0f}", f"{100 * leaf:.1f}", f"{100 * leaf:+.1f}", f"{-100 * leaf:.1f}"}
    return forms


@pytest.fixture(scope="module", params=["topics", "stance"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report_of(random_answers(tmp_path_factory.mktemp("page"), request.param))


def test_every_figure_of_the_page_stands_in_the_data(report: dict[str, Any]) -> None:
    # A scale from 0 to 1 is no finding, and F1 a name.
    forms = shown_forms(report) | {"0", "1"}
    texts = read(page(report)).texts
    missing = {figure for text in texts for figure in _FIGURE.findall(text) if figure not in forms}
    assert missing == set()


def test_figures_of_the_page_change_with_the_data(report: dict[str, Any]) -> None:
    other = json.loads(json.dumps(report))
    other["evaluation"]["labels"][next(iter(other["evaluation"]["labels"]))]["precision"] = 0.12321
    assert "0.123" in page(other)
    assert "0.123" not in page(report)


def test_the_page_loads_and_runs_nothing(report: dict[str, Any]) -> None:
    html = page(report)
    reader = read(html)
    assert {tag for tag, _ in reader.seen} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "image",
        "use",
    } == set()
    for _, attributes in reader.seen:
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "xlink:href")}
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in html
    assert "@import" not in html
    assert "http:" not in html
    assert "https:" not in html
    policy = next(told["content"] for tag, told in reader.seen if told.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_drawings_are_told_and_tables_named(report: dict[str, Any]) -> None:
    html = page(report)
    drawings = re.findall(r"<svg.*?</svg>", html)
    assert len(drawings) > 10
    assert all('role="img"' in one and re.search(r"<title>[^<]+</title>", one) for one in drawings)
    assert html.count("<table") == html.count("<caption>")
    assert '<html lang="en">' in html
    anchors = set(re.findall(r'href="#(\w+)"', html))
    assert anchors <= set(re.findall(r'id="(\w+)"', html))
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_equal_reports_are_equal_bytes(tmp_path: Path) -> None:
    one, other = (files(report_of(random_answers(tmp_path / name, "stance"))) for name in ("a", "b"))
    assert one == other


def test_texts_of_articles_are_harmless(tmp_path: Path) -> None:
    articles = [
        Article(text=f"{_EVIL} {i}", title=_EVIL, id=f"{_EVIL}{i}", outlet=_EVIL, date="2020-01-01")
        for i in range(40)
    ]
    truth = np.zeros((40, 3))
    truth[:, 0] = 1
    said = np.tile([0.2, 0.9, 0.1], (40, 1))
    answers = topics_answers(small_artefact(tmp_path, "topics"), truth, said, articles=articles)
    found = files(report_of(answers, source=_EVIL, notes=(_EVIL,)))
    html = found["report.html"]
    html.encode("utf-8")
    found["report.json"].encode("utf-8")
    assert {tag for tag, _ in read(html).seen} & {"script", "img"} == set()
    assert not re.search("[\x00\x1b\ud800]", html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert html.count("<html") == 1


def test_a_label_that_no_row_holds_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((30, 3)) < 0.5).astype(np.float32)
    truth[:, 1] = 0
    truth[:, 2] = np.nan
    truth[0, 0] = 1
    report = report_of(topics_answers(small_artefact(tmp_path, "topics"), truth, rng.random((30, 3))))
    warned = [one["text"] for one in report["findings"] if one["about"] == "warning"]
    assert any(text.startswith("diplomacy: no positives") for text in warned)
    assert report["precision_recall"]["diplomacy"] is None
    html = page(report)
    assert html.count("no row holds it") == 4
    read(html)


def test_a_report_of_one_row_is_made(tmp_path: Path) -> None:
    artefact = small_artefact(tmp_path, "topics")
    report = report_of(topics_answers(artefact, [[1, 0, 0]], [[0.9, 0.1, 0.1]]))
    assert report["mistakes"] == []
    read(page(report))


def test_the_findings_name_the_weakest_label_and_slice(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    truth = (rng.random((160, 3)) < 0.5).astype(np.float32)
    said = np.where(truth == 1, 0.9, 0.1)
    blog = np.arange(160) % 4 == 0
    said[blog, 1] = 1 - said[blog, 1]
    articles = [Article(text="A text.", id=str(i), outlet="blog" if blog[i] else "wire") for i in range(160)]
    report = report_of(topics_answers(small_artefact(tmp_path, "topics"), truth, said, articles=articles))
    told = {one["about"]: one["text"] for one in report["findings"]}
    assert told["weakest label"].startswith("diplomacy is the weakest label: F1 0.")
    assert told["weakest slice"].startswith("The weakest slice is outlet: blog: macro-F1 0.")
    assert "points below the other rows" in told["weakest slice"]
    assert told["weakest spot"].startswith(
        "The weakest label on a slice is diplomacy on outlet: blog: F1 0.000"
    )
    assert told["score"].startswith("Macro-F1 is 0.")
    assert "on 160 articles of 160 stories" in told["score"]


def test_a_slice_not_shown_to_be_worse_is_not_called_so(tmp_path: Path) -> None:
    report = report_of(random_answers(tmp_path, "stance"))
    worst = report["slices"][0]
    assert worst["over_rest"]["low"] < 0 < worst["over_rest"]["high"]
    told = {one["about"]: one["text"] for one in report["findings"]}
    assert told["weakest slice"].endswith("; that it is worse than the other rows is not shown.")


def test_baselines_and_splits_are_told(tmp_path: Path) -> None:
    answers = random_answers(tmp_path, "stance")
    first = report_of(answers)
    found = Evaluation.from_dict(first["evaluation"])
    behind = replace(found, margins={"target-blind": found.macro_f1})
    manifest = answers.artefact.manifest
    metrics: dict[str, Any] = {
        "test": {"linear": found.to_dict(), "target-blind": found.to_dict()},
        "random_split": found.to_dict(),
    }
    artefact = replace(answers.artefact, manifest=replace(manifest, metrics=metrics))
    report = report_of(
        replace(answers, artefact=artefact), evaluations={"linear": behind, "target-blind": found}
    )
    told = [one["text"] for one in report["findings"]]
    assert any(text.startswith("The model beats target-blind by") for text in told)
    assert any("a split by rows, which leaks, would score" in text for text in told)
    assert set(report["own_run"]["splits"]) == {"event", "random"}
    assert first["own_run"] is None
    html = page(report)
    assert "Splits of its own run" in html
    assert "Splits of its own run" not in page(first)


def test_what_was_not_read_is_told(tmp_path: Path) -> None:
    answers = random_answers(tmp_path, "topics", 10)
    manifest = replace(answers.artefact.manifest, max_chars=50)
    cut = replace(
        answers,
        artefact=replace(answers.artefact, manifest=manifest),
        warnings=(("text_cut",), ("text_cut", "mixed_script"), *[()] * 8),
    )
    reading = report_of(cut)["reading"]
    lengths = [len(one.title) + len(one.text) for one in answers.articles]
    assert reading["rows"] == {"text_cut": 2, "no_known_features": 0, "mixed_script": 1}
    assert reading["share_of_rows_cut"] == 0.2
    expected = sum(max(0, n - 50) for n in lengths) / sum(lengths)
    assert reading["share_of_text_cut"] == pytest.approx(expected, abs=1e-6)
    assert any("2 texts were cut" in one["text"] for one in report_of(cut)["findings"])


@given(st.text(), st.text())
def test_elements_hold_any_text(text: str, attribute: str) -> None:
    class One(HTMLParser):
        data, told = "", ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag == "p"
            self.told = dict(attrs)["title"] or ""

        def handle_data(self, data: str) -> None:
            self.data += data

    one = One()
    one.feed(element("p", text, title=attribute))
    one.close()
    assert one.data == text.replace("\r\n", "\r\n")
    assert one.told == attribute


def test_tables_are_headed_rows() -> None:
    html = table(["a", "b"], [["<x>", "1"]], caption="c", numeric=(1,), wide=(1,))
    assert '<th scope="row">&lt;x&gt;</th><td class="n wide">1</td>' in html
    assert '<th class="n wide" scope="col">b</th>' in html or '<th scope="col" class="n wide">b</th>' in html


def test_only_json_is_plain() -> None:
    assert plain({"a": (1, 0.12345678, -0.0, None, True, "x\x00")}) == {
        "a": [1, 0.123457, 0.0, None, True, "x\ufffd"]
    }
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite"):
            plain(value)
