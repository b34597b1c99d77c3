"""`diff` and `cost` on the local cloud, and cost by sizes alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from functions.cli.errors import Status
from tests.cli.terminal import TOKEN, Terminal
from tests.cloud.client import LocalCloud

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
PRICES = json.dumps({"currency": "CNY", "put": 0.01, "get": 0.001})


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    environment = {"API_TOKEN": TOKEN}
    with LocalCloud(variables={"httpAuthType": "anonymous"}, environment=environment) as running:
        yield running


@pytest.fixture
def there(cloud: LocalCloud, terminal: Terminal) -> str:
    """A folder of three objects, of which two are at the destination."""
    terminal.use(cloud)
    for name in "abc":
        cloud.oss_bucket(SOURCE).put_object(f"diff/{name}", name.encode())
    for name in "ab":
        cloud.oss_bucket(DESTINATION).put_object(f"diff/{name}", name.encode())
    cloud.oss_bucket(DESTINATION).batch_delete_objects(["diff/c", "diff/d"])
    return "diff/"


def test_what_is_the_same_ends_with_0_and_what_differs_with_6(
    cloud: LocalCloud, terminal: Terminal, there: str
) -> None:
    words = ("diff", f"oss://{SOURCE}/{there}", f"oss://{DESTINATION}/{there}", "--pause", "0.05")
    said = terminal.types(*words)
    assert said.code == Status.PARTLY, said.err
    assert "they differ: 1 missing" in said.err
    cloud.oss_bucket(DESTINATION).put_object(f"{there}c", b"other")
    cloud.oss_bucket(DESTINATION).put_object(f"{there}d", b"more")
    machine = terminal.types(*words, "--json")
    assert machine.code == Status.PARTLY
    assert "1 different, 1 superfluous" in machine.err
    cloud.oss_bucket(DESTINATION).put_object(f"{there}c", b"c")
    cloud.oss_bucket(DESTINATION).delete_object(f"{there}d")
    same = terminal.types(*words)
    assert (same.code, same.out.startswith("the same: 3 objects")) == (Status.DONE, True), same.err
    assert cloud.oss_bucket(DESTINATION).get_object(f"{there}c").read() == b"c"


def test_a_dry_run_tells_what_copies_would_cost(cloud: LocalCloud, terminal: Terminal, there: str) -> None:
    words = ("cost", f"oss://{SOURCE}/{there}", f"oss://{DESTINATION}/{there}")
    told = terminal.types(*words, "--prices", PRICES, "--json").json
    assert told["objects"] == 1
    asked = told["requests"]
    assert told["cost"]["total"] == pytest.approx(asked["put"] * 0.01 + asked["get"] * 0.001)
    assert not cloud.oss_bucket(DESTINATION).object_exists(f"{there}c")
    assert "no prices" in terminal.types(*words).out


@pytest.mark.parametrize(
    ("words", "put", "get"),
    [
        (("--size", "1KiB"), 1, 2),
        (("--size", "1KiB", "--objects", "1000"), 1000, 2000),
        (("--size", "10GiB"), 256 + 6, 5),
    ],
)
def test_sizes_alone_tell_requests(
    terminal: Terminal, words: tuple[str, ...], put: int, get: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICES", PRICES)
    told = terminal.types("cost", *words, "--json").json
    assert told["requests"]["get"] == get
    assert told["requests"]["put"] == pytest.approx(put, rel=0.2)
    assert told["cost"]["total"] == pytest.approx(told["requests"]["put"] * 0.01 + get * 0.001)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give SOURCE and DESTINATION"),
        (("oss://aaa/",), "give SOURCE and DESTINATION"),
        (("oss://aaa/", "oss://bbb/", "--size", "1"), "leave SOURCE"),
        (("--size", "odd"), "--size"),
        (("--size", "1GiB", "--prices", "{"), "prices are JSON"),
    ],
)
def test_what_cannot_be_told_is_said(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    said = terminal.types("cost", *words)
    assert (said.code, told in said.err) == (Status.USAGE, True), said.err
