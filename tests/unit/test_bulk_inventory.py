"""Inventories of OSS as the source of a job: their manifest, their files, and the rows in these."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest

from osscopy.jobs.bulk import walk
from osscopy.jobs.bulk.pages import inventory
from osscopy.model import (
    BulkDestination,
    BulkJob,
    BulkSource,
    Failed,
    Filters,
    Former,
    Inventory,
    Range,
    Refused,
    ReportPlace,
)
from osscopy.plan.bulk import inventories
from tests.unit.engine import DST, SRC
from tests.unit.many import Jobs, request
from tests.unit.test_bulk_jobs import code, lines_of

CURRENT = "Bucket, Key, Size, StorageClass, LastModifiedDate, ETag, IsMultipartUploaded, EncryptionStatus"
EVERY = (
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, StorageClass, LastModifiedDate, ETag, "
    "IsMultipartUploaded, EncryptionStatus, ObjectAcl, TaggingCount, ObjectType, CRC64"
)
LEAST = "Bucket, Key"
CHANGES = (
    "Bucket, Key, VersionId, IsDeleteMarker, SequenceNumber, RecordType, RecordTimestamp, Requester, "
    "RequestId, SourceIp, Size, StorageClass, LastModifiedDate, ETag, IsMultipartUploaded, ObjectType, "
    "ObjectAcl, CRC64, EncryptionStatus"
)
BEGUN = 1_642_994_594
TOLD = {"IsLatest": "true", "IsDeleteMarker": "false", "StorageClass": "Standard", "ObjectType": "Normal"}


@pytest.fixture(name="jobs")
def fixture_jobs() -> Jobs:
    return Jobs()


def row(jobs: Jobs, schema: str, name: str, **told: str) -> str:
    """Return the row of an object as OSS writes it: each value quoted, the key percent-encoded."""
    known = dict(TOLD, Bucket=SRC, Key=quote(f"in/{name}", safe=""), Size="0", ETag="", CRC64="1")
    there = jobs.cloud.objects.get((SRC, f"in/{name}"))
    if there is not None:
        known |= {"Size": str(there.head.size), "ETag": there.head.etag}
    known |= {"LastModifiedDate": "2022-01-24T03:23:14.000Z", **told}
    return '"' + '","'.join(known.get(each, "") for each in schema.split(", ")) + '"\n'


def put(jobs: Jobs, key: str, body: bytes) -> None:
    jobs.cloud.files[key] = body
    jobs.cloud.put(key, "m", bucket=SRC, size=len(body), etag=f"F{len(body)}")


def made(jobs: Jobs, schema: str, *texts: str | bytes, packs: bool = True, **told: Any) -> BulkSource:
    """Put an inventory there, a file for each text, and return the source that it is."""
    files = []
    for number, text in enumerate(texts):
        body = text.encode() if isinstance(text, str) else text
        body = gzip.compress(body, mtime=0) if packs and isinstance(text, str) else body
        key = f"lists/data/{number}.csv.gz"
        put(jobs, key, body)
        files.append({"MD5checksum": hashlib.md5(body).hexdigest().upper(), "key": key, "size": len(body)})  # noqa: S324 - as OSS has it
    manifest = {
        "creationTimestamp": str(BEGUN),
        "destinationBucket": SRC,
        "fileFormat": "CSV",
        "fileSchema": schema,
        "files": files,
        "sourceBucket": SRC,
        "version": "2019-09-01",
    }
    put(jobs, "lists/manifest.json", json.dumps(manifest | told).encode())
    return BulkSource(inventory=Inventory(SRC, "lists/manifest.json"))


def run(jobs: Jobs, source: BulkSource, **changes: Any) -> Any:
    there = BulkDestination(bucket=DST, prefix="out/")
    return jobs.run(request(source=source, destination=there, **changes), str(len(jobs.cloud.submitted)))


# --- layouts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", [CURRENT, EVERY, LEAST], ids=["current", "every version", "least"])
@pytest.mark.parametrize("packs", [True, False], ids=["gzip", "plain"])
def test_each_layout_is_read_by_its_columns(jobs: Jobs, schema: str, packs: bool) -> None:
    jobs.put("a b", "c+d", "ü")
    first, second = row(jobs, schema, "a b") + row(jobs, schema, "c+d"), row(jobs, schema, "ü")
    source = made(jobs, schema, first, second, "", packs=packs)
    result = run(jobs, source)
    assert (result.status, result.objects.succeeded, result.objects.total) == ("succeeded", 3, 3)
    copied = {key for bucket, key in jobs.cloud.objects if bucket == DST}
    assert copied == {"out/in/a b", "out/in/c+d", "out/in/ü"}
    assert run(jobs, source).objects.skipped == 3


def test_rows_that_show_an_object_cost_no_look_at_it(jobs: Jobs) -> None:
    jobs.put(*"abcd")
    source = made(jobs, EVERY, "".join(row(jobs, EVERY, each) for each in "abcd"))
    looks = jobs.cloud.count("head")
    assert run(jobs, source).objects.succeeded == 4
    assert jobs.cloud.count("head") - looks == 2, "of the manifest and its file"
    listings, looks = jobs.cloud.count("list there"), jobs.cloud.count("head")
    assert run(jobs, source).objects.skipped == 4
    assert (jobs.cloud.count("list there") - listings, jobs.cloud.count("head") - looks) == (2, 2)


def test_destinations_that_a_listing_does_not_reach_are_asked(jobs: Jobs, monkeypatch: Any) -> None:
    jobs.put(*"abcd")
    for number in range(9):
        jobs.cloud.put(f"out/in/b{number}", "x", bucket=DST)
    jobs.cloud.put("out/in/d", "9", bucket=DST, etag=jobs.cloud.objects[SRC, "in/d"].head.etag)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.listing.PAGE", 2)
    source = made(jobs, EVERY, "".join(row(jobs, EVERY, each) for each in "abcd"))
    finds = jobs.cloud.count("find")
    result = run(jobs, source)
    assert (result.objects.succeeded, result.objects.skipped) == (3, 1)
    assert jobs.cloud.count("find") - finds == 2, "c and d"


def test_an_object_that_has_changed_since_the_inventory_is_copied_as_it_is(jobs: Jobs) -> None:
    jobs.put("a", "b")
    source = made(jobs, EVERY, row(jobs, EVERY, "a") + row(jobs, EVERY, "b"))
    jobs.put("b", crc64="9")
    assert run(jobs, source).objects.succeeded == 2
    assert jobs.cloud.objects[DST, "out/in/b"].head.crc64 == "9"


def test_old_versions_and_delete_markers_are_skipped(jobs: Jobs) -> None:
    jobs.put("a")
    old = row(jobs, EVERY, "a", IsLatest="false", VersionId="1", ETag="OLD")
    text = row(jobs, EVERY, "a", VersionId="2") + old
    text += row(jobs, EVERY, "b", IsDeleteMarker="true", Size="", ETag="", StorageClass="", ObjectType="")
    result = run(jobs, made(jobs, EVERY, text))
    assert (result.status, result.objects.succeeded, result.objects.skipped) == ("succeeded", 1, 2)
    assert lines_of(jobs, result) == [
        "in/a copied",
        "in/a skipped NotLatest",
        "in/b skipped DeleteMarker",
    ]


def test_what_is_gone_since_is_missing_and_no_failure(jobs: Jobs) -> None:
    jobs.put("a")
    result = run(jobs, made(jobs, EVERY, row(jobs, EVERY, "a") + row(jobs, EVERY, "z", ETag="E1", Size="1")))
    assert (result.status, result.objects.missing, result.objects.succeeded) == ("succeeded", 1, 1)
    result = run(jobs, made(jobs, LEAST, row(jobs, LEAST, "y") + row(jobs, LEAST, "z")))
    assert code(result) == "ManifestMismatch"


def test_a_bad_row_fails_alone(jobs: Jobs) -> None:
    jobs.put("a")
    bad = (
        '"src-bucket","in%2Fa"\n',
        row(jobs, EVERY, "a", Size="-1"),
        row(jobs, EVERY, "a", LastModifiedDate="24/01/2022"),
        row(jobs, EVERY, "a", Key="%FF"),
        row(jobs, EVERY, "a", Bucket=""),
        '"open\n',
    )
    result = run(jobs, made(jobs, EVERY, row(jobs, EVERY, "a") + "".join(bad)))
    assert (result.status, result.objects.succeeded, result.objects.failed) == ("failed", 1, len(bad))
    assert result.errors == {"BadLine": 5, "InvalidBucketName": 1}


def test_filters_take_what_rows_tell(jobs: Jobs) -> None:
    jobs.put("a", "b", "c")
    text = (
        row(jobs, CURRENT, "a", Size="10")
        + row(jobs, CURRENT, "b", Size="5")
        + row(jobs, CURRENT, "c", Size="20")
    )
    filters = Filters(min_size=10, exclude=("in/c",), modified_before="2023-01-01T00:00:00Z")
    result = run(jobs, made(jobs, CURRENT, text), filters=filters)
    assert (result.objects.succeeded, result.excluded) == (1, 2)


def test_what_is_newer_than_the_inventory_is_said_not_to_be_covered(jobs: Jobs) -> None:
    jobs.put("a")
    result = run(jobs, made(jobs, LEAST, row(jobs, LEAST, "a")))
    told = json.loads(jobs.cloud.files[f"r/{result.job}/summary.json"])["notes"]
    assert (
        "the inventory was begun at 2022-01-24T03:23:14Z: objects that were written since are not covered"
        in told
    )
    result = run(
        jobs, made(jobs, LEAST, row(jobs, LEAST, "a"), creationTimestamp="1705708800000"), verify="full"
    )
    assert "2024-01-20T00:00:00Z" in str(
        json.loads(jobs.cloud.files[f"r/{result.job}/summary.json"])["notes"]
    )


def test_what_failed_of_an_inventory_can_be_asked_for_again(jobs: Jobs) -> None:
    jobs.put("a", "b")
    source = made(jobs, LEAST, row(jobs, LEAST, "a") + row(jobs, LEAST, "b"))
    jobs.forbidden = frozenset({"in/b"})
    result = run(jobs, source)
    assert (result.objects.succeeded, result.objects.failed) == (1, 1)
    jobs.forbidden = frozenset()
    again = jobs.run(
        request(source=BulkSource(report=Former(result.job)), destination=BulkDestination(bucket=DST))
    )
    assert (again.objects.succeeded, again.objects.total) == (1, 1)
    assert (DST, "out/in/b") in jobs.cloud.objects


def test_rows_and_rows_that_show_nothing_stand_in_one_file(jobs: Jobs) -> None:
    jobs.put(*"abc")
    text = row(jobs, EVERY, "a") + row(jobs, EVERY, "b", ETag="") + row(jobs, EVERY, "c")
    assert run(jobs, made(jobs, EVERY, text)).objects.succeeded == 3
    assert run(jobs, made(jobs, EVERY, text)).objects.skipped == 3


# --- damage ------------------------------------------------------------------------------------------------


def damaged(jobs: Jobs, *texts: str | bytes, **told: Any) -> Any:
    jobs.put("a")
    result = run(jobs, made(jobs, LEAST, *texts, **told))
    assert not [key for bucket, key in jobs.cloud.objects if bucket == DST and key.endswith("z")]
    assert result.error is not None
    return result


def test_a_file_with_another_md5_stops_the_job_before_its_rows(jobs: Jobs) -> None:
    jobs.put("a", "z")
    source = made(jobs, LEAST, row(jobs, LEAST, "a"), row(jobs, LEAST, "z"))
    body = gzip.compress(row(jobs, LEAST, "a").encode(), mtime=0)
    other = bytearray(jobs.cloud.files["lists/data/1.csv.gz"])
    other[12] ^= 1
    put(jobs, "lists/data/1.csv.gz", bytes(other))
    assert len(other) == len(body)
    result = run(jobs, source)
    assert code(result) == "ManifestDamaged"
    assert "the MD5 of lists/data/1.csv.gz is not the one" in result.error.message
    assert [key for bucket, key in jobs.cloud.objects if bucket == DST] == ["out/in/a"]


@pytest.mark.parametrize("kept", [-4, 8], ids=["its end", "nearly all"])
def test_a_file_that_is_cut_short_stops_the_job(jobs: Jobs, kept: int) -> None:
    body = gzip.compress(row(jobs, LEAST, "z").encode(), mtime=0)[:kept]
    body = body if body.startswith(b"\x1f\x8b") else b"\x1f\x8b"
    result = damaged(jobs, body)
    assert code(result) == "ManifestDamaged"
    assert "lists/data/0.csv.gz is no whole gzip" in result.error.message


def test_a_file_that_is_no_gzip_after_its_start_stops_the_job(jobs: Jobs) -> None:
    assert code(damaged(jobs, b"\x1f\x8bxxxxxxxxxxxxxxxxx")) == "ManifestDamaged"


def test_a_file_of_another_size_or_none_stops_the_job(jobs: Jobs) -> None:
    jobs.put("a")
    source = made(jobs, LEAST, row(jobs, LEAST, "a"))
    put(jobs, "lists/data/0.csv.gz", b"short")
    result = run(jobs, source)
    assert (code(result), "has 5 bytes" in result.error.message) == ("ManifestDamaged", True)
    del jobs.cloud.objects[SRC, "lists/data/0.csv.gz"]
    result = run(jobs, source)
    assert (code(result), "there is no lists/data/0.csv.gz" in result.error.message) == (
        "ManifestDamaged",
        True,
    )


def test_a_file_that_may_not_be_read_is_told_as_such(jobs: Jobs) -> None:
    jobs.put("a")
    begun = jobs.begin(request(source=made(jobs, LEAST, row(jobs, LEAST, "a"))))
    jobs.cloud.broken["head"] = Failed("AccessDenied", "no", status=403)
    jobs.drain()
    assert code(jobs.look(begun.job or "")) == "AccessDenied"


def test_a_manifest_that_is_another_one_stops_a_hop(jobs: Jobs) -> None:
    jobs.put("a")
    begun = jobs.begin(request(source=made(jobs, LEAST, row(jobs, LEAST, "a"))))
    size = len(jobs.cloud.files["lists/manifest.json"])
    jobs.cloud.files["lists/manifest.json"] = b"x" * size  # with the same ETag
    jobs.drain()
    assert code(jobs.look(begun.job or "")) == "InvalidInventory"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"fileSchema": "Bucket, Size"}, "no Key"),
        ({"fileSchema": "Key"}, "no Bucket"),
        ({"fileSchema": "Bucket, Key, key"}, "twice"),
        ({"fileSchema": CHANGES}, "incremental"),
        ({"fileSchema": "Bucket, Key, VersionId"}, "which version is the latest"),
        ({"fileFormat": "ORC"}, "'ORC'"),
        ({"files": [{"key": "k", "size": 1, "MD5checksum": "no"}]}, "files[0]"),
        ({"files": [{"key": "", "size": 1, "MD5checksum": "0" * 32}]}, "files[0]"),
        ({"files": [{"key": "k", "size": -1, "MD5checksum": "0" * 32}]}, "files[0]"),
        ({"files": [{"key": "k"}]}, "no manifest.json"),
        ({"creationTimestamp": "yesterday"}, "no manifest.json"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused(jobs: Jobs, told: dict[str, Any], why: str) -> None:
    result = jobs.begin(request(source=made(jobs, LEAST, "", **told)))
    assert (code(result), result.error.field if result.error else "") == (
        "InvalidInventory",
        "source.inventory",
    )
    assert result.error is not None
    assert why in result.error.message
    assert not jobs.cloud.records


def test_too_long_a_list_of_files_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(inventories, "MOST_FILES", 1)
    file = {"key": "k", "size": 1, "MD5checksum": "0" * 32}
    body = {"fileFormat": "CSV", "fileSchema": LEAST, "files": [file, file]}
    with pytest.raises(Refused, match="more than 1 files"):
        inventories.read(json.dumps(body).encode())


def test_no_manifest_an_empty_one_and_one_without_files_are_refused(jobs: Jobs) -> None:
    source = made(jobs, LEAST)
    assert code(jobs.begin(request(source=source))) == "EmptySource"
    assert jobs.run(request(source=source, allow_empty=True)).status == "succeeded"
    put(jobs, "lists/manifest.json", b"")
    assert code(jobs.begin(request(source=source))) == "InvalidInventory"
    put(jobs, "lists/manifest.json", b"no json")
    assert code(jobs.begin(request(source=source))) == "InvalidInventory"
    del jobs.cloud.objects[SRC, "lists/manifest.json"]
    result = jobs.begin(request(source=source))
    assert (code(result), result.error.field if result.error else "") == ("NoSuchKey", "source.inventory")


@pytest.mark.parametrize("key", ["lists/manifest.json", "lists/data/0.csv.gz"])
def test_a_manifest_and_files_that_may_not_be_read_are_refused(jobs: Jobs, key: str) -> None:
    jobs.put("a")
    source = made(jobs, LEAST, row(jobs, LEAST, "a"))
    jobs.forbidden = frozenset({key})
    assert code(jobs.begin(request(source=source))) == "NotAllowed"
    assert not jobs.cloud.records


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        (Filters(min_size=1), "minSize"),
        (Filters(max_size=1), "maxSize"),
        (Filters(modified_after="2023-01-01T00:00:00Z"), "modifiedAfter"),
        (Filters(modified_before="2023-01-01T00:00:00Z"), "modifiedBefore"),
        (Filters(storage_classes=("IA",)), "storageClasses"),
    ],
)
def test_filters_of_what_no_row_tells_are_refused(jobs: Jobs, filters: Filters, field: str) -> None:
    result = jobs.begin(request(source=made(jobs, LEAST, ""), filters=filters))
    assert (code(result), result.error.field if result.error else "") == ("InvalidFilter", f"filters.{field}")


# --- positions, ranges, time -------------------------------------------------------------------------------


def pages_of(jobs: Jobs, source: BulkSource, whole: Range = Range()) -> inventory.InventoryPages:  # noqa: B008 - it is frozen
    assert source.inventory is not None
    head = jobs.cloud.objects[SRC, "lists/manifest.json"].head
    asked = request(source=source)
    place = ReportPlace("r")
    job = BulkJob("n", "b-1", asked, "2027-01-15T08:01:40.000Z", 0, 1, place, head.etag, head.size)
    return inventory.InventoryPages(jobs.tools(), job, whole, source.inventory)


def test_a_range_is_cut_between_files(jobs: Jobs) -> None:
    jobs.put(*"abcdef")
    source = made(jobs, LEAST, *(row(jobs, LEAST, each) for each in "abcdef"))
    pages = pages_of(jobs, source)
    low = inventories.position(0, 10)
    (at,) = pages.cuts(low, 2)
    assert at == inventories.position(3, 0)
    assert pages.cuts(low, 4) == tuple(inventories.position(each, 0) for each in (2, 3, 5))
    assert pages.cuts(low, 99) == tuple(inventories.position(each, 0) for each in (1, 2, 3, 4, 5))
    found = []
    for whole in (Range((0,), None, at), Range((1,), at, None)):
        half = pages_of(jobs, source, whole)
        position: str | None = whole.low
        while True:
            page = half.after(position)
            found += [each.item.request.source.key for each in page.places if each.item]
            position = page.high
            if page.is_last:
                break
    assert found == [f"in/{each}" for each in "abcdef"]
    assert pages.cuts(inventories.position(5, 0), 2) == ()
    assert pages_of(jobs, source, Range((0,), None, inventories.position(1, 0))).cuts(low, 2) == ()
    assert pages.ahead(None).more
    assert not pages.ahead(inventories.position(6, 0)).more
    assert pages.after(inventories.position(6, 0)).is_last
    assert pages_of(jobs, source, Range((0,), None, at)).after(at).places == ()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("most", [1, 2, 1000])
def test_every_row_counts_once_whatever_it_is_cut_into(monkeypatch: Any, workers: int, most: int) -> None:
    jobs = Jobs(workers)
    names = [f"{number:02}" for number in range(23)]
    jobs.put(*names)
    monkeypatch.setattr(inventory, "PAGE", most)
    monkeypatch.setattr(inventory, "TEXT", 60)
    monkeypatch.setattr(inventory, "PIECE", 16)
    monkeypatch.setattr(walk, "MOST_ROWS", 3)
    monkeypatch.setattr("osscopy.jobs.bulk.pages.width.SOON", 0.0)
    texts = ["".join(row(jobs, CURRENT, each) for each in names[at : at + 5]) for at in range(0, 23, 5)]
    result = run(jobs, made(jobs, CURRENT, *texts))
    assert sorted(lines_of(jobs, result)) == [f"in/{each} copied" for each in names]


def test_a_file_that_does_not_fit_into_an_invocation_fails_the_job_and_a_later_one_waits(jobs: Jobs) -> None:
    jobs.put("a", "b")
    source = made(jobs, LEAST, row(jobs, LEAST, "a"), row(jobs, LEAST, "b"))
    pages = pages_of(jobs, source)
    first = pages.after(None)
    assert [each.item is not None for each in first.places] == [True]
    jobs.cloud.time += 100
    later = pages.after(first.high)
    assert (later.places, later.high, later.is_last) == ((), first.high, False)
    slow = pages_of(jobs, source)
    jobs.cloud.time += 100
    with pytest.raises(Failed) as caught:
        slow.after(None)
    assert caught.value.code == "TimeoutTooShort"


def test_a_file_is_opened_once_in_a_hop(jobs: Jobs, monkeypatch: Any) -> None:
    monkeypatch.setattr(inventory, "PAGE", 1)
    jobs.put(*"abcd")
    source = made(jobs, EVERY, "".join(row(jobs, EVERY, each) for each in "abcd"))
    looks = jobs.cloud.count("head")
    assert run(jobs, source, overwrite="always").objects.succeeded == 4
    assert jobs.cloud.count("head") - looks == 2


def test_an_empty_file_is_asked_for_no_byte(jobs: Jobs) -> None:
    jobs.put("a")
    source = made(jobs, LEAST, b"", row(jobs, LEAST, "a"))
    assert run(jobs, source).objects.succeeded == 1
