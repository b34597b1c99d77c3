"""The threads of a batch: their number and pace, parts that are asked for twice, tasks done at once."""
# ruff: noqa: SLF001 - moments between two threads are set up by hand

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from osscopy import plan
from osscopy.app import SystemClock
from osscopy.copying.invocation.batch import Batch
from osscopy.copying.invocation.pacing import Pacer
from osscopy.copying.invocation.tasks import Tasks
from osscopy.copying.invocation.threads import Place, Threads
from osscopy.copying.invocation.workers import Workers
from osscopy.model import Failed, Part, Transient, UploadGone
from osscopy.model.ports import Clock
from tests.unit.engine import BUSY, DENIED, EXPIRED, PART, START, Cloud

LONG = 60.0  # seconds: no test takes so long unless it fails
GONE = UploadGone("NoSuchUpload", "the upload is gone")


def parts(count: int) -> list[Part]:
    return [Part(n, (n - 1) * PART, n * PART - 1) for n in range(1, count + 1)]


class Copies:
    """Copies parts in 5 ms each; `held` parts wait for `release` the first time, and then do what is said."""

    def __init__(self, *held: int, then: Callable[[], None] = lambda: None) -> None:
        self.held, self.then = held, then
        self.release, self.ended = threading.Event(), threading.Event()
        self.asked: Counter[int] = Counter()
        self.at_once, self.most = 0, 0
        self._lock = threading.Lock()

    def __call__(self, part: Part) -> None:
        with self._lock:
            self.asked[part.number] += 1
            is_first = self.asked[part.number] == 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            if part.number in self.held and is_first:
                assert self.release.wait(LONG)
                self.then()
            else:
                time.sleep(0.005)
        finally:
            with self._lock:
                self.at_once -= 1
            if part.number in self.held and is_first:
                self.ended.set()


def started(copies: Callable[[Part], None], count: int) -> Workers:
    clock = SystemClock()
    until = clock.monotonic() + LONG
    return Workers(
        copies, alone(count, clock), clock=clock, deadline=until, expected=0.01, hand_over=lambda _: True
    )


def alone(count: int, clock: Clock) -> Batch:
    """All parts that there are: nobody brings more."""
    return Batch(parts(count), lambda _: (), clock, 1)


def numbers(workers: Workers) -> list[int]:
    return sorted(part.number for part in workers.copied)


def later(seconds: float, action: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_part_that_stalls_is_asked_for_again_and_not_waited_for(threads: int) -> None:
    copies = Copies(5)
    workers = started(copies, 9)
    begun = time.monotonic()
    workers.run(threads)
    assert time.monotonic() - begun < LONG / 2
    assert not copies.ended.is_set()
    assert (numbers(workers), workers.again, copies.asked[5]) == (list(range(1, 10)), 1, 2)
    copies.release.set()
    assert copies.ended.wait(LONG)
    assert numbers(workers) == list(range(1, 10))
    workers.raise_fatal()


def test_the_slower_answer_of_two_counts_nothing_and_its_error_is_none() -> None:
    """It comes while the batch goes on: the upload may be gone by then, or the request refused."""
    for then in (lambda: None, fails(GONE), fails(EXPIRED)):
        copies = Copies(4, then=then)

        def copy(part: Part, copies: Copies = copies) -> None:
            if part.number == 9:  # it is begun when the fourth was copied for the second time
                copies.release.set()
                assert copies.ended.wait(LONG)
                time.sleep(0.05)
            copies(part)

        workers = started(copy, 12)
        workers._batch._queue.rotate(3)  # 10, 11, 12, 1, ..., 9
        workers.run(1)
        workers.raise_fatal()
        assert numbers(workers) == list(range(1, 13))
        assert len(workers.copied) == 12
        assert copies.asked[4] == 2
        assert workers.last_error is None


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_the_first_request_may_win_and_the_second_is_left_alone() -> None:
    first, again, stalls = threading.Event(), threading.Event(), threading.Event()
    asked: Counter[int] = Counter()

    def copy(part: Part) -> None:
        asked[part.number] += 1
        if part.number == 5 and asked[5] == 1:
            assert first.wait(LONG)
        elif part.number == 5:
            first.set()
            again.set()
            stalls.wait(LONG)

    workers = started(copy, 6)
    begun = time.monotonic()
    workers.run(2)
    assert time.monotonic() - begun < LONG / 2
    assert again.is_set()
    assert numbers(workers) == list(range(1, 7))
    stalls.set()


def test_no_part_is_asked_for_again_while_oss_throttles() -> None:
    copies = Copies(6)
    refused = iter([BUSY])

    def copy(part: Part) -> None:
        if part.number == 2:
            for error in refused:
                raise error
        copies(part)

    workers = started(copy, 6)
    later(1.0, copies.release.set)
    workers.run(2)
    assert (workers.again, workers.throttled, numbers(workers)) == (0, True, list(range(1, 7)))


def test_few_parts_are_asked_for_again() -> None:
    copies = Copies(7, 8)
    workers = started(copies, 8)

    def release() -> None:
        deadline = time.monotonic() + LONG
        while not workers.again and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)  # for a second one
        copies.release.set()

    later(0, release)
    workers.run(4)
    assert workers.again == 1
    assert numbers(workers) == list(range(1, 9))


