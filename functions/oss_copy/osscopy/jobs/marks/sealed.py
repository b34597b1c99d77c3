"""Records and submissions that carry the function's own mark (`plan.marks.seal`).

Knows where the mark stands; not what a record or a continuation says. A record's mark comes first in its
JSON, and is about its name, too, so that no record can be moved. What a name alone says (`gen/`, `hop/`,
counts of a job of many) has no mark that is looked at: it can only make the function wait, stop or count, as
deleting records can.
"""

from __future__ import annotations

from collections.abc import Callable

from osscopy import plan
from osscopy.jobs.records import Records
from osscopy.model import Misconfigured, RecordPage, Trigger
from osscopy.model.ports import Platform
from osscopy.plan.marks.seal import CONTINUATION, LENGTH, Seal

_BEFORE = b'{"mac":"'
_END = len(_BEFORE) + LENGTH


class SealedRecords:
    """Records that are signed as they are written, and judged as they are read."""

    def __init__(self, records: Records, seal: Seal, now: Callable[[], float]) -> None:
        self._records = records
        self._seal = seal
        self._now = now

    def put_new(self, name: str, body: bytes) -> bool:
        return self._records.put_new(name, self._signed(name, body) if self._seal.keys else body)

    def put(self, name: str, body: bytes) -> None:
        self._records.put(name, self._signed(name, body) if self._seal.keys else body)

    def get(self, name: str) -> bytes | None:
        given = self._records.get(name)
        if given is None:
            return None
        mark, body = _split(given)
        if not self._seal.is_ours(name, body, mark, self._now()):
            text = f"{name} in the state bucket is not signed with STATE_KEY: somebody else wrote it"
            raise Misconfigured("UnreadableRecord", text)
        return body

    def page(self, prefix: str, after: str, limit: int) -> RecordPage:
        return self._records.page(prefix, after, limit)

    def delete(self, name: str) -> None:
        self._records.delete(name)

    def _signed(self, name: str, body: bytes) -> bytes:
        mark = self._seal.mark(name, body).encode()
        return _BEFORE + mark + b'"' + (b"," * (body != b"{}")) + body[1:]


def _split(given: bytes) -> tuple[str | None, bytes]:
    """Return the mark of a record, if it has one, and the record without it."""
    if not given.startswith(_BEFORE) or given[_END : _END + 1] != b'"':
        return None, given
    return given[len(_BEFORE) : _END].decode(errors="replace"), b"{" + given[_END + 1 :].removeprefix(b",")


class SealedInvoker:
    """Submissions of continuations that are signed, under names that nobody can take in advance."""

    def __init__(self, platform: Platform, seal: Seal) -> None:
        self._platform = platform
        self._seal = seal

    def triggers(self) -> tuple[Trigger, ...]:
        return self._platform.triggers()

    def submit(self, task_id: str, payload: bytes, delay: int) -> bool:
        return self._platform.submit(self._seal.task_id(task_id), self._signed(payload), delay)

    def _signed(self, payload: bytes) -> bytes:
        """Return a continuation with its mark; another event, which FC gave up, stays as it is."""
        before, command = payload[: len(plan.ENVELOPE)], payload[len(plan.ENVELOPE) : -1]
        if not self._seal.keys or before != plan.ENVELOPE:
            return payload
        return payload[:-1] + b',"mac":"%s"}' % self._seal.mark(CONTINUATION, command).encode()
