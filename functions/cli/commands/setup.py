"""`make setup`: shows what a deployment lacks before `s deploy`, and makes it with `--yes` (CONFIRM=1).

Credentials come from ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and
ALIBABA_CLOUD_SECURITY_TOKEN. Nothing is ever deleted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

import msgspec

from functions.cli import template
from functions.cli.account import credentials
from functions.cli.account.buckets import Buckets
from functions.cli.account.roles import Roles
from functions.cli.account.setup_plan import Plan, plan
from functions.cli.commands import arguments, judged
from functions.cli.errors import DeployerError
from functions.cli.rights import Reach, reach
from functions.cli.template import environment


def main(given: Sequence[str] | None = None) -> int:
    """Return 0 if everything missing was shown or made, 2 if the message says what to do first."""
    options = _parser().parse_args(given)
    shell = environment.read()
    try:
        to = reach.read(options.template, dict(options.var), shell)
        planned = _plan(options, to, shell)
        print(f"{to.function} in {to.region}, account {to.account}")
        for step in planned.steps:
            if options.yes:
                step.do()
            print(f"  {'done' if options.yes else 'to do'}: {step.text}")
    except DeployerError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    for note in (*_mistakes(options, shell), *planned.notes):
        print(f"  note: {note}")
    print(_verdict(len(planned.steps), is_done=options.yes))
    return 0


def _plan(options: argparse.Namespace, to: Reach, shell: Mapping[str, str]) -> Plan:
    account = credentials.read(template.environment_of(options.template, shell))
    account = msgspec.structs.replace(
        account,
        oss_endpoint=options.oss_endpoint or account.oss_endpoint,
        ram_endpoint=options.ram_endpoint or account.ram_endpoint,
    )
    return plan(to, Buckets(account, to.region), Roles(account, to.region), options.with_part)


def _mistakes(options: argparse.Namespace, shell: Mapping[str, str]) -> list[str]:
    """Return what `make template` says of the template: setup goes by it all the same."""
    deployment = template.read(options.template, shell, dict(options.var))
    return template.rendered(options.template, deployment.places, judged.find_mistakes(deployment))


def _verdict(count: int, *, is_done: bool) -> str:
    if not count:
        return "nothing to do: all is there"
    return f"{count} done" if is_done else f"{count} to do, nothing done yet: `make setup CONFIRM=1` does it"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.cli.commands.setup", description=__doc__)
    arguments.add(parser)
    parser.add_argument("--yes", action="store_true", help="do it; without, it is only shown")
    parser.add_argument("--oss-endpoint", metavar="URL", help="default: that of the region")
    parser.add_argument("--ram-endpoint", metavar="URL", help="default: https://ram.aliyuncs.com")
    return parser


if __name__ == "__main__":
    sys.exit(main())
