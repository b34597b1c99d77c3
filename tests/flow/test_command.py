"""`make copy`: the deployer's command against the HTTP trigger, as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from tests.cloud.client import ROOT, LocalCloud
from tests.flow.conftest import BIG, DESTINATION, SOURCE, crc64, exists


def run(cloud: LocalCloud, key: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
    source, destination = f"oss://{SOURCE}/{key}", f"oss://{DESTINATION}/{key}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "functions/oss_copy"),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.owner.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret or cloud.owner.access_key_secret,
    }
    command = [sys.executable, "-m", "functions.deploy", "copy", source, destination]
    command += ["--url", cloud.http_trigger]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_copy_is_shown_until_it_is_done(cloud: LocalCloud, source: Any, destination: Any, key: str) -> None:
    cloud.seed(SOURCE, key, BIG, seed=3)
    done = run(cloud, key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "succeeded" in done.stdout
    assert crc64(destination, key) == crc64(source, key)


def test_a_copy_that_fails_ends_the_command_with_the_error_and_its_advice(
    cloud: LocalCloud, destination: Any, key: str
) -> None:
    failed = run(cloud, key)
    assert failed.returncode == 1
    said = failed.stdout + failed.stderr
    assert "NoSuchKey" in said
    assert "check bucket, key and versionId" in " ".join(said.split())
    assert not exists(destination, key)


def test_a_signature_that_does_not_pass_is_told_as_such(cloud: LocalCloud, key: str) -> None:
    refused = run(cloud, key, secret="wrong")
    assert refused.returncode != 0
    assert "Signature" in refused.stdout + refused.stderr
