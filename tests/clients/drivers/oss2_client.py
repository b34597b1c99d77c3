"""Drives oss2, and aiooss2 (with the argument `aiooss2`), which has fewer of its calls, as coroutines."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import oss2

from .channel import Access, LacksError, RefusedError, own_metadata, serve

Headers = dict[str, str]


class Oss2:
    """The verbs, by oss2's calls."""

    version = oss2.__version__

    def __init__(self) -> None:
        self.library: Any = oss2
        self.bucket: Any = None

    def connect(self, **given: str) -> None:
        """oss2 takes the style from the endpoint: an address means path style."""
        access = Access(**given)
        auth = self._auth(access.id, access.secret, access.token, access.sign)
        self.endpoint, self.auth, self.region = access.endpoint, auth, access.region
        self.bucket = self._open(auth, access.bucket)

    def _auth(self, key: str, secret: str, token: str, sign: str) -> Any:
        if token:
            return oss2.StsAuth(key, secret, token, auth_version=sign)
        return oss2.make_auth(key, secret, sign)

    def _open(self, auth: Any, bucket: str) -> Any:
        return oss2.Bucket(auth, self.endpoint, bucket, region=self.region, enable_crc=True)

    def _service(self) -> Any:
        return oss2.Service(self.auth, self.endpoint, region=self.region)

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """A call of the bucket; what the server refuses becomes RefusedError."""
        call = getattr(self.bucket, name, None)
        if call is None:
            raise LacksError(f"the client has no {name}")
        with _refusals():
            return self._wait(call(*arguments, **options))

    def _wait(self, result: Any) -> Any:
        return result

    def _listed(self, iterable: Iterable[Any]) -> list[Any]:
        with _refusals():
            return list(iterable)

    def _read(self, answer: Any) -> bytes:
        with _refusals():
            body: bytes = self._wait(answer.read())
        return body

    def _iterate(self, name: str, *arguments: Any, **options: Any) -> list[Any]:
        return self._listed(getattr(oss2, name)(*arguments, **options))

    # -- objects ---------------------------------------------------------------------------------------------

    def put(self, *, key: str, body: bytes, headers: Headers) -> dict[str, Any]:
        answer = self._call("put_object", key, body, headers=headers)
        return {"etag": answer.etag, "version": answer.versionid}

    def get(
        self, *, key: str, span: list[int | None] | None, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        answer = self._call("get_object", key, byte_range=span, headers=headers, params=_version(version))
        return {
            "body": self._read(answer),
            "type": answer.headers.get("Content-Type"),
            "metadata": own_metadata(answer.headers),
            "etag": answer.headers.get("ETag", "").strip('"'),
        }

    def head(self, *, key: str, headers: Headers, version: str | None) -> dict[str, Any]:
        answer = self._call("head_object", key, headers=headers, params=_version(version))
        told = {name.lower(): value for name, value in dict(answer.headers).items()}
        return {
            "size": answer.content_length,
            "etag": answer.etag,
            "type": answer.content_type,
            "metadata": own_metadata(told),
            "kind": answer.object_type,
            "crc64": answer.server_crc and str(answer.server_crc),
            "headers": told,
        }

    def meta(self, *, key: str) -> dict[str, Any]:
        answer = self._call("get_object_meta", key)
        return {"size": answer.content_length, "etag": answer.etag}

    def exists(self, *, key: str) -> bool:
        return bool(self._call("object_exists", key))

    def delete(self, *, key: str, version: str | None) -> dict[str, Any]:
        answer = self._call("delete_object", key, params=_version(version))
        return {"marker": answer.delete_marker, "version": answer.versionid}

    def delete_many(self, *, keys: list[str]) -> list[str]:
        return sorted(self._call("batch_delete_objects", keys).deleted_keys)

    def copy(
        self, *, source_bucket: str, source: str, key: str, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        answer = self._call(
            "copy_object", source_bucket, source, key, headers=headers, params=_version(version)
        )
        return {"etag": answer.etag, "version": answer.versionid}

    # -- parts -----------------------------------------------------------------------------------------------

    def initiate(self, *, key: str, headers: Headers) -> str:
        made: str = self._call("init_multipart_upload", key, headers=headers).upload_id
        return made

    def upload_part(self, *, key: str, upload: str, number: int, body: bytes) -> str:
        etag: str = self._call("upload_part", key, upload, number, body).etag
        return etag

    def copy_part(
        self,
        *,
        key: str,
        upload: str,
        number: int,
        source_bucket: str,
        source: str,
        span: list[int | None] | None,
        headers: Headers,
    ) -> str:
        answer = self._call(
            "upload_part_copy", source_bucket, source, span, key, upload, number, headers=headers
        )
        etag: str = answer.etag
        return etag

    def complete(
        self, *, key: str, upload: str, parts: list[tuple[int, str]] | None, headers: Headers
    ) -> str:
        if parts is None:
            headers = {**headers, "x-oss-complete-all": "yes"}
        listed = None if parts is None else [oss2.models.PartInfo(number, etag) for number, etag in parts]
        etag: str = self._call("complete_multipart_upload", key, upload, listed, headers=headers).etag
        return etag

    def abort(self, *, key: str, upload: str) -> None:
        self._call("abort_multipart_upload", key, upload)

    def list_parts(self, *, key: str, upload: str, page: int) -> list[list[Any]]:
        parts = self._iterate("PartIterator", self.bucket, key, upload, max_parts=page)
        return [[each.part_number, each.size, each.etag] for each in parts]

    def list_uploads(self, *, prefix: str, page: int) -> list[list[str]]:
        uploads = self._iterate("MultipartUploadIterator", self.bucket, prefix=prefix, max_uploads=page)
        return [[each.key, each.upload_id] for each in uploads]

    def upload_large(self, *, key: str, body: bytes, part_size: int) -> None:
        with tempfile.TemporaryDirectory() as directory, _refusals():
            path = Path(directory, "body")
            path.write_bytes(body)
            self._wait(
                self.library.resumable_upload(
                    self.bucket,
                    key,
                    str(path),
                    store=oss2.ResumableStore(root=directory),
                    multipart_threshold=part_size,
                    part_size=part_size,
                    num_threads=1,
                )
            )

    def copy_large(self, **_: object) -> None:
        raise LacksError("the client has no copy in parts of its own")

    # -- lists -----------------------------------------------------------------------------------------------

    def list_keys(self, *, prefix: str, delimiter: str, page: int) -> dict[str, Any]:
        found = self._iterate(
            "ObjectIterator", self.bucket, prefix=prefix, delimiter=delimiter, max_keys=page
        )
        return _keys(found)

    def list_v2(self, *, prefix: str, delimiter: str, page: int, after: str) -> dict[str, Any]:
        options = {"prefix": prefix, "delimiter": delimiter, "max_keys": page, "start_after": after}
        return _keys(self._iterate("ObjectIteratorV2", self.bucket, **options))

    def list_versions(self, *, prefix: str, page: int) -> list[list[Any]]:
        """(key, version id, is a delete marker, is the latest)."""
        found: list[list[Any]] = []
        key_marker = version_marker = ""
        while True:
            answer = self._call(
                "list_object_versions", prefix, "", key_marker, page, versionid_marker=version_marker
            )
            found += [[each.key, each.versionid, False, each.is_latest] for each in answer.versions]
            found += [[each.key, each.versionid, True, each.is_latest] for each in answer.delete_marker]
            if not answer.is_truncated:
                return found
            key_marker, version_marker = answer.next_key_marker, answer.next_versionid_marker

    def list_buckets(self, *, prefix: str, page: int) -> list[str]:
        found = self._iterate("BucketIterator", self._service(), prefix=prefix, max_keys=page)
        return [each.name for each in found]

    # -- what an object has beside its bytes -----------------------------------------------------------------

    def put_tags(self, *, key: str, tags: dict[str, str]) -> None:
        rule = oss2.models.TaggingRule()
        for name, value in tags.items():
            rule.add(name, value)
        self._call("put_object_tagging", key, oss2.models.Tagging(rule))

    def get_tags(self, *, key: str) -> dict[str, str]:
        return dict(self._call("get_object_tagging", key).tag_set.tagging_rule)

    def delete_tags(self, *, key: str) -> None:
        self._call("delete_object_tagging", key)

    def put_acl(self, *, key: str, acl: str) -> None:
        self._call("put_object_acl", key, acl)

    def get_acl(self, *, key: str) -> str:
        return str(self._call("get_object_acl", key).acl)

    def put_symlink(self, *, key: str, target: str, headers: Headers) -> None:
        self._call("put_symlink", target, key, headers=headers)

    def get_symlink(self, *, key: str) -> str:
        return str(self._call("get_symlink", key).target_key)

    def append(self, *, key: str, position: int, body: bytes) -> int:
        return int(self._call("append_object", key, position, body).next_position)

    def restore(self, *, key: str, days: int) -> int:
        rule = oss2.models.RestoreConfiguration(days=days)
        return int(self._call("restore_object", key, input=rule).status)

    # -- buckets ---------------------------------------------------------------------------------------------

    def make_bucket(self) -> None:
        self._call("create_bucket")

    def remove_bucket(self) -> None:
        self._call("delete_bucket")

    def bucket_info(self) -> dict[str, Any]:
        answer = self._call("get_bucket_info")
        return {"name": answer.name, "class": answer.storage_class, "acl": answer.acl.grant}

    def bucket_location(self) -> str:
        return str(self._call("get_bucket_location").location)

    def bucket_stat(self) -> int:
        return int(self._call("get_bucket_stat").object_count)

    def put_bucket_acl(self, *, acl: str) -> None:
        self._call("put_bucket_acl", acl)

    def get_bucket_acl(self) -> str:
        return str(self._call("get_bucket_acl").acl)

    def put_versioning(self, *, status: str) -> None:
        setting = oss2.models.BucketVersioningConfig()
        setting.status = status
        self._call("put_bucket_versioning", setting)

    def get_versioning(self) -> str:
        return str(self._call("get_bucket_versioning").status)

    def put_bucket_tags(self, *, tags: dict[str, str]) -> None:
        rule = oss2.models.TaggingRule()
        for name, value in tags.items():
            rule.add(name, value)
        self._call("put_bucket_tagging", oss2.models.Tagging(rule))

    def get_bucket_tags(self) -> dict[str, str]:
        return dict(self._call("get_bucket_tagging").tag_set.tagging_rule)

    def delete_bucket_tags(self) -> None:
        self._call("delete_bucket_tagging")

    def delete_encryption(self) -> None:
        self._call("delete_bucket_encryption")

    def delete_expiry(self) -> None:
        self._call("delete_bucket_lifecycle")

    def put_encryption(self, *, algorithm: str) -> None:
        self._call("put_bucket_encryption", oss2.models.ServerSideEncryptionRule(algorithm))

    def get_encryption(self) -> str:
        return str(self._call("get_bucket_encryption").sse_algorithm)

    def put_payer(self, *, payer: str) -> None:
        self._call("put_bucket_request_payment", payer)

    def get_payer(self) -> str:
        return str(self._call("get_bucket_request_payment").payer)

    def put_expiry(self, *, prefix: str, days: int) -> None:
        rule = oss2.models.LifecycleRule("one", prefix, expiration=oss2.models.LifecycleExpiration(days=days))
        self._call("put_bucket_lifecycle", oss2.models.BucketLifecycle([rule]))

    def get_expiry(self) -> list[list[Any]]:
        rules = self._call("get_bucket_lifecycle").rules
        return [[each.prefix, each.expiration.days] for each in rules]

    # -- URLs ------------------------------------------------------------------------------------------------

    def presign(self, *, method: str, key: str, seconds: int, headers: Headers) -> str:
        url: str = self.bucket.sign_url(method, key, seconds, headers=dict(headers), slash_safe=True)
        return url


class AioOss2(Oss2):
    """The same by aiooss2's calls, as far as it has them."""

    def __init__(self) -> None:
        super().__init__()
        import aiooss2  # noqa: PLC0415 - oss2's own environment has none

        self.library = aiooss2
        self.version = version_of("aiooss2")
        self._loop = asyncio.new_event_loop()
        self._session = self._wait(aiooss2.AioSession().__aenter__())

    def _open(self, auth: Any, bucket: str) -> Any:
        return self.library.AioBucket(auth, self.endpoint, bucket, session=self._session)

    def _service(self) -> Any:
        return self.library.AioService(self.auth, self.endpoint, session=self._session)

    def _auth(self, key: str, secret: str, token: str, sign: str) -> Any:
        if sign == "v4":
            raise LacksError("the client passes no region on, which signature V4 needs")
        return super()._auth(key, secret, token, sign)

    def _wait(self, result: Any) -> Any:
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def _read(self, answer: Any) -> bytes:
        """Piece by piece: a read gives what has arrived so far."""
        body = b""
        while piece := super()._read(answer):
            body += piece
        return body

    def _iterate(self, name: str, *arguments: Any, **options: Any) -> list[Any]:
        iterator = getattr(self.library, f"Aio{name}", None)
        if iterator is None:
            raise LacksError(f"the client has no {name}")

        async def collect(found: AsyncIterator[Any]) -> list[Any]:
            return [each async for each in found]

        with _refusals():
            return list(self._wait(collect(iterator(*arguments, **options))))

    def meta(self, *, key: str) -> dict[str, Any]:
        """aiooss2 asks by GET, and takes the length of that answer, which has no body, for the object's."""
        return {"etag": self._call("get_object_meta", key).etag}

    def complete(
        self, *, key: str, upload: str, parts: list[tuple[int, str]] | None, headers: Headers
    ) -> str:
        if parts is None:
            raise LacksError("the client always lists the parts")
        return super().complete(key=key, upload=upload, parts=parts, headers=headers)

    def list_parts(self, *, key: str, upload: str, page: int) -> list[list[Any]]:
        """aiooss2 has an iterator over parts and does not export it: the pages are asked for by hand."""
        found: list[list[Any]] = []
        marker = ""
        while True:
            answer = self._call("list_parts", key, upload, marker=marker, max_parts=page)
            found += [[each.part_number, each.size, each.etag] for each in answer.parts]
            if not answer.is_truncated:
                return found
            marker = answer.next_marker

    def list_uploads(self, *, prefix: str, page: int) -> list[list[str]]:
        found: list[list[str]] = []
        key_marker = id_marker = ""
        while True:
            answer = self._call(
                "list_multipart_uploads",
                prefix=prefix,
                key_marker=key_marker,
                upload_id_marker=id_marker,
                max_uploads=page,
            )
            found += [[each.key, each.upload_id] for each in answer.upload_list]
            if not answer.is_truncated:
                return found
            key_marker, id_marker = answer.next_key_marker, answer.next_upload_id_marker

    def presign(self, **_: object) -> str:
        raise LacksError("the client has no sign_url")


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except oss2.exceptions.ServerError as error:
        raise RefusedError(error.status, error.code) from error


def _version(version: str | None) -> dict[str, str] | None:
    return {"versionId": version} if version else None


def _keys(found: Iterable[Any]) -> dict[str, Any]:
    listed = list(found)
    return {
        "keys": [each.key for each in listed if not each.is_prefix()],
        "prefixes": [each.key for each in listed if each.is_prefix()],
    }


if __name__ == "__main__":
    client = AioOss2() if sys.argv[1:] == ["aiooss2"] else Oss2()
    serve(f"{'aiooss2' if isinstance(client, AioOss2) else 'oss2'} {client.version}", client)