def test_a_batch_has_as_many_threads_as_it_is_given_and_no_more_than_parts() -> None:
    copies = Copies()
    started(copies, 40).run(3)
    assert copies.most <= 3
    before = threading.active_count()
    seen: list[int] = []
    started(lambda _: seen.append(threading.active_count() - before), 2).run(200)
    assert max(seen) <= 2


def test_a_width_that_grows_is_used() -> None:
    """Forty parts that wait for one another: 32 threads would never do."""
    together = threading.Barrier(40)

    def copy(_: Part) -> None:
        together.wait(LONG)

    started(copy, 40).run(64)


def test_after_a_refusal_no_thread_tries_its_part_again() -> None:
    """Another thread has heard that the copy is refused while this one paused."""
    refused = threading.Event()

    def copy(part: Part) -> None:
        if part.number == 1:
            raise EXPIRED
        refused.set()
        raise DENIED

    workers = started(copy, 2)
    workers.run(2)
    assert refused.is_set()
    with pytest.raises(Failed, match="AccessDenied"):
        workers.raise_fatal()
    assert workers.retries <= 1


# --- moments between two threads ---------------------------------------------------------------------------


def by_hand(cloud: Cloud, copy: Callable[[Part], None], count: int = 6) -> Workers:
    """Workers whose threads a test plays itself."""
    workers = Workers(
        copy,
        alone(count, cloud),
        clock=cloud,
        deadline=START + 100,
        expected=0,
        hand_over=lambda _: True,
    )
    workers._pacer = Pacer(cloud, 4)
    workers._threads = Threads(cloud, workers._pacer)
    return workers


def late_flight(cloud: Cloud, workers: Workers) -> Place:
    """Copy three parts; begin the fourth, and let so much time go by that it is asked for again."""
    for _ in range(3):
        assert workers.step(Place())
    flight = workers._take(place := Place())
    assert flight is not None
    flight.begun = cloud.time
    cloud.time += 5
    workers.look()
    assert (workers.again, place.is_free, workers.waiting()) == (1, True, 3)
    return place


def test_a_part_that_is_copied_before_its_second_request_begins_is_not_asked_for_again() -> None:
    cloud = Cloud()
    workers = by_hand(cloud, lambda _: cloud.sleep(0.1))
    place = late_flight(cloud, workers)
    workers._count(workers._late[0], place, 5.0)
    again = workers._take(Place())
    assert again is not None
    assert again.part.number == 5, "not the fourth once more"


def test_no_second_request_begins_after_a_refusal() -> None:
    cloud = Cloud()
    workers = by_hand(cloud, lambda _: cloud.sleep(0.1))
    late_flight(cloud, workers)
    workers._stop.set()
    assert workers._take(Place()) is None
    assert workers.waiting() == 0
    assert not workers.step(Place())


def test_a_part_that_two_threads_try_is_given_up_when_both_have() -> None:
    cloud = Cloud()
    workers = by_hand(cloud, lambda _: cloud.sleep(0.1))
    first = late_flight(cloud, workers)
    second = Place()
    flight = workers._take(second)
    assert flight is not None
    workers._leave(flight, second)
    assert not workers.is_over()
    assert workers._is_wanted(flight)
    workers._leave(flight, first)
    assert not workers._is_wanted(flight)


def test_nothing_stands_out_before_there_is_something_typical_or_in_a_pause() -> None:
    cloud = Cloud()
    workers = by_hand(cloud, lambda _: cloud.sleep(0.1))
    assert workers._take(Place()) is not None
    (flight,) = workers._flights.values()
    flight.begun = cloud.time
    cloud.time += 50
    assert workers.look() is None
    assert workers.again == 0
    flight.begun = None  # its request was answered, and it pauses
    for _ in range(3):
        workers.step(Place())
    cloud.time += 20
    workers.look()
    assert workers.again == 0
    flight.begun = cloud.time - 0.1
    workers.look()
    assert workers.again == 0
    flight.begun = cloud.time - 19
    workers.look()
    assert workers.again == 1


