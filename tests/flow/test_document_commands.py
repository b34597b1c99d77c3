"""Every command of the documents can be typed: it parses, and a test, CI or somebody by hand runs it.

`PROOFS` says who. A command, an option, a variable or a script that is not known here fails.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from alibabacloud_fc20230330.models import ListFunctionsRequest

from functions.cli import errors
from functions.cli.account import credentials as account
from functions.cli.commands import policy
from tests.cloud.accounts import Credentials
from tests.cloud.client import ROOT, LocalCloud, sign_acs3
from tests.flow import documents
from tests.flow.conftest import DESTINATION, SOURCE, crc64, until
from tests.tours.newcomer import ENTRANCE, USE

TEXT = documents.everything()
COMMANDS = {each.text: each for each in documents.commands(TEXT)}
SCRIPTS = [each.text for each in documents.blocks(TEXT, "bash")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CHECK = """make invoke EVENT='{"action": "check"}'"""
COPY = "make copy SRC=oss://a/k DST=oss://b/k"
SECONDS = 240.0


class User:
    """Somebody who types commands of the documents in a checkout that is set up, with the stand-in as `s`."""

    def __init__(self, folder: Path, cloud: LocalCloud | None = None) -> None:
        tool = folder / "s"
        python = shlex.quote(sys.executable)
        tool.write_text(f'#!/bin/sh\nexec {python} -m tests.cloud.fc.standin "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
        ready = f"{sys.prefix}/.ready"
        self.given = [f"--old-file={ready}", f"VENV={sys.prefix}", f"S={tool}"]
        self.environment = plain_environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
        if cloud is not None:
            self.environment |= {
                "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.owner.access_key_id,
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.owner.access_key_secret,
                "FC_CLIENT_CUSTOM_ENDPOINT": cloud.fc,
                "OSS_ENDPOINT": cloud.oss,
            }

    def words(self, command: str, *further: str) -> list[str]:
        """A command of the documents with the template's buckets in place of those shown."""
        given = COMMANDS[command].text.replace("oss://a/", f"oss://{SOURCE}/")
        make, *words = shlex.split(given.replace("oss://b/", f"oss://{DESTINATION}/"))
        return [make, *self.given, *words, *further]

    def types(self, command: str, *further: str, code: int = 0) -> str:
        """Run it; what it says."""
        done = subprocess.run(
            self.words(command, *further),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


def plain_environment() -> dict[str, str]:
    """Without what a `make` that runs the tests hands down."""
    handed_down = re.compile(r"MAKE.*|MFLAGS|ARGS|VENV|S|EVENT|SRC|DST|URL|CONFIRM|PRUNE|ALIBABA_CLOUD_.*")
    return {name: value for name, value in os.environ.items() if not handed_down.fullmatch(name)}


# --- run here ----------------------------------------------------------------------------------------------


def test_a_deployment_is_set_up_used_and_removed_by_these_commands(tmp_path: Path) -> None:
    with LocalCloud() as cloud:
        user = User(tmp_path, cloud)
        endpoints = f"ARGS=--oss-endpoint {cloud.oss} --ram-endpoint {cloud.admin}"
        assert "nothing done yet" in user.types("make setup", endpoints)
        assert "to do" not in user.types("make setup CONFIRM=1", endpoints)
        assert "nothing to do: all is there" in user.types("make setup", endpoints)

        report = json.loads(user.types(CHECK).splitlines()[-1])
        assert report.keys() == {"status", "lines"}
        assert report["status"] == "warning", "there is no TLS here"

        source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        for url in ([], [f"URL={cloud.http_trigger}"], [f"DST=oss://{DESTINATION}"]):
            source.put_object("k", os.urandom(100))
            assert "verified by crc64" in user.types(COPY, *url)
            assert crc64(source, "k") == crc64(destination, "k")
        event = tmp_path / "event.json"
        event.write_text(json.dumps({"action": "sweep"}), encoding="utf-8")
        assert '"looked"' in user.types(CHECK, f"EVENT=@{event}")
        assert "log" in user.types("make logs ARGS=--tail")

        destination.init_multipart_upload("open")
        assert "CONFIRM=1" in user.types("make remove", code=2)
        assert functions(cloud) == ["oss-copy", "oss-copy-dropped"]
        user.types("make remove", "CONFIRM=1")
        assert functions(cloud) == []
        assert crc64(destination, "k"), "buckets stay"


def functions(cloud: LocalCloud) -> list[str]:
    listed = cloud.control().list_functions(ListFunctionsRequest()).body.functions
    return [each.function_name for each in listed or ()]


def test_the_policies_are_printed_and_written_as_told(tmp_path: Path) -> None:
    user, path = User(tmp_path), tmp_path / "policy.json"
    for command in ("make policy ARGS=--setup", "make policy ARGS=--deployer"):
        assert json.loads(user.types(command))["Version"] == "1"
    user.types("make policy", f"ARGS=--output {path}")
    assert path.read_text() == policy.DOCUMENT.read_text(), "it is what `make policy` writes"
    user.types("make policy", f"ARGS=--with kms --with bulk --with check --output {path}")
    purposes = json.loads(path.read_text())["purposes"]
    assert len(purposes) > len(json.loads(policy.DOCUMENT.read_text())["purposes"])


def test_the_local_cloud_runs_with_that_policy_and_says_where(tmp_path: Path) -> None:
    user = User(tmp_path)
    (command,) = (text for text in COMMANDS if text.startswith("make cloud ARGS"))
    with subprocess.Popen(
        user.words(command), cwd=ROOT, env=user.environment, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        told: dict[str, Any] = json.loads(started.stdout.readline())
        owner = Credentials(told["access_key_id"], told["access_key_secret"], "")
        url = told["http_trigger"] + "/healthz"
        assert httpx.get(url, headers=sign_acs3("GET", url, {}, b"", owner)).json() == {"status": "ok"}
        started.send_signal(signal.SIGTERM)
        started.wait(SECONDS)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_the_demo_takes_the_option_that_it_is_said_to_take(tmp_path: Path) -> None:
    assert "--kill" in User(tmp_path).types("make demo", "ARGS=--help")


def test_a_command_without_what_it_needs_says_what_to_give(tmp_path: Path) -> None:
    with LocalCloud() as cloud:
        user = User(tmp_path, cloud)
        (told,) = (each for each in documents.spans(TEXT) if each.startswith("usage: make copy"))
        assert told in user.types("make copy", code=2)
        assert told in user.types(COPY, "DST=", f"URL={cloud.http_trigger}", code=2)
        assert "give EVENT=" in user.types("make invoke", code=2)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_starts_a_cloud_copies_shows_the_log_and_stops_it(tmp_path: Path, script: str) -> None:
    user, places = User(tmp_path), tmp_path / "places"
    places.mkdir()
    make = tmp_path / "make"
    found = shutil.which("make")
    make.write_text(f'#!/bin/sh\nexec {found} {shlex.join(user.given)} "$@"\n', encoding="utf-8")
    make.chmod(0o755)
    own = script.replace(".venv/bin/python", shlex.quote(sys.executable))
    environment = user.environment | {"PATH": f"{tmp_path}:{user.environment['PATH']}", "TMPDIR": str(places)}
    with subprocess.Popen(
        ["sh", "-e"], cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as shell:  # fmt: skip
        try:
            output, errors = shell.communicate(own, SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    assert shell.returncode == 0, errors
    assert "succeeded: oss://oss-copy-destination/b.txt" in output
    told = [json.loads(line) for line in output.splitlines() if line.strip().startswith("{")]
    assert [each["status"] for each in told if each["event"] == "result"] == ["succeeded"] * 2
    (ready,) = places.iterdir()
    admin = json.loads(ready.read_text())["admin"]
    until(lambda: not answers(f"{admin}/idle"))


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


# --- who runs what -----------------------------------------------------------------------------------------


class Ci(NamedTuple):
    """`.ci/run` makes this target, or one that needs it."""

    target: str


class Elsewhere(NamedTuple):
    """Another test runs it, as a program or in its process; the file has this text."""

    path: str
    text: str


class ByHand(NamedTuple):
    """Nobody runs it before a change lands."""

    why: str


Proof = Callable[[Path], None] | Ci | Elsewhere | ByHand
DEPLOYMENT = test_a_deployment_is_set_up_used_and_removed_by_these_commands
POLICIES = test_the_policies_are_printed_and_written_as_told
CLOUD = test_the_local_cloud_runs_with_that_policy_and_says_where
NEEDS = test_a_command_without_what_it_needs_says_what_to_give

PROOFS: dict[str, Proof] = {
    "make demo": Ci("demo"),
    "make test": Ci("test"),
    "make test ARGS=tests/unit/test_events.py": Ci("test"),
    "make check": Ci("check"),
    "make template": Ci("template"),
    "make rehearse": Elsewhere("tests/flow/test_rehearsal.py", "in steps(rehearsal, TEMPLATE)"),
    "make policy": POLICIES,
    "make policy ARGS=--setup": POLICIES,
    "make policy ARGS=--deployer": POLICIES,
    "make setup": DEPLOYMENT,
    "make setup CONFIRM=1": DEPLOYMENT,
    "make deploy": Elsewhere("tests/cli/test_commands.py", 'acting.run("deploy", template=own)'),
    "make deploy PRUNE=1": Elsewhere("tests/cli/test_review.py", 'run("deploy", "--prune", template=own)'),
    CHECK: DEPLOYMENT,
    COPY: DEPLOYMENT,
    "make invoke": NEEDS,
    "make copy": NEEDS,
    "make logs ARGS=--tail": DEPLOYMENT,
    "make remove": DEPLOYMENT,
    "make cloud": CLOUD,
    'make cloud ARGS="--policy oss-copy=functions/oss_copy/ram-policy.json"': CLOUD,
    "make openapi": Elsewhere("tests/unit/test_openapi.py", "openapi.TARGET.read_text"),
    "make newcomer": ByHand(
        "a minute, and packages from the index; it runs `make deploy` with the genuine s"
    ),
    "make test-all": ByHand("the suite once more for each interpreter"),
    "make clients": ByHand("environments of their own; oss2's part and the exchanges are in tests/clients"),
    "make exchanges": ByHand("writes data that tests/clients repeats"),
    "make readings": ByHand("the flow tests 24 times; `make test-all` does"),
    "make soak-fuzz": ByHand("a million events; tests/unit/test_fuzz.py draws some"),
    "make mutants": ByHand("minutes; tests/unit/test_mutants.py plants some of the faults, others each time"),
    "make conformance": ByHand("oss2's own suite takes minutes; tests/conformance holds what it found"),
    "make soak": ByHand("hours"),
    "make soak-sim": ByHand("half an hour; tests/sim holds 20 seconds of it"),
    "make coverage": ByHand("the suite once more, measured"),
    "make soak-chaos": ByHand("500 copies; tests/flow/test_chaos.py makes fewer"),
    "make bench": ByHand("measures, and an environment of its own"),
    "make layer": ByHand("packages from the index; `make newcomer` and `make rehearse` build it as well"),
    "make layer-test": ByHand("packages from the index, for two interpreters; `make test-all` ends with it"),
    "python -m tests.layers": ByHand("measures, and needs python3.12 with a layer"),
}
OPTIONS = {  # what is shown apart from its command, and for which target it is
    "ARGS=--kill": "demo",
    "--against": "mutants",
    "EVENT=@file": "invoke",
    "URL=": "copy",
    "DST=oss://b": "copy",
    "CONFIRM=1": "remove",
    'ARGS="--with kms"': "policy",
    "--with check": "policy",
    "--with bulk": "policy",
    'TESTS="-n 2"': "test",
    "ARGS=floor": "bench",
    'ARGS="floor --write"': "bench",
}


def recipe(target: str) -> str:
    """The lines of a rule in the Makefile, prerequisites first; there must be such a rule."""
    (found,) = re.findall(rf"(?m)^{re.escape(target)}:(?!=).*\n(?:\t.*\n)*", MAKEFILE)
    return str(found)


def made_by_ci() -> set[str]:
    """The targets that `.ci/run` makes, and those that they need."""
    (line,) = re.findall(r"(?m)^make (.*)$", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    found, wanted = set(), line.split()
    while wanted:
        found.add(target := wanted.pop())
        needed = recipe(target).splitlines()[0].partition("#")[0].split()[1:]
        wanted += [each for each in needed if re.fullmatch(r"[a-z-]+", each)]
    return found


def test_every_command_and_every_option_is_known_to_somebody_here() -> None:
    assert COMMANDS.keys() == PROOFS.keys()
    assert set(documents.options(TEXT)) == OPTIONS.keys()
    assert documents.unknown_lines(TEXT) == []


def test_a_variable_that_is_to_be_set_is_one_that_the_commands_read() -> None:
    assert documents.exports(TEXT)
    environment = dict.fromkeys(documents.exports(TEXT), "x")
    assert account.read(environment)
    for name in environment:
        with pytest.raises(errors.Unprepared, match=name):
            account.read({other: "x" for other in environment if other != name})


@pytest.mark.parametrize("command", PROOFS)
def test_a_command_is_run_by_whom_it_is_said_to_be(command: str) -> None:
    match PROOFS[command]:
        case Ci(target):
            assert target == COMMANDS[command].target
            assert target in made_by_ci()
        case Elsewhere(path, text):
            assert text in (ROOT / path).read_text(encoding="utf-8")
        case ByHand(why):
            assert why
        case proof:
            assert globals()[proof.__name__] is proof


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_parses_and_starts_what_there_is(command: str) -> None:
    words = list(COMMANDS[command].words)
    if COMMANDS[command].target is None:
        shown = shlex.join(words)
    else:
        done = subprocess.run(
            [words[0], "-n", *words[1:]],
            cwd=ROOT, env=plain_environment(), capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        shown = done.stdout
    modules = re.findall(r"(?<= -m )[\w.]+", shown)
    scripts = [each for each in shown.split() if each.endswith(".py")]
    assert modules or scripts, shown
    assert [each for each in modules if importlib.util.find_spec(each) is None] == []
    assert [each for each in scripts if not (ROOT / each).is_file()] == []


@pytest.mark.parametrize("command", [each for each in COMMANDS if COMMANDS[each].variables])
def test_what_a_command_is_given_is_used_by_its_target(command: str) -> None:
    for name in COMMANDS[command].variables:
        assert uses(COMMANDS[command].target or "", name), name


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_used_by_the_target_it_is_for(option: str) -> None:
    name = option.partition("=")[0] if "=" in option else "ARGS"
    assert uses(OPTIONS[option], name)


def uses(target: str, variable: str) -> bool:
    return re.search(rf"\$[$(].*\b{variable}\b", recipe(target)) is not None


def test_a_newcomer_types_what_the_documents_have() -> None:
    assert {*ENTRANCE, *USE} <= COMMANDS.keys()
