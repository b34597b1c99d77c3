"""Where a command speaks: results on standard output, everything about its work on standard error.

With `--json` standard output gets one value as one line of ASCII and nothing else. In a pipe there are no
bars, and tables are lines of cells with a tab between them.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from functions.cli.texts import harmless, plain


def _console(*, is_error: bool = False) -> Console:
    return Console(stderr=is_error, markup=False, emoji=False, highlight=False, soft_wrap=True)


class Screen:
    """The two streams of one command."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json
        self.error = _console(is_error=True)
        self._out = _console()

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line of the result; nothing with --json."""
        if not self.is_json:
            self._out.print(Text(harmless(text), style))

    def note(self, text: str, style: str = "") -> None:
        """Print a line about the work on standard error."""
        self.error.print(Text(harmless(text), style))

    def give(self, value: object) -> None:
        """Print the value as one line of JSON, with --json."""
        if self.is_json:
            print(json.dumps(value), flush=True)

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
    ) -> None:
        """Print rows below their heads: cells are text, one line each in a pipe."""
        if self.is_json:
            return
        texts = [[plain("" if cell is None else str(cell)) for cell in row] for row in rows]
        if not self._out.is_terminal:
            for row in texts:
                print("\t".join(row))
            return
        table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
        for head in heads:
            table.add_column(head, justify="right" if head in right else "left", overflow="fold")
        for row in texts:
            table.add_row(*map(Text, row))
        self._out.print(table, soft_wrap=False)

    @property
    def is_terminal(self) -> bool:
        """Tell whether somebody looks at standard output."""
        return self._out.is_terminal

    def facts(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Print what is known of one thing, a line each; nothing of what is not known."""
        known = [(name, plain(str(value))) for name, value in pairs if value not in (None, "")]
        width = max((len(name) for name, _ in known), default=0)
        for name, value in known:
            self.say(f"{name:<{width}}  {value}")


def prepare() -> None:
    """Let no character be too much for the terminal's encoding, and keep lines in order."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
