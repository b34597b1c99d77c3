"""How many requests are in flight: few at first, more while that helps, fewer where OSS or the CPU says so.

Knows answers, moments (monotonic seconds) and CPU seconds; not what is asked, nor threads.

Growth: the width doubles as long as throughput grows with it. Throughput is requests in flight divided by the
mean time of an answer (Little's law). OSS refuses at once what is too much, while a part takes long: as long
as there is no answer at all, the width doubles every STEP seconds.

Throttling: OSS counts requests a second, so a rate is what is learnt, finer than a number of threads. What
OSS took before it refused gives the first rate. After each refusal CUT of the rate is left, or DEEP_CUT if
the one before is a short time ago; it comes back on the curve of CUBIC (RFC 9438): quickly at first, slowly
near the rate that was refused, and then beyond it, faster and faster, since limits change.
"""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

FIRST = 32  # requests in flight at first
STEP = 0.05  # seconds without an answer after which the width doubles
GAIN = 1.2  # factor by which throughput has to grow for a doubled width to be worth it
BUSY = 0.85  # CPU seconds a second from which on more threads wait for the CPU
AGAIN = 10.0  # seconds after which growth is tried again
CUT, DEEP_CUT = 0.9, 0.6  # what a refusal leaves of the rate, and one SOON seconds after another, or sooner
SOON = 1.0
SLACK = 0.05  # seconds by which a turn may be late without being lost
PERIOD = 8.0  # seconds until the rate that was refused is tried again
FASTER = 5.0  # seconds after that in which the rate grows to 2.7 times
LEAST_RATE = 20.0  # starts a second that a refusal leaves: what is too much even then waits longer and longer
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 20.0  # seconds in which nothing is begun after one refusal, after many


class Answer(msgspec.Struct, frozen=True):
    """The moments at which a request was begun and answered (monotonic seconds).

    `refused`: OSS throttles; `pause`: the seconds it asks to wait (`x-oss-qos-delay-time`), 0 if none.
    """

    begun: float
    ended: float
    refused: bool = False
    pause: float = 0.0


