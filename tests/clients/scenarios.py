"""Scenarios that every client of OSS plays, one function each: the rows of the table.

A scenario speaks in verbs, which each driver carries out by its client's own calls. It checks what the
client under test understands, and names what it leaves in the bucket: other clients read that afterwards. It
must not know which client it drives.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

import httpx
import msgspec
import oss2

from tests.cloud.accounts import Credentials
from tests.cloud.oss.running import Running

from .driving import Driver, RefusedError

TYPE = "text/x-one"
ODD_KEY = "a b/ü&%+?#=~.bin"
PART = 100 * 1024  # the smallest that is no last one
PUBLIC_HOST = "oss.localhost"
Headers = dict[str, str]


def body_of(size: int, seed: int = 1) -> bytes:
    """Bytes that tell where they belong and compress well."""
    pieces = (f"{seed}.{number} ".encode().ljust(2000, b"\0") for number in range(size // 2000 + 1))
    return b"".join(pieces)[:size]


class Left(msgspec.Struct, frozen=True):
    """An object that a scenario leaves: its bytes, and of what is beside them what should be looked at."""

    key: str
    body: bytes
    content_type: str | None
    metadata: Headers | None


class Scene:
    """The client under test in a bucket of its own, a second bucket, and another client that helps."""

    def __init__(
        self, server: Running, client: Driver, helper: Driver, bucket: str, *, make: bool = True
    ) -> None:
        self.server = server
        self.client = client
        self.helper = helper
        self.bucket, self.second = bucket, f"{bucket}-2"
        self.left: list[Left] = []
        self.owner: Credentials = server.accounts.owner
        if make:
            for name in (self.bucket, self.second):
                server.do(lambda name=name: server.server.create_bucket(name))  # type: ignore[misc]  # mypy infers no default's type
        self.connect(client)
        self.connect(helper)

    def connect(
        self,
        driver: Driver,
        *,
        sign: str = "",
        style: str = "",
        who: Credentials | None = None,
        secret: str = "",
    ) -> None:
        """Tell a client where the server is and who it is."""
        who = who or self.owner
        port = self.server.url.rpartition(":")[2]
        driver(
            "connect",
            endpoint=self.server.url
            if (style or driver.program.style) == "path"
            else f"http://{PUBLIC_HOST}:{port}",
            id=who.access_key_id,
            secret=secret or who.access_key_secret,
            token=who.security_token or "",
            bucket=self.bucket,
            sign=sign or driver.program.signs[0],
            style=style or driver.program.style,
            region="cn-hangzhou",
        )

    def clear(self) -> None:
        """Take the buckets away."""
        buckets = self.server.server.store.buckets
        self.server.do(lambda: [buckets.pop(name) for name in list(buckets) if name.startswith(self.bucket)])

    def __call__(self, verb: str, **arguments: Any) -> Any:
        return self.client(verb, **arguments)

    def fetch(self, method: str, url: str, **options: Any) -> httpx.Response:
        """The answer to a URL; through the server as a proxy: not every resolver knows `.localhost`."""
        with httpx.Client(proxy=self.server.url) as client:
            return client.request(method, url, **options)

    def refused(self, status: int, code: str, verb: str, **arguments: Any) -> None:
        """The client says that the server refuses; where it tells the code, the right one."""
        try:
            done = self.client(verb, **arguments)
        except RefusedError as error:
            assert (error.status, error.code or code) == (status, code), str(error)
        else:
            raise AssertionError(f"{verb} should be refused with {status} {code}: {done!r}")

    def leaves(
        self, key: str, body: bytes, content_type: str | None = None, metadata: Headers | None = None
    ) -> None:
        """Other clients are to find this at the end."""
        self.left.append(Left(key, body, content_type, metadata))

    def made(self, key: str, body: bytes = b"x", headers: Headers | None = None) -> str:
        """An object by the helper; its ETag."""
        self.helper("put", key=key, body=body, headers=headers or {})
        return hashlib.md5(body, usedforsecurity=False).hexdigest().upper()


Scenario = Callable[[Scene], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Register it under its name, with spaces."""
    SCENARIOS[function.__name__.replace("_", " ")] = function
    return function


