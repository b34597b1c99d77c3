"""The commands of a deployer: `make template`, `deploy`, `remove`, `logs`, `invoke` and `copy` call this.

It reads the command line, puts the other modules together and says what came of it: exit code 1 and one
sentence for whatever cannot be done.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from functions.cli.account import api as copies
from functions.cli.account import credentials as account
from functions.cli.account import layer, leftovers, review
from functions.cli.account.api import Failure
from functions.cli.account.credentials import Refusal
from functions.cli.account.differences import Stays
from functions.cli.template import environment, mistakes
from functions.cli.template import reading as template
from functions.cli.template.props import HttpTrigger
from functions.cli.template.reading import ROOT, Deployment, TemplateError
from functions.cli.tool import answers, masking
from functions.cli.tool import program as tool

SHOWN = 20  # of what would be left behind


def main() -> int:
    """Run one command; its exit code."""
    options = _parse()
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    run: Callable[[argparse.Namespace, Console], int] = options.run
    try:
        return run(options, console)
    except (Refusal, Failure, TemplateError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False).print(
            f"error: {error}"
        )
        return 1


def check(options: argparse.Namespace, console: Console) -> int:
    """Judge the template: ours, the models of FC's SDK, and the genuine tool."""
    given = {"AccountID": tool.MADE_UP_ACCOUNT, **environment.read()}
    deployment = _judged(options.template, given, console)
    start = tool.command(options.tool)
    names = {"AccountID", "FC_REGION", *deployment.asked, *environment.mentioned(deployment.files)}
    variables = {name: given[name] for name in names & given.keys()}
    shown: Any = tool.preview(start, options.template, variables)
    for name, props in deployment.props.items():
        seen = shown["resources"][name]["props"]
        differing = sorted(key for key in {*props, *seen} if props.get(key) != seen.get(key))
        if differing:
            raise Refusal(f"resources.{name}.props: s resolves {', '.join(differing)} otherwise than we do")
    count = len(deployment.resources)
    console.print(f"{options.template.name}: {count} resource(s) right; s preview resolves the same")
    if options.schema and options.schema.is_file():
        tool.verify(start, options.template, options.schema, variables)
        console.print(f"{options.template.name}: s verify passed")
    else:
        console.print("s verify left out: the component's schema is not here (FC3_SCHEMA names it)")
    return 0


def deploy(options: argparse.Namespace, console: Console) -> int:
    """Check, build and publish the layer as needed, `s deploy`, then compare what FC has with s.yaml."""
    given = _account(options.template)
    deployment = _judged(options.template, environment.read(), console, is_final=True)
    tool.command(options.tool)  # before anything is published: whether there is one
    function = deployment.main
    variables: dict[str, str] = {}
    if any(f":layers/{layer.NAME}/" in arn for arn in function.layers):
        published = _publish(given, deployment, options.layers, console)
        variables["OSS_COPY_LAYER_VERSION"] = str(published.version)
        deployment = template.read(options.template, {**environment.read(), **variables})
        if any(published.arn not in each.layers for each in deployment.functions):
            raise Refusal(f"layers: the template does not name {published.arn}, which was published")
    arguments = ["deploy", "-y", "-t", str(options.template), *options.arguments]
    if code := _passed_on(options, given, deployment, arguments, variables).code:
        return code
    _review(given, deployment, console, is_pruned=options.prune)
    return 0


def remove(options: argparse.Namespace, console: Console) -> int:
    """Say what would be left behind, then `s remove`, and ask FC whether it is gone."""
    given = _account(options.template)
    deployment = template.read(options.template, environment.read())
    left = leftovers.find(given, deployment.main)
    for line in left[:SHOWN]:
        console.print(line, markup=False)
    if len(left) > SHOWN:
        console.print(f"... and {len(left) - SHOWN} more")
    if left and not options.confirm:
        raise Refusal(
            f"{len(left)} would never be ended without the function; wait, cancel them, or say CONFIRM=1"
        )
    arguments = ["remove", "-y", "-t", str(options.template), *options.arguments]
    code = _passed_on(options, given, deployment, arguments).code
    client = given.fc(deployment.main.region, deployment.account)
    if still := review.left(client, deployment):
        raise Refusal("not removed, whatever s says:\n       " + "\n       ".join(still))
    if code == 0:
        console.print("removed; left in the account: the buckets, the layer, the roles")
    return code


