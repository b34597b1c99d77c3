"""What the local OSS server itself can do: the other figures mean nothing beyond that."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import oss2

from tests.bench.figures import Figure, spread
from tests.bench.running import DESTINATION, SOURCE
from tests.bench.wire import CONNECTIONS, apart, resident, send, signed
from tests.cloud.client import LocalCloud

PARTS, PART_SIZE = 1600, 64 << 20  # 100 GiB
KEY = "hundred.bin"


def server(quick: bool) -> list[Figure]:
    """UploadPartCopy a second of the local OSS server, its process on one core, the client on another.

    The client sends ready-made requests over plain sockets, 16 at a time, so that it costs next to nothing;
    the server parses, checks the V4 signature (a forged one is refused), copies and answers each. Then one
    whole copy of a seeded 100 GiB object in 1,600 parts: seconds from Initiate to the end of Complete, disk
    used in the server's data directory, growth of its resident memory.
    """
    repeats = 1 if quick else 5
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as data, LocalCloud(arguments=("--data", data)) as cloud:
        cloud.seed(SOURCE, KEY, PARTS * PART_SIZE)
        bucket = cloud.oss_bucket(DESTINATION)
        with apart(cloud.pid, cores):
            rates = []
            for _ in range(repeats):
                upload_id = bucket.init_multipart_upload(KEY).upload_id
                ready = [_copy_of_part(bucket, upload_id, number) for number in range(1, PARTS + 1)]
                rates.append(PARTS / send(cloud.oss, ready))
                _see_forgery_refused(cloud.oss, ready[0])
                bucket.abort_multipart_upload(KEY, upload_id)
            memory, disk = resident(cloud.pid), _used(Path(data))
            begun = time.monotonic()
            upload_id = bucket.init_multipart_upload(KEY).upload_id
            send(cloud.oss, [_copy_of_part(bucket, upload_id, number) for number in range(1, PARTS + 1)])
            parts = [
                oss2.models.PartInfo(each.part_number, each.etag)
                for each in oss2.PartIterator(bucket, KEY, upload_id)
            ]
            bucket.complete_multipart_upload(KEY, upload_id, parts)
            seconds = time.monotonic() - begun
        grown, written = resident(cloud.pid) - memory, _used(Path(data)) - disk
        crcs = {
            cloud.oss_bucket(name).head_object(KEY).headers["x-oss-hash-crc64ecma"]
            for name in (SOURCE, DESTINATION)
        }
    rate = statistics.median(rates)
    pinned = "server and client pinned to a core each" if len(cores) > 1 else "one core for both"
    return [
        Figure(f"UploadPartCopy a second, {pinned}", spread(rates, "/s"), ">= 1,000 /s", rate >= 1000),
        Figure("100 GiB in 1,600 parts, signing included", f"{seconds:.1f} s"),
        Figure("CRC64 of source and copy", "equal" if len(crcs) == 1 else "differ", "equal", len(crcs) == 1),
        Figure("disk that took", f"{written / 1e6:.1f} MB", "< 50 MB", written < 50e6),
        Figure("memory that took", f"{grown / 1e6:.1f} MB"),
    ]


def _copy_of_part(bucket: Any, upload_id: str, number: int) -> bytes:
    """One UploadPartCopy."""
    first = (number - 1) * PART_SIZE
    return signed(
        bucket,
        "PUT",
        KEY,
        {"uploadId": upload_id, "partNumber": str(number)},
        {
            "x-oss-copy-source": f"/{SOURCE}/{KEY}",
            "x-oss-copy-source-range": f"bytes={first}-{first + PART_SIZE - 1}",
            "Content-Length": "0",
        },
    )


def _see_forgery_refused(url: str, ready: bytes) -> None:
    """Whether signatures are really checked: the same request for another part."""
    try:
        send(url, [ready.replace(b"partNumber=1", b"partNumber=2")] * CONNECTIONS)
    except RuntimeError as error:
        if "SignatureDoesNotMatch" in str(error):
            return
        raise
    raise RuntimeError("the server took a forged request")


def _used(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())