def same(found: Any, wanted: Any) -> None:
    assert found == wanted, f"{found!r} instead of {wanted!r}"


def told(found: dict[str, Any], **wanted: Any) -> None:
    """Check what the client tells; None is what it does not tell."""
    for name, value in wanted.items():
        if found.get(name) is not None:
            assert found[name] == value, f"{name}: {found[name]!r} instead of {value!r}"


def crc64(body: bytes) -> str:
    checksum = oss2.utils.Crc64()
    checksum.update(body)
    return str(checksum.crc)


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest().upper()


# -- objects -------------------------------------------------------------------------------------------------


@scenario
def put_and_get(scene: Scene) -> None:
    body = body_of(3000)
    told(scene("put", key="k", body=body), etag=md5(body))
    found = scene("get", key="k")
    same(found["body"], body)
    told(found, etag=md5(body))
    scene.leaves("k", body)


@scenario
def put_with_type_and_metadata(scene: Scene) -> None:
    scene(
        "put",
        key="k",
        body=b"x",
        headers={"content-type": TYPE, "x-oss-meta-a": "1", "x-oss-meta-b-c": "2 3"},
    )
    told(scene("get", key="k"), type=TYPE, metadata={"a": "1", "b-c": "2 3"})
    scene.leaves("k", b"x", TYPE, {"a": "1", "b-c": "2 3"})


@scenario
def put_with_content_headers(scene: Scene) -> None:
    headers = {
        "cache-control": "max-age=9",
        "content-disposition": "attachment; filename=x",
        "content-encoding": "zip",
    }
    scene("put", key="k", body=b"x", headers=headers)
    seen = scene.helper("head", key="k")["headers"]
    same({name: seen.get(name) for name in headers}, headers)


@scenario
def put_nothing(scene: Scene) -> None:
    scene("put", key="k", body=b"")
    same(scene("get", key="k")["body"], b"")
    scene.leaves("k", b"")


@scenario
def put_an_odd_key(scene: Scene) -> None:
    scene("put", key=ODD_KEY, body=b"odd")
    same(scene("get", key=ODD_KEY)["body"], b"odd")
    scene.leaves(ODD_KEY, b"odd")


@scenario
def put_without_overwriting(scene: Scene) -> None:
    never = {"x-oss-forbid-overwrite": "true"}
    scene("put", key="k", body=b"first", headers=never)
    scene.refused(409, "FileAlreadyExists", "put", key="k", body=b"second", headers=never)
    scene.leaves("k", b"first")


@scenario
def put_with_class_and_encryption(scene: Scene) -> None:
    headers = {"x-oss-storage-class": "IA", "x-oss-server-side-encryption": "AES256"}
    scene("put", key="k", body=b"x", headers=headers)
    seen = scene.helper("head", key="k")["headers"]
    same({name: seen.get(name) for name in headers}, headers)
    scene.leaves("k", b"x")


@scenario
def get_what_another_wrote(scene: Scene) -> None:
    body = body_of(5000, 3)
    etag = scene.made("k", body, {"content-type": TYPE, "x-oss-meta-a": "1"})
    found = scene("get", key="k")
    same(found["body"], body)
    told(found, etag=etag, type=TYPE, metadata={"a": "1"})


@scenario
def get_a_range(scene: Scene) -> None:
    scene.made("k", b"0123456789")
    same(scene("get", key="k", span=[2, 5])["body"], b"2345")


@scenario
def get_the_end(scene: Scene) -> None:
    scene.made("k", b"0123456789")
    same(scene("get", key="k", span=[7, None])["body"], b"789")
    same(scene("get", key="k", span=[None, 2])["body"], b"89")


@scenario
def get_what_is_not_there(scene: Scene) -> None:
    scene.refused(404, "NoSuchKey", "get", key="nothing")


@scenario
def head_what_another_wrote(scene: Scene) -> None:
    etag = scene.made("k", b"hello", {"content-type": TYPE, "x-oss-meta-a": "1"})
    found = scene("head", key="k")
    same(found["size"], 5)
    told(found, etag=etag, type=TYPE, metadata={"a": "1"}, kind="Normal", crc64=crc64(b"hello"))


