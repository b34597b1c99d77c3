"""The decisions of a copy, as values."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, strategies as st

from osscopy import plan
from osscopy.model import (
    GIB,
    KIB,
    MIB,
    ContentHeaders,
    CopyRequest,
    Destination,
    Encrypted,
    Encryption,
    Failed,
    Head,
    ListedPart,
    OssCopyError,
    Pin,
    Refused,
    Skipped,
    Source,
    Transient,
    Tuning,
    Upload,
)

SIZES = st.integers(1, plan.MAX_OBJECT)


def head(**changes: Any) -> Head:
    seen = Head(
        size=100,
        etag="A" * 32,
        version_id=None,
        last_modified=1000,
        seen_at=2000,
        crc64="7",
        storage_class="Standard",
        kind="Normal",
        content=ContentHeaders(content_type="text/plain", user={"colour": "blau"}),
        tag_count=0,
    )
    return msgspec.structs.replace(seen, **changes)


def request(**options: Any) -> CopyRequest:
    return CopyRequest(source=Source("src", "a"), destination=Destination("dst", "b"), **options)


def upload(size: int, part_size: int, lanes: int = 1) -> tuple[Pin, Upload]:
    return Pin(size, "E", 0), Upload("U", part_size, -(-size // part_size), lanes, 0)


def test_a_traffic_limit_makes_parts_smaller_and_leaves_copyobject_sooner() -> None:
    slow = request(traffic_limit=8 * MIB)  # 1 MiB a second
    assert plan.rate(slow) == MIB
    assert plan.rate(request()) == plan.rate(request(traffic_limit=838_860_800)) == plan.PART_RATE
    assert plan.part_size(GIB, Tuning(), 1, seconds=30, rate=plan.rate(slow)) == 30 * MIB
    assert plan.method(slow, head(size=10 * MIB), 200 * MIB, 600) == "simple"
    assert plan.method(slow, head(size=10 * MIB + 1), 200 * MIB, 600) == "multipart"


def test_the_wait_for_a_part_grows_with_its_size_within_the_life_of_the_invocation() -> None:
    small, large = (plan.part_timeout(size, plan.PART_RATE, 600) for size in (MIB, 1000 * MIB))
    assert 30 < small < 31
    assert large == 180
    assert plan.part_timeout(5 * GIB, plan.PART_RATE, 600) == plan.read_timeout(600) == 300
    assert plan.part_timeout(MIB, plan.PART_RATE, 5) == plan.read_timeout(5)


@given(size=SIZES, parallel=st.integers(1, 512))
def test_the_chosen_part_size_never_needs_more_than_ten_thousand_parts(size: int, parallel: int) -> None:
    part_size = plan.part_size(size, Tuning(), parallel, seconds=600)
    assert plan.MIN_PART <= part_size <= plan.MAX_PART
    assert -(-size // part_size) <= plan.MAX_PARTS


@given(size=SIZES, seconds=st.floats(1, 600))
def test_a_part_fits_the_time_budget_or_the_copy_is_refused_by_name(size: int, seconds: float) -> None:
    try:
        part_size = plan.part_size(size, Tuning(), 32, seconds)
    except Refused as error:
        assert error.code == "TimeoutTooShort"
        assert -(-size // plan.MAX_PARTS) > int(seconds * plan.PART_RATE)
    else:
        assert part_size <= max(plan.MIN_PART, seconds * plan.PART_RATE)
        assert -(-size // part_size) <= plan.MAX_PARTS


@pytest.mark.parametrize(
    ("size", "kib", "part"),
    [
        (GIB, 700.9, 700 * KIB),
        (GIB, 1500, MIB),
        (10_000 * 700 * KIB, 700.9, 700 * KIB),
        (10_000 * 1400 * KIB, 1500, 1400 * KIB),  # whole MiB would be too small
        (100 * MIB, 1, plan.MIN_PART),
    ],
)
def test_a_short_time_makes_parts_as_large_as_fit(size: int, kib: float, part: int) -> None:
    assert plan.part_size(size, Tuning(), 32, seconds=kib / 100, rate=100 * KIB) == part


def test_a_time_too_short_is_told_by_the_smallest_part_that_would_do() -> None:
    with pytest.raises(Refused, match=rf"parts of {800 * KIB} bytes or more, about 8\.0 s each; 7\.0 s are"):
        plan.part_size(10_000 * 800 * KIB, Tuning(), 32, seconds=7, rate=100 * KIB)


def test_the_largest_object_of_oss_fits_ten_thousand_parts_of_five_gib() -> None:
    part_size = plan.part_size(plan.MAX_OBJECT, Tuning(), 32, seconds=600)
    assert part_size <= 5 * GIB
    assert 9_990 < -(-plan.MAX_OBJECT // part_size) <= 10_000


def test_an_object_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Refused, match=r"48\.8 TB"):
        plan.method(request(), head(size=plan.MAX_OBJECT + 1), 200 * MIB, 600)


@pytest.mark.parametrize(("size", "asked"), [(1 << 40, "1MiB"), (GIB, "99KiB"), (GIB, 6 * GIB)])
def test_an_asked_part_size_that_oss_would_refuse_is_refused(size: int, asked: int | str) -> None:
    with pytest.raises(Refused) as caught:
        plan.part_size(size, Tuning(part_size=asked), 32, 600)
    assert caught.value.field == "tuning.partSize"


@pytest.mark.parametrize(("text", "size"), [("64MiB", 64 * MIB), ("100 KiB", 100 * KIB), (5, 5), ("7", 7)])
def test_sizes_are_read_with_their_units(text: int | str, size: int) -> None:
    assert plan.byte_size(text) == size


@given(size=st.integers(1, 1 << 40), parts=st.integers(1, 300))
def test_parts_cover_every_byte_once(size: int, parts: int) -> None:
    part_size = -(-size // parts)
    cut = plan.split(size, part_size)
    assert cut[0].first == 0
    assert cut[-1].last == size - 1
    assert all(one.last + 1 == following.first for one, following in pairwise(cut))
    assert [part.number for part in cut] == list(range(1, len(cut) + 1))


@given(parts=st.integers(1, 10_000), lanes=st.integers(1, 100))
def test_lanes_share_all_parts_without_overlap(parts: int, lanes: int) -> None:
    ranges = [plan.lane_numbers(parts, lanes, lane) for lane in range(1, lanes + 1)]
    assert [number for numbers in ranges for number in numbers] == list(range(1, parts + 1))


@given(st.sets(st.integers(1, 50)), st.sets(st.integers(1, 50)))
def test_missing_parts_are_those_not_listed_in_full(listed: set[int], wrong: set[int]) -> None:
    pin, up = upload(50 * MIB - 5, MIB)
    sizes = {part.number: part.size for part in plan.split(pin.size, MIB)}
    seen = [ListedPart(n, "e", sizes[n] - (1 if n in wrong else 0)) for n in sorted(listed)]
    expected = [n for n in range(1, 51) if n not in listed or n in wrong]
    assert [part.number for part in plan.missing(pin, up, 1, seen)] == expected
    assert plan.gaps(pin, up, seen) == expected


def test_a_part_beyond_the_plan_keeps_the_upload_from_being_completed() -> None:
    pin, up = upload(2 * MIB, MIB)
    listed = [ListedPart(1, "e", MIB), ListedPart(2, "e", MIB), ListedPart(3, "e", 1)]
    assert plan.gaps(pin, up, listed) == [3]


def test_the_multipart_etag_is_the_md5_of_the_part_etags() -> None:
    etags = ["0f" * 16, "AB" * 16]
    expected = hashlib.md5(("0F" * 16 + "AB" * 16).encode()).hexdigest().upper()  # noqa: S324 - OSS's rule
    assert plan.multipart_etag(etags) == expected + "-2"


@pytest.mark.parametrize(
    ("seen", "asked", "method"),
    [
        (head(size=0), "multipart", "simple"),
        (head(size=200 * MIB), "auto", "simple"),
        (head(size=200 * MIB + 1), "auto", "multipart"),
        (head(size=GIB), "simple", "simple"),
        (head(size=1), "multipart", "multipart"),
    ],
)
def test_the_method_follows_size_kind_and_request(seen: Head, asked: Any, method: str) -> None:
    assert plan.method(request(tuning=Tuning(method=asked)), seen, 200 * MIB, 600) == method


@pytest.mark.parametrize(
    ("seen", "options", "method"),
    [
        ({}, {}, "shallow"),
        ({}, {"storage_class": "Standard"}, "shallow"),
        ({}, {"storage_class": "IA"}, "multipart"),
        ({}, {"encryption": Encryption("AES256")}, "multipart"),
        ({"encryption": Encrypted("AES256")}, {}, "shallow"),
        ({"encryption": Encrypted("AES256")}, {"encryption": Encryption("AES256")}, "shallow"),
        ({"encryption": Encrypted("AES256")}, {"encryption": "bucket"}, "multipart"),
        ({"encryption": Encrypted("AES256")}, {"encryption": None}, "multipart"),
        ({"encryption": Encrypted("KMS", "k")}, {"encryption": Encryption("KMS")}, "multipart"),
        ({}, {"encryption": "bucket"}, "shallow"),
        ({"kind": ""}, {}, "multipart"),
        ({"kind": "Appendable"}, {}, "multipart"),
        ({}, {"overwrite": "never"}, "multipart"),
        ({}, {"destination": Destination("other", "b")}, "multipart"),
    ],
)
def test_inside_a_bucket_nothing_moves_unless_class_or_encryption_change(
    seen: dict[str, Any], options: dict[str, Any], method: str
) -> None:
    options = {"destination": Destination("src", "b"), **options}
    asked = msgspec.structs.replace(request(), **options)
    assert plan.method(asked, head(size=1 << 40, **seen), 200 * MIB, 600) == method


def test_a_threshold_beyond_what_copyobject_takes_does_not_count() -> None:
    assert plan.method(request(), head(size=5 * GIB + 1), 1 << 50, 600) == "multipart"
    assert plan.method(request(), head(size=5 * GIB), 1 << 50, 600) == "simple"
    assert plan.method(request(storage_class="IA"), head(size=GIB + 1), 1 << 50, 600) == "multipart"


@pytest.mark.parametrize(
    ("policy", "there", "outcome"),
    [
        ("always", head(), None),
        ("never", head(), Failed),
        ("never", None, None),
        ("ifNewer", head(last_modified=1000), Skipped),
        ("ifNewer", head(last_modified=999), None),
        ("ifDifferent", head(), Skipped),
        ("ifDifferent", head(crc64="8"), None),
        ("ifDifferent", head(size=99), None),
        ("ifDifferent", head(crc64=None, etag="B" * 32), None),
    ],
)
def test_overwrite_policies(policy: Any, there: Head | None, outcome: type[OssCopyError] | None) -> None:
    if outcome is None:
        plan.judge_overwrite(request(overwrite=policy), head(), there)
    else:
        with pytest.raises(outcome):
            plan.judge_overwrite(request(overwrite=policy), head(), there)


ASKED: list[dict[str, Any]] = [
    {"metadata": ContentHeaders(content_type="text/html")},
    {"tags": {"a": "b"}},
    {"storage_class": "IA"},
    {"encryption": Encryption("AES256")},
]


@pytest.mark.parametrize("policy", ["ifDifferent", "ifNewer"])
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_equal_bytes_are_skipped_only_where_all_that_is_asked_for_is_shown(
    policy: Any, asked: dict[str, Any]
) -> None:
    there = head(last_modified=2000, tag_count=0)
    wanted = request(overwrite=policy, **asked)
    plan.judge_overwrite(wanted, head(), there)
    shown = head(
        last_modified=2000,
        content=asked.get("metadata", head().content),
        tag_count=len(asked.get("tags", {})),
        storage_class=asked.get("storage_class", "Standard"),
        encryption=Encrypted.of(asked["encryption"]) if "encryption" in asked else None,
    )
    with pytest.raises(Skipped):
        plan.judge_overwrite(wanted, head(), shown)
    plan.judge_overwrite(wanted, head(), shown, same_tags=False)
    with pytest.raises(Skipped):  # what may not be seen is no reason to copy again and again
        plan.judge_overwrite(request(overwrite=policy, tags={"a": "b"}), head(), head(tag_count=None))


def test_a_newer_object_of_other_bytes_stays_whatever_is_asked_for() -> None:
    there = head(last_modified=2000, crc64="8")
    with pytest.raises(Skipped):
        plan.judge_overwrite(request(overwrite="ifNewer", storage_class="IA"), head(), there)


def test_a_rule_copies_what_differs_within_one_second() -> None:
    """Dates have whole seconds, and of a rule's copy nobody asks again."""
    newer = request(overwrite="ifNewer")
    plan.judge_overwrite(newer, head(), head(crc64="8"), follows=0)
    for there, follows in ((head(), 0), (head(crc64="8"), None)):
        with pytest.raises(Skipped):
            plan.judge_overwrite(newer, head(), there, follows)


