"""What can be deployed: a function with its triggers, spelt as the fc3 component spells `props`.

The model is closed: a property that is not here is refused by name, where the real tools drop it in silence
(the component only logs them at debug level, and the deploy sends defaults). Ranges are those of the
component's schema and of the FC documentation. It knows no YAML, and of no other function.
"""

from __future__ import annotations

import math
import re
from typing import Literal

import msgspec

from functions.cli.template import schedules

Runtime = Literal["python3.10", "python3.12"]
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

ENVIRONMENT_LIMIT = 4096  # bytes of all names and values together (FC limits page)
_REGION = re.compile(r"[a-z]{2}-[a-z]+(-[a-z0-9]+)*\Z")
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_TRIGGER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}\Z")
_FUNCTION_ARN = re.compile(r"acs:fc:[^:]*:[^:]*:(?:services/[^/]+/)?functions/(?P<name>[^/]+)(?:/.*)?\Z")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"`{name}` is {value}, it must be between {low} and {high}")


def _check_ratio(cpu: float, memory: int) -> None:
    """FC gives a vCPU 1 to 4 GB of memory, and vCPUs in steps of 0.05."""
    gigabytes = memory / 1024
    if not 1 <= gigabytes / cpu <= 4:
        least, most = math.ceil(gigabytes * 5) / 20, min(16, math.floor(gigabytes * 20) / 20)
        raise ValueError(
            f"`cpu` is {cpu} and `memorySize` {memory} MB, but a vCPU goes with 1 to 4 GB: "
            f"{least:g} to {most:g} vCPU would fit"
        )


