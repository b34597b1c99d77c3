"""Every command against all that can go wrong around it: a message, the exit status of its cause."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import pytest
from rich.console import Console

from functions.cli import errors
from functions.cli.__main__ import ENTRIES, program
from functions.cli.commands.session import Session
from functions.cli.errors import Status, cause
from functions.cli.request import flags
from functions.cli.service import answers
from functions.cli.shown import bars, figures
from osscopy.model import BulkRequest, CopyRequest
from tests.cli.terminal import BULK_JOB, COPY_JOB, Function, Terminal, a_copy, a_job, closed_port, raw
from tests.cloud.client import ROOT, LocalCloud
from tests.flow import documents

SOURCE, DESTINATION = "oss-copy-source", "oss-copy-destination"
# By whom each command is answered, and how it is typed.
OF_API = {
    "cp": ("cp", f"oss://{SOURCE}/k", f"oss://{DESTINATION}/"),
    "sync": ("sync", f"oss://{SOURCE}/a/", f"oss://{DESTINATION}/b/"),
    "diff": ("diff", f"oss://{SOURCE}/a/", f"oss://{DESTINATION}/b/"),
    "cost": ("cost", f"oss://{SOURCE}/a/", f"oss://{DESTINATION}/b/"),
    "ls": ("ls",),
    "status": ("status", COPY_JOB),
    "watch": ("watch", COPY_JOB),
    "cancel": ("cancel", COPY_JOB),
    "resubmit": ("resubmit", COPY_JOB),
    "report": ("report", BULK_JOB),
}
OF_OSS = {
    "put": ("put", "README.md", f"oss://{SOURCE}/"),
    "get": ("get", f"oss://{SOURCE}/k", "got"),
    "ls of objects": ("ls", f"oss://{SOURCE}/"),
    "assumptions": ("assumptions", "--source", SOURCE, "--destination", DESTINATION, "--yes"),
}
OF_FC = {
    "invoke": ("invoke", '{"action": "sweep"}'),
    "check": ("check",),
    "deploy": ("remove", "--confirm", "--tool", "true"),
}
OF_ADMIN = {"logs": ("logs",)}
# `ui`: test_ui.py. `template` runs `s`, `policy` and `completion` read files, `local` starts what it asks.
# `token` is in tests/cli/test_token.py.
# `setup` and `deploy` are in tests/flow/test_setup.py and test_sdk_errors.py.
ALONE = {"local", "template", "policy", "token", "completion", "setup", "remove", "ui"}


def test_every_command_is_in_a_table_here() -> None:
    typed = {words[0] for table in (OF_API, OF_OSS, OF_FC, OF_ADMIN) for words in table.values()}
    assert typed | ALONE | {"deploy"} == ENTRIES.keys()


def test_every_command_has_a_sentence_of_help_and_takes_json(terminal: Terminal) -> None:
    overview = terminal.types("--help")
    assert overview.code == 0
    for name in ENTRIES:
        assert re.search(rf"(?m)^  {name} +\w", overview.out)
        said = terminal.types(name, "--help")
        assert said.code == 0
        assert ("--json" in said.out) == (name != "completion")
        assert max(map(len, said.out.splitlines())) <= 80
    assert "_OSS_COPY_COMPLETE" in terminal.types("completion", "bash").out


@pytest.fixture(scope="module")
def shared_function() -> Iterator[Function]:
    with Function().serving() as running:
        yield running


@pytest.fixture
def function(shared_function: Function, terminal: Terminal) -> Function:
    shared_function.asked.clear()
    terminal.ask(shared_function.url)
    return shared_function


def ends(terminal: Terminal, words: tuple[str, ...], code: Status, *told: str) -> None:
    """The command ends with this status and a message with these words, as text and as JSON."""
    said = terminal.types(*words)
    assert said.code == code, said.err
    assert said.out == ""
    *_, message = re.split(r"(?m)^(?=error: |stopped)", said.err)
    assert message.startswith("error: " if code != Status.INTERRUPTED else "stopped")
    assert "Traceback" not in said.err
    assert [each for each in told if each not in said.err] == [], said.err
    machine = terminal.types(words[0], "--json", *words[1:])
    assert machine.code == code
    assert machine.json["error"]["exit"] == code
    assert without_ids(machine.json["error"]["message"]) in without_ids(said.err)


def without_ids(text: str) -> str:
    return re.sub(r"(?i)(request id:? |<RequestId>|--idempotency-key )[\w-]+", "", text)


# --- nobody is there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", OF_API.values(), ids=OF_API)
def test_where_no_function_runs_it_says_so(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.ask(url := closed_port())
    ends(terminal, words, Status.TEMPORARY, f"{url} cannot be reached", "does it run?")


@pytest.mark.parametrize("words", [*OF_OSS.values(), *OF_FC.values()], ids=[*OF_OSS, *OF_FC])
def test_where_no_service_answers_it_says_which_endpoint(terminal: Terminal, words: tuple[str, ...]) -> None:
    url = closed_port()
    terminal.set(OSS_ENDPOINT=url, FC_CLIENT_CUSTOM_ENDPOINT=url)
    terminal.set(ALIBABA_CLOUD_ACCESS_KEY_ID="id", ALIBABA_CLOUD_ACCESS_KEY_SECRET="secret")
    ends(terminal, words, Status.TEMPORARY, "cannot be reached", "ENDPOINT", "then run the command again")


def test_the_log_of_a_local_cloud_that_is_gone_is_not_there(terminal: Terminal) -> None:
    terminal.set(OSS_COPY_ADMIN=closed_port())
    ends(terminal, ("logs",), Status.TEMPORARY, "does the local cloud run?")


EVERY = {**OF_API, **OF_OSS, **OF_FC}


@pytest.mark.parametrize("words", EVERY.values(), ids=EVERY)
def test_without_credentials_it_says_what_to_set(terminal: Terminal, words: tuple[str, ...]) -> None:
    ends(terminal, words, Status.DENIED, "no credentials: set ")


@pytest.mark.parametrize("words", OF_API.values(), ids=OF_API)
def test_a_token_is_not_sent_in_clear_over_a_network(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.ask("http://example.com")
    ends(terminal, words, Status.USAGE, "is not https")
    for wrong in ("", "ftp://x/", "https://", "https://[", "no url", "https://a\nb/"):
        assert terminal.types(*words, f"--url={wrong}" if wrong else "--url=x").code == Status.USAGE


# --- the wrong place, or in the wrong name -----------------------------------------------------------------


@pytest.mark.parametrize("words", OF_API.values(), ids=OF_API)
def test_a_wrong_token_is_told_as_such(
    function: Function, terminal: Terminal, words: tuple[str, ...]
) -> None:
    problem = {"code": "Unauthorized", "message": "send `Authorization: Bearer`"}
    function.answer = lambda *_: raw(401, {"error": problem})
    ends(terminal, words, Status.DENIED, "Unauthorized", "set API_TOKEN")


@pytest.mark.parametrize("words", [*OF_OSS.values(), *OF_FC.values()], ids=[*OF_OSS, *OF_FC])
def test_a_wrong_secret_is_told_as_such(
    terminal: Terminal, cloud: LocalCloud, words: tuple[str, ...]
) -> None:
    terminal.use(cloud)
    terminal.set(ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong")
    ends(terminal, words, Status.DENIED, "Signature")


@pytest.mark.parametrize("words", [OF_OSS["put"], OF_OSS["ls of objects"]])
def test_a_bucket_of_another_region_is_told_as_such(
    terminal: Terminal, cloud: LocalCloud, words: tuple[str, ...]
) -> None:
    terminal.use(cloud)
    terminal.set(OSS_COPY_REGION="cn-shanghai")
    ends(terminal, words, Status.FAILED, "region")


@pytest.mark.parametrize("words", OF_API.values(), ids=OF_API)
def test_another_service_at_the_url_is_told_as_such(
    terminal: Terminal, cloud: LocalCloud, words: tuple[str, ...]
) -> None:
    terminal.ask(cloud.oss)
    ends(terminal, words, Status.TEMPORARY, "is that the URL of the function's HTTP trigger?")


# --- half an answer ----------------------------------------------------------------------------------------

HALVES = {
    "nothing": b"",
    "half a body": raw(200, a_copy(), length=5000),
    "half of JSON": raw(200, '{"job": "c-'),
    "a page": raw(200, "<html>Sign in</html>", "text/html"),
    "a list": raw(200, "[]"),
    "no UTF-8": raw(200, "").replace(b"content-length: 0", b"content-length: 2") + b"\xff\xfe",
    "another object": raw(200, {"status": "ok"}),
    "a new status": raw(200, a_copy(status="paused")),
    "an error without a body": raw(500, ""),
    "an error that is no JSON": raw(502, "<html>Bad Gateway</html>", "text/html"),
    "a redirection": raw(302, ""),
    "too much to do": raw(503, {"error": {"code": "Throttled", "message": "wait"}}),
}


@pytest.mark.parametrize("half", HALVES)
def test_half_an_answer_is_no_answer(function: Function, terminal: Terminal, half: str) -> None:
    function.answer = lambda *_: HALVES[half]
    for words in OF_API.values():
        ends(terminal, words, Status.TEMPORARY)


def test_a_report_that_is_damaged_is_told_as_such(
    terminal: Terminal, cloud: LocalCloud, function: Function
) -> None:
    terminal.use(cloud)
    place = {"bucket": DESTINATION, "prefix": "r/"}
    function.answer = lambda *_: raw(200, a_job(report=place))
    words = (*OF_API["report"], "--url", function.url)
    ends(terminal, words, Status.NO_OBJECT, "manifest.json")
    bucket = cloud.oss_bucket(DESTINATION)
    bucket.put_object("r/manifest.json", b'{"files": [{"key": "r/1", "rows": 1, "md5": "00"}]')
    ends(terminal, words, Status.TEMPORARY, "cannot be read")
    bucket.put_object("r/manifest.json", b'{"files": [{"key": "r/1", "rows": 1, "md5": "00"}]}')
    bucket.put_object("r/1", b"rows")
    ends(terminal, words, Status.TEMPORARY, "not what the report's manifest says")


# --- the job itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (a_copy(status="skipped"), Status.DONE),
        (a_copy(status="cancelled"), Status.FAILED),
        (a_copy(status="failed", error={"code": "SourceChanged", "message": "m"}), Status.FAILED),
        (a_copy(status="failed", error={"code": "NoSuchKey", "message": "m"}), Status.NO_OBJECT),
        (a_copy(status="failed", error={"code": "X", "message": "m", "retryable": True}), Status.TEMPORARY),
        (a_job("failed", error={"code": "TooManyFailures", "message": "m"}), Status.LIMIT),
        (a_job("failed", objects={"total": 2, "failed": 1}), Status.PARTLY),
        (a_job("failed", error={"code": "EmptySource", "message": "m"}), Status.NO_OBJECT),
    ],
)
def test_the_end_of_a_job_is_the_exit_status(
    function: Function, terminal: Terminal, told: dict[str, Any], code: Status
) -> None:
    function.answer = lambda *_: raw(200, told)
    for name in ("cp", "sync", "watch", "resubmit"):
        said = terminal.types(*OF_API[name])
        assert said.code == code, said.err
        assert terminal.types(*OF_API[name], "--json").out.splitlines()[0] == json.dumps(told)
    assert terminal.types(*OF_API["status"]).code == 0, "to look at a failed job is no failure"


def test_a_job_is_followed_to_its_end_and_asked_for_once(function: Function, terminal: Terminal) -> None:
    steps = iter([a_copy(status="running", bytesDone=5), a_copy(status="running", bytesDone=9), a_copy()])
    function.answer = lambda *_: raw(200, next(steps))
    said = terminal.types(*OF_API["cp"])
    assert said.code == 0
    assert [(method, path) for method, path, _ in function.asked] == [
        ("POST", "/copies"),
        ("GET", f"/copies/{COPY_JOB}"),
        ("GET", f"/copies/{COPY_JOB}"),
    ]
    assert f"{COPY_JOB}: running, 5/10 B" in said.err, "in a pipe a line now and then"


def test_detached_it_does_not_wait(function: Function, terminal: Terminal) -> None:
    function.answer = lambda *_: raw(202, a_copy(status="running"))
    said = terminal.types(*OF_API["cp"], "--detach")
    assert (said.code, len(function.asked)) == (0, 1)
    assert COPY_JOB in said.out


def test_more_than_a_page_of_jobs_is_listed(function: Function, terminal: Terminal) -> None:
    pages: Iterator[dict[str, Any]] = iter(
        [{"copies": [], "next": COPY_JOB}, {"copies": [a_copy(), a_copy()], "next": None}]
    )
    function.answer = lambda *_: raw(200, next(pages))
    assert len(terminal.types("ls", "--json", "--status", "running").json) == 2
    assert [path.partition("?")[2].split("&")[0] for _, path, _ in function.asked] == ["status=running"] * 2


# --- Ctrl-C ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cp", "sync", "watch", "resubmit"])
def test_ctrl_c_leaves_the_job_alone_and_says_how_to_go_on(
    function: Function, terminal: Terminal, name: str
) -> None:
    function.answer = lambda *_: raw(200, a_copy(status="running"))
    terminal.is_interrupting = True
    ends(
        terminal,
        OF_API[name],
        Status.INTERRUPTED,
        f"  oss-copy watch {COPY_JOB}\n",
        f"oss-copy cancel {COPY_JOB}",
    )
    assert "DELETE" not in {method for method, _, _ in function.asked}
    said = terminal.types(*OF_API[name], "--url", function.url)
    assert f"oss-copy watch {COPY_JOB} --url {function.url}\n" in said.err


@pytest.mark.parametrize("words", OF_API.values(), ids=OF_API)
def test_ctrl_c_before_an_answer_stops_at_once(
    function: Function, terminal: Terminal, words: tuple[str, ...]
) -> None:
    function.answer = lambda *_: b""
    terminal.is_interrupting = True
    ends(terminal, words, Status.INTERRUPTED, *(["--idempotency-key"] if words[0] in {"cp", "sync"} else []))


def test_a_real_ctrl_c_does_the_same(function: Function) -> None:
    function.answer = lambda *_: raw(200, a_copy(status="running"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions/oss_copy")}
    with subprocess.Popen(
        [sys.executable, "-m", "functions.cli", *OF_API["cp"], "--pause", "0.05"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        deadline = time.monotonic() + 60
        while len(function.asked) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == Status.INTERRUPTED
    assert f"oss-copy watch {COPY_JOB}" in said
    assert "Traceback" not in said


# --- arguments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",), ("cp",), ("cp", "x", "y"), ("cp", "oss://UPPER/k", "oss://bbb"),
        ("cp", "oss://aaa/", "oss://bbb"),
        ("cp", "oss://aaa/k", "oss://bbb", "--lanes", "many"),
        ("cp", "oss://aaa/k", "oss://bbb", "--nothing"),
        ("cp", "oss://aaa/k", "oss://bbb", "--meta", "x"),
        ("cp", "oss://aaa/k", "oss://bbb/c", "--key-template", "{x}"),
        ("cp", "oss://aaa/k", "oss://bbb", "--tags", "none", "--tag", "a=b"),
        ("cp", "oss://aaa/k", "oss://bbb", "--encryption", "keep", "--kms-key-id", "k"),
        ("cp", "oss://aaa//k", "oss://bbb"), ("cp", f"oss://aaa/{'x' * 1024}", "oss://bbb"),
        ("status", "../x"),
        ("cancel", "c-1"), ("put", "no-such-file", "oss://aaa/k"), ("put", "tests", "oss://aaa/k"),
        ("invoke", "no JSON"), ("invoke", "@no-such-file"), ("policy", "--setup", "--deployer"),
        ("get", "oss://aaa/..", "."), ("report", COPY_JOB, "--csv"), ("cp", "oss://aaa/\udcff", "oss://bbb"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named_before_anything_is_asked(
    function: Function, terminal: Terminal, words: tuple[str, ...]
) -> None:
    function.answer = lambda *_: raw(200, a_copy())
    terminal.set(ALIBABA_CLOUD_ACCESS_KEY_ID="id", ALIBABA_CLOUD_ACCESS_KEY_SECRET="secret")
    terminal.set(OSS_ENDPOINT=closed_port())
    said = terminal.types(*words)
    assert said.code == Status.USAGE, said.err
    assert said.err.startswith("error: ")
    assert len(said.err.splitlines()) == 1
    assert {method for method, _, _ in function.asked} <= {"GET"}


def paths(kind: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields of a request, those of its parts included."""
    for field in msgspec.structs.fields(kind):
        path, found = (*above, field.encode_name), False
        kinds = typing.get_args(field.type) or (field.type,)
        for each in kinds:
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                yield from paths(each, path)
                found = True
        if not found:
            yield path


