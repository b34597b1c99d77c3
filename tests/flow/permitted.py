"""Every feature of the function, driven through the real handler with a role that may do what a policy says.

A feature returns if it works and raises Broken if it does not; it must not know which policy is in force.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import fc2
import oss2
import oss2.models
import yaml

from functions.cli import rights
from functions.cli.rights import Grant, reach
from osscopy import events, plan
from osscopy.copying import results
from osscopy.model import MIB, Copy, CopyRequest, Destination, Source
from tests.cloud.client import ROOT, LocalCloud
from tests.flow.conftest import EARLIER, genuine

SOURCE, DESTINATION, STATE = "oss-copy-source", "oss-copy-destination", "oss-copy-state"
OLD, KEPT = "oss-copy-old", "oss-copy-kept"  # a source and a destination with versioning
RULES = "rules.json"
TIMEOUT = 3  # seconds; with it what the sweep waits for is short
PARTS = ("kms", "bulk", "versioned")  # of what is optional: what this function can do
_NUMBERS = itertools.count()


class Broken(Exception):
    """A feature that does not work; says what was seen instead."""


class Early(NamedTuple):
    over: str  # the job of a copy that is over ...
    key: str  # ... to this key
    lost: str  # the job of a copy of which nothing runs
    at: float  # when the orphan upload on that key was there


class Stage:
    """A local cloud with the functions, and the grants their roles are to have."""

    def __init__(self, directory: Path) -> None:
        template = directory / "s.yaml"
        template.write_text(yaml.safe_dump(_template()), encoding="utf-8")
        self._to = reach.read(template)
        self._roles = rights.role_grants(self._to, PARTS)
        self.grants = tuple(grant for grants in self._roles.values() for grant in grants)
        self.cloud = LocalCloud(template=template, variables={"timeout": TIMEOUT})
        self._early = Early("", "", "", 0.0)

    def prepare(self) -> None:
        """Buckets, rules, and a copy that is over and will be old enough to be forgotten."""
        for name in (OLD, KEPT):
            bucket = self.bucket(name)
            bucket.create_bucket()
            config = oss2.models.BucketVersioningConfig()
            config.status = "Enabled"
            bucket.put_bucket_versioning(config)
        destination = {"bucket": DESTINATION, "key": "{key}"}
        rule = {"source": {"bucket": SOURCE, "prefix": "incoming/"}, "destination": destination}
        self.bucket(STATE).put_object(RULES, json.dumps([rule]))
        self.allow(self.grants)
        self.begin_early()

    def allow(self, grants: tuple[Grant, ...]) -> None:
        """Let each role do what these grants say; they are known by their names, whoever's they are."""
        for role, own in self._roles.items():
            names = {each.name for each in own}
            self.cloud.set_policy(role, rights.document(each for each in grants if each.name in names))

    def bucket(self, name: str) -> Any:
        return self.cloud.oss_bucket(name)

    def key(self, content: bytes | None = b"content", bucket: str = SOURCE, **headers: str) -> str:
        """A new key, and an object there."""
        key = f"k{next(_NUMBERS)}"
        if content is not None:
            named = {"x-oss-" + name.replace("_", "-"): value for name, value in headers.items()}
            self.bucket(bucket).put_object(key, content, named)
        return key

    def large(self, size: int = 6 * MIB) -> str:
        key = self.key(None)
        self.cloud.seed(SOURCE, key, size, seed=1)
        return key

    # --- asking ---

    def copy(self, key: str, bucket: str = SOURCE, to: str = DESTINATION, **options: Any) -> dict[str, Any]:
        """The result of a copy asked for directly."""
        source = {"bucket": bucket, "key": key} | options.pop("source", {})
        return self.invoke({"source": source, "destination": {"bucket": to}, **options})

    def invoke(self, event: object) -> dict[str, Any]:
        try:
            result: dict[str, Any] = self.cloud.invoke(event)
        except fc2.FcError as error:  # the function raised
            raise Broken(str(error)) from error
        return result

    def give_up(self, event: object) -> Any:
        """What the function answers that FC tells of an event it has given up."""
        news = {"requestContext": {"condition": "x", "requestId": "r"}, "requestPayload": json.dumps(event)}
        body = json.dumps(news).encode()
        try:
            answer = self.cloud.fc_client().invoke_function("local", f"{self._to.function}-dropped", body)
        except fc2.FcError as error:
            raise Broken(str(error)) from error
        self.cloud.hurry()  # what is submitted again waits for minutes
        return json.loads(answer.data)

    def http(self, method: str, path: str, wanted: int, **options: Any) -> dict[str, Any]:
        answer = self.cloud.http(method, path, **options)
        if answer.status_code != wanted:
            raise Broken(f"{method} {path}: {answer.status_code} {answer.text}")
        body: dict[str, Any] = answer.json()
        return body

    def final(self, job: str) -> dict[str, Any]:
        """What is on record of a job once nothing runs any more."""
        self.cloud.wait_idle()
        return self.http("GET", f"/copies/{job}", 200)

    @contextmanager
    def slowly(self) -> Iterator[None]:
        """Copies take their time, so that something can happen to them on the way."""
        self.cloud.conditions(bandwidth_mb_s=1.0)
        try:
            yield
        finally:
            self.cloud.conditions()

    # --- what only time makes possible ---

    def begin_early(self) -> None:
        """A copy that is over, with an orphan upload on its key, and one that has lost its first link."""
        key = self.large()
        over = self.copy(key, **IN_PARTS)["job"]
        self.bucket(DESTINATION).init_multipart_upload(key)  # as an Initiate without an answer leaves it
        orphaned = time.time()
        self.cloud.conditions([{"operation": "invocation", "answer": "drop", "skip": 2, "limit": 1}])
        lost = self.http("POST", "/copies", 202, json_body=asked(self.large(), **IN_PARTS))["job"]
        self.cloud.conditions()
        self._early = Early(over, key, lost, orphaned)

    def ripe(self) -> Early:
        """What the sweep has to do something about, as soon as it is old enough for that."""
        if not self.on_record(self._early.over):  # an earlier sweep has dealt with it
            self.begin_early()
        closed = self.bucket(STATE).head_object(f"oss-copy/done/{self._early.over}").last_modified
        settled = max(closed, self._early.at) + plan.settle_time(TIMEOUT) + 1
        self.until(lambda: time.time() > settled)
        return self._early

    def on_record(self, job: str) -> bool:
        return bool(self.bucket(STATE).object_exists(f"oss-copy/open/{job}"))

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Broken("it did not come to pass")
            time.sleep(0.05)

    def renew_instances(self) -> None:
        """The next invocation finds none that remembers anything."""
        for each in self.cloud.instances():
            os.kill(each["pid"], signal.SIGKILL)
        self.until(lambda: not any(each["alive"] for each in self.cloud.instances()))


