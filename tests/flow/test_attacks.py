"""What must not get in, tried through every trigger; and what is told of it holds no secret.

The clouds of this module look at everything that was logged and answered when their last attack is over.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import msgspec
import oss2
import pytest
import yaml

from osscopy import plan
from osscopy.model import MIB, CopyRequest
from tests.cloud.accounts import Accounts
from tests.cloud.client import ROOT, LocalCloud, sign_acs3
from tests.flow.conftest import (
    DESTINATION,
    EARLIER,
    EVERY_OPTION,
    SOURCE,
    STATE,
    count_requests,
    exists,
    genuine,
)
from tests.flow.leaks import SECRET, leaks

TOKEN = "the-token-0f-the-attacked-function"
MOMENT = datetime(2026, 11, 22, tzinfo=timezone.utc)
TRIGGERS = ("direct", "http", "timer")
COMPOSED, DECOMPOSED = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
ENVIRONMENT = {
    "MULTIPART_THRESHOLD": "2MiB",
    "LOG_LEVEL": "DEBUG",
    "ALLOWED_SOURCES": f"{SOURCE}/in/*,{SOURCE}/incoming/*,{SOURCE}/{COMPOSED}/*",
    "ALLOWED_DESTINATIONS": f"{DESTINATION}/out/*,{DESTINATION}/incoming/*",
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A function behind all triggers, EventBridge's too; HTTP wants signatures."""
    template = with_event_bridge(tmp_path_factory.mktemp("template"))
    with LocalCloud(template=template, variables={"timeout": 10}, environment=ENVIRONMENT) as cloud:
        cloud.oss_bucket(SOURCE).put_object("secret.bin", b"secret")
        yield cloud
        cloud.wait_idle()
        assert leaks(cloud) == []


@pytest.fixture(scope="module")
def public() -> Iterator[LocalCloud]:
    """A function behind an HTTP trigger that anybody can reach."""
    environment = {**ENVIRONMENT, "API_TOKEN": TOKEN}
    with LocalCloud(variables={"timeout": 10, "httpAuthType": "anonymous"}, environment=environment) as cloud:
        cloud.oss_bucket(SOURCE).put_object("in/a", b"1")
        yield cloud
        cloud.wait_idle()
        assert leaks(cloud, TOKEN) == []


def with_event_bridge(folder: Path) -> Path:
    """s.yaml with one trigger more."""
    document = genuine()
    props = document["resources"]["oss_copy"]["props"]
    there = f"acs:oss:cn-hangzhou:{document['vars']['accountId']}:{SOURCE}/"
    pattern = {"source": ["acs.oss"], "subject": [{"prefix": there}]}
    props["triggers"].append(
        {
            "triggerName": "bridge",
            "triggerType": "eventbridge",
            "triggerConfig": {
                "triggerEnable": True,
                "asyncInvocationType": True,
                "eventRuleFilterPattern": json.dumps(pattern),
                "eventSourceConfig": {"eventSourceType": "Default", "eventSourceParameters": {}},
            },
        }
    )
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path


def ask(cloud: LocalCloud, by: str, request: object) -> dict[str, Any]:
    """The result of a request through a trigger; HTTP's error body counts as one that failed."""
    if by == "direct":
        answer: dict[str, Any] = cloud.invoke(request)
        return answer
    if by == "timer":
        text = request if isinstance(request, str) else json.dumps(request)
        request_id = cloud.fire("timer", text)
        cloud.wait_idle()
        (invocation,) = cloud.invocations(request_id=request_id)
        result: dict[str, Any] = json.loads(invocation["result"])
        return result
    response = cloud.http("POST", "/copies", json_body=request)
    body: dict[str, Any] = response.json()
    return body if response.is_success else {"status": "failed", **body}


def refused(cloud: LocalCloud, by: str, request: object) -> tuple[str, str | None]:
    """Code and field of the refusal; AssertionError if it was done, or OSS was asked."""
    before = count_requests(cloud)
    result = ask(cloud, by, request)
    assert result["status"] == "failed", result
    assert count_requests(cloud) == before, "OSS was asked before the request was refused"
    return result["error"]["code"], result["error"]["field"]


def copying(source: Mapping[str, Any], destination: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "source": {"bucket": SOURCE, **source},
        "destination": {"bucket": DESTINATION, **destination},
        **more,
    }


def test_the_secrets_this_cloud_gives_out_would_be_recognised() -> None:
    key = Accounts().issue("acs:ram::1:role/r")
    assert key.security_token is not None
    for secret in (key.access_key_id, key.access_key_secret, key.security_token):
        assert SECRET.search(f'"{secret}"')
    assert not SECRET.search('"c-0123456789abcdef0123456789abcdef 5EB63BBBE01EEED093CB22BB8F5ACDC3"')


# --- places that are not allowed ---------------------------------------------------------------------------


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [
        ({"bucket": "foreign-bucket", "key": "in/a"}, {"key": "out/a"}, "source"),
        ({"bucket": DESTINATION, "key": "in/a"}, {"key": "out/a"}, "source"),
        ({"key": "in/a"}, {"bucket": "foreign-bucket", "key": "out/a"}, "destination"),
        ({"key": "in/a"}, {"bucket": "oss-copy-state", "key": "oss-copy/done/c-1"}, "destination"),
        ({"key": "in/a"}, {}, "destination"),
    ],
)
def test_a_bucket_outside_the_allow_list_is_neither_read_nor_written(
    attacked: LocalCloud, by: str, source: dict[str, str], destination: dict[str, str], field: str
) -> None:
    assert refused(attacked, by, copying(source, destination)) == ("NotAllowed", field)


