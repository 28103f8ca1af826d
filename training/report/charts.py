"""Charts as inline SVG. Their colours and lines are named in `style`; what they show stands in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.report.formats import interval, percent, short
from training.report.markup import Child, Markup, element

# A square panel, in units of the drawing.
_SIZE, _LEFT, _BOTTOM, _TOP, _RIGHT = 200, 42, 32, 8, 10
_TICKS = ((0.0, "0"), (0.25, ""), (0.5, "0.5"), (0.75, ""), (1.0, "1"))
_BAR, _BAR_HEIGHT = 160, 16
_EDGE = 6

Point = Sequence[float]


def precision_recall(label: str, curve: Mapping[str, Any]) -> Markup:
    """Draw a precision-recall curve; a dot marks the threshold in use, a broken line a guess."""
    marks: list[Markup] = [
        _line((0, curve["share"]), (1, curve["share"]), "guess"),
        _path(_steps(curve["points"]), "after"),
    ]
    if curve["precision"] is not None:
        marks += _marked(
            (curve["recall"], curve["precision"]), short(curve["threshold"]), at_right=curve["recall"] > 0.42
        )
    told = f"average precision {short(curve['average_precision'])}; a guess has {short(curve['share'])}"
    return _panel(f"Precision over recall of {label}", told, ("recall", "precision"), marks)


def reliability(question: Mapping[str, Any]) -> Markup:
    """Draw what was said against what held, before and after calibration; the diagonal is the truth."""
    marks = [_line((0, 0), (1, 1), "guess")]
    for when in ("before", "after"):
        points = [(one["said"], one["held"]) for one in question[when]]
        marks += [_path(points, when), *(_dot(point, when) for point in points)]
    return _panel(
        f"Reliability of {question['name']}",
        "share that held over said probability, before and after calibration",
        ("said probability", "share that held"),
        marks,
    )


def coverage_risk(found: Mapping[str, Any]) -> Markup:
    """Draw the share of wrong rows over the share of rows taken, the surest first."""
    table = found["table"]
    marks = [_line((0, table[0]["risk"]), (1, table[0]["risk"]), "guess"), _path(found["points"], "after")]
    marks += [_dot((one["coverage"], one["risk"]), "after") for one in table]
    return _panel(
        "Wrong rows over rows taken",
        f"{percent(table[0]['risk'])} of all rows are wrong, {percent(table[-1]['risk'])} of the surest half",
        ("share of rows taken, the surest first", "share that is wrong"),
        marks,
    )


def bar(found: Mapping[str, float] | None, whole: float | None = None) -> Markup:
    """Draw a score between 0 and 1 with its interval, and a mark for that of all rows."""
    if found is None:
        return Markup("")

    def x(value: float) -> str:
        return f"{_EDGE + value * (_BAR - 2 * _EDGE):.1f}"

    middle = _BAR_HEIGHT / 2
    marks = [_stroke((x(0), middle), (x(1), middle), "rail")]
    if whole is not None:
        marks.append(_stroke((x(whole), 1), (x(whole), _BAR_HEIGHT - 1), "whole"))
    marks.append(_stroke((x(found["low"]), middle), (x(found["high"]), middle), "range"))
    marks.append(element("circle", cx=x(found["value"]), cy=middle, r=4, class_="after"))
    return _drawing((_BAR, _BAR_HEIGHT), interval(found), "", marks, "bar")


def _panel(title: str, told: str, names: tuple[str, str], marks: Sequence[Markup]) -> Markup:
    width, height = _LEFT + _SIZE + _RIGHT, _TOP + _SIZE + _BOTTOM
    grid: list[Markup] = []
    for value, text in _TICKS:
        grid += [_line((value, 0), (value, 1), "grid"), _line((0, value), (1, value), "grid")]
        if text:
            grid.append(_text((_x(value), _TOP + _SIZE + 13), text, "middle"))
            grid.append(_text((_LEFT - 6, _y(value) + 4), text, "end"))
    grid.append(_text((_LEFT + _SIZE / 2, height - 4), names[0], "middle"))
    middle = _TOP + _SIZE / 2
    grid.append(_text((10, middle), names[1], "middle", transform=f"rotate(-90 10 {middle:g})"))
    return _drawing((width, height), title, told, [*grid, *marks], "panel")


def _drawing(
    size: tuple[float, float], title: str, told: str, marks: Sequence[Markup], class_: str
) -> Markup:
    heads: list[Child] = [element("title", title)]
    if told:
        heads.append(element("desc", told))
    return element("svg", *heads, *marks, viewBox=f"0 0 {size[0]:g} {size[1]:g}", role="img", class_=class_)


def _x(value: float) -> float:
    return round(_LEFT + value * _SIZE, 1)


def _y(value: float) -> float:
    return round(_TOP + (1 - value) * _SIZE, 1)


def _line(start: Point, end: Point, class_: str) -> Markup:
    return _stroke((_x(start[0]), _y(start[1])), (_x(end[0]), _y(end[1])), class_)


def _stroke(start: Sequence[object], end: Sequence[object], class_: str) -> Markup:
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def _path(points: Sequence[Point], class_: str) -> Markup:
    told = " ".join(f"{_x(x):g},{_y(y):g}" for x, y in points)
    return element("polyline", points=told, class_=f"curve {class_}")


def _steps(points: Sequence[Point]) -> list[Point]:
    """Return the corners of a curve of precisions, each of which holds back to the recall before."""
    corners: list[Point] = []
    recall = 0.0
    for x, y in points:
        corners += [(recall, y), (x, y)]
        recall = x
    return corners


def _dot(point: Point, class_: str) -> Markup:
    return element("circle", cx=_x(point[0]), cy=_y(point[1]), r=3, class_=class_)


def _marked(point: Point, text: str, *, at_right: bool) -> list[Markup]:
    x, y = _x(point[0]), _y(point[1])
    shift, anchor = (-9, "end") if at_right else (9, "start")
    below = 15 if point[1] > 0.2 else -9
    return [
        element("circle", cx=x, cy=y, r=5, class_="threshold"),
        _text((x + shift, y + below), text, anchor, class_="strong"),
    ]


def _text(at: Point, text: str, anchor: str, **more: object) -> Markup:
    return element("text", text, x=f"{at[0]:g}", y=f"{at[1]:g}", text_anchor=anchor, **more)