IN_PARTS: dict[str, Any] = {"tuning": {"method": "multipart", "partSize": "1MiB"}}
TAGS = "colour=blue"


def _template() -> dict[str, Any]:
    template = genuine()
    for resource in template["resources"].values():
        resource["props"]["environmentVariables"] |= _SETTINGS
    return template


_SETTINGS = {
    "ALLOWED_SOURCES": f"{SOURCE}/*,{OLD}/*",
    "ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{KEPT}/*",
    "COPY_RULES": f"oss://{STATE}/{RULES}",
    "MAX_PARALLEL": "4",
    "MULTIPART_THRESHOLD": "2MiB",
    "ALLOWED_OPTIONS": "public-acl,colder-class,restore,delete,versions",
}


def succeeded(result: Mapping[str, Any], **wanted: object) -> None:
    if result.get("status") != "succeeded" or any(result[name] != value for name, value in wanted.items()):
        raise Broken(json.dumps(result))


def holds(condition: bool, otherwise: object) -> None:
    if not condition:
        raise Broken(str(otherwise))


# --- the features ------------------------------------------------------------------------------------------


def small_copy(stage: Stage) -> None:
    succeeded(stage.copy(stage.key()), method="simple", verified="crc64")


def small_copy_over_http(stage: Stage) -> None:
    succeeded(stage.http("POST", "/copies", 200, json_body=asked(stage.key())))