def test_a_part_that_is_copied_is_not_paused_for() -> None:
    """Its other thread was first; this one's error is no reason to wait."""
    cloud = Cloud()

    def copy(_: Part) -> None:
        workers._flights.clear()  # as if another thread had copied it
        raise Transient("SlowDown", "wait", pause=50.0, throttled=True)

    workers = by_hand(cloud, copy, 1)
    assert workers.step(Place())
    assert cloud.time == START


def test_a_part_in_a_pause_has_no_request_that_stalls() -> None:
    cloud = Cloud()

    def copy(_: Part) -> None:
        began.append(next(iter(workers._flights.values())).begun)
        cloud.sleep(0.1)
        if len(began) == 1:
            raise EXPIRED

    began: list[float | None] = []
    workers = by_hand(cloud, copy, 1)
    assert workers.step(Place())
    assert len(workers.copied) == 1
    assert began[0] == START
    assert began[1] is not None
    assert began[1] > START + 0.1, "the second request began later"


def test_the_place_of_the_slower_of_two_requests_is_free() -> None:
    cloud = Cloud()
    workers = by_hand(cloud, lambda _: cloud.sleep(0.1))
    first = late_flight(cloud, workers)
    flight = workers._take(second := Place())
    assert flight is not None
    workers._count(flight, first, 5.1)
    assert second.is_free
    assert [part.number for part in workers.copied] == [1, 2, 3, 4]


def test_a_place_is_freed_once() -> None:
    clock = SystemClock()
    threads = Threads(clock, Pacer(clock, 2))
    place = Place()
    threads.free(place)
    threads.free(place)
    assert threads._count == -1


class Steps:
    """Work of so many steps, which does something at each."""

    def __init__(self, count: int, do: Callable[[Place], None]) -> None:
        self.left, self.do = count, do

    def step(self, place: Place) -> bool:
        if not self.left:
            return False
        self.left -= 1
        self.do(place)
        return True

    def waiting(self) -> int:
        return self.left

    def is_over(self) -> bool:
        return not self.left

    def look(self) -> float | None:
        return None


def test_threads_that_are_too_many_end_after_their_task() -> None:
    cloud = Cloud()
    pacer = Pacer(cloud, 4)
    threads = Threads(cloud, pacer)
    threads._count = 6  # as if the width had been six
    work = Steps(9, lambda _: None)
    threads._work(work, Place())
    assert work.left == 8


def test_a_thread_whose_place_another_one_has_does_no_more() -> None:
    cloud = Cloud()
    threads = Threads(cloud, Pacer(cloud, 4))
    work = Steps(9, threads.free)
    threads._count = 1
    threads._work(work, Place())
    assert (work.left, threads._count) == (8, 0)


def test_who_starts_threads_is_told_that_the_width_has_grown() -> None:
    cloud = Cloud()
    threads = Threads(cloud, Pacer(cloud, 4))
    told: list[bool] = []
    work = Steps(3, lambda _: told.append(threads._signal.is_set()))  # type: ignore[attr-defined]  # an Event here
    threads._count = 1
    threads._work(work, Place())
    assert told == [False, True, True]


# --- the pace ----------------------------------------------------------------------------------------------


def test_all_requests_of_a_batch_wait_where_one_is_refused() -> None:
    cloud = Cloud()
    pacer = Pacer(cloud, 8)
    begun: list[float] = []
    pacer.run(lambda: begun.append(cloud.time), START + 100)
    with pytest.raises(Transient):
        pacer.run(fails(Transient("SlowDown", "wait", throttled=True, pause=3.0)), START + 100)
    assert pacer.is_throttled()
    pacer.run(lambda: begun.append(cloud.time), START + 100)
    assert [each - START for each in begun] == [0, pytest.approx(3.0)]


def test_what_is_no_refusal_keeps_nobody_waiting() -> None:
    cloud = Cloud()
    pacer = Pacer(cloud, 8)
    with pytest.raises(Transient):
        pacer.run(fails(EXPIRED), START + 100)
    assert not pacer.is_throttled()
    pacer.run(lambda: None, START + 100)
    assert cloud.time == START


def test_a_request_whose_turn_comes_too_late_is_not_made() -> None:
    cloud = Cloud()
    pacer = Pacer(cloud, 8)
    with pytest.raises(Transient):
        pacer.run(fails(Transient("SlowDown", "wait", throttled=True, pause=30.0)), START + 10)
    asked: list[int] = []
    with pytest.raises(Transient, match="Throttled") as told:
        pacer.run(lambda: asked.append(1), START + 10)
    assert told.value.throttled
    assert (asked, cloud.time) == ([], START)
    assert pacer._pace.starts == 1


