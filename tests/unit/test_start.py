"""The beginning of a copy: who may, what an earlier delivery has made or begun, CopyObject, parts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from osscopy import plan
from osscopy.copying import start, submit
from osscopy.model import (
    Cancelled,
    Conditions,
    Conflict,
    Copy,
    Destination,
    Done,
    Entered,
    Failed,
    Opened,
    Origin,
    Refused,
    Result,
    Source,
    SourceChanged,
    Transient,
    Tuning,
    Within,
)
from tests.unit.engine import (
    BUSY,
    DENIED,
    DST,
    EXPIRED,
    LARGE,
    LATE,
    LOST,
    PART,
    SMALL,
    SRC,
    START,
    Engine,
    code,
    fails,
    request,
)

ITSELF: dict[str, Any] = {"destination": Destination(SRC, "a"), "storage_class": "IA"}
IN_THE_WAY = Conflict("FileAlreadyExists", "the object exists", status=409)
CHANGED = SourceChanged("SourceChanged", "it is another version", status=412)


def begin(engine: Engine, copy: Copy, *, inline: bool = True, **context: Any) -> Result:
    return start.begin(engine.context(**context), copy, inline=inline)


def opened(engine: Engine, copy: Copy) -> Opened:
    return msgspec.json.decode(engine.cloud.records[f"open/{copy.job}"][1], type=Opened)


# --- who may -----------------------------------------------------------------------------------------------


def test_what_the_settings_do_not_allow_is_refused_and_oss_is_not_asked(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.forbidden = {"b"}
    assert code(begin(engine, engine.copy())) == "NotAllowed"
    assert engine.cloud.asked == []


@pytest.mark.parametrize("known", [{"keep": True}, {"generation": 3}])
def test_a_refusal_of_a_copy_that_is_on_record_as_running_is_put_on_record(
    engine: Engine, known: dict[str, Any]
) -> None:
    engine.cloud.put("a")
    engine.forbidden = {"b"}
    copy = engine.copy(**known)
    assert code(begin(engine, copy)) == "NotAllowed"
    assert code(engine.done(copy.job)) == "NotAllowed"


def test_a_reading_of_an_event_s_key_that_is_not_allowed_is_not_looked_at(engine: Engine) -> None:
    """The object that has the event's ETag lies outside what may be read."""
    engine.cloud.put("secret key", "9")
    copy = engine.copy(
        request(source=Source(SRC, "secret+key")),
        alternatives=(request(source=Source(SRC, "secret key")),),
        event_etag="E9",
        since=START,
    )
    engine.forbidden = {"secret key"}
    assert code(begin(engine, copy)) == "NoSuchKey"
    assert "head secret key" not in engine.cloud.asked


def test_another_reading_that_is_allowed_stands_for_the_first_one_that_is_not(engine: Engine) -> None:
    engine.cloud.put("in/a", "9")
    copy = engine.copy(
        request(source=Source(SRC, "in%2Fa")),
        alternatives=(request(source=Source(SRC, "in/a")),),
        event_etag="E9",
        since=START,
    )
    engine.forbidden = {"in%2Fa"}
    assert begin(engine, copy).status == "succeeded"
    assert "head in%2Fa" not in engine.cloud.asked


def test_a_reading_with_blanks_for_plus_signs_counts_by_its_etag_alone(engine: Engine) -> None:
    engine.cloud.put("a b", "9")
    plus, blank = request(source=Source(SRC, "a+b")), request(source=Source(SRC, "a b"))
    for etag, status in (("E9", "succeeded"), ("E8", "failed"), (None, "failed")):
        copy = engine.copy(plus, alternatives=(blank,), event_etag=etag, since=START, occurrence=str(etag))
        assert begin(engine, copy).status == status


def test_of_two_objects_the_event_s_etag_chooses(engine: Engine) -> None:
    engine.cloud.put("a%20b", "1")
    engine.cloud.put("a b", "2")
    raw, unquoted = request(source=Source(SRC, "a%20b")), request(source=Source(SRC, "a b"))
    for etag, key in (("E1", "a%20b"), ("E2", "a b"), ("E3", "a%20b")):
        copy = engine.copy(raw, alternatives=(unquoted,), event_etag=etag, since=START, occurrence=etag)
        found = begin(engine, copy)
        assert found.source is not None
        assert found.source.key == key


def test_an_unquoted_reading_that_is_there_stands_for_a_raw_one_that_is_not(engine: Engine) -> None:
    engine.cloud.put("a b", "2")
    raw, unquoted = request(source=Source(SRC, "a%20b")), request(source=Source(SRC, "a b"))
    copy = engine.copy(raw, alternatives=(unquoted,), event_etag="E3", since=START)
    assert begin(engine, copy).status == "succeeded"


def test_a_reading_that_cannot_be_looked_at_is_an_error_only_where_it_is_needed(engine: Engine) -> None:
    raw, unquoted = request(source=Source(SRC, "a%20b")), request(source=Source(SRC, "a b"))
    copy = engine.copy(raw, alternatives=(unquoted,), event_etag="E3", since=START)
    engine.cloud.at("head", fails(DENIED), nth=2)
    assert code(begin(engine, copy)) == "AccessDenied"
    engine.cloud.put("a%20b", "1")
    engine.cloud.at("head", fails(DENIED), nth=2)
    assert begin(engine, replace(copy, job="c-" + "1" * 32)).status == "succeeded"


def test_a_symlink_s_target_has_to_be_allowed_too(engine: Engine) -> None:
    engine.cloud.put("secret", "9")
    engine.cloud.put("a", link="secret", kind="Symlink", size=0)
    engine.forbidden = {"secret"}
    followed = engine.copy(request(symlinks="follow"))
    assert code(begin(engine, followed)) == "NotAllowed"
    assert engine.cloud.count("copy") == 0


WATCHED = Origin("oss", (Within(SRC, "in/", ".bin"),))


@pytest.mark.parametrize(
    ("target", "wanted"),
    [("in/x.bin", None), ("in/secret.txt", "NotAllowed"), ("secret.bin", "NotAllowed")],
)
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_symlink_leads_a_rule_to_nothing_that_it_does_not_watch(
    engine: Engine, target: str, wanted: str | None, size: int
) -> None:
    engine.cloud.put(target, "9", size=size)
    engine.cloud.put("in/a.bin", link=target, kind="Symlink", size=0)
    asked = request(symlinks="follow", source=Source(SRC, "in/a.bin"))
    result = begin(engine, engine.copy(asked, origin=WATCHED, follows=0))
    assert code(result) == wanted
    assert ((DST, "b") in engine.cloud.objects) == (wanted is None)
    assert result.caller == "oss"


