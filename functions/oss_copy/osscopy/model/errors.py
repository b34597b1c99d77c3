"""The errors that a copy can end with.

Knows no OSS error codes (`aliyun.oss_errors` turns those into these). Errors are split by what the caller
should do:

    OssCopyError
    ├── Misconfigured     a setting is wrong: fail at start, naming the variable
    ├── Refused           the request is wrong: never retry (4xx)
    ├── Failed            OSS or FC said no for good: stop, clean up, report
    │   ├── SourceChanged     the source is no longer the version the copy was pinned to
    │   ├── Conflict          the destination may not be written: it exists, or is immutable
    │   └── UploadGone        the upload was completed or aborted: look at the destination before naming it
    ├── Skipped           there is nothing to do: a condition or the overwrite policy says so
    └── Transient         it may work later: retry, and if that does not help, raise
"""

from __future__ import annotations


class OssCopyError(Exception):
    """The root. `code` is OSS's or FC's own where they gave one; `field` names the input at fault."""

    retryable = False

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.field = field
        self.request_id = request_id
        self.status = status


def kind_of(error: Exception) -> str | None:
    """Return the type of an error that is none of these, and so is a bug; None for those."""
    return None if isinstance(error, OssCopyError) else type(error).__name__


class Misconfigured(OssCopyError):
    """A setting is missing or wrong; `field` is the variable's name."""


class Refused(OssCopyError):
    """The request cannot be served as it is; OSS was asked nothing."""


class Failed(OssCopyError):
    """The platform refused for good; asking again would not change it."""


class SourceChanged(Failed):
    """The source was overwritten, deleted or re-tagged while it was copied."""


class Conflict(Failed):
    """The destination exists, is immutable, or fails a condition."""


class UploadGone(Failed):
    """OSS knows no such upload any more; a request of ours without an answer may have ended it."""


class Skipped(OssCopyError):
    """Nothing was copied because the request says so: the source is not modified, or the copy exists."""


class Transient(OssCopyError):
    """Throttling, 5xx, time-outs, lost connections, expired credentials.

    `in_doubt`: the request may have taken effect although its answer was lost; `outlasted`: the answer did
    not come within the time allowed for it.
    `throttled`: the platform asked for fewer requests, after `pause` seconds if it said so.
    """

    retryable = True

    def __init__(
        self,
        code: str,
        message: str,
        *,
        request_id: str | None = None,
        status: int = 0,
        in_doubt: bool = False,
        outlasted: bool = False,
        throttled: bool = False,
        pause: float = 0.0,
    ) -> None:
        super().__init__(code, message, request_id=request_id, status=status)
        self.in_doubt = in_doubt
        self.outlasted = outlasted
        self.throttled = throttled
        self.pause = pause
