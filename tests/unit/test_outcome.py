"""How a copy ends: what is looked at before an outcome is named, who may end an upload, and follow-ups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import follow_up, hop, outcome, verify
from osscopy.copying.invocation import destination, source
from osscopy.copying.invocation.questions import Question
from osscopy.copying.verify import Verdict
from osscopy.model import (
    Cancelled,
    Conditions,
    Conflict,
    ContentHeaders,
    Continue,
    CopyRequest,
    Destination,
    Encrypted,
    Encryption,
    Entered,
    Failed,
    Opened,
    Origin,
    Pin,
    Refused,
    Result,
    Skipped,
    Source,
    SourceChanged,
    Transient,
    Tuning,
    Written,
)
from tests.unit.engine import (
    BUSY,
    DENIED,
    DST,
    LARGE,
    SRC,
    START,
    Engine,
    code,
    fails,
    request,
)

ITSELF: dict[str, Any] = {"destination": Destination(SRC, "a"), "storage_class": "IA"}
IN_THE_WAY = Conflict("FileAlreadyExists", "the object exists", status=409)
NO_KEY = Failed("NoSuchKey", "no such key", status=404)
NO_BUCKET = Failed("NoSuchBucket", "no such bucket", status=404)


def ended(engine: Engine, **fields: Any) -> Continue:
    """Return a hop of a copy whose upload somebody has ended."""
    task = replace(engine.chain(), **fields)
    engine.cloud.uploads.clear()
    return task


def landed(engine: Engine, crc64: str = "7", **shown: Any) -> None:
    engine.cloud.put("b", crc64, bucket=DST, size=LARGE, **shown)


# --- an upload that is gone --------------------------------------------------------------------------------


def test_an_upload_that_is_gone_with_the_copy_there_is_success(engine: Engine) -> None:
    task = ended(engine)
    landed(engine)
    assert hop.proceed(engine.context(), task).status == "succeeded"


@pytest.mark.parametrize("shown", [None, {"last_modified": START - 1}, {"crc64": "8"}])
def test_an_upload_that_is_gone_without_the_copy_is_waited_for_and_then_unknown(
    engine: Engine, shown: dict[str, Any] | None
) -> None:
    """A Complete without an answer may yet take effect; an equal object from before is not our copy."""
    task = ended(engine)
    if shown is not None:
        landed(engine, **shown)
    assert hop.proceed(engine.context(), task).status == "running"
    assert engine.done(task.job) is None
    (following,) = engine.cloud.commands()
    assert (following.gone_at, following.hop, following.excused) == (START, 3, 1)
    wait = engine.context().limits.settle
    assert [delay for _, _, delay in engine.cloud.submitted] == [wait + 1]
    engine.cloud.time += wait - 1
    assert hop.proceed(engine.context(), following).status == "running"
    engine.cloud.time += 1
    assert code(hop.proceed(engine.context(), following)) == "OutcomeUnknown"
    assert code(engine.done(task.job)) == "OutcomeUnknown"


def test_an_upload_that_is_gone_while_its_source_changed_has_failed_for_that(engine: Engine) -> None:
    """An earlier hop has seen it, aborted, and died."""
    task = ended(engine)
    engine.cloud.put("a", "8", size=LARGE)
    assert code(hop.proceed(engine.context(), task)) == "SourceChanged"


def test_the_look_at_the_source_says_nothing_of_a_copy_onto_itself(engine: Engine) -> None:
    task = replace(engine.chain(**ITSELF))
    engine.cloud.uploads.clear()
    engine.cloud.put("a", "8", size=LARGE)
    assert hop.proceed(engine.context(), task).status == "running"


def test_an_upload_that_is_gone_and_a_destination_nobody_can_look_at_is_unknown(engine: Engine) -> None:
    task = ended(engine)
    engine.cloud.broken["find"] = DENIED
    result = hop.proceed(engine.context(), task)
    assert code(result) == "OutcomeUnknown"
    assert result.error is not None
    assert "oss:GetObject" in result.error.message
    assert engine.done(task.job) is not None


def test_the_first_hop_closes_what_nobody_can_look_at_too(engine: Engine) -> None:
    task = ended(engine)
    engine.cloud.broken["find"] = DENIED
    assert code(hop.begin(engine.context(), task)) == "OutcomeUnknown"


def test_a_copy_in_doubt_may_be_shown_by_its_copyobject(engine: Engine) -> None:
    """Headers are those of the source as it was when it came."""
    task = ended(engine, in_doubt=True)
    later = engine.cloud.put("a", size=LARGE, storage_class="IA", last_modified=START + 1)
    landed(engine, storage_class=later.storage_class, last_modified=START + 2)
    assert hop.proceed(engine.context(), task).status == "succeeded"


def test_what_the_copyobject_of_a_certain_copy_might_show_is_not_asked_for(engine: Engine) -> None:
    task = ended(engine)
    later = engine.cloud.put("a", size=LARGE, storage_class="IA", last_modified=START + 1)
    landed(engine, storage_class=later.storage_class, last_modified=START + 2)
    assert code(hop.proceed(engine.context(), task)) == "SourceChanged"


# --- cancelling --------------------------------------------------------------------------------------------


def cancelled(engine: Engine, task: Continue | Opened, at: int = START) -> None:
    engine.put(f"cancel/{task.job}", Cancelled("n", "now"))
    engine.cloud.records[f"cancel/{task.job}"] = (at, engine.cloud.records[f"cancel/{task.job}"][1])


def test_a_cancelled_copy_that_was_completed_first_has_succeeded(engine: Engine) -> None:
    task = ended(engine)
    landed(engine)
    cancelled(engine, task)
    assert hop.proceed(engine.context(), task).status == "succeeded"


def test_a_cancelled_copy_whose_upload_is_gone_is_cancelled_if_nothing_shows(engine: Engine) -> None:
    task = ended(engine)
    cancelled(engine, task)
    assert hop.proceed(engine.context(), task).status == "cancelled"


def test_a_cancelled_copy_in_doubt_runs_until_nothing_can_take_effect(engine: Engine) -> None:
    for gone in (False, True):
        engine = Engine()
        task = replace(engine.chain([1]), in_doubt=True)
        if gone:
            engine.cloud.uploads.clear()
        cancelled(engine, task)
        assert hop.proceed(engine.context(), task).status == "running"
        assert engine.cloud.uploads == {}
        assert engine.done(task.job) is None
        engine.cloud.time += engine.context().limits.settle
        assert hop.proceed(engine.context(), task).status == "cancelled"


def test_a_cancelled_copy_in_doubt_waits_as_long_as_the_longest_invocation_may_write(engine: Engine) -> None:
    task = replace(engine.chain([1]), in_doubt=True, settle=9_000)
    cancelled(engine, task)
    engine.cloud.time += 8_999
    assert hop.proceed(engine.context(), task).status == "running"
    engine.cloud.time += 1
    assert hop.proceed(engine.context(), task).status == "cancelled"


def test_a_cancelled_copy_in_doubt_with_something_new_at_the_destination_is_unknown(engine: Engine) -> None:
    task = replace(engine.chain([1]), in_doubt=True)
    cancelled(engine, task, START - 9_000)
    landed(engine, "9")
    assert code(hop.proceed(engine.context(), task)) == "OutcomeUnknown"
    other = replace(engine.chain([1]), job="c-" + "1" * 32, in_doubt=True)
    engine.journal.enter(other.job, Entered("n", other.upload))
    cancelled(engine, other, START - 9_000)
    landed(engine, "9", last_modified=START - 1)
    assert hop.proceed(engine.context(), other).status == "cancelled"


def test_a_cancelled_copy_without_doubt_has_written_nothing(engine: Engine) -> None:
    task = engine.chain([1])
    cancelled(engine, task)
    landed(engine, "9")
    assert hop.proceed(engine.context(), task).status == "cancelled"


@pytest.mark.parametrize(("in_doubt", "status"), [(False, "cancelled"), (True, "running")])
def test_a_failure_of_a_cancelled_copy_whose_upload_is_gone_is_its_cancelling(
    engine: Engine, in_doubt: bool, status: str
) -> None:
    task = ended(engine, in_doubt=in_doubt)
    cancelled(engine, task)
    assert outcome.fail(engine.context(), task, DENIED).status == status


def test_a_chain_knows_if_a_copyobject_may_take_effect(engine: Engine) -> None:
    task = engine.chain()
    opened = engine.opened(engine.copy(request(overwrite="never")))
    for record, doubt in (
        (opened, False),
        (replace(opened, in_doubt=True), True),
        (replace(opened, method="simple"), True),
    ):
        assert outcome.task_of(record, task.upload).in_doubt is doubt


def test_a_cancelled_copy_whose_upload_may_not_be_aborted_says_so(engine: Engine) -> None:
    task = engine.chain([1])
    cancelled(engine, task)
    engine.cloud.broken["abort"] = DENIED
    result = hop.proceed(engine.context(), task)
    assert result.status == "cancelled"
    assert result.error is not None
    assert "could not be aborted" in result.error.message
    assert len(engine.cloud.events("abortFailed")) == 1


def cancel(engine: Engine, opened: Opened) -> Result:
    return outcome.cancel(engine.context(), opened, None)


def test_a_copy_by_copyobject_is_cancelled_when_nothing_can_take_effect_any_more(engine: Engine) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(), "simple")
    cancelled(engine, opened)
    assert cancel(engine, opened).status == "running"
    engine.cloud.time += engine.context().limits.settle
    assert cancel(engine, opened).status == "cancelled"


def test_a_copy_by_copyobject_that_landed_is_not_cancelled(engine: Engine) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(), "simple")
    cancelled(engine, opened)
    engine.cloud.put("b", bucket=DST)
    assert cancel(engine, opened).status == "succeeded"


@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (lambda cloud: cloud.put("b", "9", bucket=DST), "failed"),
        (lambda cloud: cloud.put("b", "9", bucket=DST, last_modified=START - 1), "cancelled"),
        (lambda cloud: cloud.broken.update(find=DENIED), "failed"),
        (lambda cloud: cloud.broken.update(find=NO_BUCKET), "cancelled"),
        (lambda cloud: cloud.put("b", bucket=DST, last_modified=START - 1), "cancelled"),
        (lambda _: None, "cancelled"),
    ],
)
def test_what_a_cancelled_copyobject_may_have_written_is_unknown(
    engine: Engine, happens: Any, status: str
) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(), "simple")
    cancelled(engine, opened, START - 9_000)
    happens(engine.cloud)
    result = cancel(engine, opened)
    assert (result.status, code(result)) == (status, "OutcomeUnknown" if status == "failed" else None)


def test_an_object_that_was_not_changed_in_place_is_no_unknown_outcome(engine: Engine) -> None:
    engine.cloud.put("a")
    opened = engine.opened(engine.copy(request(**ITSELF)), "simple")
    cancelled(engine, opened, START - 9_000)
    assert cancel(engine, opened).status == "cancelled"


def test_a_copy_in_parts_that_has_no_upload_yet_is_cancelled_at_once(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    opened = engine.opened(engine.copy())
    cancelled(engine, opened)
    assert cancel(engine, opened).status == "cancelled"


@pytest.mark.parametrize(
    ("restores", "state", "status"),
    [
        (True, "ongoing", "cancelled"),
        (False, "ongoing", "running"),
        (True, "done", "running"),
        (True, None, "running"),
    ],
)
def test_a_copy_that_waits_for_its_restoration_is_cancelled_at_once(
    engine: Engine, restores: bool, state: Any, status: str
) -> None:
    engine.cloud.put("a", storage_class="Archive", restoration=state or "ongoing")
    asked = request(archive="restore")
    opened = engine.opened(engine.copy(asked), "simple", restores=restores)
    cancelled(engine, opened)
    if state is None:
        engine.cloud.broken["head"] = DENIED
    assert cancel(engine, opened).status == status


# --- ending an upload --------------------------------------------------------------------------------------


def test_an_upload_that_parts_in_flight_bring_back_is_aborted_again(engine: Engine) -> None:
    task = engine.chain([1])
    upload = engine.cloud.uploads[task.upload.id]
    for nth in (1, 2):
        engine.cloud.at(
            "abort", lambda: engine.cloud.uploads.update({task.upload.id: upload}), nth=nth, after=True
        )
    outcome.abort(engine.context(), task)
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("abort") == 3


@pytest.mark.parametrize("end", [outcome.fail, outcome.skip])
def test_what_is_ended_for_a_reason_is_examined_if_its_upload_is_gone(engine: Engine, end: Any) -> None:
    task = ended(engine)
    landed(engine)
    error = Skipped("NotNewer", "no") if end is outcome.skip else SourceChanged("SourceChanged", "it")
    assert end(engine.context(), task, error).status == "succeeded"
    other = Engine()
    task = ended(other)
    assert end(other.context(), task, error).status == "failed"


def test_a_failure_says_if_its_upload_may_not_be_aborted(engine: Engine) -> None:
    task = engine.chain([1])
    engine.cloud.broken["abort"] = DENIED
    result = outcome.fail(engine.context(), task, SourceChanged("SourceChanged", "it was changed"))
    assert result.error is not None
    assert result.error.message.startswith("it was changed (upload")
    assert engine.done(task.job) is not None


def test_a_failure_whose_abort_has_to_wait_is_not_put_on_record(engine: Engine) -> None:
    task = engine.chain([1])
    engine.cloud.broken["abort"] = BUSY
    with pytest.raises(Transient):
        outcome.fail(engine.context(), task, SourceChanged("SourceChanged", "it was changed"))
    assert engine.done(task.job) is None


@pytest.mark.parametrize("end", [outcome.fail, outcome.skip])
def test_our_own_copyobject_in_the_way_is_success_and_the_upload_is_ended(engine: Engine, end: Any) -> None:
    error = Skipped("NotNewer", "no") if end is outcome.skip else IN_THE_WAY
    task = replace(engine.chain([1]), in_doubt=True)
    landed(engine)
    assert end(engine.context(), task, error).status == "succeeded"
    assert engine.cloud.uploads == {}
    certain = Engine()
    landed(certain)
    result = end(certain.context(), certain.chain([1]), error)
    assert result.status == ("skipped" if end is outcome.skip else "failed")


def test_only_a_conflict_is_looked_at_as_our_own_copy(engine: Engine) -> None:
    task = replace(engine.chain([1]), in_doubt=True)
    landed(engine)
    assert code(outcome.fail(engine.context(), task, DENIED)) == "AccessDenied"


def test_what_is_in_the_way_and_cannot_be_looked_at_is_a_conflict(engine: Engine) -> None:
    task = replace(engine.chain([1]), in_doubt=True)
    engine.cloud.broken["find"] = DENIED
    assert code(outcome.fail(engine.context(), task, IN_THE_WAY)) == "FileAlreadyExists"
    assert engine.cloud.uploads == {}


def test_a_source_that_its_own_copyobject_has_changed_is_success(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE, last_modified=START - 9)
    task = engine.chain([1], **ITSELF)
    engine.cloud.put("a", size=LARGE, storage_class="IA")
    changed = SourceChanged("SourceChanged", "it was changed")
    assert outcome.fail(engine.context(), task, changed).status == "succeeded"
    assert engine.cloud.uploads == {}
    other = Engine()
    task = other.chain([1])
    landed(other)
    assert code(outcome.fail(other.context(), task, changed)) == "SourceChanged"


def test_a_done_record_knows_the_longest_time_that_requests_may_need(engine: Engine) -> None:
    task = replace(engine.chain([1]), settle=9_000)
    outcome.fail(engine.context(), task, DENIED)
    assert (done := engine.journal.done(task.job)) is not None
    assert done.settle == 9_000


def test_a_copy_is_put_on_record_as_it_was_asked_for(engine: Engine) -> None:
    """Resubmitted, it follows the symlink again."""
    engine.cloud.put("link", link="a", kind="Symlink", size=0)
    task = engine.chain([1])
    task = replace(task, pin=replace(task.pin, via="link"))
    outcome.fail(engine.context(), task, DENIED)
    assert (done := engine.journal.done(task.job)) is not None
    assert done.request.source.key == "link"


# --- follow-ups --------------------------------------------------------------------------------------------


def followed(
    engine: Engine, pin: Pin, asked: CopyRequest | None = None, follows: int | None = 0, **options: Any
) -> bool:
    context, job, origin = engine.context(), "c-" + "0" * 32, Origin("oss")
    return follow_up.follow(context, job, asked or request(), pin, follows, origin, **options)


def pinned(engine: Engine, **shown: Any) -> Pin:
    head = engine.cloud.put("a", **shown)
    return plan.bind(request(), head, shown.get("tags"))


def test_only_a_rule_s_copy_is_followed(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    assert not followed(engine, pin, follows=None)
    assert followed(engine, pin)


def test_a_source_that_is_what_was_copied_is_not_followed_whatever_the_destination_shows(
    engine: Engine,
) -> None:
    pin = pinned(engine)
    engine.cloud.put("b", "9", bucket=DST)
    assert not followed(engine, pin)


def test_what_may_not_have_been_copied_is_followed_unless_the_destination_shows_it(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("b", "9", bucket=DST)
    assert followed(engine, pin, certain=False)
    engine.cloud.put("b", bucket=DST)
    assert not followed(engine, pin, certain=False)


def test_a_source_that_was_copied_is_not_followed_whatever_the_destination_shows(engine: Engine) -> None:
    """It is not even asked for, unless it is looked at again, since something may have landed late."""
    pin = pinned(engine)
    engine.cloud.put("b", "9", bucket=DST)
    assert not followed(engine, pin)
    assert engine.cloud.asked == ["head a"]
    assert followed(engine, pin, again=lambda _: True)
    assert not followed(engine, pin, again=lambda _: False)


def test_a_source_that_another_copy_has_brought_already_is_not_followed(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    engine.cloud.put("b", "8", bucket=DST)
    assert not followed(engine, pin)


@pytest.mark.parametrize(
    "change",
    [
        lambda cloud: cloud.retag("a", {"k": "new"}),
        lambda cloud: cloud.put("a", tags={"k": "v"}, last_modified=START + 1),
        lambda cloud: cloud.put("a", tags={"k": "v"}, storage_class="IA"),
    ],
)
def test_new_tags_headers_or_dates_are_a_change(engine: Engine, change: Any) -> None:
    pin = pinned(engine, tags={"k": "v"})
    change(engine.cloud)
    assert followed(engine, pin)


def test_tags_that_may_not_be_read_are_no_change(engine: Engine) -> None:
    pin = pinned(engine, tags={"k": "v"})
    unread = replace(pin, tags=None)
    assert not followed(engine, unread)
    engine.cloud.broken["tags"] = DENIED
    assert not followed(engine, unread)
    engine.cloud.broken["tags"] = Failed("InvalidArgument", "no", status=400)
    with pytest.raises(Failed, match="InvalidArgument"):
        followed(engine, unread)


@pytest.mark.parametrize("error", [NO_KEY, NO_BUCKET])
def test_a_source_that_is_gone_is_not_followed_and_one_that_is_refused_is_an_error(
    engine: Engine, error: Failed
) -> None:
    pin = pinned(engine)
    engine.cloud.broken["head"] = error
    assert not followed(engine, pin)
    engine.cloud.broken["head"] = DENIED
    with pytest.raises(Failed, match="AccessDenied"):
        followed(engine, pin)


def test_a_copy_onto_itself_is_not_followed(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    assert not followed(engine, pin, request(**ITSELF))


def test_a_symlink_that_points_to_what_may_not_be_copied_by_now_is_not_followed(engine: Engine) -> None:
    engine.cloud.put("secret", "8")
    engine.cloud.put("a", link="secret", kind="Symlink", size=0)
    pin = replace(pinned(engine), via="a")
    engine.cloud.put("a", link="secret", kind="Symlink", size=0)
    engine.forbidden = {"secret"}
    asked = request(symlinks="follow", source=Source(SRC, "before"))
    assert not followed(engine, pin, asked)
    assert len(engine.cloud.events("notFollowed")) == 1
    engine.forbidden = set()
    assert followed(engine, pin, asked)
    (following,) = engine.cloud.commands()
    assert following.request.source.key == "a", "the follow-up follows the symlink anew"


def test_a_follow_up_is_on_record_before_it_is_submitted(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    engine.cloud.broken["submit"] = BUSY
    with pytest.raises(Transient):
        followed(engine, pin)
    assert "open" in engine.kinds()


def test_a_follow_up_counts_and_waits_where_the_source_keeps_changing(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    for follows in (0, 2, 3, 9):
        other = Engine()
        other.cloud.objects = dict(engine.cloud.objects)
        assert followed(other, pin, follows=follows)
        (command,) = other.cloud.commands()
        assert (command.follows, command.keep) == (follows + 1, True)
        assert other.cloud.submitted[0][2] == plan.follow_delay(follows + 1)
    assert [plan.follow_delay(each) for each in (1, 3, 4, 5, 99)] == [0, 0, 120, 240, 3600]


def test_two_who_see_the_same_submit_one_follow_up_and_who_sees_another_thing_another_one(
    engine: Engine,
) -> None:
    pin = pinned(engine, tags={"k": "v"})
    engine.cloud.put("a", "8", tags={"k": "v"})
    assert followed(engine, pin)
    assert followed(engine, pin)
    assert len(engine.cloud.submitted) == 1

    def versioned() -> None:
        engine.cloud.versioned.add(SRC)
        engine.cloud.put("a", "8", tags={"k": "w"}, last_modified=START + 2)

    changes: tuple[Callable[[], object], ...] = (
        lambda: engine.cloud.retag("a", {"k": "w"}),
        lambda: engine.cloud.put("b", "9", bucket=DST),
        lambda: engine.cloud.put("b", "9", bucket=DST, last_modified=START + 1),
        lambda: engine.cloud.put("a", "8", tags={"k": "w"}, last_modified=START + 2),
        versioned,
    )
    for number, change in enumerate(changes):
        change()
        assert followed(engine, pin)
        assert len(engine.cloud.submitted) == 2 + number


def test_a_follow_up_that_will_be_refused_is_on_record_too(engine: Engine) -> None:
    asked = request(tuning=Tuning(method="multipart"))
    pin = pinned(engine)
    engine.cloud.put("a", link="target", kind="Symlink", size=0)
    assert followed(engine, pin, asked)
    (name,) = (each for each in engine.cloud.records if each.startswith("open/"))
    assert (opened := engine.journal.opened(name.removeprefix("open/"))) is not None
    assert opened.method == "simple"


# --- the source --------------------------------------------------------------------------------------------


def test_tags_that_were_read_belong_to_the_version_only_if_there_are_as_many_as_it_shows(
    engine: Engine,
) -> None:
    pin = pinned(engine, tags={"k": "v"})
    assert source.is_same(engine.context(), request(), pin)
    engine.cloud.objects[SRC, "a"].head = replace(engine.cloud.objects[SRC, "a"].head, tag_count=2)
    two = replace(pin, promise=replace(pin.promise, tags=2)) if pin.promise else pin
    assert not source.is_same(engine.context(), request(), two)


def test_other_tags_of_the_same_number_are_another_source(engine: Engine) -> None:
    pin = pinned(engine, tags={"k": "v"})
    engine.cloud.retag("a", {"k": "w"})
    assert not source.is_same(engine.context(), request(), pin)


@pytest.mark.parametrize("read", [None, {}])
def test_tags_that_were_not_read_at_first_are_not_read_later(
    engine: Engine, read: dict[str, str] | None
) -> None:
    head = engine.cloud.put("a", tag_count=None)
    engine.cloud.broken["tags"] = DENIED
    assert source.is_same(engine.context(), request(), plan.bind(request(), head, read))


def test_a_source_that_cannot_be_looked_at_is_not_another_one(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.broken["head"] = DENIED
    with pytest.raises(Failed, match="AccessDenied"):
        source.is_same(engine.context(), request(), pin)
    engine.cloud.broken["head"] = Failed("NoSuchVersion", "gone", status=404)
    assert not source.is_same(engine.context(), request(), pin)


@pytest.mark.parametrize(
    "change",
    [
        {"etag": "E8"},
        {"size": 9},
        {"last_modified": START + 1},
        {"crc64": "8", "etag": "E7", "storage_class": "IA"},
    ],
)
def test_another_etag_size_date_or_header_is_another_source(engine: Engine, change: dict[str, Any]) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", **change)
    assert not source.is_same(engine.context(), request(), pin)


def test_another_version_with_the_same_bytes_is_another_source(engine: Engine) -> None:
    engine.cloud.versioned = {SRC}
    pin = pinned(engine)
    engine.cloud.put("a")
    assert not source.is_same(engine.context(), request(), pin)


def test_tags_that_may_not_be_read_do_not_hide_that_the_source_has_changed(engine: Engine) -> None:
    head = engine.cloud.put("a", tags={"k": "v"})
    pin = plan.bind(request(), head, {"k": "v"})
    engine.cloud.put("a", "8", tags={"k": "v"})
    engine.cloud.broken["tags"] = DENIED
    assert not source.is_same(engine.context(), request(), pin)


def test_a_followed_version_of_a_symlink_is_not_looked_at_again(engine: Engine) -> None:
    engine.cloud.put("target")
    engine.cloud.versioned = {SRC}
    head = engine.cloud.put("a", link="target", kind="Symlink", size=0)
    asked = request(symlinks="follow", source=Source(SRC, "a", head.version_id))
    seen = source.look(engine.context(), asked, Conditions())
    followed_, target = source.follow(engine.context(), asked, seen, Conditions(), Origin())
    assert (followed_.source.key, target.via) == ("target", None)
    current = request(symlinks="follow")
    seen = source.look(engine.context(), current, Conditions())
    assert source.follow(engine.context(), current, seen, Conditions(), Origin())[1].via == "a"


# --- the look at what was written --------------------------------------------------------------------------


def written(engine: Engine, **shown: Any) -> Written:
    head = engine.cloud.put("b", bucket=DST, **shown)
    return Written(head.etag, head.version_id)


def look_at_copy(engine: Engine, asked: CopyRequest, pin: Pin, answer: Written) -> Verdict:
    context = engine.context()
    shown = Question(lambda: verify.look(context, asked, pin, answer))
    return verify.copy_object(context, asked, pin, answer, shown)


def look_at_upload(engine: Engine, pin: Pin, answer: Written | None) -> Verdict:
    context, asked = engine.context(), request()
    shown = Question(lambda: verify.look(context, asked, pin, answer))
    return verify.upload(context, asked, pin, answer, "E7", shown)


def judged(engine: Engine, pin: Pin, answer: Written, asked: CopyRequest | None = None) -> str | None:
    verdict = look_at_copy(engine, asked or request(), pin, answer)
    return verdict.problem.code if verdict.problem else None


def test_what_was_written_is_looked_at_in_the_version_that_oss_named(engine: Engine) -> None:
    engine.cloud.versioned = {DST}
    pin = pinned(engine)
    answer = written(engine)
    engine.cloud.put("b", "9", bucket=DST)
    assert judged(engine, pin, answer) is None
    assert f"find b {answer.version_id}" in engine.cloud.asked


def test_a_wrong_version_of_ours_is_deleted_and_no_other(engine: Engine) -> None:
    engine.cloud.versioned = {DST}
    pin = pinned(engine)
    assert judged(engine, pin, written(engine, crc64="9")) == "VerificationFailed"
    assert engine.cloud.count("delete_version") == 1
    engine.cloud.broken["delete_version"] = DENIED
    verdict = look_at_copy(engine, request(), pin, written(engine, crc64="9"))
    assert verdict.problem is not None
    assert "could not be deleted" in verdict.problem.message


@pytest.mark.parametrize("version", [None, "null"])
def test_a_wrong_object_without_a_version_of_its_own_is_left_in_place(
    engine: Engine, version: str | None
) -> None:
    """Deleted by the name `null`, it may be what somebody else has written by now."""
    pin = pinned(engine)
    wrong = replace(written(engine, crc64="9"), version_id=version)
    if version is not None:
        engine.cloud.versions[DST, "b", version] = engine.cloud.objects[DST, "b"]
    assert judged(engine, pin, wrong) == "VerificationFailed"
    assert engine.cloud.count("delete_version") == 0


def test_an_upload_whose_complete_had_no_answer_is_deleted_by_nobody(engine: Engine) -> None:
    engine.cloud.versioned = {DST}
    pin = pinned(engine)
    written(engine, crc64="9")
    verdict = look_at_upload(engine, pin, None)
    assert verdict.problem is not None
    assert verdict.problem.code == "VerificationFailed"
    assert engine.cloud.count("delete_version") == 0


@pytest.mark.parametrize("then", ["other", "gone"])
def test_what_somebody_else_wrote_meanwhile_is_no_failed_verification(engine: Engine, then: str) -> None:
    pin = pinned(engine)
    answer = written(engine)
    if then == "gone":
        del engine.cloud.objects[DST, "b"]
    else:
        engine.cloud.put("b", "9", bucket=DST)
    assert judged(engine, pin, answer) == "DestinationChanged"


def test_other_tags_alone_are_somebody_else_s_and_no_reason_to_delete(engine: Engine) -> None:
    engine.cloud.versioned = {DST}
    pin = pinned(engine)
    assert judged(engine, pin, written(engine, tags={"k": "v"}), request(tags="none")) == "DestinationChanged"
    assert engine.cloud.count("delete_version") == 0


def test_tags_that_head_does_not_count_are_counted(engine: Engine) -> None:
    pin = pinned(engine, tags={"k": "v"})
    answer = written(engine)
    engine.cloud.objects[DST, "b"].head = replace(engine.cloud.objects[DST, "b"].head, tag_count=None)
    verdict = look_at_upload(engine, pin, answer)
    assert verdict.problem is not None
    assert verdict.problem.code == "DestinationChanged"
    engine.cloud.objects[DST, "b"].tags = {"k": "v"}
    assert look_at_upload(engine, pin, answer).problem is None


@pytest.mark.parametrize("asked_for", ["find", "tags"])
@pytest.mark.parametrize("answered", [True, False])
def test_what_cannot_be_looked_at_is_said_with_the_right_that_is_missing(
    engine: Engine, asked_for: str, answered: bool
) -> None:
    pin = pinned(engine, tags={"k": "v"})
    answer = written(engine)
    engine.cloud.objects[DST, "b"].head = replace(engine.cloud.objects[DST, "b"].head, tag_count=None)
    engine.cloud.broken[asked_for] = DENIED
    verdict = look_at_upload(engine, pin, answer if answered else None)
    assert verdict.problem is not None
    assert verdict.problem.code == ("NotVerified" if answered else "OutcomeUnknown")
    right = {"find": "oss:GetObject there", "tags": "oss:GetObjectTagging there"}[asked_for]
    assert right in verdict.problem.message
    assert verdict.seen is not None or not answered
    engine.cloud.broken[asked_for] = NO_BUCKET
    verdict = look_at_copy(engine, request(), pin, answer)
    assert verdict.problem is not None
    assert (verdict.problem.code, "grant" in verdict.problem.message) == ("NotVerified", False)


def test_headers_that_changed_since_head_are_those_of_the_source_as_it_is_now(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", storage_class="IA", last_modified=START + 1)
    assert judged(engine, pin, written(engine, storage_class="IA")) is None
    engine.cloud.put("a", storage_class="Archive", last_modified=START + 2)
    assert judged(engine, pin, written(engine, storage_class="IA")) == "SourceChanged"
    engine.cloud.put("a", "8", storage_class="IA")
    assert judged(engine, pin, written(engine, storage_class="IA")) == "SourceChanged"


def test_other_bytes_are_wrong_whatever_headers_the_source_has_by_now(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", storage_class="IA", last_modified=START + 1)
    answer = replace(written(engine, crc64="9"), etag="E9")
    assert judged(engine, pin, answer) == "VerificationFailed"


def test_another_version_of_the_source_at_the_destination_is_somebody_else_s_copy(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    engine.cloud.put("b", "8", bucket=DST)
    assert judged(engine, pin, Written("E7", None)) == "DestinationChanged"


def test_headers_that_the_unchanged_source_does_not_have_are_wrong(engine: Engine) -> None:
    pin = pinned(engine)
    assert judged(engine, pin, written(engine, storage_class="IA")) == "VerificationFailed"


def test_headers_of_a_source_that_is_gone_by_now_may_be_those_of_an_instant_in_between(
    engine: Engine,
) -> None:
    pin = pinned(engine)
    engine.cloud.objects.clear()
    assert judged(engine, pin, written(engine, storage_class="IA")) == "SourceChanged"


def test_a_wrong_symlink_has_no_promise_that_it_could_keep_but_for_tags(engine: Engine) -> None:
    pin = plan.pin_of(engine.cloud.put("a", link="target", kind="Symlink", size=0))
    assert judged(engine, pin, written(engine, link="other", size=0)) == "VerificationFailed"


def test_an_object_copied_onto_itself_is_compared_with_what_was_asked_for_alone(engine: Engine) -> None:
    head = engine.cloud.put("a")
    asked = request(**ITSELF)
    pin = plan.bind(asked, head)
    assert judged(engine, pin, Written("E7", None), asked) == "VerificationFailed"
    assert verify.unanswered(engine.context(), asked, pin, 0) is None
    other = ContentHeaders(content_type="text/html")
    engine.cloud.put("a", storage_class="IA", content=other, last_modified=START + 1)
    assert judged(engine, pin, Written("E7", None), asked) == "VerificationFailed"
    engine.cloud.put("a", "8", storage_class="IA")
    assert verify.unanswered(engine.context(), asked, pin, 0) is None


@pytest.mark.parametrize(
    ("shown", "not_before", "is_shown"),
    [
        ({}, START, True),
        ({"last_modified": START - 1}, START, False),
        ({"crc64": "9"}, START, False),
        ({"crc64": "8"}, START, True),
        ({"crc64": "8", "last_modified": START - 1}, START, False),
        (None, START, False),
    ],
)
def test_what_had_no_answer_shows_the_version_that_was_seen_or_the_source_as_it_is_now(
    engine: Engine, shown: dict[str, Any] | None, not_before: int, is_shown: bool
) -> None:
    pin = pinned(engine)
    engine.cloud.put("a", "8")
    if shown is not None:
        engine.cloud.put("b", bucket=DST, **shown)
    found = verify.unanswered(engine.context(), request(), pin, not_before)
    assert (found is not None) == is_shown
    assert shown is not None or engine.cloud.count("head") == 0


def test_what_had_no_answer_and_cannot_be_looked_at_is_not_known(engine: Engine) -> None:
    pin = pinned(engine)
    engine.cloud.put("b", bucket=DST)
    engine.cloud.broken["find"] = DENIED
    assert verify.unanswered(engine.context(), request(), pin, 0) is None


# --- the destination ---------------------------------------------------------------------------------------


def test_what_an_object_shows_is_the_copy_if_its_tags_are_as_far_as_they_may_be_read(engine: Engine) -> None:
    head = engine.cloud.put("a", tags={"k": "v"})
    context, asked = engine.context(), request()
    assert not destination.is_shown(context, asked, head, None)
    shown = engine.cloud.put("b", bucket=DST, tags={"k": "v"})
    assert destination.is_shown(context, asked, head, shown)
    engine.cloud.retag("b", {"k": "w"}, DST)
    assert not destination.is_shown(context, asked, head, shown)
    assert destination.is_shown(context, request(tags={"k": "w"}), head, shown)
    engine.cloud.broken["tags"] = DENIED
    assert destination.is_shown(context, asked, head, shown)
    engine.cloud.broken["tags"] = NO_BUCKET
    with pytest.raises(Failed, match="NoSuchBucket"):
        destination.has_same_tags(context, asked, head, shown)
    del engine.cloud.broken["tags"]
    engine.cloud.at("tags", fails(Failed("InvalidArgument", "no", status=400)))
    with pytest.raises(Failed, match="InvalidArgument"):
        destination.has_same_tags(context, request(tags={"k": "w"}), head, shown)
    for error, same in ((DENIED, True), (NO_KEY, False), (NO_BUCKET, False)):
        engine.cloud.at("tags", fails(error))
        assert destination.has_same_tags(context, request(tags={"k": "w"}), head, shown) is same


def test_tags_of_the_destination_count_though_the_source_does_not_show_how_many_it_has(
    engine: Engine,
) -> None:
    head = replace(engine.cloud.put("a"), tag_count=None)
    shown = engine.cloud.put("b", bucket=DST, tags={"k": "v"})
    assert not destination.is_shown(engine.context(), request(), head, shown)


def test_tags_of_the_source_that_may_not_be_read_are_no_difference(engine: Engine) -> None:
    head = engine.cloud.put("a", tags={"k": "v"})
    shown = engine.cloud.put("b", bucket=DST, tags={"k": "w"})
    engine.cloud.at("tags", fails(DENIED))
    assert destination.is_shown(engine.context(), request(), head, shown)


def test_without_tags_on_either_side_none_are_read(engine: Engine) -> None:
    head, shown = engine.cloud.put("a"), engine.cloud.put("b", bucket=DST)
    engine.cloud.broken["tags"] = DENIED
    assert destination.has_same_tags(engine.context(), request(), head, shown)
    assert engine.cloud.count("tags") == 0


def test_an_encryption_that_was_asked_for_is_looked_for(engine: Engine) -> None:
    head = engine.cloud.put("a")
    shown = engine.cloud.put("b", bucket=DST)
    asked = request(encryption=Encryption("AES256"))
    assert not destination.is_shown(engine.context(), asked, head, shown)
    assert destination.is_shown(engine.context(), asked, head, replace(shown, encryption=Encrypted("AES256")))


def test_a_refusal_is_no_failure_of_the_invocation(engine: Engine) -> None:
    context = engine.context()
    engine.forbidden = {"a"}
    assert not context.is_allowed(request())
    with pytest.raises(Refused):
        context.allow(request())
