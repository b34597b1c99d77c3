"""What is looked at, and set right, after `s` has run: the `s` tool exits 0 for much that it has not done.

The component of `s` (fc3 0.1.22) catches every error of `remove`; its UpdateTrigger carries no source, so a
trigger stays on its old bucket; and it leaves what has gone from s.yaml. Here FC is asked, and what it has is
compared (`differences`) and changed through its own SDK. How `s` is run it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from darabonba.exceptions import DaraException

from functions.cli.account import differences
from functions.cli.account.credentials import Refusal
from functions.cli.account.differences import Difference, Fixed, Json, Stays, Told
from functions.cli.template.reading import Deployment

Say = Callable[[str], None]


def ask(client: Client, name: str) -> Told:
    """Everything FC tells of a function; Refusal with its words if it does not tell."""
    try:
        function = _found(lambda: client.get_function(name, models.GetFunctionRequest()))
        if function is None:
            return Told(None)
        return Told(
            function,
            tuple(_triggers(client, name)),
            _found(lambda: client.get_async_invoke_config(name, models.GetAsyncInvokeConfigRequest())),
            _found(lambda: client.get_concurrency_config(name)),
        )
    except DaraException as error:
        raise Refusal(f"FC does not tell what it has of {name}: {error.code}: {error.message}") from error


def compare(client: Client, deployment: Deployment) -> list[Difference]:
    """Where FC has something else than the template says, function by function."""
    return [
        each
        for name, function in deployment.resources.items()
        for each in differences.of(function, deployment.props[name], ask(client, function.function_name))
    ]


def mend(client: Client, deployment: Deployment, found: Iterable[Difference], say: Say) -> None:
    """Delete and create the triggers that no update sets right; Refusal if FC refuses."""
    said = {
        (props["functionName"], trigger["triggerName"]): trigger
        for props in deployment.props.values()
        for trigger in props.get("triggers", ())
    }
    for each in found:
        if isinstance(each, Fixed):
            say(f"{each}; no update changes that: the trigger is deleted and created")
            _renew(client, each, said[each.function, each.trigger])


def prune(client: Client, found: Iterable[Difference], say: Say) -> None:
    """Take away what s.yaml no longer says; Refusal if FC refuses."""
    for each in found:
        if isinstance(each, Stays):
            say(f"{each}: taken away")
            _carried_out(f"{each.function}: {each.place}", lambda: _take_away(client, each))  # noqa: B023 - called at once


def left(client: Client, deployment: Deployment) -> list[str]:
    """The functions that FC still has, with their triggers; Refusal if it does not tell."""
    return list(_left(client, deployment))


def _left(client: Client, deployment: Deployment) -> Iterator[str]:
    for function in deployment.functions:
        told = ask(client, function.function_name)
        if told.function is not None:
            triggers = ", ".join(sorted(str(each.get("triggerName")) for each in told.triggers))
            yield f"function {function.function_name}" + (
                f" with its triggers {triggers}" if triggers else ""
            )


def _triggers(client: Client, name: str) -> Iterator[Json]:
    """Rules of EventBridge that others have made are listed with a `|` in their names: not ours."""
    token: str | None = None
    while True:
        page = client.list_triggers(name, models.ListTriggersRequest(limit=100, next_token=token)).body
        yield from (each.to_map() for each in page.triggers or () if "|" not in (each.trigger_name or ""))
        token = page.next_token
        if not token:
            return


def _renew(client: Client, fixed: Fixed, wanted: Json) -> None:
    """What was there is put back if FC does not take what is wanted."""
    function, place = fixed.function, f"{fixed.function}: triggers.{fixed.trigger}"
    given = {**wanted, "triggerConfig": json.dumps(wanted["triggerConfig"])}
    old = _carried_out(place, lambda: client.get_trigger(function, fixed.trigger)).body.to_map()
    _carried_out(place, lambda: client.delete_trigger(function, fixed.trigger))
    try:
        _carried_out(place, lambda: _create(client, function, given))
    except Refusal as error:
        _carried_out(f"{error}; and what was there is gone", lambda: _create(client, function, old))
        raise Refusal(f"{error}; the trigger is what it was before") from error


def _create(client: Client, function: str, given: Json) -> None:
    body = models.CreateTriggerInput().from_map(given)
    client.create_trigger(function, models.CreateTriggerRequest(body=body))


def _take_away(client: Client, stays: Stays) -> None:
    match stays.place:
        case "asyncInvokeConfig":
            asked = models.DeleteAsyncInvokeConfigRequest(qualifier="LATEST")
            client.delete_async_invoke_config(stays.function, asked)
        case "concurrencyConfig":
            client.delete_concurrency_config(stays.function)
        case place:
            client.delete_trigger(stays.function, place.removeprefix("triggers."))


def _carried_out(place: str, do: Callable[[], Any]) -> Any:  # noqa: ANN401 - the SDK's answers carry no common type
    try:
        return do()
    except DaraException as error:
        raise Refusal(f"{place}: {error.code}: {error.message}") from error


def _found(request: Callable[[], Any]) -> Json | None:
    """The answer's body, or None for a 404."""
    try:
        told: Json = request().body.to_map()
    except DaraException as error:
        if getattr(error, "status_code", None) != 404:
            raise
        return None
    return told
