"""Stands in for the fc3 component of `s`, which takes a network to fetch: deploys, invokes, removes for real.

The genuine `s` runs it in the component's place, with the props that `s` has resolved; or it is `s` itself,
and resolves them as `make template` does. What is sent is what the component sends (`component`, `deployer`).
It knows neither who calls it nor what the function does. Of logs it has none: the local cloud has no log
service.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import fc2
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import DaraException
from darabonba.runtime import RuntimeOptions

from functions.deploy import template
from tests.cloud.fc import component
from tests.cloud.fc.deployer import Deployer
from tests.cloud.fc.packages import pack

GIVEN = "--props"  # JSON on standard input: the genuine `s` has resolved them
MILLISECONDS = 60_000

# The component's place in a home of the genuine `s`, and what lies there.
PLACE = Path(".s/components/devsapp.cn/v3/fc3")
_COMPONENT = """\
const { spawnSync } = require("child_process");
class StandIn {}
for (const command of ["deploy", "remove", "invoke", "logs"])
  StandIn.prototype[command] = async ({ args, props }) => {
    const input = JSON.stringify(props);
    const call = ["-m", "tests.cloud.fc.standin", "--props", command, ...args];
    const stdio = ["pipe", "inherit", "inherit"];
    const done = spawnSync(PYTHON, call, { cwd: ROOT, input, stdio });
    if (done.status !== 0) throw new Error(`the stand-in of fc3 ended with ${done.status}`);
  };
module.exports = StandIn;
module.exports.default = StandIn;
"""


class Unable(Exception):
    """It cannot be done; the message says why."""


def preload(home: Path, python: Path, root: Path) -> None:
    """Put it where `s` looks for fc3 under this home; it runs on this interpreter, in this checkout."""
    place = home / PLACE
    place.mkdir(parents=True)
    names = f"const PYTHON = {json.dumps(str(python))};\nconst ROOT = {json.dumps(str(root))};\n"
    (place / "index.js").write_text(names + _COMPONENT, encoding="utf-8")
    (place / ".s.lock").write_text("{}", encoding="utf-8")


class StandIn:
    """Does what a command line of `s` asks for, by what its environment says: keys, account and endpoints."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._account = environ["AccountID"]
        self._keys = (environ["AccessKeyID"], environ["AccessKeySecret"], environ.get("SecurityToken", ""))
        self._fc, self._oss = environ["FC_CLIENT_CUSTOM_ENDPOINT"], environ["OSS_ENDPOINT"]

    def deploy(self, props: Mapping[str, Any], _: Sequence[str]) -> str:
        """Create or update everything; Unable names what FC then tells otherwise than was asked for."""
        wanted = component.requests(props, self._account)
        identity, secret, token = self._keys
        old = fc2.Client(endpoint=self._fc, accessKeyID=identity, accessKeySecret=secret, securityToken=token)
        deployer = Deployer(self._client(props), old, self._oss, props["region"], self._account)
        told = deployer.deploy(wanted, pack(Path(wanted.code).resolve()))
        if wrong := component.differences(wanted, told):
            raise Unable("; ".join(wrong))
        urls = [each["httpTrigger"]["urlInternet"] for each in told.triggers if "httpTrigger" in each]
        return " ".join([f"{wanted.name}: deployed with {len(told.triggers)} triggers", *urls])

    def remove(self, props: Mapping[str, Any], _: Sequence[str]) -> str:
        """Delete the function with its triggers."""
        client, name = self._client(props), props["functionName"]
        listed = client.list_triggers(name, models.ListTriggersRequest(limit=100)).body.triggers
        for trigger in listed or ():
            client.delete_trigger(name, trigger.trigger_name)
        client.delete_function(name)
        return f"{name}: removed"

    def invoke(self, props: Mapping[str, Any], arguments: Sequence[str]) -> str:
        """Invoke with an event, synchronously; what is answered."""
        name, given = _event(arguments)
        event = Path(given).read_bytes() if name == "--event-file" else given.encode()
        answer = self._client(props).invoke_function_with_options(
            props["functionName"],
            models.InvokeFunctionRequest(body=event),
            models.InvokeFunctionHeaders(),
            RuntimeOptions(read_timeout=MILLISECONDS, autoretry=False),
        )
        return bytes(answer.body.read()).decode()

    def logs(self, props: Mapping[str, Any], _: Sequence[str]) -> str:
        return f"{props['functionName']}: the local cloud has no log service"

    def _client(self, props: Mapping[str, Any]) -> Client:
        identity, secret, token = self._keys
        scheme, _, host = self._fc.partition("://")
        return Client(
            Config(
                access_key_id=identity,
                access_key_secret=secret,
                security_token=token or None,
                region_id=props["region"],
                endpoint=host,
                protocol=scheme,
                read_timeout=MILLISECONDS,
            )
        )


def _event(arguments: Sequence[str]) -> tuple[str, str]:
    for name, value in itertools.pairwise(arguments):
        if name in {"--event", "--event-file"}:
            return name, value
    raise Unable("invoke: neither --event nor --event-file")


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """`[--props | RESOURCE] COMMAND ARGUMENT…`, as `s` is called; without a resource, for all of them."""
    standing = StandIn(environ)
    commands: dict[str, Callable[[Mapping[str, Any], Sequence[str]], str]] = {
        each.__name__: each for each in (standing.deploy, standing.remove, standing.invoke, standing.logs)
    }
    chosen = None if arguments[0] in commands else arguments[0]
    command, *rest = arguments if chosen is None else arguments[1:]
    wanted = [json.load(sys.stdin)] if chosen == GIVEN else _resolve(Path(rest[-1]), chosen, environ)
    try:
        for props in wanted:
            print(commands[command](props, rest))  # noqa: T201 - a program that speaks to its user
    except (Unable, DaraException, ValueError) as error:
        print(f"{command}: {error}", file=sys.stderr)  # noqa: T201 - a program that speaks to its user
        return 1
    return 0


def _resolve(path: Path, chosen: str | None, environ: Mapping[str, str]) -> list[Mapping[str, Any]]:
    found = template.read(path, environ).props.items()
    return [props for name, props in found if chosen in {None, name}]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
