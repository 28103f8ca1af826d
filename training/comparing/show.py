"""A comparison for a terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from stancewire.terminal import escape
from training.comparing.changes import KINDS, Change
from training.comparing.ground import Ground
from training.comparing.models import Model
from training.comparing.pairing import Comparison
from training.comparing.words import points, verdict
from training.evaluate.scores import Interval
from training.evaluate.tables import headline

_TEXT_CHARS = 160
_KIND_SAYS = {"fixed": "{b} alone is right", "broken": "{a} alone is right", "other": "neither is right"}


def comparison_lines(
    ground: Ground, models: Sequence[Model], found: Comparison, changes: Sequence[Change], examples: int
) -> Iterator[RenderableType]:
    """Yield what is printed of a comparison.

    Args:
        ground: that both were judged on.
        models: A and B.
        found: B minus A.
        changes: rows that they decide differently.
        examples: most rows of a kind that are shown.
    """
    a, b = models
    for model in models:
        yield Text(
            f"{model.name}  {escape(model.given)} ({escape(model.manifest.name)}, {model.digest[:12]})"
        )
    yield headline(
        f"{found.evaluations[0].task} on {_part(ground)}",
        dict(zip((a.name, b.name), found.evaluations, strict=True)),
    )
    yield difference_table(found, a.name, b.name)
    yield Text(_note(found), style="dim")
    warnings = dict.fromkeys(w for evaluation in found.evaluations for w in evaluation.warnings)
    yield from (Text(f"! {escape(warning)}", style="yellow") for warning in (*warnings, *ground.unknown))
    yield Text(f"\n{escape(verdict(found, a.name, b.name))}\n", style="bold")
    yield from _change_lines(changes, a.name, b.name, examples)


def difference_table(found: Comparison, a: str, b: str) -> Table:
    """Return every difference with its interval."""
    table = Table(
        title=Text(f"{b} minus {a}"),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("figure", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("shown", no_wrap=True)
    differences = found.differences
    for name, one in (
        ("macro-F1", differences.macro_f1),
        ("micro-F1", differences.micro_f1),
        ("exact match", differences.exact_match),
        *((f"F1 of {label}", one) for label, one in differences.labels.items()),
    ):
        table.add_row(Text(escape(name)), points(one) if one else "no positives", _shown(one, a, b))
    return table


def as_json(
    ground: Ground, models: Sequence[Model], found: Comparison, changes: Sequence[Change]
) -> dict[str, Any]:
    """Return everything as plain JSON values, every changed row included."""
    a, b = models
    return {
        "task": found.evaluations[0].task,
        "data": {
            "source": ground.source,
            "sha256": ground.digest,
            "part": ground.part,
            "rows": found.evaluations[0].n_rows,
            "events": found.evaluations[0].n_groups,
            "notes": list(ground.unknown),
        },
        "models": {
            side: {
                "given": model.given,
                "name": model.manifest.name,
                "family": model.manifest.family,
                "sha256": model.digest,
                "evaluation": evaluation.to_dict(),
            }
            for side, model, evaluation in zip("AB", models, found.evaluations, strict=True)
        },
        **found.to_dict(),
        "verdict": verdict(found, a.name, b.name),
        "changes": {kind: [one.to_dict() for one in changes if one.kind == kind] for kind in KINDS},
    }


def _part(ground: Ground) -> str:
    where = escape(ground.source)
    return f"the test part of {where}" if ground.part == "test" else f"all of {where}"


def _note(found: Comparison) -> str:
    test = found.mcnemar
    first = found.evaluations[0]
    return (
        f"{first.n_rows:,} rows in {first.n_groups:,} events; in brackets "
        f"{found.resampling.confidence:.0%} intervals over {found.resampling.samples:,} resamples of events, "
        f"the same for both\nMcNemar, exact, on rows: {test.fixed:,} fixed, {test.broken:,} broken, "
        f"p = {test.p_value:.2g} (takes rows of one event for independent)"
    )


def _shown(one: Interval | None, a: str, b: str) -> str:
    if one is None or one.low <= 0 <= one.high:
        return ""
    return f"{b if one.low > 0 else a} is better"


def _change_lines(changes: Sequence[Change], a: str, b: str, examples: int) -> Iterator[RenderableType]:
    counts = Counter(change.kind for change in changes)
    for kind in KINDS:
        if not counts[kind]:
            continue
        of_kind = [change for change in changes if change.kind == kind][:examples]
        shown = f", {len(of_kind):,} shown" if len(of_kind) < counts[kind] else ""
        says = _KIND_SAYS[kind].format(a=a, b=b)
        yield Text(f"{kind} ({says}): {counts[kind]:,}{shown}", style="bold")
        for change in of_kind:
            labels = f"{_listed(change.true)}; {a}: {_listed(change.a)}; {b}: {_listed(change.b)}"
            yield Text(f"  {escape(labels)}")
            yield Text(f"    {_excerpt(change)}", style="dim")


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "none"


def _excerpt(change: Change) -> str:
    texts = change.texts
    if "sentence" in texts:
        holder = f"{texts['holder']} → " if texts["holder"] else ""
        told = f"[{holder}{texts['target']}] {texts['sentence']}"
    else:
        told = f"[{texts['id']}] {texts['title'] or texts['text']}"
    told = escape(told)
    return told if len(told) <= _TEXT_CHARS else f"{told[: _TEXT_CHARS - 1]}…"