def test_who_has_slept_while_another_was_refused_waits_again() -> None:
    cloud = Cloud()
    pacer = Pacer(cloud, 8)
    busy = Transient("SlowDown", "wait", throttled=True, pause=1.0)
    with pytest.raises(Transient):
        pacer.run(fails(busy), START + 100)
    asleep = cloud.sleep

    def sleep(seconds: float) -> None:
        asleep(seconds / 2)
        cloud.sleep = asleep  # type: ignore[method-assign]  # of this one alone
        pacer._tell(cloud.time, replace(busy, 7.0))
        asleep(seconds / 2)

    cloud.sleep = sleep  # type: ignore[method-assign]  # of this one alone
    pacer.run(lambda: None, START + 100)
    assert cloud.time - START == pytest.approx(0.5 + 7.0)


def replace(error: Transient, pause: float) -> Transient:
    return Transient(error.code, error.message, throttled=True, pause=pause)


# --- tasks -------------------------------------------------------------------------------------------------


def run(tasks: Tasks, threads: int = 4, seconds: float = LONG) -> None:
    clock = SystemClock()
    Threads(clock, Pacer(clock, threads)).run(tasks, clock.monotonic() + seconds)


def test_each_task_is_done_once_and_as_many_at_once_as_may_be() -> None:
    done: list[int] = []
    together = threading.Barrier(4)

    def task(number: int) -> None:
        together.wait(LONG)
        done.append(number)

    run(Tasks([lambda n=n: task(n) for n in range(40)]))  # type: ignore[misc]  # mypy: a default in a lambda
    assert sorted(done) == list(range(40))


def test_the_first_error_in_order_is_raised_and_stops_what_is_not_begun() -> None:
    both = threading.Barrier(2)
    done: list[int] = []

    def fail(error: Exception) -> None:
        both.wait(LONG)
        raise error

    tasks = Tasks([lambda: fail(DENIED), lambda: fail(EXPIRED), *[lambda: done.append(1)] * 9])
    run(tasks, 2)
    with pytest.raises(Failed, match="AccessDenied"):
        tasks.close()
    assert tasks.is_over()
    assert len(done) < 9
    calm = Tasks([lambda: None])
    run(calm)
    calm.close()


def test_a_task_that_outlasts_the_deadline_is_left_alone() -> None:
    stalls = threading.Event()
    ended, begun = threading.Event(), time.monotonic()
    done: list[int] = []

    def stall() -> None:
        stalls.wait(LONG)
        ended.set()

    tasks = Tasks([stall, lambda: done.append(1)])
    run(tasks, 1, seconds=0.1)
    assert time.monotonic() - begun < LONG / 2
    assert not tasks.is_over()
    tasks.close()
    stalls.set()
    assert ended.wait(LONG)
    time.sleep(0.05)
    assert done == [], "nothing is begun any more"


# --- what may be done at once ------------------------------------------------------------------------------

PLACES = st.lists(st.sets(st.integers(0, 12), max_size=3), max_size=30)


@given(PLACES)
def test_what_has_a_place_in_common_is_in_one_group_in_order_and_nothing_else_is(
    places: list[set[int]],
) -> None:
    groups = plan.chains(places)
    assert sorted(itertools.chain(*groups)) == list(range(len(places)))
    assert all(group == sorted(group) for group in groups)
    assert groups == sorted(groups)
    name = {position: number for number, group in enumerate(groups) for position in group}
    for one, other in itertools.combinations(range(len(places)), 2):
        if places[one] & places[other]:
            assert name[one] == name[other]
    for group in groups:
        reached, rest = {group[0]}, set(group[1:])
        while met := {each for each in rest if any(places[each] & places[one] for one in reached)}:
            reached, rest = reached | met, rest - met
        assert not rest


def test_a_thread_that_finds_no_part_left_ends_without_an_error() -> None:
    """Between its look and its turn another thread has taken the last one."""
    workers = started(Copies(), 0)
    assert not workers.step(Place())
    workers.raise_fatal()


def test_who_has_no_time_for_a_part_hands_over_only_what_follows_a_copied_one() -> None:
    clock, flights = SystemClock(), list[frozenset[int]]()

    def hand_over(in_flight: frozenset[int]) -> bool:
        flights.append(in_flight)
        return True

    workers = Workers(
        Copies(),
        alone(2, clock),
        clock=clock,
        deadline=clock.monotonic(),
        expected=0.01,
        hand_over=hand_over,
    )
    assert not workers.step(Place())
    assert (workers.is_handed_over, flights) == (False, [])
    workers.copied.append(Part(3, 0, 1))
    assert not workers.step(Place())
    assert (workers.is_handed_over, flights) == (True, [frozenset()])