def test_an_unknown_crc_never_counts_as_equal() -> None:
    assert not plan.same_content(head(crc64=None, etag="X-2"), head(crc64=None, etag="X-2"))
    assert plan.verified_by(plan.pin_of(head(crc64=None)), head(crc64=None)) == "size"


def test_a_multipart_copy_carries_metadata_tags_and_class_itself() -> None:
    carried = plan.attributes(request(), head(storage_class="IA"), {"k": "v"}, "default", carried=True)
    assert carried.content == head().content
    assert carried.tags == {"k": "v"}
    assert carried.storage_class == "IA"


def test_a_simple_copy_leaves_metadata_and_tags_to_oss() -> None:
    left = plan.attributes(request(), head(), {}, "default", carried=False)
    assert left.content is None
    assert left.tags is None


def test_an_object_copied_onto_itself_names_all_that_it_has_and_a_symlink_what_is_known_of_it() -> None:
    itself = msgspec.structs.replace(request(storage_class="IA"), destination=Destination("src", "a"))
    version = msgspec.structs.replace(itself, source=Source("src", "a", "v1"))
    assert plan.names_all(itself, head())
    assert plan.names_all(version, head(version_id="v1"))
    assert not plan.names_all(itself, head(link="elsewhere"))
    assert not plan.names_all(request(), head())


