"""How serial rounds are counted from a log of requests."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from tests.cloud.request_log import Logged
from tests.cloud.rounds import PART, Serial, after_parts, before_parts, floor, path, rounds, serial


def asked(name: str, begin: float, end: float) -> Logged:
    return Logged(name, begin, end)


def test_one_after_the_other_is_a_round_each() -> None:
    one, two = asked("HeadObject", 0, 1), asked("PutObject", 1, 2)
    assert rounds([two, one]) == ((one,), (two,))


def test_what_is_asked_together_is_one_round_even_if_one_answer_comes_first() -> None:
    short, long, next_ = asked("HeadObject", 0, 1), asked("GetObject", 0, 3), asked("PutObject", 3, 4)
    assert rounds([long, short, next_]) == ((short, long), (next_,))


def test_a_question_that_waits_for_the_shorter_of_two_is_a_round_of_its_own() -> None:
    short, long, next_ = asked("HeadObject", 0, 1), asked("GetObject", 0, 3), asked("PutObject", 1.5, 2)
    assert rounds([short, long, next_]) == ((short, long), (next_,))


def test_threads_that_never_wait_for_each_other_make_as_many_rounds_as_the_longest_row() -> None:
    parts = [asked(PART, row + thread / 10, row + 1 + thread / 10) for row in range(4) for thread in range(3)]
    assert len(rounds(parts)) == 4


def test_requests_that_take_no_time_come_one_after_the_other() -> None:
    assert len(rounds([asked("HeadObject", 1, 1), asked("GetObject", 1, 1)])) == 2


def test_nothing_makes_no_round() -> None:
    assert rounds([]) == ()
    assert serial([]) == Serial(0, 0, 0)
    assert before_parts([]) == after_parts([]) == ()


def test_what_is_asked_while_parts_are_copied_counts_neither_before_nor_after() -> None:
    log = [
        asked("HeadObject", 0, 1),
        asked("PutObject", 1, 2),
        asked(PART, 2, 4),
        asked("GetObject", 1.5, 3),  # begun before the first part and answered while it was copied
        asked(PART, 4, 6),
        asked("GetObject", 5, 7),  # begun while the last part was copied
        asked("ListParts", 6, 7),
        asked("HeadObject", 6, 7),
        asked("CompleteMultipartUpload", 7, 8),
    ]
    assert serial(log) == Serial(before=2, parts=2, after=2)
    assert serial(log).beside_parts == 4


def test_a_path_joins_what_was_asked_together_and_names_records_by_their_kind() -> None:
    log = [
        Logged("HeadObject", 0, 1, "source", "a"),
        Logged("GetObject", 0, 1, "state", "oss-copy/done/0123"),
        Logged("ListParts", 1, 2, "destination", "a"),
        Logged("ListParts", 1, 2, "destination", "a"),
    ]
    names = [[each.named("oss-copy/") for each in one] for one in rounds(log)]
    assert path(names) == "HeadObject ∥ GetObject done/ → 2 ListParts"


def test_without_parts_everything_is_before() -> None:
    assert serial([asked("HeadObject", 0, 1), asked("CopyObject", 1, 2)]) == Serial(2, 0, 0)


def test_the_floor_counts_whole_rounds_of_parts() -> None:
    assert floor(8, 0.1, 1000, 32, 0.1) == 8 * 0.1 + 32 * 0.1
    assert floor(8, 0.02, 224, 32, 0.5) == 8 * 0.02 + 7 * 0.5


spans = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda it: asked("X", it[0], it[0] + it[1]))


@given(st.lists(spans, max_size=12))
def test_the_number_of_rounds_is_the_length_of_the_longest_row_without_overlap(log: list[Logged]) -> None:
    sequence, last = 0, float("-inf")
    for each in sorted(log, key=lambda one: one.end):  # the textbook's greedy choice
        if each.begin >= last:
            sequence, last = sequence + 1, each.end
    found = rounds(log)
    assert len(found) == sequence
    assert sorted(map(repr, log)) == sorted(repr(each) for row in found for each in row)
    for earlier, later in pairwise(found):
        assert all(any(one.end <= each.begin for one in earlier) for each in later)