@pytest.mark.parametrize(("kind", "known"), [(CopyRequest, flags.ONE), (BulkRequest, flags.MANY)])
def test_every_option_of_a_request_is_a_flag(kind: Any, known: tuple[flags.Flag, ...]) -> None:
    by_address = {
        ("source", "bucket"), ("source", "key"), ("destination", "bucket"), ("destination", "key"),
        ("source", "prefix"), ("destination", "prefix"), ("source", "manifest", "bucket"),
        ("source", "manifest", "key"), ("source", "manifest", "encoding"), ("source", "report", "job"),
        ("source", "report", "status"), ("source", "inventory", "bucket"), ("source", "inventory", "key"),
        ("report", "bucket"), ("report", "prefix"),
        ("encryption", "algorithm"),  # --encryption
    }  # fmt: skip
    had = {each.path for each in (*known, *flags.OPTIONS)} | by_address
    assert {path for path in paths(kind) if path not in had} == set()


def test_every_flag_fills_its_field(function: Function, terminal: Terminal) -> None:
    values = {"number": "7", "pairs": "a=b", "texts": "x"}
    for name, own in (("cp", flags.ONE), ("sync", flags.MANY)):
        for flag in (*own, *flags.OPTIONS):
            value = flag.choices[-1] if flag.choices else values.get(flag.kind, "text")
            given = [flag.name] if flag.kind == "switch" else [flag.name, value]
            given += ["--yes"] if flag.name == "--delete" else []
            function.answer = lambda *_: raw(200, a_copy())
            assert terminal.types(*OF_API[name], *given).code == 0
            content: Any = function.asked[-1][2]
            for step in flag.path:
                content = content[step]
            wanted = {"switch": True, "number": 7, "pairs": {"a": "b"}, "texts": ["x"]}.get(flag.kind, value)
            assert content == ({"algorithm": value} if flag is flags.ENCRYPTION else wanted)


