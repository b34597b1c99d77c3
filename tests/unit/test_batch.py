"""The parts that threads take one after another, and who brings more of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from osscopy.app import SystemClock
from osscopy.copying.invocation.batch import Batch
from osscopy.copying.invocation.workers import Workers
from osscopy.model import Failed, Part, Transient
from tests.unit.engine import BUSY, DENIED, START, Engine


def parts(*numbers: int) -> list[Part]:
    return [Part(n, n - 1, n - 1) for n in numbers]


def taken(batch: Batch) -> list[int]:
    found = []
    while (part := batch.take(1.0)) is not None:
        found.append(part.number)
    return found


def test_more_parts_are_asked_for_while_there_are_some_for_the_other_threads(engine: Engine) -> None:
    asked: list[tuple[int, float]] = []

    def more(slowest: float) -> Sequence[Part]:
        asked.append((len(batch), slowest))
        return ()

    batch = Batch(parts(1, 2, 3, 4, 5), more, engine.cloud, threads=12)
    for _ in range(3):
        batch.take(1.0)
    assert asked == []
    batch.take(2.5)
    assert asked == [(2, 2.5)]


def test_what_is_brought_is_taken_and_nothing_means_that_nobody_asks_again(engine: Engine) -> None:
    brought = [parts(3), parts(4, 5), [], parts(6)]
    batch = Batch(parts(1, 2), lambda _: brought.pop(0), engine.cloud, threads=1)
    assert taken(batch) == [1, 2, 3, 4, 5]
    assert taken(batch) == []
    assert brought == [parts(6)]


def test_a_batch_that_is_closed_names_what_is_in_flight_and_gives_nothing_any_more(engine: Engine) -> None:
    batch = Batch(parts(1, 2, 3, 4), lambda _: parts(5), engine.cloud, threads=1)
    one, two = batch.take(1.0), batch.take(1.0)
    assert one is not None
    assert two is not None
    batch.end(one)
    assert batch.close() == frozenset({2})
    assert (batch.take(1.0), len(batch)) == (None, 0)


def test_what_comes_after_the_end_is_left_alone(engine: Engine) -> None:
    def late(_: float) -> Sequence[Part]:
        batch.close()
        return parts(2)

    batch = Batch(parts(1), late, engine.cloud, threads=8)
    assert (batch.take(1.0), len(batch)) == (None, 0)


def test_an_error_of_who_asks_is_raised_and_lets_nobody_wait(engine: Engine) -> None:
    def broken(_: float) -> Sequence[Part]:
        raise BUSY

    batch = Batch(parts(1, 2), broken, engine.cloud, threads=12)
    with pytest.raises(Transient):
        batch.take(1.0)
    assert taken(batch) == [1, 2]


def test_threads_without_a_part_wait_for_the_one_that_asks() -> None:
    """In real threads: none of them ends while more may come."""
    is_asked, came = threading.Event(), threading.Event()

    def slow(_: float) -> Sequence[Part]:
        if is_asked.is_set():
            return ()
        is_asked.set()
        assert came.wait(10)
        return parts(2, 3)

    batch = Batch(parts(1), slow, SystemClock(), threads=8)
    found: list[Part | None] = []

    def take(count: int) -> None:
        found.extend(batch.take(1.0) for _ in range(count))

    asks, waits = (threading.Thread(target=take, args=(n,), daemon=True) for n in (1, 2))
    asks.start()
    assert is_asked.wait(10)
    waits.start()
    deadline = time.monotonic() + 10
    while len(batch):
        assert time.monotonic() < deadline, "the second one takes the only part, and comes again"
    time.sleep(0.05)
    came.set()
    asks.join(10)
    waits.join(10)
    assert sorted(part.number for part in found if part is not None) == [1, 2, 3]


def workers(
    engine: Engine, batch: Batch, flights: list[frozenset[int]], other: Part | None = None
) -> Workers:
    """Workers of which a part takes 3 of 10 seconds; `other` is copied elsewhere until they hand over."""

    def copy(_: Part) -> None:
        engine.cloud.sleep(3.0)

    def hand_over(in_flight: frozenset[int]) -> bool:
        flights.append(in_flight)
        batch.end(other or parts(1)[0])
        return True

    return Workers(copy, batch, clock=engine.cloud, deadline=START + 10, expected=1.0, hand_over=hand_over)


def test_the_first_thread_without_time_hands_over_once_and_names_what_others_have_in_flight(
    engine: Engine,
) -> None:
    flights: list[frozenset[int]] = []
    batch = Batch(parts(*range(1, 9)), lambda _: (), engine.cloud, threads=1)
    other = batch.take(1.0)
    assert other is not None
    short = workers(engine, batch, flights, other)
    short.run(4)
    assert flights == [{1}]
    assert short.is_handed_over
    assert [part.number for part in short.copied] == [2, 3]


def test_nothing_is_handed_over_where_no_part_is_left_or_none_was_copied(engine: Engine) -> None:
    flights: list[frozenset[int]] = []
    few = workers(engine, Batch(parts(1, 2), lambda _: (), engine.cloud, threads=1), flights)
    few.run(1)
    assert (len(few.copied), few.is_handed_over) == (2, False)
    late = Engine()
    late.cloud.time += 9
    none = workers(late, Batch(parts(1, 2), lambda _: (), late.cloud, threads=1), flights)
    none.run(1)
    assert (none.copied, none.is_handed_over, flights) == ([], False, [])


def test_an_error_of_who_asks_for_more_stops_the_batch(engine: Engine) -> None:
    def broken(_: float) -> Sequence[Part]:
        raise DENIED

    some = workers(engine, Batch(parts(1, 2), broken, engine.cloud, threads=12), [])
    some.run(1)
    assert some.copied == []
    with pytest.raises(Failed, match="AccessDenied"):
        some.raise_fatal()


def test_watches_are_waited_for() -> None:
    """In real threads: the batch is copied long before the watch has its answer."""
    clock, copied, answers = SystemClock(), threading.Event(), []

    def watch() -> bool:
        assert copied.wait(10)
        time.sleep(0.1)
        answers.append(1)
        return False

    watched = Workers(
        lambda _: copied.set(),
        Batch(parts(1), lambda _: (), clock, threads=1),
        clock=clock,
        deadline=clock.monotonic() + 20,
        expected=0.01,
        hand_over=lambda _: True,
        watches=[watch],
    )
    watched.run(1)
    assert answers == [1]
