"""The flags of `cp` and `sync`, each with the field of the request that it fills.

A table, so that the test can compare it with the request's type: an option without a flag fails there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from functions.cli.errors import Misused

Json = dict[str, Any]


class Flag(msgspec.Struct, frozen=True):
    """One flag. `path`: the field in the request's JSON; `pairs` are NAME=VALUE, as often as needed."""

    name: str
    path: tuple[str, ...]
    about: str
    kind: Literal["text", "number", "switch", "texts", "pairs"] = "text"
    choices: tuple[str, ...] = ()

    @property
    def parameter(self) -> str:
        """The name of its value among those of a command."""
        return self.name.removeprefix("--").replace("-", "_")


_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
ENCRYPTION = Flag(
    "--encryption", ("encryption",), "of the copy", choices=("keep", "bucket", "KMS", "AES256", "SM4")
)
TAGS = Flag("--tags", ("tags",), "of the copy", choices=("copy", "none"))
OPTIONS = (
    Flag("--overwrite", ("overwrite",), "what becomes of an object that is there",
         choices=("always", "never", "ifDifferent", "ifNewer")),
    Flag("--if-match", ("conditions", "ifMatch"), "copy only this ETag"),
    Flag("--if-none-match", ("conditions", "ifNoneMatch"), "copy any ETag but this"),
    Flag("--if-modified-since", ("conditions", "ifModifiedSince"), "an HTTP date"),
    Flag("--if-unmodified-since", ("conditions", "ifUnmodifiedSince"), "an HTTP date"),
    Flag("--content-type", ("metadata", "contentType"), "replaces the metadata, as the next seven do"),
    Flag("--cache-control", ("metadata", "cacheControl"), "of the copy"),
    Flag("--content-disposition", ("metadata", "contentDisposition"), "of the copy"),
    Flag("--content-encoding", ("metadata", "contentEncoding"), "of the copy"),
    Flag("--content-language", ("metadata", "contentLanguage"), "of the copy"),
    Flag("--expires", ("metadata", "expires"), "of the copy, an HTTP date"),
    Flag("--meta", ("metadata", "user"), "user metadata, without x-oss-meta-", "pairs"),
    TAGS,
    Flag("--tag", ("tags",), "a tag in place of the source's", "pairs"),
    Flag("--acl", ("acl",), "of the copy",
         choices=("default", "copy", "private", "public-read", "public-read-write")),
    Flag("--storage-class", ("storageClass",), "of the copy", choices=("keep", *_CLASSES)),
    ENCRYPTION,
    Flag("--kms-key-id", ("encryption", "keyId"), "with --encryption KMS"),
    Flag("--data-encryption", ("encryption", "dataEncryption"), "with --encryption KMS", choices=("SM4",)),
    Flag("--symlinks", ("symlinks",), "copied as such, or what they point to", choices=("copy", "follow")),
    Flag("--traffic-limit", ("trafficLimit",), "bit/s of each request", "number"),
    Flag("--request-payer", ("requestPayer",), "the requester pays for the source", "switch"),
    Flag("--part-size", ("tuning", "partSize"), "such as 64MiB"),
    Flag("--parallel", ("tuning", "parallel"), "threads of an invocation", "number"),
    Flag("--lanes", ("tuning", "lanes"), "chains of invocations at once", "number"),
    Flag("--method", ("tuning", "method"), "how it is copied", choices=("auto", "simple", "multipart")),
)  # fmt: skip
ONE = (
    Flag("--version-id", ("source", "versionId"), "another version than the current one"),
    Flag("--archive", ("archive",), "what becomes of an archived source", choices=("fail", "restore")),
)
MANY = (
    Flag("--archive", ("archive",), "what becomes of archived objects", choices=("fail", "restore", "skip")),
    Flag("--include", ("filters", "include"), "a glob below the prefix, as often as needed", "texts"),
    Flag("--exclude", ("filters", "exclude"), "a glob below the prefix, as often as needed", "texts"),
    Flag("--min-size", ("filters", "minSize"), "such as 1KiB"),
    Flag("--max-size", ("filters", "maxSize"), "such as 5TiB"),
    Flag("--modified-after", ("filters", "modifiedAfter"), "a time with an offset, which is included"),
    Flag("--modified-before", ("filters", "modifiedBefore"), "a time with an offset, which is not"),
    Flag("--of-class", ("filters", "storageClasses"), "a storage class, as often as needed", "texts"),
    Flag("--versions", ("versions",), "all: copies each version of a key", choices=("current", "all")),
    Flag("--as-of", ("asOf",), "a time with an offset: copies the versions that were current then"),
    Flag("--verify", ("verify",), "what is evidence of a copy", choices=("answer", "full")),
    Flag("--compare", ("compare",), "what is compared", choices=("listing", "metadata")),
    Flag("--mode", ("mode",), "copies, or tells the differences alone", choices=("copy", "check")),
    Flag("--max-workers", ("maxWorkers",), "invocations at once", "number"),
    Flag("--max-failures", ("maxFailures",), "more than this stop the job", "number"),
    Flag("--max-rate", ("maxRate",), "requests a second", "number"),
    Flag("--allow-empty", ("allowEmpty",), "a source without objects is no failure", "switch"),
    Flag("--allow-missing", ("allowMissing",), "objects of a manifest may be missing", "switch"),
    Flag("--dry-run", ("dryRun",), "tells what would be done", "switch"),
    Flag("--delete", ("delete",), "deletes what the source does not have", "switch"),
    Flag("--max-delete", ("maxDelete",), "at most so many deletions, or so much: 10%"),
)


WRITES = frozenset(
    {"--mode", "--dry-run", "--delete", "--max-delete", "--archive", "--verify", "--as-of", "--versions"}
)  # of no check


def fill(request: Json, flags: Iterable[Flag], given: Mapping[str, object]) -> Json:
    """Return the request with the fields of the flags that were given; raise Misused for a contradiction."""
    used = [each for each in flags if given.get(each.parameter) not in (None, (), False)]
    if TAGS in used and any(each.name == "--tag" for each in used):
        raise Misused("--tags and --tag contradict each other: give one of them")
    for each in used:
        _put(request, each.path, _value(each, given[each.parameter]))
    return request


def _put(request: Json, path: tuple[str, ...], value: object) -> None:
    *folders, last = path
    for name in folders:
        request = request.setdefault(name, {})
        if not isinstance(request, dict):
            raise Misused(f"--{name} {request} takes no {last}")
    request[last] = value


def _value(flag: Flag, given: object) -> object:
    if flag is ENCRYPTION and given not in {"keep", "bucket"}:
        return {"algorithm": given}
    if flag.kind == "pairs" and isinstance(given, tuple):
        return dict(given)
    if flag.name == "--max-delete" and str(given).isdecimal():
        return int(str(given))
    return list(given) if isinstance(given, tuple) else given
