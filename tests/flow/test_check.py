"""The check against deployments that are right and ones that are wrong: the right line, and nothing left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import oss2
import oss2.models
import pytest
import yaml

from functions.cli import rights
from functions.cli.rights import reach
from osscopy.model import KIB
from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE, STATE, genuine, set_versioning, versions

PROBE = ".oss-copy-check-"
SAMPLE = "sample.bin"
DENIED = "AccessDenied"
PAID = "foreign-pays"  # a source of another account, for which the requester pays


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalCloud]:
    with LocalCloud(variables={"timeout": 20}, environment={"ALLOWED_OPTIONS": "public-acl"}) as running:
        running.oss_bucket(SOURCE).put_object(
            SAMPLE,
            b"x" * (101 * KIB),
            {"x-oss-tagging": "team=a", "x-oss-meta-colour": "blue", "Content-Type": "text/plain"},
        )
        set_rules(running.oss_bucket(STATE), *(expiry(f"oss-copy/{kind}/", 30) for kind in SETTLED))
        set_rules(running.oss_bucket(DESTINATION), aborting("", 8))
        yield running


@pytest.fixture
def cloud(shared: LocalCloud) -> Iterator[LocalCloud]:
    yield shared
    shared.conditions()
    shared.wait_idle()
    left = remains(shared)
    purge(shared, left)
    assert left == []


SETTLED = ("done", "cancel", "key")


def expiry(prefix: str, days: int) -> Any:
    rule = oss2.models.LifecycleRule(f"expire {prefix}", prefix)
    rule.status, rule.expiration = "Enabled", oss2.models.LifecycleExpiration(days=days)
    return rule


def aborting(prefix: str, days: int) -> Any:
    rule = oss2.models.LifecycleRule("abort", prefix)
    rule.status, rule.abort_multipart_upload = "Enabled", oss2.models.AbortMultipartUpload(days=days)
    return rule


def set_rules(bucket: Any, *rules: Any) -> None:
    bucket.put_bucket_lifecycle(oss2.models.BucketLifecycle(list(rules)))


def remains(cloud: LocalCloud) -> list[str]:
    """Everything there is beside the sample: objects, versions and uploads."""
    found = []
    for name in (STATE, SOURCE, DESTINATION):
        bucket = cloud.oss_bucket(name)
        listed = bucket.list_object_versions()
        found += [each.key for each in [*listed.versions, *listed.delete_marker] if each.key != SAMPLE]
        found += [each.key for each in oss2.MultipartUploadIterator(bucket)]
    return found


def purge(cloud: LocalCloud, left: list[str]) -> None:
    """So that what one test leaves does not fail the next."""
    for name in (STATE, SOURCE, DESTINATION):
        bucket = cloud.oss_bucket(name)
        for upload in oss2.MultipartUploadIterator(bucket):
            bucket.abort_multipart_upload(upload.key, upload.upload_id)
        for key in left:
            bucket.delete_object(key)


def check(cloud: LocalCloud, *faults: dict[str, Any], **weather: float) -> dict[str, Any]:
    cloud.conditions(faults, **weather)
    report: dict[str, Any] = cloud.invoke({"action": "check"})
    cloud.conditions()
    assert report.keys() == {"status", "lines"}, report
    for line in report["lines"]:
        assert line.keys() == {"check", "status", "found", "advice", "subject"}
        assert (line["advice"] is None) == (line["status"] == "ok"), line
    statuses = {line["status"] for line in report["lines"]}
    assert report["status"] == next((s for s in ("failed", "warning") if s in statuses), "ok")
    return report


def the(report: dict[str, Any], name: str, status: str | None = None) -> dict[str, Any]:
    """The one line of this check, or with this status."""
    (line,) = (each for each in report["lines"] if each["check"] == name and status in {None, each["status"]})
    found: dict[str, Any] = line
    return found


def troubles(report: dict[str, Any]) -> dict[str, str]:
    """The statuses of what is not ok on a local cloud for another reason than being local."""
    lines = (line for line in report["lines"] if line["check"] != "settings.endpoints")
    return {line["check"]: line["status"] for line in lines if line["status"] != "ok"}


def denied(operation: str, **which: Any) -> dict[str, Any]:
    return {"operation": operation, "error": DENIED, **which}


# --- what is right -----------------------------------------------------------------------------------------


def test_a_right_deployment_is_ok_but_for_what_is_local_or_cannot_be_seen(cloud: LocalCloud) -> None:
    before = cloud.requests()["operations"]
    report = check(cloud)
    assert troubles(report) == {}, report
    # it is local: its endpoints are none of Alibaba Cloud's, and are not encrypted
    assert [line["subject"] for line in report["lines"] if line["status"] == "warning"] == [
        "OSS_ENDPOINT",
        "INVOKE_ENDPOINT",
    ]
    assert [line for line in report["lines"] if line["status"] == "skipped"] == []
    named = "oss (oss), reconcile (timer), sweep (timer), timer (timer)"
    assert the(report, "triggers")["found"] == named
    after = cloud.requests()["operations"]
    made = {name: after[name] - before.get(name, 0) for name in after}
    assert made["UploadPartCopy"] == 2
    assert made["CompleteMultipartUpload"] == 1
    assert the(report, "copy.simple")["found"] == "CopyObject made it; proved by crc64, and deleted again"
    assert "proved by crc64" in the(report, "copy.multipart")["found"]


def test_a_check_submits_one_invocation_that_does_nothing_and_fires_no_trigger(cloud: LocalCloud) -> None:
    before = len(cloud.invocations())
    check(cloud)
    cloud.wait_idle()
    asked, pinged = cloud.invocations()[before:]
    assert json.loads(pinged["result"]) == {"status": "ok"}
    (told,) = [line for line in asked["logs"].splitlines() if '"checked"' in line]
    assert json.loads(told)["status"] == "warning"
    assert {"warning", "ok"} == set(json.loads(told)["counts"])


def test_a_gateway_that_refuses_the_old_signature_tells_of_triggers_too(cloud: LocalCloud) -> None:
    cloud.refuse_fc_signature()
    report = check(cloud)
    cloud.refuse_fc_signature(False)
    assert troubles(report) == {}
    assert "oss (oss)" in the(report, "triggers")["found"]


def test_a_timer_can_ask_for_the_check(cloud: LocalCloud) -> None:
    cloud._admin("POST", "/triggers/timer", {"payload": '{"action": "check"}'})  # noqa: SLF001 - another payload
    cloud.wait_idle()
    run = cloud.invocations(trigger="timer")[-1]
    assert troubles(json.loads(run["result"])) == {}


def test_where_the_role_may_not_delete_no_object_is_written(cloud: LocalCloud) -> None:
    before = cloud.requests()["bytes_copied"]
    report = check(cloud, denied("DeleteObject", key=PROBE))
    assert troubles(report) == {}
    for name in ("copy.simple", "copy.multipart"):
        assert "no object was written: the role may not delete there" in the(report, name)["found"]
    assert cloud.requests()["bytes_copied"] - before == 100 * KIB  # a part, never a whole object


def test_without_an_object_to_copy_the_copies_are_skipped(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(SOURCE)
    body = bucket.get_object(SAMPLE).read()
    bucket.delete_object(SAMPLE)
    try:
        report = check(cloud)
    finally:
        bucket.put_object(SAMPLE, body)
    names = ("source.read", "source.acl", "copy.simple", "copy.multipart", "destination.acl")
    assert troubles(report) == dict.fromkeys(names, "skipped")
    assert "put an object" in the(report, "copy.simple")["advice"]


# --- rights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "name", "advice"),
    [
        ("HeadObject", "source.read", "oss:GetObject on oss-copy-source/*"),
        ("InitiateMultipartUpload", "destination.write", "oss:PutObject on oss-copy-destination/*"),
        ("CopyObject", "copy.simple", "oss:PutObject (and on the source oss:GetObject)"),
        ("UploadPartCopy", "copy.multipart", "oss:PutObject (and on the source oss:GetObject)"),
        ("ListParts", "copy.multipart", "oss:ListParts on oss-copy-destination/*"),
        ("ListMultipartUploads", "destination.remains", "oss:ListMultipartUploads on oss-copy-destination"),
        ("PutObject", "stateBucket.records", "oss:PutObject on oss-copy-state/oss-copy/check/*"),
        ("GetObject", "stateBucket.records", "oss:GetObject on oss-copy-state/oss-copy/check/*"),
    ],
)
def test_a_right_that_is_missing_is_named(cloud: LocalCloud, operation: str, name: str, advice: str) -> None:
    report = check(cloud, denied(operation))
    failed = the(report, name)
    assert failed["status"] == "failed", report
    assert advice in failed["advice"]
    assert DENIED in failed["found"]
    assert "request id" in failed["found"]


def test_a_right_that_only_the_check_needs_is_skipped_and_named(cloud: LocalCloud) -> None:
    report = check(cloud, *map(denied, ("GetBucketInfo", "GetBucketWorm", "GetBucketLifecycle")))
    assert report["status"] == "warning"
    skipped = [line for line in report["lines"] if line["status"] == "skipped" and line["subject"] == STATE]
    wanted = ("oss:GetBucketInfo", "oss:GetBucketWorm", "oss:GetBucketLifecycle")
    assert [line["check"] for line in skipped[:3]] == [
        f"stateBucket.{name}" for name in ("reach", "retention", "lifecycle")
    ]
    assert all(right in line["advice"] for right, line in zip(wanted, skipped, strict=True))
    assert the(report, "copy.multipart")["status"] == "ok"
    assert the(report, "stateBucket.records")["status"] == "ok"


@contextmanager
def role(cloud: LocalCloud, *parts: str) -> Iterator[None]:
    """The function's role may do what `oss-copy policy` grants it, with these parts."""
    to = msgspec.structs.replace(reach.read(), options=frozenset({"public-acl"}))
    cloud.set_policy(to.role, rights.document(rights.function_grants(to, parts)))
    try:
        yield
    finally:
        cloud.set_policy(to.role, None)


