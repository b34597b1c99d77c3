"""Drives opendal, whose OSS service is written in Rust."""

from __future__ import annotations

import asyncio
import re
from email.utils import parsedate_to_datetime
from importlib.metadata import version as version_of
from typing import Any

import opendal

from .channel import Access, LacksError, RefusedError, own_metadata, serve

Headers = dict[str, str]
_CODE = re.compile(r'code: "(\w+)"')
_STATUS = re.compile(r"status: (\d{3})")
_WRITE = {
    "content-type": "content_type",
    "cache-control": "cache_control",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
}
_READ = {"if-match": "if_match", "if-none-match": "if_none_match"}
_SINCE = {"if-modified-since": "if_modified_since", "if-unmodified-since": "if_unmodified_since"}


class Opendal:
    """The verbs, by calls of an operator."""

    def __init__(self) -> None:
        self.files: Any = None
        self.bucket = ""

    def connect(self, **given: str) -> None:
        access = Access(**given)
        if access.sign == "v4":
            raise LacksError("the client signs by V1 alone")
        if access.style == "path":
            raise LacksError(
                "with path addresses the client signs a list as `/bucket`, where OSS has `/bucket/`"
            )
        self.bucket = access.bucket
        more = {"security_token": access.token} if access.token else {}
        self.files = opendal.Operator(
            "oss",
            bucket=access.bucket,
            endpoint=access.endpoint,
            addressing_style=access.style,
            presign_addressing_style=access.style,
            access_key_id=access.id,
            access_key_secret=access.secret,
            **more,
        )

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self.files, name)(*arguments, **options)
        except opendal.exceptions.Unsupported as error:
            raise LacksError(f"the client says that {name} is not supported so") from error
        except (
            opendal.exceptions.NotFound,
            opendal.exceptions.PermissionDenied,
            opendal.exceptions.ConditionNotMatch,
            opendal.exceptions.AlreadyExists,
            opendal.exceptions.RangeNotSatisfied,
            opendal.exceptions.Unexpected,
            opendal.exceptions.Error,
        ) as error:
            status, code = _STATUS.search(str(error)), _CODE.search(str(error))
            if status is None:
                raise
            raise RefusedError(int(status[1]), code[1] if code else "") from error

    def put(self, *, key: str, body: bytes, headers: Headers) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for name, value in headers.items():
            if name in _WRITE:
                options[_WRITE[name]] = value
            elif name == "x-oss-forbid-overwrite":
                options["if_not_exists"] = value == "true"
            elif not name.startswith("x-oss-meta-"):
                raise LacksError(f"the client writes no {name}")
        if metadata := own_metadata(headers):
            options["user_metadata"] = metadata
        self._call("write", key, body, **options)
        return {"etag": None, "version": None}

    def get(
        self, *, key: str, span: list[int | None] | None, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        options = _conditions(headers)
        if span is not None:
            if None in span:
                raise LacksError("the client asks for ranges with both ends")
            first, last = (int(each or 0) for each in span)
            options |= {"offset": first, "size": last - first + 1}
        if version:
            options["version"] = version
        body = self._call("read", key, **options)
        return {"body": bytes(body), "type": None, "metadata": None, "etag": None}

    def head(self, *, key: str, headers: Headers, version: str | None) -> dict[str, Any]:
        options = _conditions(headers)
        if version:
            options["version"] = version
        found = self._call("stat", key, **options)
        return {
            "size": found.content_length,
            "etag": (found.etag or "").strip('"'),
            "type": found.content_type,
            "metadata": found.user_metadata or {},
        }

    def exists(self, *, key: str) -> bool:
        return bool(self._call("exists", key))

    def delete(self, *, key: str, version: str | None) -> dict[str, Any]:
        self._call("delete", key, **({"version": version} if version else {}))
        return {"marker": None, "version": None}

    def delete_many(self, *, keys: list[str]) -> list[str]:
        """Everything below a folder, which the client lists and then deletes in one request."""
        folders = {key.rpartition("/")[0] for key in keys}
        if len(folders) != 1 or not all(folders):
            raise LacksError("the client deletes many keys below one folder alone")
        self._call("remove_all", f"{folders.pop()}/")
        return sorted(keys)

    def copy(
        self, *, source_bucket: str, source: str, key: str, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        if source_bucket != self.bucket:
            raise LacksError("the client copies inside one bucket")
        if headers or version:
            raise LacksError("the client copies without headers and versions")
        self._call("copy", source, key)
        return {"etag": None, "version": None}

    def upload_large(self, *, key: str, body: bytes, part_size: int) -> None:
        self._call("write", key, body, chunk=part_size)

    def list_keys(self, *, prefix: str, delimiter: str, page: int) -> dict[str, Any]:
        if delimiter not in {"", "/"}:
            raise LacksError("the client knows no delimiter but a slash")
        found = [each.path for each in self._call("list", prefix, recursive=not delimiter, limit=page)]
        return {
            "keys": [each for each in found if not each.endswith("/")],
            "prefixes": [each for each in found if each.endswith("/") and each != prefix],
        }

    def list_versions(self, *, prefix: str, page: int) -> list[list[Any]]:
        found = self._call("list", prefix, recursive=True, versions=True, deleted=True, limit=page)
        return [[each.path, each.metadata.version, None, None] for each in found]

    def append(self, *, key: str, position: int, body: bytes) -> int:
        if position and position != self._call("stat", key).content_length:
            raise LacksError("the client finds the end of the object itself")
        self._call("write", key, body, append=True)
        return position + len(body)

    def presign(self, *, method: str, key: str, seconds: int, headers: Headers) -> str:
        if headers:
            raise LacksError("the client presigns no headers")
        files = self.files.to_async_operator()

        async def ask() -> str:
            presign = files.presign_read if method == "GET" else files.presign_write
            url: str = (await presign(key, seconds)).url
            return url

        return asyncio.run(ask())


def _conditions(headers: Headers) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in headers.items():
        if name in _READ:
            options[_READ[name]] = value
        elif name in _SINCE:
            when = parsedate_to_datetime(value)
            options[_SINCE[name]] = when
        else:
            raise LacksError(f"the client sends no {name}")
    return options


if __name__ == "__main__":
    serve(f"opendal {version_of('opendal')}", Opendal())