@pytest.mark.parametrize(
    ("asked", "had", "named"),
    [
        ("keep", None, None),
        ("keep", Encrypted("KMS", "k", "SM4"), Encrypted("KMS", "k", "SM4")),
        ("keep", Encrypted("KMS", "k", "AES256"), Encrypted("KMS", "k")),  # OSS has no name for the usual one
        ("bucket", Encrypted("KMS", "k"), None),
        (None, Encrypted("KMS", "k"), None),
        (Encryption("AES256"), Encrypted("KMS", "k"), Encrypted("AES256")),
    ],
)
def test_a_copy_is_encrypted_as_its_source_unless_something_else_is_asked_for(
    asked: Any, had: Encrypted | None, named: Encrypted | None
) -> None:
    wanted, seen = request(encryption=asked), head(encryption=had)
    for carried in (True, False):
        assert plan.attributes(wanted, seen, {}, "default", carried=carried).encryption == named
    promise = plan.bind(wanted, seen).promise
    assert promise is not None
    assert promise.encryption == named
    assert plan.pin_of(seen).encryption == had


def test_replaced_metadata_without_a_content_type_keeps_the_sources() -> None:
    asked = request(metadata=ContentHeaders(cache_control="no-cache"))
    for carried in (True, False):
        content = plan.attributes(asked, head(), {}, "default", carried=carried).content
        assert content == ContentHeaders(content_type="text/plain", cache_control="no-cache")


