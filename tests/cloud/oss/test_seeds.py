"""Objects that are seeded by the million behave as any others, and cost nothing before they are touched."""

from __future__ import annotations

import base64
import random
import tracemalloc
from collections.abc import Iterator
from urllib.parse import unquote

import oss2
import pytest

from tests.cloud.accounts import Accounts

from . import copies, listing, seeded
from .errors import OssError
from .names import SHAPES, Names
from .protocol import Body, Call, read_document
from .running import Running, refused
from .seeds import DIFFERENT, Batch
from .state import Bucket, Store
from .versions import Version

MILLION = 1_000_000


def store() -> Store:
    held = Store(Accounts(), "cn-hangzhou", None)
    held.create("src")
    held.create("dst")
    return held


def batch(count: int, shape: str = "flat", prefix: str = "", size: int = 10, seed: int = 0) -> Batch:
    return Batch(Names(shape, prefix, count, seed), prefix, (size, size), seed)


def asking(**params: object) -> Call:
    """A request to the bucket `src` with these parameters."""
    named = {name.replace("_", "-"): str(value) for name, value in params.items()}
    return Call("ListObjects", "src", "", named, {}, Body(), "id", "owner", "127.0.0.1")


def copying(key: str) -> Call:
    """CopyObject of a key in `src` to `dst`; the key is a text of its own, as it is in a request."""
    headers = {b"x-oss-copy-source": f"/src/{key}".encode()}
    return Call("CopyObject", "dst", (key + " ")[:-1], {}, headers, Body(), "id", "owner", "127.0.0.1")


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 1025, 9000])
def test_names_of_every_shape_ascend_in_bytes_and_are_found_again(shape: str, count: int) -> None:
    names = Names(shape, "p/", count, 3)
    made = [names[number] for number in range(count)]
    assert made == sorted(set(made), key=str.encode)
    draw = random.Random(1)
    for number in [*range(min(count, 200)), *(draw.randrange(count) for _ in range(200))]:
        assert names.rank(made[number]) == number
        assert names.rank(made[number] + "\0") == number + 1
        if number:
            assert (names.rank(made[number]), names.rank(made[number - 1] + "\0")) == (number, number)
    assert (names.rank(""), names.rank("q")) == (0, count)
    again = Names(shape, "p/", count, 3)
    assert [again[0], again[count - 1]] == [made[0], made[-1]]


@pytest.mark.parametrize("shape", SHAPES)
def test_names_fit_where_a_prefix_is_as_long_as_it_may_be(shape: str) -> None:
    names = Names(shape, "p" * 512, 100_000_000, 0)
    assert all(len(names[number].encode()) <= 1023 for number in (0, 1, 50_000_000, 99_999_999))


def test_uuids_differ_by_seed_and_95_of_100_hot_names_lie_in_one_folder() -> None:
    assert Names("uuid", "", 100, 1)[5] != Names("uuid", "", 100, 2)[5]
    names = Names("hot", "", 1000, 0)
    assert sum(names[number].startswith("hot/") for number in range(1000)) == 950


# -- as any other object -------------------------------------------------------------------------------------


def test_a_seeded_object_is_the_one_that_a_seed_of_one_makes(oss: Running) -> None:
    bucket = oss.bucket()
    oss.server.seed_many("src", "many/", 1500, (300, 300), seed=7)
    for number, seed in ((0, 7), (1023, 7 + 1023), (1024, 7), (1499, 7 + 475)):
        key = f"many/{number:08d}"
        oss.server.seed("src", "one", 300, seed)
        one, many = bucket.head_object("one"), bucket.head_object(key)
        assert (many.etag, many.server_crc, many.content_length) == (one.etag, one.server_crc, 300)
        assert many.headers["content-type"] == one.headers["content-type"]
        data = bucket.get_object(key).read()
        assert data == bucket.get_object("one").read() == seeded.read(seed, 0, 300)
        assert base64.b64decode(oss2.utils.content_md5(data)).hex().upper() == many.etag
        assert bucket.get_object(key, byte_range=(5, 9)).read() == data[5:10]
        assert many.last_modified == bucket.head_object(key).last_modified < one.last_modified


