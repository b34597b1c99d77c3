"""The later comparison of ranges in doubt: which they are, what is stale, and the job that copies it anew.

A CopyObject that had no answer may take effect after a newer one. Knows names of claims, ETags and requests;
asks nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from msgspec.structs import replace

from osscopy.model import BulkRequest, Filters, Intended, Manifest, Shown
from osscopy.plan.bulk.requests import is_listed
from osscopy.plan.bulk.rows import encoded

MARK = "doubt"  # after the name of a range: one of its requests had no answer
_CLAIM = re.compile(r"(.+)-(?:g(\d+)-h\d+-a(\d+)|doubt)")
_SURROGATES = range(0xD800, 0xE000)


def notes_in_doubt(names: Iterable[str]) -> tuple[str, ...]:
    """Return the notes of ranges in doubt, from the names of claims, marks and notes (`<claim>/<n>`).

    A range is in doubt if it is marked, or if a hop of it came again, or was started by a sweep: an earlier
    one may have been killed.
    """
    every = tuple(names)
    claims = (_CLAIM.fullmatch(name) for name in every)
    ranges = {found[1] for found in claims if found and (found[2] is None or int(found[2]) + int(found[3]))}
    return tuple(name for name in every if "/" in name and name.rpartition("-g")[0] in ranges)


def is_stale(etag: str, source: Shown | None, there: Shown | None) -> bool:
    """Return whether the destination shows the job's own copy of this `etag`, and the source another one.

    What anybody else has written is not: it shows another ETag. So do copies whose ETag is not their
    source's, which cannot be told.
    """
    return source is not None and there is not None and there.etag == etag != source.etag


def follow_up(request: BulkRequest, listed: Manifest) -> BulkRequest:
    """Return the request for what is stale: like that of the job, but for the objects on this list."""
    source = replace(request.source, manifest=listed, inventory=None)
    # the stale copy is younger than the source: `ifNewer` would keep it
    taken = replace(request, filters=Filters())  # the listed ones were; globs mean other names on a list
    return replace(taken, source=source, overwrite="ifDifferent", delete=False, max_delete=0)


def as_asked(request: BulkRequest) -> BulkRequest:
    """Return a request as somebody may ask for it: one that follows up names a list and a prefix."""
    source = request.source
    if not is_listed(request) or source.prefix is None:
        return request
    return replace(request, source=replace(source, bucket=None, prefix=None))


def listed(copies: Iterable[Intended]) -> bytes:
    """Return the manifest of these objects, each once."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("bucket", "key", "versionId"))
    writer.writerows(sorted({(each.bucket, encoded(each.key), each.version_id) for each in copies}))
    return out.getvalue().encode()


def before(key: str) -> str:
    """Return a text that sorts before `key`, with nothing likely in between."""
    last = ord(key[-1]) - 1
    last = _SURROGATES.start - 1 if last in _SURROGATES else last
    return key[:-1] + (chr(last) + chr(0x10FFFF) if last >= 0 else "")
