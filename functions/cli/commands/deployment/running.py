"""Runs `s` for a command: in the account of the deployer, with secrets masked."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from functions.cli import template
from functions.cli.account import credentials
from functions.cli.account.credentials import TOOL_PAIR, Account
from functions.cli.errors import TemplateError
from functions.cli.template import Deployment, environment
from functions.cli.tool import masking, program


class Call(msgspec.Struct, frozen=True):
    """The template, the program to run as `s`, and where that speaks."""

    template: Path
    tool: str | None = None
    is_quiet: bool = False  # standard output is for JSON


def read_account(path: Path) -> Account:
    """Return the account that the environment and the template's `.env` files name.

    Raise TemplateError if these files name credentials for `s`, which it would take instead of ours.
    """
    own = environment.read()
    found = template.environment_of(path, own)
    if taken := [name for name in TOOL_PAIR if name in found and name not in own]:
        raise TemplateError(f".env sets {', '.join(taken)}, which only `s` reads: take it out")
    return credentials.read(found)


def run_tool(
    call: Call,
    account: Account,
    deployment: Deployment,
    arguments: Sequence[str],
    variables: Mapping[str, str] = MappingProxyType({}),
) -> program.Run:
    """Run `s` with these arguments and credentials, and show its output."""
    environ = {**account.tool_environment(deployment.account), **variables}
    if program.would_use_plain_http(arguments, template.environment_of(call.template, environment.read())):
        environ["FC_CLIENT_CUSTOM_ENDPOINT"] = account.fc_url(deployment.main.region, deployment.account)
    mask = masking.mask(account.secrets, deployment)
    out = sys.stderr if call.is_quiet else sys.stdout
    return program.pass_on(program.ready(call.tool), arguments, environ, mask, out)
