"""Protocol bugs on purpose: each takes one rule away from the OSS server; a conformance test must notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from tests.cloud.accounts import Credentials
from tests.cloud.oss import (
    buckets,
    connection,
    copies,
    crc64,
    errors,
    lifecycle,
    metadata,
    multipart,
    objects,
    operations,
    preconditions,
    protocol,
    server,
    signatures,
    state,
)
from tests.cloud.oss.errors import OssError
from tests.cloud.oss.protocol import Call, Response
from tests.cloud.oss.signatures import Signatures
from tests.cloud.oss.state import Bucket, Store, Upload
from tests.cloud.oss.versions import Version

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
    def wrong(self: Signatures, access_key_id: str, *_: object) -> Credentials:
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


# -- what other clients assert, each found in test_clients.py ------------------------------------------------

_NEVER = re.compile("(?!)")


def _without(patch: pytest.MonkeyPatch, entry: operations.Entry, *names: bytes) -> None:
    """Let an operation answer without these headers."""
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        response = operation.handler(store, call)
        return replace(response, headers=tuple(each for each in response.headers if each[0] not in names))

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


def a_date_is_signed_in_the_form_of_oss_alone(patch: pytest.MonkeyPatch) -> None:
    right = signatures._sign_v4

    def wrong(request: protocol.Request, credentials: Credentials, *rest: object) -> str:
        return right(request, credentials, *rest[:3])  # type: ignore[arg-type]  # as they came

    patch.setattr(signatures, "_sign_v4", wrong)


def an_upload_without_parts_cannot_be_completed(patch: pytest.MonkeyPatch) -> None:
    right = multipart._listed

    def wrong(body: bytes, upload: Upload) -> list[state.Part]:
        parts = right(body, upload)
        if not parts:
            raise OssError("MalformedXML")
        return parts

    patch.setattr(multipart, "_listed", wrong)


def a_copied_part_does_not_tell_its_encryption(patch: pytest.MonkeyPatch) -> None:
    right = operations.UPLOAD_PART_COPY

    def wrong(store: Store, call: Call) -> Response:
        response = right.handler(store, call)
        kept = tuple(each for each in response.headers if b"encryption" not in each[0])
        return replace(response, headers=kept)

    patch.setattr(operations, "UPLOAD_PART_COPY", replace(right, handler=wrong))


def a_part_does_not_tell_its_md5(patch: pytest.MonkeyPatch) -> None:
    _without(patch, ("object", "PUT", "partNumber"), b"content-md5")


def replaced_metadata_loses_what_decrypts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(copies, "_CLIENT_SIDE", b"\0")


def a_copy_onto_itself_resets_the_acl(patch: pytest.MonkeyPatch) -> None:
    right = copies._copied

    def wrong(store: Store, bucket: Bucket, call: Call, source: copies.Source) -> Version:
        return replace(right(store, bucket, call, source), acl=metadata.acl(call))

    patch.setattr(copies, "_copied", wrong)


def a_symlink_tells_its_target_alone(patch: pytest.MonkeyPatch) -> None:
    _without(patch, ("object", "GET", "symlink"), b"content-type", b"x-oss-meta-b")


def the_acl_of_a_second_append_does_not_count(patch: pytest.MonkeyPatch) -> None:
    entry: operations.Entry = ("object", "POST", "append")
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        kept = {name: value for name, value in call.headers.items() if name != b"x-oss-object-acl"}
        return operation.handler(store, replace(call, headers=kept))

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


def an_empty_acl_is_no_acl(patch: pytest.MonkeyPatch) -> None:
    right = metadata.acl

    def wrong(call: Call, default: str = "default") -> str:
        if call.header(b"x-oss-object-acl") == "":
            raise OssError("InvalidArgument")
        return right(call, default)

    patch.setattr(metadata, "acl", wrong)


def a_bucket_that_is_put_again_is_private(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(buckets, "_acl", lambda call, _: call.header(b"x-oss-acl") or "private")


def of_several_ranges_none_counts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(preconditions, "_RANGE", re.compile(r"^bytes=(\d*)-(\d*)$"))


def no_last_bytes_are_all_bytes(patch: pytest.MonkeyPatch) -> None:
    right = preconditions.read_range

    def wrong(value: str | None, size: int, *, standard: bool = False) -> tuple[int, int] | None:
        return None if value == "bytes=-0" else right(value, size, standard=standard)

    patch.setattr(preconditions, "read_range", wrong)


def the_location_of_an_upload_is_not_encoded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(multipart, "quote", lambda key, **_: key)


def a_put_takes_conditions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(preconditions, "refuse_on_write", _nothing)


def any_text_is_a_kms_key_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(metadata, "_KEY_ID", re.compile(".*"))


def a_restoration_lasts_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(objects, "_LONGEST_RESTORED", {})
    patch.setattr(objects, "_COLD_RESTORED", (1 << 30, ""))


def parts_need_not_make_up_what_a_client_encrypted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(multipart, "_CLIENT_SIDE_SIZE", b"\0")


def control_characters_are_no_references(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protocol, "_REFERENCE", _NEVER)


def a_bucket_cannot_be_looked_for(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(operations.TABLE, ("bucket", "HEAD", ""))


def the_meta_of_an_object_cannot_be_got(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(operations.TABLE, ("object", "GET", "objectMeta"))


def a_clock_that_is_off_is_not_told_the_time(patch: pytest.MonkeyPatch) -> None:
    right = OssError.__init__

    def wrong(self: OssError, code: str, message: str | None = None, **more: Any) -> None:
        right(self, code, message, **{name: value for name, value in more.items() if "Time" not in name})

    patch.setattr(OssError, "__init__", wrong)


# -- each with the one test that finds it ----------------------------------------------------------------


def _answering(
    patch: pytest.MonkeyPatch, entry: operations.Entry, change: Callable[[Response], Response]
) -> None:
    """Change what an operation answers."""
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        return change(operation.handler(store, call))

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


def _asking(patch: pytest.MonkeyPatch, entry: operations.Entry, change: Callable[[Call], Call]) -> None:
    """Change what an operation is asked."""
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        return operation.handler(store, change(call))

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


def _without_header(name: bytes) -> Callable[[Call], Call]:
    return lambda call: replace(
        call, headers={key: value for key, value in call.headers.items() if key != name}
    )


def _with_body(old: bytes, new: bytes) -> Callable[[Response], Response]:
    return lambda response: replace(response, body=bytes(response.body).replace(old, new))


def a_condition_that_fails_is_named_in_the_message(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(preconditions, "_failed", lambda name: OssError("PreconditionFailed", f"{name} failed."))


def keys_to_delete_are_not_encoded_for_a_header(patch: pytest.MonkeyPatch) -> None:
    _asking(patch, ("bucket", "POST", "delete"), _without_header(b"encoding-type"))


def white_space_before_a_document_is_malformed(patch: pytest.MonkeyPatch) -> None:
    right = protocol.read_document

    def wrong(body: bytes) -> Any:
        if body[:1].isspace():
            raise OssError("MalformedXML")
        return right(body)

    patch.setattr(buckets, "read_document", wrong)


def a_length_beside_chunks_is_no_request(patch: pytest.MonkeyPatch) -> None:
    right = connection.Connection.connection_made

    def wrong(self: connection.Connection, transport: Any) -> None:
        right(self, transport)
        self.parser.set_dangerous_leniencies(lenient_chunked_length=False)

    patch.setattr(connection.Connection, "connection_made", wrong)


def a_symlink_to_nothing_says_so_in_other_words(patch: pytest.MonkeyPatch) -> None:
    meaning = errors.TABLE["SymlinkTargetNotExist"]
    patch.setitem(errors.TABLE, "SymlinkTargetNotExist", meaning._replace(message="The target is missing."))


def an_acl_of_a_bucket_that_is_missing_means_private(patch: pytest.MonkeyPatch) -> None:
    def wrong(call: Call) -> Call:
        return replace(
            call, headers={**call.headers, b"x-oss-acl": call.headers.get(b"x-oss-acl") or b"private"}
        )

    _asking(patch, ("bucket", "PUT", "acl"), wrong)


def the_metadata_of_a_second_append_count(patch: pytest.MonkeyPatch) -> None:
    entry: operations.Entry = ("object", "POST", "append")
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        response = operation.handler(store, call)
        bucket = store.bucket(call.bucket)
        version = bucket.find(call.key)
        bucket.replace(version, replace(version, metadata=metadata.metadata(call.headers)))
        return response

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


def a_list_without_parts_has_a_marker(patch: pytest.MonkeyPatch) -> None:
    empty = b"<NextPartNumberMarker></NextPartNumberMarker>"
    _answering(patch, ("object", "GET", "uploadId"), _with_body(empty, empty.replace(b"></", b">0</")))


def a_key_that_is_no_utf8_is_read_somehow(patch: pytest.MonkeyPatch) -> None:
    def wrong(text: str, **_: str) -> str:
        return unquote(text, errors="replace")

    patch.setattr(protocol, "unquote", wrong)


def an_ordinary_key_may_come_with_a_token(patch: pytest.MonkeyPatch) -> None:
    right = Signatures._find

    def wrong(self: Signatures, access_key_id: str, token: str, *rest: Any) -> Credentials:
        credentials = self._accounts.find(access_key_id)
        ordinary = credentials is not None and credentials.security_token is None
        return right(self, access_key_id, "" if ordinary else token, *rest)

    patch.setattr(Signatures, "_find", wrong)


def a_header_missing_from_a_url_is_a_wrong_signature(patch: pytest.MonkeyPatch) -> None:
    right = Signatures._url_v4

    def wrong(
        self: Signatures, request: protocol.Request, regions: tuple[str, ...], _: object
    ) -> Credentials:
        return right(self, request, regions, frozenset({"url-missing-header"}))

    patch.setattr(Signatures, "_url_v4", wrong)


def a_traffic_limit_does_not_tell_its_delay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(server, "traffic_limit", lambda _: 0)


def an_empty_bucket_was_modified_once(patch: pytest.MonkeyPatch) -> None:
    old = b"<LastModifiedTime>0</LastModifiedTime>"
    _answering(patch, ("bucket", "GET", "stat"), _with_body(old, old.replace(b"0", b"1796000000")))


def an_acl_that_is_put_has_no_location(patch: pytest.MonkeyPatch) -> None:
    _without(patch, ("bucket", "PUT", "acl"), b"location")


def a_bucket_does_not_tell_that_it_lets_the_public_in(patch: pytest.MonkeyPatch) -> None:
    old = b"<BlockPublicAccess>false</BlockPublicAccess>"
    _answering(patch, ("bucket", "GET", "bucketInfo"), _with_body(old, b""))


def a_list_of_buckets_has_no_tags(patch: pytest.MonkeyPatch) -> None:
    right = buckets._listed
    patch.setattr(buckets, "_listed", lambda store, bucket, **_: right(store, bucket, tagging=False))


def an_object_cannot_be_asked_to_be_sealed(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(operations.TABLE, ("object", "POST", "seal"))


def a_parameter_of_a_process_is_not_signed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(signatures, "_SIGNED_V1", signatures._SIGNED_V1 - {"processConf"})


def rules_may_overlap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "_check_overlap", _nothing)


def a_bucket_with_uploads_says_that_it_has_objects(patch: pytest.MonkeyPatch) -> None:
    entry: operations.Entry = ("bucket", "DELETE", "")
    operation = operations.TABLE[entry]

    def wrong(store: Store, call: Call) -> Response:
        try:
            return operation.handler(store, call)
        except OssError as error:
            raise OssError(error.code) from error

    patch.setitem(operations.TABLE, entry, replace(operation, handler=wrong))


# The conformance test that notices each.
FOUND_BY: dict[Mutation, str] = {
    the_etag_of_a_multipart_object_is_the_md5_of_its_bytes: (
        "100_gb_are_copied_in_1600_parts_within_seconds_and_without_disk"
    ),
    conditions_are_not_looked_at: "conditions_on_the_source_fail_as_412_or_304",
    any_signature_is_right: "a_wrong_secret_does_not_match",
    the_token_of_temporary_credentials_is_not_looked_at: "temporary_credentials_need_their_token_and_expire",
    a_clock_that_is_off_does_not_matter: "a_clock_that_is_off_by_more_than_15_minutes_is_refused",
    a_range_past_the_end_is_cut_to_the_object: (
        "a_range_past_the_end_copies_everything_and_has_no_content_range"
    ),
    a_second_complete_succeeds: "a_second_complete_finds_no_upload",
    forbid_overwrite_holds_under_versioning_too: (
        "forbid_overwrite_holds_without_versioning_and_is_ignored_with_it"
    ),
    small_parts_are_accepted: "wrong_part_lists_are_refused_at_complete",
    parts_in_any_order_are_accepted: "wrong_part_lists_are_refused_at_complete",
    copies_cross_regions: "missing_sources_and_regions_apart_are_told",
    a_copy_of_any_size_is_accepted: "size_limits_depend_on_what_changes",
    metadata_is_always_replaced: "a_copy_takes_headers_metadata_and_tags_but_not_acl_and_encryption",
    the_retention_policy_protects_nothing: "the_retention_policy_protects_what_is_there",
    checksums_of_parts_do_not_combine: "100_gb_are_copied_in_1600_parts_within_seconds_and_without_disk",
    the_ec_does_not_tell_the_operation: "a_second_complete_finds_no_upload",
    a_delete_leaves_no_marker: "every_write_makes_a_version_and_a_delete_leaves_a_marker",
    a_date_is_signed_in_the_form_of_oss_alone: "a_date_alone_is_signed_by_v4_as_it_stands",
    an_upload_without_parts_cannot_be_completed: "an_upload_without_parts_is_completed_to_an_empty_object",
    a_copied_part_does_not_tell_its_encryption: "a_part_copied_into_an_encrypted_upload_tells_the_encryption",
    a_part_does_not_tell_its_md5: "parts_and_objects_answer_with_their_md5",
    replaced_metadata_loses_what_decrypts: (
        "replaced_metadata_keeps_what_decrypts_an_object_unless_it_is_named"
    ),
    a_copy_onto_itself_resets_the_acl: "a_copy_onto_itself_with_replace_keeps_the_acl_unless_it_is_named",
    a_symlink_tells_its_target_alone: "a_symlink_tells_its_own_type_and_metadata",
    the_acl_of_a_second_append_does_not_count: "of_a_second_append_the_acl_counts_and_the_metadata_does_not",
    an_empty_acl_is_no_acl: "an_empty_acl_of_an_object_means_default",
    a_bucket_that_is_put_again_is_private: "an_acl_of_a_bucket_that_is_empty_or_missing_changes_nothing",
    of_several_ranges_none_counts: "no_last_bytes_are_no_range_and_of_several_the_first_counts",
    no_last_bytes_are_all_bytes: "no_last_bytes_are_no_range_and_of_several_the_first_counts",
    the_location_of_an_upload_is_not_encoded: "the_location_of_a_completed_upload_is_percent_encoded",
    a_put_takes_conditions: "a_put_takes_no_condition_of_a_read",
    any_text_is_a_kms_key_id: "a_kms_key_id_that_cannot_be_one_is_refused",
    a_restoration_lasts_for_ever: "a_restoration_lasts_no_longer_than_its_class_allows",
    parts_need_not_make_up_what_a_client_encrypted: (
        "parts_that_do_not_make_up_what_a_client_encrypted_are_not_completed"
    ),
    control_characters_are_no_references: "keys_to_delete_may_hold_control_characters_as_references",
    a_bucket_cannot_be_looked_for: "a_bucket_can_be_looked_for",
    the_meta_of_an_object_cannot_be_got: "the_meta_of_an_object_can_be_got",
    a_clock_that_is_off_is_not_told_the_time: "a_clock_that_is_off_is_told_both_times",
    a_condition_that_fails_is_named_in_the_message: "a_condition_that_fails_is_named_in_an_element_alone",
    keys_to_delete_are_not_encoded_for_a_header: "keys_to_delete_may_hold_control_characters_as_references",
    white_space_before_a_document_is_malformed: "a_document_may_begin_with_white_space",
    a_length_beside_chunks_is_no_request: "a_body_may_be_chunked_and_have_a_length_as_well",
    a_symlink_to_nothing_says_so_in_other_words: "a_symlink_to_nothing_says_so_in_these_words",
    an_acl_of_a_bucket_that_is_missing_means_private: (
        "an_acl_of_a_bucket_that_is_empty_or_missing_changes_nothing"
    ),
    the_metadata_of_a_second_append_count: ("of_a_second_append_the_acl_counts_and_the_metadata_does_not"),
    a_list_without_parts_has_a_marker: "a_list_without_parts_has_an_empty_next_marker",
    a_key_that_is_no_utf8_is_read_somehow: "a_key_that_is_no_utf_8_is_an_invalid_argument",
    an_ordinary_key_may_come_with_a_token: "an_ordinary_key_with_a_token_is_no_key",
    a_header_missing_from_a_url_is_a_wrong_signature: (
        "a_signed_header_that_is_missing_from_a_v4_url_is_named"
    ),
    a_traffic_limit_does_not_tell_its_delay: "a_traffic_limit_tells_how_long_it_delayed",
    an_empty_bucket_was_modified_once: "what_is_told_of_a_bucket",
    an_acl_that_is_put_has_no_location: "an_acl_of_a_bucket_that_is_empty_or_missing_changes_nothing",
    a_bucket_does_not_tell_that_it_lets_the_public_in: "what_is_told_of_a_bucket",
    a_list_of_buckets_has_no_tags: "a_list_of_buckets_tells_tags_if_it_is_asked_to",
    an_object_cannot_be_asked_to_be_sealed: "a_seal_is_known_by_its_subresource_and_not_done",
    a_parameter_of_a_process_is_not_signed: "v1_signs_this_parameter",
    rules_may_overlap: "lifecycle_rules_that_overlap_are_refused_unless_that_is_allowed",
    a_bucket_with_uploads_says_that_it_has_objects: "what_is_told_of_a_bucket",
}
