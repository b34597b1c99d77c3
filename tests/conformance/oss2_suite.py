"""The tests that come inside the oss2 sdist, fetched when they are run and run unchanged.

They want an endpoint, keys and a region by environment variables. It must not know how results are judged.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

OSS2 = "oss2==2.19.1"
NEEDS = ("mock==5.2.0", "aliyun-python-sdk-sts==3.1.3")  # of the suite, not of ours
WORKERS = "4"  # most of its tests sleep most of the time
Outcome = Literal["passed", "failed", "skipped"]


class Cloud(msgspec.Struct, frozen=True):
    """Where the tests find a server, and how they sign."""

    oss: str
    access_key_id: str
    access_key_secret: str
    listens: bool = True


def fetch(cache: Path) -> Path:
    """The unpacked sdist. oss2 forgot to pack a picture that one test uploads: any bytes do."""
    root = cache / OSS2.replace("==", "-")
    if not (cache / "ready").exists():
        pip = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")
        subprocess.run((*pip, "download", "--no-deps", "--no-binary", "oss2", "-d", cache, OSS2), check=True)
        subprocess.run((*pip, "install", "--no-deps", "--target", cache / "needs", *NEEDS), check=True)
        with tarfile.open(cache / f"{root.name}.tar.gz") as archive:
            archive.extractall(cache)  # noqa: S202 - the package is pinned and its code is run next
        (root / "tests" / "example.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
        (cache / "ready").touch()
    return root


@contextlib.contextmanager
def serving() -> Iterator[Cloud]:
    """A server in a process of its own. Some tests want a time-out of 1 ms to strike: hence the latency."""
    command = (sys.executable, "-m", "tests.cloud.oss", "--latency-ms", "10")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield msgspec.convert(json.loads(process.stdout.readline()), Cloud)
        finally:
            process.terminate()


@contextlib.contextmanager
def silence() -> Iterator[Cloud]:
    """An address where nothing listens: bound, so that nobody else takes it."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield Cloud(f"http://127.0.0.1:{closed.getsockname()[1]}", "nobody", "nothing", listens=False)


def run(root: Path, cloud: Cloud, version: str, tests: list[str]) -> dict[str, Outcome]:
    """Outcome of every test, by `file::Class::test`."""
    report = root.parent / f"report-{version}.xml"
    report.unlink(missing_ok=True)
    plugin = Path(__file__).parent / "plugin"
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}},
        "PYTHONPATH": os.pathsep.join(map(str, (root.parent / "needs", plugin))),
        "NOTHING_LISTENS": "" if cloud.listens else "1",
        "OSS_TEST_ENDPOINT": cloud.oss,
        "OSS_TEST_ACCESS_KEY_ID": cloud.access_key_id,
        "OSS_TEST_ACCESS_KEY_SECRET": cloud.access_key_secret,
        "OSS_TEST_BUCKET": "conformance-",
        "OSS_TEST_REGION": "cn-hangzhou",
        "OSS_TEST_AUTH_VERSION": version,
        # a few tests name endpoints of the real service: the proxy brings them here
        "http_proxy": cloud.oss,
        "no_proxy": "127.0.0.1",
    }
    command: tuple[str | Path, ...] = (
        sys.executable, "-m", "pytest", "-q", "-n", WORKERS, "-p", "suite_setup", "-p", "no:cacheprovider",
        "-p", "no:logging", "-p", "no:unraisableexception", "--rootdir", root, "-c", os.devnull,
        "--timeout", "240", "--timeout-method", "signal", "--junitxml", report, *tests,
    )  # fmt: skip
    with (root.parent / f"output-{version}.txt").open("w") as output:
        subprocess.run(command, cwd=root, env=environment, stdout=output, stderr=output, check=False)
    return dict(_outcomes(report))


def _outcomes(report: Path) -> Iterator[tuple[str, Outcome]]:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        module, _, test_class = case.get("classname", "").rpartition(".")
        name = f"{module.rpartition('.')[2]}::{test_class}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed"
        elif case.find("skipped") is not None:
            yield name, "skipped"
        else:
            yield name, "passed"
