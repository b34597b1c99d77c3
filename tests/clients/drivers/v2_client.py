"""Drives alibabacloud-oss-v2 by its ordinary client, or with the argument `async` by its asynchronous one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import inspect
import io
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import alibabacloud_oss_v2 as oss
import alibabacloud_oss_v2.aio as oss_aio
from alibabacloud_oss_v2 import models

from .channel import Access, LacksError, RefusedError, own_metadata, serve, text

Headers = dict[str, str]
_META = "x-oss-meta-"


class V2:
    """The verbs, by the calls of SDK v2."""

    library: Any = oss.Client

    def __init__(self) -> None:
        self.client: Any = None
        self.bucket = ""

    def connect(self, **given: str) -> None:
        access = Access(**given)
        if access.token and access.sign == "v1":
            raise LacksError(
                "by V1 the client sends the token as `security-token`, a header that OSS does not document"
            )
        config = oss.config.load_default()
        config.credentials_provider = oss.credentials.StaticCredentialsProvider(
            access.id, access.secret, access.token or None
        )
        config.region, config.endpoint = access.region, access.endpoint
        config.signature_version = access.sign
        config.use_path_style = access.style == "path"
        config.retry_max_attempts = 1
        self.client = self.library(config)
        self.bucket = access.bucket

    def _wait(self, result: Any) -> Any:
        return result

    def _pages(self, paginator: Any, request: Any) -> list[Any]:
        with _refusals():
            return list(paginator.iter_page(request))

    def _call(self, name: str, request: Any, **options: Any) -> Any:
        call = getattr(self.client, name, None)
        if call is None:
            raise LacksError(f"the client has no {name}")
        with _refusals():
            return self._wait(call(request, **options))

    def _ask(self, kind: str, headers: Headers | None = None, **fields: Any) -> Any:
        """The request of this kind for the bucket, with `headers` in the fields that stand for them."""
        model = getattr(models, f"{kind}Request")
        named: dict[str, Any] = {}
        metadata, rest = {}, {}
        attributes = {
            each["rename"].lower(): name
            for name, each in model._attribute_map.items()  # noqa: SLF001 - which headers have fields
            if each.get("position") == "header"
        }
        for name, value in (headers or {}).items():
            if name.lower().startswith(_META) and _META in attributes:
                metadata[name.lower()[len(_META) :]] = value
            elif name.lower() in attributes:
                named[attributes[name.lower()]] = value
            else:
                rest[name] = value
        if metadata:
            named["metadata"] = metadata
        if rest:
            named["headers"] = rest
        return model(bucket=self.bucket, **fields, **named)

    # -- objects ---------------------------------------------------------------------------------------------

    def put(self, *, key: str, body: bytes, headers: Headers) -> dict[str, Any]:
        answer = self._call("put_object", self._ask("PutObject", headers, key=key, body=body))
        return {"etag": _bare(answer.etag), "version": answer.version_id}

    def get(
        self, *, key: str, span: list[int | None] | None, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        fields = {"key": key, "version_id": version, "range_header": _range(span)}
        answer = self._call("get_object", self._ask("GetObject", headers, **fields))
        return {
            "body": answer.body.content,
            "type": answer.content_type,
            "metadata": dict(answer.metadata or {}),
            "etag": _bare(answer.etag),
        }

    def head(self, *, key: str, headers: Headers, version: str | None) -> dict[str, Any]:
        answer = self._call("head_object", self._ask("HeadObject", headers, key=key, version_id=version))
        told = {name.lower(): value for name, value in dict(answer.headers).items()}
        return {
            "size": answer.content_length,
            "etag": _bare(answer.etag),
            "type": answer.content_type,
            "metadata": own_metadata(told),
            "kind": answer.object_type,
            "crc64": answer.hash_crc64,
            "headers": told,
        }

    def meta(self, *, key: str) -> dict[str, Any]:
        answer = self._call("get_object_meta", self._ask("GetObjectMeta", key=key))
        return {"size": answer.content_length, "etag": _bare(answer.etag)}

    def exists(self, *, key: str) -> bool:
        with _refusals():
            return bool(self._wait(self.client.is_object_exist(self.bucket, key)))

    def delete(self, *, key: str, version: str | None) -> dict[str, Any]:
        answer = self._call("delete_object", self._ask("DeleteObject", key=key, version_id=version))
        return {"marker": answer.delete_marker, "version": answer.version_id}

    def delete_many(self, *, keys: list[str]) -> list[str]:
        objects = [models.DeleteObject(key=key) for key in keys]
        request = self._ask("DeleteMultipleObjects", encoding_type="url", objects=objects)
        answer = self._call("delete_multiple_objects", request)
        return sorted(each.key for each in answer.deleted_objects or [])

    def copy(
        self, *, source_bucket: str, source: str, key: str, headers: Headers, version: str | None
    ) -> dict[str, Any]:
        fields = {
            "key": key,
            "source_bucket": source_bucket,
            "source_key": source,
            "source_version_id": version,
        }
        answer = self._call("copy_object", self._ask("CopyObject", headers, **fields))
        return {"etag": _bare(answer.etag), "version": answer.version_id}

    # -- parts -----------------------------------------------------------------------------------------------

    def initiate(self, *, key: str, headers: Headers) -> str:
        request = self._ask("InitiateMultipartUpload", headers, key=key)
        return text(self._call("initiate_multipart_upload", request).upload_id)

    def upload_part(self, *, key: str, upload: str, number: int, body: bytes) -> str:
        request = self._ask("UploadPart", key=key, upload_id=upload, part_number=number, body=body)
        return _bare(self._call("upload_part", request).etag)

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
        fields = {
            "key": key,
            "upload_id": upload,
            "part_number": number,
            "source_bucket": source_bucket,
            "source_key": source,
            "source_range": _range(span),
        }
        return _bare(self._call("upload_part_copy", self._ask("UploadPartCopy", headers, **fields)).etag)

    def complete(
        self, *, key: str, upload: str, parts: list[tuple[int, str]] | None, headers: Headers
    ) -> str:
        fields: dict[str, Any] = {"key": key, "upload_id": upload}
        if parts is None:
            fields["complete_all"] = "yes"
        else:
            listed = [models.UploadPart(part_number=number, etag=etag) for number, etag in parts]
            fields["complete_multipart_upload"] = models.CompleteMultipartUpload(parts=listed)
        request = self._ask("CompleteMultipartUpload", headers, **fields)
        return _bare(self._call("complete_multipart_upload", request).etag)

    def abort(self, *, key: str, upload: str) -> None:
        self._call("abort_multipart_upload", self._ask("AbortMultipartUpload", key=key, upload_id=upload))

    def list_parts(self, *, key: str, upload: str, page: int) -> list[list[Any]]:
        request = self._ask("ListParts", key=key, upload_id=upload)
        pages = self._pages(self.client.list_parts_paginator(limit=page), request)
        return [[each.part_number, each.size, _bare(each.etag)] for one in pages for each in one.parts or []]

    def list_uploads(self, *, prefix: str, page: int) -> list[list[str]]:
        request = self._ask("ListMultipartUploads", prefix=prefix, encoding_type="url")
        pages = self._pages(self.client.list_multipart_uploads_paginator(limit=page), request)
        return [[each.key, each.upload_id] for one in pages for each in one.uploads or []]

    def upload_large(self, *, key: str, body: bytes, part_size: int) -> None:
        if not hasattr(self.client, "uploader"):
            raise LacksError("the client has no uploader")
        request = self._ask("PutObject", key=key)
        with _refusals():
            self.client.uploader(part_size=part_size, parallel_num=1).upload_from(request, io.BytesIO(body))

    def copy_large(self, *, source_bucket: str, source: str, key: str, part_size: int) -> None:
        if not hasattr(self.client, "copier"):
            raise LacksError("the client has no copier")
        request = self._ask("CopyObject", key=key, source_bucket=source_bucket, source_key=source)
        copier = self.client.copier(
            part_size=part_size, parallel_num=1, multipart_copy_threshold=1, disable_shallow_copy=True
        )
        with _refusals():
            copier.copy(request)

    # -- lists -----------------------------------------------------------------------------------------------

    def list_keys(self, *, prefix: str, delimiter: str, page: int) -> dict[str, Any]:
        request = self._ask("ListObjects", prefix=prefix, delimiter=delimiter, encoding_type="url")
        return _keys(self._pages(self.client.list_objects_paginator(limit=page), request))

    def list_v2(self, *, prefix: str, delimiter: str, page: int, after: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"prefix": prefix, "delimiter": delimiter, "encoding_type": "url"}
        if after:
            fields["start_after"] = after
        request = self._ask("ListObjectsV2", **fields)
        return _keys(self._pages(self.client.list_objects_v2_paginator(limit=page), request))

    def list_versions(self, *, prefix: str, page: int) -> list[list[Any]]:
        request = self._ask("ListObjectVersions", prefix=prefix, encoding_type="url")
        found: list[list[Any]] = []
        for one in self._pages(self.client.list_object_versions_paginator(limit=page), request):
            found += [[each.key, each.version_id, False, each.is_latest] for each in one.version or []]
            found += [[each.key, each.version_id, True, each.is_latest] for each in one.delete_marker or []]
        return found

    def list_buckets(self, *, prefix: str, page: int) -> list[str]:
        request = models.ListBucketsRequest(prefix=prefix)
        pages = self._pages(self.client.list_buckets_paginator(limit=page), request)
        return [each.name for one in pages for each in one.buckets or []]

    # -- what an object has beside its bytes -----------------------------------------------------------------

    def put_tags(self, *, key: str, tags: dict[str, str]) -> None:
        tagging = models.Tagging(tag_set=_tag_set(tags))
        self._call("put_object_tagging", self._ask("PutObjectTagging", key=key, tagging=tagging))

    def get_tags(self, *, key: str) -> dict[str, str]:
        answer = self._call("get_object_tagging", self._ask("GetObjectTagging", key=key))
        return {each.key: each.value for each in answer.tag_set.tags or []}

    def delete_tags(self, *, key: str) -> None:
        self._call("delete_object_tagging", self._ask("DeleteObjectTagging", key=key))

    def put_acl(self, *, key: str, acl: str) -> None:
        self._call("put_object_acl", self._ask("PutObjectAcl", key=key, acl=acl))

    def get_acl(self, *, key: str) -> str:
        return text(self._call("get_object_acl", self._ask("GetObjectAcl", key=key)).acl)

    def put_symlink(self, *, key: str, target: str, headers: Headers) -> None:
        self._call(
            "put_symlink", self._ask("PutSymlink", headers, key=key, symlink_target=quote(target, safe=""))
        )

    def get_symlink(self, *, key: str) -> str:
        return unquote(self._call("get_symlink", self._ask("GetSymlink", key=key)).target)

    def append(self, *, key: str, position: int, body: bytes) -> int:
        request = self._ask("AppendObject", key=key, position=position, body=body)
        return int(self._call("append_object", request).next_position)

    def seal(self, *, key: str, position: int) -> None:
        self._call("seal_append_object", self._ask("SealAppendObject", key=key, position=str(position)))

    def restore(self, *, key: str, days: int) -> int:
        wish = models.RestoreRequest(days=days)
        answer = self._call("restore_object", self._ask("RestoreObject", key=key, restore_request=wish))
        return int(answer.status_code)

    # -- buckets ---------------------------------------------------------------------------------------------

    def make_bucket(self) -> None:
        self._call("put_bucket", self._ask("PutBucket"))

    def remove_bucket(self) -> None:
        self._call("delete_bucket", self._ask("DeleteBucket"))

    def bucket_info(self) -> dict[str, Any]:
        answer = self._call("get_bucket_info", self._ask("GetBucketInfo")).bucket_info
        return {"name": answer.name, "class": answer.storage_class, "acl": answer.acl}

    def bucket_location(self) -> str:
        return text(self._call("get_bucket_location", self._ask("GetBucketLocation")).location)

    def bucket_stat(self) -> int:
        return int(self._call("get_bucket_stat", self._ask("GetBucketStat")).object_count)

    def put_bucket_acl(self, *, acl: str) -> None:
        self._call("put_bucket_acl", self._ask("PutBucketAcl", acl=acl))

    def get_bucket_acl(self) -> str:
        return text(self._call("get_bucket_acl", self._ask("GetBucketAcl")).acl)

    def put_versioning(self, *, status: str) -> None:
        setting = models.VersioningConfiguration(status=status)
        self._call(
            "put_bucket_versioning", self._ask("PutBucketVersioning", versioning_configuration=setting)
        )

    def get_versioning(self) -> str:
        return text(self._call("get_bucket_versioning", self._ask("GetBucketVersioning")).version_status)

    def put_bucket_tags(self, *, tags: dict[str, str]) -> None:
        self._call(
            "put_bucket_tags", self._ask("PutBucketTags", tagging=models.Tagging(tag_set=_tag_set(tags)))
        )

    def get_bucket_tags(self) -> dict[str, str]:
        answer = self._call("get_bucket_tags", self._ask("GetBucketTags"))
        return {each.key: each.value for each in answer.tagging.tag_set.tags or []}

    def delete_bucket_tags(self) -> None:
        self._call("delete_bucket_tags", self._ask("DeleteBucketTags"))

    def delete_encryption(self) -> None:
        self._call("delete_bucket_encryption", self._ask("DeleteBucketEncryption"))

    def delete_expiry(self) -> None:
        self._call("delete_bucket_lifecycle", self._ask("DeleteBucketLifecycle"))

    def put_encryption(self, *, algorithm: str) -> None:
        default = models.ApplyServerSideEncryptionByDefault(sse_algorithm=algorithm)
        rule = models.ServerSideEncryptionRule(apply_server_side_encryption_by_default=default)
        self._call(
            "put_bucket_encryption", self._ask("PutBucketEncryption", server_side_encryption_rule=rule)
        )

    def get_encryption(self) -> str:
        answer = self._call("get_bucket_encryption", self._ask("GetBucketEncryption"))
        rule = answer.server_side_encryption_rule
        return text(rule.apply_server_side_encryption_by_default.sse_algorithm)

    def put_payer(self, *, payer: str) -> None:
        setting = models.RequestPaymentConfiguration(payer=payer)
        self._call(
            "put_bucket_request_payment",
            self._ask("PutBucketRequestPayment", request_payment_configuration=setting),
        )

    def get_payer(self) -> str:
        answer = self._call("get_bucket_request_payment", self._ask("GetBucketRequestPayment"))
        return text(answer.request_payment_configuration.payer)

    def put_expiry(self, *, prefix: str, days: int) -> None:
        rule = models.LifecycleRule(
            id="one", prefix=prefix, status="Enabled", expiration=models.LifecycleRuleExpiration(days=days)
        )
        setting = models.LifecycleConfiguration(rules=[rule])
        self._call("put_bucket_lifecycle", self._ask("PutBucketLifecycle", lifecycle_configuration=setting))

    def get_expiry(self) -> list[list[Any]]:
        answer = self._call("get_bucket_lifecycle", self._ask("GetBucketLifecycle"))
        return [[each.prefix, each.expiration.days] for each in answer.lifecycle_configuration.rules]

    # -- URLs ------------------------------------------------------------------------------------------------

    def presign(self, *, method: str, key: str, seconds: int, headers: Headers) -> str:
        request = self._ask({"GET": "GetObject", "PUT": "PutObject"}[method], headers, key=key)
        return text(self._call("presign", request, expires=dt.timedelta(seconds=seconds)).url)


class AsyncV2(V2):
    """The same by the asynchronous client."""

    library = oss_aio.AsyncClient

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()

    def connect(self, **given: Any) -> None:
        if self.client is not None:
            self._wait(self.client.close())
        super().connect(**given)

    def _wait(self, result: Any) -> Any:
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    def _pages(self, paginator: Any, request: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [each async for each in paginator.iter_page(request)]

        with _refusals():
            return list(self._loop.run_until_complete(collect()))


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        found: BaseException | None = error
        while found is not None:
            if isinstance(found, oss.exceptions.ServiceError):
                # its own code where the answer has no body
                code = "" if found.code == "BadErrorResponse" else found.code
                raise RefusedError(found.status_code, code) from error
            unwrap = getattr(found, "unwrap", None)
            found = unwrap() if unwrap else found.__cause__
        raise


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _range(span: list[int | None] | None) -> str | None:
    if span is None:
        return None
    first, last = span
    return f"bytes={'' if first is None else first}-{'' if last is None else last}"


def _tag_set(tags: dict[str, str]) -> Any:
    return models.TagSet(tags=[models.Tag(key=key, value=value) for key, value in tags.items()])


def _keys(pages: list[Any]) -> dict[str, Any]:
    return {
        "keys": [each.key for one in pages for each in one.contents or []],
        "prefixes": [each.prefix for one in pages for each in one.common_prefixes or []],
    }


if __name__ == "__main__":
    kind = AsyncV2 if sys.argv[1:] == ["async"] else V2
    serve(f"alibabacloud-oss-v2 {oss.__version__}{' async' if kind is AsyncV2 else ''}", kind())
