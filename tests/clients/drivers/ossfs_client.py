"""Drives ossfs, OSS as a file system of fsspec, or its asynchronous sister (with the argument `aio`)."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version as version_of
from typing import Any

import oss2
import ossfs

from .channel import Access, LacksError, RefusedError, serve

Headers = dict[str, str]
_STATUS = {"NoSuchKey": 404, "NoSuchBucket": 404}


class Ossfs:
    """The verbs, by calls of a file system."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.files: Any = None
        self.bucket = ""

    def connect(self, **given: str) -> None:
        """The style follows from the endpoint: an address means path style."""
        access = Access(**given)
        if access.sign == "v4":
            raise LacksError("the client signs by V1 alone")
        self.bucket = access.bucket
        self.files = self.kind(
            endpoint=access.endpoint,
            key=access.id,
            secret=access.secret,
            token=access.token or None,
            skip_instance_cache=True,
        )

    def _path(self, key: str) -> str:
        return f"/{self.bucket}/{key}"

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        self.files.invalidate_cache()
        try:
            return getattr(self.files, name)(*arguments, **options)
        except OSError as error:
            cause = error.__cause__
            if isinstance(cause, oss2.exceptions.ServerError):
                raise RefusedError(cause.status, cause.code) from error
            if isinstance(error, FileNotFoundError):
                raise RefusedError(404, "") from error
            raise
        except oss2.exceptions.ServerError as error:
            raise RefusedError(error.status, error.code) from error

    def put(self, *, key: str, body: bytes, headers: Headers) -> dict[str, Any]:
        self._call("pipe_file", self._path(key), body, **({"headers": headers} if headers else {}))
        return {"etag": None, "version": None}

    def get(
        self, *, key: str, span: list[int | None] | None, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        if version:
            raise LacksError("the client reads no versions")
        if span is not None and None in span:
            raise LacksError("the client asks for ranges with both ends")
        start, last = span or (None, None)
        named = {"headers": headers} if headers else {}
        body = self._call("cat_file", self._path(key), start=start, end=last, **named)
        return {"body": body, "type": None, "metadata": None, "etag": None}

    def head(self, *, key: str, headers: Headers, version: str | None) -> dict[str, Any]:
        if version or headers:
            raise LacksError("the client tells of a path, without versions or conditions")
        info = self._call("info", self._path(key))
        etag = (info.get("ETag") or info.get("etag") or "").strip('"')
        return {"size": info["size"], "etag": etag or None, "type": None, "metadata": None}

    def exists(self, *, key: str) -> bool:
        return bool(self._call("exists", self._path(key)))

    def delete(self, *, key: str, version: str | None) -> dict[str, Any]:
        if version:
            raise LacksError("the client deletes no versions")
        self._call("rm", self._path(key))
        return {"marker": None, "version": None}

    def delete_many(self, *, keys: list[str]) -> list[str]:
        """By the call that a recursive `rm` makes, in one request."""
        paths = [self._path(key) for key in keys]
        result = self._call("_bulk_delete", paths)
        if asyncio.iscoroutine(result):
            asyncio.run_coroutine_threadsafe(result, self.files.loop).result(60)
        return sorted(keys)

    def copy(
        self, *, source_bucket: str, source: str, key: str, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        if headers or version:
            raise LacksError("the client copies without headers and versions")
        if source_bucket != self.bucket:
            raise LacksError("the client copies between buckets by downloading")
        self._call("cp_file", self._path(source), self._path(key))
        return {"etag": None, "version": None}

    def upload_large(self, **_: object) -> None:
        raise LacksError("the client hands the size of a part on to a call that does not know it")

    def list_keys(self, *, prefix: str, delimiter: str, page: int) -> dict[str, Any]:
        """One level of folders, or everything below."""
        del page
        if not delimiter:
            found = self._call("find", self._path(prefix), detail=True)
            return {"keys": sorted(self._key(path) for path in found), "prefixes": []}
        entries = self._call("ls", self._path(prefix), detail=True)
        return {
            "keys": [self._key(each["name"]) for each in entries if each["type"] == "file"],
            "prefixes": [self._key(each["name"]) + "/" for each in entries if each["type"] == "directory"],
        }

    def _key(self, path: str) -> str:
        return path.strip("/").removeprefix(f"{self.bucket}/")

    def append(self, *, key: str, position: int, body: bytes) -> int:
        return int(self._call("append_object", self._path(key), position, body))

    def list_buckets(self, *, prefix: str, page: int) -> list[str]:
        del page
        names = (each["name"].strip("/") for each in self._call("ls", "", detail=True))
        return [each for each in names if each.startswith(prefix)]


if __name__ == "__main__":
    aio = sys.argv[1:] == ["aio"]
    kind = ossfs.AioOSSFileSystem if aio else ossfs.OSSFileSystem
    serve(f"ossfs {version_of('ossfs')}{' aio' if aio else ''}", Ossfs(kind))
