"""The real handler, real SDKs, over HTTP: one local cloud a worker, its weather reset for every test."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import oss2
import oss2.models
import pytest
import yaml

from osscopy.model import MIB
from osscopy.plan.allowed.options import WORDS
from tests.cloud import live
from tests.cloud.client import IDLE_SECONDS, ROOT, LocalCloud
from tests.cloud.live import LiveAccount
from tests.flow.leaks import NAMED, leaks

CODE = ROOT / "functions/oss_copy"
SOURCE = live.bucket("SOURCE", "oss-copy-source")
DESTINATION = live.bucket("DESTINATION", "oss-copy-destination")
STATE = live.bucket("STATE", "oss-copy-state")
VERSIONED = "oss-copy-versions"  # a destination of tests that switch versioning on
BIG, PART = 20 * MIB, MIB  # a multipart copy of 20 parts
THREADS, TIMEOUT = 4, 5
EVERY_OPTION = ",".join(WORDS)
# When the events of tests came about: the handler refuses those that are older than eight days.
EARLIER = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 3600))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if live.IS_LIVE:
        live.mark([each for each in items if each.path.parent == Path(__file__).parent])


@pytest.fixture(scope="session", autouse=True)
def local_clouds() -> Iterator[None]:
    """On an account no test has a local cloud of its own."""
    with pytest.MonkeyPatch.context() as patch:
        if live.IS_LIVE:
            live.refuse_local(patch)
        yield


@pytest.fixture(scope="session")
def shared_cloud() -> Iterator[LocalCloud]:
    if live.IS_LIVE:
        with LiveAccount() as account:
            yield account
        return
    environment = {
        "MULTIPART_THRESHOLD": "2MiB",
        "MAX_PARALLEL": str(THREADS),
        "LOG_LEVEL": "DEBUG",
        "ALLOWED_OPTIONS": EVERY_OPTION,
        "ALLOWED_SOURCES": f"{SOURCE}/*,no-such-bucket/*,oss-copy-abroad/*,oss-copy-versioned/*,"
        f"{VERSIONED}/*,foreign-pays-simple/*,foreign-pays-multipart/*,foreign-private-source/*",
        "ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{SOURCE}/*,{VERSIONED}/*,no-such-bucket/*,"
        "oss-copy-worm/*,oss-copy-abroad/*,foreign-private-destination/*,"
        "foreign-paid-simple/*,foreign-paid-multipart/*",
    }
    with LocalCloud(variables={"timeout": TIMEOUT}, environment=environment) as running:
        yield running
        running.conditions()
        running.wait_idle()
        assert leaks(running, of=NAMED) == []


@pytest.fixture
def cloud(shared_cloud: LocalCloud) -> Iterator[LocalCloud]:
    yield shared_cloud
    shared_cloud.conditions()
    shared_cloud.wait_idle()


@pytest.fixture
def source(cloud: LocalCloud) -> Any:
    return cloud.oss_bucket(SOURCE)


@pytest.fixture
def destination(cloud: LocalCloud) -> Any:
    return cloud.oss_bucket(DESTINATION)


@pytest.fixture
def versioned(cloud: LocalCloud) -> Any:
    """A destination with versioning."""
    bucket = cloud.oss_bucket(VERSIONED)
    bucket.create_bucket()
    set_versioning(bucket, "Enabled")
    return bucket


def genuine(code: Path = CODE) -> dict[str, Any]:
    """s.yaml to be changed and written elsewhere: the code of its functions is where `code` says."""
    template: dict[str, Any] = yaml.safe_load((ROOT / "s.yaml").read_text(encoding="utf-8"))
    for resource in template["resources"].values():
        resource["props"]["code"] = str(code)
    return template


def set_versioning(bucket: Any, status: str) -> None:
    config = oss2.models.BucketVersioningConfig()
    config.status = status
    bucket.put_bucket_versioning(config)


def versions(bucket: Any, key: str) -> list[str]:
    """The ids of the versions there are of `key`, newest first."""
    return [each.versionid for each in bucket.list_object_versions(prefix=key).versions]


_NUMBERS = itertools.count()
_RUN = f"live-{time.time_ns()}/" if live.IS_LIVE else ""  # an account keeps what former runs have left


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test uses, outside the watched prefix."""
    return f"{_RUN}t{next(_NUMBERS)}/{request.node.name[:60]}.bin"


