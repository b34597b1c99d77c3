"""The costs in COSTS.md, counted: its tables of requests, log and parts cannot rot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from osscopy import plan
from osscopy.model import MIB, Tuning
from tests.cli.conftest import GENUINE, load
from tests.cloud.client import LocalCloud
from tests.flow import documents
from tests.flow.conftest import SOURCE, in_parts, request_of
from tests.sim import campaign
from tests.sim.test_sim import CALM

COSTS = documents.section(documents.COSTS, "What it costs")
PARTS = 20
# As OSS sorts them on its page about request fees; what it answers 4xx is free.
PUT = frozenset(
    {
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CopyObject",
        "DeleteObject",
        "InitiateMultipartUpload",
        "ListObjectsV2",
        "PutObject",
        "UploadPartCopy",
    }
)
FREE = {
    "NoSuchKey": "GetObject",
    "FileAlreadyExists": "PutObject",
}  # whose answers these are, in these copies


class Bill:
    """What happened in the cloud while something was done."""

    def __init__(self, cloud: LocalCloud, do: Callable[[], object]) -> None:
        before, known = _counted(cloud), len(cloud.invocations())
        do()
        cloud.wait_idle()
        after = _counted(cloud)
        made, refused = (now - then for now, then in zip(after, before, strict=True))
        self.free = sum(refused.values())
        self.strange = {code: number for code, number in refused.items() if code not in FREE}
        for code in refused.keys() & FREE.keys():
            made[FREE[code]] -= refused[code]
        self.made = made
        self.put = sum(number for name, number in made.items() if name in PUT)
        self.get = sum(made.values()) - self.put
        self.invocations = cloud.invocations()[known:]
        self.log = sum(len(each["logs"].encode()) for each in self.invocations)

    @property
    def is_undisturbed(self) -> bool:
        """Whether no invocation ended early and nothing was asked again, as a busy machine makes them."""
        attempts = [each["outcome"] for one in self.invocations for each in one["attempts"]]
        return not self.strange and attempts == ["succeeded"] * len(self.invocations)

    def row(self, what: str, kilobytes: float) -> str:
        """The row of the document's table; it has so many KB of log, or nearly."""
        assert self.is_undisturbed, (self.strange, self.invocations)
        assert abs(self.log / 1000 - kilobytes) < 0.15, self.log
        listings = self.made["ListParts"]
        put = f"*n* + {self.put - PARTS}" if listings else self.put
        get = f"{self.get - listings} + listings" if listings else self.get
        return f"| {what} | {put} | {get} | {self.free} | {len(self.invocations)} | {kilobytes} KB |"


def _counted(cloud: LocalCloud) -> tuple[Counter[str], Counter[str]]:
    counted = cloud.requests()
    return Counter(counted["operations"]), Counter(counted["errors"])


@pytest.fixture(scope="module")
def patient_cloud() -> Iterator[LocalCloud]:
    """Its invocations have the minutes that s.yaml gives them: a slow machine repeats nothing."""
    with LocalCloud(environment={"MULTIPART_THRESHOLD": "2MiB", "MAX_PARALLEL": "4"}) as running:
        yield running