def logs(options: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - as all commands
    """`s logs` of the function that copies."""
    return _of_the_function(options, ["logs", *options.arguments]).code


def invoke(options: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - as all commands
    """`s invoke` of the function that copies with an event, or with the file that `@` names."""
    event = options.event
    if not event:
        raise Refusal('give EVENT=\'{"action": "sweep"}\' or EVENT=@file')
    given = ["--event", event]
    if event.startswith("@"):
        path = Path(event[1:]).resolve()
        if not path.is_file():
            raise Refusal(f"there is no file {event[1:]}")
        given = ["--event-file", str(path)]
    done = _of_the_function(options, ["invoke", *given, *options.arguments])
    if done.code == 0 and (failure := answers.failure(done.output)):
        raise Refusal(failure)
    return done.code


def copy(options: argparse.Namespace, console: Console) -> int:
    """Ask the HTTP trigger for a copy and show it until it is done."""
    given = _account(options.template)
    (bucket, key), (to_bucket, to_key) = copies.read_url(options.source), copies.read_url(options.destination)
    destination = {"bucket": to_bucket, **({"key": to_key} if to_key else {})}
    request = {"source": {"bucket": bucket, "key": key}, "destination": destination}
    url = options.url or _trigger_url(given, options.template)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True),
               TransferSpeedColumn(), TimeRemainingColumn())  # fmt: skip
    with httpx.Client() as http, Progress(*columns, console=console) as progress:
        bar = progress.add_task(key, total=None)
        for result in copies.Api(url, given, http).follow(request, options.pause):
            done = result["bytesDone"] if result["status"] == "running" else result["source"]["size"]
            progress.update(bar, total=result["source"]["size"], completed=done or 0)
    target = result["destination"]
    console.print(
        f"{result['status']}: oss://{target['bucket']}/{target['key']}, {target['size']} bytes, "
        f"verified by {result['verified']}, job {result['job']}",
        markup=False,
    )
    return 0


# --- shared by the commands ---


def _judged(path: Path, given: Mapping[str, str], console: Console, *, is_final: bool = False) -> Deployment:
    """The template; Refusal with all mistakes, each with its line. `is_final`: it is to be deployed now."""
    read: Deployment | None = None
    try:
        read = template.read(path, given)
        found, places = mistakes.find(read), read.places
    except TemplateError as error:
        if error.places is None:
            raise
        found, places, read = mistakes.all_of(error), error.places, error.repaired
    ours = mistakes.placeholders(read) if read else []
    wrong = [each for each in found if each.is_error] + (ours if is_final else [])
    told = template.rendered(path, places, wrong)
    for line in template.rendered(path, places, [*found, *ours]):
        if line not in told:
            console.print(f"warning: {line}", markup=False)
    if wrong or read is None:
        raise Refusal("\n       ".join(told))
    return read


def _account(path: Path) -> account.Account:
    """Whose account it is, by the environment and the template's `.env` files.

    Refusal if these files name credentials for `s`, which would take them in place of those that we take.
    """
    own = environment.read()
    found = template.environment_of(path, own)
    if taken := [name for name in account.TOOL_PAIR if name in found and name not in own]:
        raise Refusal(f".env sets {', '.join(taken)}, which only `s` reads: take it out")
    return account.read(found)


def _publish(
    given: account.Account, deployment: Deployment, layers: Path, console: Console
) -> layer.Published:
    function = deployment.main
    version = function.runtime.removeprefix("python")
    archive, lock = layers / f"sdk-{version}.zip", layers / "sdk" / "requirements.txt"
    if not archive.is_file() or archive.stat().st_mtime < lock.stat().st_mtime:
        build = [sys.executable, str(layers / "sdk" / "build.py"), "--python", version]
        if subprocess.run(build, check=False).returncode:
            raise Refusal("the layer could not be built")
    client = given.fc(function.region, deployment.account)
    published = layer.publish(client, archive, function.runtime)
    console.print(f"layer {published.arn}: {'published' if published.new else 'holds the same already'}")
    return published


