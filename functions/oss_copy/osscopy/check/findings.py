"""One finding of the check, before it is known which question it answers.

Knows nothing but the form of a finding.
"""

from __future__ import annotations

import msgspec

from osscopy.model import Grade, Line


class Finding(msgspec.Struct, frozen=True):
    """What was found and what to do about it; one that is ok needs no advice.

    `subject`: the setting or bucket it is about, where one question is about several.
    """

    status: Grade
    found: str
    advice: str | None = None
    subject: str | None = None

    def line(self, check: str, subject: str | None = None) -> Line:
        """Return it as the answer to a question of the check."""
        return Line(check, self.status, self.found, self.advice, self.subject or subject)


def ok(found: str, subject: str | None = None) -> Finding:
    return Finding("ok", found, None, subject)


def warning(found: str, advice: str, subject: str | None = None) -> Finding:
    return Finding("warning", found, advice, subject)


def failed(found: str, advice: str, subject: str | None = None) -> Finding:
    return Finding("failed", found, advice, subject)


def skipped(why: str, advice: str) -> Finding:
    return Finding("skipped", f"not looked at: {why}", advice)


def graded(status: Grade, found: str, advice: str) -> Finding:
    """Return a finding that keeps its advice only where it is needed."""
    return Finding(status, found, None if status == "ok" else advice)