@pytest.fixture
def cloud(request: pytest.FixtureRequest, patient_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """The patient one, or one of short invocations for who asks for `hurried`."""
    chosen: LocalCloud = patient_cloud
    if "hurried" in request.fixturenames:
        chosen = request.getfixturevalue("shared_cloud")
    yield chosen
    chosen.conditions()
    chosen.wait_idle()


@pytest.fixture
def hurried() -> None:
    """Ask for a cloud whose invocations are short."""


@pytest.fixture
def key() -> str:
    """Not longer than usual: it is in the log."""
    return "costs/object-0001.bin"


@pytest.fixture
def big(cloud: LocalCloud, key: str) -> str:
    cloud.seed(SOURCE, key, PARTS * MIB, seed=1)
    cloud.invoke(b'{"action": "sweep"}')  # an instance that has begun
    return key


def test_a_small_copy(cloud: LocalCloud, source: Any, key: str) -> None:
    source.put_object(key, b"x")
    cloud.invoke(request_of(key))
    bill = Bill(cloud, lambda: cloud.invoke(request_of(key)))
    assert bill.row("small, direct or by timer", 0.7) in COSTS
    assert bill.made == {"HeadObject": 2, "CopyObject": 1, "GetObject": 0}
    cloud.wait_idle()
    bill = Bill(cloud, lambda: source.put_object(f"incoming/{key}", b"x"))
    bill.put -= 1  # the upload itself
    assert bill.row("small, by the OSS trigger", 0.7) in COSTS


def test_a_copy_in_parts(cloud: LocalCloud, destination: Any, big: str) -> None:
    """To a key that is not there; where it is, one more request counts."""
    destination.delete_object(big)
    bill = Bill(cloud, lambda: cloud.invoke(in_parts(big)))
    assert bill.made["ListParts"] == 1
    assert bill.row("*n* parts, direct or by timer", 1.0) in COSTS
    destination.delete_object(big)
    bill = Bill(cloud, lambda: cloud.http("POST", "/copies", json_body=in_parts(big)))
    assert bill.row("*n* parts, over HTTP", 2.0) in COSTS


def test_a_copy_in_parts_by_the_oss_trigger(cloud: LocalCloud, destination: Any, big: str) -> None:
    destination.delete_object(f"incoming/{big}")
    bill = Bill(cloud, lambda: cloud.seed(SOURCE, f"incoming/{big}", PARTS * MIB, seed=1))
    bill.put += PARTS - bill.made["UploadPartCopy"]  # of the size that the function chooses
    assert bill.row("*n* parts, by the OSS trigger", 1.0) in COSTS


@pytest.mark.usefixtures("hurried")
def test_each_further_hop(cloud: LocalCloud, destination: Any, big: str) -> None:
    destination.put_object(big, b"before")
    straight = _undisturbed(cloud, big)
    cloud.conditions(bandwidth_mb_s=1.0)
    chain = _undisturbed(cloud, big)
    hops = len(chain.invocations) - 1
    assert hops >= 1
    assert chain.put - straight.put == 2 * hops, "its generation, and its record"
    listings = chain.made["ListParts"] - straight.made["ListParts"]
    assert hops <= listings <= 3 * hops, "at its start, and for what was in flight at the hop before"
    assert chain.get - straight.get == hops + listings
    assert chain.free - straight.free == 2 * hops
    assert abs((chain.log - straight.log) / hops / 1000 - 0.9) < 0.15
    assert "| each further hop | 2 | 1 + listings | 2 | 1 | 0.9 KB |" in COSTS


def _undisturbed(cloud: LocalCloud, key: str) -> Bill:
    """What a copy costs whose invocations have 5 seconds each, and were quick enough."""
    for _ in range(8):
        bill = Bill(cloud, lambda: cloud.invoke(in_parts(key)))
        if bill.is_undisturbed:
            return bill
    raise AssertionError(f"each of eight copies was disturbed, the last one by {bill.strange}")


def test_an_idle_sweep() -> None:
    with LocalCloud() as untouched:
        untouched.invoke(b'{"action": "sweep"}')  # an instance that has begun
        bill = Bill(untouched, lambda: untouched.fire("sweep"))
    assert bill.row("a sweep that finds nothing", 0.2) in COSTS


def test_what_the_sweep_asks_about_a_copy_that_is_over() -> None:
    """In virtual time, since it forgets a copy no sooner than nothing of it can land any more."""
    for by_rule, forgets in ((False, 11), (True, 13)):
        ended = campaign.run(replace(CALM, by_rule=by_rule, timeout=600.0), ())
        asked = [each.requests for each in ended.processes if each.name.startswith("sweep")]
        # two of them whatever there is: lists and copies; the simulation has no jobs of many objects
        assert asked == [2 + 3, 2 + forgets], asked
    assert "| the sweep's look at a copy that has just ended | 1 | 2 | 0 |" in COSTS
    assert "| the sweep forgets it | 6, and 1 for each further hop or lane | 4 (6 by a rule) | 1 |" in COSTS


def test_the_example_has_the_parts_and_hops_that_plan_decides() -> None:
    function = load(GENUINE).main
    threads = int(function.environment_variables["MAX_PARALLEL"])
    assert (function.cpu, function.memory_size, threads) == (0.35, 512, 256)
    budget = plan.part_budget(function.timeout)
    usable = function.timeout - plan.reserve(function.timeout)
    found = []
    for size in (10**9, 10**12):
        division = plan.divide(size, Tuning(), threads, budget, most=plan.DEFAULT_LANES)
        seconds, own = division.part_size / plan.PART_RATE, -(-division.parts // division.lanes)
        assert own <= threads * int((usable - 1.5 * seconds) // seconds), "one hop copies a lane"
        lanes = f"{division.lanes} lane{'s' * (division.lanes > 1)}"
        each = f"{division.parts:,} parts of {division.part_size // MIB} MiB"
        found.append(f"{each}, {lanes}, {-(-own // threads) * seconds:.4g} s")
    assert found == ["120 parts of 8 MiB, 1 lane, 0.4 s", "9,935 parts of 96 MiB, 4 lanes, 48 s"]
    assert all(each in COSTS for each in found), found


def test_the_example_adds_up() -> None:
    look, forget, by_rule = (1, 2, 0), (5, 4, 1), (0, 2, 0)
    small, gigabyte = (1, 3, 2), _sum((120 + 6, 5 + 1, 8), look, forget, by_rule)
    listings, lane = 10, (3 + 1, 2 + 40, 5)  # of all parts; at its start, on the way twice, and at its end
    terabyte = _sum((9935 + 6, 4 + listings, 8), lane, lane, lane, look, forget)
    sweep = sum(look) + sum(forget)  # one after another
    in_parts, in_lanes = 9 + sweep + sum(by_rule), 9 + 3 * 6 + sweep
    rows = {
        "1,000 objects of 1 GB, by the OSS trigger": _priced(gigabyte, 1000, in_parts, of=0.4, log=1.0),
        "one object of 1 TB, direct": _priced(terabyte, 1, in_lanes, of=4 * 48.0, log=4.0, calls=4),
        "1,000,000 small objects, by the OSS trigger": _priced(small, 1_000_000, 3, log=0.7),
        "a month without copies": _priced((3, 0, 0), 2880, 3, log=0.2, hours=720),
    }
    for what, told in rows.items():
        assert re.search(rf"\| {what} \| [^|]* \| {re.escape(told)} \|", COSTS), (what, told)


def _sum(*requests: tuple[int, int, int]) -> tuple[int, int, int]:
    put, get, free = (sum(column) for column in zip(*requests, strict=True))
    return put, get, free


def _priced(
    requests: tuple[int, int, int],
    times: int,
    rounds: int,
    *,
    log: float,
    of: float = 0.0,
    calls: int = 1,
    hours: int = 0,
) -> str:
    """A row of the document's example by its formula: one copy's requests, rounds, part seconds and KB."""
    put, get = (times * each for each in requests[:2])
    seconds = times * (of + rounds * 0.02)
    price = (put + get) * 0.000001 + seconds * (0.35 * 0.00011 + 0.5 * 0.0000165)
    price += times * calls * 0.000000825 + hours * 0.01 + times * log / 1e6 * 0.4
    return f"{put:,} | {get:,} | {seconds:,.0f} s | {price:.2f}"