def progress(**changes: Any) -> plan.Progress:
    usual = plan.Progress(
        missing=5, copied=0, throttled=False, seconds_left=100, seconds_needed=10, stalls=0, age=60
    )
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (progress(missing=0), plan.Finish()),
        (progress(missing=0, seconds_left=5), plan.HandOver(0, 0)),
        (progress(copied=1, stalls=2), plan.HandOver(0, 0)),
        (progress(throttled=True, stalls=2), plan.HandOver(30, 2)),
        (progress(), plan.HandOver(5, 1)),
        (progress(stalls=1), plan.HandOver(10, 2)),
    ],
)
def test_the_next_step_of_a_hop(seen: plan.Progress, step: plan.Step) -> None:
    assert plan.next_step(seen) == step


def test_a_chain_that_copies_nothing_gives_up_and_one_too_old_as_well() -> None:
    stalled, old = (
        plan.next_step(progress(stalls=2)),
        plan.next_step(progress(copied=3, age=plan.MAX_AGE + 1)),
    )
    assert isinstance(stalled, plan.GiveUp)
    assert stalled.code == "Stalled"
    assert isinstance(old, plan.GiveUp)
    assert old.code == "TooOld"


@given(st.integers(1, 20), st.floats(0, 0.999), st.floats(0, 30))
def test_pauses_jitter_fully_and_never_undercut_what_oss_asked_for(
    attempt: int, chance: float, asked: float
) -> None:
    pause = plan.pause(attempt, Transient("x", "y", pause=asked), chance)
    assert asked <= pause <= max(20.0, asked)


