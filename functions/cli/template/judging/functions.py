"""Judges one function by itself: its places, its powers, its endpoints. Knows no settings of the product."""

from __future__ import annotations

from collections.abc import Iterator

from functions.cli.template.endpoints import is_in_clear
from functions.cli.template.mistake import Mistake
from functions.cli.template.props import ROLE, TRIGGER_ROLE, Function, OssTrigger, account_of

_OFFICIAL = "official"  # in place of an account: the layers of Function Compute itself


def judge_function(function: Function) -> Iterator[Mistake]:
    """Yield every mistake; paths are those below the function's properties."""
    account = account_of(function.role)
    for trigger in function.triggers:
        if isinstance(trigger, OssTrigger):
            yield from _source(trigger, function.region, account)
            yield from _invocation_role(trigger, account)
    for arn in function.layers:
        if arn.split(":")[:3] != ["acs", "fc", function.region]:
            yield Mistake("layers", f"{arn} does not lie in the region {function.region}")
        elif arn.split(":")[3] not in {account, _OFFICIAL}:
            text = f"{arn} is of another account, whose code would run with the function's role"
            yield Mistake("layers", text)
    yield from _powers(function)
    yield from _endpoints(function)


def _source(trigger: OssTrigger, own_region: str, own_account: str) -> Iterator[Mistake]:
    """Judge a trigger's source: OSS and FC pass nothing on to another region or account."""
    at = f"triggers.{trigger.trigger_name}.sourceArn"
    _, _, region, account, _ = trigger.source_arn.split(":")
    if region != own_region:
        yield Mistake(at, f"{region} is not the region {own_region}")
    if account != own_account:
        yield Mistake(at, f"{account} is not the account of `role`")


def _invocation_role(trigger: OssTrigger, account: str) -> Iterator[Mistake]:
    """Judge the role that OSS assumes: RAM ignores the case of its name, and ARNs have it in lower case."""
    at, wanted = f"triggers.{trigger.trigger_name}.invocationRole", TRIGGER_ROLE.lower()
    role = ROLE.fullmatch(trigger.invocation_role)
    if role is None:
        yield Mistake(at, f"{trigger.invocation_role!r} is not of the form acs:ram::ACCOUNT:role/NAME")
        return
    if role["account"] != account:
        yield Mistake(at, "not of the account of `role`")
    if role["name"].lower() != wanted:
        yield Mistake(
            at, f"`oss-copy setup` makes no role {role['name']}: name {wanted}, by which OSS may invoke"
        )


def _powers(function: Function) -> Iterator[Mistake]:
    if ROLE.fullmatch(function.role) is None:
        text = "without a role (acs:ram::<account>:role/<name>) the function has no credentials"
        yield Mistake("role", text)
    if not function.layers:
        yield Mistake("layers", "without the layer the function cannot be imported")
    if not function.async_invoke_config.async_task:
        text = "must be true, or two chains of one copy are not kept apart"
        yield Mistake("asyncInvokeConfig.asyncTask", text)
    if function.concurrency_config and function.concurrency_config.reserved_concurrency == 0:
        yield Mistake("concurrencyConfig.reservedConcurrency", "0 lets nothing run")


def _endpoints(function: Function) -> Iterator[Mistake]:
    """Judge endpoints: requests to them carry the token of the role."""
    for name in ("OSS_ENDPOINT", "INVOKE_ENDPOINT"):
        if is_in_clear(function.environment_variables.get(name, "")):
            text = "is not https: whoever is on the way reads the role's token"
            yield Mistake(f"environmentVariables.{name}", text)