def test_with_the_role_that_setup_makes_for_it_nothing_is_skipped(cloud: LocalCloud) -> None:
    with role(cloud, "check"):
        assert troubles(check(cloud)) == {}


def test_with_the_role_of_a_copy_what_cannot_be_looked_at_is_no_trouble_and_says_why(
    cloud: LocalCloud,
) -> None:
    with role(cloud):
        report = check(cloud)
    assert set(troubles(report).values()) == {"skipped"}
    assert f"oss:ListObjects on {DESTINATION}" in the(report, "destination.list")["advice"]
    for name in (
        "source.list",
        "source.read",
        "source.acl",
        "copy.simple",
        "copy.multipart",
        "destination.acl",
    ):
        assert f"oss:ListObjects on {SOURCE}" in the(report, name)["advice"]
    assert the(report, "clock")["status"] == "ok"
    assert "fc:ListTriggers" in the(report, "triggers")["advice"]


def test_an_upload_that_may_not_be_aborted_is_named(cloud: LocalCloud) -> None:
    report = check(cloud, denied("AbortMultipartUpload"))
    assert "oss:AbortMultipartUpload" in the(report, "destination.write")["advice"]
    bucket = cloud.oss_bucket(DESTINATION)
    left = list(oss2.MultipartUploadIterator(bucket))
    assert left
    for upload in left:
        assert upload.upload_id in the(report, "destination.remains")["found"]
        bucket.abort_multipart_upload(upload.key, upload.upload_id)


