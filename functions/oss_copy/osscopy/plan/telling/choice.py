"""Who is told, and of what: the settings NOTIFY_… as values, and what is wrong with them.

Knows texts of settings; not the environment.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from osscopy.plan.telling.news import On
from osscopy.plan.telling.receivers import FORMS, HOSTS, Form, Receiver

LEAST_SECRET = 8  # characters
_INNER = (".localhost", ".local", ".internal", ".localdomain")


class Telling(msgspec.Struct, frozen=True):
    """Who is told: a function, a receiver by HTTPS, or both."""

    function: str | None = None
    receiver: Receiver | None = None
    on: On = "failed"


def read_url(text: str, *, is_local: bool) -> str:
    """Return a URL that may be told; ValueError if it is none.

    HTTPS only, and a name: an address may be that of the instance, or of the service that hands out the
    role's credentials (100.100.100.200). `is_local`: the function runs on the local cloud, where the receiver
    may be at 127.0.0.1 and without TLS. No message shows the URL: its query is a secret.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("it is no URL; write https://HOST/PATH") from None
    if is_local and host == "127.0.0.1":
        return text
    if parts.scheme != "https" or not host or port == 0:
        raise ValueError("only https is told: write https://HOST/PATH")
    if parts.username or parts.password or parts.fragment or not text.isascii() or not text.isprintable():
        raise ValueError("write https://HOST/PATH?QUERY: ASCII, without user, password and fragment")
    if " " in text or "." not in host.strip(".") or _is_address(host) or host.endswith(_INNER):
        raise ValueError(
            "its host is no public name: an address, or a name of the instance itself, is not told"
        )
    return text


def _is_address(host: str) -> bool:
    """Return whether a host is an IP address in any spelling that a resolver takes: 127.1, 0x7f.1."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return last[:1].isdigit()  # no top level domain begins with a digit
    return True


def read_function(name: str, *own: str | None) -> str:
    """Return the name of a function that is told; ValueError for one of this deployment's own."""
    if name in own:
        raise ValueError(f"{name} is the function that tells: it would invoke itself; name another one")
    return name


def read_form(text: str) -> Form:
    """Return the form of messages; ValueError if there is none of this name."""
    for form in FORMS:
        if text == form:
            return form
    raise ValueError(f"{text[:40]!r} is none of {', '.join(FORMS)}")


def read_on(text: str) -> On:
    """Return which outcomes are told; ValueError for another word."""
    if text == "failed":
        return "failed"
    if text == "all":
        return "all"
    raise ValueError(f"{text[:40]!r} is neither failed nor all")


def read_secret(text: str) -> str:
    """Return a secret; ValueError if it is none. No message shows it."""
    if len(text) < LEAST_SECRET or not text.isascii() or not text.isprintable():
        raise ValueError(f"a secret has at least {LEAST_SECRET} characters, all of them ASCII")
    return text


def telling_of(given: Mapping[str, str]) -> Telling | None:
    """Return who is told by valid settings; ValueError for a secret that signs nothing."""
    url, secret = given["NOTIFY_URL"], given["NOTIFY_SECRET"] or None
    form = read_form(given["NOTIFY_FORM"]) if given["NOTIFY_FORM"] else None
    receiver = Receiver(url, form or HOSTS.get(urlsplit(url).hostname or "", "json"), secret) if url else None
    if secret is not None and receiver is None:
        raise ValueError("it signs messages to NOTIFY_URL: set that too, or leave this out")
    if secret is not None and receiver is not None and receiver.form == "wecom":
        raise ValueError("WeCom's robots take no signature, their URL is the secret: leave this out")
    function = given["NOTIFY_FUNCTION"] or None
    if function is None and receiver is None:
        return None
    return Telling(function, receiver, read_on(given["NOTIFY_ON"] or "failed"))
