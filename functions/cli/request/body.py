"""The JSON of a request, made of addresses and flags."""

from __future__ import annotations

from collections.abc import Mapping

from functions.cli.errors import Misused
from functions.cli.request import addresses, flags
from functions.cli.request.addresses import Address
from functions.cli.request.flags import Json

_SYNC = "`oss-copy sync` copies many objects; with --marker, `cp` takes the empty object of that name"


def one(source: str, destination: str, given: Mapping[str, object]) -> Json:
    """Return the request for one copy.

    A destination that ends with a slash takes the copy under the source's name, a bare bucket under its whole
    key. Keys are literal; `key_template` alone is a template.
    """
    origin = addresses.of_object(source, _SYNC, is_marker=bool(given.get("marker")))
    request: Json = {"source": {"bucket": origin.bucket, "key": origin.key}}
    request["destination"] = _place(addresses.read(destination), destination, origin, given)
    return flags.fill(request, (*flags.ONE, *flags.OPTIONS), given)


def _place(to: Address, text: str, origin: Address, given: Mapping[str, object]) -> Json:
    if template := given.get("key_template"):
        if to.key:
            raise Misused("--key-template makes the key: give the destination as oss://BUCKET")
        return {"bucket": to.bucket, "key": template}
    if not to.key and not to.has_slash:
        return {"bucket": to.bucket}
    place = addresses.into(text, origin.key)
    return {"bucket": place.bucket, "key": addresses.literal(place.key, origin.key)}


def many(source: str, destination: str, given: Mapping[str, object]) -> Json:
    """Return the request for many objects: those under a prefix, or those that a list names."""
    to = addresses.read(destination)
    request: Json = {"source": _source(source, given), "destination": {"bucket": to.bucket}}
    if template := given.get("key_template"):
        if to.key:
            raise Misused("--key-template makes the keys: give the destination as oss://BUCKET")
        request["destination"]["key"] = template
    elif to.key or to.has_slash:
        request["destination"]["prefix"] = to.key
    if report := given.get("report"):
        place = addresses.read(str(report))
        request["report"] = {"bucket": place.bucket, "prefix": place.key}
    return flags.fill(request, (*flags.MANY, *flags.OPTIONS), given)


def _source(text: str, given: Mapping[str, object]) -> Json:
    if given.get("of_job"):
        return {"report": {"job": given["of_job"], "status": "failed"}}
    if not given.get("manifest") and not given.get("inventory"):
        place = addresses.read(text)
        return {"bucket": place.bucket, "prefix": place.key}
    found = addresses.of_object(text, "name the list itself")
    listed = {"bucket": found.bucket, "key": found.key}
    if given.get("inventory"):
        return {"inventory": listed}
    encoding = {"encoding": given["encoding"]} if given.get("encoding") else {}
    return {"manifest": {**listed, **encoding}}