def test_a_refusal_of_the_function_is_shown_as_it_is(function: Function, terminal: Terminal) -> None:
    problem = {"code": "NotAvailable", "message": "`dryRun` is not available yet", "field": "dryRun"}
    function.answer = lambda *_: raw(501, {"error": problem})
    said = terminal.types(*OF_API["sync"], "--dry-run", "--delete", "--max-delete", "10%")
    assert said.code == Status.USAGE
    assert said.err == "error: NotAvailable: `dryRun` is not available yet (field: dryRun)\n"
    assert {"dryRun": True, "delete": True, "maxDelete": "10%"}.items() <= function.asked[0][2].items()


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y", "n"])
def test_deletions_are_counted_by_a_dry_run_and_asked_about(
    function: Function, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    shown = {"total": 5, "wouldCopy": 2, "wouldDelete": 4}
    function.answer = lambda _, __, body: raw(
        200, a_job(objects=shown) if body and body.get("dryRun") else a_job()
    )
    monkeypatch.setattr("sys.stdin", Typed(f"{answer}\n"))
    said = terminal.types(*OF_API["sync"], "--delete")
    assert "would copy 2 objects and delete 4 objects" in said.err
    assert "Delete 4 objects at the destination?" in said.err
    begun = [body for method, _, body in function.asked if method == "POST"]
    assert [body.get("dryRun", False) for body in begun] == ([True, False] if answer == "y" else [True])
    assert said.code == (0 if answer == "y" else Status.INTERRUPTED)
    assert answer == "n" or begun[-1]["maxDelete"] == 4


def test_where_nobody_can_be_asked_deletions_need_a_word(
    function: Function, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    said = terminal.types(*OF_API["sync"], "--delete")
    assert (said.code, "--yes" in said.err, function.asked) == (Status.USAGE, True, [])
    function.answer = lambda *_: raw(200, a_job())
    assert terminal.types(*OF_API["sync"], "--delete", "--yes", "--max-delete", "3").code == 0
    assert function.asked[0][2]["maxDelete"] == 3


# --- what is said ------------------------------------------------------------------------------------------


def test_the_document_has_every_exit_status() -> None:
    rows = documents.pairs(documents.read(documents.PROGRAM), "exit status", "cause")
    assert [int(each) for each in rows] == [int(each) for each in Status]
    assert errors.__doc__


@pytest.mark.parametrize(
    ("code", "http", "status"),
    [("NoSuchBucket", 404, 3), ("NoSuchKey", 404, 4), (None, 403, 7), ("X", 503, 5), ("X", 400, 1)],
)
def test_an_error_of_a_service_has_the_status_of_its_cause(code: str | None, http: int, status: int) -> None:
    assert cause(code, http) == status


@pytest.mark.parametrize("words", [("--help",), ("ls", "--json"), ("completion", "bash")])
def test_nobody_who_reads_is_no_error(terminal: Terminal, words: tuple[str, ...]) -> None:
    """As with `| head`: a result and an error alike. The terminal's shell says nothing of any account."""
    assert terminal
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "functions/oss_copy")}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "functions.cli", *words],
        cwd=ROOT, env=environment, stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (Status.CLOSED, "")


