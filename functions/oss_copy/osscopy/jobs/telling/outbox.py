"""Outcomes that somebody is to be told of: on record as `tell/<job>` before the outcome is, then asked for.

Knows which outcomes are told, and when; not by whom, nor to whom. Whoever writes an outcome may die right
after it: what is to be told is found by its record then, and `told/` keeps it from being told again. The copy
waits for no message: another invocation sends it, one for all that ended within a minute.
"""

from __future__ import annotations

from osscopy import events
from osscopy.jobs.records import Records
from osscopy.model import OssCopyError, Tell
from osscopy.model.ports import Clock, Invoker, Log
from osscopy.plan.telling.news import On, is_told, task_of, window_of


class TellingOutbox:
    """The outbox on `records`; `invoker` submits one look a window.

    `asked`: holds the last window that this instance has asked for, and is kept between invocations.
    """

    def __init__(
        self, records: Records, invoker: Invoker, clock: Clock, log: Log, on: On, asked: set[int]
    ) -> None:
        self._records = records
        self._invoker = invoker
        self._clock = clock
        self._log = log
        self._on = on
        self._asked = asked

    def put(self, job: str, status: str, *, by_rule: bool) -> bool:
        """Put on record that this outcome is to be told, before it is on record itself; False: it is not."""
        if not is_told(self._on, job, status, by_rule=by_rule):
            return False
        self._records.put_new(f"tell/{job}", b"{}")
        return True

    def is_empty(self) -> bool:
        """Return whether nothing is left to be told."""
        return not self._records.page("tell/", "", 1).entries

    def announce(self) -> None:
        """Ask for a look at the window of now, once; where that fails, the sweep asks again."""
        window, delay = window_of(self._clock.now())
        if window in self._asked:
            return
        try:
            self._invoker.submit(task_of(window), events.encode(Tell()), delay)
        except OssCopyError as error:
            self._log("tellLater", error=str(error))
        else:
            self._asked.clear()
            self._asked.add(window)
