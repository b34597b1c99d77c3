"""`make layer-test`: the layers as FC would run them.

For each runtime the layer is built twice, published to an empty local cloud through the SDK, and the function
copies with it under the runtime's own interpreter, which has no other packages (`-S`).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.sdk import build
from tests.cloud.client import ROOT, LocalCloud
from tests.tours.rehearsal import SHORT, Rehearsal, read, start

TEMPLATE = ROOT / "s.yaml"
VERSIONS = sorted(build.GLIBC)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if build.find_interpreter(chosen) is None:
        pytest.skip(f"python{chosen} is not installed")
    return chosen


def make(version: str) -> str:
    """Build the layer as `make layer` does; the archive's SHA-256."""
    command = [sys.executable, str(ROOT / "layers/sdk/build.py"), "--python", version]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return hashlib.sha256((ROOT / f"layers/sdk-{version}.zip").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def checksum(version: str) -> str:
    return make(version)


@pytest.fixture(scope="module")
def rehearsal(version: str, checksum: str) -> Iterator[Rehearsal]:  # noqa: ARG001 - the layer is built
    with start(TEMPLATE) as cloud:
        deployment = read(TEMPLATE, runtime=f"python{version}")
        running = Rehearsal(cloud, deployment)
        running.deploy(deployment)
        yield running


def test_a_second_build_is_the_same_to_the_byte(version: str, checksum: str) -> None:
    assert make(version) == checksum


def test_a_small_object_is_copied_with_nothing_but_the_layer(version: str, rehearsal: Rehearsal) -> None:
    rehearsal.copy_over_http()
    module = f"/python/msgspec/_core.cpython-{version.replace('.', '')}-x86_64-linux-gnu.so"
    for opened in _mapped(rehearsal.cloud):
        assert [path for path in opened if path.endswith(module)], "msgspec does not come from the layer"
        foreign = [path for path in opened if "/site-packages/" in path or path.startswith(str(ROOT))]
        assert foreign == [], "packages that are not the layer's"


def test_a_chain_is_copied_with_nothing_but_the_layer(version: str, rehearsal: Rehearsal) -> None:
    rehearsal.copy_in_hops(read(TEMPLATE, runtime=f"python{version}", timeout=str(SHORT)))
    found = {Path(instance["python"]).name for instance in rehearsal.cloud.instances()}
    assert found == {f"python{version}"}


def _mapped(cloud: LocalCloud) -> list[list[str]]:
    """The extension modules that each instance has loaded."""
    instances = cloud.instances()
    assert instances, "no instance is alive"
    maps = [Path(f"/proc/{instance['pid']}/maps").read_text(encoding="utf-8") for instance in instances]
    return [sorted({line.split()[-1] for line in each.splitlines() if ".so" in line}) for each in maps]