@pytest.mark.parametrize("timeout", [3, 10, 15, 60, 600, 86_400])
def test_every_timeout_leaves_room_to_copy_and_to_hand_over(timeout: float) -> None:
    assert plan.reserve(timeout) + plan.part_budget(timeout) < timeout
    assert plan.completion_time(timeout) < timeout


@pytest.mark.parametrize(
    ("changes", "etag", "wrong"),
    [
        ({}, "other", []),  # KMS changes ETags: an equal CRC64 decides
        ({"size": 99}, None, ["size 99, not 100"]),
        ({"crc64": "8"}, None, ["CRC64 8, not 7"]),
        ({"crc64": None}, "B", [f"ETag {'A' * 32}, not B"]),
        ({"last_modified": 1}, None, ["last modified before the copy began"]),
    ],
)
def test_differences_name_what_speaks_against_the_copy(
    changes: dict[str, Any], etag: str | None, wrong: list[str]
) -> None:
    assert plan.differences(plan.pin_of(head()), head(**changes), 500, etag) == wrong
    assert plan.differences(plan.pin_of(head()), None, 0, None) == ["the destination does not exist"]


@pytest.mark.parametrize(
    ("options", "shown", "wrong"),
    [
        ({}, {}, []),
        ({}, {"encryption": Encrypted("AES256")}, []),  # the bucket's own: nobody asked
        ({}, {"content": ContentHeaders(content_type="text/html")}, ["content type", "user metadata"]),
        ({}, {"content": ContentHeaders(content_type="text/plain", user={"Colour": "blau"})}, []),
        ({}, {"tag_count": 1}, ["1 tags, not 0"]),
        ({"tags": {"a": "b"}}, {}, ["0 tags, not 1"]),
        ({"storage_class": "IA"}, {}, ["storage class Standard, not IA"]),
        ({"encryption": Encryption("KMS", "k")}, {}, ["encryption none, not KMS k as promised"]),
        ({"encryption": Encryption("KMS", "k")}, {"encryption": Encrypted("KMS", "other")}, ["encryption"]),
        ({"encryption": Encryption("KMS")}, {"encryption": Encrypted("KMS", "own", "SM4")}, []),
        ({"metadata": ContentHeaders()}, {}, ["user metadata differs"]),
    ],
)
def test_every_promised_field_is_compared(
    options: dict[str, Any], shown: dict[str, Any], wrong: list[str]
) -> None:
    pin = plan.bind(request(**options), head(), {})
    found = plan.differences(pin, head(**shown), 0, None)
    assert len(found) == len(wrong), found
    assert all(text.startswith(start) for text, start in zip(found, wrong, strict=True)), found


