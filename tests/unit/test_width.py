"""Where ranges are cut: the search ends, cuts lie within the range, pieces are of a size."""

from __future__ import annotations

import os
import random
import uuid
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

from osscopy.jobs.bulk.pages import listing, width as splitting
from osscopy.model import Entry, Failed, Range, Transient
from osscopy.plan import bulk
from osscopy.plan.bulk.width import ROUNDS, Sample, Search, search as width
from osscopy.plan.bulk.width.scale import Scale
from tests.unit.many import Jobs, job_of, request

EXAMPLES = int(os.environ.get("WIDTH", "200"))
MANY, PAGE, LEAST = 100_000, 1000, 2000
TEXTS = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=6) | st.text(
    "ab/09é\x01\U0010ffff", max_size=8
)


def looked(keys: Sequence[str], search: Search, page: int = PAGE) -> tuple[Search, int]:
    """Search sorted keys to the end; return also how many looks that took. It ends, or this fails."""
    looks, end = 0, bisect_right(keys, search.high)
    for _ in range(ROUNDS + 1):
        wanted = search.wanted()
        if not wanted:
            return search, looks
        looks += len(wanted)
        found = []
        for at in wanted:
            assert search.low <= at < search.high
            assert len(at.encode()) <= 1023
            first = bisect_right(keys, at)
            shown = tuple(keys[first : min(end, first + page)])
            found.append(Sample.of(at, shown, is_all=first + page >= end))
        search = search.seen(tuple(found))
    raise AssertionError("the search has no end")


def check_cuts(search: Search, cuts: tuple[str, ...]) -> None:
    assert all(search.low < at < search.high for at in cuts)
    assert sorted(set(cuts)) == list(cuts)
    assert all(len(at.encode()) <= 1023 for at in cuts)


# --- whatever is listed ------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(
    st.lists(TEXTS.filter(bool), min_size=1, max_size=60),
    st.integers(1, 5),
    st.integers(2, 9),
    st.sampled_from(["", "a", "a/"]),
    st.booleans(),
)
def test_any_keys_are_each_in_one_piece(
    names: list[str], page: int, pieces: int, prefix: str, has_high: bool
) -> None:
    keys = sorted({prefix + each for each in names})
    low, high = keys[0], f"{keys[len(keys) // 2]}b" if has_high else None
    search, _ = looked(keys, Search.of(prefix, low, high), page)
    cuts = search.cuts(pieces, 1)
    check_cuts(search, cuts)
    assert len(cuts) < pieces
    left = [each for each in keys if low < each and (high is None or each <= high)]
    ranges = bulk.pieces(Range((), None, high), low, cuts)
    held = [
        [key for key in left if (each.low or "") < key and (each.high is None or key <= each.high)]
        for each in ranges
    ]
    assert [key for each in held for key in each] == left


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(TEXTS, TEXTS, st.data())
def test_the_search_ends_whatever_it_is_shown(one: str, other: str, data: st.DataObject) -> None:
    low, high = sorted({one, other, one + "b"})[:2]
    search = Search(prefix="", low=low, high=high)
    for _ in range(ROUNDS + 1):
        wanted = search.wanted()
        if not wanted:
            break
        assert all(low <= each < high for each in wanted)
        shown = [data.draw(st.lists(TEXTS, max_size=4).map(sorted)) for _ in wanted]
        ends = [data.draw(st.booleans()) for _ in wanted]
        found = zip(wanted, shown, ends, strict=True)
        search = search.seen(tuple(Sample.of(at, tuple(keys), is_all=end) for at, keys, end in found))
    assert search.wanted() == ()
    check_cuts(search, search.cuts(7, 1))


def test_a_place_longer_than_a_key_is_not_asked_for() -> None:
    keys = sorted("k" * 1017 + f"{number:06}" for number in range(3000))
    search, _ = looked(keys, Search.of("", keys[0], None))
    check_cuts(search, search.cuts(4, 100))


def test_what_one_page_shows_is_looked_at_once_and_not_cut() -> None:
    keys = [f"{number:04}" for number in range(900)]
    search, looks = looked(keys, Search.of("", keys[0], None))
    assert looks <= width.LOOKS + 2
    assert search.cuts(8, LEAST) == ()