def test_a_record_that_may_not_be_deleted_is_named(cloud: LocalCloud) -> None:
    report = check(cloud, denied("DeleteObject", key="oss-copy/"))
    assert "oss:DeleteObject" in the(report, "stateBucket.records")["advice"]
    bucket = cloud.oss_bucket(STATE)
    (left,) = oss2.ObjectIterator(bucket)
    assert left.key in the(report, "stateBucket.remains")["found"]
    bucket.delete_object(left.key)


def test_a_function_that_may_not_invoke_itself_is_told(cloud: LocalCloud) -> None:
    report = check(cloud, denied("invocation", skip=1))
    assert troubles(report) == {"function.invoke": "failed"}
    assert "fc:InvokeFunction" in the(report, "function.invoke")["advice"]


# --- buckets -----------------------------------------------------------------------------------------------


@contextmanager
def without(cloud: LocalCloud, name: str) -> Iterator[Any]:
    """The bucket is gone, and made anew afterwards as it was; it holds nothing."""
    bucket = cloud.oss_bucket(name)
    rules = bucket.get_bucket_lifecycle().rules
    bucket.delete_bucket()
    try:
        yield bucket
    finally:
        if name in names(cloud):
            bucket.delete_bucket()
        bucket.create_bucket()
        set_rules(bucket, *rules)


