"""A local cloud that is stopped in the middle of a copy: the next one in its directory finishes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cloud.client import LocalCloud
from tests.flow.conftest import (
    BIG,
    DESTINATION,
    SOURCE,
    THREADS,
    TIMEOUT,
    open_uploads,
    request_of,
    status,
    until,
    wait_for_parts,
)

pytestmark = pytest.mark.local


def test_a_copy_goes_on_when_the_local_cloud_has_been_started_again(tmp_path: Path) -> None:
    def start() -> LocalCloud:
        settings = {"MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": str(THREADS)}
        return LocalCloud(
            variables={"timeout": TIMEOUT}, environment=settings, arguments=("--data", str(tmp_path))
        )

    with start() as cloud:
        cloud.seed(SOURCE, "k", BIG, seed=1)
        cloud.oss_bucket(SOURCE).put_object("small", b"1")
        cloud.conditions(bandwidth_mb_s=0.1)  # a second for each of 205 parts
        asked = request_of("k", tuning={"partSize": "100KiB"})
        job = cloud.http("POST", "/copies", json_body=asked).json()["job"]
        wait_for_parts(cloud.oss_bucket(DESTINATION), "k", parts=2)
    with start() as cloud:
        assert open_uploads(cloud.oss_bucket(DESTINATION)) == ["k"]

        def ended() -> bool:
            cloud.fire("sweep")
            cloud.wait_idle()
            return bool(status(cloud, job)["status"] != "running")

        until(ended)
        told: dict[str, Any] = status(cloud, job)
        assert (told["status"], told["verified"]) == ("succeeded", "crc64")
        assert cloud.invoke(request_of("small"))["status"] == "succeeded"
