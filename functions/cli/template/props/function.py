"""A function and how it is invoked, as the `props` of one fc3 resource have it. Knows no second function."""

from __future__ import annotations

import math
import re
from typing import Literal

import msgspec

from functions.cli.template.props.triggers import HttpTrigger, Props, Trigger
from functions.cli.template.spelling import meant

Runtime = Literal["python3.10", "python3.12"]
# The regions of the component's schema (0.1.22), without ap-south-1 and ap-southeast-2: FC has left them (FC
# documentation, endpoints).
REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-southeast-1",
        "ap-southeast-3",
        "ap-southeast-5",
        "ap-southeast-7",
        "cn-beijing",
        "cn-chengdu",
        "cn-hangzhou",
        "cn-heyuan-acdr-1",
        "cn-hongkong",
        "cn-huhehaote",
        "cn-qingdao",
        "cn-shanghai",
        "cn-shanghai-cloudspe",
        "cn-shanghai-finance-1",
        "cn-shenzhen",
        "cn-wulanchabu",
        "cn-zhangjiakou",
        "eu-central-1",
        "eu-west-1",
        "me-central-1",
        "us-east-1",
        "us-west-1",
    }
)
ENVIRONMENT_LIMIT = 4096  # bytes of all names and values together (FC limits page)
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
ROLE = re.compile(r"acs:ram::(?P<account>\d+):role/(?P<name>[\w.-]+)")
TRIGGER_ROLE = "AliyunOSSEventNotificationRole"  # OSS assumes it to invoke the function
_FUNCTION_ARN = re.compile(r"acs:fc:[^:]*:[^:]*:(?:services/[^/]+/)?functions/(?P<name>[^/]+)(?:/.*)?\Z")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"`{name}` is {value}, it must be between {low} and {high}")


def _check_cpu(cpu: float, memory: int) -> None:
    """FC has vCPUs in steps of 0.05, and 1 to 4 GB of memory go with one."""
    steps = round(cpu * 20, 9)
    if steps % 1:
        near = f"{math.floor(steps) / 20:g} or {math.ceil(steps) / 20:g}"
        raise ValueError(f"`cpu` is {cpu}, but FC has vCPUs in steps of 0.05: write {near}")
    gigabytes = memory / 1024
    if not 1 <= gigabytes / cpu <= 4:
        least, most = math.ceil(gigabytes * 5) / 20, min(16, math.floor(gigabytes * 20) / 20)
        raise ValueError(
            f"`cpu` is {cpu} and `memorySize` {memory} MB, but a vCPU goes with 1 to 4 GB: "
            f"{least:g} to {most:g} vCPU would fit"
        )


class Destination(Props, frozen=True):
    destination: str

    @property
    def function_name(self) -> str | None:
        """Return the function that this ARN names; None for another kind of destination."""
        match = _FUNCTION_ARN.match(self.destination)
        return match["name"] if match else None


class DestinationConfig(Props, frozen=True):
    on_success: Destination | None = None
    on_failure: Destination | None = None


class AsyncInvokeConfig(Props, frozen=True):
    """The treatment of asynchronous invocations; `asyncTask` turns on task ids, each accepted once."""

    async_task: bool = False
    max_async_retry_attempts: int = 3
    max_async_event_age_in_seconds: int = 18000
    destination_config: DestinationConfig = DestinationConfig()
    qualifier: str = "LATEST"

    def __post_init__(self) -> None:
        _between("maxAsyncRetryAttempts", self.max_async_retry_attempts, 0, 8)
        _between("maxAsyncEventAgeInSeconds", self.max_async_event_age_in_seconds, 1, 604_800)


class ConcurrencyConfig(Props, frozen=True):
    reserved_concurrency: int

    def __post_init__(self) -> None:
        _between("reservedConcurrency", self.reserved_concurrency, 0, 100_000)


class LogConfig(Props, frozen=True):
    project: str
    logstore: str
    enable_request_metrics: bool = False
    enable_instance_metrics: bool = False
    enable_llm_metrics: bool = False
    log_begin_rule: Literal["DefaultRegex", "None"] = "None"


class Hook(Props, frozen=True):
    handler: str
    timeout: int = 3  # seconds

    def __post_init__(self) -> None:
        _between("timeout", self.timeout, 1, 86_400)


class InstanceLifecycleConfig(Props, frozen=True):
    initializer: Hook | None = None


class CodePackage(Props, frozen=True):
    src: str


class Function(Props, frozen=True):
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
    environment_variables: dict[str, str] = msgspec.field(default_factory=dict)
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
        if self.region not in REGIONS:
            advice = meant(self.region, REGIONS) or f"; it has {', '.join(sorted(REGIONS))}"
            raise ValueError(f"`region`: Function Compute has no region {self.region!r}{advice}")
        _between("timeout", self.timeout, 1, 86_400)
        _between("memorySize", self.memory_size, 128, 32_768)
        _between("cpu", self.cpu, 0.05, 16)
        if self.memory_size % 64:
            raise ValueError("`memorySize` is a multiple of 64")
        _check_cpu(self.cpu, self.memory_size)
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
    """Return the account in acs:ram::<account>:role/<name>."""
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
    """Tell whether a value is empty all through: the fc3 component sends such where a template is silent."""
    match value:
        case dict():
            return all(says_nothing(item) for item in value.values())
        case list():
            return all(says_nothing(item) for item in value)
    return not value
