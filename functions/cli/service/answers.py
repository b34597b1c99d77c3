"""Answers of the HTTP API, parsed as far as the program shows them; there may be more fields."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from functions.cli.errors import NoAnswer, ReportedFailure, Status, cause
from functions.cli.texts import plain

State: TypeAlias = Literal["succeeded", "skipped", "running", "failed", "cancelled"]


class Known(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an answer."""


class Problem(Known, frozen=True):
    """An error, of the function or of FC's gateway before it."""

    code: str = "Error"
    message: str = ""
    request_id: str | None = None
    retryable: bool = False
    field: str | None = None

    def __str__(self) -> str:
        field = f" (field: {self.field})" if self.field else ""
        request = f" [request {self.request_id}]" if self.request_id else ""
        return plain(f"{self.code}: {self.message}{field}{request}")


class Side(Known, frozen=True):
    """The source or the destination of a copy."""

    bucket: str
    key: str
    size: int | None = None

    def __str__(self) -> str:
        return f"oss://{self.bucket}/{self.key}"


class Copy(Known, frozen=True, kw_only=True):
    """One copy."""

    job: str | None
    status: State
    source: Side | None = None
    destination: Side | None = None
    method: str | None = None
    verified: str | None = None
    parts: int = 0
    parts_done: int = 0
    bytes_done: int = 0
    lanes: int = 1
    hops: int = 1
    started_at: str | None = None
    finished_at: str | None = None
    error: Problem | None = None
    phase: str | None = None
    rate: float | None = None
    eta_seconds: float | None = None


class Objects(Known, frozen=True):
    """Counts of objects."""

    total: int = 0
    succeeded: int = 0
    skipped: int = 0
    failed: int = 0
    missing: int = 0
    deleted: int = 0
    kept: int = 0
    would_copy: int = 0
    would_delete: int = 0
    different: int = 0
    superfluous: int = 0
    same: int = 0


class Requests(Known, frozen=True):
    """Requests by OSS's classes."""

    put: int = 0
    get: int = 0


class Cost(Known, frozen=True):
    total: float
    currency: str


class Would(Known, frozen=True):
    """The requests that a run would make, and their cost by the function's prices."""

    requests: Requests
    cost: Cost | None = None


class Bytes(Known, frozen=True):
    total: int = 0
    done: int = 0


class Ranges(Known, frozen=True):
    open: int = 0
    done: int = 0


class Place(Known, frozen=True):
    bucket: str
    prefix: str = ""


class Many(Known, frozen=True, kw_only=True):
    """A job of many objects."""

    job: str | None
    status: State
    objects: Objects
    bytes: Bytes = Bytes()
    excluded: int = 0
    chains: int = 0
    errors: dict[str, int] = {}
    report: Place | None = None
    ranges: Ranges | None = None
    rate: float | None = None
    eta_seconds: float | None = None
    started_at: str | None = None
    finished_at: str | None = None
    error: Problem | None = None
    would: Would | None = None


Job: TypeAlias = Copy | Many


class Answer(msgspec.Struct, frozen=True):
    """A job as the function tells it: `told` is the JSON, whole."""

    told: dict[str, Any]
    job: Job

    @property
    def is_running(self) -> bool:
        return self.job.status == "running"


class Page(msgspec.Struct, frozen=True):
    """Jobs in the order of their ids; `next`: the one to go on after."""

    answers: tuple[Answer, ...]
    next: str | None


class _Listed(Known, frozen=True):
    copies: list[dict[str, Any]]
    next: str | None = None


def read(body: bytes, asked: str) -> Answer:
    """Return the job of an answer; raise NoAnswer if it is none."""
    return _answer(decode(body, dict[str, Any], asked), asked)


def page(body: bytes, asked: str) -> Page:
    """Return the page of an answer; raise NoAnswer if it is none."""
    listed: _Listed = decode(body, _Listed, asked)
    return Page(tuple(_answer(each, asked) for each in listed.copies), listed.next)


def _answer(told: dict[str, Any], asked: str) -> Answer:
    try:
        job: Job = msgspec.convert(told, Many) if "objects" in told else msgspec.convert(told, Copy)
        return Answer(told, job)
    except msgspec.ValidationError as error:
        raise _unreadable(asked, error) from error


def decode(body: bytes, kind: Any, asked: str) -> Any:  # noqa: ANN401 - as msgspec's own
    """Return the value in a body; raise NoAnswer if the body is cut short, or says something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(asked, error) from error


def _unreadable(asked: str, error: Exception) -> NoAnswer:
    text = f"{asked}: the answer cannot be read ({error}): is that the URL of the function's HTTP trigger?"
    return NoAnswer(text)


def problem(body: bytes) -> Problem | None:
    """Return the error of an answer: the function's own, or FC's, whose fields are written large."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        inner = told.get("error", told)
        small = {name[:1].lower() + name[1:]: value for name, value in inner.items()}
        return msgspec.convert(small, Problem) if "code" in small else None
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, AttributeError):
        return None


def raise_failure(job: Job) -> None:
    """Raise ReportedFailure if the job has ended otherwise than it should."""
    if job.status == "cancelled":
        raise ReportedFailure(f"job {job.job} was cancelled")
    if job.status != "failed":
        return
    if isinstance(job, Many) and (job.objects.failed or job.objects.missing):
        lost = job.objects.failed + job.objects.missing
        told = (
            f"{lost} of {job.objects.total} objects were not copied: `oss-copy report {job.job}` names them"
        )
        because = f"{job.error}; " if job.error else ""
        limit = cause(job.error.code) if job.error else Status.PARTLY
        raise ReportedFailure(because + told, limit if limit is Status.LIMIT else Status.PARTLY)
    error = job.error or Problem("Failed", "the function does not say why")
    raise ReportedFailure(str(error), cause(error.code, is_retryable=error.retryable))