def names(cloud: LocalCloud) -> list[str]:
    auth = oss2.AuthV4(cloud.owner.access_key_id, cloud.owner.access_key_secret)
    return [each.name for each in oss2.BucketIterator(oss2.Service(auth, cloud.oss, region=cloud.region))]


def test_a_state_bucket_with_versions_is_failed_and_nothing_is_written_there(cloud: LocalCloud) -> None:
    with without(cloud, STATE) as bucket:
        bucket.create_bucket()
        set_versioning(bucket, "Enabled")
        report = check(cloud)
        assert versions(bucket, "") == []
        assert bucket.list_object_versions().delete_marker == []
    failed = the(report, "stateBucket.versioning")
    assert failed["status"] == "failed"
    assert "another bucket as STATE_BUCKET" in failed["advice"]
    assert the(report, "stateBucket.records")["status"] == "skipped"


@pytest.mark.parametrize(("bucket", "role"), [(STATE, "stateBucket"), (DESTINATION, "destinationBucket")])
def test_a_missing_bucket_is_failed_and_what_depends_on_it_skipped(
    cloud: LocalCloud, bucket: str, role: str
) -> None:
    with without(cloud, bucket):
        report = check(cloud)
    failed = the(report, f"{role}.reach")
    assert (failed["status"], failed["subject"]) == ("failed", bucket)
    assert "NoSuchBucket" in failed["found"]
    assert "create the bucket" in failed["advice"]
    found = troubles(report)
    assert set(found.values()) == {"failed", "skipped"}
    assert [name for name, status in found.items() if status == "failed"] == [f"{role}.reach"]


