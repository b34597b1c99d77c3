"""Jobs while they run: a bar each in a terminal, a line now and then in a pipe, nothing with --json."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from functions.cli.service.answers import Job
from functions.cli.shown import figures
from functions.cli.shown.screen import Screen
from functions.cli.texts import plain

EVERY = 10.0  # seconds between two lines about a job in a pipe
_LEAST = 4  # columns of a bar: it takes what the figures leave


class Bars:
    """The jobs that are shown, by their ids."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._jobs: dict[str, Job] = {}
        self._lines: dict[str, tuple[str, float]] = {}
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[Bars]:
        """Show what `update` tells until the end of the block."""
        if self._screen.is_json or not self._screen.error.is_terminal:
            yield self
            return
        with Live(console=self._screen.error, auto_refresh=False, transient=False) as self._live:
            yield self
        self._live = None

    def update(self, job: Job) -> None:
        """Show how far a job is now."""
        key = str(job.job)
        self._jobs[key] = job
        if self._live:
            self._live.update(drawn(list(self._jobs.values())), refresh=True)
        elif not self._screen.is_json:
            self._print(key, job)

    def _print(self, key: str, job: Job) -> None:
        state, at = self._lines.get(key, ("", float("-inf")))
        now = time.monotonic()
        if job.status == "running" and (state != job.status or now - at >= EVERY):
            self._lines[key] = (job.status, now)
            self._screen.note(f"{key}: {job.status}, {figures.standing(job)}")


def drawn(jobs: list[Job]) -> RenderableType:
    """Return two lines for each job: what it is about, and how far it is."""
    return Group(*(each for job in jobs for each in (_head(job), _bar(job))))


def _head(job: Job) -> Text:
    style = {"failed": "red", "cancelled": "yellow", "running": "cyan"}.get(job.status, "green")
    text = Text(job.status, style, no_wrap=True, overflow="ellipsis")
    return text.append(f"  {job.job}", "dim").append(f"  {plain(figures.name(job))}", "default")


def _bar(job: Job) -> Table:
    standing = figures.standing(job)
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(ratio=1, min_width=_LEAST)
    row.add_column(no_wrap=True, overflow="ellipsis")
    share = standing.share
    is_pulsing = share is None and job.status == "running"
    bar = ProgressBar(total=1.0, completed=share or 0.0, pulse=is_pulsing)
    row.add_row(bar, Text("  ".join(standing.words)))
    return row