def test_a_symlink_that_leads_elsewhere_by_now_is_not_followed_up(engine: Engine) -> None:
    engine.cloud.put("in/x.bin", "9")
    engine.cloud.put("secret", "7")
    engine.cloud.put("in/a.bin", link="in/x.bin", kind="Symlink", size=0)

    def lead_elsewhere() -> None:
        engine.cloud.put("in/a.bin", link="secret", kind="Symlink", size=0)

    engine.cloud.at("copy", lead_elsewhere, after=True)
    asked = request(symlinks="follow", source=Source(SRC, "in/a.bin"))
    begin(engine, engine.copy(asked, origin=WATCHED, follows=0))
    assert engine.cloud.objects[DST, "b"].head.crc64 == "9"
    assert engine.cloud.submitted == []


def test_a_source_beyond_what_its_caller_may_copy_is_refused(engine: Engine) -> None:
    engine.cloud.put("a")
    for within, wanted in ((Within(SRC, key="a"), None), (Within(SRC, key="ab"), "NotAllowed")):
        copy = engine.copy(occurrence=str(within), origin=Origin("token:x", (within,)))
        assert code(begin(engine, copy)) == wanted
    assert code(begin(engine, engine.copy(origin=Origin("t", (Within(DST, "a"),))))) == "NotAllowed"


def test_a_symlink_s_target_is_no_copy_onto_itself(engine: Engine) -> None:
    engine.cloud.put("target", "9")
    engine.cloud.put("a", link="target", kind="Symlink", size=0)
    itself = engine.copy(request(symlinks="follow", destination=Destination(SRC, "target")))
    assert code(begin(engine, itself)) == "SelfCopy"


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_what_a_symlink_points_to_is_copied_where_it_is_followed(engine: Engine, size: int) -> None:
    engine.cloud.put("target", "9", size=size)
    engine.cloud.put("a", link="target", kind="Symlink", size=0)
    result = begin(engine, engine.copy(request(symlinks="follow")))
    assert result.status == "succeeded"
    assert engine.cloud.objects[DST, "b"].head.crc64 == "9"


@pytest.mark.parametrize("target", [None, "elsewhere"])
def test_a_symlink_that_points_elsewhere_before_complete_is_another_source(
    engine: Engine, target: str | None
) -> None:
    engine.cloud.put("target", "9", size=LARGE)
    engine.cloud.put("elsewhere", "9", size=LARGE)
    engine.cloud.put("a", link="target", kind="Symlink", size=0)
    engine.cloud.at("list_parts", lambda: engine.cloud.put("a", link=target))
    assert code(begin(engine, engine.copy(request(symlinks="follow")))) == "SourceChanged"


def test_a_symlink_that_is_replaced_between_two_looks_is_asked_for_again(engine: Engine) -> None:
    engine.cloud.put("target", "9")
    engine.cloud.put("a", link="target", kind="Symlink", size=0)
    engine.cloud.at("link", lambda: engine.cloud.put("a"))
    with pytest.raises(Transient, match="SourceInMotion"):
        begin(engine, engine.copy(request(symlinks="follow")))


def test_a_symlink_is_copied_as_one_unless_it_is_to_be_followed(engine: Engine) -> None:
    for target in ("nowhere", "there"):
        engine.cloud.put("there", "9")
        engine.cloud.put("a", link=target, kind="Symlink", size=0)
        assert begin(engine, engine.copy(occurrence=target)).verified == "link"
        assert engine.cloud.objects[DST, "b"].head.link == target
    engine.cloud.put("a", link="nowhere", kind="Symlink", size=0)
    dangling = engine.copy(request(symlinks="follow", destination=Destination(DST, "c")))
    assert code(begin(engine, dangling)) == "SymlinkTargetNotExist"


def test_what_is_no_symlink_is_not_followed(engine: Engine) -> None:
    engine.cloud.put("a")
    assert begin(engine, engine.copy(request(symlinks="follow"))).status == "succeeded"
    assert engine.cloud.count("link") == 0


def test_a_source_that_is_replaced_just_now_is_asked_for_again(engine: Engine) -> None:
    engine.cloud.put("a", link="nowhere", kind="Symlink", size=0)
    engine.cloud.at("link", lambda: engine.cloud.put("a"))
    with pytest.raises(Transient, match="SourceInMotion"):
        begin(engine, engine.copy())


def test_a_version_that_is_gone_before_its_tags_are_read_is_looked_at_again(engine: Engine) -> None:
    """An older version is the current one then: the key was there all the time."""
    engine.cloud.versioned.add(SRC)
    engine.cloud.put("a", size=LARGE)
    newer = engine.cloud.put("a", size=LARGE, tags={"t": "1"})
    engine.cloud.at("tags", lambda: engine.cloud.versions.pop((SRC, "a", str(newer.version_id))))
    with pytest.raises(Transient, match="SourceInMotion"):
        begin(engine, engine.copy())


def test_a_version_that_was_asked_for_and_is_gone_is_missing(engine: Engine) -> None:
    engine.cloud.versioned.add(SRC)
    only = engine.cloud.put("a", size=LARGE, tags={"t": "1"})
    engine.cloud.at("tags", lambda: engine.cloud.versions.pop((SRC, "a", str(only.version_id))))
    asked = request(source=Source(SRC, "a", only.version_id))
    assert code(begin(engine, engine.copy(asked))) == "NoSuchKey"


# --- what an earlier delivery has made ---------------------------------------------------------------------


def test_a_copy_that_is_over_is_not_made_again(engine: Engine) -> None:
    engine.cloud.put("a")
    copy = engine.copy(since=START)
    engine.put(f"done/{copy.job}", Done("n", Result(copy.job, "cancelled"), copy.request))
    assert begin(engine, copy).status == "cancelled"
    assert engine.cloud.count("copy") == 0
    assert f"open/{copy.job}" not in engine.cloud.records


def test_a_retried_copy_that_was_made_is_not_made_again_and_a_new_one_is_made(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST)
    assert begin(engine, engine.copy(since=START, retried=True)).status == "succeeded"
    assert engine.cloud.count("copy") == 0
    assert begin(engine, engine.copy(since=START, occurrence="two")).status == "succeeded"
    assert engine.cloud.count("copy") == 1


