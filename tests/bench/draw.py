"""Draws plots as SVG: a program of its own, since matplotlib lives in the bench's own environment.

It reads JSON, `{"folder": …, "drawings": [Drawing, …]}` (`plots.py`), from its standard input. Equal drawings
make equal files: ids come from a fixed salt, and no date is written. The background is opaque, so that a plot
can be read on any page; a viewer that prefers dark colours gets it inverted.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

COLOURS = ("#1f6feb", "#bc4c00", "#1a7f37", "#8250df", "#bf3989")
INK, GRID, IDEAL = "#1f2328", "#d0d7de", "#57606a"
DARK = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(0.9) hue-rotate(180deg) } }</style>"
STYLE = {
    "svg.hashsalt": "oss-copy",
    "svg.fonttype": "none",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": IDEAL,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "#ffffff",
}


def main() -> None:
    """Draw what is asked for."""
    order = json.load(sys.stdin)
    folder = Path(order["folder"])
    folder.mkdir(exist_ok=True)
    with mpl.rc_context(STYLE):
        for drawing in order["drawings"]:
            _draw(drawing, folder / f"{drawing['name']}.svg")


def _draw(drawing: dict[str, Any], path: Path) -> None:
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for index, series in enumerate(drawing["series"]):
        _line(axes, series, COLOURS[index % len(COLOURS)], drawing["marks"])
    axes.set(title=drawing["title"], xlabel=drawing["x"], ylabel=drawing["y"])
    axes.set(xscale=drawing["scale"], yscale=drawing["scale"])
    if drawing["scale"] == "log":
        ticks = sorted({x for series in drawing["series"] for x in series["x"]})
        axes.set_xticks(ticks)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set(xlim=(0, None), ylim=(0, None))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(visible=True, which="major", color=GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text(_finished(path.read_text(encoding="utf-8")), encoding="utf-8")


def _line(axes: Any, series: dict[str, Any], colour: str, marks: bool) -> None:
    if series["dashed"]:
        axes.plot(series["x"], series["y"], label=series["name"], color=IDEAL, linestyle="--", linewidth=1.4)
        return
    x, y = series["x"], series["y"]
    axes.plot(x, y, label=series["name"], color=colour, marker="o" if marks else "", linewidth=1.8)
    axes.fill_between(x, series["low"], series["high"], color=colour, alpha=0.18, linewidth=0)


def _finished(text: str) -> str:
    """With a style for dark viewers, and without spaces at the ends of lines, which editors would remove."""
    with_style = text.replace("<defs>", f"{DARK}\n <defs>", 1)
    return re.sub(r"[ \t]+$", "", with_style, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