@pytest.mark.parametrize("by", TRIGGERS)
def test_a_slash_before_an_allowed_prefix_makes_no_key(attacked: LocalCloud, by: str) -> None:
    assert refused(attacked, by, copying({"key": "/in/a"}, {"key": "out/a"})) == ("InvalidKey", "source.key")
    into = copying({"key": "in/a"}, {"key": "/out/a"})
    assert refused(attacked, by, into) == ("InvalidKey", "destination.key")


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    "key",
    [
        "secret.bin",
        "./in/a",
        "in",
        "IN/a",
        "in%2Fa",
        "%69n/a",
        "in\\a",
        "x/../in/a",
        f"{DECOMPOSED}/a",
        "\uff49n/a",  # a full-width i
    ],
)
def test_a_key_that_only_resembles_an_allowed_prefix_is_refused(
    attacked: LocalCloud, by: str, key: str
) -> None:
    assert refused(attacked, by, copying({"key": key}, {"key": "out/a"})) == ("NotAllowed", "source")
    into = copying({"key": "in/a"}, {"key": key.replace("in", "out") + "{{"})
    assert refused(attacked, by, into) == ("NotAllowed", "destination")


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    "key", ["in/../secret.bin", "in/%2e%2e/secret.bin", "in/./a", "in//a", f"{COMPOSED}/a"]
)
def test_an_allowed_key_with_path_syntax_is_that_object_and_no_other(
    attacked: LocalCloud, by: str, key: str
) -> None:
    request = copying({"key": key}, {"key": f"out/{by}/{{key}}"})
    attacked.oss_bucket(SOURCE).delete_object(key)
    assert ask(attacked, by, request)["error"]["code"] == "NoSuchKey"
    attacked.oss_bucket(SOURCE).put_object(key, b"this one")
    if by == "timer":
        time.sleep(1.1)  # a timer that fires twice within a second is the same event delivered again
    result = ask(attacked, by, request)
    assert (result["status"], result["source"]["key"]) == ("succeeded", key), result
    assert attacked.oss_bucket(DESTINATION).get_object(f"out/{by}/{key}").read() == b"this one"


def test_a_template_cannot_climb_out_of_an_allowed_prefix(attacked: LocalCloud) -> None:
    attacked.oss_bucket(SOURCE).put_object("in/out/x", b"1")
    for template in ("{dir}{name}", "{key}", "{{out/{name}", "{date:%Y}out/{name}"):
        request = copying({"key": "in/out/x"}, {"key": template})
        assert refused(attacked, "direct", request) == ("NotAllowed", "destination")


# --- endpoints ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize("name", ["endpoint", "region", "accessKeyId", "credentials", "role", "host", "url"])
def test_no_endpoint_role_or_credential_is_taken_from_an_event(
    attacked: LocalCloud, by: str, name: str
) -> None:
    for where in ("source", "destination", "tuning"):
        request = copying({"key": "in/a"}, {"key": "out/a"}, tuning={})
        request[where][name] = "http://evil.example"
        assert refused(attacked, by, request) == ("UnknownField", f"{where}.{name}")
    request = copying({"key": "in/a"}, {"key": "out/a"}, **{name: "http://evil.example"})
    assert refused(attacked, by, request) == ("UnknownField", name)


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    "bucket",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1",
        "http://evil.example",
        f"{SOURCE}/in",
        f"{SOURCE}?x=",
        f"{SOURCE}#",
        f"user@{SOURCE}",
        f"{SOURCE}\r\nHost: evil.example",
        f"{SOURCE}\0",
        f"{SOURCE}\n",
        SOURCE.upper(),
        "..",
        "",
    ],
)
def test_a_bucket_name_that_is_a_host_a_port_or_a_path_is_refused(
    attacked: LocalCloud, by: str, bucket: str
) -> None:
    request = copying({"bucket": bucket, "key": "in/a"}, {"key": "out/a"})
    assert refused(attacked, by, request) == ("InvalidBucketName", "source.bucket")
    request = copying({"key": "in/a"}, {"bucket": bucket, "key": "out/a"})
    assert refused(attacked, by, request) == ("InvalidBucketName", "destination.bucket")


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    "version", ["x&uploads", "x?acl", "x#", "x%26acl", "x=y", "x y", "x\r\ny: z", "é", "", "x/../y", "x;y"]
)
def test_a_version_id_that_is_query_syntax_is_refused(attacked: LocalCloud, by: str, version: str) -> None:
    request = copying({"key": "in/a", "versionId": version}, {"key": "out/a"})
    assert refused(attacked, by, request) == ("InvalidVersionId", "source.versionId")


# --- headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize("evil", ["a\r\nx-oss-object-acl: public-read", "a\nb", "a\rb", "a\0b", "\r\n\r\n"])
def test_a_value_that_would_start_another_header_is_refused(attacked: LocalCloud, by: str, evil: str) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"metadata": {"contentType": evil}}, "InvalidHeader", "metadata.contentType"),
        ({"metadata": {"expires": evil}}, "InvalidHeader", "metadata.expires"),
        ({"metadata": {"user": {"a": evil}}}, "InvalidHeader", "metadata.user.a"),
        ({"metadata": {"user": {evil: "a"}}}, "InvalidMetadata", f"metadata.user.{evil}"),
        ({"tags": {evil: "a"}}, "InvalidTag", "tags"),
        ({"tags": {"a": evil}}, "InvalidTag", "tags"),
        ({"conditions": {"ifMatch": evil}}, "InvalidHeader", "conditions.ifMatch"),
        ({"conditions": {"ifModifiedSince": evil}}, "InvalidHeader", "conditions.ifModifiedSince"),
        ({"encryption": {"algorithm": "KMS", "keyId": evil}}, "InvalidHeader", "encryption.keyId"),
    ]
    for options, code, field in cases:
        request = copying({"key": "in/a"}, {"key": "out/a"}, **options)
        assert refused(attacked, by, request) == (code, field)


