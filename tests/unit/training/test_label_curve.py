"""The learning curve: whole stories, honest intervals, and a verdict in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import LabelledSet
from stancewire.examples import Article
from tests.corpora import write_jsonl
from tests.integration.conftest import ROOT
from tests.label_cases import LABELS, STANCE_WORDS, article, topics_of
from training.evaluate.scores import Interval
from training.labelling.command import main
from training.labelling.curve import Curve, Point, sample_stories
from training.labelling.curve_page import page
from training.labelling.verdict import verdict


def rows(n_stories: int, per_story: int = 3) -> LabelledSet:
    """Stories whose rows all hold the story's one label, or none."""
    truth = np.zeros((n_stories * per_story, 2), np.float32)
    for row in range(len(truth)):
        if (label := row // per_story % 3) < 2:
            truth[row, label] = 1
    examples = tuple(Article(text=f"text {row}") for row in range(len(truth)))
    groups = tuple(f"g{row // per_story}" for row in range(len(truth)))
    return LabelledSet("topics", examples, ("a", "b"), truth, groups)


@pytest.mark.parametrize("per_class", [1, 3, 7])
def test_samples_are_whole_stories_with_enough_of_each_class(per_class: int) -> None:
    every = rows(30)
    taken = sample_stories(every, per_class, seed=1)
    part = every.take(taken)
    assert all(part.groups.count(group) == 3 for group in set(part.groups))
    counts = [*(part.truth == 1).sum(axis=0), int((part.truth == 0).all(axis=1).sum())]
    assert all(per_class <= count < per_class + 3 for count in counts)
    assert taken.tolist() != sample_stories(every, per_class, seed=2).tolist()


def test_a_sample_takes_all_where_there_are_too_few() -> None:
    assert len(sample_stories(rows(6), 100, seed=0)) == 18


def curve_of(doubling: Interval | None) -> Curve:
    score = Interval(0.5, 0.4, 0.6)
    point = Point(8, 20.0, 10.0, 5, score, {"<b>": score})
    return Curve((point, replace(point, labels_per_class=None, rows=80.0)), doubling, 9, 3, 0.95, ())


@pytest.mark.parametrize(
    ("rise", "advice", "says"),
    [
        (Interval(0.03, 0.02, 0.04), "go on", "More labels would help"),
        (Interval(0.001, -0.004, 0.006), "stop", "would hardly help"),
        (Interval(0.02, -0.01, 0.05), "unclear", "would likely help"),
        (Interval(0.002, -0.01, 0.02), "unclear", "likely bring less than 1.0 points"),
        (None, "unclear", "but one size"),
    ],
)
def test_verdicts(rise: Interval | None, advice: str, says: str) -> None:
    found = verdict(curve_of(rise), 0.01)
    assert found.advice == advice
    assert says in " ".join(found.sentences)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def labelled(number: int) -> dict[str, Any]:
        row = article(number)
        # Words in seven forms, so that a few labels do not teach all of them.
        form = "abcdefg"[number // 2 % 7]
        row["text"] = re.sub("|".join(STANCE_WORDS.values()), lambda found: found[0] + form, row["text"])
        sentences = [one for one in re.split(r"(?<=\.) ", row["text"]) if "the embargo" in one]
        stances = [
            {"sentence": one, "target": "the embargo", "label": LABELS[(number + i) % 4]}
            for i, one in enumerate(sentences)
        ]
        return row | {"topics": topics_of(number), "stances": stances}

    folder = tmp_path_factory.mktemp("curve")
    return write_jsonl(folder / "corpus.jsonl", [labelled(number) for number in range(96)])


def run(corpus: Path, folder: Path, task: str, *more: str) -> int:
    config = folder / f"{task}.yaml"
    book = json.dumps(str(ROOT / "data/codebook.yaml"))
    config.write_text(
        f"task: {task}\ndata: {{path: {json.dumps(str(corpus))}, codebook: {book}}}\n"
        "model: {regularisation: [3.0]}\nevaluation: {samples: 100}\n"
    )
    return main(["curve", str(config), "--samples", "2", *more])


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_a_curve_is_measured_told_and_drawn(
    task: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--sizes", "3", "8", "500"]
    assert run(corpus, tmp_path, task, *sizes, "--output", str(tmp_path / "one")) == 0
    told = capsys.readouterr().out
    assert run(corpus, tmp_path, task, *sizes, "--output", str(tmp_path / "two")) == 0
    for name in ("curve.html", "curve.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    data = json.loads((tmp_path / "one" / "curve.json").read_text("utf-8"))
    assert [point["name"] for point in data["points"]] == ["3", "8", "all"]
    assert [point["samples"] for point in data["points"]] == [2, 2, 1]
    assert data["judged_on"]["part"] == "dev"
    assert data["notes"] == ["500 labels per class are all rows, or nearly so"]
    few, _, every = (point["macro_f1"]["value"] for point in data["points"])
    assert few < every or task == "topics"  # whose words are few enough for a handful of rows
    for point in data["points"]:
        score = point["macro_f1"]
        assert score["low"] <= score["value"] <= score["high"]
        assert f"{score['value']:.3f}" in told
    rise = (every - data["points"][1]["macro_f1"]["value"]) / np.log2(
        data["points"][2]["rows"] / data["points"][1]["rows"]
    )
    assert data["doubling"]["value"] == pytest.approx(rise, abs=1e-5)
    assert f"advice    {data['advice']}" in told
    html = (tmp_path / "one" / "curve.html").read_text("utf-8")
    assert "<polyline" in html
    assert not re.search(r"https?://(?!www\.w3\.org)|<script|<link|<img", html)


def test_labels_are_escaped_on_the_page() -> None:
    score = {"value": 0.5, "low": 0.4, "high": 0.6}
    point = {"name": "8", "rows": 20.0, "samples": 5, "macro_f1": score, "labels": {"<b>": score}}
    data = {
        "name": "m",
        "task": "topics",
        "family": "linear",
        "judged_on": {"rows": 9, "stories": 3},
        "confidence": 0.95,
        "points": [point, point | {"name": "all", "rows": 80.0}],
        "sentences": ["<i>"],
        "notes": [],
    }
    html = page(data)
    assert "&lt;b&gt;" in html
    assert "<i>" not in html


def test_a_place_with_other_files_is_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    assert run(corpus, tmp_path, "topics", "--output", str(folder)) == 2
    assert "'notes.txt'" in capsys.readouterr().err