def copy_in_parts(stage: Stage) -> None:
    succeeded(stage.copy(stage.large(), **IN_PARTS), method="multipart", verified="crc64", parts=6)


def tags(stage: Stage) -> None:
    for options in ({}, IN_PARTS, {"tags": {"size": "small"}}):
        key = stage.key(tagging=TAGS)
        succeeded(stage.copy(key, **options))
        found = stage.bucket(DESTINATION).get_object_tagging(key).tag_set.tagging_rule
        holds(dict(found) == options.get("tags", {"colour": "blue"}), found)


def acl(stage: Stage) -> None:
    for options in ({}, IN_PARTS):
        key = stage.key(object_acl="public-read")
        succeeded(stage.copy(key, acl="copy", **options))
        found = stage.bucket(DESTINATION).get_object_acl(key).acl
        holds(found == "public-read", found)


def named_version(stage: Stage) -> None:
    for options in ({}, IN_PARTS):
        key = stage.key(b"first", OLD, object_acl="public-read", tagging=TAGS)
        version = stage.bucket(OLD).head_object(key).versionid
        stage.bucket(OLD).put_object(key, b"second")
        succeeded(stage.copy(key, OLD, source={"versionId": version}, acl="copy", **options))
        found = stage.bucket(DESTINATION).get_object(key).read()
        holds(found == b"first", found)


def current_version(stage: Stage) -> None:
    succeeded(stage.copy(stage.key(bucket=OLD), OLD))


def versioned_destination(stage: Stage) -> None:
    for options in ({}, IN_PARTS):
        succeeded(stage.copy(stage.key(tagging=TAGS), to=KEPT, **options))


def wrong_version_deleted(stage: Stage) -> None:
    key = stage.key(b"before", KEPT)
    stage.bucket(SOURCE).put_object(key, b"content")
    stage.cloud.conditions([{"operation": "CopyObject", "answer": "corrupt"}])
    try:
        result = stage.copy(key, to=KEPT)
    finally:
        stage.cloud.conditions()
    holds(result["error"]["code"] == "VerificationFailed", result)
    found = stage.bucket(KEPT).get_object(key).read()
    holds(found == b"before", found)


def restored_archive(stage: Stage) -> None:
    jobs = []
    for bucket in (OLD, SOURCE):
        key = stage.key(bucket=bucket, storage_class="Archive")
        begun = stage.copy(key, bucket, archive="restore", storageClass="Standard")
        holds(begun["status"] == "running", begun)
        jobs.append(begun["job"])
    for job in jobs:
        succeeded(stage.final(job))


def symlink_followed(stage: Stage) -> None:
    link, target = stage.key(None), stage.key()
    stage.bucket(SOURCE).put_symlink(target, link)
    succeeded(stage.copy(link, symlinks="follow"))


def overwrite_policies(stage: Stage) -> None:
    key = stage.key()
    succeeded(stage.copy(key, overwrite="never"))
    refused = stage.copy(key, overwrite="never")
    holds((refused["error"] or {}).get("code") == "FileAlreadyExists", refused)
    skipped = stage.copy(key, overwrite="ifDifferent")
    holds(skipped["status"] == "skipped", skipped)


def conditions(stage: Stage) -> None:
    key = stage.key()
    etag = stage.bucket(SOURCE).head_object(key).etag
    succeeded(stage.copy(key, conditions={"ifMatch": etag}))
    skipped = stage.copy(key, conditions={"ifNoneMatch": etag})
    holds(skipped["status"] == "skipped", skipped)


def chain(stage: Stage) -> None:
    """Over HTTP, which hands it over, and so slowly that one invocation is not enough."""
    key = stage.large(12 * MIB)
    with stage.slowly():
        begun = stage.http("POST", "/copies", 202, json_body=asked(key, **IN_PARTS))
        result = stage.final(begun["job"])
    succeeded(result, verified="crc64")
    holds(result["hops"] >= 2, result)