@pytest.mark.parametrize(
    "shown",
    [
        {"last_modified": START - 1},
        {"crc64": "8"},
        {"tags": {"k": "v"}},
        {"storage_class": "IA"},
    ],
)
def test_what_is_shown_is_no_copy_of_an_earlier_delivery_if_it_is_older_or_other(
    engine: Engine, shown: dict[str, Any]
) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST, **shown)
    begin(engine, engine.copy(since=START, retried=True))
    assert engine.cloud.count("copy") == 1


def test_what_is_older_than_its_source_is_no_copy_of_it(engine: Engine) -> None:
    """Nobody knows when the first delivery came, and the source was changed in place since."""
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST, last_modified=START - 1)
    begin(engine, engine.copy(since=0, retried=True))
    assert engine.cloud.count("copy") == 1


@pytest.mark.parametrize(("acl", "copies"), [("default", 0), ("private", 1)])
def test_an_acl_that_nobody_sees_is_set_again(engine: Engine, acl: Any, copies: int) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST)
    begin(engine, engine.copy(request(acl=acl), since=0, retried=True))
    assert engine.cloud.count("copy") == copies


@pytest.mark.parametrize("nth", [1, 2])
def test_a_destination_that_cannot_be_looked_at_is_no_reason_not_to_copy(engine: Engine, nth: int) -> None:
    """Once beside the source, and once for what an earlier delivery may have made."""
    engine.cloud.put("a")
    engine.cloud.at("find", fails(DENIED), nth=nth)
    assert begin(engine, engine.copy(since=START, retried=True)).status == "succeeded"
    assert engine.cloud.count("copy") == 1


@pytest.mark.parametrize(
    ("fields", "on_record"),
    [
        ({"since": START}, False),
        ({"since": START, "keep": True}, True),
        ({"since": START, "follows": 0}, True),
        ({"since": 0, "overwrite": "never"}, True),
        ({"since": START, "overwrite": "never"}, False),
    ],
)
def test_what_an_earlier_delivery_made_is_on_record_where_somebody_may_ask(
    engine: Engine, fields: dict[str, Any], on_record: bool
) -> None:
    asked = request(overwrite=fields.pop("overwrite", "always"))
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST)
    copy = engine.copy(asked, retried=True, **fields)
    assert begin(engine, copy).status == "succeeded"
    assert (engine.done(copy.job) is not None) == on_record
    assert engine.cloud.count("copy") == 0


def test_a_copy_in_parts_that_landed_is_not_taken_for_a_copyobject(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(since=START, retried=True)
    engine.entered(engine.opened(copy))
    engine.cloud.uploads.clear()
    engine.cloud.put("b", bucket=DST, size=LARGE)
    assert begin(engine, copy).method == "multipart"


def test_a_copy_that_an_earlier_delivery_made_is_not_in_its_own_way(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST)
    never = request(overwrite="never")
    assert begin(engine, engine.copy(never, since=START)).status == "succeeded"
    assert code(begin(engine, engine.copy(never, occurrence="two"))) == "FileAlreadyExists"
    engine.cloud.put("b", bucket=DST, last_modified=START - 1)
    assert code(begin(engine, engine.copy(never, since=START, occurrence="three"))) == "FileAlreadyExists"


def test_a_copy_on_record_is_in_the_way_of_no_newer_version(engine: Engine) -> None:
    """It was begun of another version: what is shown now is somebody else's copy."""
    engine.cloud.put("a")
    copy = engine.copy(request(overwrite="never"), since=START)
    engine.opened(copy)
    engine.cloud.put("a", "8")
    engine.cloud.put("b", "8", bucket=DST)
    assert code(begin(engine, replace(copy, retried=True))) == "FileAlreadyExists"


def test_a_copy_that_another_delivery_has_made_meanwhile_is_not_in_its_own_way(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", lambda: engine.cloud.put("b", bucket=DST), fails(IN_THE_WAY))
    assert begin(engine, engine.copy(request(overwrite="never"))).status == "succeeded"
    engine.cloud.put("a", last_modified=START - 100)
    engine.cloud.put("b", bucket=DST, last_modified=START - 1)
    engine.cloud.at("find", lambda: engine.cloud.objects.pop((DST, "b")))
    older = lambda: engine.cloud.put("b", bucket=DST, last_modified=START - 1)  # noqa: E731 - it happens later
    engine.cloud.at("copy", older, fails(IN_THE_WAY))
    assert code(begin(engine, engine.copy(request(overwrite="never"), occurrence="2"))) == "FileAlreadyExists"


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ({"etag": "E7"}, "succeeded"),
        ({"etag": "E8"}, "failed"),
        ({"etag": "E7", "last_modified": START - 1}, "failed"),
        (None, "failed"),
    ],
)
def test_a_source_that_is_gone_was_copied_if_the_destination_has_the_event_s_etag(
    engine: Engine, shown: dict[str, Any] | None, status: str
) -> None:
    if shown is not None:
        engine.cloud.put("b", bucket=DST, **shown)
    copy = engine.copy(event_etag="E7", since=START)
    assert begin(engine, copy).status == status
    undated = engine.copy(event_etag="E7", occurrence="undated")
    assert begin(engine, undated).status == "failed"
    retried = engine.copy(event_etag="E7", since=START, retried=True, follows=0, occurrence="retried")
    begin(engine, retried)
    assert engine.done(retried.job) is not None, "a CopyObject of the killed attempt may yet take effect"


def test_a_source_that_is_gone_is_what_failed_though_the_destination_cannot_be_looked_at(
    engine: Engine,
) -> None:
    engine.cloud.broken["find"] = DENIED
    assert code(begin(engine, engine.copy(event_etag="E7", since=START))) == "NoSuchKey"


def test_a_source_that_is_gone_and_on_record_is_judged_by_its_record(engine: Engine) -> None:
    engine.cloud.put("a", "6", size=LARGE)
    copy = engine.copy(event_etag="E7", since=START)
    engine.opened(copy)
    engine.cloud.objects.clear()
    engine.cloud.put("b", bucket=DST, etag="E7")
    assert code(begin(engine, copy)) == "NoSuchKey"


