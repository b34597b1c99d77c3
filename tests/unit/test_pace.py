"""The pace of a batch: how many requests are in flight, against servers that throttle."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings, strategies as st

from osscopy import plan
from osscopy.plan.load import pace as pacing
from osscopy.plan.load.pace import Answer, Pace


class Bucket:
    """A server that takes `rate` requests a second, `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, 0.0

    def takes(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Seconds:
    """A server that takes `rate` requests in each second of its clock."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._second, self._taken = -1, 0

    def takes(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._taken = int(now), 0
        self._taken += 1
        return self._taken <= self._rate


class Run:
    """A batch that never ends, of which each answer takes `seconds`; refusals take `soon`."""

    def __init__(
        self,
        most: int,
        takes: Callable[[float], bool],
        *,
        seconds: float = 0.1,
        soon: float = 0.02,
        asks: float = 0.0,
        cpu: float = 0.0,
        capacity: float = math.inf,
    ) -> None:
        self.pace = Pace.begin(most, 0.0, 0.0)
        self._takes, self._seconds, self._soon, self._asks, self._cpu = takes, seconds, soon, asks, cpu
        self.flying: list[tuple[float, float, bool]] = []
        self.taken: list[float] = []
        self.refused: list[float] = []
        self.widths: list[tuple[float, int]] = []
        self.now, self.busy = 0.0, 0.0
        self._each, self._last = 1 / capacity, 0.0

    def until(self, end: float) -> Run:
        """Let time go by in steps of requests begun and answered."""
        while self.now < end:
            self.pace = self.pace.looked(self.now, self.busy)
            width = self.pace.width(self.now)
            assert 1 <= width <= self.pace.most
            while len(self.flying) < width and self.now >= self.pace.opens_at:
                self._begin()
            self.widths.append((self.now, len(self.flying)))
            patience = self.pace.patience(self.now)
            moments = [self.now + (0.05 if patience is None else max(1e-3, patience))]
            moments += [self.pace.opens_at] if self.pace.opens_at > self.now else []
            moments += [self.flying[0][0]] if self.flying else []
            self.now = max(self.now + 1e-9, min(moments))
            while self.flying and self.flying[0][0] <= self.now:
                self._answer(*heapq.heappop(self.flying))
        return self

    def _begin(self) -> None:
        self.pace = self.pace.started(self.now)
        is_taken = self._takes(self.now)
        ended = self.now + (self._seconds if is_taken else self._soon)
        if is_taken:
            ended = self._last = max(ended, self._last + self._each)
        heapq.heappush(self.flying, (ended, self.now, is_taken))

    def _answer(self, ended: float, begun: float, is_taken: bool) -> None:
        self.busy += self._cpu
        (self.taken if is_taken else self.refused).append(ended)
        asks = 0.0 if is_taken else self._asks
        self.pace = self.pace.answered(Answer(begun, ended, not is_taken, asks), self.busy)

    def a_second(self, since: float) -> float:
        """Answers a second."""
        return sum(1 for each in self.taken if each > since) / (self.now - since)


def always(_: float) -> bool:
    return True


@pytest.mark.parametrize("most", [1, 8, 32])
def test_a_batch_begins_at_what_is_asked_for_up_to_32(most: int) -> None:
    pace = Pace.begin(most, 0.0, 0.0)
    assert (pace.width(0.0), pace.is_growing) == (most, False)


def test_without_answers_the_width_doubles_every_step_since_a_refusal_would_be_there() -> None:
    run = Run(256, always, seconds=10.0).until(1.0)
    first = {width: moment for moment, width in reversed(run.widths)}
    assert [first[width] for width in (64, 128, 256)] == pytest.approx([0.05, 0.1, 0.15], abs=0.03)


def test_the_cpu_is_not_judged_while_many_requests_are_begun_at_once() -> None:
    pace = Pace.begin(256, 0.0, 0.0)
    assert pace.looked(0.05, 0.05).width(0.05) == 64


def test_the_width_doubles_each_round_while_throughput_does() -> None:
    run = Run(256, always, seconds=0.04).until(0.5)
    assert run.pace.width(run.now) == 256


def test_a_width_that_gains_nothing_is_given_back_and_tried_again_later() -> None:
    """A server that answers 640 requests a second, however many are in flight."""
    run = Run(256, always, seconds=0.04, capacity=640)
    run.until(3.0)
    assert run.pace.width(run.now) <= 64
    assert run.pace.again_at - run.now <= pacing.AGAIN
    run.until(14.0)
    assert max(width for moment, width in run.widths if moment > 9) <= 128


def test_a_width_that_the_cpu_does_not_keep_up_with_does_not_grow() -> None:
    run = Run(256, always, seconds=0.04, cpu=0.002).until(2.0)
    assert run.pace.width(run.now) <= 64


@pytest.mark.parametrize("rate", [95, 200, 640, 1500])
@pytest.mark.parametrize("seconds", [0.05, 0.5])
@pytest.mark.parametrize("asks", [0.0, 0.1])
def test_a_server_that_throttles_gets_nearly_what_it_takes_and_refuses_little(
    rate: int, seconds: float, asks: float
) -> None:
    run = Run(256, Bucket(rate, max(5, rate / 10)).takes, seconds=seconds, asks=asks).until(60.0)
    most = min(rate, 256 / seconds)
    assert run.a_second(2.0) >= 0.95 * most, run.a_second(2.0) / most
    assert len(run.refused) <= 0.02 * len(run.taken), len(run.refused) / len(run.taken)


@pytest.mark.parametrize("rate", [200, 640])
def test_a_server_that_counts_by_the_second_refuses_little(rate: int) -> None:
    run = Run(128, Seconds(rate).takes).until(60.0)
    assert run.a_second(5.0) >= 0.9 * rate
    assert len(run.refused) <= 0.02 * len(run.taken)


def test_after_throttling_has_ended_the_width_comes_back() -> None:
    server = Bucket(100, 10)
    run = Run(128, lambda now: now > 20 or server.takes(now)).until(20.0)
    assert run.a_second(5.0) < 110
    before = len(run.taken)
    run.until(50.0)
    assert run.pace.width(run.now) == 128
    assert (len(run.taken) - before) / 30 > 500


def test_an_outage_is_asked_less_and_less_and_what_follows_is_not_slow() -> None:
    run = Run(64, lambda now: not 5 <= now < 35).until(35.0)
    assert len(run.refused) < 200
    run.until(80.0)
    assert run.pace.width(run.now) == 64


def test_all_wait_as_long_as_oss_asks() -> None:
    pace = Pace.begin(8, 0.0, 0.0).started(0.0)
    pace = pace.answered(Answer(0.0, 0.1, refused=True, pause=3.0), 0.0)
    assert pace.opens_at == pytest.approx(3.1)
    again = pace.answered(Answer(0.05, 0.2, refused=True, pause=5.0), 0.0)
    assert again.opens_at == pytest.approx(5.2), "one that was asked for before is obeyed too"
    assert (again.ceiling, again.cut_at) == (pace.ceiling, pace.cut_at), "and cuts the rate no more"
    assert pace.rate(0.1) == pytest.approx(pacing.LEAST_RATE)
    assert pace.is_throttled(1.0)
    assert not pace.is_throttled(0.1 + pacing.PERIOD)


def test_an_answer_that_stalls_is_not_typical() -> None:
    pace = Pace.begin(8, 0.0, 0.0)
    for _ in range(20):
        pace = pace.answered(Answer(0.0, 0.1), 0.0)
    assert pace.answered(Answer(0.0, 5.0), 0.0).typical < 0.13


ANSWERS = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.floats(0.001, 20),
        st.booleans(),
        st.sampled_from([0.0, 0.1, 30.0]),
        st.floats(0, 1),
    ),
    max_size=200,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(-1, 512), ANSWERS)
def test_the_width_is_never_above_what_is_asked_and_never_below_one(
    most: int, answers: list[tuple[float, float, bool, float, float]]
) -> None:
    pace, now, busy = Pace.begin(most, 0.0, 0.0), 0.0, 0.0
    for after, seconds, is_refused, asks, used in answers:
        now, busy = now + after, busy + used
        pace = pace.looked(now, busy).started(max(now, pace.opens_at))
        pace = pace.answered(Answer(now - seconds, now, is_refused, asks), busy)
        for moment in (now, now + 5, now + 1000):
            assert 1 <= pace.width(moment) <= max(1, most)
            assert pace.rate(moment) >= pacing.LEAST_RATE
        assert math.isfinite(pace.opens_at) or pace.opens_at == -math.inf


def test_a_part_stands_out_by_a_clear_multiple_and_few_are_asked_for_again() -> None:
    assert plan.stands_out_after(0.1) == pytest.approx(0.4)
    assert plan.stands_out_after(10.0) == 30.0
    assert not plan.may_ask_again(copied=2, again=0)
    assert plan.may_ask_again(copied=3, again=0)
    assert not plan.may_ask_again(copied=399, again=1)
    assert plan.may_ask_again(copied=400, again=1)
    assert not plan.may_ask_again(copied=10_000, again=50)


def grown(pace: Pace, begun: float, seconds: float, count: int) -> Pace:
    """The pace after so many answers to requests begun at once."""
    for _ in range(count):
        pace = pace.answered(Answer(begun, begun + seconds), 0.0)
    return pace


def test_a_width_that_may_grow_is_looked_at_soon() -> None:
    pace = Pace.begin(256, 0.0, 0.0)
    assert pace.patience(0.0) == pacing.STEP
    assert grown(pace, 0.0, 0.1, 1).patience(0.1) is None, "answers tell from here on"
    assert Pace.begin(8, 0.0, 0.0).patience(0.0) is None


def test_a_step_is_judged_by_its_own_requests() -> None:
    """Sixty-four answers of the step before come in the one that has just begun."""
    wide = grown(Pace.begin(256, 0.0, 0.0), 0.0, 0.1, 32)
    assert wide.width(0.1) == 64
    assert grown(wide, 0.05, 9.0, 64).width(0.1) == 64
    assert grown(wide, 0.1, 0.1, 64).width(0.2) == 128


def test_a_width_that_does_not_grow_is_not_judged() -> None:
    assert grown(Pace.begin(8, 0.0, 0.0), 0.0, 0.1, 8) == grown(Pace.begin(8, 0.0, 0.0), 0.0, 0.1, 9)


def test_growth_is_tried_again_after_a_while() -> None:
    wide = grown(Pace.begin(128, 0.0, 0.0), 0.0, 0.1, 32)
    back = grown(wide, 0.1, 0.2, 64)
    assert back.width(0.3) == 32
    assert back.patience(0.3) == pytest.approx(pacing.AGAIN)
    assert back.looked(5.0, 0.0) is back
    again = back.looked(0.3 + pacing.AGAIN, 0.0)
    assert again.is_growing
    assert grown(again, 10.4, 0.1, 32).width(10.5) == 64


def test_a_second_refusal_cuts_the_rate_that_there_was() -> None:
    pace = Pace.begin(32, 0.0, 0.0)
    for _ in range(1000):
        pace = pace.started(1.0)
    first = pace.answered(Answer(0.5, 1.0, refused=True), 0.0)
    assert first.rate(1.0) == pytest.approx(pacing.CUT * 999)
    again = first.answered(Answer(6.9, 7.0, refused=True), 0.0)
    assert again.ceiling == pytest.approx(first.rate(7.0))
    soon = again.answered(Answer(7.2, 7.3, refused=True), 0.0)
    assert soon.rate(7.3) == pytest.approx(pacing.DEEP_CUT * again.rate(7.3))


def test_a_width_that_the_rate_holds_back_stays() -> None:
    """Its requests wait for their turn, so that their number says nothing of the throughput."""
    wide = grown(Pace.begin(256, 0.0, 0.0), 0.0, 0.1, 32)
    for _ in range(40):
        wide = wide.started(0.2)
    held = wide.answered(Answer(0.15, 0.2, refused=True), 0.0)
    assert held.rate(0.3) * held.typical < 64
    later = grown(held, 0.3, 0.1, 64)
    assert (later.grown, later.is_growing) == (64, True)
