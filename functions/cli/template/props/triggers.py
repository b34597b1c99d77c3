"""The triggers of a function, spelt as the fc3 component spells them.

It knows no function.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from functions.cli.template.props import schedules

Method = Literal["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]
OssEventName = Literal[
    "oss:ObjectCreated:*",
    "oss:ObjectCreated:AppendObject",
    "oss:ObjectCreated:CompleteMultipartUpload",
    "oss:ObjectCreated:CopyObject",
    "oss:ObjectCreated:InitiateMultipartUpload",
    "oss:ObjectCreated:PostObject",
    "oss:ObjectCreated:PutObject",
    "oss:ObjectCreated:PutSymlink",
    "oss:ObjectCreated:UploadPart",
    "oss:ObjectCreated:UploadPartCopy",
    "oss:ObjectModified:UpdateObjectMeta",
    "oss:ObjectRemoved:AbortMultipartUpload",
    "oss:ObjectRemoved:DeleteObject",
    "oss:ObjectRemoved:DeleteObjects",
    "oss:ObjectReplication:ObjectCreated",
    "oss:ObjectReplication:ObjectModified",
    "oss:ObjectReplication:ObjectRemoved",
]

_TRIGGER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}\Z")


class Props(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Properties as YAML has them: camelCase, and no others."""


class KeyFilter(Props, frozen=True):
    prefix: str
    suffix: str


class OssFilter(Props, frozen=True):
    key: KeyFilter


class OssTriggerConfig(Props, frozen=True):
    events: tuple[OssEventName, ...]
    filter: OssFilter


class TimerTriggerConfig(Props, frozen=True):
    cron_expression: str
    enable: bool
    payload: str = ""

    def __post_init__(self) -> None:
        schedules.check(self.cron_expression)


class HttpTriggerConfig(Props, frozen=True):
    auth_type: Literal["anonymous", "function", "jwt"]
    methods: tuple[Method, ...]
    disable_url_internet: bool = msgspec.field(name="disableURLInternet", default=False)


class EventSourceConfig(Props, frozen=True):
    event_source_type: str
    event_source_parameters: dict[str, msgspec.Raw | object] = {}


class EventBridgeTriggerConfig(Props, frozen=True):
    event_rule_filter_pattern: str
    event_source_config: EventSourceConfig
    trigger_enable: bool = True
    async_invocation_type: bool = True
    event_sink_config: dict[str, object] = {}
    run_options: dict[str, object] = {}


class _Trigger(Props, frozen=True, tag_field="triggerType"):
    trigger_name: str
    description: str = ""
    qualifier: str = "LATEST"
    source_arn: str = ""
    invocation_role: str = ""

    def __post_init__(self) -> None:
        if not _TRIGGER_NAME.match(self.trigger_name):
            raise ValueError(f"`triggerName` {self.trigger_name!r} is not a trigger name")


class OssTrigger(_Trigger, frozen=True, kw_only=True, tag="oss"):
    trigger_config: OssTriggerConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.source_arn.split(":")) != 5 or not self.source_arn.startswith("acs:oss:"):
            raise ValueError(f"`sourceArn` of {self.trigger_name} is not acs:oss:<region>:<account>:<bucket>")
        if not self.invocation_role:
            raise ValueError(f"`invocationRole` of {self.trigger_name} is missing: OSS could not invoke")

    @property
    def bucket(self) -> str:
        return self.source_arn.split(":")[4]


class TimerTrigger(_Trigger, frozen=True, kw_only=True, tag="timer"):
    trigger_config: TimerTriggerConfig


class HttpTrigger(_Trigger, frozen=True, kw_only=True, tag="http"):
    trigger_config: HttpTriggerConfig


class EventBridgeTrigger(_Trigger, frozen=True, kw_only=True, tag="eventbridge"):
    trigger_config: EventBridgeTriggerConfig


Trigger = OssTrigger | TimerTrigger | HttpTrigger | EventBridgeTrigger
