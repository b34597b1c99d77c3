"""A timeline drawn as SVG: for the page, whose style colours it, or for a file of its own.

Knows values and numbers of pixels; not where a timeline comes from.
"""

from __future__ import annotations

from collections.abc import Iterator

from osscopy.jobs.pictures.timelines import Bar, Mark, Timeline
from osscopy.web.page.markup import Child, Html, tag
from osscopy.web.page.shown import figures
from osscopy.web.page.words import Words

WIDTH, LEFT, RIGHT, TOP = 900, 90, 14, 26
ROW, BAR = 22, 14  # heights
MOST_ROWS = 40
COLUMNS = 300  # of batches
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_KINDS = {
    "resumed": ("s-slow", "The sweep resumed it"),
    "throttled": ("s-slow", "OSS throttled"),
    "problem": ("s-bad", "A hop met an error"),
    "killed": ("s-bad", "An instance was killed"),
}
_STYLE = (
    "svg{font:12px sans-serif;background:#fff}text{fill:#535f6f}.axis{stroke:#d5dbe3}.s-done{fill:#1a6b3c}"
    ".s-open{fill:#0b57b0}.s-bad{fill:#b3261e}.s-slow{fill:#8a5300}.s-tick{fill:#1c2430}"
)


def drawing(words: Words, line: Timeline, names: str, *, alone: bool = False) -> Html:
    """Return the picture. `names`: what rows are, such as `Lane`; `alone`: it is a file of its own."""
    rows = line.rows[:MOST_ROWS]
    height = TOP + ROW * len(rows) + 24
    scale = _Scale(line)
    told = words(
        "{n} invocations, {rows} rows, {t}",
        n=len(line.bars), rows=len(line.rows), t=figures.span(line.ended - line.begun),
    )  # fmt: skip
    drawn: list[Child] = [
        tag("style", Html(_STYLE)) if alone else None,
        tag("title", f"{words('Timeline')}: {told}"),
        list(_axis(scale, height)),
        [_label(f"{words(names)} {each}", at) for at, each in enumerate(rows)],
        [_bar(words, scale, each) for each in line.bars if each.row < len(rows)],
        list(_batches(scale, line, len(rows))),
        [_mark(words, scale, each, height) for each in line.marks if (each.row or 0) < len(rows)],
    ]
    attributes = {"xmlns": "http://www.w3.org/2000/svg"} if alone else {}
    return tag("svg", drawn, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=told, **attributes)


class _Scale:
    """Turns moments into places."""

    def __init__(self, line: Timeline) -> None:
        self.begun = line.begun
        self.seconds = max(1.0, line.ended - line.begun)

    def x(self, moment: float) -> float:
        share = min(1.0, max(0.0, (moment - self.begun) / self.seconds))
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> Iterator[tuple[float, str]]:
        step = next((each for each in _STEPS if self.seconds / each <= 8), self.seconds / 8)
        for number in range(int(self.seconds // step) + 1):
            yield self.x(self.begun + number * step), figures.span(number * step)


def _axis(scale: _Scale, height: int) -> Iterator[Html]:
    for x, text in scale.ticks():
        yield tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=TOP - 6, y2=height - 18, class_="axis")
        yield tag("text", text, x=f"{x:.1f}", y=height - 5, text_anchor="middle")


def _label(text: str, row: int) -> Html:
    return tag("text", text, x=LEFT - 8, y=TOP + row * ROW + BAR - 3, text_anchor="end")


def _bar(words: Words, scale: _Scale, bar: Bar) -> Html:
    x, until = scale.x(bar.begun), scale.x(bar.ended)
    told = words("Hop {n}: {t}", n=bar.text, t=figures.span(bar.ended - bar.begun))
    width = max(1.5, until - x - 1.5)  # what is between two is the hand-over
    return tag(
        "g",
        tag("title", told),
        tag("rect", x=f"{x:.1f}", y=TOP + bar.row * ROW, width=f"{width:.1f}", height=BAR, rx=2,
            class_="s-open" if bar.is_open else "s-done"),
    )  # fmt: skip


def _batches(scale: _Scale, line: Timeline, rows: int) -> Iterator[Html]:
    """Yield a tick where parts came; those of one place are one."""
    step = (WIDTH - LEFT - RIGHT) / COLUMNS
    places = {(row, int((scale.x(moment) - LEFT) / step)) for row, moment in line.batches if row < rows}
    for row, column in sorted(places):
        x = LEFT + column * step
        y, width = TOP + row * ROW + BAR + 1, max(2.0, step * 0.8)
        yield tag("rect", x=f"{x:.1f}", y=y, width=f"{width:.1f}", height=4, class_="s-tick")


def _mark(words: Words, scale: _Scale, mark: Mark, height: int) -> Html:
    x = scale.x(mark.at)
    kind, text = _KINDS[mark.kind]
    if mark.row is None:
        shape = tag("rect", x=f"{x - 1:.1f}", y=TOP - 8, width=2, height=height - TOP - 10, class_=kind)
    else:
        y = TOP + mark.row * ROW
        shape = tag("path", d=f"M{x - 4:.1f} {y - 5}h8l-4 7z", class_=kind)
    return tag("g", tag("title", f"{words(text)} {mark.text}".strip()), shape)