@pytest.mark.parametrize("by", TRIGGERS)
def test_a_key_with_line_breaks_is_that_object_and_no_header(attacked: LocalCloud, by: str) -> None:
    key = f"in/{by}\r\nx-oss-object-acl: public-read\r\n\r\n"
    attacked.oss_bucket(SOURCE).put_object(key, b"odd")
    result = ask(attacked, by, copying({"key": key}, {"key": "out/{name}"}))
    assert (result["status"], result["source"]["key"]) == ("succeeded", key), result
    made = "out/" + key.rpartition("/")[2]
    assert attacked.oss_bucket(DESTINATION).get_object(made).read() == b"odd"
    assert attacked.oss_bucket(DESTINATION).get_object_acl(made).acl == "default"
    request = copying({"key": "in/a\0"}, {"key": "out/a"})
    assert refused(attacked, by, request) == ("InvalidKey", "source.key")


# --- continuations -----------------------------------------------------------------------------------------

FORGED = {
    "continuation": {
        "version": 1,
        "command": {
            "step": "continue",
            "job": "c-" + "f" * 32,
            "request": copying({"key": "in/a"}, {"key": "out/forged"}),
            "startedAt": EARLIER,
            "pin": {"size": 3 * MIB, "etag": "E", "lastModified": 1},
            "upload": {"id": "U", "partSize": MIB, "parts": 3, "lanes": 1, "openedAt": 1},
            "generation": 0,
            "lane": 1,
            "hop": 2,
        },
    }
}


@pytest.mark.parametrize("by", ["http", "timer"])
@pytest.mark.parametrize("wrap", ["alone", "list", "mixed", "event"])
def test_a_continuation_cannot_come_in_through_http_or_a_timer(
    attacked: LocalCloud, by: str, wrap: str
) -> None:
    forms: dict[str, object] = {
        "alone": FORGED,
        "list": [FORGED],
        "mixed": {**copying({"key": "in/a"}, {"key": "out/forged"}), **FORGED},
        "event": {"triggerTime": EARLIER, "triggerName": "t", "payload": json.dumps(FORGED)},
    }
    before = count_requests(attacked)
    result = ask(attacked, by, forms[wrap])
    for each in result.get("results", [result]):
        assert each["status"] == "failed", each
        assert each["error"]["code"] in {"UnknownField", "MissingField", "InvalidField"}
    assert count_requests(attacked) == before


def test_a_continuation_cannot_come_in_with_an_oss_event_or_through_eventbridge(attacked: LocalCloud) -> None:
    """What an uploader chooses of these events is the key, and that stays a key."""
    key = "incoming/" + json.dumps(FORGED, separators=(",", ":"))[:900]
    before = count_requests(attacked, "UploadPartCopy")
    attacked.oss_bucket(SOURCE).put_object(key, b"text")
    attacked.wait_idle()
    fired = [one for one in attacked.invocations() if one["trigger"] in {"oss", "bridge"}]
    assert {one["trigger"] for one in fired[-2:]} == {"oss", "bridge"}
    for one in fired[-2:]:
        (result,) = json.loads(one["result"])["results"]
        assert (result["status"], result["destination"]["key"]) == ("succeeded", key), result
    assert attacked.oss_bucket(DESTINATION).get_object(key).read() == b"text"
    assert count_requests(attacked, "UploadPartCopy") == before


@pytest.mark.parametrize("shape", ["events", "specversion"])
def test_an_event_of_objects_carries_no_continuation_beside_them(attacked: LocalCloud, shape: str) -> None:
    """Whoever may invoke the function directly could send these; the triggers' shapes hold no command."""
    name = "oss-trigger" if shape == "events" else "eventbridge"
    sample = (ROOT / "tests" / "events" / f"{name}.json").read_text()
    event = json.loads(re.sub(r"2026-11-22T[\d:.]+(Z|\+08:00)", EARLIER, sample))
    before = count_requests(attacked)
    assert attacked.invoke({**event, **FORGED}) == {"results": []}  # no rule watches that bucket
    assert count_requests(attacked) == before


@pytest.mark.parametrize("job", ["../open/x", "c-" + "F" * 32, "", "c-" + "0" * 33, "c-" + "0" * 31 + "\n"])
def test_a_direct_continuation_cannot_name_a_record_outside_its_job(attacked: LocalCloud, job: str) -> None:
    forged = json.loads(json.dumps(FORGED))
    forged["continuation"]["command"]["job"] = job
    assert refused(attacked, "direct", forged) == ("InvalidContinuation", "continuation.command.job")


# --- what is not the function's own ------------------------------------------------------------------------

KEY = "the-key-with-which-the-function-signs"


@pytest.fixture(scope="module")
def sealed() -> Iterator[LocalCloud]:
    """A function with a key for its continuations and records."""
    environment = {**ENVIRONMENT, "STATE_KEY": KEY, "MAX_PARALLEL": "4"}
    with LocalCloud(variables={"timeout": 5}, environment=environment) as cloud:
        cloud.oss_bucket(SOURCE).put_object("in/a", b"1")
        cloud.oss_bucket(SOURCE).put_object("in/other", b"2")
        cloud.seed(SOURCE, "in/large", 40 * MIB, seed=1)
        yield cloud
        cloud.wait_idle()
        assert leaks(cloud, KEY) == []


def started(request: dict[str, Any], job: str, **more: Any) -> dict[str, Any]:
    command = {"step": "start", "job": job, "request": request, "startedAt": EARLIER, **more}
    return {"continuation": {"version": 2, "command": command}}


def records(cloud: LocalCloud) -> dict[str, bytes]:
    """All records by their names."""
    bucket = cloud.oss_bucket(STATE)
    return {
        each.key: bucket.get_object(each.key).read() for each in oss2.ObjectIteratorV2(bucket, "oss-copy/")
    }