@scenario
def get_object_meta(scene: Scene) -> None:
    etag = scene.made("k", b"hello")
    told(scene("meta", key="k"), size=5, etag=etag)


@scenario
def ask_what_exists(scene: Scene) -> None:
    scene.made("k")
    same((scene("exists", key="k"), scene("exists", key="nothing")), (True, False))


@scenario
def delete_one(scene: Scene) -> None:
    scene.made("k")
    scene.made("kept")
    scene("delete", key="k")
    same(scene.helper("exists", key="k"), False)
    scene.leaves("kept", b"x")


@scenario
def delete_many_below_a_folder(scene: Scene) -> None:
    keys = [f"gone/{number}" for number in range(5)]
    for key in (*keys, "kept"):
        scene.made(key)
    same(scene("delete_many", keys=keys), keys)
    same(scene.helper("list_keys"), {"keys": ["kept"], "prefixes": []})


@scenario
def delete_many_odd_keys(scene: Scene) -> None:
    keys = sorted([ODD_KEY, "<&>", "ctrl-\x01-x", "t\tt"])
    for key in (*keys, "kept"):
        scene.made(key)
    scene("delete_many", keys=keys)
    same(scene.helper("list_keys"), {"keys": ["kept"], "prefixes": []})


# -- conditions ----------------------------------------------------------------------------------------------


@scenario
def get_if_match(scene: Scene) -> None:
    etag = scene.made("k")
    same(scene("get", key="k", headers={"if-match": f'"{etag}"'})["body"], b"x")
    scene.refused(412, "PreconditionFailed", "get", key="k", headers={"if-match": '"0"'})


@scenario
def get_if_none_match(scene: Scene) -> None:
    etag = scene.made("k")
    same(scene("get", key="k", headers={"if-none-match": '"0"'})["body"], b"x")
    scene.refused(304, "NotModified", "get", key="k", headers={"if-none-match": f'"{etag}"'})


@scenario
def get_if_modified_since(scene: Scene) -> None:
    scene.made("k")
    before, after = _dates()
    same(scene("get", key="k", headers={"if-modified-since": before})["body"], b"x")
    scene.refused(304, "NotModified", "get", key="k", headers={"if-modified-since": after})
    scene.refused(412, "PreconditionFailed", "get", key="k", headers={"if-unmodified-since": before})


@scenario
def head_if_match(scene: Scene) -> None:
    etag = scene.made("k")
    same(scene("head", key="k", headers={"if-match": f'"{etag}"'})["size"], 1)
    scene.refused(412, "PreconditionFailed", "head", key="k", headers={"if-match": '"0"'})


def _dates() -> tuple[str, str]:
    """HTTP dates of an hour ago and of an hour from now."""
    now = time.time()
    return formatdate(now - 3600, usegmt=True), formatdate(now + 3600, usegmt=True)


# -- copies --------------------------------------------------------------------------------------------------


@scenario
def copy_in_one_bucket(scene: Scene) -> None:
    etag = scene.made("k", b"copied", {"content-type": TYPE, "x-oss-meta-a": "1"})
    told(scene("copy", source_bucket=scene.bucket, source="k", key="copy"), etag=etag)
    scene.leaves("copy", b"copied", TYPE, {"a": "1"})


@scenario
def copy_between_buckets(scene: Scene) -> None:
    _in_second(scene, "k", b"copied", {"content-type": TYPE, "x-oss-meta-a": "1"})
    scene("copy", source_bucket=scene.second, source="k", key="copy")
    scene.leaves("copy", b"copied", TYPE, {"a": "1"})


@scenario
def copy_an_odd_key(scene: Scene) -> None:
    scene.made(ODD_KEY, b"odd")
    scene("copy", source_bucket=scene.bucket, source=ODD_KEY, key=f"copy of {ODD_KEY}")
    scene.leaves(f"copy of {ODD_KEY}", b"odd")


@scenario
def copy_with_other_metadata(scene: Scene) -> None:
    scene.made("k", b"x", {"content-type": TYPE, "x-oss-meta-a": "1"})
    headers = {"x-oss-metadata-directive": "REPLACE", "content-type": "text/y", "x-oss-meta-b": "2"}
    scene("copy", source_bucket=scene.bucket, source="k", key="copy", headers=headers)
    scene.leaves("copy", b"x", "text/y", {"b": "2"})


