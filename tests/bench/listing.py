"""What the local OSS server can list, and what objects by the million take in it."""

from __future__ import annotations

import os
import random
import time
from typing import Any

from tests.bench.figures import Figure, spread
from tests.bench.running import DESTINATION, SOURCE
from tests.bench.wire import apart, computing, resident, send, signed
from tests.cloud.client import LocalCloud
from tests.cloud.oss.names import SHAPES, Names

OBJECTS, SIZE = 1_000_000, 4096
WAYS: dict[str, dict[str, str]] = {  # of asking for a page
    "V2": {"list-type": "2"},
    "V2 with delimiter": {"list-type": "2", "delimiter": "/"},
    "V1": {},
    "versions": {"versions": ""},
}
_MARKERS = {"V1": "marker", "versions": "key-marker"}  # else start-after


def listing(quick: bool) -> list[Figure]:
    """Pages a second of the local OSS server, 1,000 keys each, of prefixes with a million seeded objects.

    Each shape of names and each way of asking: pages behind keys drawn at random, url-encoded, with V4
    signatures that are checked, one request after the other; the client sends ready-made requests. The server
    is on one core, the client on another. Then copies of seeded objects into another bucket, and what the
    server's resident memory grew by, for each object seeded and for each object copied.
    """
    objects, pages, copies = (10_000, 5, 2_000) if quick else (OBJECTS, 40, 100_000)
    cores = sorted(os.sched_getaffinity(0))
    with LocalCloud(template=None, buckets=[SOURCE, DESTINATION]) as cloud:
        bucket = cloud.oss_bucket(SOURCE)
        bucket.list_objects_v2()
        before, begun = resident(cloud.pid), time.monotonic()
        for shape in SHAPES:
            cloud.seed_many(SOURCE, objects, SIZE, prefix=f"{shape}/", shape=shape)
        seconds, seeded = time.monotonic() - begun, resident(cloud.pid) - before
        with apart(cloud.pid, cores):
            rates, used = {}, {}
            for way in WAYS:
                had = computing(cloud.pid)
                rates[way] = _rates(cloud, bucket, way, objects, pages)
                used[way] = (computing(cloud.pid) - had) / (pages + 1) / len(SHAPES)
            listed = resident(cloud.pid) - before
            names = Names("flat", "flat/", objects, 0)
            ready = [_copy(cloud.oss_bucket(DESTINATION), names[number]) for number in range(copies)]
            held = resident(cloud.pid)
            took = send(cloud.oss, ready)
            grown = resident(cloud.pid) - held
    figures = [
        Figure(
            f"pages a second, {way}, six shapes",
            spread(list(found.values()), "/s"),
            ">= 20 /s",
            min(found.values()) >= 20,
            f"{used[way] * 1000:.1f} ms of computing a page; slowest: {min(found, key=found.__getitem__)}",
        )
        for way, found in rates.items()
    ]
    total = objects * len(SHAPES)
    return [
        *figures,
        Figure(f"{total:,} objects seeded in", f"{seconds:.2f} s"),
        Figure("memory that took", f"{seeded / 1e6:.1f} MB", "< 200 MB a million", seeded < 200 * total),
        Figure("memory after all pages", f"{listed / 1e6:.1f} MB"),
        Figure("CopyObject a second, 16 at a time", f"{copies / took:,.0f} /s"),
        Figure(f"memory of each of {copies:,} copies", f"{grown / copies:.0f} bytes"),
    ]


def _rates(cloud: LocalCloud, bucket: Any, way: str, objects: int, pages: int) -> dict[str, float]:
    """Pages a second by shape."""
    found = {}
    for shape in SHAPES:
        names, draw = Names(shape, f"{shape}/", objects, 0), random.Random(shape)
        starts = [names[draw.randrange(objects - 1000)] for _ in range(pages)]
        ready = [_page(bucket, way, f"{shape}/", start) for start in starts]
        send(cloud.oss, ready[:1], 1)
        found[shape] = pages / send(cloud.oss, ready, 1)
    return found


def _page(bucket: Any, way: str, prefix: str, start: str) -> bytes:
    marker = {_MARKERS.get(way, "start-after"): start}
    common = {"prefix": prefix, "max-keys": "1000", "encoding-type": "url"}
    return signed(bucket, "GET", "", {**common, **WAYS[way], **marker})


def _copy(bucket: Any, key: str) -> bytes:
    headers = {"x-oss-copy-source": f"/{SOURCE}/{key}", "Content-Length": "0"}
    return signed(bucket, "PUT", key, {}, headers)