def test_a_chain_goes_on_though_nobody_else_may_write_its_continuations_and_records(
    sealed: LocalCloud,
) -> None:
    sealed.conditions(bandwidth_mb_s=1)
    request = copying({"key": "in/large"}, {"key": "out/large"}, tuning={"partSize": "1MiB", "lanes": 2})
    answer = sealed.http("POST", "/copies", json_body=request)
    assert answer.status_code == 202, answer.text
    sealed.wait_idle()
    sealed.conditions()
    result = sealed.http("GET", answer.headers["location"]).json()
    assert (result["status"], result["verified"]) == ("succeeded", "crc64"), result
    assert result["hops"] > 2
    written = records(sealed)
    assert {name.split("/")[1] for name in written} >= {"open", "up", "done", "hop"}
    assert [name for name, body in written.items() if not body.startswith(b'{"mac":"')] == []


def test_a_continuation_that_the_function_did_not_write_is_refused(sealed: LocalCloud) -> None:
    assert refused(sealed, "direct", FORGED) == ("InvalidContinuation", "mac")
    assert refused(sealed, "direct", {**FORGED, "mac": "A" * 22}) == ("InvalidContinuation", "mac")


def test_a_start_under_somebody_s_job_does_not_make_his_request_answer_for_another_object(
    sealed: LocalCloud,
) -> None:
    request = copying({"key": "in/a"}, {"key": "out/a"})
    job = plan.job_id(plan.prepare(msgspec.convert(request, CopyRequest), MOMENT), "http:his-key")
    other = msgspec.to_builtins(
        plan.prepare(msgspec.convert(copying({"key": "in/other"}, {"key": "out/b"}), CopyRequest), MOMENT)
    )
    code, field = refused(sealed, "direct", started(other, job, keep=True))
    assert (code, field) == ("InvalidContinuation", "mac")
    answer = sealed.http("POST", "/copies", json_body=request, headers={"Idempotency-Key": "his-key"})
    assert (answer.status_code, answer.json()["job"]) == (200, job), answer.text
    assert answer.json()["destination"]["key"] == "out/a"


def test_news_of_a_dropped_invocation_that_never_was_plants_no_outcome(sealed: LocalCloud) -> None:
    request = msgspec.to_builtins(
        plan.prepare(msgspec.convert(copying({"key": "in/a"}, {"key": "out/c"}), CopyRequest), MOMENT)
    )
    job = "c-" + "7" * 32
    event = json.dumps(started(request, job, drops=3))
    news = {"requestContext": {"condition": "RetriesExhausted", "requestId": "r"}, "requestPayload": event}
    assert sealed.invoke(news) == {"resumed": 0}
    assert sealed.http("GET", f"/copies/{job}").status_code == 404


