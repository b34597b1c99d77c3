"""`make newcomer`: the way from a clone to the first copy and out again, by the documents, on a local cloud.

A fresh clone of what is committed, a home with nothing in it, the lines of s.yaml that say `change` changed,
then nothing but the documents' commands, each as a program of its own, with temporary credentials of whoever
has the policies that these commands print. After the first copy it deploys again: unchanged, with another
source bucket, without a destination, without a trigger; it removes everything: without the right to, with it,
and once more. Packages of Python and Node come from the package index. One thing is not as on the real cloud:
`s` cannot fetch its fc3 component without a network, so `tests.cloud.fc.standin` is in its place.
Prints how long each command takes; exits non-zero at the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alibabacloud_fc20230330.models import (
    GetAsyncInvokeConfigRequest,
    ListFunctionsRequest,
    ListTriggersRequest,
)
from rich.console import Console

from tests.cloud.accounts import Credentials
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.fc import standin
from tests.flow import documents

ACCOUNT = "1000000000000001"
KEY, SIZE = "archive/first.tar", 1 << 30  # of the first copy
SECONDS = 600.0  # no command takes longer
CHANGES = {  # what the newcomer writes where s.yaml says `change`
    "region": "cn-shanghai",
    "accountId": f'"{ACCOUNT}"',
    "sourceBucket": "newcomer-source",
    "destinationBucket": "newcomer-destination",
    "stateBucket": "newcomer-records",
    "watchedPrefix": "uploads/",
}
MARKED = re.compile(r"(?m)^  (?P<name>\w+): (?P<value>\S+)(?= +# change\b)")
# By what a package index, an interpreter and a terminal are found; nothing else of this shell counts.
KEPT = re.compile(
    r"PATH|LANG|LC_\w+|TERM|TMPDIR|\w+_(?i:proxy)|(?:PIP|UV|SSL|NODE_EXTRA|(?i:npm_config))_\w+"
)
INSTALL = "make"
ENTRANCE = (
    "oss-copy template",
    "oss-copy policy --setup",
    "oss-copy setup",
    "oss-copy setup --yes",
    "oss-copy policy --deployer",
    "oss-copy deploy",
)
USE = (
    "oss-copy check",
    "oss-copy cp oss://a/k oss://b/k",
    "oss-copy deploy --prune",
    "oss-copy remove",
)
OTHER_SOURCE = "newcomer-other-source"


class Failed(Exception):
    """A command ended badly, or the deployment is not what it was to be."""


class Walked(NamedTuple):
    command: str
    seconds: float
    output: str


class Newcomer:
    """Somebody with a clone, a home, an account's keys, and the documents."""

    def __init__(self, folder: Path, cloud: LocalCloud, console: Console) -> None:
        self.clone, self._home = folder / "oss-copy", folder / "home"
        self._cloud, self._console = cloud, console
        self._home.mkdir()
        self._environment = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)} | {
            "HOME": str(self._home),
            "FC_CLIENT_CUSTOM_ENDPOINT": cloud.fc,
            "OSS_ENDPOINT": cloud.oss,
            "NODE_ENV": "test",  # `s` looks for no update of itself
            "PATH": f"{self.clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        self._told = [each.text for each in documents.commands(documents.everything())]
        self.walked: list[Walked] = []

    def be(self, who: Credentials) -> None:
        """Put these credentials into the environment, as the documents say."""
        self._environment |= {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": who.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": who.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": who.security_token or "",
        }

    def run(self, command: str, *further: str) -> str:
        """A command of the documents, with what this cloud needs besides; its output. Failed if it fails."""
        if command not in self._told:
            raise Failed(f"no document has `{command}`")
        return self.carry_out([*_named(command), *further], self.clone)

    def refused(self, command: str) -> str:
        """What a command of the documents says that ends badly; Failed if it ends well."""
        return self.carry_out(_named(command), self.clone, is_refused=True)

    def carry_out(self, words: Sequence[str], where: Path, *, is_refused: bool = False) -> str:
        begun = time.monotonic()
        done = subprocess.run(
            words, cwd=where, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=SECONDS, check=False,
        )  # fmt: skip
        step = Walked(shlex.join(words), time.monotonic() - begun, done.stdout.decode(errors="replace"))
        if bool(done.returncode) != is_refused:
            raise Failed(f"{step.command} ended with {done.returncode}:\n{step.output}")
        self.walked.append(step)
        refused = ": refused, as it should be" if is_refused else ""
        self._console.print(f"{step.seconds:6.1f} s  {step.command}{refused}", markup=False)
        return step.output

    def edit(self) -> None:
        """Change what s.yaml marks; Failed if that is something else than what is known here."""
        path = self.clone / "s.yaml"
        text = path.read_text(encoding="utf-8")
        if {found["name"] for found in MARKED.finditer(text)} != CHANGES.keys():
            raise Failed(f"s.yaml marks other lines than {', '.join(CHANGES)}")
        text = MARKED.sub(lambda found: f"  {found['name']}: {CHANGES[found['name']]}", text)
        path.write_text(text, encoding="utf-8")
        self._console.print(f"     -    {len(CHANGES)} lines of s.yaml changed: {', '.join(CHANGES)}")

    def change(self, begin: str, end: str, new: str) -> None:
        """Put `new` where s.yaml has what lies from `begin` to before `end`, the last of its kind."""
        path = self.clone / "s.yaml"
        text = path.read_text(encoding="utf-8")
        start = text.rindex(begin)
        path.write_text(text[:start] + new + text[text.index(end, start) :], encoding="utf-8")

    def stand_in(self) -> None:
        """The one thing that is not as with a network."""
        standin.preload(self._home, self.clone / ".venv" / "bin" / "python", self.clone)


def _named(command: str) -> list[str]:
    """Its words, with the newcomer's names in place of the documents'."""
    named = command.replace("oss://a/k", f"oss://{CHANGES['sourceBucket']}/{KEY}")
    return shlex.split(named.replace("oss://b/k", f"oss://{CHANGES['destinationBucket']}/{KEY}"))


def walk(newcomer: Newcomer, cloud: LocalCloud) -> None:
    """From the clone to the first copy, through changes, and out again; Failed if something is not right."""
    newcomer.carry_out(["git", "clone", "-q", str(ROOT), newcomer.clone.name], newcomer.clone.parent)
    newcomer.edit()
    newcomer.run(INSTALL)
    template, setting_up, show, make, deploying, deploy = ENTRANCE
    invoke, copy, _, _ = USE
    newcomer.run(template)
    cloud.set_policy("deployer", _json(newcomer.run(setting_up)))
    newcomer.be(cloud.assume("deployer"))  # for a while: with a security token
    endpoints = ["--oss-endpoint", cloud.oss, "--ram-endpoint", cloud.admin]
    _expect("nothing done yet", newcomer.run(show, *endpoints))
    newcomer.run(make, *endpoints)
    may_deploy = _json(newcomer.run(deploying))
    cloud.set_policy("deployer", may_deploy)
    newcomer.stand_in()
    _expect("FC has what s.yaml says", newcomer.run(deploy))
    functions = _functions(cloud)
    if functions != ["oss-copy", "oss-copy-dropped", "oss-copy-http"]:
        raise Failed(f"deployed are {functions}")
    _judge(json.loads(newcomer.run(invoke, "--json").splitlines()[-1]))
    cloud.seed(CHANGES["sourceBucket"], KEY, SIZE, seed=1)
    _expect("verified by crc64", newcomer.run(copy))
    _compare(cloud)
    _change(newcomer, cloud)
    _leave(newcomer, cloud, may_deploy)


def _change(newcomer: Newcomer, cloud: LocalCloud) -> None:
    """Deploy again: unchanged, with another source, without a destination, without a trigger."""
    *_, deploy = ENTRANCE
    _, _, prune, _ = USE
    again = newcomer.run(deploy)
    if wrong := [each for each in (" => ", "was changed", "deleted and created") if each in again]:
        raise Failed(f"nothing was changed, and {wrong} is said:\n{again}")
    newcomer.change("  sourceBucket:", "  destinationBucket:", f"  sourceBucket: {OTHER_SOURCE}\n")
    _expect("the trigger is deleted and created", newcomer.run(deploy))
    client = cloud.control()
    if not client.get_trigger("oss-copy", "oss").body.source_arn.endswith(f":{OTHER_SOURCE}"):
        raise Failed("the trigger is on the old bucket")
    newcomer.change("        destinationConfig:", "      concurrencyConfig:", "")
    newcomer.run(deploy)
    asked = GetAsyncInvokeConfigRequest()
    if client.get_async_invoke_config("oss-copy", asked).body.destination_config.on_failure:
        raise Failed("the destination that was taken out is still there")
    newcomer.change("        - triggerName: timer", "\n", "        - triggerName: another")
    _expect("triggers.timer: FC has it, and s.yaml does not", newcomer.refused(deploy))
    _expect("triggers.timer: FC has it, and s.yaml does not: taken away", newcomer.run(prune))
    newcomer.change("      asyncInvokeConfig:", "      concurrencyConfig:", "")
    _expect("asyncInvokeConfig.asyncTask: must be true", newcomer.refused(deploy))


def _leave(newcomer: Newcomer, cloud: LocalCloud, may_deploy: dict[str, Any]) -> None:
    """Remove everything: not allowed to at first, then, and once more."""
    *_, remove = USE
    less = [
        {**each, "Action": [action for action in each["Action"] if action != "fc:DeleteFunction"]}
        for each in may_deploy["Statement"]
    ]
    cloud.set_policy("deployer", {**may_deploy, "Statement": less})
    _expect("not removed, whatever s says", newcomer.refused(remove))
    cloud.set_policy("deployer", may_deploy)
    newcomer.run(remove)
    if left := _functions(cloud):
        raise Failed(f"still there: {left}")
    newcomer.run(remove)


def _expect(text: str, output: str) -> None:
    if text not in output:
        raise Failed(f"no {text!r} in:\n{output}")


def _json(output: str) -> dict[str, Any]:
    """The object in a command's output."""
    found = re.search(r"(?m)^\{", output)
    if found is None:
        raise Failed(f"no JSON in:\n{output}")
    value: dict[str, Any]
    value, _ = json.JSONDecoder().raw_decode(output, found.start())
    return value


def _judge(report: Mapping[str, Any]) -> None:
    """Failed with the worst lines of a check; that a local cloud has no TLS is only a warning."""
    if report["status"] == "failed":
        raise Failed(json.dumps([each for each in report["lines"] if each["status"] == "failed"], indent=1))


def _functions(cloud: LocalCloud) -> list[str]:
    """What is deployed; a function of the first kind has its triggers."""
    client = cloud.control()
    listed = client.list_functions(ListFunctionsRequest()).body.functions or []
    names = [str(each.function_name) for each in listed]
    for name in names[:1]:
        if len(client.list_triggers(name, ListTriggersRequest()).body.triggers) != 4:
            raise Failed(f"{name} has not its four triggers")
    return names


def _compare(cloud: LocalCloud) -> None:
    """Failed unless the copy has the source's size and CRC64."""
    source, target = (
        cloud.oss_bucket(CHANGES[name]).head_object(KEY) for name in ("sourceBucket", "destinationBucket")
    )
    seen = [(each.content_length, each.headers["x-oss-hash-crc64ecma"]) for each in (source, target)]
    if seen[0] != seen[1] or seen[0][0] != SIZE:
        raise Failed(f"source and copy differ: {seen}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk; 1 at the first thing that fails."""
    argparse.ArgumentParser(prog="make newcomer", description=__doc__).parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    buckets = (CHANGES["sourceBucket"], CHANGES["destinationBucket"], OTHER_SOURCE)
    place = ["--region", CHANGES["region"], "--account", ACCOUNT]
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(template=None, buckets=buckets, arguments=place) as cloud,
    ):
        newcomer = Newcomer(Path(folder), cloud, console)
        try:
            walk(newcomer, cloud)
        except (Failed, subprocess.TimeoutExpired) as error:
            console.print(f"failed: {error}", markup=False)
            return 1
    total = sum(each.seconds for each in newcomer.walked)
    console.print(
        f"{len(newcomer.walked)} commands, {total:.1f} s unattended; {SIZE >> 20} MiB copied, CRC64 equal.\n"
        "The genuine s ran, with a stand-in for its fc3 component, which only a network has."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
