"""Stands in for the fc3 component of `s`, which takes a network to fetch: deploys, invokes, removes for real.

The genuine `s` runs it in the component's place, with the props and credentials that it has resolved; or it
is `s` itself, and resolves them as `make template` and `s` (3.1.10) do. What is sent, left, passed over and
printed is what the component (0.1.22) sends, leaves, passes over and prints: it exits 0 for a removal that
was refused. It knows neither who calls it nor what the function does. Of logs it has none: the local cloud
has no log service.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import fc2
import yaml
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.exceptions import DaraException
from darabonba.runtime import RuntimeOptions

from functions.cli import template
from functions.cli.tool.program import COMPONENT_NAMES, COMPONENTS
from tests.cloud.fc import component
from tests.cloud.fc.component import Json
from tests.cloud.fc.deployer import Deployer
from tests.cloud.fc.packages import pack_code
from tests.cloud.oss import crc64

GIVEN = "--given"  # JSON on standard input: the genuine `s` has resolved props and credentials
MILLISECONDS = 60_000
_SHOWN = ("description", "invocationRole", "sourceArn", "triggerConfig")  # of a trigger, as far as it differs
PAIR = ("AccountID", "AccessKeyID", "AccessKeySecret")

# The component's place in a home of the genuine `s`, and what lies there.
_COMPONENT = """\
const { spawnSync } = require("child_process");
class StandIn {}
for (const command of ["deploy", "remove", "invoke", "logs"])
  StandIn.prototype[command] = async ({ args, props, getCredential }) => {
    const input = JSON.stringify({ props, credential: await getCredential() });
    const call = ["-m", "tests.cloud.fc.standin", "--given", command, ...args];
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
    names = f"const PYTHON = {json.dumps(str(python))};\nconst ROOT = {json.dumps(str(root))};\n"
    for name in COMPONENT_NAMES:
        place = home / COMPONENTS / name
        place.mkdir(parents=True)
        (place / "index.js").write_text(names + _COMPONENT, encoding="utf-8")
        (place / ".s.lock").write_text("{}", encoding="utf-8")


class StandIn:
    """Does what a command line of `s` asks for, with these credentials; `environ` names the endpoints."""

    def __init__(self, credential: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self._account = credential["AccountID"]
        token = credential.get("SecurityToken") or ""
        self._keys = (credential["AccessKeyID"], credential["AccessKeySecret"], token)
        self._fc, self._oss = environ["FC_CLIENT_CUSTOM_ENDPOINT"], environ["OSS_ENDPOINT"]

    def deploy(self, props: Mapping[str, Any], _: Sequence[str]) -> Iterator[str]:
        """Create or update everything that is wanted, and tell what FC has of it, secrets and all."""
        wanted = component.requests(props, self._account)
        identity, secret, token = self._keys
        old = fc2.Client(endpoint=self._fc, accessKeyID=identity, accessKeySecret=secret, securityToken=token)
        client = self._client(props)
        deployer = Deployer(client, old, self._oss, props["region"], self._account)
        before = self._function(props)
        remote = {each["triggerName"]: _asked(partial(client.get_trigger, wanted.name, each["triggerName"]))
                  for each in wanted.triggers}  # fmt: skip
        _asked(partial(client.get_async_invoke_config, wanted.name, models.GetAsyncInvokeConfigRequest()))
        _asked(partial(client.list_vpc_bindings, wanted.name))
        _asked(partial(client.get_scaling_config, wanted.name, models.GetScalingConfigRequest()))
        _asked(partial(client.get_concurrency_config, wanted.name))
        if before is not None:
            yield from _changes("environmentVariables", _variables(before), _variables(props))
        for each in wanted.triggers:
            if there := remote[each["triggerName"]]:
                yield from _changes(f"{wanted.name}/{each['triggerName']}", there.body.to_map(), each, _SHOWN)
        archive = pack_code(Path(wanted.code).resolve())
        is_known = before is not None and before["codeChecksum"] == str(crc64.checksum(archive))
        told = deployer.deploy(wanted, None if is_known else archive)
        named = [each["triggerName"] for each in wanted.triggers]
        triggers = [
            {**each, "triggerConfig": json.loads(each["triggerConfig"])}
            for each in told.triggers
            if each["triggerName"] in named
        ]
        shown = {
            "region": props["region"],
            **told.function,
            "triggers": triggers,
            "asyncInvokeConfig": told.asynchronous,
            "concurrencyConfig": told.concurrency,
        }
        yield yaml.safe_dump({wanted.name: shown}, allow_unicode=True, width=1000)

    def remove(self, props: Mapping[str, Any], _: Sequence[str]) -> Iterator[str]:
        """Delete the function with all that hangs on it; what is refused is only told."""
        client, name = self._client(props), props["functionName"]
        is_there = self._is_there(props)
        if is_there:
            _asked(partial(client.list_vpc_bindings, name))
            _asked(partial(client.list_scaling_configs, models.ListScalingConfigsRequest(function_name=name)))
        limit = _asked(partial(client.get_concurrency_config, name))
        if is_there:
            _asked(partial(client.list_aliases, name, models.ListAliasesRequest(limit=100)))
            _asked(
                partial(client.list_function_versions, name, models.ListFunctionVersionsRequest(limit=100))
            )
        triggers = _asked(partial(client.list_triggers, name, models.ListTriggersRequest(limit=10)))
        asked = models.ListAsyncInvokeConfigsRequest(function_name=name, limit=100)
        configs = _asked(partial(client.list_async_invoke_configs, asked))
        latest = models.DeleteAsyncInvokeConfigRequest(qualifier="LATEST")
        try:
            for _each in configs.body.configs if configs else ():
                client.delete_async_invoke_config(name, latest)
            for each in triggers.body.triggers if triggers else ():
                yield from _logged(partial(client.delete_trigger, name, each.trigger_name))
                yield f"Removed trigger: {props['region']}/{name}/{each.trigger_name}"
            if not is_there:
                return
            if limit:
                client.delete_concurrency_config(name)
            client.delete_function(name)
            yield f"Removed function: {props['region']}/{name}"
        except DaraException as error:
            yield f"[ERROR] remove error: {error.code}: {error.message}"

    def invoke(self, props: Mapping[str, Any], arguments: Sequence[str]) -> Iterator[str]:
        """Invoke with an event, synchronously; what is answered, in the component's frame."""
        name, given = _event(arguments)
        event = Path(given).read_bytes() if name == "--event-file" else given.encode()
        answer = self._client(props).invoke_function_with_options(
            props["functionName"],
            models.InvokeFunctionRequest(body=event),
            models.InvokeFunctionHeaders(),
            RuntimeOptions(read_timeout=MILLISECONDS, autoretry=False),
        )
        for label, header in (
            ("Invoke instanceId", "x-fc-instance-id"),
            ("Code Checksum", "x-fc-code-checksum"),
            ("RequestId", "x-fc-request-id"),
            ("Error Type", "x-fc-error-type"),
        ):
            if header in answer.headers:
                yield f"{label}: {answer.headers[header]}"
        yield f"\nInvoke Result:\n{bytes(answer.body.read()).decode()}"

    def logs(self, props: Mapping[str, Any], _: Sequence[str]) -> Iterator[str]:
        yield f"{props['functionName']}: the local cloud has no log service"

    def _function(self, props: Mapping[str, Any]) -> Json | None:
        """What FC tells of it; None if there is none, or it may not be asked."""
        client, request = self._client(props), models.GetFunctionRequest()
        answer = _asked(lambda: client.get_function(props["functionName"], request))
        told: Json | None = answer and answer.body.to_map()
        return told

    def _is_there(self, props: Mapping[str, Any]) -> bool:
        """Whether FC does not say that there is none: it may also not be asked."""
        try:
            self._client(props).get_function(props["functionName"], models.GetFunctionRequest())
        except DaraException as error:
            return getattr(error, "status_code", None) != 404
        return True

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


def _asked(ask: Callable[[], Any]) -> Any:
    """The answer; None for whatever is refused, which the component only writes down for itself."""
    try:
        return ask()
    except DaraException:
        return None


def _logged(do: Callable[[], Any]) -> Iterator[str]:
    try:
        do()
    except DaraException as error:
        yield f"[ERROR] {error.code}: {error.message}"


def _variables(props: Mapping[str, Any]) -> Json:
    return dict(props.get("environmentVariables") or {})


def _changes(place: str, old: Json, new: Json, names: Sequence[str] = ()) -> Iterator[str]:
    """What is shown before it is deployed: the old value and the new one, of these names or of all."""
    for name in names or sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name) and (old.get(name) or new.get(name)):
            yield f"{place}\n    {name}: {old.get(name)} => {new.get(name)}"


def _event(arguments: Sequence[str]) -> tuple[str, str]:
    for name, value in itertools.pairwise(arguments):
        if name in {"--event", "--event-file"}:
            return name, value
    raise Unable("invoke: neither --event nor --event-file")


def credential_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """As `s` finds it: the three variables come first, without a token; else the variable that `-a` names."""
    if all(name in environ for name in PAIR):
        return {name: environ[name] for name in PAIR}
    for name, value in itertools.pairwise(arguments):
        if name == "-a" and value.endswith("_serverless_devs_key") and value in environ:
            found: Mapping[str, str] = json.loads(environ[value])
            return found
    raise Unable("no credentials: neither three variables, nor the one that -a names")


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """`[--given | RESOURCE] COMMAND ARGUMENT…`, as `s` is called; without a resource, for all of them."""
    names = ("deploy", "remove", "invoke", "logs")
    chosen = None if arguments[0] in names else arguments[0]
    command, *rest = arguments if chosen is None else arguments[1:]
    try:
        if chosen == GIVEN:
            given = json.load(sys.stdin)
            standing, wanted = StandIn(given["credential"], environ), [given["props"]]
        else:
            standing = StandIn(credential_of(rest, environ), environ)
            wanted = _resolve(Path(rest[rest.index("-t") + 1]), chosen, environ)
        run: Callable[[Mapping[str, Any], Sequence[str]], Iterator[str]] = getattr(standing, command)
        for props in wanted:
            for line in run(props, rest):
                print(line)  # noqa: T201 - a program that speaks to its user
    except (Unable, DaraException, fc2.FcError, ValueError) as error:
        print(f"{command}: {error}", file=sys.stderr)  # noqa: T201 - a program that speaks to its user
        return 101
    return 0


def _resolve(path: Path, chosen: str | None, environ: Mapping[str, str]) -> list[Mapping[str, Any]]:
    found = template.read(path, environ).props.items()
    return [props for name, props in found if chosen in {None, name}]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
