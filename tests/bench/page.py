"""RESULTS.md and a page for each bench, made from the figures that are kept.

Knows nothing of how they were measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.figures import Figure
from tests.bench.goals import GOALS, REASONS, Goal
from tests.bench.plots import PLOTS, drawn
from tests.bench.results import Section

ABOUT = """\
See which numbers oss-copy has to reach and what was measured, beside peers and in one run with them. Each
bench has [a page](#benches) of its own.

Written by `make bench`; do not edit. Every figure comes from the local cloud on this machine's loopback,
with the latency that is named injected by the OSS server. **Loopback measures requests, concurrency and
hand-over, not OSS bandwidth**: copied bytes cost nothing here, unless a bandwidth is named. Compare ratios,
which were measured in one run against the same server; seconds say more about the machine. Medians, with the
range in brackets. One bench: `make bench ARGS=NAME`; `ARGS="NAME --write"` puts its figures in the place of
its earlier ones, here and in [results.json](results.json)."""
FRONT, FOLDER = "RESULTS.md", "measured"
UNEXPLAINED = "no reason known yet"


def table(figures: Sequence[Figure]) -> str:
    """The figures of one bench as Markdown."""
    lines = ["| what | found | target | |", "|---|---|---|---|"]
    lines += [f"| {each.what} | {each.found} | {each.target} | {_verdict(each)} |" for each in figures]
    return "\n".join(lines)


def _verdict(figure: Figure) -> str:
    verdict = ("ok" if figure.good else "**missed**") if figure.target else ""
    return f"{verdict} {figure.note}".strip()


def numbers(sections: Sequence[Section]) -> str:
    """Every row of the numbers to reach, with each figure that was measured for it.

    A row without a figure stays, as `not measured`; a missed one tells its reason.
    """
    measured = [(section.name, each) for section in sections for each in section.figures]
    lines = ["| number to reach | target | measured | by | |", "|---|---|---|---|---|"]
    for goal in GOALS:
        lines += _rows(goal, [one for one in measured if one[1].goal == goal.id])
    return "\n".join(lines)


def _rows(goal: Goal, found: Sequence[tuple[str, Figure]]) -> list[str]:
    """The lines of one row: where several figures are measured for it, each says what it is."""
    if not found:
        return [f"| {goal.row} | {goal.target} | not measured | | |"]
    several = len(found) > 1
    return [
        f"| {goal.row} | {goal.target} | {f'{each.what}: ' if several else ''}{each.found} | {name} "
        f"| {_judged(goal, each)} |"
        for name, each in found
    ]


def _judged(goal: Goal, figure: Figure) -> str:
    if figure.good:
        return "ok"
    return f"**missed**: {figure.note or REASONS.get(goal.id) or UNEXPLAINED}"


def section(each: Section, plots: Sequence[str] = ()) -> str:
    """The page of one bench: what it does, its figures, when and where they were measured, its `plots`."""
    origin = f"Measured {each.origin.date}: {each.origin.machine}; load average {each.origin.load:.1f}."
    shown = [f"![{PLOTS[name].title}](../plots/{name}.svg)" for name in plots]
    head = [f"# {each.name}", each.about, table(each.figures)]
    return "\n\n".join([*head, *shown, origin, f"All benches: [RESULTS.md](../{FRONT})."]) + "\n"


def pages(sections: Sequence[Section]) -> dict[str, str]:
    """All documents of the measurements: their paths below this folder, and their texts."""
    own = {f"{FOLDER}/{each.name}.md": section(each, _first_shown(each, sections)) for each in sections}
    return {FRONT: front(sections), **own}


def front(sections: Sequence[Section]) -> str:
    """The whole of RESULTS.md."""
    origins = list(dict.fromkeys(
        f"- {each.origin.python}; instances run {each.origin.instances}; {each.origin.packages}"
        for each in sections))  # fmt: skip
    where = "\n".join(origins) + "\n" if origins else ""
    goals = f"## Numbers to reach\n\n{numbers(sections)}\n"
    found = [f"| [{each.name}]({FOLDER}/{each.name}.md) | {_title(each)} |" for each in sections]
    benches = "\n".join(["## Benches", "", "| bench | what it measures |", "|---|---|", *found, ""])
    return "\n".join([f"# Measurements\n\n{ABOUT}\n\n{where}", goals, benches])


def _title(each: Section) -> str:
    """The first paragraph about a bench, on one line."""
    return " ".join(each.about.partition("\n\n")[0].split())


def _first_shown(each: Section, sections: Sequence[Section]) -> list[str]:
    """The plots whose first points come from this section: each is shown once."""
    everything = [point for one in sections for point in one.points]
    names = drawn(everything)
    return [
        name
        for name in names
        if next(one for one in sections if any(it.plot == name for it in one.points)) is each
    ]
