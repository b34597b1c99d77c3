"""OPERATIONS.md says what the server does."""

from __future__ import annotations

from . import operations, table


def test_the_tables_of_operations_are_the_servers() -> None:
    text = table.DOCUMENT.read_text()
    assert text == table.renewed(text), "run: python -m tests.cloud.oss.table"


def test_every_operation_of_the_copy_and_multipart_families_is_supported() -> None:
    states = {name: state for name, _, state in table.rows()}
    family = """CopyObject InitiateMultipartUpload UploadPart UploadPartCopy ListParts CompleteMultipartUpload
        AbortMultipartUpload ListMultipartUploads HeadObject GetObject PutObject ListObjectsV2"""
    assert {states[name] for name in family.split()} == {"supported"}
    assert states["PutBucketWebsite"] == "501"


def test_of_every_operation_it_is_said_how_it_is_known() -> None:
    clients = table.by_clients()
    states = {name: state for name, _, state in table.rows()}
    assert set(states) >= {*clients, *table.GUESSES}
    for name, state in states.items():
        how = table.known(name, clients, done=state == "supported")
        assert how.startswith(("client: ", "documentation")), (name, how)
        assert ("client: " in how) == (name in clients)
        assert ("guess: " in how) == (name in table.GUESSES)
        assert (how == "documentation: the name alone") == (state == "501" and name not in clients), how


def test_what_six_clients_were_seen_to_ask_for_is_in_the_table() -> None:
    clients = table.by_clients()
    assert {"oss2", "oss-v2", "aiooss2", "ossfs", "opendal", "ali-oss", "oss2's tests"} <= set(
        clients["CopyObject"]
    )
    assert clients["PostObject"] == ["ali-oss"]
    by_documentation = {
        name for name, _, state in table.rows() if state == "supported" and name not in clients
    }
    assert by_documentation == set(), "run: make exchanges"


def test_the_table_names_every_operation_of_the_server_once() -> None:
    names = [name for name, _, _ in table.rows()]
    assert len(names) == len(set(names))
    registered = {operation.name for operation in operations.TABLE.values()}
    variants = {
        each.name
        for each in (operations.COPY_OBJECT, operations.UPLOAD_PART_COPY, operations.LIST_OBJECTS_V2)
    }
    assert set(names) == registered | variants