# --- shapes of keys ----------------------------------------------------------------------------------------


def flat(_: random.Random) -> list[str]:
    return [f"obj-{number:07}" for number in range(MANY)]


def uuids(chance: random.Random) -> list[str]:
    return [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(MANY)]


def dates(_: random.Random) -> list[str]:
    days = MANY // 1500
    return [
        f"logs/{2020 + day // 366}/{1 + day // 31 % 12:02}/{1 + day % 31:02}/part-{number:05}.gz"
        for day in range(1500)
        for number in range(days)
    ]


def one_folder(_: random.Random) -> list[str]:
    others = [f"{letter}{number}/{key}" for letter in "abcxyz" for number in range(40) for key in range(20)]
    return [f"hot/{number:07}" for number in range(MANY * 95 // 100)] + others


def one_hot_prefix(_: random.Random) -> list[str]:
    return [f"p{at}/{key:07}" for at in range(8) for key in range(MANY if at == 3 else MANY // 1000)]


def deep(chance: random.Random) -> list[str]:
    names = ["alpha", "beta", "gamma", "delta", "eps"]
    return ["/".join(chance.choices(names, k=8)) + f"/f{number}" for number in range(MANY)]


def long_ones(_: random.Random) -> list[str]:
    return [f"x/{'a' * 300}/{number:07}" for number in range(MANY)]


def chinese(chance: random.Random) -> list[str]:
    folders, names = "图片文档视频音乐其他数据", "一二三四五六七八九十"
    return [f"{chance.choice(folders)}/{chance.choice(names)}{number}.jpg" for number in range(MANY)]


def control_characters(chance: random.Random) -> list[str]:
    return [f"{chr(chance.randrange(1, 32))}{chance.choice(' !~')}{number}" for number in range(MANY)]


Shape = Callable[[random.Random], list[str]]


@pytest.mark.parametrize(
    ("shape", "most"),
    [
        (flat, 1.05),
        (uuids, 1.15),
        (one_folder, 1.15),
        (one_hot_prefix, 1.05),
        (long_ones, 1.05),
        (dates, 3.0),
        (deep, 5.0),
        (chinese, 3.5),
        (control_characters, 4.0),
    ],
)
def test_the_largest_of_eight_pieces_is_near_an_eighth(shape: Shape, most: float) -> None:
    """`most`: times an eighth. Walkers that become free cut again what was guessed wrong."""
    keys = sorted(set(shape(random.Random(1))))
    search, looks = looked(keys, Search.of("", keys[PAGE - 1], None))
    bounds = [bisect_right(keys, each) for each in (search.low, *search.cuts(8, LEAST))] + [len(keys)]
    pieces = [high - low for low, high in pairwise(bounds)]
    assert sum(pieces) == len(keys) - PAGE
    assert max(pieces) <= most * (len(keys) - PAGE) / 8
    assert looks <= ROUNDS * width.LOOKS + 2


def test_a_scale_reaches_from_what_is_before_to_what_is_after() -> None:
    scale = Scale("k/", ["k/a0", "k/c5", "k/c7"])
    assert [scale.fraction(each) for each in ("a", "k/", "k/a0", "k/c", "k/d", "l")] == [0, 0, 0, 2 / 3, 1, 1]
    assert scale.fraction("k/b99") < scale.fraction("k/c0")
    assert scale.fraction("k/bz") == scale.fraction("k/b~") <= scale.fraction("k/c")
    assert scale.fraction("k/A9") == 0


def test_a_scale_fills_what_lies_between() -> None:
    assert [Scale("", "az").key(at / 26)[0] for at in (0, 13, 25)] == ["a", "n", "z"]
    assert Scale("", "09").key(0.55) == "5"
    assert "一" < Scale("", "一龍").key(0.5) < "龍"
    assert not any("\ud800" <= Scale("", "一\uff00").key(at / 99) < "\ue000" for at in range(99))


def test_a_scale_makes_short_places() -> None:
    keys = [f"{number:09}/{number:09}" for number in range(0, 10**9, 10**7 + 1)]
    assert len(Scale("", keys).key(0.123456789)) == 7


def test_where_no_place_is_left_none_is_asked_for() -> None:
    search = Search(prefix="", low="a", high="a\x00")
    for _ in range(3):
        search = search.seen(tuple(Sample.of(at, ("0",), is_all=False) for at in search.wanted()))
    assert search.wanted() == ()


# --- in a job ----------------------------------------------------------------------------------------------


JOB = job_of(request()).job


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """Pages of two keys, and ranges that are worth it with any key in them; four workers."""
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "LEAST", 0)
    found = Jobs(workers=4)
    found.put(*(f"{number:03}" for number in range(40)))
    return found


def entries(jobs: Jobs, path: tuple[int, ...] = ()) -> list[Entry]:
    log = jobs.tools().of(JOB).log
    found = [log.entry(name) for name in log.entry_names(path)]
    return [each for each in found if each is not None]


def kinds(jobs: Jobs, path: tuple[int, ...] = ()) -> list[str]:
    return [each.kind for each in entries(jobs, path)]


def test_a_job_is_split_among_its_workers_after_its_first_page(jobs: Jobs) -> None:
    result = jobs.run()
    assert result.objects.succeeded == len(jobs.rows(JOB)) == 40
    first, split = entries(jobs)
    assert (len(first.rows), split.kind, len(split.children)) == (2, "split", 4)
    assert result.ranges is not None
    assert result.ranges.done == 4
    assert max(sum(len(each.rows) for each in entries(jobs, (at,))) for at in range(4)) <= 12


def test_a_range_is_split_again_once_workers_are_free(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "SOON", 0.0)
    jobs.run()
    depths = [kinds(jobs, (at,)).count("split") for at in range(4)]
    assert sum(depths) > 0
    assert len(jobs.rows(JOB)) == 40


def test_open_ranges_are_counted_no_more_often_than_every_few_seconds(jobs: Jobs) -> None:
    jobs.run()
    assert [kinds(jobs, (at,)).count("split") for at in range(4)] == [0, 0, 0, 0]


def test_nobody_searches_while_nobody_is_free(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscopy.jobs.bulk.walk.MOST_ROWS", 2)
    one, four = Jobs(workers=1), jobs
    one.put(*(f"{number:03}" for number in range(40)))
    one.run()
    four.run(request(max_workers=1))
    assert one.cloud.count("list source") == four.cloud.count("list source") <= 22


def test_a_job_whose_rest_is_small_is_not_split(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEAST", 20)
    jobs.run()
    assert "split" not in kinds(jobs)


@pytest.mark.parametrize(
    "error",
    [Failed("AccessDenied", "no", status=403), Transient("NetworkError", "no answer")],
    ids=["refused", "unanswered"],
)
def test_a_look_that_fails_leaves_the_range_whole(jobs: Jobs, error: Exception) -> None:
    def is_told() -> bool:
        return any(event == "widthUnknown" for event, _ in jobs.cloud.logged)

    def fail() -> None:
        if not is_told():
            raise error

    jobs.begin()
    for number in range(2, 600):
        jobs.cloud.at("list source", fail, nth=number)
    jobs.drain()
    assert is_told()
    assert kinds(jobs)[:2] == ["rows", "rows"]
    assert jobs.look(JOB).objects.succeeded == 40


def test_a_search_takes_no_more_time_than_there_is(jobs: Jobs) -> None:
    jobs.timeout = 30.0
    for number in range(1, 500):
        jobs.cloud.at("list source", lambda: wait(jobs, 2.0), nth=number)
    jobs.begin()
    begun = jobs.cloud.time
    jobs.drain(1)
    assert jobs.cloud.time - begun < 30
    jobs.drain()
    assert jobs.look(JOB).objects.succeeded == len(jobs.rows(JOB)) == 40


def test_a_hop_that_had_time_for_nothing_but_a_search_makes_no_other_search(jobs: Jobs) -> None:
    def fail() -> None:
        if width.TOP in jobs.cloud.asked[-1]:  # a look, and no page of the walk
            jobs.cloud.time += 30
            raise Transient("NetworkError", "no answer")

    for number in range(1, 500):
        jobs.cloud.at("list source", fail, nth=number)
    jobs.begin()
    jobs.drain(2)
    assert kinds(jobs)[:2] == ["rows", "rows"]


def wait(jobs: Jobs, seconds: float) -> None:
    jobs.cloud.time += seconds
