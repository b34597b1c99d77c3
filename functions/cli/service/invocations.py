"""The log of the local cloud's invocations, which its admin API tells."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec

from functions.cli.errors import NoAnswer


class Invocation(msgspec.Struct, frozen=True):
    """One invocation: its task, how it ended, and what the function printed."""

    request_id: str
    outcome: str
    task_id: str | None = None
    trigger: str | None = None
    logs: str = ""


def read(admin: str) -> list[Invocation]:
    """Return all invocations, the oldest first."""
    try:
        answer = httpx.get(f"{admin}/invocations", trust_env=False, timeout=30).raise_for_status()
        return msgspec.json.decode(answer.content, type=list[Invocation])
    except (httpx.HTTPError, msgspec.DecodeError) as error:
        raise NoAnswer(
            f"{admin} does not tell its invocations: {error}; does the local cloud run?"
        ) from error


def lines(found: list[Invocation], job: str | None) -> Iterator[str]:
    """Yield the lines of the log, of one job's invocations if that is named."""
    for each in found:
        if job is None or job in (each.task_id or "") or job in each.logs:
            yield from each.logs.splitlines()