def _passed_on(
    options: argparse.Namespace,
    given: account.Account,
    deployment: Deployment,
    arguments: Sequence[str],
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tool.Run:
    """Run the tool with these credentials; what it shows of secrets is masked."""
    environ = {**given.tool_environment(deployment.account), **variables}
    if tool.is_debugged(arguments, template.environment_of(options.template, environment.read())):
        environ["FC_CLIENT_CUSTOM_ENDPOINT"] = given.fc_url(deployment.main.region, deployment.account)
    return tool.pass_on(tool.command(options.tool), arguments, environ, masking.mask(given, deployment))


def _of_the_function(options: argparse.Namespace, arguments: list[str]) -> tool.Run:
    """Run the tool for the function that copies alone."""
    given = _account(options.template)
    deployment = template.read(options.template, environment.read())
    call = [deployment.main_resource, *arguments, "-t", str(options.template)]
    return _passed_on(options, given, deployment, call)


def _review(given: account.Account, deployment: Deployment, console: Console, *, is_pruned: bool) -> None:
    """Compare what FC has, set right what can be; Refusal with what still differs."""
    client = given.fc(deployment.main.region, deployment.account)
    found = review.compare(client, deployment)
    if found:
        say = partial(console.print, markup=False)
        review.mend(client, deployment, found, say)
        if is_pruned:
            review.prune(client, found, say)
        found = review.compare(client, deployment)
    if found:
        stays = any(isinstance(each, Stays) for each in found)
        advice = "\n       `make deploy PRUNE=1` takes away what s.yaml does not say" if stays else ""
        told = "\n       ".join(map(str, found))
        raise Refusal(f"deployed, but FC has something else than s.yaml:\n       {told}{advice}")
    console.print("FC has what s.yaml says")


def _trigger_url(given: account.Account, path: Path) -> str:
    deployment = template.read(path, environment.read())
    function = deployment.main
    for trigger in function.triggers:
        if isinstance(trigger, HttpTrigger):
            client = given.fc(function.region, deployment.account)
            return copies.find_trigger(client, function.function_name, trigger.trigger_name)
    raise Refusal(f"{path.name} has no HTTP trigger: give URL=...")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m functions.cli", description=__doc__)
    parser.add_argument("--template", type=lambda text: Path(text).resolve(), default=ROOT / "s.yaml")
    parser.add_argument("--layers", type=Path, default=ROOT / "layers", help="where they are built")
    parser.add_argument("--tool", help="the program to run as `s` (default: the installed one)")
    commands = parser.add_subparsers(required=True)

    def add(run: Callable[..., int]) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        return command

    add(check).add_argument("--schema", type=Path, help="the fc3 component's schema.json")
    removing = add(remove)
    removing.add_argument("--confirm", action="store_true", help="whatever is left behind")
    invoking = add(invoke)
    invoking.add_argument("event", help="the event, or @file")
    deploying = add(deploy)
    deploying.add_argument("--prune", action="store_true", help="take away what s.yaml no longer says")
    for command in (deploying, removing, add(logs), invoking):
        command.add_argument("arguments", nargs="*", help="passed on to s")
    copying = add(copy)
    copying.add_argument("source", help="oss://bucket/key")
    copying.add_argument("destination", help="oss://bucket/key, or oss://bucket for the same key")
    copying.add_argument("--url", help="of the HTTP trigger (default: FC is asked)")
    copying.add_argument("--pause", type=float, default=1.0, help="seconds between two looks (1)")
    installing = commands.add_parser("install", help="install the `s` tool")
    installing.set_defaults(run=_install)
    return parser.parse_args()


def _install(options: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - as all commands
    try:
        tool.install()
    except subprocess.CalledProcessError as error:
        raise Refusal(f"{error.cmd[0]} ended with {error.returncode}") from error
    return 0


if __name__ == "__main__":
    sys.exit(main())
