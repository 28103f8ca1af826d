"""What is wrong between rows: ids used twice, one text with two labels, records that repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stancewire.section import shown
from stancewire.wording import fold
from training.data.faults import Fault, Severity
from training.data.rows import LabelledArticle, SeenId, StanceRecord


def gather(rows: Iterable[LabelledArticle]) -> tuple[list[LabelledArticle], list[Fault]]:
    """Join rows of one stance each into articles, in order of first sight; ids of other rows are unique."""
    articles: dict[str, LabelledArticle] = {}
    records: dict[str, list[StanceRecord]] = {}
    faults: list[Fault] = []
    for row in rows:
        name = row.article.id
        first = articles.setdefault(name, row)
        if first is row:
            records[name] = list(row.stances)
        elif not (first.by_record and row.by_record):
            continue  # reported by `faults_of_ids`
        elif difference := _difference(first, row):
            detail = f"the rows of article {shown(name)} differ in {difference!r}, see {_place(first, row)}"
            faults.append(_fault(row, "article_differs", detail))
        else:
            records[name] += row.stances
    return [_whole(row, records[name]) for name, row in articles.items()], faults


def faults_of_ids(ids: Iterable[SeenId]) -> list[Fault]:
    """Return ids that stand twice, also in rows that are wrong otherwise."""
    first_of: dict[str, SeenId] = {}
    faults = []
    for seen in ids:
        first = first_of.setdefault(seen.id, seen)
        if first is not seen and not (first.by_record and seen.by_record):
            place = f"line {first.line}" if first.file == seen.file else f"{first.file}:{first.line}"
            detail = f"id {shown(seen.id)} is taken by {place}"
            faults.append(Fault(seen.file, seen.line, "duplicate_id", detail))
    return faults


def faults_together(articles: Sequence[LabelledArticle]) -> list[Fault]:
    """Return what is wrong between articles, and between stance records."""
    return [*_same_texts(articles), *_same_stances(articles)]


def _whole(row: LabelledArticle, records: list[StanceRecord]) -> LabelledArticle:
    if not row.by_record:
        return row
    article = row.article
    if row.bare:
        article = replace(article, text="\n".join(dict.fromkeys(record.sentence for record in records)))
    return replace(row, article=article, stances=tuple(records))


def _difference(first: LabelledArticle, row: LabelledArticle) -> str | None:
    """Return the field that two rows of one article disagree on."""
    for name in ("event", "outlet", "date", "countries", "title"):
        if getattr(first.article, name) != getattr(row.article, name):
            return name
    if first.bare != row.bare or (not row.bare and first.article.text != row.article.text):
        return "text"
    if first.topics != row.topics:
        return "topics"
    return None if first.split == row.split else "split"


def _same_texts(articles: Sequence[LabelledArticle]) -> list[Fault]:
    first_of: dict[str, LabelledArticle] = {}
    faults = []
    for row in articles:
        text = "" if row.bare else fold(row.article.text)
        first = first_of.setdefault(text, row)
        if first is row or not text:
            continue
        if contrary := _contrary(first.topics, row.topics):
            detail = f"the same text as {_place(first, row)}, with {contrary} labelled the other way"
            faults.append(_fault(row, "text_conflict", detail))
        else:
            faults.append(_fault(row, "same_text", f"the same text as {_place(first, row)}", "warning"))
    return faults


def _contrary(one: Mapping[str, bool | None], other: Mapping[str, bool | None]) -> str:
    """Return the topics that hold in one and not in the other; an unlabelled one contradicts nothing."""
    return ", ".join(topic for topic in one if {one[topic], other[topic]} == {True, False})


def _same_stances(articles: Sequence[LabelledArticle]) -> list[Fault]:
    first_of: dict[tuple[str, ...], tuple[LabelledArticle, str]] = {}
    faults = []
    for row in articles:
        seen: set[tuple[str, ...]] = set()
        for number, record in enumerate(row.stances, 1):
            key = (fold(record.sentence), fold(record.target), fold(record.holder or ""))
            first, label = first_of.setdefault(key, (row, record.label))
            if label != record.label:
                detail = (
                    f"stance {number} is {record.label}, the same record is {label} in {_place(first, row)}"
                )
                faults.append(_fault(row, "stance_conflict", detail))
            elif key in seen:
                faults.append(_fault(row, "stance_twice", f"stance {number} stands twice", "warning"))
            seen.add(key)
    return faults


def _place(of: LabelledArticle, seen_from: LabelledArticle) -> str:
    if of is seen_from:
        return "this article"
    return f"line {of.line}" if of.file == seen_from.file else f"{of.file}:{of.line}"


def _fault(row: LabelledArticle, code: str, detail: str, severity: Severity = "error") -> Fault:
    return Fault(row.file, row.line, code, detail, severity)
