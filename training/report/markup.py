"""HTML and SVG elements; every text is escaped but what these functions made themselves."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Child: TypeAlias = "str | Markup"
_VOID = {"meta", "br", "col"}


class Markup(str):
    """Markup that stands as it is."""

    __slots__ = ()


def element(name: str, /, *children: Child, **attributes: object) -> Markup:
    """Return an element.

    Args:
        name: of the element.
        children: texts, which are escaped, and markup.
        attributes: by name; a trailing underscore is dropped and inner ones become hyphens ("class_",
            "stroke_width"); None and False leave one out, True gives it without a value.
    """
    told = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """Return children one after the other."""
    return Markup(
        "".join(child if isinstance(child, Markup) else html.escape(child, quote=False) for child in children)
    )


def table(
    head: Sequence[Child],
    rows: Iterable[Sequence[Child]],
    *,
    caption: str,
    numeric: Sequence[int] = (),
    wide: Sequence[int] = (),
    class_: str = "",
) -> Markup:
    """Return a table in a frame that scrolls where it must; the first cell of a row is its heading.

    Args:
        head: names of the columns.
        rows: their cells.
        caption: read out by screen readers, not shown.
        numeric: columns of figures.
        wide: columns left out on a phone.
        class_: of the table.
    """

    def cell(kind: str, column: int, content: Child, **more: object) -> Markup:
        classes = [name for name, of in (("n", numeric), ("wide", wide)) if column in of]
        return element(kind, content, class_=" ".join(classes) or None, **more)

    header = joined(cell("th", i, name, scope="col") for i, name in enumerate(head))
    lines = [
        joined(
            cell("td", i, content) if i else cell("th", i, content, scope="row")
            for i, content in enumerate(row)
        )
        for row in rows
    ]
    body = joined(element("tr", line) for line in lines)
    inside = joined(
        [
            element("caption", caption),
            element("thead", element("tr", header)),
            element("tbody", body),
        ]
    )
    framed = element("table", inside, class_=class_ or None)
    return element("div", framed, class_="frame", tabindex="0", role="region", aria_label=caption)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'
