"""Names that shells, make, consoles and templates read something into are names like any other."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from rich.console import Console

from functions.cli import texts
from functions.cli.request import addresses, body
from functions.cli.service import answers
from functions.cli.shown import bars
from osscopy import events
from osscopy.model import Bulk, Copy
from tests.cli.terminal import (
    BULK_JOB,
    COPY_JOB,
    NAMES,
    TOKEN,
    Function,
    Terminal,
    a_copy,
    a_job,
    hidden,
    raw,
)
from tests.cloud.client import LocalCloud

SOURCE, DESTINATION, STATE = "oss-copy-source", "oss-copy-destination", "oss-copy-state"
ARRIVAL = events.Arrival("r", datetime(2026, 11, 22, tzinfo=timezone.utc))
pytestmark = pytest.mark.parametrize("name", NAMES, ids=[ascii(each)[1:30] for each in NAMES])


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(variables={"httpAuthType": "anonymous"}, environment={"API_TOKEN": TOKEN}) as running:
        yield running


def asked_for(request: dict[str, Any]) -> Copy | Bulk:
    """What the function makes of a request."""
    return events.read_request(json.dumps(request).encode(), "o", ARRIVAL.now, ARRIVAL)


def test_a_key_goes_through_the_clouds_as_it_is(
    terminal: Terminal, cloud: LocalCloud, tmp_path: Path, name: str
) -> None:
    """`put`, `cp`, `ls` and `get`: the real function on the local cloud."""
    terminal.use(cloud)
    file, back = tmp_path / "file", tmp_path / "back"
    file.write_bytes(name.encode())
    for words in (
        ("put", str(file), f"oss://{SOURCE}/{name}"),
        ("cp", f"oss://{SOURCE}/{name}", f"oss://{DESTINATION}/{name}"),
        ("get", f"oss://{DESTINATION}/{name}", str(back)),
    ):
        said = terminal.types(*words)
        assert hidden(said.out + said.err) == []
        if "InvalidObjectName" in said.err:
            return  # OSS takes no such key
        assert said.code == 0, said.err
    assert back.read_bytes() == name.encode()
    listed = terminal.types("ls", "-r", "--json", f"oss://{DESTINATION}/{name}")
    assert name in [each["key"] for each in listed.json]
    shown = terminal.types("ls", "-r", f"oss://{DESTINATION}/{name}")
    assert texts.plain(name) in shown.out
    assert hidden(shown.out) == []


@pytest.fixture(scope="module")
def shared_function() -> Iterator[Function]:
    with Function().serving() as function:
        yield function


@pytest.fixture
def function(shared_function: Function, terminal: Terminal) -> Function:
    shared_function.asked.clear()
    terminal.ask(shared_function.url)
    return shared_function


def test_a_request_names_the_key_and_nothing_made_of_it(
    function: Function, terminal: Terminal, name: str
) -> None:
    """`cp` to a key and into a folder, and `sync`: what the function reads in the request."""
    function.answer = lambda _method, _path, _body: raw(200, a_copy(name))
    last = name.rpartition("/")[2]
    assert terminal.types("cp", f"oss://{SOURCE}/{name}", f"oss://{DESTINATION}/{name}").code == 0
    assert terminal.types("cp", f"oss://{SOURCE}/{name}", f"oss://{DESTINATION}").code == 0
    into = name if len(name.encode()) < 500 else "folder"
    if len(f"{into}/{last}".encode()) <= 1023:
        assert terminal.types("cp", f"oss://{SOURCE}/{name}", f"oss://{DESTINATION}/{into}/").code == 0
    commands = [asked_for(content) for _, _, content in function.asked]
    wanted = [name, name, f"{into}/{last}"][: len(commands)]
    assert [each.request.destination.key for each in commands if isinstance(each, Copy)] == wanted
    assert {each.request.source.key for each in commands if isinstance(each, Copy)} == {name}
    function.answer = lambda _method, _path, _body: raw(200, a_job())
    said = terminal.types("sync", f"oss://{SOURCE}/{name}", f"oss://{DESTINATION}/{name}", "--include", name)
    assert said.code == 0, said.err
    content = function.asked[-1][2]
    assert (content["source"]["prefix"], content["destination"]["prefix"]) == (name, name)
    assert content["filters"]["include"] == [name]


SHOWING = (("status", COPY_JOB), ("ls",), ("watch", COPY_JOB), ("cancel", COPY_JOB), ("resubmit", COPY_JOB),
           ("report", COPY_JOB))  # fmt: skip


def test_what_the_function_says_is_shown_and_does_nothing(
    function: Function, terminal: Terminal, name: str
) -> None:
    told = a_copy(name)
    for words in SHOWING:
        function.answer = lambda _method, path, _body: raw(
            200, {"copies": [told], "next": None} if path.startswith("/copies?") else told
        )
        said = terminal.types(*words)
        assert said.code == 0
        assert hidden(said.out + said.err) == []
        assert words[0] == "cancel" or texts.plain(f"oss://some-bucket/{name}") in said.out
        machine = terminal.types(*words, "--json")
        (seen,) = machine.json if words[0] == "ls" else [machine.json]
        assert seen["destination"]["key"] == name
        assert hidden(machine.out) == []
        function.answer = lambda *_: raw(404, {"error": {"code": "NoSuchKey", "message": name}})
        failed = terminal.types(*words)
        assert failed.code == 4
        assert texts.plain(name) in failed.err
        assert hidden(failed.out + failed.err) == []


def test_a_bar_shows_a_name_as_text(name: str) -> None:
    console = Console(
        width=5000, record=True, file=io.StringIO(), force_terminal=True, markup=True, emoji=True
    )
    running = answers.read(json.dumps(a_copy(name, "running")).encode(), "")
    console.print(bars.drawn([running.job]))
    shown = console.export_text()
    assert texts.plain(f"oss://some-bucket/{name}") in shown
    assert hidden(shown) == []


def test_a_row_of_a_report_shows_its_key(
    function: Function, terminal: Terminal, cloud: LocalCloud, tmp_path: Path, name: str
) -> None:
    terminal.use(cloud)
    terminal.ask(function.url)
    place = {"bucket": STATE, "prefix": f"reports/{BULK_JOB}/"}
    write_report(cloud, place["prefix"], name)
    function.answer = lambda _method, _path, _body: raw(200, a_job("failed", report=place))
    said = terminal.types("report", BULK_JOB)
    assert said.code == 0, said.err
    assert texts.plain(name)[:20] in said.out
    assert hidden(said.out + said.err) == []
    (row,) = terminal.types("report", BULK_JOB, "--json").json["rows"]
    assert row["key"] == quote(name)
    file = tmp_path / "rows.csv"
    assert terminal.types("report", BULK_JOB, "--output", str(file)).code == 0
    assert [each["key"] for each in csv.DictReader(io.StringIO(file.read_text()))] == [quote(name)]


def write_report(cloud: LocalCloud, prefix: str, key: str) -> None:
    """A report with one row, as jobs write it."""
    line = f"bucket,key,status,errorCode,message,bytes\nb,{quote(key)},failed,NoSuchKey,{quote(key)},10\n"
    packed = gzip.compress(line.encode())
    files = [{"key": f"{prefix}rows-0.csv.gz", "rows": 1, "bytes": len(packed),
              "md5": hashlib.md5(packed, usedforsecurity=False).hexdigest()}]  # fmt: skip
    bucket = cloud.oss_bucket(STATE)
    bucket.put_object(files[0]["key"], packed)
    bucket.put_object(f"{prefix}manifest.json", json.dumps({"files": files}))


def test_a_command_that_is_printed_to_be_pasted_means_what_it_says(name: str) -> None:
    """In bash; with a name that is itself no option."""
    line = texts.command("printf", "%s", f"oss://b/{name}")
    assert hidden(line) == []
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode() == f"oss://b/{name}"


def test_an_event_of_a_direct_invocation_keeps_the_name(
    terminal: Terminal, cloud: LocalCloud, name: str
) -> None:
    """`invoke`: byte for byte; the answer is shown as JSON in ASCII."""
    terminal.use(cloud)
    request = body.one(f"oss://{SOURCE}/no/{name}"[:340], f"oss://{DESTINATION}", {})
    said = terminal.types("invoke", json.dumps(request, ensure_ascii=False))
    assert said.code == 1, "there is no such object"
    assert json.loads(said.out)["source"]["key"] == addresses.read(f"oss://{SOURCE}/no/{name}"[:340]).key
    assert hidden(said.out + said.err) == []
