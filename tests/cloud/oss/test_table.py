"""The README says what the server does."""

from __future__ import annotations

from . import table


def test_the_table_of_operations_in_the_readme_is_the_servers() -> None:
    text = table.README.read_text()
    assert text == table.renewed(text), "run: python -m tests.cloud.oss.table"


def test_every_operation_of_the_copy_and_multipart_families_is_supported() -> None:
    states = {name: state for name, _, state in table.rows()}
    family = """CopyObject InitiateMultipartUpload UploadPart UploadPartCopy ListParts CompleteMultipartUpload
        AbortMultipartUpload ListMultipartUploads HeadObject GetObject PutObject ListObjectsV2"""
    assert {states[name] for name in family.split()} == {"supported"}
    assert states["PutBucketWebsite"] == "501"


def test_of_every_operation_that_is_done_it_is_said_how_it_is_known() -> None:
    done = {name for name, _, state in table.rows() if state == "supported"}
    assert done == set(table.KNOWN)
