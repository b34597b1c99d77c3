"""`make rehearse`: deploys s.yaml to an empty local cloud as the real tool would to FC, and copies with it.

Layer, functions, triggers and settings go through the FC 3.0 SDK; what the API tells afterwards is compared
with the template field by field. Then one copy by each trigger, an update that changes nothing, properties
that are wrong, an update that makes the timeout short, and a copy in several hops. Exits non-zero at the
first thing that is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from darabonba.exceptions import DaraException
from rich.console import Console

from functions.cli import template
from functions.cli.template import Deployment
from tests.cloud.accounts import ACCOUNT_ID
from tests.cloud.client import ROOT, LocalCloud
from tests.cloud.fc import component, home
from tests.cloud.fc.component import Deploy, Told
from tests.cloud.fc.deployer import Deployer
from tests.cloud.fc.packages import pack_code

SHORT = 3  # seconds an invocation may take, for the copy in several hops
SECONDS = 60  # nothing here takes longer
MIB = 1 << 20


class Failed(Exception):
    """Something is not as s.yaml says, or a copy is not a copy."""


class Rehearsal:
    """One deployment on one cloud: what was wanted, and what the API tells of it."""

    def __init__(self, cloud: LocalCloud, deployment: Deployment) -> None:
        self.cloud = cloud
        self.deployer = Deployer(
            cloud.control(), cloud.fc_client(), cloud.oss, cloud.region, cloud.account_id
        )
        variables = deployment.vars
        self.source, self.target = str(variables["sourceBucket"]), str(variables["destinationBucket"])
        self.watched = str(variables["watchedPrefix"])
        self.root = deployment.root
        self._index = list(deployment.resources).index(deployment.main_resource)
        self.wanted: tuple[Deploy, ...] = ()
        self.told: tuple[Told, ...] = ()

    @property
    def _main(self) -> Deploy:
        return self.wanted[self._index]

    def deploy(self, deployment: Deployment) -> str:
        """Everything that the template says; Failed with every field that is told otherwise."""
        runtime = deployment.functions[0].runtime
        wanted = tuple(
            component.requests(props, self.cloud.account_id) for props in deployment.props.values()
        )
        archive = layer_of(runtime, self.root)
        if archive is None:
            wanted = tuple(component.without_layers(each) for each in wanted)
        elif not self.wanted:
            self._publish(wanted, archive, runtime)
        self.told = tuple(self.deployer.deploy(each, pack_code(self.root / each.code)) for each in wanted)
        self.wanted = wanted
        self.cloud.function = wanted[self._index].name
        self.cloud.http_trigger = self._url()
        pairs = zip(wanted, self.told, strict=True)
        if wrong := [one for each, told in pairs for one in component.differences(each, told)]:
            raise Failed("; ".join(wrong))
        said = "" if archive else " but for the layer, which is not built (make layer)"
        return f"{', '.join(each.name for each in wanted)}: as the template says{said}"

    def _publish(self, wanted: Sequence[Deploy], archive: bytes, runtime: str) -> None:
        """Version 1 of every layer that a function names; Failed if it has another ARN then."""
        for arn in dict.fromkeys(arn for each in wanted for arn in each.function.get("layers", ())):
            name = arn.split("/")[1]
            if (published := self.deployer.publish_layer(name, archive, [runtime])) != arn:
                raise Failed(f"layer {arn} was published as {published}")

    def _url(self) -> str:
        urls = [
            each["httpTrigger"]["urlInternet"]
            for told in self.told
            for each in told.triggers
            if "httpTrigger" in each
        ]
        if len(urls) != 1:
            raise Failed(f"GetTrigger tells {len(urls)} URLs")
        return str(urls[0])

    def deploy_again(self, deployment: Deployment) -> str:
        """The same once more, over it: only times may change."""
        before = [_timeless(each) for each in self.told]
        self.deploy(deployment)
        if before != [_timeless(each) for each in self.told]:
            raise Failed("a second deployment changed what the first had made")
        return "a second deployment changes nothing"

    def refuse_wrong_properties(self) -> str:
        """A misspelt property is named: by the SDK's models, and in a trigger's JSON text by the API."""
        (timer, *_) = (each for each in self._main.triggers if each["triggerType"] == "timer")
        misspelt = timer["triggerConfig"].replace("cronExpression", "cronExpresion")
        for name, wrong in (
            ("memorysize", {"function": {**self._main.function, "memorysize": 512}}),
            ("cronExpresion", {"triggers": ({**timer, "triggerConfig": misspelt},)}),
        ):
            deploy = msgspec.structs.replace(self._main, **wrong)
            try:
                self.deployer.deploy(deploy, pack_code(self.root / deploy.code))
            except (ValueError, DaraException) as error:
                if name not in str(error):
                    raise Failed(f"the refusal of {name} does not name it: {error}") from error
            else:
                raise Failed(f"{name} was taken")
        if wrong_now := component.differences(self._main, self.deployer.ask(self._main.name)):
            raise Failed("; ".join(wrong_now))
        return "wrong properties are refused by name and change nothing"

    # --- copies ---

    def copy_by_upload(self) -> str:
        """What is put under the watched prefix is copied by the OSS trigger."""
        key = f"{self.watched}rehearsal.bin"
        self.cloud.oss_bucket(self.source).put_object(key, os.urandom(3 * MIB))
        return self._copied("OSS trigger", key, self._results("oss")[-1])

    def copy_over_http(self) -> str:
        """A signed POST to the URL that GetTrigger tells; an unsigned one is refused."""
        key = "rehearsal/http.bin"
        self.cloud.seed(self.source, key, 3 * MIB, seed=1)
        if httpx.get(self.cloud.http_trigger + "/healthz").status_code != 403:
            raise Failed("an unsigned request was let in")
        answer = self.cloud.http("POST", "/copies", json_body=self._request(key))
        if answer.status_code != 200:
            raise Failed(f"POST /copies: {answer.status_code} {answer.text}")
        return self._copied(f"POST {self.cloud.http_trigger}/copies", key, answer.json())

    def copy_by_timer(self) -> str:
        """The timer fired with a request as its payload."""
        key = "rehearsal/timer.bin"
        self.cloud.seed(self.source, key, 3 * MIB, seed=2)
        self.cloud.fire("timer", json.dumps([self._request(key)]))
        return self._copied("timer", key, self._results("timer")[-1])

    def sweep(self) -> str:
        """The sweep's own timer with its own payload."""
        self.cloud.fire("sweep")
        report = self._results("sweep")[-1]
        if report.get("failed") != 0:
            raise Failed(f"the sweep says {report}")
        return f"sweep: looked at {report['looked']}, failed 0"

    def copy_in_hops(self, deployment: Deployment) -> str:
        """An update that makes the timeout short, then a copy that needs several invocations."""
        self.deploy(deployment)
        key = "rehearsal/chain.bin"
        self.cloud.seed(self.source, key, 48 * MIB, seed=3)
        self.cloud.conditions(bandwidth_mb_s=2.0)
        request = {**self._request(key), "tuning": {"method": "multipart", "partSize": "1MiB", "parallel": 4}}
        try:
            answer = self.cloud.http("POST", "/copies", json_body=request)
            if answer.status_code != 202:
                raise Failed(f"POST /copies: {answer.status_code} {answer.text}")
            result = self._finished(answer.json()["job"])
        finally:
            self.cloud.conditions()
        if result["hops"] < 3:
            raise Failed(f"{result['hops']} hops are no chain")
        said = self._copied(f"chain of {result['hops']} hops, timeout {SHORT} s", key, result)
        if uploads := self.cloud.oss_bucket(self.target).list_multipart_uploads().upload_list:
            raise Failed(f"{len(uploads)} uploads are left")
        return said

    def _finished(self, job: str) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.cloud.http("GET", f"/copies/{job}").json()
            if found["status"] != "running":
                return found
            time.sleep(0.2)
        raise Failed(f"{job} is not done after {SECONDS} s")

    def _results(self, trigger: str) -> list[dict[str, Any]]:
        """What the invocations by this trigger have answered, once all have."""
        self.cloud.wait_idle(SECONDS)
        found = []
        for invocation in self.cloud.invocations(trigger=trigger):
            if not invocation["result"]:
                raise Failed(f"{trigger}: {invocation['outcome']} {invocation['error']}")
            answer = json.loads(invocation["result"])
            found += answer.get("results", [answer])
        if not found:
            raise Failed(f"{trigger}: nothing was invoked")
        return found

    def _request(self, key: str) -> dict[str, Any]:
        return {"source": {"bucket": self.source, "key": key}, "destination": {"bucket": self.target}}

    def _copied(self, how: str, key: str, result: Mapping[str, Any]) -> str:
        """Failed unless the copy succeeded, verified, and has the source's CRC64."""
        source, target = (
            self.cloud.oss_bucket(bucket).head_object(key).headers["x-oss-hash-crc64ecma"]
            for bucket in (self.source, self.target)
        )
        if (result["status"], result["verified"]) != ("succeeded", "crc64") or source != target:
            raise Failed(f"{how}: {json.dumps(result)}, CRC64 {source} and {target}")
        return f"{how}: {result['source']['size'] // MIB} MiB, CRC64 equal"

    def interpreters(self) -> str:
        """Under which Python the instances run: with a layer that of the runtime, if it is installed."""
        function = self._main.function
        version = function["runtime"].removeprefix("python")
        found = {Path(instance["python"]).name for instance in self.cloud.instances()}
        if function.get("layers") and home.installed(version) and found != {f"python{version}"}:
            raise Failed(f"instances run on {found}, not on python{version}")
        with_layer = "the layer" if function.get("layers") else "this environment's packages"
        return f"instances run on {', '.join(sorted(found))} with {with_layer}"


