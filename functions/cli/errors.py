"""The errors of the program, split by what the user should do next.

    DeployerError
    ├── Misused           call the command with other arguments
    ├── Unprepared        prepare this machine: credentials, the `s` tool, the layer
    ├── TemplateError     correct s.yaml or a `.env` file
    │   └── Mistaken      ... at the places that the message lists (template/mistake.py)
    ├── ServiceRefused    do what OSS, FC or RAM asks for: their answer is in the message
    ├── NoAnswer          check the network and the endpoint, then run the command again
    ├── Unfinished        decide about what the message lists, then run the command again
    ├── ReportedFailure   read the function's own answer: it reports that it failed
    └── Interrupted       go on as the message says: the job itself goes on

None of them is an error of the product (`osscopy.model`), where `Refused` and `Failed` are about a copy. A
message tells the user what is wrong and what to do. This module must not know any of the commands.

The exit status tells the cause; a number that rclone has too means the same there.
"""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The exit statuses, as PROGRAM.md explains them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_PLACE = 3  # rclone: directory not found
    NO_OBJECT = 4  # rclone: file not found
    TEMPORARY = 5
    PARTLY = 6  # rclone: less serious errors
    DENIED = 7  # rclone: fatal, as an account that is suspended
    LIMIT = 8
    INTERRUPTED = 130  # 128 and the number of SIGINT, as a shell tells it
    CLOSED = 141  # 128 and the number of SIGPIPE


_CAUSES = {
    Status.NO_OBJECT: {"NoSuchKey", "NoSuchVersion", "SymlinkTargetNotExist", "EmptySource"},
    Status.NO_PLACE: {"NoSuchBucket", "NoSuchJob", "NotFound", "FunctionNotFound", "TriggerNotFound"},
    Status.DENIED: {"Unauthorized", "Forbidden", "NotAllowed", "AccessDenied"},
    Status.LIMIT: {"TooManyFailures", "TooManyDeletes"},
}
_OF_HTTP = {
    **dict.fromkeys((401, 403), Status.DENIED),
    **dict.fromkeys((429, 500, 502, 503, 504), Status.TEMPORARY),
    404: Status.NO_PLACE,
}


def cause(code: str | None, http_status: int | None = None, *, is_retryable: bool = False) -> Status:
    """Return the exit status for an error of a service: by its code, else by its HTTP status."""
    for status, codes in _CAUSES.items():
        if code in codes:
            return status
    if is_retryable:
        return Status.TEMPORARY
    return _OF_HTTP.get(http_status or 0, Status.FAILED)


class DeployerError(Exception):
    """A command cannot do what it was asked for. `status`: the exit status, that of the class by default."""

    usual = Status.FAILED

    def __init__(self, message: str = "", status: Status | None = None) -> None:
        super().__init__(message)
        self.status = status or self.usual


class Misused(DeployerError):
    """An argument is missing or malformed."""

    usual = Status.USAGE


class Unprepared(DeployerError):
    """The machine lacks something that the command needs."""

    usual = Status.DENIED


class TemplateError(DeployerError, ValueError):
    """The template cannot be deployed as it is."""


class ServiceRefused(DeployerError):
    """OSS, FC or RAM has answered with an error, or with something that setup and deploy must not change."""


class NoAnswer(DeployerError):
    """No answer came in time, or none that can be read."""

    usual = Status.TEMPORARY


class Unfinished(DeployerError):
    """The command has stopped on the way, or its result is not what the template says."""

    usual = Status.PARTLY


class ReportedFailure(DeployerError):
    """The function has reported that a copy, a check or a sweep failed."""


class Interrupted(DeployerError):
    """The user pressed Ctrl-C while a job was watched."""

    usual = Status.INTERRUPTED