def test_sizes_lie_between_the_smallest_and_the_largest_and_large_objects_cost_nothing() -> None:
    made = Batch(Names("flat", "", 3000, 0), "", (0, 5 << 30), 0)
    sizes = [made.record(number).content.size for number in range(DIFFERENT)]
    assert 0 <= min(sizes) < 100
    assert 1 << 30 < max(sizes) <= 5 << 30
    same = Batch(Names("flat", "", 10, 0), "", (1 << 40, 1 << 40), 0)
    assert same.record(3).content.size == 1 << 40


def test_a_seeded_object_is_overwritten_changed_and_deleted_like_any_other(oss: Running) -> None:
    bucket = oss.bucket()
    oss.server.seed_many("src", "", 5, (10, 10))
    bucket.put_object("00000001", b"new")
    bucket.put_object_tagging("00000002", oss2.models.Tagging(_tags({"a": "1"})))
    bucket.put_object_acl("00000002", "public-read")
    bucket.delete_object("00000003")
    bucket.delete_object("00000003")
    bucket.copy_object("src", "00000004", "00000000")
    assert refused(lambda: bucket.get_object("00000003")) == (404, "NoSuchKey")
    assert bucket.get_object("00000001").read() == b"new"
    assert bucket.get_object_tagging("00000002").tag_set.tagging_rule == {"a": "1"}
    assert bucket.get_object("00000002").read() == seeded.read(2, 0, 10)
    assert bucket.get_object("00000000").read() == seeded.read(4, 0, 10)
    assert [each.key for each in bucket.list_objects_v2().object_list] == [
        f"0000000{n}" for n in (0, 1, 2, 4)
    ]
    forbidden = {"x-oss-forbid-overwrite": "true"}
    assert refused(bucket.put_object, "00000004", b"", headers=forbidden) == (409, "FileAlreadyExists")
    for number in (0, 1, 2, 4):
        bucket.delete_object(f"0000000{number}")
    bucket.delete_bucket()


def _tags(pairs: dict[str, str]) -> oss2.models.TaggingRule:
    rule = oss2.models.TaggingRule()
    for key, value in pairs.items():
        rule.add(key, value)
    return rule


def test_a_seeded_object_is_the_null_version_of_its_key(oss: Running) -> None:
    bucket = oss.bucket()
    bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig("Enabled"))
    oss.server.seed_many("src", "", 3, (10, 10))
    assert bucket.head_object("00000001").versionid == "null"
    newer = bucket.put_object("00000001", b"new").versionid
    bucket.delete_object("00000002")
    listed = bucket.list_object_versions()
    assert [(each.key, each.versionid, each.is_latest) for each in listed.versions] == [
        ("00000000", "null", True),
        ("00000001", newer, True),
        ("00000001", "null", False),
        ("00000002", "null", False),
    ]
    assert [(each.key, each.is_latest) for each in listed.delete_marker] == [("00000002", True)]
    bucket.delete_object("00000001", params={"versionId": newer})
    assert bucket.get_object("00000001").read() == seeded.read(1, 0, 10)
    bucket.delete_object("00000001", params={"versionId": "null"})
    assert not bucket.object_exists("00000001")


def test_what_the_bucket_holds_counts_seeded_objects_that_are_left(oss: Running) -> None:
    bucket = oss.bucket()
    oss.server.seed_many("src", "", 3000, (10, 10))
    bucket.put_object("00000005", b"four")
    bucket.delete_object("00002000")
    stat = bucket.get_bucket_stat()
    assert (stat.object_count, stat.storage_size_in_bytes) == (2999, 2998 * 10 + 4)


def test_many_are_told_to_listeners_only_if_that_is_asked_for(oss: Running) -> None:
    oss.server.create_bucket("src")
    oss.server.seed_many("src", "quiet/", 3, (10, 10))
    assert oss.events == []
    oss.server.seed_many("src", "loud/", 3, (10, 10), events=True)
    assert [(each.key, each.name, each.size) for each in oss.events] == [
        (f"loud/0000000{number}", "ObjectCreated:PutObject", 10) for number in range(3)
    ]


