"""What would be deployed to FC is what the local cloud runs, and it may be replaced while copies go on."""

from __future__ import annotations

import json
import time
from pathlib import Path

from osscopy import events, plan
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.fc.packages import pack
from tests.flow.conftest import (
    BIG,
    count_requests,
    crc64,
    in_parts,
    open_uploads,
    status,
    until,
    wait_for_parts,
)
from tests.tours.rehearsal import Rehearsal, read, start, steps

TEMPLATE = ROOT / "s.yaml"
TIMEOUT = 2  # seconds; a copy counts as standing still after 9


def test_s_yaml_is_deployed_through_the_sdk_and_copies() -> None:
    with start(TEMPLATE) as cloud:
        rehearsal = Rehearsal(cloud, read(TEMPLATE))
        for step in steps(rehearsal, TEMPLATE).values():
            assert step()


def test_a_chain_that_an_update_cuts_is_finished_by_the_sweep(tmp_path: Path) -> None:
    with start(TEMPLATE) as cloud:
        rehearsal = Rehearsal(cloud, read(TEMPLATE))
        rehearsal.deploy(read(TEMPLATE, timeout=str(TIMEOUT)))
        rehearsal.deployer.update_code(cloud.function, another_version(tmp_path))
        key = "upgrade/large.bin"
        cloud.seed(rehearsal.source, key, BIG, seed=1)
        cloud.conditions(bandwidth_mb_s=1.0)
        request = in_parts(key)
        request["tuning"] |= {"method": "multipart", "parallel": 4}
        job: str = cloud.http("POST", "/copies", json_body=request).json()["job"]
        target = cloud.oss_bucket(rehearsal.target)
        wait_for_parts(target, key, 1)
        rehearsal.deployer.update_code(cloud.function, pack(ROOT / "functions/oss_copy"))
        cloud.conditions()
        cloud.wait_idle()
        assert refusals(cloud) == ["continuation.version"]
        assert status(cloud, job)["status"] == "running"
        cut = time.monotonic()
        sweeps: list[tuple[float, int]] = []  # when each began, and what it resumed

        def succeeded() -> bool:
            sweeps.append((time.monotonic() - cut, sweep(cloud)))
            return bool(status(cloud, job)["status"] == "succeeded")

        until(succeeded)
        first = next(number for number, (_, resumed) in enumerate(sweeps) if resumed)
        in_vain = [began for began, _ in sweeps[:first]]
        assert all(began < plan.patience(TIMEOUT) + 5 for began in in_vain), "one after that has to resume it"
        assert crc64(target, key) == crc64(cloud.oss_bucket(rehearsal.source), key)
        assert open_uploads(target, key) == []
        assert count_requests(cloud, "InitiateMultipartUpload") == 1


def another_version(folder: Path) -> bytes:
    """The code, with continuations of another payload version."""
    source = (ROOT / "functions/oss_copy/osscopy/events/continuation.py").read_text(encoding="utf-8")
    line = f"\nVERSION = {events.VERSION}  #"
    assert source.count(line) == 1
    code = folder / "another"
    for path in (ROOT / "functions/oss_copy").rglob("*.py"):
        copy = code / path.relative_to(ROOT / "functions/oss_copy")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    changed = source.replace(line, f"\nVERSION = {events.VERSION + 1}  #")
    (code / "osscopy/events/continuation.py").write_text(changed, encoding="utf-8")
    return pack(code)


def refusals(cloud: LocalCloud) -> list[str]:
    """The fields for which continuations were refused."""
    found = []
    for invocation in cloud.invocations(trigger="api"):
        result = json.loads(invocation["result"] or "{}")
        if (result.get("error") or {}).get("code") == "UnsupportedVersion":
            assert invocation["outcome"] == "succeeded"  # FC does not try it again
            found.append(result["error"]["field"])
    return found


def sweep(cloud: LocalCloud) -> int:
    """Sweep; the number of copies that it has resumed."""
    request = cloud.fire("sweep")
    cloud.wait_idle()
    (run,) = cloud.invocations(request_id=request)
    return int(json.loads(run["result"])["resumed"])
