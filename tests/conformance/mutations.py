"""Protocol bugs on purpose: each takes one rule away from the OSS server; a conformance test must notice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.cloud.accounts import Credentials
from tests.cloud.oss import copies, crc64, errors, multipart, operations, preconditions, state
from tests.cloud.oss.errors import OssError
from tests.cloud.oss.protocol import Call, Response
from tests.cloud.oss.signatures import Signatures
from tests.cloud.oss.state import Bucket, Store, Upload, Version

Mutation = Callable[[pytest.MonkeyPatch], None]


def _nothing(*_: object, **__: object) -> None:
    pass


def the_etag_of_a_multipart_object_is_the_md5_of_its_bytes(patch: pytest.MonkeyPatch) -> None:
    right = multipart._assembled

    def wrong(store: Store, call: Call, upload: Upload, parts: list[state.Part]) -> Version:
        version = right(store, call, upload, parts)
        return replace(version, etag=version.content.etag())

    patch.setattr(multipart, "_assembled", wrong)


def conditions_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(preconditions, "check", _nothing)


def any_signature_is_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Signatures, "_compare", _nothing)


def the_token_of_temporary_credentials_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Signatures, access_key_id: str, _: str) -> Credentials:
        credentials = self._accounts.find(access_key_id)
        if credentials is None:
            raise OssError("InvalidAccessKeyId")
        return credentials

    patch.setattr(Signatures, "_find", wrong)


def a_clock_that_is_off_does_not_matter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Signatures, "_check_date", _nothing)


def a_range_past_the_end_is_cut_to_the_object(patch: pytest.MonkeyPatch) -> None:
    right = preconditions.read_range

    def wrong(value: str | None, size: int, **_: bool) -> tuple[int, int] | None:
        return right(value, size, standard=True)

    patch.setattr(preconditions, "read_range", wrong)


def a_second_complete_succeeds(patch: pytest.MonkeyPatch) -> None:
    def wrong(store: Store, call: Call) -> Response:
        try:
            return multipart.complete(store, call)
        except OssError as error:
            if error.code != "NoSuchUpload":
                raise
            return Response()

    entry: operations.Entry = ("object", "POST", "uploadId")
    patch.setitem(operations.TABLE, entry, replace(operations.TABLE[entry], handler=wrong))


def forbid_overwrite_holds_under_versioning_too(patch: pytest.MonkeyPatch) -> None:
    def wrong(call: Call, bucket: Bucket, key: str, *, forbidden: bool = False) -> None:
        asked = forbidden or call.header(b"x-oss-forbid-overwrite") == "true"
        if asked and bucket.current(key) is not None:
            raise OssError("FileAlreadyExists")

    patch.setattr(preconditions, "check_overwrite", wrong)


def small_parts_are_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(multipart, "SMALLEST_PART", 0)


def parts_in_any_order_are_accepted(patch: pytest.MonkeyPatch) -> None:
    right = multipart._listed

    def wrong(body: bytes, upload: Upload) -> list[state.Part]:
        try:
            return right(body, upload)
        except OssError as error:
            if error.code != "InvalidPartOrder":
                raise
            return list(upload.parts.values())

    patch.setattr(multipart, "_listed", wrong)


def copies_cross_regions(patch: pytest.MonkeyPatch) -> None:
    right = Store.create

    def wrong(self: Store, name: str, _: str | None = None, owner: str | None = None) -> Bucket:
        return right(self, name, self.region, owner)

    patch.setattr(Store, "create", wrong)


def a_copy_of_any_size_is_accepted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(copies, "SHALLOW_LIMIT", 1 << 60)
    patch.setattr(copies, "DEEP_LIMIT", 1 << 60)


def metadata_is_always_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(copies, "_directive", lambda *_: "replace")


def the_retention_policy_protects_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bucket, "check_mutable", _nothing)


def checksums_of_parts_do_not_combine(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crc64, "combine", lambda first, second, _: first ^ second)


def the_ec_does_not_tell_the_operation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(errors, "OF_OPERATION", {})


def a_delete_leaves_no_marker(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Bucket, key: str, _: float) -> None:
        for version in list(self.objects.get(key, [])):
            self.remove(key, version.id)

    patch.setattr(Bucket, "delete", wrong)


ALL: tuple[Mutation, ...] = (
    the_etag_of_a_multipart_object_is_the_md5_of_its_bytes,
    conditions_are_not_looked_at,
    any_signature_is_right,
    the_token_of_temporary_credentials_is_not_looked_at,
    a_clock_that_is_off_does_not_matter,
    a_range_past_the_end_is_cut_to_the_object,
    a_second_complete_succeeds,
    forbid_overwrite_holds_under_versioning_too,
    small_parts_are_accepted,
    parts_in_any_order_are_accepted,
    copies_cross_regions,
    a_copy_of_any_size_is_accepted,
    metadata_is_always_replaced,
    the_retention_policy_protects_nothing,
    checksums_of_parts_do_not_combine,
    the_ec_does_not_tell_the_operation,
    a_delete_leaves_no_marker,
)
