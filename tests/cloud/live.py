"""An account where the function is deployed, with what `LocalCloud` offers as far as an account can do it.

`OSS_COPY_LIVE=1 pytest tests/flow` runs on an account the flow tests of FILES. A test that needs what only
the local cloud has (faults, its log, its clock, buckets and settings of its own) is skipped, and says so:
where it asks for that, or by the mark `local`. The function has MULTIPART_THRESHOLD 2MiB and every word in
ALLOWED_OPTIONS. Variables:

- ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN: credentials.
- OSS_COPY_REGION, OSS_COPY_ACCOUNT: the region, such as `cn-hangzhou`; the account's id.
- OSS_COPY_URL: the address of the HTTP trigger, which takes signed requests (`authType: function`).
- OSS_COPY_LIVE_SOURCE, OSS_COPY_LIVE_DESTINATION, OSS_COPY_LIVE_STATE: scratch buckets, which the settings of
  the function name. Objects of the tests stay there: a lifecycle rule, or who made the buckets, deletes them.
- OSS_COPY_FUNCTION: the name of the function (default: oss-copy). OSS_ENDPOINT, FC_CLIENT_CUSTOM_ENDPOINT:
  other endpoints than the region's public ones.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import httpx
import pytest

from tests.cloud.accounts import Credentials
from tests.cloud.client import LocalCloud

IS_LIVE = os.environ.get("OSS_COPY_LIVE") == "1"
FILES = ("test_copies.py", "test_http.py", "test_overwrite.py", "test_symlinks.py")
MOST = 32 << 20  # bytes of an object that is sent to an account for a test
QUIET_SECONDS = 1.0  # between two looks at what is under way


def bucket(kind: str, name: str) -> str:
    """Return the account's bucket of this kind (SOURCE, DESTINATION, STATE), or `name` of the local cloud."""
    return os.environ[f"OSS_COPY_LIVE_{kind}"] if IS_LIVE else name


class LiveAccount(LocalCloud):
    """The account that the variables name. What it cannot do skips the test that asks for it."""

    def __init__(self) -> None:
        """KeyError if a variable is missing."""
        value = os.environ
        self.region, self.account_id = value["OSS_COPY_REGION"], value["OSS_COPY_ACCOUNT"]
        self.owner = Credentials(
            value["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            value["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            value.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
        )
        self.oss = value.get("OSS_ENDPOINT", f"https://oss-{self.region}.aliyuncs.com")
        self.fc = value.get(
            "FC_CLIENT_CUSTOM_ENDPOINT", f"https://{self.account_id}.{self.region}.fc.aliyuncs.com"
        )
        self.http_trigger = value["OSS_COPY_URL"]
        self.function = value.get("OSS_COPY_FUNCTION", "oss-copy")
        self.patience = 660.0
        self._http = httpx.Client(timeout=self.patience)

    def __enter__(self) -> LiveAccount:  # noqa: PYI034 - typing has no Self before 3.11
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def conditions(self, faults: Iterable[Mapping[str, object]] = (), **settings: object) -> None:
        """Nothing to be set is set; anything else skips the test."""
        if [*faults] or settings:
            _skip("faults and slow networks")

    def seed(self, bucket: str, key: str, size: int, seed: int = 0) -> None:
        """Put drawn bytes; more than 32 MiB skip the test."""
        if size > MOST:
            _skip(f"an object of {size} bytes that nobody has sent")
        self.oss_bucket(bucket).put_object(key, random.Random(seed).randbytes(size))

    def wait_idle(self, deadline: float = 240.0) -> None:
        """Wait until the function names no job that runs; TimeoutError after `deadline` seconds."""
        end = time.monotonic() + deadline
        while self.http("GET", "/copies?status=running").json()["copies"]:
            if time.monotonic() > end:
                raise TimeoutError(f"after {deadline} s jobs are still running")
            time.sleep(QUIET_SECONDS)

    def hurry(self) -> None:
        """Nothing can be hurried: what is delayed is waited for."""

    def _admin(self, method: str, path: str, content: object | None = None) -> Any:  # noqa: ARG002 - its form
        _skip(path.partition("?")[0])


def _skip(what: str) -> NoReturn:
    pytest.skip(f"only the local cloud has this: {what}")


def mark(items: list[pytest.Item]) -> None:
    """Skip what an account cannot do."""
    for each in items:
        if each.path.name not in FILES or each.get_closest_marker("local"):
            each.add_marker(pytest.mark.skip(reason="only the local cloud has what this needs"))


def refuse_local(patch: pytest.MonkeyPatch) -> None:
    """Let a local cloud that a test would start for itself skip the test."""

    def refuse(cloud: LocalCloud) -> NoReturn:
        cloud.__exit__(None, None, None)
        _skip("a function with settings of its own")

    patch.setattr(LocalCloud, "__enter__", refuse)
