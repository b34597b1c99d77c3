"""The report: one line for each question, whatever comes of it.

Knows how a question may end; not which are asked. A line that breaks stops no other, and a question that the
time is too short for is a line as well.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from osscopy.check import answers
from osscopy.check.findings import Finding, failed, skipped, warning
from osscopy.check.world import OutOfTime, Unanswered
from osscopy.model import Checked, Line, OssCopyError
from osscopy.model.ports import Log

LOGGED = 20  # lines that go into the log, where a timer's check is read
LATE = "not looked at: the time of this invocation is too short"

Question: TypeAlias = Callable[[], Finding | Line | Iterable[Line]]


class Report:
    """The lines so far, in the order of the questions."""

    def __init__(self, log: Log) -> None:
        self.lines: list[Line] = []
        self._log = log

    def ask(
        self, check: str, subject: str | None, question: Question, unless: str | None = None
    ) -> list[Line]:
        """Add the lines of a question, and return them; it is skipped if `unless` says why."""
        if unless is not None:
            return self.skip(unless, subject, check)
        return self.add(*self._answer(check, subject, question))

    def skip(self, why: str, subject: str | None, *checks: str) -> list[Line]:
        found = skipped(why, "mend that first; check again")
        return self.add(*(found.line(check, subject) for check in checks))

    def add(self, *lines: Line) -> list[Line]:
        self.lines += lines
        return [*lines]

    def has(self, check: str, *statuses: str) -> bool:
        """Tell if a line of this check has one of these statuses, or any if none is named."""
        return any(each.check == check and (not statuses or each.status in statuses) for each in self.lines)

    def _answer(self, check: str, subject: str | None, question: Question) -> list[Line]:
        try:
            found = question()
            if not isinstance(found, Finding):
                return [found] if isinstance(found, Line) else [*found]
        except OutOfTime:
            found = Finding("skipped", LATE, "raise the function's timeout; check again")
        except Unanswered as error:
            found = answers.refusal(error.need.right, error.error, error.need.lack)
        except OssCopyError as error:
            found = answers.refusal("the right to it", error, "failed")
        except Exception as error:  # noqa: BLE001 - one broken line must not stop the others; it is reported
            self._log("checkBroken", check=check, subject=subject, trace=traceback.format_exc()[-4000:])
            text = f"the check itself failed here: {type(error).__name__}: {error}"[:600]
            found = failed(text, "report it, with the function's log")
        return [found.line(check, subject)]

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