def test_a_source_in_another_region_is_failed(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(SOURCE)
    body = bucket.get_object(SAMPLE).read()
    bucket.delete_object(SAMPLE)
    bucket.delete_bucket()
    where = "<CreateBucketConfiguration><LocationConstraint>oss-cn-beijing</LocationConstraint>"
    bucket._do("PUT", SOURCE, "", data=where + "</CreateBucketConfiguration>")  # noqa: SLF001 - there is no public way to it
    try:
        report = check(cloud)
    finally:
        bucket.delete_bucket()
        bucket.create_bucket()
        bucket.put_object(SAMPLE, body)
    failed = the(report, "sourceBucket.region")
    assert failed["status"] == "failed"
    assert failed["found"] == "the bucket is in cn-beijing, the function in cn-hangzhou"
    assert "bucket of the function's region" in failed["advice"]


def test_a_rule_that_expires_open_records_is_failed(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(STATE)
    rules = bucket.get_bucket_lifecycle().rules
    set_rules(bucket, expiry("", 30))
    try:
        report = check(cloud)
    finally:
        set_rules(bucket, *rules)
    assert troubles(report) == {"stateBucket.lifecycle": "failed"}
    assert "restrict it to oss-copy/done/" in the(report, "stateBucket.lifecycle")["advice"]


@pytest.mark.parametrize(
    ("days", "found"), [(None, "no AbortMultipartUpload rule"), (3, "aborts uploads after 3 days")]
)
def test_uploads_that_nobody_aborts_or_somebody_too_soon_are_warned_of(
    cloud: LocalCloud, days: int | None, found: str
) -> None:
    bucket = cloud.oss_bucket(DESTINATION)
    bucket.delete_bucket_lifecycle()
    if days is not None:
        set_rules(bucket, aborting("", days))
    try:
        report = check(cloud)
    finally:
        set_rules(bucket, aborting("", 8))
    assert troubles(report) == {"destinationBucket.lifecycle": "warning"}
    line = the(report, "destinationBucket.lifecycle")
    assert found in line["found"]
    assert "8 days or more" in line["advice"]


def test_under_a_retention_policy_no_object_is_written_and_it_is_said_what_that_means(
    cloud: LocalCloud,
) -> None:
    bucket = cloud.oss_bucket(DESTINATION)
    bucket.init_bucket_worm(1)
    try:
        report = check(cloud)
    finally:
        bucket.abort_bucket_worm()
    assert troubles(report) == {"destinationBucket.retention": "warning"}
    assert "FileImmutable" in the(report, "destinationBucket.retention")["found"]
    assert "a retention policy" in the(report, "copy.multipart")["found"]


def test_on_a_destination_with_versions_no_version_is_left(cloud: LocalCloud) -> None:
    with without(cloud, DESTINATION) as bucket:
        bucket.create_bucket()
        set_rules(bucket, aborting("", 8))
        set_versioning(bucket, "Enabled")
        report = check(cloud)
        assert versions(bucket, "") == []
        assert bucket.list_object_versions().delete_marker == []
    assert troubles(report) == {"destinationBucket.versioning": "warning"}
    assert "`never`" in the(report, "destinationBucket.versioning")["found"]
    assert "oss:DeleteObjectVersion" in the(report, "destinationBucket.versioning")["advice"]


# --- what passes, and what does not ------------------------------------------------------------------------


def test_a_clock_that_oss_refuses_is_failed(cloud: LocalCloud) -> None:
    report = check(cloud, {"operation": "*", "error": "RequestTimeTooSkewed", "skip": 1})
    assert (the(report, "clock")["status"], report["status"]) == ("failed", "failed")
    assert "clock is wrong" in the(report, "clock")["advice"]


def test_throttling_is_no_verdict(cloud: LocalCloud) -> None:
    report = check(cloud, {"operation": "GetBucketWorm", "error": "ServiceUnavailable"})
    assert troubles(report) == {"stateBucket.retention": "warning", "destinationBucket.retention": "warning"}
    assert "run the check again" in the(report, "destinationBucket.retention")["advice"]


@pytest.mark.parametrize(
    "operation", ["PutObject", "InitiateMultipartUpload", "CopyObject", "CompleteMultipartUpload"]
)
@pytest.mark.parametrize("skip", [0, 1])
def test_lost_answers_leave_nothing_and_are_no_finding(cloud: LocalCloud, operation: str, skip: int) -> None:
    report = check(cloud, {"operation": operation, "answer": "lost", "skip": skip, "limit": 1})
    assert troubles(report) == {}, report


# --- settings ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def misconfigured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Valid settings that do not fit each other, on a function without tasks and with little time."""
    template = genuine()
    props = template["resources"]["oss_copy"]["props"]
    props["asyncInvokeConfig"]["asyncTask"] = False
    path = tmp_path_factory.mktemp("misconfigured") / "s.yaml"
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    environment = {
        "COPY_RULES": f"oss://{STATE}/rules.json",
        "ALLOWED_SOURCES": f"{SOURCE}/in,{PAID}/*",
        "ALLOWED_DESTINATIONS": f"{DESTINATION}/out*,{DESTINATION}/fixed,{SOURCE}/*",
        "ALLOWED_OPTIONS": "public-acl",
        "MAX_PARALLEL": "512",
        "HTTP_AUTH_TYPE": "anonymous",
    }
    with LocalCloud(
        template=path, variables={"timeout": 8, "memorySize": 128, "cpu": 0.1}, environment=environment
    ) as cloud:
        cloud.oss_bucket(SOURCE).put_object("in", b"x")
        cloud.foreign(PAID, SAMPLE, acl="public-read", payer="Requester")
        yield cloud


def test_settings_that_do_not_fit_are_named(misconfigured: LocalCloud) -> None:
    report = check(misconfigured)
    loose = the(report, "settings.allowLists", "warning")
    assert loose["advice"] == f"if a folder is meant, write {DESTINATION}/out/*"
    assert "403" in the(report, "settings.httpAuth")["found"]
    assert "lower MAX_PARALLEL" in the(report, "settings.maxParallel")["advice"]
    assert "raise the function's timeout" in the(report, "settings.timeout")["advice"]
    assert the(report, "settings.multipartThreshold")["status"] == "warning"
    twice = the(report, "function.invoke")
    assert twice["status"] == "failed"
    assert "asyncTask to true" in twice["advice"]


def test_rules_that_cannot_be_read_or_are_not_allowed_are_failed(misconfigured: LocalCloud) -> None:
    unreadable = the(check(misconfigured), "settings.rules")
    assert unreadable["status"] == "failed"
    assert f"put a JSON list of rules at oss://{STATE}/rules.json" in unreadable["advice"]
    assert "or correct COPY_RULES" in unreadable["advice"]
    rules = [
        {"source": {"bucket": SOURCE, "prefix": "other/"}, "destination": {"bucket": DESTINATION}},
    ]
    bucket = misconfigured.oss_bucket(STATE)
    bucket.put_object("rules.json", json.dumps(rules))
    report = check(misconfigured)
    bucket.delete_object("rules.json")
    lines = [line for line in report["lines"] if line["check"] == "settings.rules"]
    assert {line["status"] for line in lines} == {"failed"}
    assert [line["advice"] for line in lines] == [
        f"add {SOURCE}/other/* to ALLOWED_SOURCES",
        f"add {DESTINATION}/other/* to ALLOWED_DESTINATIONS",
    ]


def test_among_the_function_s_records_no_object_is_written() -> None:
    allowed = f"{STATE}/oss-copy/open/*"
    with LocalCloud(environment={"ALLOWED_DESTINATIONS": allowed}) as cloud:
        cloud.oss_bucket(SOURCE).put_object(SAMPLE, b"x" * (101 * KIB))
        report = check(cloud)
    assert the(report, "settings.allowLists", "failed")["found"].startswith(f"{allowed} covers oss-copy/")
    (trial,) = (each for each in report["lines"] if each["check"] == "copy.simple")
    assert trial["found"].endswith("no object was written: the function's records are there"), trial


def test_under_a_watched_prefix_no_object_is_written(misconfigured: LocalCloud) -> None:
    rules = [{"source": {"bucket": SOURCE}, "destination": {"bucket": DESTINATION, "key": "out/{key}"}}]
    bucket = misconfigured.oss_bucket(STATE)
    bucket.put_object("rules.json", json.dumps(rules))
    report = check(misconfigured)
    bucket.delete_object("rules.json")
    (watched,) = (
        line
        for line in report["lines"]
        if line["check"] == "copy.simple" and line["subject"] == f"{SOURCE}/*"
    )
    assert "no object was written: a rule watches it" in watched["found"]


def test_a_source_for_which_a_rule_pays_is_asked_so(misconfigured: LocalCloud) -> None:
    rule = {"source": {"bucket": PAID}, "destination": {"bucket": DESTINATION, "key": "out/{key}"}}
    bucket = misconfigured.oss_bucket(STATE)
    found = []
    for pays in (False, True):
        bucket.put_object("rules.json", json.dumps([rule | {"requestPayer": pays}]))
        report = check(misconfigured)
        found += [line for line in report["lines"] if line["check"] == "source.list"]
    bucket.delete_object("rules.json")
    assert [line["status"] for line in found] == ["failed", "ok"]
    assert found[0]["advice"].startswith("set requestPayer")


def test_what_a_rule_encrypts_with_is_tried(misconfigured: LocalCloud) -> None:
    bucket, name = misconfigured.oss_bucket(STATE), reach.read().role
    rule = {"source": {"bucket": SOURCE}, "destination": {"bucket": DESTINATION, "key": "out/{key}"}}
    bucket.put_object("rules.json", json.dumps([rule | {"encryption": {"algorithm": "KMS"}}]))
    found = []
    for services in (["oss:*", "fc:*"], ["oss:*", "fc:*", "kms:*"]):
        allowed = {"Effect": "Allow", "Action": services, "Resource": "*"}
        misconfigured.set_policy(name, {"Version": "1", "Statement": [allowed]})
        lines = check(misconfigured)["lines"]
        found += [line for line in lines if line["check"] == "destination.encryption"]
    misconfigured.set_policy(name, None)
    bucket.delete_object("rules.json")
    subjects = [f"{DESTINATION}/out*", f"{DESTINATION}/fixed"]
    assert [line["subject"] for line in found] == 2 * subjects
    assert [line["status"] for line in found] == ["failed", "failed", "ok", "ok"]
    assert "kms:GenerateDataKey" in found[0]["advice"]


def test_an_exact_key_that_is_allowed_may_be_somebodys_and_is_never_written(
    misconfigured: LocalCloud,
) -> None:
    bucket, fixed = misconfigured.oss_bucket(DESTINATION), f"{DESTINATION}/fixed"
    bucket.put_object("fixed", b"somebody's")
    before = misconfigured.requests()["operations"].get("CopyObject", 0)
    report = check(misconfigured)
    found = {line["check"]: line["status"] for line in report["lines"] if line["subject"] == fixed}
    assert found == {
        "destination.read": "ok",
        "destination.write": "ok",
        "destination.tags": "ok",
        "destination.trial": "ok",
        "copy.multipart": "ok",
        "copy.simple": "skipped",
        "destination.acl": "skipped",
        "destination.remains": "ok",
    }
    assert bucket.get_object("fixed").read() == b"somebody's"
    assert [*oss2.MultipartUploadIterator(bucket)] == []
    tried = {line["subject"] for line in report["lines"] if line["check"] == "copy.simple"} - {fixed}
    after = misconfigured.requests()["operations"]["CopyObject"]
    assert after - before == 2 * len(tried)  # elsewhere, and refused: without rules nothing is written
    bucket.delete_object("fixed")


def test_answers_that_do_not_come_are_findings_and_the_check_ends(misconfigured: LocalCloud) -> None:
    report = check(misconfigured, {"operation": "*", "answer": "stall", "skip": 1})
    failed = {line["check"] for line in report["lines"] if line["status"] == "failed"}
    assert {"stateBucket.reach", "sourceBucket.reach", "destinationBucket.reach"} <= failed
    assert the(report, "function.invoke")["status"] == "failed"


def test_slow_answers_end_the_check_in_time_and_leave_nothing(misconfigured: LocalCloud) -> None:
    report = check(misconfigured, latency_ms=300)
    late = [line for line in report["lines"] if line["found"].endswith("invocation is too short")]
    assert late
    assert {line["status"] for line in late} == {"skipped"}
    assert the(report, "time")["found"].startswith(f"{len(late)} questions")
    assert "raise the function's timeout" in the(report, "time")["advice"]
    assert [key for key in remains(misconfigured) if key != "in"] == []


def test_a_wrong_endpoint_is_named() -> None:
    environment = {"OSS_ENDPOINT": "http://127.0.0.1:9"}
    with LocalCloud(variables={"timeout": 10}, environment=environment) as cloud:
        report = check(cloud)
    reach = [line for line in report["lines"] if line["check"].endswith(".reach")]
    assert [line["status"] for line in reach] == ["failed"] * 3
    assert all("OSS_ENDPOINT" in line["advice"] for line in reach)