def test_a_record_that_somebody_else_wrote_is_believed_by_nobody(sealed: LocalCloud) -> None:
    """The sweep would have copied what it says."""
    pin = {"size": 1, "etag": "E", "lastModified": 1}
    job, other = "c-" + "8" * 32, "c-" + "9" * 32
    opened = {"nonce": "n", "job": job, "request": copying({"key": "in/a"}, {"key": "out/d"}), "pin": pin}
    bucket = sealed.oss_bucket(STATE)
    bucket.put_object(f"oss-copy/open/{job}", json.dumps({**opened, "startedAt": EARLIER}))
    mine = sealed.invoke(copying({"key": "in/a"}, {"key": "out/e"}, tuning={"method": "multipart"}))
    moved = bucket.get_object(f"oss-copy/done/{mine['job']}").read()
    bucket.put_object(f"oss-copy/done/{other}", moved)
    for each in (job, other):
        answer = sealed.http("GET", f"/copies/{each}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "UnreadableRecord"), answer.text
    deadline = time.monotonic() + 60
    while not (swept := sealed.invoke({"action": "sweep"}))["failed"]:
        assert time.monotonic() < deadline, swept
        time.sleep(1)
    assert not exists(sealed.oss_bucket(DESTINATION), "out/d")


def test_a_task_id_that_was_taken_in_advance_stops_no_copy(sealed: LocalCloud) -> None:
    """It stood still until a sweep, whose task ids can be told in advance as well."""
    request = copying({"key": "in/a"}, {"key": "out/squatted"}, tuning={"method": "multipart"})
    job = plan.job_id(plan.prepare(msgspec.convert(request, CopyRequest), MOMENT), "http:squatted")
    sealed.invoke_async({"action": "check"}, task_id=f"{job}-g0-l1-h1")
    answer = sealed.http("POST", "/copies", json_body=request, headers={"Idempotency-Key": "squatted"})
    assert (answer.status_code, answer.json()["job"]) == (202, job), answer.text
    sealed.wait_idle()
    assert sealed.http("GET", f"/copies/{job}").json()["status"] == "succeeded"


# --- sizes -------------------------------------------------------------------------------------------------


def test_an_oversized_body_is_refused_unread(attacked: LocalCloud) -> None:
    before = count_requests(attacked)
    for body in (b" " * 100_000, b"[" * 200_000, b'{"source": "' + b"x" * 1_000_000 + b'"}'):
        for kind in ("application/json", "application/octet-stream"):
            answer = attacked.http("POST", "/copies", body=body, headers={"Content-Type": kind})
            assert answer.status_code == 413
    assert count_requests(attacked) == before


@pytest.mark.parametrize(
    "opening", ["[", '{"a":', '{"source":{"bucket":', '{"tags":[', '{"metadata":{"user":']
)
def test_deep_json_is_refused_and_harms_nobody(attacked: LocalCloud, opening: str) -> None:
    body = (opening * 90_000)[:90_000]
    answer = attacked.http(
        "POST", "/copies", body=body.encode(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {400, 422}
    result = ask(attacked, "timer", body)
    assert result["error"]["code"] in {"InvalidJson", "InvalidField"}
    assert attacked.http("GET", "/healthz").status_code == 200


# --- values that would stop the others ----------------------------------------------------------------------

BOMB = gzip.compress(bytes(300 << 20))  # 300 KB
WRONG = [
    ("startedAt", "x"),
    ("startedAt", "2026-02-30T00:00:00Z"),
    ("generation", 10**400),
    ("hop", 10**9),
    ("partsDone", -1),
    ("leaveUntil", 10**18),
    ("settle", 10**12),
    ("follows", 10**9),
    ("goneAt", 10**18),
    ("pin.lastModified", 10**30),
    ("pin.via", ""),
    ("upload.openedAt", 10**30),
    ("upload.parts", 10**30),
]


def changed(tree: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the tree with another value at the path."""
    made: dict[str, Any] = json.loads(json.dumps(tree))
    *way, last = path.split(".")
    functools.reduce(lambda inner, name: inner.setdefault(name, {}), way, made)[last] = value
    return made


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_continuation_with_a_value_that_no_hop_writes_is_refused_by_its_field(
    attacked: LocalCloud, path: str, value: Any
) -> None:
    forged = changed(FORGED, f"continuation.command.{path}", value)
    code, field = refused(attacked, "direct", forged)
    assert code in {"InvalidContinuation", "InvalidField", "InvalidKey"}
    assert field == f"continuation.command.{path}"


def test_a_record_that_is_a_gzip_bomb_is_not_unpacked(attacked: LocalCloud) -> None:
    for number, packed in enumerate((BOMB, b" " * (16 << 20))):
        job = f"c-{number:032}"
        headers = {"Content-Encoding": "gzip"} if number == 0 else {}
        attacked.oss_bucket(STATE).put_object(f"oss-copy/done/{job}", packed, headers)
        answer = attacked.http("GET", f"/copies/{job}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "UnreadableRecord")
    assert attacked.http("GET", "/copies").status_code == 200
    assert max(each["peak_memory_mb"] or 0 for each in attacked.invocations(trigger="http")) < 96
    attacked.oss_bucket(STATE).delete_object(
        f"oss-copy/done/c-{0:032}"
    )  # the search for secrets would unpack it


def test_what_breaks_behind_http_shows_no_code(attacked: LocalCloud) -> None:
    job = "c-" + "5" * 32
    result = {"job": job, "status": "failed", "startedAt": EARLIER, "finishedAt": "x"}
    done = {"nonce": "n", "result": result, "request": copying({"key": "in/a"}, {"key": "out/a"})}
    attacked.oss_bucket(STATE).put_object(f"oss-copy/done/{job}", json.dumps(done))
    answer = attacked.http("POST", f"/copies/{job}/resubmit")
    assert answer.status_code == 500, answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


def test_a_request_whose_records_would_be_too_large_is_refused(attacked: LocalCloud) -> None:
    long = dict.fromkeys(("contentDisposition", "contentLanguage", "expires"), "é" * 8000)
    for by in ("timer", "direct"):
        request = copying({"key": "in/a"}, {"key": "out/a"}, metadata=long)
        assert refused(attacked, by, request) == ("RequestTooLarge", None)


def test_records_of_nonsense_stop_no_sweep() -> None:
    """Each sweep died of one."""
    place = copying({"key": "in/a"}, {"key": "out/a"})
    pin = {"size": 1, "etag": "E", "lastModified": 1}
    with LocalCloud(variables={"timeout": 3}, environment=ENVIRONMENT) as cloud:
        for number, when in enumerate(("x", EARLIER)):
            opened = {"nonce": "n", "job": f"c-{number:032}", "request": place, "pin": pin, "startedAt": when}
            cloud.oss_bucket(STATE).put_object(f"oss-copy/open/c-{number:032}", json.dumps(opened))
        deadline = time.monotonic() + 60
        while (swept := cloud.invoke({"action": "sweep"}))["looked"] < 2:  # they are not old enough yet
            assert time.monotonic() < deadline, swept
            time.sleep(1)
        assert swept["failed"] == 1, swept
        cloud.wait_idle()
        assert cloud.http("GET", "/copies/c-" + "1".zfill(32)).json()["error"]["code"] == "NoSuchKey"


# --- who asks ----------------------------------------------------------------------------------------------


def signed(cloud: LocalCloud, path: str, body: bytes, **more: str) -> tuple[httpx.URL, dict[str, str]]:
    url = httpx.URL(cloud.http_trigger).join(path)
    headers = {"content-type": "application/json", **more}
    return url, {**headers, **sign_acs3("POST", str(url), headers, body, cloud.owner)}


def test_a_replayed_request_with_an_idempotency_key_is_the_same_copy(attacked: LocalCloud) -> None:
    attacked.oss_bucket(SOURCE).put_object("in/replayed", b"1")
    body = json.dumps(copying({"key": "in/replayed"}, {"key": "out/replayed"})).encode()
    url, headers = signed(attacked, "/copies", body, **{"idempotency-key": "once-only"})
    first = httpx.post(url, content=body, headers=headers)
    copies = count_requests(attacked, "CopyObject")
    again = [httpx.post(url, content=body, headers=headers) for _ in range(3)]
    assert first.status_code == 200, first.text
    assert [answer.json()["job"] for answer in again] == [first.json()["job"]] * 3
    assert count_requests(attacked, "CopyObject") == copies


def test_a_captured_signature_opens_no_other_path_and_none_later(attacked: LocalCloud) -> None:
    body = json.dumps(copying({"key": "in/replayed"}, {"key": "out/later"})).encode()
    url, headers = signed(attacked, "/copies", body)
    count = len(attacked.invocations())
    elsewhere = httpx.URL(attacked.http_trigger).join("/copies/c-" + "0" * 32 + "/resubmit")
    assert httpx.post(elsewhere, content=body, headers=headers).status_code == 403
    assert httpx.delete(url, headers=headers).status_code == 403
    old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    assert httpx.post(url, content=body, headers={**headers, "x-acs-date": old}).status_code == 403
    assert len(attacked.invocations()) == count
    assert not exists(attacked.oss_bucket(DESTINATION), "out/later")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer x",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer " + "x" * 4000,
        "ACS3-HMAC-SHA256 Credential=x,SignedHeaders=host,Signature=0",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/copies"),
        ("GET", "/copies"),
        ("GET", "/copies/c-" + "0" * 32),
        ("DELETE", "/copies/c-" + "0" * 32),
        ("POST", "/copies/c-" + "0" * 32 + "/resubmit"),
        ("GET", "/openapi.json"),
        ("GET", "/healthz"),
        ("GET", f"/copies?token={TOKEN}&authorization=Bearer%20{TOKEN}"),
    ],
)
def test_without_the_token_nothing_is_answered_and_nothing_done(
    public: LocalCloud, authorization: str | None, method: str, path: str
) -> None:
    before = count_requests(public)
    headers = {} if authorization is None else {"Authorization": authorization}
    body = json.dumps(copying({"key": "in/a"}, {"key": "out/a"})).encode()
    answer = public.http(method, path, body=body, headers=headers, signed=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in answer.text
    assert count_requests(public) == before


def test_with_the_token_the_same_request_is_served(public: LocalCloud) -> None:
    request = copying({"key": "in/a"}, {"key": "out/a"})
    answer = public.http("POST", "/copies", json_body=request, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.text


def test_the_token_of_an_authorised_request_that_is_refused_is_not_told(public: LocalCloud) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/copies", f"/{TOKEN[:0]}nothing"):
        answer = public.http("POST", path, body=b"{", headers=headers)
        assert answer.status_code in {400, 404}
        assert TOKEN not in answer.text
    assert leaks(public, TOKEN) == []


def test_a_trigger_that_is_not_what_the_setting_says_still_asks_for_the_token() -> None:
    """The setting said that FC checks signatures, and everybody could copy."""
    environment = {**ENVIRONMENT, "API_TOKEN": TOKEN, "HTTP_AUTH_TYPE": "function"}
    with LocalCloud(variables={"timeout": 10, "httpAuthType": "anonymous"}, environment=environment) as cloud:
        cloud.oss_bucket(SOURCE).put_object("in/a", b"1")
        request = copying({"key": "in/a"}, {"key": "out/a"})
        assert cloud.http("POST", "/copies", json_body=request, signed=False).status_code == 401
        answer = cloud.http("POST", "/copies", json_body=request, headers={"X-OSS-Copy-Token": TOKEN})
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert leaks(cloud, TOKEN) == []


# --- a caller of the API: more than a copy -----------------------------------------------------------------


def lacks(result: dict[str, Any]) -> str:
    """The word of ALLOWED_OPTIONS that a refused copy lacks."""
    assert (result["status"], result["error"]["code"]) == ("failed", "NotAllowed"), result
    return str(result["error"]["message"].rpartition(" ")[2])


@pytest.mark.parametrize("by", TRIGGERS)
@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"acl": "public-read"}, "public-acl"),
        ({"acl": "public-read-write"}, "public-acl"),
        ({"requestPayer": True}, "requester-pays"),
    ],
)
def test_a_caller_cannot_make_objects_public_nor_let_the_account_pay(
    attacked: LocalCloud, by: str, options: dict[str, Any], word: str
) -> None:
    before = count_requests(attacked)
    assert lacks(ask(attacked, by, copying({"key": "in/a"}, {"key": "out/p"}, **options))) == word
    assert count_requests(attacked) == before


SSE = "x-oss-server-side-encryption"
BEYOND: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"acl": "copy"}, {"x-oss-object-acl": "public-read"}, "public-acl"),
    ({"storageClass": "DeepColdArchive"}, {}, "colder-class"),
    ({"archive": "restore"}, {"x-oss-storage-class": "Archive"}, "restore"),
    ({"encryption": "bucket"}, {SSE: "KMS"}, "weaker-encryption"),
    ({"encryption": {"algorithm": "AES256"}}, {SSE: "KMS"}, "weaker-encryption"),
]


@pytest.mark.parametrize("method", ["simple", "multipart"])
@pytest.mark.parametrize(("options", "headers", "word"), BEYOND)
def test_a_caller_cannot_get_from_a_source_what_a_plain_copy_would_not_give(
    attacked: LocalCloud, options: dict[str, Any], headers: dict[str, str], word: str, method: str
) -> None:
    key = f"in/{word}-{method}"
    attacked.oss_bucket(SOURCE).put_object(key, b"kept", headers)
    before = count_requests(attacked, "RestoreObject")
    asked = copying({"key": key}, {"key": f"out/{word}-{method}"}, tuning={"method": method}, **options)
    assert lacks(ask(attacked, "direct", asked)) == word
    assert not exists(attacked.oss_bucket(DESTINATION), f"out/{word}-{method}")
    assert count_requests(attacked, "RestoreObject") == before
    uploads = attacked.oss_bucket(DESTINATION).list_multipart_uploads(prefix=f"out/{word}-").upload_list
    assert uploads == []


def ended(cloud: LocalCloud, request: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The result of a job of many objects that a caller asks for."""
    begun = cloud.http("POST", "/copies", json_body=request, **options)
    assert begun.status_code == 202, begun.text
    cloud.wait_idle()
    result: dict[str, Any] = cloud.http("GET", begun.headers["location"], **options).json()
    return result


@pytest.mark.parametrize("encryption", ["bucket", {"algorithm": "AES256"}])
def test_a_job_of_many_objects_takes_no_more_power_than_one_copy(
    attacked: LocalCloud, encryption: object
) -> None:
    source, folder = attacked.oss_bucket(SOURCE), f"many-{len(str(encryption))}"
    source.put_object(f"in/{folder}/sealed", b"1", {SSE: "KMS"})
    source.put_object(f"in/{folder}/plain", b"2")
    request = {
        "source": {"bucket": SOURCE, "prefix": f"in/{folder}/"},
        "destination": {"bucket": DESTINATION, "prefix": f"out/{folder}/"},
        "encryption": encryption,
    }
    result = ended(attacked, request)
    assert result["objects"]["succeeded"] == result["objects"]["failed"] == 1, result
    assert result["errors"] == {"NotAllowed": 1}
    assert not exists(attacked.oss_bucket(DESTINATION), f"out/{folder}/sealed")


def test_a_job_deletes_nothing_without_its_word(attacked: LocalCloud) -> None:
    attacked.oss_bucket(SOURCE).put_object("in/kept/a", b"1")
    attacked.oss_bucket(DESTINATION).put_object("out/kept/b", b"2")
    request = {
        "source": {"bucket": SOURCE, "prefix": "in/kept/"},
        "destination": {"bucket": DESTINATION, "prefix": "out/kept/"},
        "delete": True,
        "maxDelete": 9,
    }
    assert lacks(ask(attacked, "direct", request)) == "delete"
    attacked.wait_idle()
    assert exists(attacked.oss_bucket(DESTINATION), "out/kept/b")


def test_a_report_is_written_where_copies_may_be_and_nowhere_else(attacked: LocalCloud) -> None:
    attacked.oss_bucket(SOURCE).put_object("in/reported/a", b"1")
    request = {
        "source": {"bucket": SOURCE, "prefix": "in/reported/"},
        "destination": {"bucket": DESTINATION, "prefix": "out/reported/"},
    }
    before = count_requests(attacked, "PutObject")
    for place in ({"bucket": SOURCE, "prefix": "x/"}, {"bucket": DESTINATION, "prefix": "x/"}):
        error = ask(attacked, "direct", {**request, "report": place})["error"]
        assert (error["code"], error["field"]) == ("NotAllowed", "report")
    assert count_requests(attacked, "PutObject") == before


# --- a writer of the source ---------------------------------------------------------------------------------


def test_a_symlink_leads_a_rule_to_nothing_that_it_does_not_watch() -> None:
    """Who may upload under the watched prefix could have any object of the bucket copied to the other."""
    rule = {
        "source": {"bucket": SOURCE, "prefix": "incoming/"},
        "destination": {"bucket": DESTINATION},
        "symlinks": "follow",
    }
    with LocalCloud(variables={"timeout": 10}, environment={"COPY_RULES": json.dumps([rule])}) as cloud:
        source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        source.put_object("secret.bin", b"secret")
        source.put_object("incoming/target", b"mine")
        source.put_symlink("secret.bin", "incoming/out")
        source.put_symlink("incoming/target", "incoming/in")
        cloud.wait_idle()
        assert not exists(destination, "incoming/out")
        assert destination.get_object("incoming/in").read() == b"mine"
        results = [json.loads(one["result"])["results"][0] for one in cloud.invocations(trigger="oss")]
        assert [each["error"]["code"] for each in results if each["error"]] == ["NotAllowed"]
        assert {each["caller"] for each in results} == {"oss"}


# --- a narrow token -----------------------------------------------------------------------------------------

NARROW = "a-narrow-token-0f-the-attacked-function"


def entry(name: str, token: str, **scope: Any) -> dict[str, Any]:
    return {"name": name, "sha256": hashlib.sha256(token.encode()).hexdigest(), **scope}


@pytest.fixture(scope="module")
def scoped() -> Iterator[LocalCloud]:
    """A public function with tokens, of which one may do little, and all options allowed."""
    narrow = {
        "sources": [f"{SOURCE}/in/mine/*"],
        "destinations": [f"{DESTINATION}/out/mine/*"],
        "options": ["restore"],
        "jobs": "own",
    }
    tokens = [
        entry("narrow", NARROW, **narrow),
        entry("looks", f"{NARROW}-2", verbs=["GET"]),
        entry("over", f"{NARROW}-3", until="2020-01-01T00:00:00Z"),
        entry("wide", f"{NARROW}-4"),
    ]
    environment = {
        **ENVIRONMENT,
        "ALLOWED_OPTIONS": EVERY_OPTION,
        "API_TOKENS": json.dumps(tokens),
    }
    with LocalCloud(variables={"timeout": 10, "httpAuthType": "anonymous"}, environment=environment) as cloud:
        source = cloud.oss_bucket(SOURCE)
        source.put_object("in/mine/a", b"mine")
        source.put_object("in/theirs", b"theirs")
        source.put_symlink("in/theirs", "in/mine/link")
        yield cloud
        cloud.wait_idle()
        assert leaks(cloud, NARROW) == []


def by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_narrow_token_copies_within_its_scope_and_its_name_stands_in_the_result(scoped: LocalCloud) -> None:
    request = copying({"key": "in/mine/a"}, {"key": "out/mine/a"})
    answer = scoped.http("POST", "/copies", json_body=request, headers=by(NARROW))
    assert (answer.status_code, answer.json()["caller"]) == (200, "token:narrow"), answer.text


@pytest.mark.parametrize(
    ("source", "destination", "options", "field"),
    [
        ("in/theirs", "out/mine/x", {}, "source"),
        ("in/mine/a", "out/x", {}, "destination"),
        ("in/mine/../theirs", "out/x", {}, "destination"),
        ("in/mine/link", "out/mine/x", {"symlinks": "follow"}, "source"),
        ("in/mine/a", "out/mine/x", {"acl": "public-read"}, "acl"),
        ("in/mine/a", "out/mine/x", {"acl": "copy"}, "acl"),
        ("in/mine/a", "out/mine/x", {"storageClass": "IA"}, "storageClass"),
        ("in/mine/a", "out/mine/x", {"encryption": "bucket"}, "encryption"),
    ],
)
def test_a_narrow_token_copies_nothing_beyond_its_scope(
    scoped: LocalCloud, source: str, destination: str, options: dict[str, Any], field: str
) -> None:
    request = copying({"key": source}, {"key": destination}, **options)
    answer = scoped.http("POST", "/copies", json_body=request, headers=by(NARROW))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (403, "NotAllowed", field), answer.text
    assert not exists(scoped.oss_bucket(DESTINATION), destination)


def test_a_narrow_token_s_job_of_many_objects_stays_in_its_scope(scoped: LocalCloud) -> None:
    """Neither a prefix, nor a row of a manifest, nor a symlink that is followed leads out of it."""
    everything = {"source": {"bucket": SOURCE, "prefix": "in/"}, "destination": {"bucket": DESTINATION}}
    answer = scoped.http("POST", "/copies", json_body=everything, headers=by(NARROW))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NotAllowed")
    rows = f"{SOURCE},in/mine/a\n{SOURCE},in/theirs\n{SOURCE},in/mine/link\n"
    scoped.oss_bucket(SOURCE).put_object("in/mine/list.csv", rows)
    listed = {
        "source": {"manifest": {"bucket": SOURCE, "key": "in/mine/list.csv"}},
        "destination": {"bucket": DESTINATION, "prefix": "out/mine/listed/"},
        "symlinks": "follow",
    }
    result = ended(scoped, listed, headers=by(NARROW))
    assert result["caller"] == "token:narrow"
    assert result["objects"]["succeeded"] == 1, result
    assert result["errors"] == {"NotAllowed": 2}
    made = oss2.ObjectIteratorV2(scoped.oss_bucket(DESTINATION), "out/mine/listed/")
    assert [each.key for each in made] == ["out/mine/listed/in/mine/a"]


def test_a_narrow_token_knows_ends_and_repeats_nothing_that_others_asked_for(scoped: LocalCloud) -> None:
    request = copying({"key": "in/theirs"}, {"key": "out/theirs"}, tuning={"method": "multipart"})
    begun = scoped.http("POST", "/copies", json_body=request, headers=by(f"{NARROW}-4"))
    assert begun.status_code == 202, begun.text
    scoped.wait_idle()
    path = begun.headers["location"]
    assert scoped.http("GET", path, headers=by(f"{NARROW}-4")).json()["status"] == "succeeded"
    for method, each in (("GET", path), ("DELETE", path), ("POST", f"{path}/resubmit")):
        assert scoped.http(method, each, headers=by(NARROW)).status_code == 404
    listed = scoped.http("GET", "/copies", headers=by(NARROW)).json()["copies"]
    assert {each["caller"] for each in listed} <= {"token:narrow"}
    stolen = {"source": {"report": {"job": "b-" + "0" * 32}}, "destination": {"bucket": DESTINATION}}
    assert scoped.http("POST", "/copies", json_body=stolen, headers=by(NARROW)).status_code == 404


def test_a_token_uses_its_methods_and_one_that_is_over_none(scoped: LocalCloud) -> None:
    request = copying({"key": "in/mine/a"}, {"key": "out/mine/a"})
    for token, wanted in ((f"{NARROW}-2", 403), (f"{NARROW}-3", 401), (f"{NARROW}-5", 401)):
        answer = scoped.http("POST", "/copies", json_body=request, headers=by(token))
        assert answer.status_code == wanted, answer.text
    assert scoped.http("GET", "/copies", headers=by(f"{NARROW}-2")).status_code == 200


# --- a bad event --------------------------------------------------------------------------------------------


def test_an_event_of_very_many_records_is_one_short_answer(attacked: LocalCloud) -> None:
    """A hundred thousand of them were 31.8 MB of answer, and as many lines of the log."""
    event = {"events": [{"eventName": "ObjectCreated:PutObject"}] * 3000}
    result = attacked.invoke(event)
    assert (result["status"], result["error"]["code"]) == ("failed", "TooManyRequests"), str(result)[:300]
    assert len(json.dumps(result)) < 1000


# --- a writer of the destination ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["simple", "multipart"])
def test_a_symlink_at_the_destination_lets_no_copy_through_to_its_target(
    attacked: LocalCloud, method: str
) -> None:
    destination, key = attacked.oss_bucket(DESTINATION), f"out/link-{method}"
    attacked.oss_bucket(SOURCE).put_object("in/through", b"copied")
    destination.put_object("protected", b"kept")
    destination.put_symlink("protected", key)
    asked = copying({"key": "in/through"}, {"key": key}, tuning={"method": method})
    result = ask(attacked, "direct", asked)
    assert result["status"] == "succeeded", result
    assert destination.get_object("protected").read() == b"kept"
    assert destination.get_object(key).read() == b"copied"


# --- the table ---------------------------------------------------------------------------------------------


def test_each_row_of_the_table_of_attacks_is_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"(?m)^\|.*\| `((?:tests/\S+::)?test_\w+)` \|$", text)
    assert len(named) == len(set(named)) > 20
    for each in named:
        path, _, name = each.rpartition("::")
        file = ROOT / path if path else Path(__file__)
        assert f"def {name}(" in file.read_text(encoding="utf-8"), each