@scenario
def copy_onto_itself(scene: Scene) -> None:
    scene.made("k", b"x", {"content-type": TYPE, "x-oss-meta-a": "1"})
    headers = {"x-oss-metadata-directive": "REPLACE", "content-type": TYPE, "x-oss-meta-b": "2"}
    scene("copy", source_bucket=scene.bucket, source="k", key="k", headers=headers)
    scene.leaves("k", b"x", TYPE, {"b": "2"})


@scenario
def copy_with_tags(scene: Scene) -> None:
    scene.made("k", b"x", {"x-oss-tagging": "a=1"})
    scene("copy", source_bucket=scene.bucket, source="k", key="kept")
    headers = {"x-oss-tagging-directive": "Replace", "x-oss-tagging": "b=2&c=%2B"}
    scene("copy", source_bucket=scene.bucket, source="k", key="replaced", headers=headers)
    same(scene.helper("get_tags", key="kept"), {"a": "1"})
    same(scene.helper("get_tags", key="replaced"), {"b": "2", "c": "+"})


@scenario
def copy_with_conditions(scene: Scene) -> None:
    etag = scene.made("k")
    where: dict[str, Any] = {"source_bucket": scene.bucket, "source": "k", "key": "copy"}
    scene("copy", **where, headers={"x-oss-copy-source-if-match": etag})
    scene.refused(412, "PreconditionFailed", "copy", **where, headers={"x-oss-copy-source-if-match": "0"})
    scene.refused(304, "NotModified", "copy", **where, headers={"x-oss-copy-source-if-none-match": etag})
    scene.leaves("copy", b"x")


@scenario
def copy_with_class_and_acl(scene: Scene) -> None:
    scene.made("k")
    headers = {"x-oss-storage-class": "IA", "x-oss-object-acl": "public-read"}
    scene("copy", source_bucket=scene.bucket, source="k", key="copy", headers=headers)
    same(scene.helper("head", key="copy")["headers"]["x-oss-storage-class"], "IA")
    same(scene.helper("get_acl", key="copy"), "public-read")


@scenario
def copy_without_overwriting(scene: Scene) -> None:
    scene.made("k", b"new")
    scene.made("copy", b"old")
    where: dict[str, Any] = {"source_bucket": scene.bucket, "source": "k", "key": "copy"}
    never = {"x-oss-forbid-overwrite": "true"}
    scene.refused(409, "FileAlreadyExists", "copy", **where, headers=never)
    scene.leaves("copy", b"old")


@scenario
def copy_what_is_not_there(scene: Scene) -> None:
    scene.refused(404, "NoSuchKey", "copy", source_bucket=scene.bucket, source="nothing", key="copy")


@scenario
def copy_a_version(scene: Scene) -> None:
    scene.helper("put_versioning", status="Enabled")
    first = scene.helper("put", key="k", body=b"first")["version"]
    scene.made("k", b"second")
    scene("copy", source_bucket=scene.bucket, source="k", key="copy", version=first)
    scene.leaves("copy", b"first")


@scenario
def copy_by_the_clients_own_parts(scene: Scene) -> None:
    body = body_of(2 * PART + 5)
    scene.made("k", body)
    scene("copy_large", source_bucket=scene.bucket, source="k", key="copy", part_size=PART)
    assert scene.helper("head", key="copy")["etag"].endswith("-3")
    scene.leaves("copy", body)


def _in_second(scene: Scene, key: str, body: bytes, headers: Headers) -> None:
    first = scene.bucket
    scene.bucket = scene.second
    scene.connect(scene.helper)
    scene.made(key, body, headers)
    scene.bucket = first
    scene.connect(scene.helper)


# -- parts ---------------------------------------------------------------------------------------------------


