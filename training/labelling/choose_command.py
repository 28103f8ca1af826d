"""`python -m training.queue POOL --model M`: choose what to label next and write it for a person."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from stancewire.calibration import Probabilities
from stancewire.errors import InputError
from stancewire.predictor import BATCH_ROWS, Predictor, StancePredictor, TopicsPredictor
from stancewire.reading import checked_targets
from stancewire.terminal import escape
from training.comparing.compare_command import whole
from training.comparing.models import load_models
from training.console import Report, reporting
from training.data.codebook import load_codebook
from training.data.examine import Examined
from training.data.options import add_reading, number, schema_from
from training.labelling.choose import CRITERIA, SHARES, Choice, Wish, choose
from training.labelling.doubt import MEASURES
from training.labelling.files import check_new, write_new
from training.labelling.items import queue_lines
from training.labelling.pool import Pool, TargetsOf, decided_targets, make_pool, read_rows, topic_targets
from training.report.of_data import check_codebook

DONE = 0
_PER_ARTICLE = {"topics": 1, "stance": 3}


def run(arguments: Sequence[str]) -> int:
    """Choose, write, and say what was chosen and whether there is much left to ask."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    output = Path(options.output)
    check_new(output)
    with reporting(console) as report:
        pool, choice, predictor = _chosen(options, report)
        report("writing the queue")
        provenance = predictor.provenance
        write_new(output, queue_lines(choice, f"{provenance.model} sha256:{provenance.digest[:12]}"))
    for line in _lines(pool, choice, options.stop_under / 100):
        console.print(escape(line))
    console.print(f"queue     {escape(str(output))}")
    return DONE


def _chosen(options: argparse.Namespace, report: Report) -> tuple[Pool, Choice, Predictor]:
    report("loading the model")
    predictor = load_models([("M", options.model)])[0].predictor
    manifest = predictor.artefact.manifest
    if manifest.task == "topics" and (options.target or options.topics_model or options.per_article):
        raise InputError("--target, --topics-model and --per-article are for a stance model; leave them out")
    codebook = load_codebook(options.codebook)
    check_codebook(predictor.artefact, codebook)
    schema = schema_from(options, codebook)
    shared = {"format": options.format, "delimiter": options.delimiter}
    report(f"reading {options.pool}")
    rows = read_rows(options.pool, schema, **shared)
    labelled = read_rows(options.labelled, schema) if options.labelled else None
    targets = _targets(options, predictor, rows) if isinstance(predictor, StancePredictor) else None
    report("looking for copies")
    pool = make_pool(rows, manifest, labelled=labelled, targets=targets)
    probabilities = _ask(predictor, pool, report)
    report("choosing")
    from training.labelling.spread import Coverage, vectors

    examples = [candidate.example for candidate in pool.candidates]
    coverage = Coverage(vectors(predictor.artefact, examples), options.seed)
    wish = Wish(
        n=options.n,
        shares={name: getattr(options, name) for name in CRITERIA},
        measure=options.measure,
        per_article=options.per_article or _PER_ARTICLE[manifest.task],
        seed=options.seed,
    )
    return pool, choose(pool, probabilities, manifest, coverage, wish), predictor


def _targets(options: argparse.Namespace, stance: StancePredictor, rows: Examined) -> TargetsOf:
    """Return which targets each article's sentences are asked about."""
    if options.target:
        asked: dict[str, str | None] = dict.fromkeys(checked_targets(options.target))
        return lambda row: asked
    if options.topics_model:
        topics = load_models([("the topics model", options.topics_model)])[0].predictor
        if not isinstance(topics, TopicsPredictor):
            raise InputError(
                f"--topics-model {options.topics_model}: wanted a topics model, found one of stance"
            )
        readable = [row for row in rows.articles if row.article.text.strip()]
        return decided_targets(topics, readable)
    if any(holds for row in rows.articles for holds in row.topics.values()):
        book = load_codebook(options.codebook)
        return topic_targets({topic.id: topic.name for topic in book.topics})
    raise InputError(
        f"{stance.provenance.model}: wanted targets to ask about: name them by --target, or a topics model "
        "that decides them by --topics-model, or label topics in the pool"
    )


def _ask(predictor: Predictor, pool: Pool, report: Report) -> Probabilities:
    examples = [candidate.example for candidate in pool.candidates]
    found: list[list[float]] = []
    for start in range(0, len(examples), BATCH_ROWS):
        report(f"asking {predictor.provenance.model} ({start:,} of {len(examples):,})")
        batch = examples[start : start + BATCH_ROWS]
        predicted = predictor.predict(batch)  # type: ignore[arg-type]  # the pool is of the model's task
        found += [[score.probability for score in one.scores] for one in predicted]
    return np.asarray(found, np.float32)


def _lines(pool: Pool, choice: Choice, stop_under: float) -> list[str]:
    unit = "articles" if pool.task == "topics" else "sentences by target"
    lines = [f"{pool.source}: {pool.n_articles:,} articles, {len(pool.candidates):,} {unit} to choose from"]
    lines += [f"  left out: {what}: {count:,}" for what, count in pool.left_out.items()]
    counts = Counter(pick.criterion for pick in choice.picks)
    told = ", ".join(f"{name} {counts[name]:,}" for name in CRITERIA if counts[name])
    n_stories = len({pick.candidate.story for pick in choice.picks})
    lines.append(f"chosen    {len(choice.picks):,} of {n_stories:,} stories: {told}")
    lines += [f"note: {note}" for note in choice.notes]
    lines.append(f"in doubt  the model is so on {100 * choice.doubtful:.1f} % of what it was asked")
    if choice.doubtful < stop_under:
        lines.append(
            f"          under {100 * stop_under:g} %: what it doubts teaches little more; see the curve "
            "(python -m training.queue curve CONFIG), and stop unless other articles are to come"
        )
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.queue",
        description="Choose what to label next: uncertain, rare and diverse, one article of each story. "
        "Other commands: export, import (labelling tools), curve (would more labels help?); each has --help.",
    )
    parser.add_argument(
        "pool", metavar="POOL", help=".jsonl, .csv or .parquet articles; labelled ones are left out"
    )
    parser.add_argument(
        "--model", required=True, metavar="M", help="folder of an artefact, or models:/NAME@ALIAS"
    )
    parser.add_argument("--output", required=True, metavar="FILE.jsonl", help="a new file")
    parser.add_argument("--n", type=whole(1, 1_000_000), default=50, help="questions (default: %(default)s)")
    parser.add_argument("--labelled", metavar="PATH", help="a corpus whose stories are left out of the pool")
    parser.add_argument(
        "--target", action="append", default=[], help="stance: ask every sentence about it; may be repeated"
    )
    parser.add_argument(
        "--topics-model", metavar="M", help="stance: ask about the topics that this model decides"
    )
    parser.add_argument(
        "--per-article", type=whole(1, 1000), help="stance: most questions about one article (default: 3)"
    )
    for name in CRITERIA:
        parser.add_argument(
            f"--{name}",
            type=number(0, 1_000_000),
            default=SHARES[name],
            metavar="SHARE",
            help="share of this criterion (default: %(default)s)",
        )
    parser.add_argument(
        "--measure", choices=MEASURES, default=MEASURES[0], help="of doubt (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=0, help="of ties and samples (default: 0)"
    )
    parser.add_argument(
        "--stop-under",
        type=number(0, 100),
        default=5.0,
        metavar="PERCENT",
        help="advise to stop when the model doubts on less of the pool (default: %(default)s)",
    )
    add_reading(parser)
    return parser
