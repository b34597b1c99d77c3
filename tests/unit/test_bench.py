"""The pages and plots of measurements, made from figures; nothing is measured here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.bench import copier, page, plots, results, terabyte
from tests.bench.__main__ import BENCHES, HERE, NAMES
from tests.bench.figures import Figure, Measured, Point, point, ratio, reach
from tests.bench.goals import BY_ID, GOALS, REASONS
from tests.bench.results import Origin, Section
from tests.cloud.request_log import Logged

INSTALLED = list(copier.PEERS.parents[1].glob("lib/python*/site-packages/matplotlib/__init__.py"))
ORIGIN = Origin("2026-11-30", "a machine", 0.5, "Python 3.11.7", "python3.11", "oss2 2.19.1")


def section(*measured: Measured, name: str = "some", about: str = "About it.") -> Section:
    return Section(name, about, ORIGIN, measured)


def row(text: str, begin: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {begin} |")]
    return found


def test_a_figure_is_judged_by_its_row_and_not_by_what_is_shown() -> None:
    assert reach("copier-1000-100", "ratio", 0.87).good
    missed = reach("copier-1000-100", "ratio", 0.8699, note="a reason")
    assert (missed.found, missed.target, missed.good, missed.note) == ("0.87x", ">= 0.87x", False, "a reason")
    assert reach("memory", "peak", 96).good
    assert not reach("memory", "peak", 96.1).good


def test_a_figure_that_is_good_tells_no_reason() -> None:
    assert reach("floor", "time", 1.0, note="a reason").note == ""


def test_a_row_that_is_not_there_cannot_be_measured_for() -> None:
    with pytest.raises(KeyError, match="nothing"):
        reach("nothing", "ratio", 1.0)


def test_every_row_has_its_place_measured_or_not() -> None:
    text = page.numbers([section(reach("floor", "time", 1.01))])
    assert len(text.splitlines()) == 2 + len(GOALS)
    assert row(text, BY_ID["floor"].row).endswith("| <= 1.05x | 1.01x | some | ok |")
    assert row(text, BY_ID["lanes"].row).endswith("| >= 7.4x | not measured | | |")


def test_a_missed_row_tells_why_or_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    missed = section(reach("floor", "time", 1.2))
    assert row(page.numbers([missed]), BY_ID["floor"].row).endswith("| **missed**: no reason known yet |")
    monkeypatch.setitem(REASONS, "floor", "two cores")
    assert row(page.numbers([missed]), BY_ID["floor"].row).endswith("| **missed**: two cores |")
    told = section(reach("floor", "time", 1.2, note="its own reason"))
    assert row(page.numbers([told]), BY_ID["floor"].row).endswith("| **missed**: its own reason |")


def test_two_figures_of_one_row_both_say_what_they_are() -> None:
    figures = reach("memory", "1 GB", 50, "50 MB"), reach("memory", "48.8 TB", 97, "97 MB")
    lines = [line for line in page.numbers([section(*figures)]).splitlines() if BY_ID["memory"].row in line]
    assert ["1 GB: 50 MB" in lines[0], "48.8 TB: 97 MB" in lines[1]] == [True, True]


def test_the_row_that_other_checks_read_keeps_its_wording() -> None:
    """`make bench ARGS=copier` prints it for 1,000 and 3,200 parts."""
    found = reach("copier-1000-100", "its time / ours, both 32 threads, 1000 parts", 0.951)
    line = page.table([found]).splitlines()[2]
    assert line == "| its time / ours, both 32 threads, 1000 parts | 0.95x | >= 0.87x | ok |"


def test_reasons_are_of_rows_that_are_there_and_ids_are_not_used_twice() -> None:
    assert REASONS.keys() <= BY_ID.keys()
    assert len(BY_ID) == len(GOALS)


def test_one_bench_is_renewed_without_losing_the_others(tmp_path: Path) -> None:
    store = tmp_path / "results.json"
    assert results.load(store) == {}
    old = section(ratio("a", 1.0, ">= 1", True), name="a"), section(point("parts", "x", 1, [2]), name="b")
    assert results.renew(old, ("a", "b"), store) == list(old)
    new = section(ratio("a", 2.0, ">= 1", True), name="a")
    assert results.renew([new], ("b", "a"), store) == [old[1], new]
    assert results.load(store) == {"a": new, "b": old[1]}
    assert results.renew([], ("a",), store) == [new], "a bench that is no more"


def test_the_pages_are_those_of_the_figures_that_are_kept() -> None:
    """Nobody has edited it, and whoever changed how it looks has made it anew (`ARGS=--render`)."""
    kept = results.load()
    assert list(kept) == [name for name in NAMES if name in kept]
    there = [HERE / page.FRONT, *(HERE / page.FOLDER).iterdir()]
    texts = {str(each.relative_to(HERE)): each.read_text(encoding="utf-8") for each in there}
    assert texts == page.pages(list(kept.values()))


def test_the_plots_are_those_of_the_figures_that_are_kept() -> None:
    points = [each for one in results.load().values() for each in one.points]
    drawn = {f"{name}.svg" for name in plots.drawn(points)}
    assert {each.name for each in (HERE / "plots").glob("*")} == drawn


def test_every_bench_says_what_it_measures() -> None:
    assert [each.name for each in BENCHES if not (each.measure.__doc__ or "").strip()] == []


def test_a_section_shows_its_plot_once_and_where_its_points_come_from() -> None:
    first = section(point("lanes", "oss-copy", 1, [1.0]), name="first")
    second = section(point("lanes", "oss-copy", 8, [7.5]), name="second")
    texts = page.pages([first, second])
    shown = [path for path, text in texts.items() if "](../plots/lanes.svg)" in text]
    assert shown == ["measured/first.md"]


def test_a_plot_is_drawn_from_points_in_the_order_of_x_with_their_ranges() -> None:
    points = [point("parts", "oss-copy", 200, [1.2, 1.0, 1.1]), point("parts", "Copier", 200, [0.9])]
    points += [Point("parts", "oss-copy", 100, 0.5)]
    (drawing,) = plots.drawings(points)
    ours, theirs = drawing.series
    assert (ours.name, ours.x, ours.y) == ("oss-copy", (100, 200), (0.5, 1.1))
    assert (ours.low, ours.high) == ((0.5, 1.0), (0.5, 1.2))
    assert (theirs.name, theirs.x, theirs.dashed) == ("Copier", (200,), False)


def test_what_was_not_measured_is_dashed_and_an_ideal_goes_over_all_x() -> None:
    points = [point("lanes", "oss-copy", lanes, [lanes * 0.9]) for lanes in (8, 1)]
    (drawing,) = plots.drawings(points)
    assert [each.dashed for each in drawing.series] == [False, True]
    assert (drawing.series[1].x, drawing.series[1].y) == ((1, 8), (1.0, 8.0))
    (floors,) = plots.drawings([point("threads", "floor", 1, [1.4])])
    assert floors.series[0].dashed


def test_a_plot_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="no such plot: nothing"):
        plots.drawings([point("nothing", "x", 1, [1])])


def test_a_part_that_was_copied_twice_is_there_since_its_first_answer() -> None:
    log = [
        Logged("UploadPartCopy", 10, 11, status=500, part=1),
        Logged("UploadPartCopy", 11, 12, part=1),
        Logged("UploadPartCopy", 12, 13, part=2),
        Logged("UploadPartCopy", 13, 14, part=1),
    ]
    points = [each for each in terabyte.progress(log, 10.0, 2, 1.5) if isinstance(each, Point)]
    assert [(each.x, each.y) for each in points if each.series == "oss-copy"] == [(0, 0), (2, 1), (3, 2)]
    assert [(each.x, each.y) for each in points if each.series == "floor"] == [(0, 0), (1.5, 2)]


@pytest.mark.skipif(not INSTALLED, reason="`make bench` installs what draws")
def test_equal_points_make_equal_files_without_a_date(tmp_path: Path) -> None:
    drawings = plots.drawings([point("lanes", "oss-copy", lanes, [lanes * 0.9]) for lanes in (1, 2, 8)])
    texts = []
    for name in ("one", "other"):
        order = {"folder": str(tmp_path / name), "drawings": msgspec.to_builtins(drawings)}
        command = [str(copier.PEERS), str(HERE / "draw.py")]
        subprocess.run(command, input=json.dumps(order), text=True, check=True)
        texts.append((tmp_path / name / "lanes.svg").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    assert "prefers-color-scheme: dark" in texts[0]
    assert "dc:date" not in texts[0]


def test_a_figure_needs_no_row() -> None:
    assert Figure("what", "found").goal == ""
