"""Objects for whoever tries the local cloud: samples that are made where they lie, and files of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec

from functions.cli.errors import NoAnswer
from functions.cli.request import addresses
from functions.cli.request.addresses import Address
from functions.cli.service.target import Target

_LARGE = 1 << 30
_FOLDER, _COUNT = "samples/photos/", 200


class Sample(msgspec.Struct, frozen=True):
    """Something to copy: the address of an object or a prefix, and what it is."""

    address: Address
    about: str


def fill(target: Target, bucket: str, files: Sequence[Path]) -> list[Sample]:
    """Make the samples in this bucket, put the files, and return what is there, the files first.

    Samples that an earlier run has left there stay as they are.
    """
    if target.local is None:
        raise NoAnswer("there is no local cloud")
    admin = target.local.admin
    many = {"bucket": bucket, "prefix": _FOLDER, "count": _COUNT, "size": [1000, 2_000_000], "seed": 2}
    if _seed(admin, many):
        _seed(admin, {"bucket": bucket, "key": "samples/large.bin", "size": _LARGE, "seed": 1})
    made = [
        Sample(Address(bucket, "samples/large.bin"), "1 GiB: copied in parts"),
        Sample(Address(bucket, _FOLDER), f"{_COUNT} objects"),
    ]
    return [*(_put(target, bucket, each) for each in files), *made]


def slow_down(admin: str, latency_ms: float, bandwidth_mb_s: float) -> None:
    """Let every request of OSS take so long, and copy no faster than this."""
    if latency_ms or bandwidth_mb_s:
        told = {"latency_ms": latency_ms, "bandwidth_mb_s": bandwidth_mb_s, "faults": []}
        httpx.put(f"{admin}/conditions", json=told, trust_env=False).raise_for_status()


def _seed(admin: str, asked: dict[str, object]) -> bool:
    """Tell whether the objects were made: else they were there already."""
    answer = httpx.post(f"{admin}/seed", json=asked, trust_env=False, timeout=30)
    if answer.status_code == HTTPStatus.CONFLICT:
        return False
    answer.raise_for_status()
    return True


def _put(target: Target, bucket: str, file: Path) -> Sample:
    from functions.cli.service import objects  # noqa: PLC0415 - an SDK that nobody needs without a file

    to = addresses.into(f"oss://{bucket}/", file.name)
    objects.put(target, file, to, lambda _done, _whole: None)
    return Sample(to, f"{file.stat().st_size:,} bytes: your file")