@scenario
def upload_in_parts(scene: Scene) -> None:
    body = body_of(2 * PART + 5)
    pieces = [body[:PART], body[PART : 2 * PART], body[2 * PART :]]
    upload = scene("initiate", key="k", headers={"content-type": TYPE, "x-oss-meta-a": "1"})
    parts = [
        (number, scene("upload_part", key="k", upload=upload, number=number, body=piece))
        for number, piece in enumerate(pieces, 1)
    ]
    same([etag for _, etag in parts], [md5(piece) for piece in pieces])
    etag = scene("complete", key="k", upload=upload, parts=parts)
    joined = "".join(md5(piece) for piece in pieces).encode()
    same(etag, f"{md5(joined)}-3")
    scene.leaves("k", body, TYPE, {"a": "1"})


@scenario
def upload_by_the_clients_own_parts(scene: Scene) -> None:
    body = body_of(2 * PART + 5, 2)
    scene("upload_large", key="k", body=body, part_size=PART)
    assert scene.helper("head", key="k")["etag"].endswith("-3")
    scene.leaves("k", body)


@scenario
def copy_in_parts(scene: Scene) -> None:
    body = body_of(PART + 500)
    scene.made("k", body)
    upload = scene("initiate", key="copy")
    where: dict[str, Any] = {"key": "copy", "upload": upload, "source_bucket": scene.bucket, "source": "k"}
    spans = [(1, [0, PART - 1]), (2, [PART, PART + 499])]
    parts = [(number, scene("copy_part", **where, number=number, span=span)) for number, span in spans]
    same([etag for _, etag in parts], [md5(body[:PART]), md5(body[PART:])])
    scene("complete", key="copy", upload=upload, parts=parts)
    scene.leaves("copy", body)


@scenario
def copy_a_part_with_conditions(scene: Scene) -> None:
    etag = scene.made("k", b"part")
    upload = scene("initiate", key="copy")
    where: dict[str, Any] = {
        "key": "copy",
        "upload": upload,
        "number": 1,
        "source_bucket": scene.bucket,
        "source": "k",
    }
    wrong = {"x-oss-copy-source-if-match": "0"}
    scene.refused(412, "PreconditionFailed", "copy_part", **where, headers=wrong)
    copied = scene("copy_part", **where, headers={"x-oss-copy-source-if-match": etag})
    scene("complete", key="copy", upload=upload, parts=[(1, copied)])
    scene.leaves("copy", b"part")


@scenario
def list_parts_by_pages(scene: Scene) -> None:
    upload = scene.helper("initiate", key="k")
    for number in (1, 2, 3, 7, 9):
        scene.helper("upload_part", key="k", upload=upload, number=number, body=b"x" * number)
    listed = [[number, number, md5(b"x" * number)] for number in (1, 2, 3, 7, 9)]
    same(scene("list_parts", key="k", upload=upload, page=2), listed)


@scenario
def list_uploads_by_pages(scene: Scene) -> None:
    keys = ["a", "a", "b/" + ODD_KEY, "c"]
    made = sorted([key, scene.helper("initiate", key=key)] for key in keys)
    same(scene("list_uploads", page=2), made)
    same(scene("list_uploads", prefix="b/", page=2), [each for each in made if each[0][0] == "b"])


@scenario
def complete_all_parts(scene: Scene) -> None:
    upload = scene("initiate", key="k")
    scene("upload_part", key="k", upload=upload, number=3, body=b"all")
    scene("complete", key="k", upload=upload, parts=None)
    scene.leaves("k", b"all")


@scenario
def complete_twice(scene: Scene) -> None:
    upload = scene("initiate", key="k")
    parts = [(1, scene("upload_part", key="k", upload=upload, number=1, body=b"once"))]
    scene("complete", key="k", upload=upload, parts=parts)
    scene.refused(404, "NoSuchUpload", "complete", key="k", upload=upload, parts=parts)
    scene.leaves("k", b"once")


@scenario
def complete_with_a_wrong_part(scene: Scene) -> None:
    upload = scene("initiate", key="k")
    scene("upload_part", key="k", upload=upload, number=1, body=b"x")
    scene.refused(400, "InvalidPart", "complete", key="k", upload=upload, parts=[(1, "0" * 32)])


@scenario
def abort_an_upload(scene: Scene) -> None:
    upload = scene("initiate", key="k")
    scene("abort", key="k", upload=upload)
    same(scene.helper("list_uploads"), [])
    scene.refused(404, "NoSuchUpload", "abort", key="k", upload=upload)


# -- lists ---------------------------------------------------------------------------------------------------

