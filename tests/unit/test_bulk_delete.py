"""Deletions of jobs of many objects: what is planned, what may go, and each reason to keep it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from osscopy import events, plan
from osscopy.jobs.bulk.clearing import clear, planned, remove
from osscopy.jobs.bulk.clearing.claims import Claims
from osscopy.jobs.many import Many
from osscopy.model import (
    BulkDestination,
    BulkResult,
    BulkSource,
    Clear,
    Conflict,
    Destination,
    Entry,
    Failed,
    Filters,
    Problem,
    Rule,
    RuleSource,
    Totals,
)
from osscopy.plan.allowed.options import NO_OPTION
from osscopy.plan.bulk import Spot
from tests.unit.engine import BUSY, DENIED, DST, LARGE, LOST, SRC, fails
from tests.unit.many import Jobs, carry_out, request

IMMUTABLE = Conflict("FileImmutable", "a retention policy", status=409)
LATE = plan.settle_time(60.0)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def there(jobs: Jobs) -> set[str]:
    return {key.removeprefix("out/") for bucket, key in jobs.cloud.objects if bucket == DST}


def run(jobs: Jobs, occurrence: str = "one", **asked: Any) -> BulkResult:
    return jobs.run(request(**{"delete": True, "max_delete": 10, **asked}), occurrence)


def fill(jobs: Jobs, *superfluous: str) -> None:
    """Two objects on either side, one to copy, and what the source does not have."""
    jobs.put("a", "b", crc64="7")
    jobs.put("c")
    for key in ("a", "b", *superfluous):
        jobs.cloud.put(f"out/{key}", "7", bucket=DST)


def code(result: BulkResult) -> str | None:
    return result.error.code if result.error else None


def of(jobs: Jobs, result: BulkResult, *keys: str) -> dict[str, str]:
    """Return the rows of these keys."""
    return {key: row for key, row in jobs.statuses(result.job or "").items() if key in keys}


def clears(jobs: Jobs) -> bool:
    """Carry out what comes next, up to the first hop of the deletions; return whether there is one."""
    while jobs.done < len(jobs.cloud.submitted):
        if "-clear-" in jobs.cloud.submitted[jobs.done][0]:
            return True
        jobs.drain_one()
    return False


def started(jobs: Jobs, **asked: Any) -> str:
    """Begin a job whose deletions come next; return it."""
    begun = jobs.begin(request(**{"delete": True, "max_delete": 10, **asked}))
    assert clears(jobs)
    return begun.job or ""


def ended(jobs: Jobs, job: str) -> BulkResult:
    jobs.drain()
    return jobs.look(job)


def dies() -> None:
    """End an invocation as FC does."""
    raise KeyboardInterrupt


def cancel(jobs: Jobs, job: str) -> None:
    Many(jobs.tools()).cancel(job)


# --- what goes ---------------------------------------------------------------------------------------------


def test_what_the_source_lacks_is_deleted_after_the_copies(jobs: Jobs) -> None:
    fill(jobs, "x", "y/z")
    result = run(jobs)
    assert (result.status, result.error) == ("succeeded", None)
    assert there(jobs) == {"a", "b", "c"}
    assert (result.objects.total, result.objects.deleted, result.objects.kept) == (3, 2, 0)
    assert jobs.statuses(result.job or "") == {
        "a": "skipped NotDifferent",
        "b": "skipped NotDifferent",
        "c": "copied",
        "x": "deleted",
        "y/z": "deleted",
    }
    assert jobs.cloud.asked.index("remove out/x") > jobs.cloud.asked.index("copy")


def test_a_job_with_nothing_superfluous_has_no_phase_of_deletions(jobs: Jobs) -> None:
    fill(jobs)
    assert run(jobs).status == "succeeded"
    assert not [name for name, _, _ in jobs.cloud.submitted if "-clear-" in name]


def test_an_object_that_only_a_filter_passes_over_at_the_source_is_not_superfluous(jobs: Jobs) -> None:
    fill(jobs, "old", "big", "cold", "tmp/x", "", ".dlsdata/y")
    jobs.put("big", size=LARGE)
    jobs.put("old", last_modified=5)
    jobs.put("cold", storage_class="Archive")
    filters = Filters(
        exclude=("tmp/**",),
        max_size=LARGE - 1,
        modified_after="2000-01-01T00:00:00Z",
        storage_classes=("Standard",),
    )
    result = run(jobs, filters=filters)
    assert result.objects.deleted == 1
    assert there(jobs) == {"a", "b", "c", "old", "big", "cold", "tmp/x", ""}
    jobs.cloud.put(".dlsdata/z", "7", bucket=DST)
    whole = BulkDestination(bucket=DST, prefix="")
    assert run(jobs, "two", destination=whole, max_delete="100%").objects.deleted
    assert (DST, ".dlsdata/z") in jobs.cloud.objects


@pytest.mark.parametrize("workers", [1, 3])
def test_every_planned_object_has_its_row_whatever_the_ranges(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("osscopy.jobs.bulk.walk.MOST_ROWS", 3)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.both.PAGE", 4)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.listing.LEAST", 0)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.width.SOON", 0.0)
    monkeypatch.setattr(clear, "BATCH", 2)
    jobs.workers = workers
    names = {f"{first}{second}" for first in "abcdef" for second in "012345"}
    jobs.put("m")
    for name in names:
        jobs.cloud.put(f"out/{name}", "7", bucket=DST)
    result = run(jobs, max_delete=len(names))
    assert result.status == "succeeded"
    assert there(jobs) == {"m"}
    assert len(jobs.statuses(result.job or "")) == len(names) + 1
    assert result.objects.deleted == len(names)


def test_a_symlink_is_deleted_as_itself_and_one_at_the_source_keeps_it(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.put("out/link", "5", bucket=DST, link="out/nowhere", kind="Symlink")
    jobs.cloud.put("out/kept", "5", bucket=DST)
    job = started(jobs)
    jobs.cloud.put("in/kept", "6", link="in/nowhere", kind="Symlink")
    result = ended(jobs, job)
    assert of(jobs, result, "x", "link", "kept") == {
        "x": "deleted",
        "link": "deleted",
        "kept": "kept SourceExists",
    }


def test_the_plan_goes_on_after_any_spot_and_reads_no_range_without_any(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osscopy.jobs.bulk.walk.MOST_ROWS", 3)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.both.PAGE", 4)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.listing.LEAST", 0)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.width.SOON", 0.0)
    jobs.workers = 4
    names = [f"{first}{second}" for first in "abcdefgh" for second in "0123"]
    for name in names:
        place, key = (DST, f"out/{name}") if name[1] in "01" else (SRC, f"in/{name}")
        jobs.cloud.put(key, "7", bucket=place)
    log = jobs.tools().of(started(jobs, max_delete=100)).log
    whole = list(planned.planned(log, None))
    assert [row.key.removeprefix("in/") for _, row in whole] == [name for name in names if name[1] in "01"]
    assert len({spot.path for spot, _ in whole}) > 2
    for at, (spot, _) in enumerate(whole):
        assert list(planned.planned(log, spot)) == whole[at + 1 :]
    read = [each for each in jobs.cloud.asked if each.startswith("get bulk")]
    before = len(read)
    for _ in planned.planned(log, whole[-1][0]):
        pass
    read = [each for each in jobs.cloud.asked if each.startswith("get bulk")]
    assert len(read) - before < 3 * len(whole[-1][0].path) + 6


def test_a_job_without_a_plan_is_not_read(jobs: Jobs) -> None:
    fill(jobs)
    log = jobs.tools().of(run(jobs).job or "").log
    before = len(jobs.cloud.asked)
    assert list(planned.planned(log, None)) == []
    assert len(jobs.cloud.asked) - before == 1


# --- who else writes there ---------------------------------------------------------------------------------


def rule(key: str, prefix: str = "in/") -> Rule:
    return Rule(source=RuleSource(bucket=SRC, prefix=prefix), destination=Destination(DST, key))


@pytest.mark.parametrize(
    ("each", "is_refused"),
    [
        (rule("", "out/x/"), True),
        (rule("{key}", "out/"), True),
        (rule("out/{name}"), True),
        (rule("{name}"), True),
        (rule("", ""), True),
        (rule("other/{key}", "out/"), False),
        (rule(""), False),
    ],
)
def test_where_a_rule_writes_nothing_is_deleted(jobs: Jobs, each: Rule, is_refused: bool) -> None:
    fill(jobs, "x")
    jobs.rules = (each,)
    result = run(jobs)
    assert (code(result) == "DestinationInUse") is is_refused
    assert ("x" in there(jobs)) is is_refused
    if is_refused:
        assert (result.error.field if result.error else "") == "destination.prefix"
        assert jobs.cloud.records == {}
    assert run(jobs, "dry", dry_run=True).error is None


def test_where_another_job_writes_nothing_is_deleted(jobs: Jobs) -> None:
    fill(jobs, "x", "y/z")
    other = BulkSource(bucket=SRC, prefix="other/")
    jobs.cloud.put("other/a")
    there_too = BulkDestination(bucket=DST, prefix="out/y/")
    begun = jobs.begin(request(source=other, destination=there_too), "other")
    assert code(jobs.begin(request(delete=True, max_delete=9))) == "DestinationInUse"
    elsewhere = BulkDestination(bucket=DST, prefix="out-2/")
    assert jobs.begin(request(delete=True, max_delete=9, destination=elsewhere), "2").error is None
    jobs.drain()
    assert jobs.look(begun.job or "").status == "succeeded"
    assert run(jobs, "again").objects.deleted == 3


def test_a_job_that_has_begun_to_write_there_meanwhile_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.put("other/a")
    begun = jobs.begin(request(delete=True, max_delete=9))
    other = BulkSource(bucket=SRC, prefix="other/")
    jobs.begin(request(source=other, mode="check"), "check")
    jobs.begin(request(source=other), "other")
    result = ended(jobs, begun.job or "")
    assert of(jobs, result, "x") == {"x": "kept DestinationInUse"}
    assert (result.status, code(result)) == ("failed", "DestinationInUse")


# --- before the first deletion -----------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "is_deleted"), [(1, False), (2, True), ("39%", False), ("40%", True)])
def test_more_than_max_delete_allows_deletes_nothing(jobs: Jobs, most: int | str, is_deleted: bool) -> None:
    fill(jobs, "c", "x", "y")
    result = run(jobs, max_delete=most)
    assert (code(result) == "TooManyDeletes") is not is_deleted
    assert ({"x", "y"} <= there(jobs)) is not is_deleted
    if not is_deleted:
        assert (result.status, result.objects.kept, result.objects.deleted) == ("failed", 2, 0)
        assert of(jobs, result, "x", "y") == dict.fromkeys("xy", "kept TooManyDeletes")


def test_a_failed_object_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.broken["copy"] = DENIED
    result = run(jobs)
    assert code(result) == "ObjectsFailed"
    assert of(jobs, result, "x") == {"x": "kept ObjectsFailed"}


def test_a_failed_chain_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.put("large", size=LARGE)
    jobs.cloud.broken["initiate"] = DENIED
    result = run(jobs)
    assert of(jobs, result, "x", "large") == {"x": "kept ObjectsFailed", "large": "failed AccessDenied"}


def test_deletions_wait_for_chains(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.put("large", size=LARGE)
    result = run(jobs)
    assert result.objects.deleted == 1
    asked = jobs.cloud.asked
    complete = next(at for at, each in enumerate(asked) if each.startswith("complete"))
    assert asked.index("remove out/x") > complete


def test_a_cancel_before_the_end_of_the_walk_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    begun = jobs.begin(request(delete=True, max_delete=10))
    jobs.cloud.at("copy", lambda: cancel(jobs, begun.job or ""))
    result = ended(jobs, begun.job or "")
    assert result.status == "cancelled"
    assert "x" in there(jobs)
    assert of(jobs, result, "x") == {"x": "kept cancelled"}


def test_a_source_that_was_emptied_meanwhile_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    begun = jobs.begin(request(delete=True, max_delete=10))
    for key in "abc":
        del jobs.cloud.objects[SRC, f"in/{key}"]
    result = ended(jobs, begun.job or "")
    assert code(result) == "EmptySource"
    assert of(jobs, result, "x", "a") == {"x": "kept EmptySource", "a": "kept EmptySource"}


def test_an_empty_source_deletes_only_where_that_is_allowed(jobs: Jobs) -> None:
    jobs.cloud.put("out/x", "7", bucket=DST)
    assert code(run(jobs)) == "EmptySource"
    assert there(jobs) == {"x"}
    result = run(jobs, "two", allow_empty=True)
    assert (result.status, result.objects.deleted) == ("succeeded", 1)


def test_a_report_that_is_lost_keeps_all(jobs: Jobs) -> None:
    fill(jobs, "x")
    begun = jobs.begin(request(delete=True, max_delete=10))
    jobs.cloud.at("write file", fails(DENIED))
    result = ended(jobs, begun.job or "")
    assert code(result) == "ReportFailed"
    assert "x" in there(jobs)


# --- while it deletes --------------------------------------------------------------------------------------


def test_what_has_changed_since_the_walk_is_kept(jobs: Jobs) -> None:
    fill(jobs, "back", "bytes", "date", "gone", "x")
    job = started(jobs)
    jobs.put("back")
    jobs.cloud.put("out/bytes", "8", bucket=DST, last_modified=int(jobs.cloud.time))
    jobs.cloud.time += 5
    jobs.cloud.put("out/date", "7", bucket=DST)
    jobs.cloud.remove(DST, "out/gone")
    result = ended(jobs, job)
    assert of(jobs, result, "back", "bytes", "date", "gone", "x") == {
        "back": "kept SourceExists",
        "bytes": "kept DestinationChanged",
        "date": "kept DestinationChanged",
        "gone": "deleted AlreadyGone",
        "x": "deleted",
    }
    assert (result.status, result.objects.deleted, result.objects.kept) == ("succeeded", 2, 3)
    assert there(jobs) == {"a", "b", "c", "back", "bytes", "date"}


@pytest.mark.parametrize("batch", [2, 1000])
def test_the_first_failed_deletion_stops_the_rest(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(clear, "BATCH", batch)
    fill(jobs, "v", "w", "x", "y", "z")
    jobs.cloud.at("remove", fails(DENIED), nth=2)
    result = run(jobs)
    assert (result.status, code(result), result.objects.deleted) == ("failed", "AccessDenied", 1)
    assert of(jobs, result, *"vwxyz") == {"v": "deleted", **dict.fromkeys("wxyz", "kept AccessDenied")}
    assert jobs.cloud.count("remove") == 2


def test_a_look_that_is_refused_stops_the_rest(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.cloud.at("head", fails(DENIED))
    result = ended(jobs, job)
    assert code(result) == "AccessDenied"
    assert {"x", "y"} <= there(jobs)


def test_an_object_that_a_retention_policy_keeps_stops_nothing(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    jobs.cloud.at("remove", fails(IMMUTABLE))
    result = run(jobs)
    assert result.status == "succeeded"
    assert of(jobs, result, "x", "y") == {"x": "kept FileImmutable", "y": "deleted"}


def test_a_place_that_is_not_allowed_any_more_is_left_alone(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.forbidden = frozenset({"out/x"})
    result = ended(jobs, job)
    assert of(jobs, result, "x", "y") == {"x": "kept NotAllowed", "y": "deleted"}


def test_deletions_that_are_not_allowed_any_more_keep_what_is_left(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.cloud.options = NO_OPTION
    result = ended(jobs, job)
    assert code(result) == "NotAllowed"
    assert of(jobs, result, "x", "y") == dict.fromkeys("xy", "kept NotAllowed")


def test_a_job_that_deletes_needs_the_word(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.options = NO_OPTION
    result = jobs.begin(request(delete=True, max_delete=1))
    assert (code(result), result.error.field if result.error else "") == ("NotAllowed", "delete")
    assert jobs.cloud.records == {}
    assert run(jobs, dry_run=True).objects.would_delete == 1


def test_a_cancel_keeps_what_is_left(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear, "BATCH", 2)
    fill(jobs, *"wxyz")
    job = started(jobs)
    jobs.cloud.at("remove", lambda: cancel(jobs, job))
    result = ended(jobs, job)
    assert result.status == "cancelled"
    rows = of(jobs, result, *"wxyz")
    assert rows == {"w": "deleted", "x": "deleted", "y": "kept cancelled", "z": "kept cancelled"}


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_source_that_loses_everything_keeps_what_is_left(jobs: Jobs, is_gone: bool) -> None:
    fill(jobs, "x")
    job = started(jobs)
    if is_gone:
        jobs.cloud.at("list source", fails(Failed("NoSuchBucket", "no bucket", status=404)))
    for key in "abc":
        jobs.cloud.remove(SRC, f"in/{key}")
    result = ended(jobs, job)
    why = "NoSuchBucket" if is_gone else "EmptySource"
    assert (result.status, code(result)) == ("failed", why)
    assert of(jobs, result, "x") == {"x": f"kept {why}"}


def test_a_deletion_that_was_throttled_is_looked_at_and_sent_again(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.at("remove", fails(BUSY))
    result = run(jobs)
    assert of(jobs, result, "x") == {"x": "deleted"}
    asked = [each for each in jobs.cloud.asked if each in {"remove out/x", "head in/x"}]
    assert asked == ["head in/x", "remove out/x"] * 2
    assert len([name for name, _, _ in jobs.cloud.submitted if "-clear-" in name]) == 1


def test_looks_that_took_long_are_not_believed(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.cloud.at("head", lambda: jobs.cloud.sleep(remove.FRESH + 1))
    jobs.cloud.at("list there", lambda: jobs.put("x"), nth=2)
    assert of(jobs, ended(jobs, job), "x") == {"x": "kept SourceExists"}


def test_what_is_throttled_for_long_waits_for_the_next_hop_and_for_nothing_else(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.cloud.broken["remove"] = BUSY
    jobs.drain_one()
    del jobs.cloud.broken["remove"]
    before = jobs.cloud.time
    assert of(jobs, ended(jobs, job), "x") == {"x": "deleted"}
    assert jobs.cloud.time - before < LATE


# --- in doubt, again, and by others ------------------------------------------------------------------------


@pytest.mark.parametrize("has_effect", [False, True])
def test_a_deletion_without_an_answer_is_not_repeated_before_it_cannot_take_effect_any_more(
    jobs: Jobs, has_effect: bool
) -> None:
    fill(jobs, "v", "x", "z")
    job = started(jobs)
    jobs.cloud.at("remove", fails(LOST), nth=2, after=has_effect)
    before = jobs.cloud.time
    jobs.drain_one()
    assert jobs.cloud.count("remove") == 3
    result = ended(jobs, job)
    assert jobs.cloud.time - before > LATE
    x = "deleted AlreadyGone" if has_effect else "deleted"
    assert of(jobs, result, *"vxz") == {"v": "deleted", "x": x, "z": "deleted AlreadyGone"}
    assert there(jobs) == {"a", "b", "c"}


def test_what_a_hop_has_deleted_that_was_killed_is_told_by_the_next_one(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.cloud.at("remove", dies, nth=2)
    _, payload, _ = jobs.cloud.submitted[jobs.done]
    with pytest.raises(KeyboardInterrupt):
        carry_out(jobs.tools(), payload, 0)
    again: Any = carry_out(jobs.tools(), payload, 0)
    assert again.status == "left"  # the hop has been claimed
    carry_out(jobs.tools(), payload, 1)
    assert jobs.cloud.count("remove") == 2
    jobs.done += 1
    result = ended(jobs, job)
    assert of(jobs, result, "x", "y") == {"x": "deleted AlreadyGone", "y": "deleted"}


def test_what_a_killed_hop_has_deleted_is_told_as_that_after_a_cancel(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.cloud.at("remove", dies, nth=2)
    with pytest.raises(KeyboardInterrupt):
        jobs.drain_one()
    cancel(jobs, job)
    jobs.sweep(LATE + 400)
    result = ended(jobs, job)
    assert of(jobs, result, "x", "y") == {"x": "deleted AlreadyGone", "y": "kept cancelled"}


def test_what_a_longer_batch_has_deleted_is_told_by_shorter_ones(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(jobs, "x", "y", "z")
    job = started(jobs)
    jobs.cloud.at("remove", dies, nth=3)
    with pytest.raises(KeyboardInterrupt):
        jobs.drain_one()
    cancel(jobs, job)
    monkeypatch.setattr(clear, "BATCH", 1)
    jobs.sweep(LATE + 400)
    result = ended(jobs, job)
    gone = dict.fromkeys("xy", "deleted AlreadyGone")
    assert of(jobs, result, *"xyz") == {**gone, "z": "kept cancelled"}


def test_where_nothing_can_be_looked_at_any_more_each_object_has_its_row(jobs: Jobs) -> None:
    fill(jobs, "x", "y")
    job = started(jobs)
    jobs.cloud.at("remove", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.drain_one()
    jobs.tools().of(job).stop(Problem("TooManyFailures", "late"))
    jobs.sweep(LATE + 400)
    jobs.cloud.broken["list there"] = DENIED
    result = ended(jobs, job)
    assert of(jobs, result, "x", "y") == dict.fromkeys("xy", "kept AccessDenied")
    assert code(result) == "TooManyFailures"
    assert len([name for name, _, _ in jobs.cloud.submitted if "-clear-" in name]) == 2


def test_another_s_claim_is_passed_only_when_nothing_of_it_can_take_effect(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    claims = Claims(jobs.tools().context, jobs.tools().records, job)
    assert claims.take(1, 1, Spot((), 1, 0))
    jobs.drain_one()
    assert jobs.cloud.count("remove") == 0
    assert jobs.cloud.submitted[-1][2] > LATE
    assert ended(jobs, job).objects.deleted == 1


def test_a_claim_that_another_takes_at_that_moment_is_lost(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    claims = Claims(jobs.tools().context, jobs.tools().records, job)
    jobs.cloud.at("put bulk", lambda: claims.take(1, 1, Spot((), 1, 0)), nth=2)
    jobs.drain_one()
    assert jobs.cloud.count("remove") == 0
    assert ended(jobs, job).objects.deleted == 1


def test_a_look_that_has_no_answer_leaves_the_object_to_the_next_hop(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.cloud.broken["head"] = LOST
    jobs.drain_one()
    assert (jobs.cloud.count("remove"), jobs.look(job).status) == (0, "running")
    del jobs.cloud.broken["head"]
    assert ended(jobs, job).objects.deleted == 1


def test_what_failed_is_asked_for_again_without_deletions(jobs: Jobs) -> None:
    fill(jobs, "x")
    jobs.cloud.at("copy", fails(DENIED))
    job = run(jobs).job or ""
    arrival = events.Arrival("r", datetime.fromtimestamp(jobs.cloud.time, timezone.utc))
    again = Many(jobs.tools()).resubmit(job, "failed", "k", arrival)
    result = ended(jobs, again.job or "")
    assert (result.status, result.objects.succeeded, result.objects.deleted) == ("succeeded", 1, 0)
    whole = Many(jobs.tools()).resubmit(job, "all", "l", arrival)
    assert ended(jobs, whole.job or "").objects.deleted == 1


def test_a_hop_that_comes_late_or_too_early_leaves(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.tools().of(job).restart("clear", 5)
    assert cleared(jobs, job).status == "superseded"
    assert cleared(jobs, "b-" + "0" * 32).status == "left"
    begun = jobs.begin(request(delete=True, max_delete=1, source=BulkSource(bucket=SRC, prefix="")), "two")
    assert cleared(jobs, begun.job or "").status == "left"


def test_a_hop_of_a_job_that_is_over_leaves(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    assert ended(jobs, job).status == "succeeded"
    assert cleared(jobs, job, hop=9).status == "left"


def cleared(jobs: Jobs, job: str, hop: int = 1) -> Any:
    return clear.clear(jobs.tools(), Clear(job, hop=hop), 0)


def test_the_verdict_is_given_once(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    Claims(jobs.tools().context, jobs.tools().records, job).judge(1, None)
    jobs.tools().of(job).stop(Problem("TooManyFailures", "late"))
    result = ended(jobs, job)
    assert of(jobs, result, "x") == {"x": "kept TooManyFailures"}
    assert code(result) == "TooManyFailures"


def test_an_entry_that_another_has_written_is_left_to_it(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    log = jobs.tools().of(job).deletions
    other = Entry("other", "end", None, None, Totals())
    jobs.cloud.at("remove", lambda: log.append((), 1, other))
    assert cleared(jobs, job).status == "left"


def test_the_sweep_goes_on_with_deletions_that_stand_still(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.done = len(jobs.cloud.submitted)  # FC has lost it
    jobs.sweep(1)
    assert jobs.done == len(jobs.cloud.submitted)
    jobs.sweep()
    result = ended(jobs, job)
    assert (result.status, result.objects.deleted) == ("succeeded", 1)


def test_the_sweep_closes_a_job_whose_deletions_have_ended(jobs: Jobs) -> None:
    fill(jobs, "x")
    job = started(jobs)
    jobs.drain_one()
    jobs.done = len(jobs.cloud.submitted)
    jobs.sweep()
    assert ended(jobs, job).status == "succeeded"


def test_a_job_that_deletes_shows_how_far_it_is_and_is_forgotten(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear, "BATCH", 1)
    fill(jobs, "x", "y")
    job = started(jobs)
    seen: list[BulkResult] = []
    jobs.cloud.at("remove", lambda: seen.append(jobs.look(job)), nth=2)
    jobs.drain()
    assert (seen[0].status, seen[0].objects.deleted, seen[0].objects.total) == ("running", 1, 3)
    jobs.sweep(LATE + 60)
    assert {name.split("/")[0] for name in jobs.cloud.records} == {"done", "turn"}


def test_time_that_is_short_leaves_the_rest_to_the_next_hop(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear, "BATCH", 2)
    fill(jobs, "w", "x", "y")
    job = started(jobs)
    jobs.cloud.at("remove", lambda: jobs.cloud.sleep(50))
    result = ended(jobs, job)
    assert of(jobs, result, *"wxy") == dict.fromkeys("wxy", "deleted")
    hops = [name for name, _, _ in jobs.cloud.submitted if "-clear-" in name]
    assert len(hops) == 2


@pytest.mark.parametrize("text", ["/1/0", "0.1.1/12/9999"])
def test_a_spot_is_read_back(text: str) -> None:
    assert Spot.of(text).text == text