def test_nothing_is_seeded_over_what_is_there() -> None:
    bucket = store().bucket("src")
    bucket.put(Version("a/00000005", 1.0))
    bucket.objects.seed(batch(10, prefix="b/"))
    bucket.objects.seed(batch(10, prefix="c/"))
    bucket.objects.seed(batch(4, prefix="a/"))
    bucket.objects.seed(batch(9, prefix="c/~/"))  # begins with another's prefix, but behind its last key
    for again in (batch(10, prefix="b/"), batch(10, prefix="b/0"), batch(9, prefix="a/")):
        with pytest.raises(OssError, match="FileAlreadyExists"):
            bucket.objects.seed(again)
    bucket = store().bucket("src")
    bucket.put(Version("a/00000005", 1.0))
    with pytest.raises(OssError, match="FileAlreadyExists"):
        bucket.objects.seed(batch(10, prefix="a/"))
    for number in range(10):
        bucket.objects.put(f"a/{number:08d}", [])
    bucket.objects.seed(batch(10, prefix="a/"))
    for number in range(10):
        bucket.remove(f"a/{number:08d}", "null")
    bucket.objects.seed(batch(10, prefix="a/"))


# -- listings ------------------------------------------------------------------------------------------------


def expected(
    bucket: Bucket, keys: list[str], after: str, prefix: str, delimiter: str, most: int
) -> tuple[list[str], bool]:
    """What a page shows of `keys`, in order, prefixes among them; and whether there is more."""
    shown: list[str] = []
    for key in sorted(keys, key=str.encode):
        passed = key <= after or (
            delimiter and after.endswith(delimiter) and len(after) > len(prefix) and key.startswith(after)
        )
        newest = bucket.current(key)
        if not key.startswith(prefix) or (passed and after) or newest is None or newest.marker:
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if cut < 0 else key[: cut + len(delimiter)]
        if entry not in shown:
            shown.append(entry)
    return shown[:most], len(shown) > most


def page(held: Store, **asked: object) -> tuple[list[str], str, bool]:
    """What a page of V2 shows, in order; its continuation, and whether there is more."""
    response = listing.list_objects_v2(held, asking(encoding_type="url", **asked))
    root = read_document(response.body)
    found = [unquote(each.text or "") for each in root.iterfind("Contents/Key")]
    found += [unquote(each.text or "") for each in root.iterfind("CommonPrefixes/Prefix")]
    assert root.findtext("KeyCount") == str(len(found))
    token = root.findtext("NextContinuationToken") or ""
    return sorted(found, key=str.encode), token, root.findtext("IsTruncated") == "true"


@pytest.mark.parametrize("shape", SHAPES)
def test_pages_over_seeded_and_written_objects_show_each_key_once_from_anywhere(shape: str) -> None:
    held, draw = store(), random.Random(shape)
    bucket = held.bucket("src")
    made = batch(400, shape, "p/")
    bucket.objects.seed(made)
    bucket.objects.seed(batch(30, "flat", "q/"))
    keys = [made.names[number] for number in range(400)] + [f"q/{number:08d}" for number in range(30)]
    for key in draw.sample(keys, 60):
        bucket.remove(key, "null")
        keys.remove(key)
    keys += [f"{key}+" for key in draw.sample(keys, 40)] + ["a", "p", "p/", "p/~", "z/z/z"]
    for key in keys[-45:]:
        bucket.put(Version(key, 1.0))
    bucket.versioning = "Enabled"
    for key in draw.sample(keys, 60):
        bucket.delete(key, 1.0)
    for _ in range(150):
        prefix, delimiter = draw.choice(["", "p/", "p", "p/l", "q/0"]), draw.choice(["", "/", "-", "//"])
        after = draw.choice(
            ["", draw.choice(keys), draw.choice(keys)[: draw.randrange(1, 12)], "p/hot/", "~"]
        )
        most = draw.choice([1, 3, 50, 1000])
        asked = {"prefix": prefix, "delimiter": delimiter, "max_keys": most}
        shown, token, more = page(held, start_after=after, **asked)
        assert (shown, more) == expected(bucket, keys, after, prefix, delimiter, most), (asked, after)
        if more:
            last = shown[-1]
            assert base64.b64decode(token).decode() == last
            following = page(held, continuation_token=token, **asked)
            assert (following[0], following[2]) == expected(bucket, keys, last, prefix, delimiter, most)