def cancel(stage: Stage) -> None:
    key, bucket = stage.large(), stage.bucket(DESTINATION)
    with stage.slowly():
        job = stage.http("POST", "/copies", 202, json_body=asked(key, **IN_PARTS))["job"]
        stage.until(lambda: bool(bucket.list_multipart_uploads(prefix=key).upload_list))
        answer = stage.http("DELETE", f"/copies/{job}", 200)
        stage.cloud.wait_idle()
    holds(answer["status"] == "cancelled", answer)
    left = [each.upload_id for each in bucket.list_multipart_uploads(prefix=key).upload_list]
    holds(not left, left)


def resubmission(stage: Stage) -> None:
    key = stage.key(None)
    failed = stage.copy(key)
    holds((failed["error"] or {}).get("code") == "NoSuchKey", failed)
    stage.bucket(SOURCE).put_object(key, b"now")
    succeeded(stage.http("POST", f"/copies/{failed['job']}/resubmit", 200))


def status_and_listing(stage: Stage) -> None:
    job = stage.copy(stage.large(), **IN_PARTS)["job"]
    succeeded(stage.http("GET", f"/copies/{job}", 200))
    page = stage.http("GET", "/copies?status=succeeded", 200)
    holds(bool(page["copies"]), page)


def idempotency_key(stage: Stage) -> None:
    key = stage.key()
    headers = {"Idempotency-Key": key}
    first = stage.http("POST", "/copies", 200, json_body=asked(key), headers=headers)
    second = stage.http("POST", "/copies", 200, json_body=asked(key), headers=headers)
    holds(first["job"] == second["job"], (first, second))


def rule(stage: Stage) -> None:
    """An upload, copied by a rule that an instance without memory has to read."""
    stage.renew_instances()
    key = f"incoming/{stage.key(None)}"
    stage.bucket(SOURCE).put_object(key, b"content")
    stage.cloud.wait_idle()
    holds(stage.bucket(DESTINATION).object_exists(key), stage.cloud.invocations(trigger="oss")[-1]["error"])


def timer(stage: Stage) -> None:
    key = stage.key()
    stage.cloud.fire("timer", json.dumps([asked(key)]))
    stage.cloud.wait_idle()
    holds(stage.bucket(DESTINATION).object_exists(key), stage.cloud.invocations(trigger="timer")[-1])


def many_objects(stage: Stage) -> None:
    prefix = f"many/{stage.key(None)}/"
    for key in ("a", "b"):
        stage.bucket(SOURCE).put_object(f"{prefix}{key}", key)
    request = {"source": {"bucket": SOURCE, "prefix": prefix}, "destination": {"bucket": DESTINATION}}
    begun = stage.invoke({**request, "encryption": "bucket"})
    holds(begun["status"] == "running", begun)
    result = stage.final(begun["job"])
    holds(result["status"] == "succeeded" and result["objects"]["succeeded"] == 2, result)


def deletions(stage: Stage) -> None:
    prefix = f"gone/{stage.key(None)}/"
    stage.bucket(SOURCE).put_object(f"{prefix}a", "a")
    stage.bucket(DESTINATION).put_object(f"{prefix}b", "b")
    request = {
        "source": {"bucket": SOURCE, "prefix": prefix},
        "destination": {"bucket": DESTINATION, "prefix": prefix},
        "encryption": "bucket",
        "delete": True,
        "maxDelete": 1,
    }
    result = stage.final(stage.invoke(request)["job"])
    holds(result["status"] == "succeeded" and result["objects"]["deleted"] == 1, result)


def earlier_versions(stage: Stage) -> None:
    """What was current at a time is listed, though something else is now."""
    prefix = f"earlier/{stage.key(None)}/"
    bucket = stage.bucket(OLD)
    bucket.put_object(f"{prefix}a", "old")
    written = bucket.head_object(f"{prefix}a").last_modified
    stage.until(lambda: time.time() > written + 1)
    bucket.put_object(f"{prefix}a", "new")
    request = {
        "source": {"bucket": OLD, "prefix": prefix},
        "destination": {"bucket": DESTINATION},
        "encryption": "bucket",
        "asOf": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(written)),
    }
    begun = stage.invoke(request)
    holds(begun["status"] == "running", begun)
    result = stage.final(begun["job"])
    holds(result["status"] == "succeeded", result)
    shown = stage.bucket(DESTINATION).get_object(f"{prefix}a").read()
    holds(shown == b"old", shown)