class Pace(msgspec.Struct, frozen=True):
    """The pace of a batch. `most` requests are in flight at most; begin with `begin`."""

    most: int
    grown: int  # the width that growth has come to
    least: int  # the width that it began with
    begun: float
    since: float  # when this step of growth began
    busy: float  # CPU seconds of the process then
    is_growing: bool
    again_at: float = math.inf  # when growth is tried again
    counted: int = 0  # answers to requests of this step
    seconds: float = 0.0  # that they took, all together
    best: float = 0.0  # throughput of the step before, answers a second
    typical: float = 0.0  # seconds of an answer, a moving mean; 0: there was none
    starts: int = 0
    refusals: int = 0
    in_a_row: int = 0  # cuts without an answer to a request begun since the first of them
    row_at: float = -math.inf  # when the first of them was
    ceiling: float = math.inf  # starts a second that OSS refused
    left: float = math.inf  # what the cut left of them
    cut_at: float = -math.inf  # when it did
    opens_at: float = -math.inf  # when the next request may be begun
    closed_until: float = -math.inf  # nothing is begun before that, whatever its turn was

    @classmethod
    def begin(cls, most: int, now: float, busy: float) -> Pace:
        """Return the pace of a batch that begins now; `busy`: CPU seconds of the process so far."""
        first = max(1, min(most, FIRST))
        return cls(max(1, most), first, first, now, now, busy, first < most)

    # --- what it says ----------------------------------------------------------------------------------

    def width(self, now: float) -> int:
        """Return how many requests may be in flight: 1 to `most`.

        Where a rate is kept, there are twice as many as it needs, so that no turn is lost for a thread.
        """
        if self.ceiling == math.inf or not self.typical:
            return self.grown
        return max(1, min(self.grown, math.ceil(self.rate(now) * self.typical * 2) + 1))

    def rate(self, now: float) -> float:
        """Return how many requests may be begun in a second; infinite where OSS has refused none."""
        if self.ceiling == math.inf:
            return math.inf
        after = now - self.cut_at - PERIOD
        if after < 0:
            rate = self.ceiling - (self.ceiling - self.left) * (-after / PERIOD) ** 3
        else:
            rate = self.ceiling * math.exp(min(20.0, (after / FASTER) ** 2))
        return max(LEAST_RATE, rate)

    def is_throttled(self, now: float) -> bool:
        """Return whether OSS has refused a request within the last PERIOD."""
        return now - self.cut_at < PERIOD

    def patience(self, now: float) -> float | None:
        """Return the seconds until `looked` has to be asked again; None: answers alone matter."""
        if self.is_growing:
            return None if self.typical else STEP
        return None if self.again_at == math.inf else max(0.0, self.again_at - now)

    # --- what it is told -------------------------------------------------------------------------------

    def started(self, now: float) -> Pace:
        """Return the pace after a request has got its turn: at `opens_at`, or now if that is later.

        Turns that nobody has taken in time are made good, as far as SLACK goes.
        """
        opens_at = max(now - SLACK, self.opens_at) + 1 / self.rate(now)
        return replace(self, starts=self.starts + 1, opens_at=opens_at)

    def answered(self, answer: Answer, busy: float) -> Pace:
        """Return the pace after an answer; `busy`: CPU seconds of the process so far."""
        if answer.refused:
            return self._refused(answer)
        seconds = answer.ended - answer.begun
        shown = min(seconds, 4 * self.typical) if self.typical else seconds  # one that stalls is not typical
        typical = self.typical + (shown - self.typical) / 16 if self.typical else seconds
        in_a_row = 0 if answer.begun >= self.row_at else self.in_a_row
        if not self.is_growing or answer.begun < self.since:
            return replace(self, typical=typical, in_a_row=in_a_row)
        counted, taken = self.counted + 1, self.seconds + seconds
        told = replace(self, typical=typical, in_a_row=in_a_row, counted=counted, seconds=taken)
        return told if counted < self.grown else _stepped(told, answer.ended, busy)

    def looked(self, now: float, busy: float) -> Pace:
        """Return the pace as time goes by: without any answer the width doubles too."""
        if not self.is_growing:
            return _next_step(self, now, busy, self.grown, 0.0) if now >= self.again_at else self
        is_due = not self.typical and now - self.since >= STEP
        return _stepped(self, now, busy) if is_due and not self.is_throttled(now) else self

    # --- throttling ------------------------------------------------------------------------------------

    def _refused(self, answer: Answer) -> Pace:
        """Return the pace after a refusal. One that was asked for before the last cut says nothing new."""
        now, refusals = answer.ended, self.refusals + 1
        if answer.begun < self.cut_at:
            until = max(self.closed_until, now + answer.pause)
            opens_at = max(self.opens_at, until)
            return replace(self, refusals=refusals, closed_until=until, opens_at=opens_at)
        in_a_row, sent = self.in_a_row + 1, self._sent(now, refusals)
        cut = DEEP_CUT if now - self.cut_at <= SOON else CUT
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(in_a_row - 1, 10))
        until = max(self.closed_until, now + max(answer.pause, pause))
        return replace(
            self,
            refusals=refusals,
            in_a_row=in_a_row,
            row_at=self.row_at if self.in_a_row else now,
            ceiling=sent,
            left=cut * sent,
            cut_at=now,
            closed_until=until,
            opens_at=until,
        )

    def _sent(self, now: float, refusals: int) -> float:
        """Return the requests a second that were too many: those that OSS took, at the first refusal."""
        if self.ceiling < math.inf:
            return max(LEAST_RATE, min(self.rate(now), self.ceiling * 4))
        return max(LEAST_RATE, (self.starts - refusals) / max(now - self.begun, STEP))


# --- growth ------------------------------------------------------------------------------------------------


def _stepped(pace: Pace, now: float, busy: float) -> Pace:
    """Return the pace after a step: twice as wide, or half, or as wide as it is."""
    if pace.rate(now) * pace.typical < pace.grown:  # the rate holds it back, not the width
        return _next_step(pace, now, busy, pace.grown, pace.best)
    found = pace.grown * pace.counted / pace.seconds if pace.seconds else 0.0
    if pace.counted and found < GAIN * pace.best:
        return _settled(pace, now, max(pace.least, pace.grown // 2))
    if pace.counted and busy - pace.busy >= BUSY * (now - pace.since):  # not while it begins many at once
        return _settled(pace, now, pace.grown)
    if pace.grown == pace.most:
        return replace(pace, is_growing=False)
    return _next_step(pace, now, busy, min(pace.most, 2 * pace.grown), found)


def _settled(pace: Pace, now: float, width: int) -> Pace:
    return replace(pace, grown=width, is_growing=False, again_at=now + AGAIN)


def _next_step(pace: Pace, now: float, busy: float, width: int, best: float) -> Pace:
    fresh = replace(pace, grown=width, since=now, busy=busy, best=best, counted=0, seconds=0.0)
    return replace(fresh, is_growing=True, again_at=math.inf)