KEYS = sorted(["a", "b b", "c&<>", "d+%", "e/1", "e/2", "f/1", "ü"])


def _keys_made(scene: Scene, keys: Iterable[str] = KEYS) -> None:
    for key in keys:
        scene.made(key)


@scenario
def list_by_pages(scene: Scene) -> None:
    _keys_made(scene)
    same(scene("list_keys", page=3), {"keys": KEYS, "prefixes": []})


@scenario
def list_keys_that_xml_cannot_hold(scene: Scene) -> None:
    _keys_made(scene, ["ctrl-\x01-x", "z"])
    same(scene("list_keys", page=1), {"keys": ["ctrl-\x01-x", "z"], "prefixes": []})


@scenario
def list_one_level(scene: Scene) -> None:
    _keys_made(scene)
    plain = [key for key in KEYS if "/" not in key]
    same(scene("list_keys", delimiter="/", page=100), {"keys": plain, "prefixes": ["e/", "f/"]})
    same(scene("list_keys", prefix="e/", delimiter="/"), {"keys": ["e/1", "e/2"], "prefixes": []})


@scenario
def list_v2_by_pages(scene: Scene) -> None:
    _keys_made(scene)
    same(scene("list_v2", page=3), {"keys": KEYS, "prefixes": []})
    same(scene("list_v2", prefix="e/", page=1)["keys"], ["e/1", "e/2"])


@scenario
def list_v2_after_a_key(scene: Scene) -> None:
    _keys_made(scene)
    same(scene("list_v2", after="c&<>", page=2)["keys"], KEYS[3:])


@scenario
def list_versions_by_pages(scene: Scene) -> None:
    scene.helper("put_versioning", status="Enabled")
    versions = [scene.helper("put", key=key, body=b"x")["version"] for key in ("a", "a", "b")]
    marker = scene.helper("delete", key="b")["version"]
    found = scene("list_versions", page=2)
    wanted = [("a", versions[0]), ("a", versions[1]), ("b", versions[2]), ("b", marker)]
    same(sorted((key, version) for key, version, _, _ in found), sorted(wanted))
    markers = [version for _, version, is_marker, _ in found if is_marker]
    assert markers == [marker] or all(is_marker is None for _, _, is_marker, _ in found), found


@scenario
def list_buckets_by_prefix(scene: Scene) -> None:
    same(scene("list_buckets", prefix=scene.bucket, page=1), [scene.bucket, scene.second])


# -- what an object has beside its bytes ---------------------------------------------------------------------


@scenario
def tag_an_object(scene: Scene) -> None:
    scene.made("k")
    scene("put_tags", key="k", tags={"a": "1", "b c": "d/e"})
    same(scene("get_tags", key="k"), {"a": "1", "b c": "d/e"})
    same(scene.helper("get_tags", key="k"), {"a": "1", "b c": "d/e"})
    scene("delete_tags", key="k")
    same(scene.helper("get_tags", key="k"), {})


@scenario
def put_with_tags(scene: Scene) -> None:
    scene("put", key="k", body=b"x", headers={"x-oss-tagging": "a=1&b=%2B"})
    same(scene.helper("get_tags", key="k"), {"a": "1", "b": "+"})
    scene.leaves("k", b"x")


@scenario
def set_an_acl(scene: Scene) -> None:
    scene.made("k")
    scene("put_acl", key="k", acl="public-read")
    same((scene("get_acl", key="k"), scene.helper("get_acl", key="k")), ("public-read", "public-read"))
    same(scene.fetch("GET", f"{scene.server.url}/{scene.bucket}/k").content, b"x")


@scenario
def put_with_an_acl(scene: Scene) -> None:
    scene("put", key="k", body=b"x", headers={"x-oss-object-acl": "public-read"})
    same(scene.helper("get_acl", key="k"), "public-read")
    scene.leaves("k", b"x")


@scenario
def make_a_symlink(scene: Scene) -> None:
    scene.made(ODD_KEY, b"target")
    scene("put_symlink", key="link", target=ODD_KEY)
    same((scene("get_symlink", key="link"), scene.helper("get_symlink", key="link")), (ODD_KEY, ODD_KEY))
    scene.leaves("link", b"target")


