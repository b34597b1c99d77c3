"""What a part costs the function's processor: our session under oss2 against oss2's own."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

import msgspec
import oss2

from osscopy.aliyun.oss import OssStore
from osscopy.aliyun.oss_transport import Connection
from osscopy.model import Attributes, Conditions, CopyRequest, Destination, Part, Pin, Source
from tests.bench.figures import Figure, reach, spread
from tests.bench.running import DESTINATION, PART, SOURCE, THREADS
from tests.cloud.client import LocalCloud

KEY = "parts.bin"


class Before:
    """A connection as it was: oss2's own bucket and session, which asks the environment for nothing, too."""

    def __init__(self, connection: Connection) -> None:
        session = oss2.Session(pool_size=THREADS)
        session.session.trust_env = False
        ours = connection.bucket(DESTINATION)
        self._bucket = oss2.Bucket(
            ours.auth,
            ours.endpoint,
            DESTINATION,
            session=session,
            connect_timeout=ours.timeout,
            region=ours.region,
            enable_crc=False,
        )

    def of(self, *_: object) -> oss2.Bucket:
        return self._bucket


def transport(quick: bool) -> list[Figure]:
    """CPU time of a part copy, our session under oss2 against oss2's own on requests, as it was used before.

    The whole process: signing, sending, reading the answer and its XML, by 32 threads; the local cloud is
    another process. The store that asks is the same one. Both in turn, each after its connections were made.
    """
    repeats, parts = (2, 320) if quick else (7, 1600)
    with LocalCloud() as cloud:
        ours = _connection(cloud)
        sides = {"oss-copy": _begin(cloud, ours), "oss2.Session": _begin(cloud, Before(ours))}
        for side in sides.values():
            side.copy(2 * THREADS)
        costs: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(repeats):
            for name, side in sides.items():
                costs[name].append(side.copy(parts))
    lean, before = (statistics.median(each) for each in costs.values())
    return [
        reach(
            "cpu",
            f"CPU of a part copy, oss-copy / oss2.Session, {THREADS} threads, {parts} parts",
            lean / before,
        ),
        *(Figure(f"CPU of a part copy, {name}", spread(each, "ms")) for name, each in costs.items()),
    ]


def _connection(cloud: LocalCloud) -> Connection:
    owner = cloud.owner
    return Connection(
        (owner.access_key_id, owner.access_key_secret, None),
        cloud.oss,
        cloud.region,
        threads=THREADS,
        read_timeout=60.0,
        seconds_left=lambda: 600.0,
    )


def _begin(cloud: LocalCloud, connection: Connection | Before) -> Copying:
    cloud.seed(SOURCE, KEY, 2000 * PART)
    store = OssStore(connection)  # type: ignore[arg-type]  # it asks for buckets alone
    asked = CopyRequest(source=Source(SOURCE, KEY), destination=Destination(DESTINATION, KEY))
    head = OssStore(_connection(cloud)).head(asked, asked.source, Conditions())
    pin = Pin(head.size, head.etag, head.last_modified)
    return Copying(store, asked, pin, store.initiate(asked, Attributes(None, None, "default", "", None)))


class Copying(msgspec.Struct):
    """An upload, and a store that copies parts into it."""

    store: OssStore
    request: CopyRequest
    pin: Pin
    upload_id: str

    def copy(self, parts: int) -> float:
        """Return the CPU time of this process for one part, in ms: `parts` of them by many threads."""
        waiting, lock = iter(range(1, parts + 1)), threading.Lock()

        def work() -> None:
            for number in _shared(waiting, lock):
                part = Part(number, (number - 1) * PART, number * PART - 1)
                self.store.copy_part(self.request, self.pin, self.upload_id, part)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        begun = time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (time.process_time() - begun) / parts * 1000


def _shared(waiting: Iterator[int], lock: threading.Lock) -> Iterator[int]:
    while True:
        with lock:
            number = next(waiting, None)
        if number is None:
            return
        yield number
