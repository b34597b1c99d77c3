"""The flow tests on an account: a local cloud stands for it, and tells only what an account tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.cloud import live
from tests.cloud.client import ROOT, LocalCloud

TESTS = (
    "small_object_is_copied_inline or around_the_threshold or killed_instance or never_answers or policies"
)


@pytest.mark.skipif(live.IS_LIVE, reason="it is about running them")
def test_the_flow_tests_run_on_an_account_and_skip_what_only_the_local_cloud_has() -> None:
    with LocalCloud(environment={"MULTIPART_THRESHOLD": "2MiB"}) as account:
        environment = {
            **os.environ,
            "OSS_COPY_LIVE": "1",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": account.owner.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.owner.access_key_secret,
            "OSS_COPY_REGION": account.region,
            "OSS_COPY_ACCOUNT": account.account_id,
            "OSS_COPY_URL": account.http_trigger,
            "OSS_COPY_FUNCTION": account.function,
            "OSS_ENDPOINT": account.oss,
            "FC_CLIENT_CUSTOM_ENDPOINT": account.fc,
            "OSS_COPY_LIVE_SOURCE": "oss-copy-source",
            "OSS_COPY_LIVE_DESTINATION": "oss-copy-destination",
            "OSS_COPY_LIVE_STATE": "oss-copy-state",
        }
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:xdist",
            "tests/flow/test_copies.py",
            "-k",
            TESTS,
        ]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        told = done.stdout
        assert done.returncode == 0, told + done.stderr
        counts = {name: int(count) for count, name in re.findall(r"(\d+) (passed|skipped)", told)}
        assert counts["passed"] >= 4, told
        assert counts["skipped"] >= 1, told
        assert "only the local cloud has this" in told
        assert account.invocations(), "nothing was asked of the account"
