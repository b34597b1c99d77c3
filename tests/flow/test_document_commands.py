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
from functions.cli.__main__ import ENTRIES, program
from functions.cli.account import credentials as account
from functions.cli.commands.deployment import policy
from functions.cli.commands.session import Session
from tests.cloud.accounts import Credentials
from tests.cloud.client import ROOT, LocalCloud, sign_acs3
from tests.flow import documents
from tests.flow.conftest import DESTINATION, SOURCE, crc64, until
from tests.tours.newcomer import ENTRANCE, USE

TEXT = documents.everything()
COMMANDS = {each.text: each for each in documents.commands(f"{TEXT}\n\n{documents.about_cloud()}")}
SCRIPTS = [each.text for each in documents.blocks(documents.about_cloud(), "bash")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CHECK = "oss-copy check"
COPY = "oss-copy cp oss://a/k oss://b/k"
EVENT = """oss-copy invoke '{"action": "sweep"}'"""
SECONDS = 240.0


class User:
    """Somebody who types commands of the documents in a checkout that is set up, with the stand-in as `s`."""

    def __init__(self, folder: Path, cloud: LocalCloud | None = None) -> None:
        tool = folder / "s"
        python = shlex.quote(sys.executable)
        tool.write_text(f'#!/bin/sh\nexec {python} -m tests.cloud.fc.standin "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
        self.tool = tool
        ready = f"{sys.prefix}/.ready"
        self.given = [f"--old-file={ready}", f"VENV={sys.prefix}", f"S={tool}"]
        self.environment = plain_environment() | {
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'functions' / 'oss_copy'}",
            "XDG_STATE_HOME": str(folder / "state"),  # no cloud of somebody else's is found there
        }
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
        name, *words = shlex.split(given.replace("oss://b/", f"oss://{DESTINATION}/"))
        if name == "make":
            return [name, *self.given, *words, *further]
        tooled = ["--tool", str(self.tool)] if words[0] in {"deploy", "remove", "logs", "template"} else []
        return [sys.executable, "-m", "functions.cli", words[0], *tooled, *words[1:], *further]

    def types(self, command: str, *further: str, code: int = 0, place: Path = ROOT) -> str:
        """Run it; what it says."""
        done = subprocess.run(
            self.words(command, *further),
            cwd=place,
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
    handed_down = re.compile(r"MAKE.*|MFLAGS|ARGS|VENV|S|OSS_COPY_.*|API_TOKEN|ALIBABA_CLOUD_.*")
    return {name: value for name, value in os.environ.items() if not handed_down.fullmatch(name)}


# --- run here ----------------------------------------------------------------------------------------------


def test_a_deployment_is_set_up_used_and_removed_by_these_commands(tmp_path: Path) -> None:
    with LocalCloud() as cloud:
        user = User(tmp_path, cloud)
        endpoints = ["--oss-endpoint", cloud.oss, "--ram-endpoint", cloud.admin]
        assert "nothing done yet" in user.types("oss-copy setup", *endpoints)
        assert "to do" not in user.types("oss-copy setup --yes", *endpoints)
        assert "nothing to do: all is there" in user.types("oss-copy setup", *endpoints)

        report = json.loads(user.types(CHECK, "--json"))
        assert report.keys() == {"status", "lines"}
        assert report["status"] == "warning", "there is no TLS here"

        source, destination = cloud.oss_bucket(SOURCE), cloud.oss_bucket(DESTINATION)
        for further in ([], ["--url", cloud.http_trigger]):
            source.put_object("k", os.urandom(100))
            assert "verified by crc64" in user.types(COPY, *further)
            assert crc64(source, "k") == crc64(destination, "k")
        assert '"looked"' in user.types(EVENT)
        assert "log" in user.types("oss-copy logs --tail")

        destination.init_multipart_upload("open")
        assert "--confirm" in user.types("oss-copy remove", code=errors.Status.PARTLY)
        assert functions(cloud) == ["oss-copy", "oss-copy-dropped", "oss-copy-http"]
        assert "aliyun oss rm oss://oss-copy-state/oss-copy/" in user.types("oss-copy remove", "--confirm")
        assert functions(cloud) == []
        assert crc64(destination, "k"), "buckets stay"


def test_a_newcomer_comes_from_an_installed_program_to_a_copy_of_a_file_by_the_readme(tmp_path: Path) -> None:
    """The lines of the first screen, `make` left out: it installs, as `make newcomer` shows."""
    user, own = User(tmp_path), tmp_path / "copy.md"
    with subprocess.Popen(
        user.words("oss-copy local README.md"),
        cwd=ROOT,
        env=user.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as local:
        assert local.stdout is not None
        said = "".join(iter(local.stdout.readline, "For other clients:\n"))
        first = COMMANDS["oss-copy cp oss://oss-copy-source/README.md oss://oss-copy-destination/"]
        assert f"  {first.text}\n" in said
        try:
            assert "verified by crc64" in user.types(first.text)
            got = "oss-copy get oss://oss-copy-destination/README.md copy.md"
            user.types(got, place=tmp_path)
            assert own.read_bytes() == (ROOT / "README.md").read_bytes()
            for text in (each for each in COMMANDS if each.startswith("oss-copy sync oss://oss-copy")):
                assert "200 objects" in user.types(text)
            assert "README.md" in user.types("oss-copy ls")
            assert "trigger" in user.types("oss-copy put README.md oss://oss-copy-source/incoming/")
            assert "result" in user.types("oss-copy logs")
        finally:
            local.send_signal(signal.SIGINT)
            try:
                local.wait(SECONDS)
            except subprocess.TimeoutExpired:
                local.kill()  # else the test would wait for it for ever
                raise
            rest = local.stdout.read()
    assert "export OSS_COPY_URL=http://127.0.0.1:" in rest
    assert local.returncode == 0


def functions(cloud: LocalCloud) -> list[str]:
    listed = cloud.control().list_functions(ListFunctionsRequest()).body.functions
    return [each.function_name for each in listed or ()]


def test_the_policies_are_printed_and_written_as_told(tmp_path: Path) -> None:
    user, path = User(tmp_path), tmp_path / "policy.json"
    for command in ("oss-copy policy --setup", "oss-copy policy --deployer"):
        assert json.loads(user.types(command))["Version"] == "1"
    user.types("oss-copy policy", "--output", str(path))
    assert path.read_text() == policy.DOCUMENT.read_text(), "it is what `oss-copy policy` writes"
    user.types("oss-copy policy", "--with", "kms", "--with", "bulk", "--with", "check", "--output", str(path))
    purposes = json.loads(path.read_text())["purposes"]
    assert len(purposes) > len(json.loads(policy.DOCUMENT.read_text())["purposes"])


def test_the_local_cloud_runs_with_that_policy_and_says_where(tmp_path: Path) -> None:
    user = User(tmp_path)
    (command,) = (text for text in COMMANDS if text.startswith("make cloud ARGS") and "--policy" in text)
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


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_starts_a_cloud_copies_shows_the_log_and_stops_it(tmp_path: Path, script: str) -> None:
    user, places = User(tmp_path), tmp_path / "places"
    places.mkdir()
    installed = tmp_path / "oss-copy"
    installed.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m functions.cli "$@"\n', encoding="utf-8"
    )
    installed.chmod(0o755)
    environment = user.environment | {"PATH": f"{tmp_path}:{user.environment['PATH']}", "TMPDIR": str(places)}
    with subprocess.Popen(
        ["bash", "-e"], cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as shell:  # fmt: skip
        try:
            output, errors = shell.communicate(script, SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    assert shell.returncode == 0, errors
    assert "succeeded: oss://oss-copy-destination/b.txt" in output
    told = [json.loads(line) for line in output.splitlines() if line.strip().startswith("{")]
    assert [each["status"] for each in told if each["event"] == "result"] == ["succeeded"] * 2
    (said,) = places.iterdir()
    (admin,) = re.findall(r"export OSS_COPY_ADMIN=(\S+)", said.read_text())
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
FIRST = test_a_newcomer_comes_from_an_installed_program_to_a_copy_of_a_file_by_the_readme
PROGRAM = Elsewhere("tests/cli/test_program.py", "def test_every_command_")

DIFFERING = Elsewhere("tests/cli/test_differing.py", "def test_a_dry_run_tells_what_copies_would_cost")

PROOFS: dict[str, Proof] = {
    "make demo": Ci("demo"),
    "make test": Ci("test"),
    "make test ARGS=tests/unit/test_events.py": Ci("test"),
    "make check": Ci("check"),
    "make template": Ci("template"),
    "make rehearse": Elsewhere("tests/flow/test_rehearsal.py", "in steps(rehearsal, TEMPLATE)"),
    "make": ByHand("installs, as every target does; `make newcomer` in a fresh clone, and with the program"),
    "make help": ByHand("prints the targets"),
    "oss-copy template": Elsewhere("tests/cli/test_commands.py", 'judging.run("template")'),
    "oss-copy policy": POLICIES,
    "oss-copy policy --setup": POLICIES,
    "oss-copy token NAME": Elsewhere("tests/cli/test_token.py", 'terminal.types("token", "nightly"'),
    "oss-copy policy --deployer": POLICIES,
    "oss-copy setup": DEPLOYMENT,
    "oss-copy setup --yes": DEPLOYMENT,
    "oss-copy deploy": Elsewhere("tests/cli/test_commands.py", 'acting.run("deploy", template=own)'),
    "oss-copy deploy --prune": Elsewhere(
        "tests/cli/test_review.py", 'run("deploy", "--prune", template=own)'
    ),
    CHECK: DEPLOYMENT,
    COPY: DEPLOYMENT,
    EVENT: DEPLOYMENT,
    "oss-copy logs --tail": DEPLOYMENT,
    "oss-copy remove": DEPLOYMENT,
    "oss-copy --help": PROGRAM,
    "oss-copy completion bash": PROGRAM,
    "oss-copy ui": Elsewhere("tests/cli/test_ui.py", 'terminal.types("ui")'),
    "oss-copy local": FIRST,
    "oss-copy local README.md": FIRST,
    "oss-copy cp oss://oss-copy-source/README.md oss://oss-copy-destination/": FIRST,
    "oss-copy sync oss://oss-copy-source/samples/photos/ oss://oss-copy-destination/photos/": FIRST,
    "oss-copy sync oss://a/data/ oss://b/data/": PROGRAM,
    "oss-copy diff oss://a/data/ oss://b/data/": DIFFERING,
    "oss-copy cost oss://a/data/ oss://b/data/": DIFFERING,
    "oss-copy ls": FIRST,
    "oss-copy logs": FIRST,
    "oss-copy get oss://oss-copy-destination/README.md copy.md": FIRST,
    "oss-copy put README.md oss://oss-copy-source/incoming/": FIRST,
    "oss-copy put FILE oss://BUCKET/FOLDER/": PROGRAM,
    "oss-copy get oss://BUCKET/KEY FILE": PROGRAM,
    "oss-copy status JOB": PROGRAM,
    "oss-copy watch JOB": PROGRAM,
    "oss-copy cancel JOB": PROGRAM,
    "oss-copy resubmit JOB": PROGRAM,
    "oss-copy report JOB": PROGRAM,
    "oss-copy assumptions --source A --destination B": Elsewhere(
        "tests/cli/test_assumptions.py", '"assumptions", "--source", SOURCE, "--destination", DESTINATION'
    ),
    "make cloud": CLOUD,
    'make cloud ARGS="--policy oss-copy=functions/oss_copy/ram-policy.json"': CLOUD,
    "make cloud ARGS=--help": Elsewhere("tests/flow/test_cloud_documents.py", "HELP = "),
    'make cloud ARGS="--bare --bucket NAME"': Elsewhere("tests/cloud/client.py", '["--bucket", bucket]'),
    "python -m tests.cloud": Elsewhere("tests/cloud/client.py", '"-m", "tests.cloud"'),
    "python -m tests.cloud --bare --bucket NAME …": Elsewhere("tests/cloud/client.py", '"--bare"'),
    "python -m tests.cloud.oss": Elsewhere("tests/bench/oss_server.py", "tests.cloud.oss"),
    "python -m tests.bench.oss_server": ByHand("measures"),
    "make bench ARGS=listing": ByHand("measures, and an environment of its own"),
    "make openapi": Elsewhere("tests/unit/test_openapi.py", "openapi.TARGET.read_text"),
    "make app": Elsewhere("tests/cli/test_app.py", "build.build("),
    "make dist": ByHand("layers for two interpreters, from the index"),
    "make newcomer": ByHand(
        "a minute, and packages from the index; it runs `oss-copy deploy` with the genuine s"
    ),
    "make test-all": ByHand("the suite once more for each interpreter"),
    "make clients": ByHand("environments of their own; oss2's part and the exchanges are in tests/clients"),
    "make page": ByHand("wants a Chromium; tests/unit/test_page.py and tests/cli/test_ui.py hold the rest"),
    "make exchanges": ByHand("writes data that tests/clients repeats"),
    "make readings": ByHand("the flow tests 24 times; `make test-all` does"),
    "make soak-fuzz": ByHand("a million events; tests/unit/test_fuzz.py draws some"),
    "make mutants": ByHand("minutes; tests/unit/test_mutants.py plants some of the faults, others each time"),
    "make conformance": ByHand("oss2's own suite takes minutes; tests/conformance holds what it found"),
    "make soak": ByHand("hours"),
    "make soak-scale": ByHand("hours on an OSS made up as it is listed"),
    "make soak-sim": ByHand("half an hour; tests/sim holds 20 seconds of it"),
    "make coverage": ByHand("the suite once more, measured"),
    "make soak-chaos": ByHand("500 copies; tests/flow/test_chaos.py makes fewer"),
    "make soak-chaos-many": ByHand("200,000 objects; tests/flow/test_chaos_bulk.py copies fewer"),
    "make bench": ByHand("measures, and an environment of its own"),
    "make layer": ByHand("packages from the index; `make newcomer` and `make rehearse` build it as well"),
    "make layer-test": ByHand("packages from the index, for two interpreters; `make test-all` ends with it"),
    "python -m tests.fuzz.marks --cost": ByHand("measures; tests/fuzz holds what it guards"),
    "python -m tests.layers": ByHand("measures, and needs python3.12 with a layer"),
}
OPTIONS = {  # what is shown apart from its command, and for which target, or command of the program, it is
    "ARGS=--kill": "demo",
    "--with kms": "policy",
    "--with check": "policy",
    "--with bulk": "policy",
    "--with versioned": "policy",
    **dict.fromkeys(("--source", "--destination", "--verb", "--option", "--own", "--days"), "token"),
    "--help": "status",
    "--json": "status",
    "--function": "assumptions",
    "--latency-ms": "local",
    "--bandwidth-mb-s": "local",
    "--var": "local",
    "--env": "local",
    "--env ALLOWED_OPTIONS=restore": "local",
    "--data DIR": "local",
    "--dry-run": "sync",
    "--delete": "sync",
    "--manifest": "sync",
    "--as-of": "sync",
    "--status failed": "ls",
    "--failed": "resubmit",
    "--csv": "report",
    "--output FILE": "report",
    "--timeline FILE": "report",
    "--prices": "cost",
    "--size 50GiB": "cost",
    "--yes": "setup",
    "--prune": "deploy",
    "--confirm": "remove",
    "--key-template": "cp",
    "--url": "cp",
    "--region": "put",
    "--against": "mutants",
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
    if (arguments := COMMANDS[command].arguments) is not None:
        parses(arguments)
        return
    if words[0] != "make":
        shown = shlex.join(words)
    else:
        done = subprocess.run(
            [words[0], "-n", *words[1:]],
            cwd=ROOT, env=plain_environment(), capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        shown = done.stdout
    if shown.startswith(("awk", "echo")):  # what they print is made of nothing else
        return
    modules = re.findall(r"(?<= -m )[\w.]+", shown)
    scripts = [each for each in shown.split() if each.endswith(".py")]
    assert modules or scripts, shown
    assert [each for each in modules if importlib.util.find_spec(each) is None] == []
    assert [each for each in scripts if not (ROOT / each).is_file()] == []


def parses(arguments: list[str]) -> None:
    """Fail unless the program has this command, and the command takes these arguments."""
    if arguments[0].startswith("--"):
        return
    assert arguments[0] in ENTRIES
    with program.make_context("oss-copy", arguments, obj=Session()) as context:
        command = program.get_command(context, arguments[0])
        assert command is not None
        command.make_context(arguments[0], arguments[1:], parent=context)


@pytest.mark.parametrize("command", [each for each in COMMANDS if COMMANDS[each].variables])
def test_what_a_command_is_given_is_used_by_its_target(command: str) -> None:
    for name in COMMANDS[command].variables:
        assert uses(COMMANDS[command].target or "", name), name


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_used_by_the_target_or_the_command_it_is_for(option: str) -> None:
    of = OPTIONS[option]
    if of not in ENTRIES:
        name = option.partition("=")[0] if "=" in option else "ARGS"
        return assert_uses(of, name)
    with program.make_context("oss-copy", [of], obj=Session()) as context:
        command = program.get_command(context, of)
        assert command is not None
        known = {each for parameter in command.get_params(context) for each in parameter.opts}
    assert option.split(maxsplit=1)[0] in known
    return None


def assert_uses(target: str, variable: str) -> None:
    assert uses(target, variable)


def uses(target: str, variable: str) -> bool:
    return re.search(rf"\$[$(].*\b{variable}\b", recipe(target)) is not None


def test_a_newcomer_types_what_the_documents_have() -> None:
    assert {*ENTRANCE, *USE} <= COMMANDS.keys()
