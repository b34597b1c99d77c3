"""Deploys through the FC 3.0 SDK, in the order and by the ways of the fc3 component (0.1.22).

As the component, it leaves triggers and asynchronous settings that are not wanted any more, and its update of
a trigger carries no source. Unlike the component, it raises where that passes over what it may not look at.
`component` says what is sent; here it is sent, whether to this host or to FC. Code goes through the object
storage that tempBucketToken names, as `s deploy` sends it, a layer inside its request.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import fc2
import oss2
from alibabacloud_fc20230330 import models
from darabonba.exceptions import DaraException

from tests.cloud.fc.component import Deploy, Json, Told

TOKEN_PATH = "/2016-08-15/tempBucketToken"


class Deployer:
    """`client` is the SDK's, `old` fetches the token, `oss` is where code goes, `account` whose it is."""

    def __init__(self, client: Any, old: fc2.Client, oss: str, region: str, account: str) -> None:
        self._client = client
        self._old = old
        self._oss = oss
        self._region = region
        self._account = account

    def publish_layer(self, name: str, archive: bytes, runtimes: list[str]) -> str:
        """A new version of this layer; its ARN."""
        code = models.InputCodeLocation(zip_file=base64.b64encode(archive).decode())
        body = models.CreateLayerVersionInput(code=code, compatible_runtime=runtimes)
        request = models.CreateLayerVersionRequest(body=body)
        return str(self._client.create_layer_version(name, request).body.layer_version_arn)

    def deploy(self, wanted: Deploy, archive: bytes | None) -> Told:
        """Create or update the function, its triggers and settings; what the API tells of it then.

        Without an archive it keeps its code.
        """
        self._function(wanted, self.upload(archive) if archive is not None else None)
        for trigger in wanted.triggers:
            self._trigger(wanted.name, trigger)
        if wanted.asynchronous:
            settings = models.PutAsyncInvokeConfigInput().from_map(wanted.asynchronous)
            self._client.put_async_invoke_config(
                wanted.name, models.PutAsyncInvokeConfigRequest(body=settings, qualifier="LATEST")
            )
        if wanted.concurrency is None:
            if _found(lambda: self._client.get_concurrency_config(wanted.name)) is not None:
                self._client.delete_concurrency_config(wanted.name)
        else:
            limit = models.PutConcurrencyInput().from_map(wanted.concurrency)
            self._client.put_concurrency_config(wanted.name, models.PutConcurrencyConfigRequest(body=limit))
        return self.ask(wanted.name)

    def update_code(self, name: str, archive: bytes) -> None:
        """New code and nothing else."""
        body = models.UpdateFunctionInput().from_map({"code": self.upload(archive)})
        self._client.update_function(name, models.UpdateFunctionRequest(body=body))

    def remove(self, name: str) -> None:
        """A function with all that hangs on it, in the order of the component.

        Unlike the component, which passes over what it may not look at, this raises.
        """
        client = self._client
        client.get_function(name, models.GetFunctionRequest())
        limit = _found(lambda: client.get_concurrency_config(name))
        triggers = client.list_triggers(name, models.ListTriggersRequest(limit=10)).body.triggers
        asked = models.ListAsyncInvokeConfigsRequest(function_name=name, limit=100)
        configs = client.list_async_invoke_configs(asked).body.configs
        if any(each.destination_config.to_map() for each in configs):  # others go with the function
            client.delete_async_invoke_config(name, models.DeleteAsyncInvokeConfigRequest(qualifier="LATEST"))
        for each in triggers:
            client.delete_trigger(name, each.trigger_name)
        if limit is not None:
            client.delete_concurrency_config(name)
        client.delete_function(name)

    def ask(self, name: str) -> Told:
        """Everything the API tells of a function."""
        client = self._client
        listed = client.list_triggers(name, models.ListTriggersRequest(limit=100)).body.triggers
        return Told(
            function=client.get_function(name, models.GetFunctionRequest()).body.to_map(),
            triggers=tuple(client.get_trigger(name, each.trigger_name).body.to_map() for each in listed),
            asynchronous=_found(
                lambda: client.get_async_invoke_config(name, models.GetAsyncInvokeConfigRequest())
            ),
            concurrency=_found(lambda: client.get_concurrency_config(name)),
        )

    def upload(self, archive: bytes) -> Json:
        """Put a package where the service says; the `code` that names it."""
        answer = self._old._do_request(  # noqa: SLF001 - fc2 has no method for it; @alicloud/fc2 of npm has
            "GET",
            TOKEN_PATH,
            self._old._build_common_headers("GET", TOKEN_PATH, {}),  # noqa: SLF001 - there is no public way to it
        )
        token = answer.json()
        keys = token["credentials"]
        auth = oss2.StsAuth(
            keys["AccessKeyId"], keys["AccessKeySecret"], keys["SecurityToken"], auth_version="v4"
        )
        bucket = oss2.Bucket(auth, self._oss, token["ossBucket"], region=self._region)
        key = f"{self._account}/{token['objectName']}"
        bucket.put_object(key, archive)
        return {"ossBucketName": token["ossBucket"], "ossObjectName": key}

    def _function(self, wanted: Deploy, code: Json | None) -> None:
        given = {**wanted.function, **({"code": code} if code else {})}
        if _found(lambda: self._client.get_function(wanted.name, models.GetFunctionRequest())) is None:
            body = models.CreateFunctionInput().from_map(given)
            _check(given, body)
            self._client.create_function(models.CreateFunctionRequest(body=body))
            return
        change = {name: value for name, value in given.items() if name not in {"functionName", "tags"}}
        update = models.UpdateFunctionInput().from_map(change)
        _check(change, update)
        self._client.update_function(wanted.name, models.UpdateFunctionRequest(body=update))

    def _trigger(self, name: str, trigger: Json) -> None:
        given = models.CreateTriggerInput().from_map(trigger)
        _check(trigger, given)
        if _found(lambda: self._client.get_trigger(name, trigger["triggerName"])) is None:
            self._client.create_trigger(name, models.CreateTriggerRequest(body=given))
            return
        update = models.UpdateTriggerInput().from_map(trigger)
        self._client.update_trigger(name, trigger["triggerName"], models.UpdateTriggerRequest(body=update))


def _found(ask: Callable[[], Any]) -> Json | None:
    """The answer's body, or None for a 404."""
    try:
        told: Json = ask().body.to_map()
    except DaraException as error:
        if getattr(error, "status_code", None) != 404:
            raise
        return None
    return told


def _check(given: Json, model: Any) -> None:
    """ValueError names what the SDK's model does not know: it would drop that in silence."""
    if lost := _lost(given, model.to_map()):
        raise ValueError(f"the FC 3.0 SDK has no property `{lost[0]}`")


def _lost(given: Json, sent: Json, where: str = "") -> list[str]:
    lost = [where + name for name in given if name not in sent]
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(sent.get(name), dict):
            lost += _lost(value, sent[name], f"{where}{name}.")
    return lost
