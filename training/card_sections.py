"""The sections of a model card, each as lines of Markdown."""

from __future__ import annotations

from training import card_words as words
from training.behaviour.table import worst
from training.card_facts import Facts, Values, codebook_of, in_short, section_of
from training.markdown import code, fenced, table, text
from training.report.formats import fraction, interval, named, percent, points, short

# So many of a kind are told: the worst.
_SLICES, _SPOTS = 10, 8
_SPLITS = {
    "time_split": "Trained on older stories alone, it scores on the newest ones",
    "outlet_split": "Trained without the outlets of its config's evaluation.outlet_split, it scores on them",
    "random_split": "A split by rows, which tears stories apart and leaks, would claim",
}
_OVERALL = ("macro_f1", "micro_f1", "exact_match")


def opening(facts: Facts) -> list[str]:
    """Return the title, and what to know first."""
    lines = [f"# {facts.manifest.name}", "", words.WHAT[facts.manifest.task], ""]
    if facts.bundled:
        lines += [f"**{words.SYNTHETIC}**", ""]
    return [*lines, *(f"- {line}" for line in in_short(facts)), ""]


def use(facts: Facts) -> list[str]:
    """Return what the model is for, and where it ends."""
    manifest = facts.manifest
    limits = [
        *(words.BUNDLED_LIMITS[manifest.task] if facts.bundled else ()),
        *words.LIMITS[manifest.task],
        *words.FAMILY_LIMITS.get(manifest.family, ()),
        f"It reads at most {manifest.max_chars:,} characters of a text.",
    ]
    return [
        *("## Intended use and limits", "", words.MEANT_FOR[manifest.task], "", words.NOT_FOR, ""),
        *(f"- {line}" for line in limits),
        "",
    ]


def loading(facts: Facts) -> list[str]:
    """Return how to load it."""
    return [
        *("## How to load", "", words.LOADING, ""),
        *fenced(words.CODE[facts.manifest.task].format(name=facts.manifest.name), "python"),
        *(words.COMMANDS, ""),
    ]


def labels(facts: Facts) -> list[str]:
    """Return what the labels mean."""
    manifest, codebook = facts.manifest, facts.codebook
    entries = codebook.topics if manifest.task == "topics" else codebook.stance
    meaning = {entry.id: (entry.name, entry.definition) for entry in entries}
    rows = [
        [f"**{text(label)}**", *map(text, meaning.get(label, ("", ""))), short(threshold)]
        for label, threshold in zip(manifest.labels, manifest.thresholds, strict=True)
    ]
    told = f"Defined by {codebook_of(facts)}, sha256 {code(manifest.codebook.sha256)}."
    lines = ["## Labels", "", f"{told} {words.DECIDING[manifest.task]}", ""]
    lines += table(["label", "name", "holds when", "threshold"], rows, numeric=(3,))
    if manifest.task == "stance" and codebook.stance_rules:
        lines += ["Hard cases:", "", *(f"1. {text(rule)}" for rule in codebook.stance_rules), ""]
    return lines


def data(facts: Facts) -> list[str]:
    """Return what it learned from."""
    data, split = facts.data, facts.split
    lines = ["## Data", ""]
    if not data:
        return [*lines, "The manifest does not say what the model learned from.", ""]
    size = f"{data['articles']:,} articles in {data['stories']:,} stories, of {data['outlets']:,} outlets"
    lines += [
        f"- Source: {text(data['source'])}, sha256 {code(data['sha256'])}",
        f"- Size: {size}",
        f"- Period: {_period(data)}",
        f"- Split by {text(split['by'])}: the model learned from train, was calibrated and got its "
        "thresholds on dev, and was judged once on test",
        *(f"- Left out: {count:,} rows ({text(reason)})" for reason, count in split["left_out"].items()),
        *(
            f"- Learned from beside train: {one['rows']:,} rows of {text(one['source'])}, sha256 "
            f"{code(one['sha256'])}, at a weight of {one['weight']:g}"
            for one in facts.extra
        ),
        "",
    ]
    rows = [
        [name, f"{part['rows']:,}", f"{part['stories']:,}", _period(part), _outlets(part)]
        for name in ("train", "dev", "test")
        if (part := split.get(name))
    ]
    head = ["part", words.UNITS[facts.manifest.task], "stories", "period", "largest outlets"]
    return lines + table(head, rows, numeric=(1, 2))


def _period(found: Values) -> str:
    first, last = found.get("first_date"), found.get("last_date")
    return f"{text(first)} to {text(last)}" if first and last else "not told"