def test_versions_are_listed_key_by_key_new_to_old_across_pages() -> None:
    held = store()
    bucket = held.bucket("src")
    bucket.objects.seed(batch(5))
    bucket.versioning = "Enabled"
    for number in (1, 1, 3):
        bucket.put(Version(f"{number:08d}", 1.0))
    bucket.delete("00000003", 1.0)
    whole = [(key, each.id) for key in _keys(bucket) for each in reversed(bucket.objects[key])]
    found: list[tuple[str, str]] = []
    marks: dict[str, object] = {}
    for _ in range(20):
        root = read_document(listing.list_versions(held, asking(max_keys=2, **marks)).body)
        for element in root:
            if element.tag in {"Version", "DeleteMarker"}:
                key, version_id = element.findtext("Key") or "", element.findtext("VersionId") or ""
                newest = bucket.current(key)
                assert newest is not None
                assert (element.findtext("IsLatest") == "true") == (newest.id == version_id)
                assert (element.tag == "DeleteMarker") == next(
                    each.marker for each in bucket.objects[key] if each.id == version_id
                )
                found.append((key, version_id))
        if root.findtext("IsTruncated") == "false":
            break
        marks = {
            "key_marker": root.findtext("NextKeyMarker"),
            "version_id_marker": root.findtext("NextVersionIdMarker"),
        }
    assert found == whole


def _keys(bucket: Bucket) -> Iterator[str]:
    return (key for key, _ in bucket.objects.walk(""))


class Counted(Names):
    asked = 0

    def __getitem__(self, index: int) -> str:
        type(self).asked += 1
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("shape", "delimiter", "start"),
    [("flat", "", "00500000"), ("deep", "/", ""), ("hot", "/", ""), ("dates", "/", "year=2024/month=05/"),
     ("uuid", "-", "8")],
)  # fmt: skip
def test_a_page_of_a_million_looks_at_what_it_shows_alone(shape: str, delimiter: str, start: str) -> None:
    held = store()
    names = Counted(shape, "", MILLION, 0)
    held.bucket("src").objects.seed(Batch(names, "", (10, 10), 0))
    Counted.asked = 0
    shown, _, _ = page(held, delimiter=delimiter, start_after=start, max_keys=1000)
    assert shown
    assert Counted.asked < 100 + 40 * len(shown)


def test_a_page_behind_a_million_that_were_deleted_comes_at_once() -> None:
    held = store()
    names = Counted("flat", "", MILLION, 0)
    made = Batch(names, "", (10, 10), 0)
    held.bucket("src").objects.seed(made)
    for number in range(MILLION - 2):
        made.take(number)
    Counted.asked = 0
    assert len(page(held)[0]) == 2
    assert Counted.asked < 100


def test_what_follows_a_prefix_is_behind_all_that_begins_with_it() -> None:
    last = chr(0x10FFFF)
    assert listing.past("a/") == "a0"
    assert listing.past("a" + last + last) == "b"
    assert listing.past(last) is None
    assert listing.past("\ud7ff") == "\ud800"


# -- cost ----------------------------------------------------------------------------------------------------


def test_a_million_objects_cost_next_to_nothing_and_their_copies_little() -> None:
    held = store()
    tracemalloc.start()
    try:
        held.bucket("src").objects.seed(batch(MILLION, "uuid", size=4096))
        held.bucket("src").remove(Names("uuid", "", MILLION, 0)[77], "null")  # now there is a byte for each
        seeded_bytes, _ = tracemalloc.get_traced_memory()
        names = Names("uuid", "", MILLION, 0)
        keys = [names[number] for number in range(100_000, 105_000)]
        before, _ = tracemalloc.get_traced_memory()
        for key in keys:
            copies.copy_object(held, copying(key))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seeded_bytes < 2_000_000
    made = min(DIFFERENT, 5000) * 700  # their contents, which a million would share
    assert (after - before - made) / len(keys) < 250
