"""Findings, and the report that they make: one line for each question.

Knows the form of both; not which questions are asked, nor what answers mean.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Literal

import msgspec

from osscopy.model import Checked, Grade, Line
from osscopy.model.ports import Log

LOGGED = 20  # lines that go into the log, where a timer's check is read
LATE = "not looked at: the time of this invocation is too short"


class Finding(msgspec.Struct, frozen=True):
    """A finding, and the advice on what to do about it; one that is ok has none.

    `subject`: the setting or bucket it is about, where one question is about several.
    """

    status: Grade
    found: str
    advice: str | None = None
    subject: str | None = None

    def line(self, check: str, subject: str | None = None) -> Line:
        """Return it as the answer to a question of the check."""
        return Line(check, self.status, self.found, self.advice, self.subject or subject)


ok = partial(Finding, "ok")
warning = partial(Finding, "warning")
failed = partial(Finding, "failed")


def skipped(why: str, advice: str) -> Finding:
    return Finding("skipped", f"not looked at: {why}", advice)


def graded(status: Grade, found: str, advice: str) -> Finding:
    """Return a finding that keeps its advice only where it is needed."""
    return Finding(status, found, None if status == "ok" else advice)


class Report:
    """The lines so far, in the order of the questions."""

    def __init__(self, log: Log) -> None:
        self.lines: list[Line] = []
        self._log = log

    def skip(self, why: str, subject: str | None, *checks: str) -> list[Line]:
        found = skipped(why, "mend that first; check again")
        return self.add(*(found.line(check, subject) for check in checks))

    def add(self, *lines: Line) -> list[Line]:
        self.lines += lines
        return [*lines]

    def checked(self) -> Checked:
        """Log and return the whole, with the status of the worst line."""
        late = sum(each.found == LATE for each in self.lines)
        if late:
            text = f"{late} questions were not asked, for want of time"
            advice = "raise the function's timeout to 60 s or more, or look at why answers are slow"
            self.add(warning(text, advice).line("time"))
        counts = Counter(each.status for each in self.lines)
        status: Literal["ok", "warning", "failed"]
        status = "failed" if counts["failed"] else "warning" if counts["warning"] else "ok"
        notable = [each for each in self.lines if each.status in {"failed", "warning"}]
        notable.sort(key=lambda each: each.status)
        self._log("checked", status=status, counts=dict(counts), lines=notable[:LOGGED])
        return Checked(status, tuple(self.lines))
