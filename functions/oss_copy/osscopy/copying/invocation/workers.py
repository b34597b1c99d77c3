"""The threads that copy the parts of one batch, until none is left or time is short.

Knows parts, a clock and a function that copies one part; not what an upload is, nor what follows the batch.

A part that takes far longer than its peers is asked for once more on another connection; the first answer
wins, and the slower request is left alone. It need not be joined before the parts are listed: it copies the
same range of the same pinned source under the same number, so that neither the part's size nor its ETag
changes. Where OSS gives it another ETag (KMS), Complete answers InvalidPart, and `finish` lists again. After
Complete or Abort it is answered NoSuchUpload, which is no error of the batch; a part that comes to an upload
after its Abort is the sweep's business, like every request in flight. Its thread begins nothing more. It ends
with its answer, or when that is not waited for any longer, also if FC has frozen the instance in between.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from osscopy import plan
from osscopy.copying.invocation.batch import Batch
from osscopy.copying.invocation.pacing import Pacer
from osscopy.copying.invocation.retry import Attempts
from osscopy.copying.invocation.threads import Place, Stop, Threads
from osscopy.model import Part, Transient
from osscopy.model.ports import Runtime

EDGE = 0.2  # seconds before the deadline in which an answer is not waited for any more
LATER = 1.0  # seconds until parts that stand out are looked at again, if they may not be asked for now


class _Flight:
    """A part that is under way. `begun`: when its request was, None between two of them."""

    def __init__(self, part: Part, place: Place) -> None:
        self.part = part
        self.places = [place]
        self.begun: float | None = None
        self.is_again = False


def _begun(flight: _Flight) -> float:
    return flight.begun or 0.0


class Workers:
    """The threads that copy a `batch`; no part is started that may not be done by `deadline` (monotonic).

    The margin is learnt: half as long again as the slowest part so far, `expected` seconds at first.
    `fatal`: the first error that no retry would change; it stops all threads. A part whose retries are used
    up is left to the next hop. `again`: parts that were asked for once more, since they stood out.
    `hand_over` is called once, by the first thread that has no time for another part though there is one, and
    is given the numbers in flight; nothing is begun after that. `watches`: each is asked by a thread beside
    those that copy; one that answers yes stops them.
    """

    def __init__(
        self,
        copy: Callable[[Part], None],
        batch: Batch,
        *,
        clock: Runtime,
        deadline: float,
        expected: float,
        hand_over: Callable[[frozenset[int]], bool],
        watches: Sequence[Callable[[], bool]] = (),
    ) -> None:
        self._copy = copy
        self._batch = batch
        self._hand_over = hand_over
        self._watches = watches
        self._clock = clock
        self._deadline = deadline
        self._slowest = expected
        self._measured = False
        self._lock = threading.Lock()
        self._stop = Stop()
        self._flights: dict[int, _Flight] = {}  # by part number, until one thread has copied it or none tries
        self._late: deque[_Flight] = deque()  # that are to be asked for again
        self.copied: list[Part] = []
        self.last_error: Transient | None = None
        self.throttled = False
        self.retries = 0
        self.again = 0
        self.is_handed_over = False

    def run(self, threads: int) -> None:
        """Copy, in so many threads at most; return when everything is done or `deadline` has come.

        A thread that waits for an answer beyond the deadline is left alone: the part it copies is pinned and
        belongs to this upload, so that it does no harm whenever it takes effect.
        """
        self._pacer = Pacer(self._clock, threads)
        self._threads = Threads(self._clock, self._pacer)
        self._stop.wake = self._threads.wake
        for watch in self._watches if self._batch else ():
            self._clock.start(self._stop.asked_by(watch))
        self._threads.run(self, self._deadline)
        with self._lock:
            self._stop.set()
            self._flights.clear()  # whatever comes now comes too late to count

    def raise_fatal(self) -> None:
        """Raise the error that stopped the threads, if there is one."""
        if self._stop.fatal is not None:
            raise self._stop.fatal

    # --- what the threads do ---------------------------------------------------------------------------

    def waiting(self) -> int:
        """Return how many parts a thread could begin now."""
        if self._stop.is_set():
            return 0
        return len(self._late) + (len(self._batch) if self._has_time() else 0)

    def is_over(self) -> bool:
        """Return whether every part is copied, or left to the next hop."""
        is_busy = self._flights or self._stop.is_busy() or self._batch.is_busy()
        return not is_busy and not self.waiting()

    def step(self, place: Place) -> bool:
        """Copy one part, if there is one and time for it."""
        try:
            flight = self._take(place)
        except BaseException as error:  # noqa: BLE001 - handed to the hop, which raises or reports it
            self._stop.fail(error)
            return False
        if flight is None:
            return False
        try:
            self._copy_with_retries(flight, place)
        except BaseException as error:  # noqa: BLE001 - handed to the hop, which raises or reports it
            if self._is_wanted(flight):
                self._stop.fail(error)
        self._leave(flight, place)
        return True

    def look(self) -> float | None:
        """Let parts that stand out be asked for again, on other connections, unless OSS throttles."""
        if not (typical := self._pacer.typical()):
            return None
        after = plan.stands_out_after(typical)
        with self._lock:
            waiting = [each for each in self._flights.values() if each.begun and not each.is_again]
            since = self._clock.monotonic() - after
            for flight in sorted(waiting, key=_begun):
                if _begun(flight) > since:
                    return min(after, _begun(flight) - since)
                if self._pacer.is_throttled() or not plan.may_ask_again(len(self.copied), self.again):
                    return max(LATER, typical)
                self.again += 1
                flight.is_again = True
                self._late.append(flight)
                self._threads.free(flight.places[0])
        return after

    def _take(self, place: Place) -> _Flight | None:
        return self._take_late(place) or self._take_next(place)

    def _take_late(self, place: Place) -> _Flight | None:
        """Return a part that is to be asked for again."""
        with self._lock:
            while self._late and not self._stop.is_set():
                flight = self._late.popleft()
                if self._is_wanted(flight):
                    flight.places.append(place)
                    return flight
            return None

    def _take_next(self, place: Place) -> _Flight | None:
        """Return the next part; None if there is none, or no time for it.

        Then the rest is handed over, once, if some parts were copied: else that is judged after the batch.
        """

        def end() -> None:
            in_flight = self._batch.close() if self.copied else None
            if in_flight is not None:
                self.is_handed_over = self._hand_over(in_flight)

        if self._stop.is_set():
            return None
        if not self._has_time():
            self._stop.beside(end)
            return None
        if (part := self._batch.take(self._slowest)) is None:
            return None
        with self._lock:
            flight = self._flights[part.number] = _Flight(part, place)
            return flight

    def _leave(self, flight: _Flight, place: Place) -> None:
        """Give a part up, as far as this thread is concerned."""
        with self._lock:
            flight.places.remove(place)
            if self._is_wanted(flight) and not flight.places:
                del self._flights[flight.part.number]
                self._batch.end(flight.part)

    def _is_wanted(self, flight: _Flight) -> bool:
        """Return whether nobody has copied it yet, and somebody waits for that."""
        return self._flights.get(flight.part.number) is flight

    def _has_time(self) -> bool:
        return self._clock.monotonic() + self._slowest * 1.5 < self._deadline

    def _copy_with_retries(self, flight: _Flight, place: Place) -> None:
        attempts = Attempts(self._clock, until=self._deadline, pacer=self._pacer)

        def attempt() -> float:
            begun = self._clock.monotonic()
            flight.begun = flight.begun or begun
            self._copy(flight.part)
            return self._clock.monotonic() - begun

        try:
            while self._is_wanted(flight) and not self._stop.is_set():
                try:
                    self._count(flight, place, attempts.once(attempt))
                except Transient as error:
                    flight.begun = None
                    if self._is_wanted(flight):
                        attempts.pause(error)
        except Transient as error:
            if error.outlasted and self._clock.monotonic() >= self._deadline - EDGE:
                return  # left alone, like a part that no thread waits for
            with self._lock:
                self.last_error = error
        finally:
            with self._lock:
                self.throttled = self.throttled or attempts.throttled
                self.retries += max(0, attempts.count - 1)

    def _count(self, flight: _Flight, place: Place, seconds: float) -> None:
        """Count a part once, whoever was first; the slower request for it is left alone."""
        with self._lock:
            if not self._is_wanted(flight):
                return
            del self._flights[flight.part.number]
            self._batch.end(flight.part)
            is_first, self._measured = not self._measured, True
            self._slowest = seconds if is_first else max(self._slowest, seconds)
            self.copied.append(flight.part)
            others = [each for each in flight.places if each is not place]
        for other in others:
            self._threads.free(other)
        if is_first:
            self._threads.wake()  # from here on parts may stand out