def _outlets(part: Values) -> str:
    counts = sorted(part.get("outlets", {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{text(outlet)} {count:,}" for outlet, count in counts) or "not told"


def results(facts: Facts) -> list[str]:
    """Return how good it is, the weakest labels first."""
    scores, manifest = facts.scores, facts.manifest
    if not scores:
        return []
    rows = [["**this model**", *(interval(scores[name]) for name in _OVERALL), ""]]
    for name, found in section_of(manifest.metrics, "test").items():
        if name != manifest.family:
            ahead = scores["margins"].get(name)
            rows.append([text(name), *(interval(found[one]) for one in _OVERALL), _ahead(ahead)])
    lines = ["## Results on test", ""]
    head = ["model", "macro-F1", "micro-F1", "all right", "this model is ahead by, points of macro-F1"]
    lines += table(head, rows, numeric=(1, 2, 3, 4))
    for name, claim in _SPLITS.items():
        if other := section_of(manifest.metrics, name):
            lines += [f"{claim} {interval(other['macro_f1'])}.", ""]
    lines += ["### Labels, the weakest first", ""]
    cells = [
        [
            f"**{text(label)}**",
            interval(found["f1"]) if found["f1"] else "no row holds it",
            *(fraction(found[name]) for name in ("precision", "recall", "average_precision")),
            f"{found['support']:,}",
        ]
        for label, found in facts.weak_labels
    ]
    head = ["label", "F1", "precision", "recall", "average precision", "rows that hold it"]
    lines += table(head, cells, numeric=range(1, 6))
    warnings = [f"- Warning: {text(told)}" for told in scores["warnings"]]
    return [*lines, *warnings, ""] if warnings else lines


def _ahead(found: Values | None) -> str:
    if found is None:
        return ""
    value, low, high = (points(found[key], sign=True) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def weak_slices(facts: Facts) -> list[str]:
    """Return where it is weak."""
    if not (slices := facts.weak_slices) or facts.report is None:
        return []
    rows = [
        [text(named(one)), interval(one["macro_f1"]), _ahead(one["over_rest"]), f"{one['rows']:,}"]
        for one in slices[:_SLICES]
    ]
    lines = ["## Weak slices, the worst first", "", words.SLICES, ""]
    head = ["slice", "macro-F1", "against the other rows, points", "rows"]
    lines += table(head, rows, numeric=(1, 2, 3))
    if spots := facts.report["weak_spots"][:_SPOTS]:
        cells = [
            [text(one["label"]), text(named(one)), interval(one["f1"]), f"{one['support']:,}"]
            for one in spots
        ]
        head = ["label", "slice", "F1", "rows that hold it"]
        lines += ["### Labels on slices", "", *table(head, cells, numeric=(2, 3))]
    return lines


def behaviour(facts: Facts) -> list[str]:
    """Return what it fails at."""
    report, blind = facts.behaviour
    if report is None:
        return []
    rows = []
    for name, found in worst(report):
        rate = found.rate
        cells = [text(name), text(found.asks), _rate(rate.value, rate.low, rate.high)]
        if blind is not None:
            beside = blind.capabilities[name].rate
            cells.append(_rate(beside.value, beside.low, beside.high))
        rows.append([*cells, f"{found.failures:,} of {found.cases:,}"])
    head = ["capability", "asked", "fails", *(["target-blind fails"] if blind else []), "cases"]
    note = f"{words.BEHAVIOUR} In brackets {percent(report.confidence)} intervals over written rules."
    told = table(head, rows, numeric=range(2, len(head)))
    return ["## Behaviour, the worst first", "", note, "", *told]


def _rate(value: float, low: float, high: float) -> str:
    return f"{percent(value)} ({percent(low)} to {percent(high)})"


def calibration(facts: Facts) -> list[str]:
    """Return how far its probabilities can be trusted, and how many decisions need no person."""
    scores = facts.scores
    lines = ["## Calibration", "", f"Method: {facts.manifest.calibration.method}, fitted on dev.", ""]
    if not scores:
        return lines
    before, after = scores["before"], scores["after"]
    rows = [
        [name, fraction(before[key]) if before else "–", fraction(after[key])]
        for name, key in (("expected calibration error", "ece"), ("Brier score", "brier"))
    ]
    lines += table(["on test, lower is better", "before", "after"], rows, numeric=(1, 2))
    return lines + ([_kept(kept), ""] if (kept := scores.get("kept")) else [])


def _kept(found: Values) -> str:
    coverage, right = found["coverage"], found["right"]
    told = f"Not for review by a person: {_rate(**coverage)} of the decisions on test"
    known = f"of those {_rate(**right)} are right" if right else "so none can be counted as right"
    return f"{told}; {known}. Asked for on dev: {percent(found['asked'])}."


def origin(facts: Facts) -> list[str]:
    """Return code and packages."""
    provenance = facts.manifest.provenance
    git, packages = section_of(provenance, "git"), section_of(provenance, "packages")
    lines = [words.LICENCE[facts.bundled]]
    if git.get("commit"):
        changed = ", with uncommitted changes" if git.get("changed") else ""
        lines.append(f"- Code: commit {code(git['commit'])}{changed}")
    if packages:
        told = ", ".join(f"{text(name)} {text(version)}" for name, version in packages.items())
        lines.append(f"- Packages: {told}")
    return ["## Origin", "", *lines, words.MANIFEST, ""]


def citing(facts: Facts) -> list[str]:
    """Return how to cite it."""
    version = str(section_of(facts.manifest.provenance, "packages").get("stancewire", ""))
    told = version if words.VERSION.fullmatch(version) else "not told"
    entry = words.BIBTEX.format(name=facts.manifest.name, version=told)
    return ["## How to cite", "", words.CITING, "", *fenced(entry, "bibtex")]