def _timeless(told: Told) -> Told:
    """Without the times, which change with every update."""

    def strip(value: dict[str, Any] | None) -> dict[str, Any] | None:
        return value and {name: each for name, each in value.items() if name != "lastModifiedTime"}

    return Told(
        strip(told.function) or {},
        tuple(strip(each) or {} for each in told.triggers),
        strip(told.asynchronous),
        told.concurrency,
    )


def layer_of(runtime: str, root: Path) -> bytes | None:
    """The layer that `make layer` has built for this runtime, if it has."""
    path = root / f"layers/sdk-{runtime.removeprefix('python')}.zip"
    return path.read_bytes() if path.exists() else None


def read(path: Path, **variables: str) -> Deployment:
    """The template, with the local account's id; `variables` are YAML."""
    return template.load(
        path,
        new_vars={"accountId": f'"{ACCOUNT_ID}"', **variables},
        extra_variables={},
        s_config={"AccountID": ACCOUNT_ID},
        shell=os.environ,
    )


def steps(rehearsal: Rehearsal, path: Path) -> dict[str, Callable[[], str]]:
    """What is rehearsed, in its order, by name."""
    return {
        "deploy": lambda: rehearsal.deploy(read(path)),
        "OSS trigger": rehearsal.copy_by_upload,
        "HTTP trigger": rehearsal.copy_over_http,
        "timer": rehearsal.copy_by_timer,
        "sweep": rehearsal.sweep,
        "layer": rehearsal.interpreters,
        "update": lambda: rehearsal.deploy_again(read(path)),
        "wrong properties": rehearsal.refuse_wrong_properties,
        "chain": lambda: rehearsal.copy_in_hops(read(path, timeout=str(SHORT))),
    }


def start(path: Path) -> LocalCloud:
    """An empty local cloud with the buckets of the template, in its region."""
    deployment = read(path)
    region = deployment.functions[0].region
    return LocalCloud(template=None, buckets=deployment.buckets, arguments=["--region", region])


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse; 1 at the first thing that fails."""
    parser = argparse.ArgumentParser(prog="make rehearse", description=__doc__)
    parser.add_argument("--template", type=Path, default=ROOT / "s.yaml", metavar="FILE")
    path = parser.parse_args(arguments).template
    console = Console(highlight=False)
    with start(path) as cloud:
        rehearsal = Rehearsal(cloud, read(path))
        for name, step in steps(rehearsal, path).items():
            begun = time.monotonic()
            try:
                said = step()
            except (Failed, DaraException, httpx.HTTPError, TimeoutError) as error:
                console.print(f"[red]failed[/] {name}: {error}", soft_wrap=True)
                return 1
            console.print(f"[green]ok[/] {time.monotonic() - begun:5.1f} s  {said}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
