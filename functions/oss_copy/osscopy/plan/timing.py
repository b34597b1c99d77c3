"""Times: to wait, to keep free, and to give up after. Knows no clock: times come in as arguments.

How long one answer is waited for: `read_timeout`, `part_timeout` or `shallow_timeout` say how long that is
usual; `Context.wait` keeps the reserve free; the SDKs' transport ends with the invocation.
"""

from __future__ import annotations

from osscopy.model import Transient

MAX_ATTEMPTS = 8  # of one request within one hop
MAX_AGE = 7 * 86_400  # seconds: longer than any async event lives (FC: 604,800 s)
MAX_EVENT_AGE = MAX_AGE + 86_400  # seconds; records of outcomes are kept much longer
MAX_FOLLOWS = 3  # follow-up copies directly one after another
MAX_DROPS = 3  # times that an invocation FC gave up is submitted anew before the copy is called failed
GENERATION = 60  # seconds: the unit of generations, a constant: no change of a setting lets them fall
STANDSTILL = 30  # seconds until an invocation goes on with a list of which nothing could be done
CLOCK_MARGIN = 60  # seconds by which the clocks of FC and OSS may differ


def restore_delay(looks: int) -> int:
    """Return the seconds until the next look at an archived source: an hour at most."""
    return int(min(3600, 5 * 2 ** min(looks, 10)))


def reserve(timeout: float) -> float:
    """Return the seconds kept free at the end of an invocation to submit the next hop."""
    return min(10.0, max(1.5, timeout * 0.1))


def list_reserve(timeout: float) -> float:
    """Return the seconds kept free in work on a list: to end the copy that was begun, and hand over the rest.

    They include the reserve of every invocation, in which OSS is asked nothing any more.
    """
    return min(0.75 * timeout, 3 * reserve(timeout))


def completion_time(timeout: float) -> float:
    """Return the seconds that listing, completing and verifying may take; a hop with less hands over."""
    return min(60.0, timeout * 0.3)


def part_budget(timeout: float) -> float:
    """Return the seconds that one part may take, so that a hop has time for at least two rounds of them.

    With 600 s, as in s.yaml, it is enough for the parts of the largest object: 250 s each.
    """
    return max(1.0, (timeout - reserve(timeout)) * 0.45)


def read_timeout(timeout: float) -> float:
    """Return the seconds to wait for an answer: as long as a slow part takes, within the invocation."""
    return max(5.0, min(300.0, timeout - 2 * reserve(timeout)))


def part_timeout(size: int, rate: float, timeout: float) -> float:
    """Return the seconds to wait for a copied part of `size` bytes: three times those expected, and 30."""
    return min(read_timeout(timeout), 30 + 3 * size / rate)


def settle_time(timeout: float) -> float:
    """Return the seconds in which a request that timed out may still take effect.

    They are the life of an invocation, the wait for its last answer, and a margin; OSS documents no bound.
    """
    return timeout + read_timeout(timeout) + min(60.0, 2 * timeout)


def patience(timeout: float) -> int:
    """Return the seconds without progress after which a chain counts as lost: more than a part may need.

    They are less than the 15 minutes between sweeps, so that the second sweep at the latest resumes it.
    """
    return int(min(2 * timeout + 5, 840))


def next_look(asked: float, now: float) -> float:
    """Return when to look at an archived source again; `asked`, `now` and the result are Unix seconds."""
    moment, looks = asked, 0
    while moment <= now:
        moment, looks = moment + restore_delay(looks), looks + 1
    return moment


def next_generation(now: int, newest: int) -> int:
    """Return the generation that a sweep starts at `now` (Unix seconds): above `newest`, the last on record.

    Two sweeps at the same time start the same one.
    """
    return max(now // GENERATION, newest + 1)


def follow_delay(follows: int) -> int:
    """Return the seconds until the next follow-up copy of a source that keeps changing."""
    return 0 if follows <= MAX_FOLLOWS else int(min(3600, 60 * 2 ** min(follows - MAX_FOLLOWS, 6)))


def drop_delay(drops: int) -> int:
    """Return the seconds until another try of what FC gave up: 5 min, 20 min, 1 h (FC's longest delay)."""
    return int(min(3600, 300 * 4 ** (drops - 1)))


def shallow_timeout(seconds_left: float) -> float:
    """Return the seconds to wait for a shallow copy: 30 (the official copier's), or half of those left."""
    return max(1.0, min(30.0, seconds_left / 2))


def pause(attempt: int, error: Transient, random: float) -> float:
    """Return the seconds before the next attempt: full jitter, doubling to 20 s, no less than OSS asks."""
    return max(error.pause, random * min(20.0, 0.2 * 2.0 ** (attempt - 1)))