def all_versions(stage: Stage) -> None:
    """Each version of a key is copied, and a delete marker made."""
    prefix = f"all/{stage.key(None)}/"
    bucket = stage.bucket(OLD)
    bucket.put_object(f"{prefix}a", "old")
    bucket.delete_object(f"{prefix}a")
    request = {
        "source": {"bucket": OLD, "prefix": prefix},
        "destination": {"bucket": KEPT},
        "encryption": "bucket",
        "versions": "all",
    }
    begun = stage.invoke(request)
    holds(begun["status"] == "running", begun)
    result = stage.final(begun["job"])
    holds(result["status"] == "succeeded" and result["objects"]["succeeded"] == 2, result)


def encryption(stage: Stage) -> None:
    for options in ({}, IN_PARTS):
        succeeded(stage.copy(stage.key(), encryption={"algorithm": "KMS"}, **options))
        key = stage.key(server_side_encryption="KMS")
        succeeded(stage.copy(key, **options))
        shown = stage.bucket(DESTINATION).head_object(key).headers
        holds(shown.get("x-oss-server-side-encryption") == "KMS", shown)


def default_encryption(stage: Stage) -> None:
    """A copy of an encrypted source that is as well encrypted by what the bucket gives."""
    bucket, rule = stage.bucket(DESTINATION), oss2.models.ServerSideEncryptionRule()
    rule.sse_algorithm = "AES256"
    bucket.put_bucket_encryption(rule)
    try:
        for options in ({}, IN_PARTS):
            key = stage.key(server_side_encryption="AES256")
            succeeded(stage.copy(key, encryption="bucket", **options))
    finally:
        bucket.delete_bucket_encryption()


def unknown_job(stage: Stage) -> None:
    """FC may have a copy that is on no record yet."""
    job = f"c-{'0' * 32}"
    stage.http("GET", f"/copies/{job}", 404)


def given_up(stage: Stage) -> None:
    """One copy, whose submission comes later: what FC gives up is begun again after five minutes."""
    found = stage.give_up(asked(stage.key()))
    holds(found == {"resumed": 1}, found)


def given_up_list(stage: Stage) -> None:
    found = stage.give_up([asked(stage.key()), asked(stage.key())])
    holds(found == {"resumed": 2}, found)


def given_up_too_often(stage: Stage) -> None:
    key = stage.key()
    request = CopyRequest(source=Source(SOURCE, key), destination=Destination(DESTINATION, key))
    job = plan.job_id(request, key)
    moment = results.iso(time.time())
    last = json.loads(events.encode(Copy(job, request, moment, drops=plan.MAX_DROPS)))
    found = stage.give_up(last)
    holds(found == {"resumed": 0}, found)
    ended = stage.http("GET", f"/copies/{job}", 200)
    holds(ended["error"]["code"] == "InvocationDropped", ended)


def given_up_event(stage: Stage) -> None:
    """An event of OSS, read by rules that an instance without memory has to fetch."""
    stage.renew_instances()
    event = json.loads((ROOT / "tests/events/oss-trigger.json").read_text())
    for each in event["events"]:
        each["eventTime"] = EARLIER
        each["oss"]["bucket"]["name"] = SOURCE
        each["oss"]["object"]["key"] = f"incoming/{stage.key()}"
    found = stage.give_up(event)
    holds(found == {"resumed": len(event["events"])}, found)


def sweep(stage: Stage) -> None:
    """What is over is forgotten, and an orphan upload aborted before; what stands still is resumed."""
    early = stage.ripe()
    request = stage.cloud.fire("sweep")
    stage.cloud.wait_idle()
    (run,) = stage.cloud.invocations(request_id=request)
    holds(not stage.on_record(early.over), run)
    left = stage.bucket(DESTINATION).list_multipart_uploads(prefix=early.key).upload_list
    holds(not left, run)
    succeeded(stage.final(early.lost))


def asked(key: str, **options: Any) -> dict[str, Any]:
    return {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}, **options}
