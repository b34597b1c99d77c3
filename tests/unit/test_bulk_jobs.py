"""Jobs of many objects on a cloud in memory: each guard and each race, one at a time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from osscopy import events
from osscopy.copying import results
from osscopy.jobs.bulk import report, start as bulk_start, walk
from osscopy.jobs.bulk.pages import ahead, listing, manifest, width
from osscopy.jobs.bulk.pages.rate import Rate
from osscopy.jobs.bulk.records import bulk_jobs
from osscopy.jobs.bulk.tools import Tools
from osscopy.jobs.dropped import resume_dropped
from osscopy.jobs.journal import RecordJournal
from osscopy.jobs.many import Many
from osscopy.jobs.queries import Queries
from osscopy.jobs.telling.outbox import TellingOutbox
from osscopy.model import (
    BulkDestination,
    BulkJob,
    BulkRequest,
    BulkResult,
    BulkSource,
    Conflict,
    Dropped,
    Encrypted,
    Encryption,
    Entry,
    Failed,
    Filters,
    Former,
    Range,
    Refused,
    ReportPlace,
    Settle,
    Totals,
    Transient,
    Walk,
)
from osscopy.plan import bulk
from osscopy.plan.telling import news
from tests.unit.engine import BUSY, DENIED, DST, LARGE, LOST, SRC, fails
from tests.unit.many import REPORT, STATE, Jobs, carry_out, job_of, request

JOB = job_of(request()).job
ROOT = bulk.range_id(())
GONE = Failed("NoSuchBucket", "no bucket", status=404)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def narrow() -> Iterator[None]:
    """Pages of two keys, and entries of two rows; a range is split after each, wherever a key is left."""
    kept = listing.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON
    listing.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON = 2, 2, 0, 0.0
    yield
    listing.PAGE, walk.MOST_ROWS, listing.LEAST, width.SOON = kept


def hop(jobs: Jobs, task: Walk | None = None, tries: int = 0) -> Any:
    """Carry out a hop of the root, by default the first one."""
    return carry_out(jobs.tools(), events.encode(task or Walk(JOB, Range())), tries)


def copied(jobs: Jobs) -> set[str]:
    return {key.removeprefix("out/") for bucket, key in jobs.cloud.objects if bucket == DST}


def counted(jobs: Jobs, name: str) -> int:
    return jobs.cloud.count(name)


def kinds(jobs: Jobs) -> set[str]:
    return {name.split("/")[2] for name in jobs.cloud.records if name.startswith("bulk/")}


# --- a whole job -------------------------------------------------------------------------------------------


def test_every_object_under_a_prefix_is_copied_and_has_a_row(jobs: Jobs) -> None:
    jobs.put("a", "b/c", "ü x", "")
    jobs.put("large", size=LARGE)
    jobs.put("link", link="in/a", kind="Symlink")
    jobs.cloud.put("other", "1")
    result = jobs.run()
    assert result.status == "succeeded"
    assert result.objects.total == result.objects.succeeded == 6
    assert set(jobs.statuses(JOB).values()) == {"copied"}
    assert copied(jobs) == {"a", "b/c", "ü x", "", "large", "link"}
    assert jobs.rows(JOB)["in/large"]["copy"].endswith(JOB.removeprefix("b-"))


def test_a_second_time_nothing_is_copied(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.put("large", size=LARGE)
    jobs.run()
    before = counted(jobs, "copy"), counted(jobs, "initiate")
    result = jobs.run(occurrence="two")
    assert (result.objects.skipped, result.objects.total) == (4, 4)
    assert (counted(jobs, "copy"), counted(jobs, "initiate")) == before


def test_few_requests_are_made_for_many_objects(jobs: Jobs) -> None:
    jobs.put(*(f"{number:04}" for number in range(1500)))
    asked = len(jobs.cloud.asked)
    jobs.run()
    assert counted(jobs, "copy") == 1500
    assert len(jobs.cloud.asked) - asked <= 1.01 * 1500 + 50
    asked = len(jobs.cloud.asked)
    jobs.run(occurrence="two")
    assert len(jobs.cloud.asked) - asked <= 2 * 2 + 3 + 3 + 40  # the start, the end and the look


def test_what_the_filters_leave_out_is_counted_and_has_no_row(jobs: Jobs) -> None:
    jobs.put("a.txt", "b.bin", "tmp/c.txt")
    result = jobs.run(request(filters=Filters(include=("**/*.txt",), exclude=("tmp/**",))))
    assert (result.objects.total, result.excluded) == (1, 2)
    assert copied(jobs) == {"a.txt"}


def test_what_changed_in_headers_alone_is_copied_where_that_is_asked_for(jobs: Jobs) -> None:
    jobs.put("a", "b", crc64="7")
    jobs.run()
    jobs.cloud.time += 100
    stored = jobs.cloud.objects[SRC, "in/a"]
    content = replace(stored.head.content, content_type="text/html")
    stored.head = replace(stored.head, content=content, last_modified=int(jobs.cloud.time))
    assert jobs.run(occurrence="two").objects.skipped == 2
    heads = counted(jobs, "head") + counted(jobs, "find")
    result = jobs.run(request(compare="metadata"), "three")
    assert (result.objects.succeeded, result.objects.skipped) == (1, 1)
    assert counted(jobs, "head") + counted(jobs, "find") == heads + 2
    assert jobs.cloud.objects[DST, "out/a"].head.content.content_type == "text/html"


@pytest.mark.parametrize(("asked", "seconds"), [({"encryption": "bucket"}, 20), ({"encryption": "keep"}, 40)])
def test_no_more_requests_a_second_are_sent_than_were_asked_for(
    jobs: Jobs, asked: dict[str, str], seconds: int
) -> None:
    jobs.put(*(f"{number:03}" for number in range(40)))
    begun = jobs.cloud.time
    result = jobs.run(request(max_rate=2, **asked))
    assert result.objects.succeeded == 40
    assert seconds - 2 <= jobs.cloud.time - begun - 10 <= seconds + 20


@pytest.mark.usefixtures("narrow")
def test_walkers_share_the_rate(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)))
    jobs.begin(request(max_rate=2))
    jobs.drain(1)
    job = jobs.cloud.commands()[-1].job
    begun = jobs.cloud.time
    hop(jobs, Walk(job, jobs.cloud.commands()[1].range))
    done = jobs.look(job).objects.total
    assert jobs.cloud.time - begun >= (done - 2 - 2) / 1.0  # half of two a second


def test_a_slot_that_comes_too_late_is_not_waited_for(jobs: Jobs) -> None:
    rate = Rate(jobs.cloud)
    rate.share = 0.1
    now = jobs.cloud.monotonic()
    assert rate.wait(1, now + 1)
    assert not rate.wait(1, now + 10)
    assert jobs.cloud.monotonic() == now
    assert rate.wait(1, now + 11)
    assert jobs.cloud.monotonic() == now + 10


def test_encryption_is_kept_at_the_price_of_a_head(jobs: Jobs) -> None:
    jobs.put("a", encryption=Encrypted("AES256"))
    jobs.put("b")
    jobs.run(request(encryption="keep"))
    assert counted(jobs, "head") == 2
    assert jobs.cloud.objects[DST, "out/a"].head.encryption == Encrypted("AES256")
    assert jobs.cloud.objects[DST, "out/b"].head.encryption is None


def test_encryption_that_is_asked_for_is_named(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.run(request(encryption=Encryption("SM4")))
    assert counted(jobs, "head") == 0
    assert jobs.cloud.objects[DST, "out/a"].head.encryption == Encrypted("SM4")


def test_a_storage_class_that_is_asked_for_is_named(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.run(request(storage_class="IA"))
    assert jobs.cloud.objects[DST, "out/a"].head.storage_class == "IA"


def test_a_template_makes_destinations_that_are_asked_key_by_key(jobs: Jobs) -> None:
    jobs.put("a", "b")
    asked = request(destination=BulkDestination(bucket=DST, key="x/{name}-{date:%Y}"))
    assert jobs.run(asked).objects.succeeded == 2
    assert (DST, "x/a-2027") in jobs.cloud.objects
    assert jobs.run(asked, "two").objects.skipped == 2
    assert counted(jobs, "find") == 4
    assert counted(jobs, "copy") == 2


def test_two_sources_with_one_destination_collide(jobs: Jobs) -> None:
    jobs.put("a", "b")
    asked = request(destination=BulkDestination(bucket=DST, key="one"), overwrite="always")
    result = jobs.run(asked)
    assert (result.status, result.objects.failed) == ("failed", 1)
    assert sorted(jobs.statuses(job_of(asked).job).values()) == ["copied", "failed Collision"]


def test_what_is_not_allowed_is_a_failed_row(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.forbidden = frozenset({"in/b"})
    assert jobs.run().objects.failed == 1
    assert jobs.statuses(JOB) == {"a": "copied", "b": "failed NotAllowed"}


def test_a_report_is_written_where_that_is_allowed(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.forbidden = frozenset({"elsewhere"})
    for place, wanted in (
        (ReportPlace("elsewhere", "r/"), "NotAllowed"),
        (ReportPlace(STATE, "s/reports/x/"), None),
        (ReportPlace(REPORT, "r/"), None),
    ):
        result = jobs.begin(request(report=place), str(place))
        assert (result.error.code if result.error else None) == wanted, place
        jobs.cloud.records.clear()


def test_the_destination_of_what_a_report_names_is_judged_as_a_whole(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("copy", fails(DENIED))
    failed = jobs.run()
    jobs.forbidden = frozenset({"other-bucket"})
    again = request(
        source=BulkSource(report=Former(failed.job or "")),
        destination=BulkDestination(bucket="other-bucket", prefix="out/"),
    )
    result = jobs.begin(again)
    assert result.error is not None
    assert result.error.code == "NotAllowed"


def test_a_key_that_makes_no_copy_is_a_row_and_no_request(jobs: Jobs) -> None:
    jobs.put("a", "/b", "dir/")
    asked = request(destination=BulkDestination(bucket=DST, prefix=""))
    assert jobs.run(asked).objects.failed == 1
    assert jobs.statuses(job_of(asked).job) == {"a": "copied", "/b": "failed InvalidKey", "dir/": "copied"}


# --- one object --------------------------------------------------------------------------------------------


def test_a_source_that_changes_is_looked_at_again(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("copy", lambda: jobs.put("a", crc64="new"))
    assert jobs.run().objects.succeeded == 1
    assert jobs.cloud.objects[DST, "out/a"].head.crc64 == "new"


def test_a_source_that_keeps_changing_fails(jobs: Jobs) -> None:
    jobs.put("a")
    for nth in range(1, 4):
        jobs.cloud.at("copy", partial(jobs.put, "a", crc64=f"new{nth}"), nth=nth)
    jobs.run()
    assert jobs.statuses(JOB) == {"a": "failed SourceChanging"}


def test_a_source_that_is_gone_is_missing(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.cloud.at("copy", lambda: jobs.cloud.objects.pop((SRC, "in/a")))
    result = jobs.run()
    assert jobs.statuses(JOB) == {"a": "missing NoSuchKey", "b": "copied"}
    assert (result.status, result.objects.missing) == ("succeeded", 1)


def test_a_refusal_is_a_failed_row(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.cloud.at("copy", fails(DENIED))
    result = jobs.run()
    assert jobs.statuses(JOB) == {"a": "failed AccessDenied", "b": "copied"}
    assert result.errors == {"AccessDenied": 1}
    assert jobs.rows(JOB)["in/a"]["httpStatus"] == "403"
    assert gzip.decompress(jobs.cloud.files[f"r/{JOB}/failed.csv.gz"]).count(b"\n") == 2


def test_a_head_that_is_refused_is_a_failed_row(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("head", fails(DENIED))
    jobs.run(request(encryption="keep"))
    job = job_of(request(encryption="keep")).job
    assert jobs.statuses(job) == {"a": "failed AccessDenied"}


def test_under_never_a_copy_of_our_own_is_none_that_was_there(jobs: Jobs) -> None:
    never = request(overwrite="never")
    jobs.put("a")
    jobs.cloud.at("copy", fails(LOST), after=True)
    jobs.run(never)
    assert jobs.statuses(job_of(never).job) == {"a": "copied"}
    other = Jobs()
    other.put("a")
    other.cloud.at("copy", lambda: other.cloud.put("out/a", "foreign", bucket=DST))
    other.run(never)
    assert other.statuses(job_of(never).job) == {"a": "skipped FileAlreadyExists"}


def test_another_conflict_is_a_failed_row(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("copy", fails(Conflict("FileImmutable", "WORM", status=409)))
    jobs.run()
    assert jobs.statuses(JOB) == {"a": "failed FileImmutable"}


def test_an_answer_that_was_lost_marks_the_entry_as_in_doubt(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.cloud.at("copy", fails(LOST), after=True)
    jobs.run()
    assert jobs.statuses(JOB) == {"a": "copied", "b": "copied"}
    entry = _entry(jobs, 1)
    assert entry.totals.doubts == 1


def _entry(jobs: Jobs, number: int, path: tuple[int, ...] = ()) -> Entry:
    found = jobs.tools().of(JOB).log.entry(f"bulk/{JOB}/log/{bulk.range_id(path)}/{bulk.LAST - number:012}")
    assert found is not None
    return found


def test_a_slow_object_goes_on_as_a_chain_of_its_own(jobs: Jobs) -> None:
    jobs.put("a", "b")
    jobs.cloud.at("copy", *[], nth=1)
    for nth in range(1, 9):
        jobs.cloud.at("copy", fails(Transient("InternalError", "no")), nth=nth)
    result = jobs.run()
    assert result.objects.succeeded == 2
    assert jobs.rows(JOB)["in/a"]["copy"]


def test_an_object_that_is_throttled_ends_the_page_before_it(jobs: Jobs) -> None:
    jobs.put("a", "b", "c")
    for nth in range(2, 10):
        jobs.cloud.at("copy", fails(BUSY), nth=nth)
    jobs.begin()
    jobs.drain(1)
    assert [row.key for row in _entry(jobs, 1).rows] == ["in/a"]
    jobs.drain()
    assert jobs.statuses(JOB) == dict.fromkeys("abc", "copied")


def test_an_object_whose_bytes_no_listing_tells_is_compared(jobs: Jobs) -> None:
    jobs.put("a", crc64="7", etag="X-2")
    jobs.cloud.put("out/a", "7", bucket=DST, etag="Y-2")
    jobs.put("b", crc64="8", etag="X-2")
    jobs.cloud.put("out/b", "9", bucket=DST, etag="Y-2")
    jobs.cloud.time += 10
    jobs.run()
    assert jobs.statuses(JOB) == {"a": "skipped NotDifferent", "b": "copied"}
    assert counted(jobs, "copy") == 1


def test_what_has_to_be_compared_and_is_large_is_a_chain(jobs: Jobs) -> None:
    jobs.put("a", crc64="7", etag="X-2", size=LARGE)
    jobs.cloud.put("out/a", "8", bucket=DST, etag="Y-2", size=LARGE)
    jobs.run()
    assert jobs.rows(JOB)["in/a"]["copy"]


# --- hops --------------------------------------------------------------------------------------------------


def test_a_delivery_that_comes_twice_leaves(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    assert jobs.tools().of(JOB).claim(Walk(JOB, Range()), 0)
    assert hop(jobs).status == "left"
    assert hop(jobs, tries=1).status == "ended"
    assert _entry(jobs, 1).totals.doubts == 1


def test_a_claim_whose_answer_was_lost_is_our_own(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.at("put bulk", fails(LOST), after=True)
    assert hop(jobs).status == "ended"


def test_a_hop_without_its_job_leaves(jobs: Jobs) -> None:
    jobs.put("a")
    assert hop(jobs).status == "left"
    jobs.run()
    assert hop(jobs).status == "left"
    assert counted(jobs, "copy") == 1


def test_a_hop_of_an_older_generation_leaves(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.tools().of(JOB).restart(ROOT, 7)
    assert hop(jobs).status == "superseded"
    assert hop(jobs, Walk(JOB, Range(), generation=7)).status == "ended"


def test_who_loses_an_entry_leaves(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()

    def other() -> None:
        jobs.tools().of(JOB).log.append((), 1, Entry("other", "end", None, None, Totals()))

    jobs.cloud.at("copy", other)
    assert hop(jobs).status == "left"
    assert _entry(jobs, 1).kind == "end"


@pytest.mark.usefixtures("narrow")
def test_a_hop_goes_on_after_the_newest_entry(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.begin()
    jobs.tools().of(JOB).log.append((), 1, Entry("other", "rows", None, "in/b", Totals(copied=2)))
    hop(jobs)
    assert copied(jobs) == {"c", "d"}
    assert _entry(jobs, 2).totals.copied == 4


@pytest.mark.usefixtures("narrow")
def test_a_hop_with_no_time_left_hands_over(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.begin()
    jobs.cloud.at("put bulk", lambda: jobs.cloud.sleep(48), nth=3, after=True)
    assert hop(jobs).status == "handed over"
    assert copied(jobs) == {"a", "b"}
    name, _, delay = jobs.cloud.submitted[-1]
    assert (name, delay) == (f"{JOB}-{ROOT}-g0-h2", 0)
    jobs.done = len(jobs.cloud.submitted) - 1
    jobs.drain()
    assert jobs.look(JOB).objects.succeeded == 4


def test_no_object_is_begun_that_may_not_be_done_in_time(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.begin()
    jobs.cloud.at("copy", lambda: jobs.cloud.sleep(30))
    assert hop(jobs).status == "handed over"
    assert copied(jobs) == {"a"}


def test_an_object_that_takes_too_long_is_left_to_the_next_hop(jobs: Jobs) -> None:
    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            jobs.cloud.time += timeout or 0.0
            return False

    jobs.put(*"ab")
    jobs.begin()
    until = jobs.tools().work_until
    jobs.cloud.start = _never_ends  # type: ignore[method-assign]  # of this one alone
    jobs.cloud.signal = Waiting  # type: ignore[method-assign]  # of this one alone
    assert hop(jobs).status == "handed over"
    assert abs(jobs.cloud.time - until) < 0.01


def _never_ends(work: Callable[[], None]) -> None:
    """Begin a thread that never ends."""


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _seconds_after_a_refusal(jobs: Jobs) -> float:
    """Copy 26 objects, the first of which is refused once; return the seconds that this takes."""
    jobs.put(*LETTERS)
    jobs.begin()
    begun = jobs.cloud.time
    jobs.cloud.at("copy", fails(BUSY))
    hop(jobs)
    assert copied(jobs) == set(LETTERS)
    return jobs.cloud.time - begun


def test_copies_wait_where_one_of_them_is_refused(jobs: Jobs) -> None:
    assert _seconds_after_a_refusal(jobs) > 0.5


@pytest.mark.usefixtures("narrow")
def test_a_page_begins_with_the_pace_of_the_one_before(jobs: Jobs) -> None:
    assert _seconds_after_a_refusal(jobs) > 0.5


def test_a_hop_that_could_do_nothing_hands_over_with_a_pause(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.broken["copy"] = BUSY
    assert hop(jobs).status == "handed over"
    assert jobs.cloud.submitted[-1][2] == walk.PAUSE


def test_an_entry_ends_after_half_a_minute(jobs: Jobs) -> None:
    jobs.timeout = 600
    jobs.put(*(f"{number:04}" for number in range(2000)))
    jobs.begin()
    jobs.cloud.at("copy", lambda: jobs.cloud.sleep(31), nth=1000)
    hop(jobs)
    assert len(_entry(jobs, 1).rows) == 1000


def test_the_first_entry_of_a_range_is_short_where_others_may_help(jobs: Jobs) -> None:
    jobs.workers = 2
    jobs.put(*(f"{number:04}" for number in range(2000)))
    jobs.begin()
    jobs.drain(1)
    assert len(_entry(jobs, 1).rows) == 1000


# --- chains ------------------------------------------------------------------------------------------------


def test_a_job_waits_for_its_chains(jobs: Jobs) -> None:
    jobs.put("large", size=LARGE)
    jobs.begin()
    jobs.drain(1)
    task, payload, _ = next(each for each in jobs.cloud.submitted if "settle" in each[0])
    carry_out(jobs.tools(), payload, 0)
    look = jobs.look(JOB)
    assert (look.status, look.chains, look.objects.total) == ("running", 1, 0)
    name, _, delay = jobs.cloud.submitted[-1]
    assert (name, delay) == (task.replace("-h1", "-h2"), 30)
    jobs.drain()
    assert jobs.look(JOB).objects.succeeded == 1


def test_who_finds_the_newest_entry_begins_its_chains_again(jobs: Jobs) -> None:
    jobs.put("large", size=LARGE)
    jobs.begin()
    jobs.cloud.at("put rest", fails(Refused("X", "the invocation dies here")))
    with pytest.raises(Refused):
        hop(jobs)
    assert not [name for name, _, _ in jobs.cloud.submitted if name.startswith("l-")]
    assert hop(jobs, tries=1).status == "ended"
    lists = {name for name, _, _ in jobs.cloud.submitted if name.startswith("l-")}
    assert len(lists) == 1
    hop(jobs, tries=2)
    assert {name for name, _, _ in jobs.cloud.submitted if name.startswith("l-")} == lists


def in_flight(jobs: Jobs) -> int:
    """Chains that are on a list or on record as open, and have not ended."""
    lists = [body for name, (_, body) in jobs.cloud.records.items() if name.startswith("rest/")]
    waiting = {each["job"] for body in lists for each in json.loads(body)["copies"]}
    begun = {name.partition("/")[2] for name in jobs.cloud.records if name.startswith("open/")}
    ended = {name.rpartition("/")[2] for name in jobs.cloud.records if "/copy/" in name}
    return len((waiting | begun) - ended)


@pytest.mark.parametrize("most", [1, 3])
def test_as_many_chains_are_in_flight_as_are_allowed_and_all_end(jobs: Jobs, most: int) -> None:
    jobs.chains = most
    jobs.put(*(f"large-{number}" for number in range(7)), size=LARGE)
    jobs.put("small")
    jobs.begin()
    seen = []
    for _ in range(100):
        if jobs.done < len(jobs.cloud.submitted):
            jobs.drain_one()
            seen.append(in_flight(jobs))
    assert max(seen) == most
    assert jobs.look(JOB).objects.succeeded == 8
    assert len(jobs.rows(JOB)) == 8


def test_a_walker_without_room_looks_again_later_and_later(jobs: Jobs) -> None:
    jobs.chains = 1
    jobs.put("a", "b", size=LARGE)
    jobs.begin()
    jobs.drain(1)
    waits = []
    for number in range(2, 9):
        hop(jobs, Walk(JOB, Range(), hop=number))
        _, body, delay = jobs.cloud.submitted[-1]
        assert events.parse(body, events.Arrival("r", results_moment(jobs)), ()) == Walk(
            JOB, Range(), hop=number + 1
        )
        jobs.cloud.time += delay
        waits.append(delay)
    assert waits == [5, 5, 10, 20, 40, 60, 60]
    assert counted(jobs, "initiate") == 0


def test_chains_of_a_job_that_is_to_end_do_not_wait(jobs: Jobs) -> None:
    jobs.chains = 1
    jobs.put("a", "b", "c", size=LARGE)
    jobs.begin()
    jobs.drain(1)
    assert in_flight(jobs) == 1
    many(jobs).cancel(JOB)
    assert hop(jobs, Walk(JOB, Range(), hop=2)).status == "ended"
    assert in_flight(jobs) == 3
    jobs.drain()
    result = jobs.look(JOB)
    assert (result.status, result.chains, copied(jobs)) == ("cancelled", 0, set())


def test_nothing_is_asked_about_chains_where_there_are_none(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.drain(1)
    assert not [each for each in jobs.cloud.asked if each.startswith("list bulk") and "/chain/" in each]


def test_chains_that_were_handed_over_by_a_hop_that_died_are_begun_once(jobs: Jobs) -> None:
    jobs.put("a", "b", size=LARGE)
    jobs.begin()

    def dies() -> None:
        raise Refused("X", "the invocation dies here")

    jobs.cloud.at("submit", dies)
    with pytest.raises(Refused):
        jobs.drain(1)
    hop(jobs, tries=1)
    jobs.drain()
    assert jobs.look(JOB).objects.succeeded == 2
    assert counted(jobs, "initiate") == 2


def test_chains_are_no_jobs_of_a_list_and_can_be_asked_for(jobs: Jobs) -> None:
    jobs.put("large", size=LARGE)
    jobs.run()
    queries = Queries(jobs.tools().context, _journal(jobs))
    (only,) = queries.page(None, 50, "").copies
    assert only.job == JOB
    child = jobs.rows(JOB)["in/large"]["copy"]
    assert queries.look(child).status == "succeeded"
    assert not [name for name in jobs.cloud.records if name.startswith("done/c-")]


def test_a_running_job_is_listed_too(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    queries = Queries(jobs.tools().context, _journal(jobs))
    assert [each.job for each in queries.page("running", 50, "").copies] == [JOB]
    assert queries.page("failed", 50, "").copies == ()


def _journal(jobs: Jobs) -> RecordJournal:
    journal: Any = jobs.tools().context.journal
    assert isinstance(journal, RecordJournal)
    return journal


# --- stopping ----------------------------------------------------------------------------------------------


def many(jobs: Jobs) -> Many:
    return Many(jobs.tools())


@pytest.mark.usefixtures("narrow")
def test_a_cancel_stops_the_walk_within_a_page(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.begin()
    jobs.cloud.at("copy", lambda: many(jobs).cancel(JOB))
    jobs.drain()
    result = jobs.look(JOB)
    assert result.status == "cancelled"
    assert copied(jobs) == {"a", "b"}
    assert set(jobs.rows(JOB)) == {"in/a", "in/b"}
    assert many(jobs).cancel(JOB).status == "cancelled"


def test_a_cancel_ends_chains(jobs: Jobs) -> None:
    jobs.put("large", size=LARGE)
    jobs.begin()
    jobs.drain(1)
    many(jobs).cancel(JOB)
    jobs.drain()
    assert jobs.look(JOB).status == "cancelled"
    assert jobs.statuses(JOB) == {"large": "failed cancelled"}
    assert copied(jobs) == set()


def test_there_is_nothing_to_cancel_or_look_at(jobs: Jobs) -> None:
    for question in (many(jobs).cancel, many(jobs).look):
        with pytest.raises(Refused) as refusal:
            question(JOB)
        assert refusal.value.code == "NoSuchJob"
    assert not jobs.cloud.records


@pytest.mark.usefixtures("narrow")
def test_too_many_failures_stop_the_job_and_it_keeps_its_report(jobs: Jobs) -> None:
    jobs.put(*"abcdef")
    jobs.cloud.broken["copy"] = DENIED
    asked = request(max_failures=3)
    result = jobs.run(asked)
    assert (result.status, result.error and result.error.code) == ("failed", "TooManyFailures")
    assert result.objects.failed == 4
    assert len(jobs.rows(job_of(asked).job)) == 4


@pytest.mark.usefixtures("narrow")
def test_as_many_failures_as_are_allowed_do_not_stop_it(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.cloud.broken["copy"] = DENIED
    result = jobs.run(request(max_failures=4))
    assert (result.error and result.error.code, result.objects.failed) == ("ObjectsFailed", 4)


def test_failures_of_one_entry_count_once(jobs: Jobs) -> None:
    log = jobs.tools().of(JOB).log
    assert log.fail((), 1, 3) == 3
    assert log.fail((), 1, 2) == 3
    assert log.fail((), 2, 2) == 5


def test_a_job_that_may_read_nothing_stops_at_once(jobs: Jobs) -> None:
    jobs.workers = 2
    jobs.put(*(f"{number:04}" for number in range(1500)))
    jobs.cloud.broken["copy"] = DENIED
    result = jobs.run(request(max_failures=5000))
    assert (result.error and result.error.code, result.objects.failed) == ("AccessDenied", 1000)
    some = Jobs()
    some.put(*(f"{number:04}" for number in range(1500)))
    for nth in range(2, 1501):
        some.cloud.at("copy", fails(DENIED), nth=nth)
    assert some.run(request(max_failures=5000)).objects.failed == 1499


@pytest.mark.parametrize("asked", ["copy", "list source"])
def test_a_bucket_that_is_gone_stops_the_job(jobs: Jobs, asked: str) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.broken[asked] = GONE
    jobs.drain()
    result = jobs.look(JOB)
    assert (result.status, result.error and result.error.code) == ("failed", "NoSuchBucket")


# --- width -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("narrow")
def test_what_is_left_is_split_and_joined_again(jobs: Jobs) -> None:
    jobs.workers = 4
    jobs.put(*(f"{number:03}" for number in range(40)))
    result = jobs.run()
    assert result.objects.total == result.objects.succeeded == 40
    assert result.ranges is not None
    assert result.ranges.done > 2
    assert len(jobs.rows(JOB)) == 40
    assert counted(jobs, "copy") == 40


@pytest.mark.usefixtures("narrow")
def test_one_worker_splits_nothing(jobs: Jobs) -> None:
    jobs.put(*(f"{number:03}" for number in range(40)))
    jobs.run(request(max_workers=1))
    assert not [name for name in jobs.cloud.records if "/of-" in name]


@pytest.mark.usefixtures("narrow")
def test_children_are_submitted_by_who_finds_the_split(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)))
    jobs.begin()
    for number in (1, 2, 3):
        jobs.cloud.at("submit", fails(Refused("X", "the invocation dies here")), nth=number)
    with pytest.raises(Refused):
        hop(jobs)
    assert jobs.cloud.submitted[1:] == []
    assert hop(jobs, tries=1).status == "split"
    assert len(jobs.cloud.submitted) == 1 + 3


@pytest.mark.usefixtures("narrow")
def test_a_range_whose_children_have_ended_is_joined_by_who_comes_again(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)))
    jobs.begin()
    jobs.drain(1)
    for index, child in enumerate(_entry(jobs, 2).children):
        hop(jobs, Walk(JOB, child))
        if index == 0:
            assert f"bulk/{JOB}/ended/copy/0" not in jobs.cloud.records
    jobs.cloud.records.pop(f"bulk/{JOB}/ended/copy/0")
    hop(jobs, Walk(JOB, Range(), hop=2))
    assert f"bulk/{JOB}/ended/copy/0" in jobs.cloud.records


@pytest.mark.usefixtures("narrow")
def test_how_a_job_stands_is_the_sum_of_its_ranges(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)))
    jobs.begin()
    assert jobs.look(JOB).objects.total == 0
    jobs.drain(1)
    look = jobs.look(JOB)
    assert look.objects.total == 2
    assert (look.ranges and look.ranges.open, look.ranges and look.ranges.done) == (3, 0)
    first, *others = _entry(jobs, 2).children
    hop(jobs, Walk(JOB, first))
    look = jobs.look(JOB)
    assert (look.ranges and look.ranges.open, look.ranges and look.ranges.done) == (2, 1)
    for each in others:
        hop(jobs, Walk(JOB, each))
    jobs.drain()
    assert jobs.look(JOB).objects.total == 12


def told(jobs: Jobs) -> tuple[int | None, bool | None]:
    look = jobs.look(JOB)
    return look.eta_seconds, look.eta_at_least


@pytest.mark.usefixtures("narrow")
def test_the_seconds_left_count_the_next_page_of_each_open_range(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)), "x.tmp")
    only_some = request(filters=Filters(exclude=("*.tmp",)))
    job = jobs.begin(only_some).job or ""
    look = jobs.look(job)
    assert (look.rate, look.eta_seconds, look.eta_at_least) == (0.0, None, True)
    jobs.drain(1)
    jobs.cloud.time = results.unix(look.started_at or "") + 20  # two objects in 20 s, three ranges
    look = jobs.look(job)
    assert (look.rate, look.eta_seconds, look.eta_at_least) == (0.1, 60, True)
    listing.PAGE = 1000
    look = jobs.look(job)
    assert (look.eta_seconds, look.eta_at_least) == (100, False)  # without the excluded one
    jobs.drain()
    assert (jobs.look(job).eta_seconds, jobs.look(job).eta_at_least) == (None, None)


def test_what_a_range_has_done_is_not_left(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    jobs.begin()
    jobs.tools().of(JOB).log.append((), 1, Entry("n", "rows", None, "in/c", Totals(copied=3)))
    jobs.cloud.time = results.unix(jobs.look(JOB).started_at or "") + 30
    assert told(jobs) == (10, False)


def test_how_a_job_stands_is_told_without_what_a_look_does_not_tell(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.workers = 3
    jobs.put("a", "b", "c")
    jobs.begin()
    jobs.cloud.broken["list source"] = GONE
    assert told(jobs) == (None, True)
    jobs.cloud.broken.clear()
    monkeypatch.setattr(ahead, "LOOKS", 0)
    found = ahead.ahead(jobs.tools(), job_there(jobs), [Range()])
    assert (found.objects, found.more) == (0, True)


def job_there(jobs: Jobs) -> BulkJob:
    found = jobs.tools().of(JOB).job()
    assert found is not None
    return found


def test_a_job_with_open_chains_says_at_least(jobs: Jobs) -> None:
    jobs.put("small")
    jobs.put("large", size=LARGE)
    jobs.begin()
    jobs.drain(1)
    look = jobs.look(JOB)
    assert (look.chains, look.eta_seconds, look.eta_at_least) == (1, 0, True)


@pytest.mark.parametrize(("pack", "expected"), [(bytes, (3, False)), (gzip.compress, (0, True))])
def test_the_lines_that_are_left_of_a_manifest_are_estimated(pack: Any, expected: tuple[int, bool]) -> None:
    jobs = Jobs()
    line = b"src-bucket,in/a\n"
    source = jobs.list(pack(line * 6))
    job = jobs.begin(request(source=source)).job or ""
    entry = jobs.tools().of(job).job()
    assert entry is not None
    left = Range((), bulk.position(3 * len(line)), None)
    found = ahead.ahead(jobs.tools(), entry, [left])
    assert (found.objects, found.more) == expected
    over = ahead.ahead(jobs.tools(), entry, [Range((), bulk.position(6 * len(line)), None)])
    assert over.objects == 0


@pytest.mark.usefixtures("narrow")
def test_a_cut_needs_a_key_after_the_last_one(jobs: Jobs) -> None:
    jobs.put("a", "b", "c", "x", "y", "zz")
    jobs.begin()
    tools = jobs.tools()
    job = tools.of(JOB).job()
    assert job is not None
    assert listing.PrefixPages(tools, job, Range()).cuts("in/zz", 2) == ()
    assert listing.PrefixPages(tools, job, Range((), None, "in/b")).cuts("in/b", 2) == ()
    at = listing.PrefixPages(tools, job, Range()).cuts("in/a", 3)
    assert len(at) == 2
    assert "in/a" < at[0] < at[1] < "in/zz"
    held = listing.PrefixPages(tools, job, Range((), None, "in/y")).cuts("in/a", 2)
    assert [each < "in/y" for each in held] == [True]


# --- the start ---------------------------------------------------------------------------------------------


def code(result: Any) -> str | None:
    return result.error.code if result.error else None


def test_a_source_without_objects_is_refused_before_anything_is_written(jobs: Jobs) -> None:
    assert code(jobs.begin()) == "EmptySource"
    assert not jobs.cloud.records
    assert jobs.run(request(allow_empty=True)).status == "succeeded"


@pytest.mark.parametrize("side", ["list source", "list there"])
def test_a_bucket_that_is_not_there_is_refused_before_anything_is_written(jobs: Jobs, side: str) -> None:
    jobs.put("a")
    jobs.cloud.broken[side] = GONE
    result = jobs.begin()
    assert code(result) == "NoSuchBucket"
    assert result.error is not None
    assert result.error.field == ("source.bucket" if side == "list source" else "destination.bucket")
    assert not jobs.cloud.records


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_workers": 2}, "maxWorkers"),
        (
            {
                "source": BulkSource(bucket=STATE, prefix=""),
                "destination": BulkDestination(bucket=DST, prefix=""),
            },
            "source.prefix",
        ),
        ({"destination": BulkDestination(bucket=STATE, prefix="")}, "destination.prefix"),
        ({"destination": BulkDestination(bucket=REPORT, prefix="")}, "destination.prefix"),
        ({"report": ReportPlace(STATE, "s/bulk/")}, "report.prefix"),
    ],
)
def test_places_of_records_and_reports_are_not_copied(
    jobs: Jobs, changes: dict[str, Any], field: str
) -> None:
    jobs.put("a")
    result = jobs.begin(request(**changes))
    assert (result.status, result.error and result.error.field) == ("failed", field)
    assert not jobs.cloud.records


def test_a_prefix_that_is_not_allowed_as_a_whole_is_refused(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.forbidden = frozenset({SRC})
    assert code(jobs.begin()) == "NotAllowed"
    assert not jobs.cloud.records


def test_a_report_that_cannot_be_written_is_refused_before_the_first_copy(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.broken["write file"] = DENIED
    assert code(jobs.begin()) == "AccessDenied"
    assert not jobs.cloud.records


def test_the_same_places_are_one_job_at_a_time(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    with pytest.raises(bulk_start.AlreadyRunning) as refusal:
        jobs.begin(occurrence="two")
    assert refusal.value.job == JOB
    skipped = bulk_start.skipped(job_of(request(), "two"), refusal.value)
    assert (skipped.status, code(skipped)) == ("skipped", "AlreadyRunning")
    jobs.drain()
    assert jobs.run(occurrence="two").status == "succeeded"
    assert jobs.run(occurrence="three").status == "succeeded"


def test_places_are_the_same_whether_a_prefix_is_said_or_left_to_be_the_source_s(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin(request(destination=BulkDestination(bucket=DST)))
    with pytest.raises(bulk_start.AlreadyRunning):
        jobs.begin(request(destination=BulkDestination(bucket=DST, prefix="in/")))


def _turns(jobs: Jobs) -> list[int]:
    """Return the numbers of the turns on record."""
    names = [name for name in jobs.cloud.records if name.startswith("turn/")]
    return sorted(bulk.LAST - int(name.rpartition("/")[2]) for name in names)


def test_turns_are_forgotten_with_their_jobs_but_for_the_newest(jobs: Jobs) -> None:
    jobs.put("a")
    for occurrence in ("one", "two", "three"):
        jobs.run(occurrence=occurrence)
    assert _turns(jobs) == [1, 2, 3]
    jobs.sweep()
    assert _turns(jobs) == [3]
    jobs.run(occurrence="four")
    assert _turns(jobs) == [3, 4]


def test_turns_of_jobs_that_are_not_forgotten_yet_stay(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.run(occurrence="one")
    jobs.cloud.time += 400
    for occurrence in ("two", "three"):
        jobs.run(occurrence=occurrence)
    jobs.sweep(0)
    assert _turns(jobs) == [2, 3]


def test_a_turn_that_another_job_takes_at_that_moment_is_lost(jobs: Jobs) -> None:
    jobs.put("a")

    def other() -> None:
        jobs.begin(occurrence="two")

    jobs.cloud.at("put turn", other)
    with pytest.raises(bulk_start.AlreadyRunning):
        jobs.begin()


def test_a_job_that_never_got_its_record_is_over_in_the_end(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.at("put bulk", fails(Transient("X", "no")))
    jobs.cloud.broken["put bulk"] = Transient("X", "no")
    with pytest.raises(Transient):
        jobs.begin(occurrence="two")
    jobs.cloud.broken.clear()
    with pytest.raises(bulk_start.AlreadyRunning):
        jobs.begin()
    jobs.cloud.time += 1000
    assert jobs.begin().status == "running"


def test_a_job_whose_source_has_been_emptied_meanwhile_goes_on_when_its_event_comes_again(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.objects.clear()
    assert jobs.begin().status == "running"


def test_an_event_that_comes_again_is_the_same_job(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.submitted.clear()  # it died before
    assert jobs.begin().status == "running"
    assert len(jobs.cloud.submitted) == 1
    jobs.drain()
    asked, files = len(jobs.cloud.submitted), dict(jobs.cloud.files)
    assert jobs.begin().status == "succeeded"
    assert len(jobs.cloud.submitted) == asked
    assert jobs.cloud.files == files, "its summary is written again"


def test_a_job_that_died_before_its_record_begins_when_its_event_comes_again(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.cloud.broken["put bulk"] = Refused("X", "and again")
    assert code(jobs.begin()) == "X"
    assert _turns(jobs) == [1]
    jobs.cloud.broken.clear()
    assert jobs.begin().status == "running"
    assert _turns(jobs) == [1]


def test_a_key_stands_for_one_request(jobs: Jobs) -> None:
    jobs.put("a")
    first = many(jobs).start_once("key", job_of(request()))
    assert many(jobs).start_once("key", job_of(request())).job == first.job
    with pytest.raises(Refused) as refusal:
        many(jobs).start_once("key", job_of(request(overwrite="always")))
    assert refusal.value.code == "IdempotencyKeyReused"


def test_a_job_that_has_ended_is_asked_for_again(jobs: Jobs) -> None:
    jobs.put("a")
    arrival = events.Arrival("r", results_moment(jobs))
    jobs.begin()
    with pytest.raises(Refused) as refusal:
        many(jobs).resubmit(JOB, "all", "x", arrival)
    assert refusal.value.code == "StillRunning"
    jobs.drain()
    again = many(jobs).resubmit(JOB, "all", "x", arrival)
    assert again.status == "running"
    assert again.job != JOB


def failed_of(result: BulkResult) -> tuple[str, str]:
    """Return the bucket and key of the list of what failed."""
    place = result.report or ReportPlace("")
    return place.bucket, f"{place.prefix}failed.csv.gz"


@pytest.mark.parametrize("place", [ReportPlace(REPORT, "r/"), None])
def test_what_failed_is_asked_for_again_alone(jobs: Jobs, place: ReportPlace | None) -> None:
    jobs.put(*"abc")
    jobs.cloud.at("copy", fails(DENIED), nth=2)
    first = jobs.run(request(report=place))
    assert (first.objects.failed, counted(jobs, "copy")) == (1, 3)
    jobs.forbidden = frozenset({failed_of(first)[1]})
    again = many(jobs).resubmit(first.job or "", "failed", "x", events.Arrival("r", results_moment(jobs)))
    jobs.drain()
    result = jobs.look(again.job or "")
    assert (result.status, result.objects.succeeded, result.objects.total) == ("succeeded", 1, 1)
    assert copied(jobs) == {"a", "b", "c"}
    assert counted(jobs, "copy") == 4


def reported(job: str | None, **changes: Any) -> BulkRequest:
    source = BulkSource(report=Former(job or ""))
    return request(source=source, destination=BulkDestination(bucket=DST), **changes)


def test_a_report_is_a_source_of_its_own(jobs: Jobs) -> None:
    jobs.put(*"abc")
    jobs.cloud.at("copy", fails(DENIED), nth=2)
    first = jobs.run()
    result = jobs.run(reported(first.job))
    assert (result.status, result.objects.succeeded, result.objects.total) == ("succeeded", 1, 1)
    assert copied(jobs) == {"a", "b", "c"}
    jobs.cloud.time += 10
    again = many(jobs).resubmit(result.job or "", "all", "x", events.Arrival("r", results_moment(jobs)))
    jobs.drain()
    assert jobs.look(again.job or "").objects.skipped == 1


@pytest.mark.parametrize(
    ("destination", "made"),
    [
        (BulkDestination(bucket=DST), "out/b"),
        (BulkDestination(bucket=DST, prefix="other/"), "other/b"),
        (BulkDestination(bucket=DST, key="flat-{name}"), "flat-b"),
    ],
)
def test_keys_of_a_report_are_mapped_as_its_job_did_unless_the_destination_says_otherwise(
    jobs: Jobs, destination: BulkDestination, made: str
) -> None:
    jobs.put("b")
    jobs.cloud.at("copy", fails(DENIED))
    first = jobs.run()
    jobs.run(replace(reported(first.job), destination=destination))
    assert {key for bucket, key in jobs.cloud.objects if bucket == DST} == {made}


def test_a_report_of_objects_that_are_all_missing_is_no_other_manifest(jobs: Jobs) -> None:
    first = jobs.run(request(source=jobs.list(b"src-bucket,in/x\n"), allow_missing=True))
    assert first.objects.missing == 1
    assert code(jobs.run(reported(first.job))) == "ObjectsFailed"


def test_a_report_that_names_nothing_is_refused_before_anything_is_written(jobs: Jobs) -> None:
    jobs.put("a")
    assert code(jobs.begin(reported("b-" + "0" * 32))) == "NoSuchJob"
    assert not jobs.cloud.records
    first = jobs.begin()
    before = set(jobs.cloud.records)
    assert code(jobs.begin(reported(first.job))) == "StillRunning"
    jobs.drain()
    before = set(jobs.cloud.records)
    empty = jobs.begin(reported(first.job))
    assert (code(empty), empty.error and empty.error.field) == ("EmptySource", "source.report")
    mixed = replace(
        reported(first.job, allow_empty=True), destination=BulkDestination(bucket=DST, prefix="x")
    )
    assert code(jobs.begin(mixed)) == "InvalidField"
    listed = jobs.cloud.objects.pop(failed_of(first))
    gone = jobs.begin(reported(first.job, allow_empty=True))
    assert (code(gone), gone.error and gone.error.field) == ("NoSuchKey", "source.report")
    assert set(jobs.cloud.records) == before
    jobs.cloud.objects[failed_of(first)] = listed
    assert jobs.run(reported(first.job, allow_empty=True), "two").status == "succeeded"


def test_a_report_that_was_lost_is_no_source(jobs: Jobs) -> None:
    jobs.put("a")
    first = jobs.begin()
    jobs.cloud.broken["write file"] = DENIED
    jobs.drain()
    assert code(jobs.look(first.job or "")) == "ReportFailed"
    assert code(jobs.begin(reported(first.job))) == "ReportFailed"


def results_moment(jobs: Jobs) -> Any:
    return datetime.fromtimestamp(jobs.cloud.time, timezone.utc)


def test_a_job_that_fc_gave_up_is_submitted_again_some_times(jobs: Jobs) -> None:
    asked = job_of(request())
    tools = jobs.tools()
    assert resume_dropped(tools.context, tools.records, Dropped((asked,), "x", "r")) == 1
    assert jobs.cloud.submitted[-1][0] == f"{JOB}-d1"
    last = replace(asked, drops=3)
    assert resume_dropped(tools.context, tools.records, Dropped((last,), "x", "r")) == 0
    assert jobs.cloud.events("bulkDropped")


# --- the end -----------------------------------------------------------------------------------------------


def test_a_report_whose_place_is_lost_fails_the_job(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.cloud.broken["write file"] = DENIED
    jobs.drain()
    assert code(jobs.look(JOB)) == "ReportFailed"
    late = Jobs()
    late.put("a")
    late.begin()
    late.cloud.at("write file", fails(DENIED), nth=2)
    late.drain()
    assert code(late.look(JOB)) == "ReportFailed"


def summary_of(jobs: Jobs, job: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jobs.cloud.files[f"r/{job}/summary.json"])
    return found


@pytest.mark.usefixtures("narrow")
def test_the_summary_has_the_figures_of_all_ranges(jobs: Jobs) -> None:
    jobs.workers = 4
    jobs.put(*(f"{number:03}" for number in range(20)))
    jobs.put("large", size=LARGE)
    jobs.cloud.at("copy", fails(DENIED), nth=2)
    result = jobs.run(request(encryption="keep"))
    found = summary_of(jobs, result.job)
    assert {name: found[name] for name in ("job", "status", "finishedAt")} == {
        "job": result.job,
        "status": result.status,
        "finishedAt": result.finished_at,
    }
    assert found["requests"]["put"] - found["chainRequests"]["put"] == 20
    assert found["requests"]["get"] - found["chainRequests"]["get"] >= 20
    assert found["chainRequests"]["put"] == 4 + 6
    assert found["invocations"] > result.ranges.done if result.ranges else False
    assert found["cost"] is None
    assert found["advice"].keys() == {"AccessDenied"}
    assert 1 < len(found["slowest"]) <= 5
    assert sum(each["objects"] for each in found["slowest"]) <= 21


def test_whoever_closes_a_job_again_writes_the_summary_that_is_on_record(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.drain(1)

    def dies() -> None:
        jobs.cloud.time += 100
        raise Refused("X", "the invocation dies here")

    jobs.cloud.at("put done", dies)
    with pytest.raises(Refused):
        jobs.drain()
    first = summary_of(jobs, JOB)
    jobs.sweep()
    jobs.drain()
    assert summary_of(jobs, JOB) == first
    assert jobs.look(JOB).finished_at == first["finishedAt"]


@pytest.mark.usefixtures("narrow")
def test_files_of_a_report_have_a_size_that_they_do_not_pass(jobs: Jobs) -> None:
    kept, report.MOST_BYTES = report.MOST_BYTES, 200
    try:
        jobs.put(*(f"{number:03}" for number in range(20)))
        jobs.run()
    finally:
        report.MOST_BYTES = kept
    listed = json.loads(jobs.cloud.files[f"r/{JOB}/manifest.json"])
    assert len(listed["files"]) > 1
    assert sum(file["rows"] for file in listed["files"]) == len(jobs.rows(JOB)) == 20


def test_without_a_place_the_report_is_among_the_records(jobs: Jobs) -> None:
    jobs.put("a")
    asked = request(report=None)
    result = jobs.run(asked)
    assert result.report == ReportPlace(STATE, f"s/reports/{job_of(asked).job}/")


def test_a_look_at_chains_leaves_when_it_is_done_already_or_too_early(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    assert settle(jobs).status == "running"
    assert settle(jobs, job="b-" + "0" * 32).status == "running"
    jobs.drain()
    assert settle(jobs).status == "succeeded"
    files = dict(jobs.cloud.files)
    assert settle(jobs, hop=9).status == "succeeded"
    assert jobs.cloud.files == files


def settle(jobs: Jobs, job: str = JOB, **fields: Any) -> Any:
    return carry_out(jobs.tools(), events.encode(Settle(job, **fields)), 0)


class _Told(Jobs):
    """Jobs in whose cloud somebody is told of failures."""

    def tools(self) -> Tools:
        made, cloud = super().tools(), self.cloud
        made.context.outbox = TellingOutbox(made.records, cloud, cloud, cloud.log, "failed", set())
        return made


@pytest.mark.parametrize("is_denied", [True, False])
def test_that_a_job_has_failed_is_to_be_told_on_record_before_its_outcome(is_denied: bool) -> None:
    jobs = _Told()
    jobs.put("a")
    if is_denied:
        jobs.cloud.broken["copy"] = DENIED
    jobs.begin()
    jobs.drain(1)
    assert settle(jobs).status == ("failed" if is_denied else "succeeded")
    asked = [each.partition(" b-")[0] for each in jobs.cloud.asked]
    at = asked.index("put done")
    told = ["put tell", "put done", f"submit tell-{int(jobs.cloud.time) // news.WINDOW}"]
    assert (asked[at - 1 : at + 2] == told) == is_denied
    assert any("tell" in each for each in asked) == is_denied
    assert (f"tell/{JOB}" in jobs.cloud.records) == is_denied


def test_a_look_that_comes_twice_or_late_leaves(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.drain(1)
    assert jobs.tools().of(JOB).claim(Settle(JOB), 0)
    assert settle(jobs).status == "running"
    jobs.tools().of(JOB).restart("settle", 5)
    assert settle(jobs, hop=2).status == "running"
    assert settle(jobs, generation=5).status == "succeeded"


# --- the sweep ---------------------------------------------------------------------------------------------


def test_the_sweep_starts_a_range_that_stands_still(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.done = 1  # FC has lost the first hop
    assert jobs.sweep(10).resumed == 0
    assert jobs.sweep().resumed == 1
    assert jobs.sweep(10).resumed == 0
    jobs.drain()
    assert jobs.look(JOB).status == "succeeded"


@pytest.mark.usefixtures("narrow")
def test_the_sweep_starts_what_was_split(jobs: Jobs) -> None:
    jobs.workers = 3
    jobs.put(*(f"{number:03}" for number in range(12)))
    jobs.begin()
    jobs.drain(1)
    jobs.done = len(jobs.cloud.submitted)
    assert jobs.sweep().resumed == 1
    assert len(jobs.cloud.submitted) - jobs.done == 3
    jobs.drain()
    assert jobs.look(JOB).objects.succeeded == 12


def test_the_sweep_enters_what_follows_the_end(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.drain(1)
    jobs.done = len(jobs.cloud.submitted)
    jobs.sweep()
    jobs.drain()
    assert jobs.look(JOB).status == "succeeded"


def test_a_job_is_forgotten_when_nothing_can_take_effect_any_more(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.put("large", size=LARGE)
    jobs.run()
    assert jobs.sweep(10).forgotten == 0
    assert jobs.cloud.records.keys() & {f"bulk/{JOB}/job"}
    jobs.sweep()
    jobs.sweep()
    assert not [name for name in jobs.cloud.records if name.startswith(("bulk/", "gen/", "open/", "up/"))]
    assert jobs.look(JOB).status == "succeeded"
    assert f"r/{JOB}/manifest.json" in jobs.cloud.files


def test_a_job_is_not_forgotten_before_its_chains(jobs: Jobs) -> None:
    jobs.put("large", size=LARGE)
    jobs.run()
    child = jobs.rows(JOB)["in/large"]["copy"]
    assert f"open/{child}" in jobs.cloud.records
    jobs.sweep()
    assert f"bulk/{JOB}/copy/{child}" in jobs.cloud.records
    jobs.sweep()
    assert not [name for name in jobs.cloud.records if name.startswith(("bulk/", "open/"))]


def test_what_a_late_hop_has_written_is_deleted(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.run()
    jobs.sweep()
    jobs.sweep()
    jobs.cloud.records[f"bulk/{JOB}/hop/late"] = (int(jobs.cloud.time), b"{}")
    jobs.cloud.records[f"bulk/b-{'1' * 32}/hop/late"] = (int(jobs.cloud.time), b"{}")
    jobs.sweep()
    assert not [name for name in jobs.cloud.records if name.startswith("bulk/")]


def test_a_job_that_cannot_be_looked_at_stops_no_other(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin()
    jobs.done = 1
    jobs.cloud.records[f"bulk/b-{'0' * 32}/job"] = (0, b"no JSON")
    swept = jobs.sweep()
    assert (swept.failed, swept.resumed) == (1, 1)


# --- manifests ---------------------------------------------------------------------------------------------

CSV = b"bucket,key\nsrc-bucket,in/a\nsrc-bucket,in/b\n\nsrc-bucket,in/a\nsrc-bucket,in/z\nno row\n"


def manifest_of(text: bytes, encoding: Any = "url", workers: int = 1, **changes: Any) -> tuple[Jobs, Any]:
    """Return what a manifest comes to; objects `a` to `d` are there."""
    jobs = Jobs(workers)
    jobs.put(*"abcd")
    source = jobs.list(text)
    assert source.manifest is not None
    named = replace(source.manifest, encoding=encoding)
    return jobs, jobs.run(request(source=replace(source, manifest=named), **changes))


def lines_of(jobs: Jobs, result: Any) -> list[str]:
    """Return the rows of a report in their order."""
    found = []
    for file in json.loads(jobs.cloud.files[f"r/{result.job}/manifest.json"])["files"]:
        text = gzip.decompress(jobs.cloud.files[file["key"]]).decode()
        table = csv.DictReader(io.StringIO(text, newline=""))
        found += [f"{row['key']} {row['status']} {row['errorCode']}".strip() for row in table]
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_every_line_of_a_manifest_has_its_row(pack: Any, page: int) -> None:
    kept, manifest.PAGE = manifest.PAGE, page
    try:
        jobs, result = manifest_of(pack(CSV))
    finally:
        manifest.PAGE = kept
    rows = ["in/a copied", "in/b copied", "in/a copied", "in/z missing NoSuchKey", "failed BadLine"]
    assert lines_of(jobs, result) == rows
    assert (result.status, result.objects.missing, result.objects.failed) == ("failed", 1, 1)


def test_globs_take_whole_keys_of_a_manifest_and_what_they_leave_has_no_row() -> None:
    jobs, result = manifest_of(CSV, filters=Filters(include=("in/*",), exclude=("**/b",)))
    assert lines_of(jobs, result) == [
        "in/a copied",
        "in/a copied",
        "in/z missing NoSuchKey",
        "failed BadLine",
    ]
    assert (counted(jobs, "copy"), result.excluded) == (1, 1)


def test_what_a_manifest_names_is_copied_once_more_only_if_it_differs() -> None:
    text = b"src-bucket,in/a\nsrc-bucket,in/b\n"
    jobs, result = manifest_of(text)
    assert (result.status, counted(jobs, "copy")) == ("succeeded", 2)
    again = jobs.run(request(source=jobs.list(text)), "two")
    assert (again.objects.skipped, counted(jobs, "copy")) == (2, 2)


def test_a_line_without_a_bucket_is_a_bad_one() -> None:
    jobs, result = manifest_of(b'{"bucket":"src-bucket","key":"in/a"}\n{"key":"in/b"}\n')
    assert lines_of(jobs, result) == ["in/a copied", "in/b failed BadLine"]


def test_a_manifest_of_which_nothing_is_there_is_another_one() -> None:
    _, result = manifest_of(b"src-bucket,x\nsrc-bucket,y\n")
    assert code(result) == "ManifestMismatch"
    _, result = manifest_of(b"src-bucket,x\n", allow_missing=True)
    assert result.status == "succeeded"
    _, result = manifest_of(b"src-bucket,in/a\nsrc-bucket,in/z\n", allow_missing=True)
    assert result.status == "succeeded"


@pytest.mark.parametrize(
    "body", [gzip.compress(CSV)[:-9], gzip.compress(CSV)[:20] + b"x" * 20], ids=["short", "wrong"]
)
def test_a_gzip_that_is_damaged_stops_the_job(body: bytes) -> None:
    jobs = Jobs()
    jobs.put("a")
    begun = jobs.begin(request(source=jobs.list(body)))
    jobs.drain()
    assert code(jobs.look(begun.job or "")) == "ManifestDamaged"


def test_members_of_gzip_are_one_text() -> None:
    jobs, result = manifest_of(gzip.compress(CSV[:40]) + gzip.compress(CSV[40:]))
    assert len(lines_of(jobs, result)) == 5


def test_a_manifest_that_was_replaced_stops_the_job(jobs: Jobs) -> None:
    jobs.put("a")
    begun = jobs.begin(request(source=jobs.list(b"src-bucket,in/a\n")))
    jobs.list(b"src-bucket,in/a\nsrc-bucket,in/b\n")
    jobs.drain()
    assert code(jobs.look(begun.job or "")) == "PreconditionFailed"


@pytest.mark.parametrize("broken", ["head", "list there"])
def test_a_manifest_that_is_not_there_is_refused_before_anything_is_written(jobs: Jobs, broken: str) -> None:
    source = jobs.list(b"src-bucket,in/a\n")
    jobs.cloud.broken[broken] = Failed("NoSuchKey", "no", status=404)
    result = jobs.begin(request(source=source))
    assert result.error is not None
    assert result.error.field == ("source.manifest" if broken == "head" else "destination.bucket")
    assert not jobs.cloud.records


def test_an_empty_manifest_is_refused(jobs: Jobs) -> None:
    assert code(jobs.begin(request(source=jobs.list(b"")))) == "EmptySource"
    assert jobs.run(request(source=jobs.list(b""), allow_empty=True)).status == "succeeded"


def test_a_manifest_is_cut_at_line_starts(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"".join(b"src-bucket,in/%04d\n" % number for number in range(100))
    begun = jobs.begin(request(source=jobs.list(text)))
    tools = jobs.tools()
    job = tools.of(begun.job or "").job()
    assert job is not None
    asked = job.request.source.manifest
    assert asked is not None
    pages = manifest.ManifestPages(tools, job, Range(), asked)
    assert pages.cuts(bulk.position(19), 2) == ()  # too little for a range of its own
    monkeypatch.setattr(manifest, "LEAST", 0)
    fine = [int(each) for each in pages.cuts(bulk.position(19), 4)]
    assert len(set(fine)) == 3
    assert all(each % 19 == 0 and 19 < each < len(text) for each in fine)
    assert pages.cuts(bulk.position(len(text) - 19), 2) == ()
    (at,) = pages.cuts(bulk.position(19), 2)
    first = manifest.ManifestPages(tools, job, Range((0,), None, at), asked)
    second = manifest.ManifestPages(tools, job, Range((1,), at, None), asked)
    found = [*first.after(None).places, *second.after(at).places]
    assert len({each.position for each in found}) == len(found) == 100
    raw = replace(asked, encoding="none")
    assert manifest.ManifestPages(tools, job, Range(), raw).cuts(bulk.position(19), 2) == ()


def test_a_line_longer_than_a_piece_is_read() -> None:
    text = b"src-bucket,in/a\nsrc-bucket," + b"x" * 900 + b"\nsrc-bucket,in/b\n"
    kept, manifest.PIECE = manifest.PIECE, 100
    try:
        found, result = manifest_of(text)
    finally:
        manifest.PIECE = kept
    assert [each[:4] for each in lines_of(found, result)] == ["in/a", "xxxx", "in/b"]


@settings(max_examples=60, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(["src-bucket,in/a", "src-bucket,in/b", "src-bucket,in/z", "bad", ""])),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([20, 60, 300]),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_manifest_has_a_row_a_line_whatever_it_is_cut_into(
    lines: list[str], page: int, workers: int, piece: int, form: tuple[bool, bool, bool]
) -> None:
    ends, packs, is_crlf = form
    every = ["src-bucket,in/a", *lines]
    text = (("\r\n" if is_crlf else "\n").join(every) + "\n" * ends).encode()
    kept = manifest.PAGE, manifest.PIECE, manifest.LEAST, walk.MOST_ROWS, width.SOON
    manifest.PAGE, manifest.PIECE, manifest.LEAST, walk.MOST_ROWS, width.SOON = page, piece, 0, page, 0.0
    try:
        jobs, result = manifest_of(gzip.compress(text) if packs else text, workers=workers)
    finally:
        manifest.PAGE, manifest.PIECE, manifest.LEAST, walk.MOST_ROWS, width.SOON = kept
    told = [each.partition(" ")[0] for each in lines_of(jobs, result)]
    wanted = [each.rpartition(",")[2] for each in every if each]
    assert sorted(told) == sorted("failed" if each == "bad" else each for each in wanted)
    assert result.objects.total == len(wanted)


# --- listings ----------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.sets(st.text("ab/", max_size=3), max_size=9),
    st.sets(st.text("ab/", max_size=3), max_size=9),
    st.integers(1, 4),
    st.sampled_from([None, "in/a", "in/b/"]),
    st.sampled_from([None, "in/a/b", "in/b"]),
)
def test_pages_show_every_object_of_a_range_once_with_its_destination(
    here: set[str], there: set[str], page: int, low: str | None, high: str | None
) -> None:
    jobs = Jobs()
    jobs.put(*here)
    for key in there:
        jobs.cloud.put(f"out/{key}", "9", bucket=DST, size=len(key))
    if not here:
        return
    jobs.begin()
    tools = jobs.tools()
    job = tools.of(JOB).job()
    assert job is not None
    kept, listing.PAGE = listing.PAGE, page
    try:
        pages = listing.PrefixPages(tools, job, Range((), low, high))
        found: dict[str, int | None] = {}
        position, is_last = low, False
        while not is_last:
            places = pages.after(position)
            for place in places.places:
                assert place.item is not None
                assert place.position not in found
                shown = place.item.destination
                found[place.position] = None if shown is None else shown.size
            position, is_last = places.high, places.is_last
    finally:
        listing.PAGE = kept
    wanted = {
        f"in/{key}" for key in here if (low or "") < f"in/{key}" and (high is None or f"in/{key}" <= high)
    }
    assert found == {key: len(key) - 3 if key[3:] in there else None for key in wanted}


@pytest.mark.usefixtures("narrow")
def test_a_marker_without_a_name_is_skipped(jobs: Jobs) -> None:
    jobs.cloud.put("dir/", "1")
    jobs.cloud.put("dir/a", "2")
    asked = request(
        source=BulkSource(bucket=SRC, prefix="dir/"), destination=BulkDestination(bucket=DST, prefix="")
    )
    jobs.run(asked)
    assert {row["status"] for row in jobs.rows(job_of(asked).job).values()} == {"skipped", "copied"}


def test_a_page_of_the_destination_that_is_old_is_asked_for_again(jobs: Jobs) -> None:
    jobs.put("a", "b", "c")
    jobs.cloud.put("out/x", "9", bucket=DST)
    jobs.begin()
    tools = jobs.tools()
    job = tools.of(JOB).job()
    assert job is not None
    pages = listing.PrefixPages(tools, job, Range())
    pages.after(None)
    asked = counted(jobs, "list there")
    pages.after("in/b")
    assert counted(jobs, "list there") == asked
    jobs.cloud.time += 61
    pages.after("in/b")
    assert counted(jobs, "list there") == asked + 1
    pages.after(None)
    assert counted(jobs, "list there") == asked + 2


def test_nothing_is_asked_of_a_destination_that_is_overwritten_anyway(jobs: Jobs) -> None:
    jobs.put("a")
    jobs.begin(request(overwrite="always"))
    asked = counted(jobs, "list there")
    jobs.drain()
    assert counted(jobs, "list there") == asked


def test_jobs_are_found_one_listing_each(jobs: Jobs) -> None:
    tools = jobs.tools()
    for name in ("b-2", "b-1", "b-10", "b-3"):
        jobs.cloud.records[f"bulk/{name}/job"] = (0, b"{}")
        jobs.cloud.records[f"bulk/{name}/log/x"] = (0, b"{}")
    assert bulk_jobs(tools.context, tools.records, "", 10) == ("b-1", "b-10", "b-2", "b-3")
    assert bulk_jobs(tools.context, tools.records, "b-10", 10) == ("b-2", "b-3")
    assert bulk_jobs(tools.context, tools.records, "", 2) == ("b-1", "b-10")
