"""Objects of the account's buckets: put, got and listed by the user, never by the function."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import oss2
import oss2.exceptions

from functions.cli.account.sdk_errors import DEPLOYER, asking_oss
from functions.cli.errors import Misused
from functions.cli.request.addresses import Address
from functions.cli.service.target import Target

WHOLE = 100 << 20  # bytes: what is larger is put in parts
Progress = Callable[[int, int], None]  # bytes so far, and of all


class Listed(msgspec.Struct, frozen=True):
    """An object, or a folder, as a listing shows it."""

    key: str
    size: int | None = None
    modified: int | None = None
    is_folder: bool = False


def bucket(target: Target, name: str) -> oss2.Bucket:
    """Return a client of the bucket."""
    return target.account().bucket(target.its_region(), name)


def put(target: Target, file: Path, to: Address, progress: Progress) -> None:
    """Put a file, in parts if it is large."""
    if file.is_dir():
        raise Misused(f"{str(file)!r} is a folder: put its files one by one")
    try:
        file.open("rb").close()
    except OSError as error:
        raise Misused(f"{str(file)!r} cannot be read: {error.strerror}") from error
    with tempfile.TemporaryDirectory() as notes, asking_oss(f"{to}", "oss:PutObject", DEPLOYER):
        oss2.resumable_upload(
            bucket(target, to.bucket), to.key, str(file), store=oss2.ResumableStore(root=notes),
            multipart_threshold=WHOLE, progress_callback=progress,
        )  # fmt: skip


def get(target: Target, source: Address, file: Path, progress: Progress) -> None:
    """Get an object into a file, which is there whole or as it was before."""
    new = file.parent / f".{secrets.token_hex(8)}.part"
    try:
        with asking_oss(f"{source}", "oss:GetObject", DEPLOYER):
            bucket(target, source.bucket).get_object_to_file(source.key, str(new), progress_callback=progress)
        os.replace(new, file)  # noqa: PTH105 - names that are no Unicode
    except OSError as error:
        raise Misused(f"{str(file)!r} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()


def read(target: Target, name: str, key: str) -> bytes:
    """Return the bytes of a small object."""
    with asking_oss(f"oss://{name}/{key}", "oss:GetObject", DEPLOYER):
        return bytes(bucket(target, name).get_object(key).read())


def size(target: Target, source: Address) -> int | None:
    """Return the size of an object; None if there is none, or it may not be seen."""
    with contextlib.suppress(oss2.exceptions.OssError):
        return int(bucket(target, source.bucket).head_object(source.key).content_length)
    return None


def found(target: Target, place: Address, *, is_deep: bool) -> Iterator[Listed]:
    """Yield what is under a prefix; folders as one each unless `is_deep`."""
    with asking_oss(f"{place}", "oss:ListObjects", DEPLOYER):
        client = bucket(target, place.bucket)
        for each in oss2.ObjectIteratorV2(client, prefix=place.key, delimiter="" if is_deep else "/"):
            if each.is_prefix():
                yield Listed(each.key, is_folder=True)
            else:
                yield Listed(each.key, each.size, each.last_modified)
