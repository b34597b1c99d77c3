"""What the control API asks RAM for before it does something: actions and resources, as values.

It neither evaluates nor knows policies. Source: the table of actions and resources in "Policies and sample
policies" of FC 3.0; what that leaves open is a guess and marked with (?).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

_ONE, _TRIGGER = "functions/{function}", "functions/{function}/triggers/{trigger}"
_LAYER = "layers/{layer}/versions/"
# Every operation of the control API. `{…}` is named by the request: in its path, its query or its body.
RESOURCES: Mapping[str, str] = {
    "CreateFunction": _ONE,
    "ListFunctions": "functions/*",
    "GetFunction": _ONE,
    "UpdateFunction": _ONE,
    "DeleteFunction": _ONE,
    "CreateTrigger": _TRIGGER,
    "ListTriggers": "functions/{function}/triggers/*",
    "GetTrigger": _TRIGGER,
    "UpdateTrigger": _TRIGGER,
    "DeleteTrigger": _TRIGGER,
    "PutAsyncInvokeConfig": _ONE,
    "GetAsyncInvokeConfig": _ONE,
    "DeleteAsyncInvokeConfig": _ONE,
    "ListAsyncInvokeConfigs": _ONE,  # without a function: async-invoke-configs/*
    "PutConcurrencyConfig": _ONE,
    "GetConcurrencyConfig": _ONE,
    "DeleteConcurrencyConfig": _ONE,
    "ListVpcBindings": _ONE,
    "GetScalingConfig": _ONE,
    "ListScalingConfigs": _ONE,  # (?) as those of asynchronous settings
    "GetProvisionConfig": _ONE,
    "ListProvisionConfigs": _ONE,  # (?)
    "ListAliases": _ONE,
    "ListFunctionVersions": _ONE,
    "CreateLayerVersion": _LAYER + "*",
    "ListLayerVersions": _LAYER + "*",
    "GetLayerVersion": _LAYER + "{version}",
    "DeleteLayerVersion": _LAYER + "{version}",
    "GetTempBucketToken": "tempBucketToken",  # (?) documented nowhere, neither action nor resource
}
# Actions that the table calls otherwise than the API calls the operation. Every other action has the name of
# its operation, so these may have it too (?): both are asked for, and who is to pass on FC needs both.
ALSO: Mapping[str, str] = {
    "PutAsyncInvokeConfig": "PutFunctionAsyncInvokeConfig",
    "GetAsyncInvokeConfig": "GetFunctionAsyncInvokeConfig",
    "DeleteAsyncInvokeConfig": "DeleteFunctionAsyncInvokeConfig",
    "ListAsyncInvokeConfigs": "ListFunctionAsyncInvokeConfigs",
}


class Need(msgspec.Struct, frozen=True):
    action: str
    resource: str


class _Said(msgspec.Struct, frozen=True, rename="camel"):
    """What of a body matters here."""

    function_name: str | None = None
    trigger_name: str | None = None
    role: str | None = None
    invocation_role: str | None = None


def needs(
    operation: str, path: Mapping[str, str], query: Mapping[str, str], body: bytes, arn: str
) -> Iterator[Need]:
    """Everything the caller must be allowed to; `arn` is what the ARNs of this host begin with.

    Whoever hands over a role needs ram:PassRole on it: FC's sample policies say so of both kinds of role.
    """
    said = _read(body)
    names = {
        "function": path.get("function") or query.get("functionName") or said.function_name or "",
        "trigger": path.get("trigger") or said.trigger_name or "",
        "layer": path.get("layer", ""),
        "version": path.get("version", ""),
    }
    resource = RESOURCES[operation].format_map(names)
    if operation == "ListAsyncInvokeConfigs" and not names["function"]:
        resource = "async-invoke-configs/*"
    for action in (operation, ALSO.get(operation)):
        if action:
            yield Need(f"fc:{action}", arn + resource)
    if role := said.role or said.invocation_role:
        yield Need("ram:PassRole", role)


def _read(body: bytes) -> _Said:
    """The body if it is what it should be; if not, the operation refuses it by itself."""
    try:
        return msgspec.json.decode(body, type=_Said)
    except msgspec.DecodeError:
        return _Said()