@scenario
def append_to_an_object(scene: Scene) -> None:
    same(scene("append", key="k", position=0, body=b"one "), 4)
    same(scene("append", key="k", position=4, body=b"two"), 7)
    scene.leaves("k", b"one two")


@scenario
def append_at_a_wrong_place(scene: Scene) -> None:
    scene("append", key="k", position=0, body=b"one")
    scene.refused(409, "PositionNotEqualToLength", "append", key="k", position=1, body=b"two")


@scenario
def seal_what_was_appended(scene: Scene) -> None:
    """An operation that is known and not done."""
    for sign in ("v4", "v1"):
        scene.connect(scene.client, sign=sign)
        scene("append", key=sign, position=0, body=b"one")
        scene.refused(501, "NotImplemented", "seal", key=sign, position=3)
        scene.leaves(sign, b"one")


@scenario
def restore_an_archive(scene: Scene) -> None:
    scene.made("k", b"cold", {"x-oss-storage-class": "Archive"})
    scene.refused(403, "InvalidObjectState", "get", key="k")
    same(scene("restore", key="k", days=1), 202)
    assert 'ongoing-request="true"' in scene.helper("head", key="k")["headers"]["x-oss-restore"]


@scenario
def read_and_delete_versions(scene: Scene) -> None:
    scene("put_versioning", status="Enabled")
    same(scene("get_versioning"), "Enabled")
    first = scene("put", key="k", body=b"first")["version"]
    scene("put", key="k", body=b"second")
    same(scene("get", key="k", version=first)["body"], b"first")
    told(scene("delete", key="k"), marker=True)
    scene.refused(404, "NoSuchKey", "get", key="k")
    told(scene("delete", key="k", version=first), version=first)
    scene("put", key="k", body=b"third")
    scene.leaves("k", b"third")


@scenario
def read_a_version_another_wrote(scene: Scene) -> None:
    scene.helper("put_versioning", status="Enabled")
    first = scene.helper("put", key="k", body=b"first")["version"]
    scene.made("k", b"second")
    same(scene("get", key="k", version=first)["body"], b"first")
    same(scene("head", key="k", version=first)["size"], 5)


# -- who asks, and where -------------------------------------------------------------------------------------


def _round_trip(scene: Scene) -> None:
    body = body_of(1000, 5)
    scene("put", key=ODD_KEY, body=body, headers={"content-type": TYPE, "x-oss-meta-a": "1"})
    same(scene("get", key=ODD_KEY)["body"], body)
    assert ODD_KEY in scene("list_keys", page=10)["keys"]
    scene.leaves(ODD_KEY, body, TYPE, {"a": "1"})


def _way(sign: str, style: str) -> Scenario:
    def way(scene: Scene) -> None:
        scene.connect(scene.client, sign=sign, style=style)
        _round_trip(scene)

    way.__name__ = f"sign_by_{sign}_with_{style}_addresses"
    return way


for _sign in ("v1", "v4"):
    for _style in ("path", "virtual"):
        scenario(_way(_sign, _style))


@scenario
def use_temporary_credentials(scene: Scene) -> None:
    scene.connect(scene.client, who=scene.server.accounts.issue(scene.owner.principal))
    _round_trip(scene)


@scenario
def use_temporary_credentials_with_v1(scene: Scene) -> None:
    scene.connect(scene.client, who=scene.server.accounts.issue(scene.owner.principal), sign="v1")
    _round_trip(scene)


@scenario
def sign_with_a_wrong_secret(scene: Scene) -> None:
    scene.made("k")
    scene.connect(scene.client, secret="wrong")
    scene.refused(403, "SignatureDoesNotMatch", "get", key="k")


@scenario
def sign_with_an_unknown_key(scene: Scene) -> None:
    scene.connect(scene.client, who=Credentials("LTAInobody", "nothing", ""))
    scene.refused(403, "InvalidAccessKeyId", "get", key="k")


def _presigned_get(sign: str) -> Scenario:
    def presigned(scene: Scene) -> None:
        scene.made(ODD_KEY, b"by URL")
        scene.connect(scene.client, sign=sign)
        url = scene("presign", method="GET", key=ODD_KEY)
        same(scene.fetch("GET", url).content, b"by URL")
        changed = scene.fetch("GET", url.replace("bin?", "bin2?"))
        same(changed.status_code, 403)

    presigned.__name__ = f"presign_a_get_by_{sign}"
    return presigned