def test_numbers_are_shown_as_people_read_them() -> None:
    assert [figures.size(each) for each in (0, 1023, 1024, 1536, 5 << 40)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 KiB",
        "5.0 TiB",
    ]
    assert [figures.time_left(each) for each in (5, 65, 3725)] == ["0:05 left", "1:05 left", "1:02:05 left"]


def test_a_job_fits_into_eighty_columns(function: Function, terminal: Terminal) -> None:
    """The widest there is: parts, lanes, a rate and hours that are left."""
    side = {"bucket": "b" * 60, "key": "k" * 200, "size": 999 << 30}
    counts: dict[str, Any] = {"parts": 10_000, "partsDone": 9_999, "lanes": 100, "bytesDone": 998 << 30}
    running = a_copy(
        status="running", source=side, destination=side, rate=1023.9 * (1 << 20), etaSeconds=359_999, **counts
    )
    console = Console(width=80, record=True, file=io.StringIO(), force_terminal=True)
    console.print(
        bars.drawn([answers.read(json.dumps(each).encode(), "").job for each in (running, a_job("running"))])
    )
    lines = console.export_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"running  {COPY_JOB}  oss://bbb")
    assert (
        lines[1]
        .rstrip()
        .endswith("998.0/999.0 GiB  9,999/10,000 parts  100 lanes  1023.9 MiB/s  99:59:59 left"[-69:])
    )
    function.answer = lambda *_: raw(200, {"copies": [running], "next": None})
    terminal.set(FORCE_COLOR="1", COLUMNS="80")
    assert COPY_JOB in terminal.types("ls").out, "whole, so that it can be copied"


def test_no_command_is_without_parameters_of_its_kind() -> None:
    for name in ENTRIES:
        with program.make_context(
            "oss-copy", [name, "--help"], obj=Session(), resilient_parsing=True
        ) as context:
            command = program.get_command(context, name)
            assert isinstance(command, click.Command)
            assert command.help
