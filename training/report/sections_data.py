"""The section of the page that tells what was trained and judged on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report.formats import percent
from training.report.markup import Child, Markup, element, joined, table

Report = Mapping[str, Any]


def data(report: Report) -> Markup:
    """Return where rows and model come from."""
    model, judged = report["model"], report["judged_on"]
    book = model["codebook"]
    facts: list[tuple[str, Child]] = [
        ("model", f"{model['name']}, {model['family']}"),
        ("artefact", element("code", model["digest"])),
        ("codebook", joined([f"{book['id']} {book['version']}, ", element("code", book["sha256"])])),
        ("judged on", f"{judged['part']} of {judged['source']}"),
        ("its digest", element("code", judged["sha256"])),
        ("rows", f"{judged['rows']:,} of {judged['articles']:,} articles in {judged['stories']:,} stories"),
        ("dates", _dates(judged)),
        ("outlets", f"{judged['outlets']:,}"),
        ("intervals", f"{percent(judged['confidence'])}, {judged['samples']:,} resamples of whole stories"),
        *_reading(report),
    ]
    trained = report["trained_on"]
    return joined(
        [
            element("h3", "Judged"),
            _facts(facts),
            element("h3", "Trained"),
            _facts(list(_trained(trained))),
            _parts(trained),
        ]
    )


def _trained(trained: Mapping[str, Any]) -> Iterator[tuple[str, Child]]:
    data = trained.get("data")
    if not isinstance(data, Mapping):
        yield "data", "the manifest does not say"
        return
    yield "corpus", f"{data['source']}: {data['articles']:,} articles in {data['stories']:,} stories"
    yield "its digest", element("code", data["sha256"])
    yield "dates", _dates(data)
    yield "outlets", f"{data['outlets']:,}"
    split = trained["split"]
    yield "split by", split["by"]
    for reason, count in split["left_out"].items():
        yield "left out", f"{count:,} rows: {reason}"
    git = trained["git"]
    if git["commit"]:
        changed = ", with uncommitted changes" if git["changed"] else ""
        yield "code", joined([element("code", git["commit"]), changed])
    yield "packages", ", ".join(f"{name} {version}" for name, version in trained["packages"].items())


def _parts(trained: Mapping[str, Any]) -> Markup:
    split = trained.get("split", {})
    rows: list[list[Child]] = []
    for name in ("train", "dev", "test"):
        if isinstance(part := split.get(name), Mapping):
            counts = sorted(part.get("outlets", {}).items(), key=lambda pair: (-pair[1], pair[0]))
            outlets = ", ".join(f"{outlet} {count:,}" for outlet, count in counts)
            rows.append(
                [
                    name,
                    f"{part['rows']:,}",
                    f"{part['stories']:,}",
                    _dates(part),
                    outlets or "–",
                    element("code", part["sha256"][:12]),
                ]
            )
    if not rows:
        return Markup("")
    head = ["part", "rows", "stories", "dates", "outlets (rows)", "digest"]
    return table(head, rows, caption="Parts of the split", numeric=(1, 2), wide=(4, 5))


def _reading(report: Report) -> Iterator[tuple[str, Child]]:
    reading = report["reading"]
    rows = reading["rows"]
    yield (
        "texts cut",
        f"{rows['text_cut']:,} ({percent(reading['share_of_rows_cut'])} of rows, "
        f"{percent(reading['share_of_text_cut'])} of characters); the model reads {reading['max_chars']:,} "
        f"characters, the longest row has {reading['longest']:,}",
    )
    yield "without a known word", f"{rows['no_known_features']:,}"
    yield "mixed alphabets", f"{rows['mixed_script']:,}"


def _dates(found: Mapping[str, Any]) -> str:
    first, last = found.get("first_date"), found.get("last_date")
    return f"{first} to {last}" if first and last else "–"


def _facts(facts: list[tuple[str, Child]]) -> Markup:
    pairs = (part for name, told in facts for part in (element("dt", name), element("dd", told)))
    return element("dl", *pairs, class_="facts")