def request_of(key: str, **options: Any) -> dict[str, Any]:
    return {"source": {"bucket": SOURCE, "key": key}, "destination": {"bucket": DESTINATION}, **options}


def in_parts(key: str, **options: Any) -> dict[str, Any]:
    """A request that is copied in parts of 1 MiB."""
    return request_of(key, tuning={"partSize": "1MiB"}, **options)


def records(cloud: LocalCloud) -> set[str]:
    """The names of all records: `open/<job>`, `done/<job>` and so on."""
    listed = oss2.ObjectIteratorV2(cloud.oss_bucket(STATE), prefix="oss-copy/")
    return {each.key.removeprefix("oss-copy/") for each in listed}


def open_uploads(bucket: Any, prefix: str = "") -> list[str]:
    return [upload.key for upload in oss2.MultipartUploadIterator(bucket, prefix=prefix)]


def exists(bucket: Any, key: str) -> bool:
    return bool(bucket.object_exists(key))


def crc64(bucket: Any, key: str) -> int:
    return int(bucket.head_object(key).headers["x-oss-hash-crc64ecma"])


def count_requests(cloud: LocalCloud, operation: str | None = None) -> int:
    operations: dict[str, int] = cloud.requests()["operations"]
    return operations.get(operation, 0) if operation else sum(operations.values())


def answers(invocations: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What they have answered, HTTP bodies and each of several results included, oldest first."""
    for invocation in invocations:
        if not invocation["result"]:
            continue
        answer = json.loads(invocation["result"])
        body = answer.get("body")
        answer = json.loads(body) if isinstance(body, str) else answer
        yield from answer.get("results", [answer])


def results(cloud: LocalCloud, job: str) -> list[dict[str, Any]]:
    """All results of the invocations that worked on `job`, oldest first."""
    return [each for each in answers(cloud.invocations()) if each.get("job") == job]


def wait_for_parts(bucket: Any, key: str, parts: int = 1) -> None:
    """Until the one upload of `key` has so many parts."""
    deadline = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < deadline:
        uploads = [each.upload_id for each in oss2.MultipartUploadIterator(bucket, prefix=key)]
        if uploads and len(bucket.list_parts(key, uploads[0]).parts) >= parts:
            return
    raise AssertionError(f"no upload of {key} came to {parts} parts")


def begin(cloud: LocalCloud, key: str, parts: int = 0, headers: Mapping[str, str] | None = None) -> str:
    """A slow chained copy under way that has copied so many parts; its job."""
    cloud.seed(SOURCE, key, BIG, seed=1)
    cloud.conditions(bandwidth_mb_s=1.0)
    answer = cloud.http("POST", "/copies", json_body=in_parts(key), headers=headers)
    assert answer.status_code == 202, answer.text
    if parts:
        wait_for_parts(cloud.oss_bucket(DESTINATION), key, parts)
    return str(answer.json()["job"])


def status(cloud: LocalCloud, job: str) -> dict[str, Any]:
    """What GET /copies/{job} answers."""
    found: dict[str, Any] = cloud.http("GET", f"/copies/{job}").json()
    return found


def until(condition: Callable[[], bool], deadline: float = IDLE_SECONDS) -> None:
    """Wait until it holds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def expect_no_upload(cloud: LocalCloud, prefix: str) -> None:
    """Expect that none is left open, by the sweep at the latest: an invocation may time out."""

    def is_clean() -> bool:
        if open_uploads(cloud.oss_bucket(DESTINATION), prefix):
            cloud.fire("sweep")
            cloud.wait_idle()
        return open_uploads(cloud.oss_bucket(DESTINATION), prefix) == []

    until(is_clean)


def final_result(cloud: LocalCloud, job: str) -> dict[str, Any]:
    """The result of the copy once nothing is running any more."""
    cloud.wait_idle()
    if live.IS_LIVE:
        return status(cloud, job)
    (last,) = [each for each in results(cloud, job) if each["status"] != "running"]
    return last