def _presigned_put(sign: str) -> Scenario:
    def presigned(scene: Scene) -> None:
        scene.connect(scene.client, sign=sign)
        url = scene("presign", method="PUT", key="k", headers={"content-type": TYPE})
        same(scene.fetch("PUT", url, content=b"by URL", headers={"content-type": TYPE}).status_code, 200)
        same(scene.fetch("PUT", url, content=b"x", headers={"content-type": "text/other"}).status_code, 403)
        scene.leaves("k", b"by URL", TYPE)

    presigned.__name__ = f"presign_a_put_by_{sign}"
    return presigned


for _sign in ("v1", "v4"):
    scenario(_presigned_get(_sign))
    scenario(_presigned_put(_sign))


@scenario
def presign_with_a_token(scene: Scene) -> None:
    scene.made("k", b"by URL")
    scene.connect(scene.client, who=scene.server.accounts.issue(scene.owner.principal))
    same(scene.fetch("GET", scene("presign", method="GET", key="k")).content, b"by URL")


@scenario
def post_a_form(scene: Scene) -> None:
    scene.connect(scene.client, sign="v1")
    fields = scene("post_policy", key="k", seconds=600)
    url = f"{scene.server.url}/{scene.bucket}"
    same(scene.fetch("POST", url, data=fields, files={"file": ("f", b"by form")}).status_code, 204)
    scene.leaves("k", b"by form")


# -- buckets -------------------------------------------------------------------------------------------------


@scenario
def make_and_remove_a_bucket(scene: Scene) -> None:
    first = scene.bucket
    scene.bucket = f"{first}-new"
    scene.connect(scene.client)
    scene.refused(404, "NoSuchBucket", "put", key="k", body=b"x")
    scene("make_bucket")
    scene("put", key="k", body=b"x")
    scene.refused(409, "BucketNotEmpty", "remove_bucket")
    scene("delete", key="k", version=None)
    scene("remove_bucket")
    scene.bucket = first


@scenario
def ask_about_a_bucket(scene: Scene) -> None:
    scene.made("k")
    told(scene("bucket_info"), name=scene.bucket, **{"class": "Standard"}, acl="private")
    same(scene("bucket_location"), "oss-cn-hangzhou")
    same(scene("bucket_stat"), 1)


@scenario
def set_the_acl_of_a_bucket(scene: Scene) -> None:
    scene("put_bucket_acl", acl="public-read")
    same((scene("get_bucket_acl"), scene.helper("get_bucket_acl")), ("public-read", "public-read"))


@scenario
def tag_a_bucket(scene: Scene) -> None:
    scene("put_bucket_tags", tags={"a": "1", "b": "2"})
    same((scene("get_bucket_tags"), scene.helper("get_bucket_tags")), ({"a": "1", "b": "2"},) * 2)
    scene("delete_bucket_tags")
    same(scene.helper("get_bucket_tags"), {})


@scenario
def encrypt_a_bucket(scene: Scene) -> None:
    scene("put_encryption", algorithm="AES256")
    same((scene("get_encryption"), scene.helper("get_encryption")), ("AES256", "AES256"))
    scene.made("k")
    same(scene.helper("head", key="k")["headers"]["x-oss-server-side-encryption"], "AES256")
    scene("delete_encryption")
    scene.made("plain")
    assert "x-oss-server-side-encryption" not in scene.helper("head", key="plain")["headers"]


@scenario
def let_the_requester_pay(scene: Scene) -> None:
    scene("put_payer", payer="Requester")
    same((scene("get_payer"), scene.helper("get_payer")), ("Requester", "Requester"))


@scenario
def let_objects_expire(scene: Scene) -> None:
    scene("put_expiry", prefix="logs/", days=7)
    same((scene("get_expiry"), scene.helper("get_expiry")), ([["logs/", 7]], [["logs/", 7]]))
    scene("delete_expiry")
    scene.refused(404, "NoSuchLifecycle", "get_expiry")
