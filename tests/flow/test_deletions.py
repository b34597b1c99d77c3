"""Deletions of jobs of many objects through the real handler, real SDKs and the local cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oss2
import oss2.models
import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import DESTINATION, SOURCE
from tests.flow.test_bulk import ODD, bulk, ended, in_the_next_second, keys_of, rows

KEPT = "kept-versions"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    places = {"ALLOWED_DESTINATIONS": f"{DESTINATION}/*,{KEPT}/*", "ALLOWED_OPTIONS": "delete"}
    with LocalCloud(environment=places) as cloud:
        yield cloud


def statuses(cloud: LocalCloud, result: dict[str, Any]) -> dict[str, str]:
    return {
        row["key"]: f"{row['status']} {row['errorCode']}".strip() for row in rows(cloud, result, deletes=True)
    }


def fill(cloud: LocalCloud, prefix: str) -> None:
    """Objects to copy, equal ones, and names of every kind that only the destination has."""
    source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
    for number in range(20):
        source.put_object(f"{prefix}{number:02}", str(number))
        if number % 2:
            destination.put_object(f"copied/{prefix}{number:02}", str(number))
    for key in (*ODD, "z" * 200):
        destination.put_object(f"copied/{prefix}x/{key}", "gone")
    destination.put_symlink(f"copied/{prefix}01", f"copied/{prefix}link")
    destination.put_object(f"copied/{prefix}", b"")
    in_the_next_second()


def test_a_run_deletes_what_its_dry_run_has_shown_and_nothing_else(cloud: LocalCloud) -> None:
    fill(cloud, "mirror/")
    destination = cloud.oss_bucket(DESTINATION)
    destination.put_object("copied/mirror-2019/a", "another prefix")
    before = keys_of(destination, "copied/mirror/")
    shown = ended(cloud, cloud.invoke(bulk("mirror/", delete=True, maxDelete="95%", dryRun=True))["job"])
    assert keys_of(destination, "copied/mirror/") == before
    told = statuses(cloud, shown)
    done = ended(cloud, cloud.invoke(bulk("mirror/", delete=True, maxDelete="95%"))["job"])
    assert (done["status"], done["objects"]["deleted"]) == ("succeeded", len(ODD) + 2)
    wanted = {"wouldCopy": "copied", "wouldDelete": "deleted"}
    assert statuses(cloud, done) == {key: wanted.get(row, row) for key, row in told.items()}
    assert keys_of(destination, "copied/mirror/") == {"", *(f"{number:02}" for number in range(20))}
    assert keys_of(destination, "copied/mirror-2019/") == {"a"}


def test_more_than_max_delete_allows_is_kept_and_told(cloud: LocalCloud) -> None:
    fill(cloud, "many/")
    before = keys_of(cloud.oss_bucket(DESTINATION), "copied/many/")
    result = ended(cloud, cloud.invoke(bulk("many/", delete=True, maxDelete=5))["job"])
    assert (result["status"], result["error"]["code"]) == ("failed", "TooManyDeletes")
    assert (result["objects"]["kept"], result["objects"]["succeeded"]) == (len(ODD) + 2, 10)
    assert keys_of(cloud.oss_bucket(DESTINATION), "copied/many/") >= before


def test_a_versioned_destination_keeps_what_was_there(cloud: LocalCloud) -> None:
    bucket = cloud.oss_bucket(KEPT)
    bucket.create_bucket()
    config = oss2.models.BucketVersioningConfig()
    config.status = "Enabled"
    bucket.put_bucket_versioning(config)
    cloud.oss_bucket(SOURCE).put_object("kept/a", "a")
    version = bucket.put_object("kept/b", "b").versionid
    request = {**bulk("kept/", delete=True, maxDelete=1), "destination": {"bucket": KEPT, "prefix": "kept/"}}
    result = ended(cloud, cloud.invoke(request)["job"])
    assert result["objects"]["deleted"] == 1
    assert keys_of(bucket, "kept/") == {"a"}
    assert bucket.get_object("kept/b", params={"versionId": version}).read() == b"b"


def test_a_deletion_that_is_refused_stops_the_job_and_names_the_right(cloud: LocalCloud) -> None:
    cloud.oss_bucket(SOURCE).put_object("refused/a", "a")
    for key in "xyz":
        cloud.oss_bucket(DESTINATION).put_object(f"copied/refused/{key}", key)
    fault = {"operation": "DeleteObject", "bucket": DESTINATION, "probability": 1, "error": "AccessDenied"}
    cloud.conditions([fault])
    try:
        result = ended(cloud, cloud.invoke(bulk("refused/", delete=True, maxDelete=3))["job"])
    finally:
        cloud.conditions()
    assert (result["status"], result["error"]["code"]) == ("failed", "AccessDenied")
    assert "oss:DeleteObject" in result["error"]["message"]
    assert (result["objects"]["kept"], result["objects"]["deleted"]) == (3, 0)
    assert keys_of(cloud.oss_bucket(DESTINATION), "copied/refused/") == {"a", *"xyz"}