class _Props(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class Destination(_Props, frozen=True):
    destination: str

    @property
    def function_name(self) -> str | None:
        """The function this ARN names, if it is one; other kinds of destination are only recorded."""
        match = _FUNCTION_ARN.match(self.destination)
        return match["name"] if match else None


class DestinationConfig(_Props, frozen=True):
    on_success: Destination | None = None
    on_failure: Destination | None = None


class AsyncInvokeConfig(_Props, frozen=True):
    """`asyncTask` turns on task ids (dedup), states and stopping."""

    async_task: bool = False
    max_async_retry_attempts: int = 3
    max_async_event_age_in_seconds: int = 18000
    destination_config: DestinationConfig = DestinationConfig()
    qualifier: str = "LATEST"

    def __post_init__(self) -> None:
        _between("maxAsyncRetryAttempts", self.max_async_retry_attempts, 0, 8)
        _between("maxAsyncEventAgeInSeconds", self.max_async_event_age_in_seconds, 1, 604_800)


class ConcurrencyConfig(_Props, frozen=True):
    reserved_concurrency: int

    def __post_init__(self) -> None:
        _between("reservedConcurrency", self.reserved_concurrency, 0, 100_000)


class LogConfig(_Props, frozen=True):
    project: str
    logstore: str
    enable_request_metrics: bool = False
    enable_instance_metrics: bool = False
    enable_llm_metrics: bool = False
    log_begin_rule: Literal["DefaultRegex", "None"] = "None"


class Hook(_Props, frozen=True):
    handler: str
    timeout: int = 3  # seconds

    def __post_init__(self) -> None:
        _between("timeout", self.timeout, 1, 86_400)


class InstanceLifecycleConfig(_Props, frozen=True):
    initializer: Hook | None = None


class CodePackage(_Props, frozen=True):
    src: str


class KeyFilter(_Props, frozen=True):
    prefix: str
    suffix: str


class OssFilter(_Props, frozen=True):
    key: KeyFilter


class OssTriggerConfig(_Props, frozen=True):
    events: tuple[OssEventName, ...]
    filter: OssFilter


class TimerTriggerConfig(_Props, frozen=True):
    cron_expression: str
    enable: bool
    payload: str = ""

    def __post_init__(self) -> None:
        schedules.check(self.cron_expression)


class HttpTriggerConfig(_Props, frozen=True):
    auth_type: Literal["anonymous", "function", "jwt"]
    methods: tuple[Method, ...]
    disable_url_internet: bool = msgspec.field(name="disableURLInternet", default=False)


class EventSourceConfig(_Props, frozen=True):
    event_source_type: str
    event_source_parameters: dict[str, msgspec.Raw | object] = {}


class EventBridgeTriggerConfig(_Props, frozen=True):
    event_rule_filter_pattern: str
    event_source_config: EventSourceConfig
    trigger_enable: bool = True
    async_invocation_type: bool = True
    event_sink_config: dict[str, object] = {}
    run_options: dict[str, object] = {}


class _Trigger(_Props, frozen=True, tag_field="triggerType"):
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


class Function(_Props, frozen=True):
    """The `props` of one fc3 resource."""

    function_name: str
    region: str
    runtime: Runtime
    handler: str
    code: CodePackage | str
    description: str = ""
    timeout: int = 3  # seconds
    memory_size: int = 512  # MB
    cpu: float = 0.35  # vCPU
    disk_size: Literal[512, 10240] = 512  # MB
    role: str = ""
    layers: tuple[str, ...] = ()
    environment_variables: dict[str, str] = {}
    async_invoke_config: AsyncInvokeConfig = AsyncInvokeConfig()
    concurrency_config: ConcurrencyConfig | None = None
    instance_concurrency: int = 1
    instance_lifecycle_config: InstanceLifecycleConfig = InstanceLifecycleConfig()
    log_config: LogConfig | Literal["auto"] | None = None
    internet_access: bool = True
    tags: tuple[dict[str, str], ...] = ()
    triggers: tuple[Trigger, ...] = ()

    def __post_init__(self) -> None:
        if not _FUNCTION_NAME.match(self.function_name):
            raise ValueError(f"`functionName` {self.function_name!r} is not a function name")
        if not _REGION.match(self.region):
            raise ValueError(f"`region` {self.region!r} is not a region")
        _between("timeout", self.timeout, 1, 86_400)
        _between("memorySize", self.memory_size, 128, 32_768)
        _between("cpu", self.cpu, 0.05, 16)
        if self.memory_size % 64:
            raise ValueError("`memorySize` is a multiple of 64")
        _check_ratio(self.cpu, self.memory_size)
        if len(self.layers) > 5:
            raise ValueError("`layers` has at most 5 entries")
        if self.instance_concurrency != 1:
            raise ValueError("`instanceConcurrency` is 1: the python runtimes run one invocation at a time")
        if self.code_path == "":
            raise ValueError("`code` is empty")
        check_environment(self.environment_variables)
        names = [trigger.trigger_name for trigger in self.triggers]
        if len(names) != len(set(names)):
            raise ValueError("`triggerName` is used twice")
        if sum(isinstance(trigger, HttpTrigger) for trigger in self.triggers) > 1:
            raise ValueError("a function has at most one http trigger")

    @property
    def code_path(self) -> str:
        return self.code if isinstance(self.code, str) else self.code.src


def account_of(role: str) -> str:
    """The account in acs:ram::<account>:role/<name>."""
    return role.removeprefix("acs:ram::").partition(":")[0]


def check_environment(variables: dict[str, str]) -> None:
    """Refuse what FC refuses: names that begin with FC_, and more than 4 KB in all."""
    for name in variables:
        if name.upper().startswith("FC_"):
            raise ValueError(f"`environmentVariables`: {name} is reserved (FC_*)")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise ValueError(f"`environmentVariables`: {name!r} is not a name")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > ENVIRONMENT_LIMIT:
        raise ValueError(f"`environmentVariables` has {size} bytes, at most {ENVIRONMENT_LIMIT} are allowed")


def says_nothing(value: object) -> bool:
    """Whether a value is empty all through: the fc3 component sends such for what a template leaves out."""
    match value:
        case dict():
            return all(says_nothing(item) for item in value.values())
        case list():
            return all(says_nothing(item) for item in value)
    return not value