@pytest.mark.parametrize("timeout", [1, 60, 600, 86_400])
def test_the_second_sweep_at_the_latest_resumes_what_has_just_stopped(timeout: float) -> None:
    """A sweep that comes right before the patience is over leaves it to the next one."""
    template = yaml.safe_load(Path("s.yaml").read_text(encoding="utf-8"))
    minutes = re.fullmatch(r"@every (\d+)m", template["vars"]["sweepSchedule"])
    assert minutes is not None
    assert plan.patience(timeout) < int(minutes[1]) * 60


def test_a_replacement_keeps_what_the_bytes_were_encrypted_with_unless_it_names_that() -> None:
    sealed = {"client-side-encryption-key": "k", "client-side-encryption-start": "s"}
    seen = head(content=ContentHeaders(content_type="text/plain", user={"colour": "blau", **sealed}))
    asked = request(metadata=ContentHeaders(user={"Client-Side-Encryption-Key": "new", "size": "1"}))
    user = {"client-side-encryption-start": "s", "Client-Side-Encryption-Key": "new", "size": "1"}
    assert plan.promised_content(asked, seen).user == user
    assert plan.attributes(asked, seen, {}, "default", carried=True).content == plan.promised_content(
        asked, seen
    )


@pytest.mark.parametrize("empty", [None, ""])
def test_a_replacement_without_a_type_keeps_the_source_s(empty: str | None) -> None:
    seen = head(content=ContentHeaders(content_type="text/plain"))
    asked = request(metadata=ContentHeaders(content_type=empty, expires="0"))
    assert plan.promised_content(asked, seen) == ContentHeaders(content_type="text/plain", expires="0")


# --- settings that change ----------------------------------------------------------------------------------


@given(
    now=st.integers(1_700_000_000, 2_000_000_000),
    later=st.integers(1, 10_000_000),
    newest=st.integers(0, 10**9),
)
def test_generations_only_grow_whatever_is_on_record(now: int, later: int, newest: int) -> None:
    first = plan.next_generation(now, newest)
    assert first > newest
    assert plan.next_generation(now + later, first) > first


def test_two_sweeps_within_a_minute_start_one_generation() -> None:
    assert plan.next_generation(1_800_000_000, 7) == plan.next_generation(1_800_000_059, 7)


def test_a_generation_of_an_earlier_release_which_counted_periods_of_patience_is_topped() -> None:
    assert plan.next_generation(1_800_000_000, 1_800_000_000 // 7) == 1_800_000_000 // 7 + 1


def test_the_largest_object_of_oss_can_be_copied_with_the_timeout_of_the_template() -> None:
    template = yaml.safe_load(Path("s.yaml").read_text(encoding="utf-8"))
    timeout = template["vars"]["timeout"]
    size = plan.part_size(plan.MAX_OBJECT, Tuning(), 32, plan.part_budget(timeout))
    assert -(-plan.MAX_OBJECT // size) <= plan.MAX_PARTS
    assert size / plan.PART_RATE < plan.part_timeout(size, plan.PART_RATE, timeout) < plan.patience(timeout)


@pytest.mark.parametrize("timeout", [3, 12, 60, 600, 86_400])
def test_what_copyobject_is_asked_for_can_be_waited_for(timeout: float) -> None:
    """The one limit, of the threshold and of the wait for its answer."""
    largest = min(plan.longest_copy(timeout), 200 * MIB)
    assert plan.method(request(), head(size=largest), 200 * MIB, timeout) == "simple"
    assert plan.method(request(), head(size=largest + 1), 200 * MIB, timeout) == "multipart"
    assert largest / plan.PART_RATE <= plan.read_timeout(timeout)


def test_the_next_look_at_an_archived_source_is_after_now() -> None:
    assert plan.next_look(1000, 1000) == 1005
    assert plan.next_look(1000, 1005) == 1015
    assert plan.next_look(1000, 1000 + 5 * (2**10 - 1)) == 1000 + 5 * (2**10 - 1) + 3600