def test_an_object_that_was_changed_in_place_does_not_fail_its_own_condition(engine: Engine) -> None:
    engine.cloud.put("a", etag="new", storage_class="IA")
    asked = request(conditions=Conditions(if_match="E7"), **ITSELF)
    assert begin(engine, engine.copy(asked, since=START)).status == "succeeded"
    other = request(conditions=Conditions(if_match="E7"))
    engine.cloud.put("b", bucket=DST, storage_class="IA")
    assert code(begin(engine, engine.copy(other, since=START))) == "PreconditionFailed"
    assert engine.cloud.count("copy") == 0


# --- what an earlier delivery has begun --------------------------------------------------------------------


def test_a_copy_with_nothing_to_do_leaves_no_record_unless_somebody_may_ask(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST, last_modified=START - 1)
    asked = request(overwrite="ifDifferent")
    assert begin(engine, engine.copy(asked)).status == "skipped"
    assert engine.cloud.records == {}
    kept = engine.copy(asked, keep=True)
    assert begin(engine, kept).status == "skipped"
    assert engine.done(kept.job) is not None


def test_a_copy_that_failed_is_always_on_record(engine: Engine) -> None:
    copy = engine.copy()
    assert code(begin(engine, copy)) == code(engine.done(copy.job)) == "NoSuchKey"


