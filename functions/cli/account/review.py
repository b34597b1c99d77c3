"""Compares the functions that FC has with the template, and sets right what can be.

`s` exits 0 for much that it has not done. Its component (fc3 0.1.22) catches every error of `remove`; its
UpdateTrigger carries no source, so that a trigger stays on its old bucket; and it leaves what has gone from
s.yaml. So FC is asked here, through its own SDK. This module must not know how `s` is run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client

from functions.cli.account import differences
from functions.cli.account.differences import Difference, FunctionInFc, Json, NeedsRecreation, OnlyInFc
from functions.cli.account.sdk_errors import asking_fc, body_of, found_in_fc
from functions.cli.errors import NoAnswer, ServiceRefused
from functions.cli.template import Deployment

Say = Callable[[str], None]


def ask(client: Client, name: str) -> FunctionInFc:
    """Return everything that FC has of a function."""
    with asking_fc(f"FC does not tell what it has of {name}"):
        function = found_in_fc(client.get_function, name, models.GetFunctionRequest())
        if function is None:
            return FunctionInFc(None)
        asynchronous = found_in_fc(client.get_async_invoke_config, name, models.GetAsyncInvokeConfigRequest())
        concurrency = found_in_fc(client.get_concurrency_config, name)
        return FunctionInFc(
            function.to_map(),
            tuple(_triggers(client, name)),
            asynchronous and asynchronous.to_map(),
            concurrency and concurrency.to_map(),
        )


def compare(client: Client, deployment: Deployment) -> list[Difference]:
    """Return every difference between FC and the template, function by function."""
    return [
        each
        for name, function in deployment.resources.items()
        for each in differences.find_differences(
            function, deployment.props[name], ask(client, function.function_name)
        )
    ]


def mend(client: Client, deployment: Deployment, found: Iterable[Difference], say: Say) -> None:
    """Delete and create the triggers that no update sets right."""
    as_written = {
        (props["functionName"], trigger["triggerName"]): trigger
        for props in deployment.props.values()
        for trigger in props.get("triggers", ())
    }
    for each in found:
        if isinstance(each, NeedsRecreation):
            say(f"{each}; no update changes that: the trigger is deleted and created")
            _renew(client, each, as_written[each.function, each.trigger])


def prune(client: Client, found: Iterable[Difference], say: Say) -> None:
    """Delete everything that s.yaml no longer has."""
    for each in found:
        if isinstance(each, OnlyInFc):
            say(f"{each}: taken away")
            with asking_fc(f"{each.function}: {each.place}"):
                _delete(client, each)


def remaining(client: Client, deployment: Deployment) -> list[str]:
    """Return a line for each function that FC still has, with its triggers."""
    lines = []
    for function in deployment.functions:
        seen = ask(client, function.function_name)
        if seen.function is not None:
            triggers = ", ".join(sorted(str(each.get("triggerName")) for each in seen.triggers))
            lines.append(
                f"function {function.function_name}" + (triggers and f" with its triggers {triggers}")
            )
    return lines


def _triggers(client: Client, name: str) -> Iterator[Json]:
    """Yield the triggers. FC lists rules of EventBridge that others have made with a `|` in their names."""
    token: str | None = None
    while True:
        page = body_of(client.list_triggers, name, models.ListTriggersRequest(limit=100, next_token=token))
        yield from (each.to_map() for each in page.triggers or () if "|" not in (each.trigger_name or ""))
        token = page.next_token
        if not token:
            return


def _renew(client: Client, outdated: NeedsRecreation, wanted: Json) -> None:
    """Replace a trigger, and put the old one back if FC refuses the new one.

    Without an answer nobody knows whether FC has the new one: the next deploy creates it if need be.
    """
    function, place = outdated.function, f"{outdated.function}: triggers.{outdated.trigger}"
    given = {**wanted, "triggerConfig": json.dumps(wanted["triggerConfig"])}
    with asking_fc(place):
        old = body_of(client.get_trigger, function, outdated.trigger).to_map()
        client.delete_trigger(function, outdated.trigger)
    try:
        with asking_fc(place):
            _create(client, function, given)
    except ServiceRefused as error:
        with asking_fc(f"{error}; and the old trigger is gone"):
            _create(client, function, old)
        raise ServiceRefused(f"{error}; the trigger is what it was before") from error
    except NoAnswer as error:
        text = "the old trigger is deleted, and the new one may be missing until then"
        raise NoAnswer(f"{error}; {text}") from error


def _create(client: Client, function: str, given: Json) -> None:
    body = models.CreateTriggerInput().from_map(given)
    client.create_trigger(function, models.CreateTriggerRequest(body=body))


def _delete(client: Client, extra: OnlyInFc) -> None:
    match extra.place:
        case "asyncInvokeConfig":
            asked = models.DeleteAsyncInvokeConfigRequest(qualifier="LATEST")
            client.delete_async_invoke_config(extra.function, asked)
        case "concurrencyConfig":
            client.delete_concurrency_config(extra.function)
        case place:
            client.delete_trigger(extra.function, place.removeprefix("triggers."))