def test_what_an_earlier_delivery_has_begun_goes_on_although_its_source_is_gone(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(since=START)
    engine.entered(engine.opened(copy), [1, 2, 3, 4])
    engine.cloud.objects.clear()
    assert code(begin(engine, replace(copy, retried=True))) == "SourceChanged"
    assert engine.cloud.uploads == {}, "the upload is ended, not left"


def test_an_upload_that_another_delivery_opens_while_this_one_closes_is_aborted(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(since=START)

    def other() -> None:
        engine.cloud.put("a", size=LARGE)
        engine.entered(engine.opened(copy))
        engine.cloud.objects.clear()

    engine.cloud.at("head", engine.cloud.objects.clear)
    engine.cloud.at("put done", other)
    assert code(begin(engine, copy)) == "NoSuchKey"
    assert engine.cloud.uploads == {}


@pytest.mark.parametrize("what", ["RequestTooLarge", "TimeoutTooShort"])
def test_what_is_refused_after_it_was_put_on_record_ends_what_was_begun(engine: Engine, what: str) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(keep=True)
    engine.entered(engine.opened(copy), [1])
    engine.cloud.broken["copy_part"] = Refused(what, "too much")
    engine.cloud.at("head", fails(Refused(what, "too much")))
    begin(engine, copy)
    assert engine.cloud.uploads == {}


def test_a_copyobject_on_record_that_landed_is_found_although_its_source_is_gone(engine: Engine) -> None:
    engine.cloud.put("a")
    copy = engine.copy(since=START)
    engine.opened(copy, "simple")
    engine.cloud.put("b", bucket=DST)
    del engine.cloud.objects[SRC, "a"]
    assert begin(engine, copy.delivered_again()).status == "succeeded"


def test_a_copy_on_record_as_open_is_closed_by_whoever_makes_it(engine: Engine) -> None:
    engine.cloud.put("a")
    copy = engine.copy(since=START)
    engine.opened(copy, "simple")
    assert begin(engine, copy.delivered_again()).status == "succeeded"
    assert engine.done(copy.job) is not None


# --- CopyObject --------------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_looked_for_before_anything_is_repeated(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", fails(LOST), after=True)
    copy = engine.copy()
    assert begin(engine, copy).status == "succeeded"
    assert engine.cloud.count("copy") == 1
    assert {"open", "done"} <= engine.kinds(), "a request in doubt may yet take effect"


@pytest.mark.parametrize("shown", [{"last_modified": START - 1}, {"crc64": "8"}])
def test_what_was_there_before_is_not_taken_for_what_had_no_answer(
    engine: Engine, shown: dict[str, Any]
) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST, **shown)
    engine.cloud.at("copy", fails(LOST))
    assert begin(engine, engine.copy()).status == "succeeded"
    assert engine.cloud.count("copy") == 2


def test_a_copy_of_another_version_is_not_taken_for_what_had_no_answer(engine: Engine) -> None:
    """The source was overwritten meanwhile, and another event has copied it: ask OSS what that means."""
    engine.cloud.put("a")

    def replaced() -> None:
        engine.cloud.put("a", "8")
        engine.cloud.put("b", "8", bucket=DST)

    engine.cloud.at("copy", replaced, fails(LOST))
    begin(engine, engine.copy())
    assert engine.cloud.count("copy") == 2


def test_an_error_in_doubt_is_raised_with_the_copy_on_record(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.broken["copy"] = LOST
    copy = engine.copy()
    with pytest.raises(Transient):
        begin(engine, copy)
    assert engine.kinds() == {"open"}
    calm = engine.copy(occurrence="two")
    engine.cloud.broken["copy"] = EXPIRED
    with pytest.raises(Transient):
        begin(engine, calm)
    assert f"open/{calm.job}" not in engine.cloud.records


def test_a_refusal_after_a_lost_answer_is_on_record_and_our_own_copy_in_the_way_is_success(
    engine: Engine,
) -> None:
    engine.cloud.put("a")
    never = engine.copy(request(overwrite="never"))
    engine.cloud.at("find", fails(LOST), nth=2)
    engine.cloud.at("copy", fails(LOST), after=True)
    assert begin(engine, never).status == "succeeded"
    refused = engine.copy(request(destination=Destination(DST, "c")))
    engine.cloud.at("copy", fails(LOST))
    engine.cloud.at("copy", fails(DENIED), nth=2)
    assert code(begin(engine, refused)) == "AccessDenied"
    assert f"open/{refused.job}" in engine.cloud.records


def test_a_conflict_after_a_lost_answer_is_our_own_copy_if_the_destination_shows_it(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", fails(LOST))
    engine.cloud.at("copy", lambda: engine.cloud.put("b", bucket=DST), fails(IN_THE_WAY), nth=2)
    copy = engine.copy(request(overwrite="never"))
    assert begin(engine, copy).status == "succeeded"
    assert {"open", "done"} <= engine.kinds()


def test_a_refusal_without_doubt_needs_no_look(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", fails(DENIED))
    copy = engine.copy()
    assert code(begin(engine, copy)) == "AccessDenied"
    assert engine.cloud.count("find") == 0
    assert "open" not in engine.kinds()


@pytest.mark.parametrize("follows", [None, 0])
def test_a_rule_s_source_that_changed_while_it_was_copied_is_followed(
    engine: Engine, follows: int | None
) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", lambda: engine.cloud.put("a", "8"))
    assert code(begin(engine, engine.copy(follows=follows, since=START))) == "SourceChanged"
    assert len(engine.cloud.submitted) == (0 if follows is None else 1)


def test_a_copyobject_that_outlasts_its_wait_goes_on_in_parts_where_parts_help(engine: Engine) -> None:
    engine.cloud.put("a", size=2 * PART)
    engine.cloud.at("copy", fails(LATE))
    assert begin(engine, engine.copy()).method == "multipart"
    for options, size in (({"tuning": Tuning(part_size=PART, method="simple")}, 2 * PART), ({}, PART)):
        other = Engine()
        other.cloud.put("a", size=size)
        other.cloud.at("copy", fails(LATE))
        assert begin(other, other.copy(request(**options))).method == "simple"
        assert other.cloud.count("copy") == 2


@pytest.mark.parametrize("error", [BUSY, LOST])
def test_a_copyobject_that_is_throttled_or_lost_is_repeated_and_not_left_for_parts(
    engine: Engine, error: Transient
) -> None:
    engine.cloud.put("a", size=2 * PART)
    engine.cloud.at("copy", fails(error))
    assert begin(engine, engine.copy()).method == "simple"
    assert engine.cloud.count("copy") == 2


def test_what_copyobject_does_not_take_goes_on_in_parts_unless_it_was_asked_for(engine: Engine) -> None:
    too_large = Failed("EntityTooLarge", "too large", status=400)
    engine.cloud.put("a", size=2 * PART)
    engine.cloud.at("copy", fails(too_large))
    assert begin(engine, engine.copy()).method == "multipart"
    engine.cloud.at("copy", fails(too_large))
    simple = request(tuning=Tuning(method="simple"))
    assert code(begin(engine, engine.copy(simple))) == "EntityTooLarge"


def test_a_shallow_copy_is_asked_for_once_and_not_waited_for_long(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    engine.cloud.at("copy", fails(LATE))
    inside = request(destination=Destination(SRC, "b"))
    assert begin(engine, engine.copy(inside), timeout=600.0).method == "multipart"
    assert engine.cloud.waits["copy"] == 30
    begin(engine, engine.copy(inside, occurrence="two"), timeout=600.0)
    engine.cloud.put("c")
    begin(engine, engine.copy(request(source=Source(SRC, "c"))), timeout=600.0)
    assert engine.cloud.waits["copy"] == plan.read_timeout(600) == 300


def test_a_shallow_copy_that_is_throttled_is_not_made_in_parts(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    engine.cloud.at("copy", fails(BUSY))
    assert begin(engine, engine.copy(request(destination=Destination(SRC, "b")))).method == "simple"


def test_parts_after_a_copyobject_without_an_answer_know_of_the_doubt(engine: Engine) -> None:
    engine.cloud.put("a", size=2 * PART)
    engine.cloud.at("copy", fails(LATE))
    copy = engine.copy()
    begin(engine, copy)
    assert opened(engine, copy).in_doubt
    elsewhere = [request(destination=Destination(DST, each)) for each in "cd"]
    retried = engine.copy(elsewhere[0], retried=True, since=START)
    engine.cloud.at("copy", fails(Failed("EntityTooLarge", "too large", status=400)))
    begin(engine, retried)
    assert opened(engine, retried).in_doubt, "the killed attempt may have sent one"
    calm = engine.copy(elsewhere[1])
    engine.cloud.at("copy", fails(Failed("EntityTooLarge", "too large", status=400)))
    begin(engine, calm)
    assert not opened(engine, calm).in_doubt


def test_parts_that_are_refused_while_a_copyobject_may_take_effect_are_left_to_the_sweep(
    engine: Engine,
) -> None:
    engine.cloud.put("a", size=2 * PART)
    copy = engine.copy()
    engine.cloud.at("copy", fails(LATE))
    engine.cloud.at("initiate", fails(DENIED))
    assert begin(engine, copy).status == "running"
    assert engine.done(copy.job) is None
    refused = engine.copy(occurrence="two")
    engine.cloud.at("copy", fails(Failed("EntityTooLarge", "too large", status=400)))
    engine.cloud.at("initiate", fails(DENIED))
    assert code(begin(engine, refused)) == "AccessDenied"


def test_what_was_written_and_cannot_be_looked_at_for_the_moment_is_on_record(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.broken["find"] = EXPIRED
    copy = engine.copy()
    with pytest.raises(Transient):
        begin(engine, copy)
    assert f"open/{copy.job}" in engine.cloud.records


def test_a_copy_proved_after_a_doubt_is_on_record_as_open_too(engine: Engine) -> None:
    """What came before the answer may still take effect, over something newer."""
    engine.cloud.put("a")
    engine.cloud.at("copy", fails(LOST))
    copy = engine.copy(follows=0, since=START)
    assert begin(engine, copy).status == "succeeded"
    assert {"open", "done"} <= engine.kinds()


@pytest.mark.parametrize(
    ("fields", "on_record"),
    [
        ({}, False),
        ({"keep": True}, True),
        ({"since": START, "retried": True}, False),
        ({"since": START, "retried": True, "follows": 0}, True),
        ({"overwrite": "never"}, True),
        ({"overwrite": "never", "since": START}, False),
    ],
)
def test_a_small_copy_is_on_record_where_somebody_may_ask(
    engine: Engine, fields: dict[str, Any], on_record: bool
) -> None:
    asked = request(overwrite=fields.pop("overwrite", "always"))
    engine.cloud.put("a")
    copy = engine.copy(asked, **fields)
    assert begin(engine, copy).status == "succeeded"
    assert engine.cloud.count("copy") == 1
    assert (engine.done(copy.job) is not None) == on_record


def test_a_wrong_copy_is_on_record_as_failed(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("copy", lambda: engine.cloud.put("b", "9", bucket=DST), after=True)
    copy = engine.copy()
    assert code(begin(engine, copy)) == code(engine.done(copy.job)) == "DestinationChanged"


def test_a_rule_s_source_that_cannot_be_looked_at_again_is_left_to_the_sweep(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("head", fails(DENIED), nth=2)
    copy = engine.copy(follows=0, since=START)
    assert begin(engine, copy).status == "succeeded"
    assert {"open", "done"} <= engine.kinds()
    assert len(engine.cloud.events("notFollowed")) == 1


def test_a_rule_s_small_copy_is_followed_if_its_source_has_changed(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.at("find", lambda: engine.cloud.put("a", "8"))
    assert begin(engine, engine.copy(follows=0, since=START)).status == "succeeded"
    assert [each.follows for each in engine.cloud.commands()] == [1]


def test_a_cancelled_small_copy_is_not_made(engine: Engine) -> None:
    engine.cloud.put("a")
    copy = engine.copy(keep=True)
    engine.opened(copy, "simple")
    engine.put(f"cancel/{copy.job}", Cancelled("n", "now"))
    engine.cloud.time += 10_000
    assert begin(engine, copy).status == "cancelled"
    assert engine.cloud.count("copy") == 0


def test_a_killed_rule_s_copy_is_on_record_before_its_copyobject_is_repeated(engine: Engine) -> None:
    engine.cloud.put("a")
    copy = engine.copy(follows=0, since=START).delivered_again()
    begin(engine, copy)
    names = [each.partition(" c-")[0] for each in engine.cloud.asked]
    assert names.index("put open") < names.index("copy")
    assert opened(engine, copy).uncertain


def test_a_killed_rule_s_copy_is_on_record_though_a_larger_source_is_copied_by_now(engine: Engine) -> None:
    """Its CopyObject may yet land over that newer copy: the sweep has to look."""
    engine.cloud.put("a", "9", size=LARGE)
    begin(engine, engine.copy(follows=0, occurrence="of the larger one"))
    copy = engine.copy(follows=0, since=START).delivered_again()
    assert begin(engine, copy).status == "succeeded"
    assert opened(engine, copy).uncertain


@pytest.mark.parametrize("error", [LOST, EXPIRED])
def test_http_hands_over_a_copyobject_that_does_not_answer(engine: Engine, error: Transient) -> None:
    engine.cloud.put("a")
    engine.cloud.broken["copy"] = error
    copy = engine.copy()
    assert begin(engine, copy, inline=False).status == "running"
    assert f"open/{copy.job}" in engine.cloud.records
    (following,) = engine.cloud.commands()
    assert (following.job, following.keep) == (copy.job, True)
    assert following.since == START - plan.CLOCK_MARGIN


def test_http_says_that_oss_throttles_and_leaves_nothing(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.broken["copy"] = BUSY
    with pytest.raises(Transient):
        begin(engine, engine.copy(), inline=False)
    assert (engine.cloud.records, engine.cloud.submitted) == ({}, [])


# --- parts -------------------------------------------------------------------------------------------------


def test_parts_begin_with_the_record_then_done_then_initiate_then_up_then_done_and_cancel(
    engine: Engine,
) -> None:
    engine.cloud.put("a", size=LARGE)
    begin(engine, engine.copy())
    names = [
        each.partition(" ")[0] + " " + each.partition(" ")[2].partition(" ")[0] for each in engine.cloud.asked
    ]
    order = [each.strip() for each in names if each.startswith(("put", "get", "init", "list", "copy_part"))]
    assert order[:8] == [
        "get open",
        "put open",
        "get done",
        "initiate",
        "put up",
        "get done",
        "get cancel",
        "copy_part 1",
    ]
    listings = [place for place, each in enumerate(order) if each.startswith("list_parts")]
    assert min(listings) > order.index("copy_part 4"), "a new upload has no parts to list"


def test_what_is_on_record_is_read_and_not_tried(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(keep=True)
    engine.opened(copy)
    assert begin(engine, copy).status == "succeeded"
    asked = [each.partition(" c-")[0] for each in engine.cloud.asked]
    assert asked[:9] == [
        "head a",
        "get open",
        "get done",
        "get up",
        "get cancel",
        "find b",
        "tags src-bucket/a",
        "initiate",
        "put up",
    ]
    assert engine.cloud.rounds[0] == 7, "all of them"
    assert engine.cloud.count("put open") == 0


def test_the_destination_is_looked_at_beside_the_source_where_a_policy_needs_it(engine: Engine) -> None:
    for number, (policy, together) in enumerate((("always", 2), ("ifDifferent", 3), ("never", 3))):
        engine.cloud.put("a")
        place = replace(request().destination, key=f"b{number}")
        asked = request(overwrite=policy, destination=place, tuning=Tuning())
        result = begin(engine, engine.copy(asked))
        assert result.status == "succeeded"
        assert engine.cloud.rounds == [together]
        engine.cloud.rounds.clear()


def test_a_policy_is_judged_at_the_destination_of_the_reading_that_is_copied(engine: Engine) -> None:
    engine.cloud.versioned = {DST}  # OSS refuses no overwriting there
    head = engine.cloud.put("a b")
    engine.cloud.put("a b", "9", bucket=DST)
    raw, read = (
        request(source=Source(SRC, key), destination=Destination(DST, key), overwrite="never")
        for key in ("a%20b", "a b")
    )
    copy = engine.copy(raw, alternatives=(read,), event_etag=head.etag)
    assert code(begin(engine, copy)) == "FileAlreadyExists"
    assert engine.cloud.count("copy") == 0


def test_a_copy_that_a_canceller_calls_cancelled_at_once_is_looked_for_right_before_it_is_made(
    engine: Engine,
) -> None:
    engine.cloud.put("a")
    copy = engine.copy(keep=True)
    engine.opened(copy, "simple", restores=True)
    engine.cloud.at("find", lambda: engine.put(f"cancel/{copy.job}", Cancelled("n", "now")))
    begin(engine, copy)
    assert (engine.cloud.count("get cancel"), engine.cloud.count("copy")) == (2, 0)


@pytest.mark.parametrize("is_open", [False, True])
def test_a_cancel_that_is_read_beside_the_source_is_not_read_again_where_a_canceller_waits(
    engine: Engine, is_open: bool
) -> None:
    engine.cloud.put("a")
    copy = engine.copy(keep=True)
    if is_open:
        engine.opened(copy, "simple")
    assert begin(engine, copy).status == "succeeded"
    assert engine.cloud.count("get cancel") == 1


def test_an_object_from_before_the_upload_is_not_its_copy(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    older = lambda: engine.cloud.put("b", bucket=DST, size=LARGE, last_modified=START - 1)  # noqa: E731 - it happens later
    engine.cloud.at("complete", older, fails(LOST))
    assert code(begin(engine, engine.copy(request(overwrite="never")))) == "FileAlreadyExists"


def test_a_copy_that_is_over_opens_no_upload(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    for status in ("succeeded", "failed"):
        copy = engine.copy(occurrence=status)
        entry = Done("n", Result(copy.job, status), copy.request)
        engine.put(f"done/{copy.job}", entry)
        assert begin(engine, copy).status == status
    assert engine.cloud.count("initiate") == 0


def test_a_copy_that_is_over_has_the_upload_ended_that_was_opened_late(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    engine.entered(engine.opened(copy))
    engine.put(f"done/{copy.job}", Done("n", Result(copy.job, "failed"), copy.request))
    assert begin(engine, copy).status == "failed"
    assert engine.cloud.uploads == {}


def test_behind_http_another_invocation_opens_the_upload(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    assert begin(engine, copy, inline=False).status == "running"
    assert engine.cloud.count("initiate") == 0
    (following,) = engine.cloud.commands()
    assert (following.job, following.keep, following.since) == (copy.job, True, START - plan.CLOCK_MARGIN)
    engine.cloud.broken["submit"] = BUSY
    assert begin(engine, engine.copy(occurrence="two"), inline=False).status == "running"


def test_once_an_upload_is_on_record_no_other_is_opened(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(keep=True)
    engine.entered(engine.opened(copy), [1, 2])
    assert begin(engine, copy).status == "succeeded"
    assert engine.cloud.count("initiate") == 0
    assert engine.cloud.count("copy_part") == 2


def test_whoever_is_second_to_put_up_on_record_aborts_its_own_upload_and_works_on_the_first(
    engine: Engine,
) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy()
    made: list[Entered] = []

    def other() -> None:
        record = opened(engine, copy)
        made.append(engine.entered(record, [1, 2, 3]))

    engine.cloud.at("put up", other)
    assert begin(engine, copy).status == "succeeded"
    aborted = [each for each in engine.cloud.asked if each.startswith("abort")]
    assert len(aborted) == 1
    assert made[0].upload.id not in aborted[0]
    assert engine.cloud.uploads == {}
    assert engine.cloud.count("copy_part") == 1


def test_an_upload_is_opened_for_no_other_version_than_the_one_on_record(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    copy = engine.copy(keep=True)
    engine.opened(copy)
    engine.cloud.put("a", "8", size=LARGE)
    assert code(begin(engine, copy)) == "SourceChanged"
    assert engine.cloud.count("initiate") == 0


def test_nothing_is_written_where_the_copy_could_not_be_looked_at(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    engine.cloud.broken["find"] = DENIED
    result = begin(engine, engine.copy())
    assert result.error is not None
    assert "nothing was written" in result.error.message
    assert engine.cloud.count("initiate") == 0
    engine.cloud.broken["find"] = Failed("NoSuchBucket", "there is none", status=404)
    result = begin(engine, engine.copy(occurrence="two"))
    assert result.error is not None
    assert "nothing was written" not in result.error.message


def test_an_upload_carries_the_tags_of_the_version_that_was_seen(engine: Engine) -> None:
    """Read unpinned, they may be those of a newer version, and nobody would see it."""
    engine.cloud.versioned = {SRC}
    engine.cloud.put("a", "7", size=LARGE, tags={"k": "old"})
    engine.cloud.at("head", lambda: engine.cloud.put("a", "8", size=LARGE, tags={"k": "new"}), after=True)
    assert begin(engine, engine.copy()).status == "failed"
    unpinned, version, *_ = [each for each in engine.cloud.asked if each.startswith("tags")]
    assert unpinned == f"tags {SRC}/a"
    assert version.startswith(f"tags {SRC}/a v")
    named = engine.copy(request(source=Source(SRC, "a", version.rpartition(" ")[2])))
    assert begin(engine, named).status == "succeeded"
    assert engine.cloud.objects[DST, "b"].tags == {"k": "old"}


@pytest.mark.parametrize(
    ("tuning", "place"),
    [
        (Tuning(), 3),  # after HEAD, which may show that there are none to copy apart
        (Tuning(method="multipart"), 2),
        (Tuning(part_size=PART), 2),
        (Tuning(parallel=2), 2),
        (Tuning(lanes=2), 2),
        (Tuning(part_size=PART, method="simple"), 0),
    ],
)
def test_tags_are_read_beside_the_source_where_the_request_expects_parts(
    engine: Engine, tuning: Tuning, place: int
) -> None:
    engine.cloud.put("a", size=LARGE, tag_count=None)
    begin(engine, engine.copy(request(tuning=tuning)))
    begun = [3, 3] if place == 2 else [2, 3]
    asked = [each.partition(" ")[0] for each in engine.cloud.asked]
    assert (asked.count("tags") > 0) is bool(place)
    assert not place or engine.cloud.rounds[:2] == begun


def test_an_acl_is_read_of_the_version_that_was_seen(engine: Engine) -> None:
    engine.cloud.versioned = {SRC}
    head = engine.cloud.put("a")
    engine.cloud.objects[SRC, "a"].acl = "private"
    begin(engine, engine.copy(request(acl="copy")))
    assert f"acl a {head.version_id}" in engine.cloud.asked
    assert engine.cloud.objects[DST, "b"].acl == "private"


@pytest.mark.parametrize(
    ("options", "error", "status", "acl"),
    [
        ({"acl": "copy"}, DENIED, "failed", None),
        (ITSELF, DENIED, "succeeded", "default"),
        (ITSELF, Failed("NoSuchKey", "gone", status=404), "failed", None),
        (ITSELF, None, "succeeded", "public-read"),
        ({"acl": "private"}, DENIED, "succeeded", "private"),
    ],
)
def test_an_acl_that_may_not_be_read_is_left_to_oss_unless_it_was_asked_for(
    engine: Engine, options: dict[str, Any], error: Exception | None, status: str, acl: str | None
) -> None:
    engine.cloud.put("a")
    engine.cloud.objects[SRC, "a"].acl = "public-read"
    if error is not None:
        engine.cloud.broken["acl"] = error
    asked = request(**options)
    assert begin(engine, engine.copy(asked)).status == status
    if acl is not None:
        assert engine.cloud.objects[asked.destination.bucket, asked.destination.key].acl == acl


def test_tags_that_may_not_be_read_are_not_lost_without_a_word(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE, tags={"k": "v"})
    engine.cloud.broken["tags"] = DENIED
    result = begin(engine, engine.copy())
    assert result.error is not None
    assert "would be lost" in result.error.message
    engine.cloud.broken["tags"] = Failed("NoSuchVersion", "gone", status=404)
    result = begin(engine, engine.copy(occurrence="two"))
    assert code(result) == "NoSuchVersion"
    assert result.error is not None
    assert "would be lost" not in result.error.message


def test_tags_are_read_only_where_they_are_copied_and_there_may_be_any(engine: Engine) -> None:
    engine.cloud.put("a", size=LARGE)
    engine.cloud.broken["tags"] = DENIED
    assert begin(engine, engine.copy()).status == "succeeded"
    engine.cloud.put("a", size=LARGE, tags={"k": "v"})
    assert begin(engine, engine.copy(request(tags="none"))).status == "succeeded"


def test_an_object_copied_onto_itself_names_its_tags(engine: Engine) -> None:
    engine.cloud.put("a", tags={"k": "v"})
    assert begin(engine, engine.copy(request(tuning=Tuning(), **ITSELF))).status == "succeeded"
    assert f"tags {SRC}/a" in engine.cloud.asked
    assert engine.cloud.objects[SRC, "a"].tags == {"k": "v"}


def test_a_copy_is_made_of_the_parts_that_fit_the_invocations_that_copy_them(engine: Engine) -> None:
    engine.cloud.put("a", size=1000 * PART)
    copy = engine.copy(request(tuning=Tuning()))
    begin(engine, copy, inline=False, timeout=10.0, configured=600.0)
    assert engine.context(10.0, 600.0).limits.part_budget == plan.part_budget(600.0)
    assert opened(engine, copy).settle == engine.context(10.0, 600.0).limits.settle > 600


# --- overwrite policy and follow-ups -----------------------------------------------------------------------


def test_the_destination_is_looked_at_where_there_is_a_policy(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", "8", bucket=DST)
    assert code(begin(engine, engine.copy(request(overwrite="never")))) == "FileAlreadyExists"
    assert engine.cloud.count("copy") == 0


@pytest.mark.parametrize(
    ("tags", "error", "status"),
    [
        ({"k": "v"}, None, "skipped"),
        ({"k": "w"}, None, "succeeded"),
        ({"k": "w"}, DENIED, "skipped"),
        ({"k": "w"}, Failed("NoSuchKey", "gone", status=404), "succeeded"),
    ],
)
def test_equal_bytes_with_other_tags_are_different_as_far_as_may_be_seen(
    engine: Engine, tags: dict[str, str], error: Exception | None, status: str
) -> None:
    engine.cloud.put("a", tags={"k": "v"})
    engine.cloud.put("b", bucket=DST, tags=tags)
    if error is not None:
        engine.cloud.at("tags", fails(error), nth=2)
    asked = request(overwrite="ifDifferent", tuning=Tuning())
    assert begin(engine, engine.copy(asked)).status == status


def test_a_follow_up_with_nothing_to_do_is_skipped(engine: Engine) -> None:
    engine.cloud.put("a")
    engine.cloud.put("b", bucket=DST)
    copy = engine.copy(follows=1, keep=True)
    assert code(begin(engine, copy)) == "NotDifferent"
    assert begin(engine, engine.copy(follows=0, occurrence="event")).status == "succeeded"


# --- archived sources --------------------------------------------------------------------------------------


def archived(engine: Engine, **shown: Any) -> Copy:
    engine.cloud.put("a", storage_class="ColdArchive", **shown)
    return engine.copy(request(archive="restore"))


def test_an_archived_source_is_restored_and_looked_at_again(engine: Engine) -> None:
    engine.cloud.versioned = {SRC}
    copy = archived(engine)
    result = begin(engine, copy)
    assert (result.status, result.phase) == ("running", "restoring")
    head = engine.cloud.objects[SRC, "a"].head
    assert f"restore a {head.version_id}" in engine.cloud.asked
    (following,) = engine.cloud.commands()
    assert (following.looks, following.keep, following.job) == (1, True, copy.job)
    assert [(name, delay) for name, _, delay in engine.cloud.submitted] == [(f"{copy.job}-r1", 5)]
    assert opened(engine, copy).restores


def test_a_restoration_that_runs_is_not_asked_for_again(engine: Engine) -> None:
    copy = archived(engine, restoration="ongoing")
    assert begin(engine, replace(copy, looks=3)).status == "running"
    assert engine.cloud.count("restore") == 0
    assert [(name, delay) for name, _, delay in engine.cloud.submitted] == [(f"{copy.job}-r4", 40)]


def test_a_restored_source_is_copied(engine: Engine) -> None:
    copy = archived(engine, restoration="done")
    assert begin(engine, copy).status == "succeeded"


def test_a_source_that_cannot_be_read_after_a_week_has_failed(engine: Engine) -> None:
    copy = archived(engine, restoration="ongoing")
    engine.cloud.time += plan.MAX_AGE
    assert begin(engine, replace(copy, looks=9)).status == "running"
    engine.cloud.time += 1
    assert code(begin(engine, replace(copy, looks=9))) == "RestoreTooSlow"
    assert code(engine.done(copy.job)) == "RestoreTooSlow"


def test_a_copy_that_is_over_waits_for_no_restoration(engine: Engine) -> None:
    copy = archived(engine)
    engine.put(f"done/{copy.job}", Done("n", Result(copy.job, "cancelled"), copy.request))
    assert begin(engine, copy).status == "cancelled"
    assert engine.cloud.count("restore") == 0


def test_the_sweep_looks_again_at_what_it_has_begun_itself(engine: Engine) -> None:
    begin(engine, replace(archived(engine), generation=7))
    assert engine.cloud.submitted == []


@pytest.mark.parametrize("storage", ["Archive", "ColdArchive", "DeepColdArchive"])
@pytest.mark.parametrize(
    ("asked", "restoration", "waits"),
    [("restore", "none", True), ("restore", "done", False), ("fail", "none", False)],
)
def test_every_archive_class_waits_until_it_is_restored(
    engine: Engine, storage: str, asked: Any, restoration: Any, waits: bool
) -> None:
    head = engine.cloud.put("a", storage_class=storage, restoration=restoration)
    assert plan.must_wait(request(archive=asked), head) is waits
    assert not plan.must_wait(request(archive="restore"), replace(head, storage_class="IA"))


# --- when it may have been begun ---------------------------------------------------------------------------


def test_a_copy_handed_over_knows_since_when_it_may_have_been_made(engine: Engine) -> None:
    known, unknown = engine.copy(since=START - 5), engine.copy()
    assert submit.dated(known).since == START - 5
    assert submit.dated(unknown).since == START - plan.CLOCK_MARGIN
