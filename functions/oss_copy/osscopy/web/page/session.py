"""Who may see the page: a browser that has signed in, and whose requests come from the page itself.

A browser cannot send `Authorization` when it opens an address. So it sends the token once, in a form, and
holds a cookie that ends: a time and a mark made of the token, from which the token cannot be learnt. The
cookie is good for the page alone, never for the API.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from osscopy import events
from osscopy.model import Refused
from osscopy.settings import Settings
from osscopy.web import requests

COOKIE = "oss-copy"
SECONDS = 12 * 3600  # that a browser stays signed in
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def admit(call: events.HttpCall, settings: Settings, now: float) -> bool:
    """Tell whether a browser's session admits it, False where the request itself does; else Refused.

    What a session admits must come from the page itself.
    """
    try:
        caller = requests.authenticate(call, settings, now)
    except Refused:
        if not _has_session(call, settings, now):
            raise
        refuse_other_sites(call)
        return True
    if caller not in (requests.SIGNED, requests.FIRST):
        raise Refused("Forbidden", f"the page is for who has API_TOKEN: {caller.name} may use the API")
    return False


def sign_in(call: events.HttpCall, settings: Settings, token: str, now: float) -> str:
    """Return the Set-Cookie header for whoever knows the token; Refused for others."""
    refuse_other_sites(call)
    known = settings.api_token
    if known is None or not hmac.compare_digest(token.encode(errors="replace"), known.encode()):
        raise Refused("Unauthorized", "this is not the function's API_TOKEN")
    until = int(now) + SECONDS
    return _cookie(call, f"{until}.{_mark(known, until)}", SECONDS)


def sign_out(call: events.HttpCall) -> str:
    """Return the Set-Cookie header that ends a session in this browser."""
    return _cookie(call, "", 0)


def refuse_other_sites(call: events.HttpCall) -> None:
    """Refuse what another site lets a browser send: it would be sent with the user's cookie."""
    is_read = call.request_context.http.method.upper() in {"GET", "HEAD"}
    site, origin = call.header("Sec-Fetch-Site"), call.header("Origin")
    if site is not None:
        is_own = site == "same-origin" or (is_read and site in {"none", "same-site", "cross-site"})
    elif origin is not None:
        is_own = urlsplit(origin).netloc.lower() == (call.header("Host") or "").lower() != ""
    else:
        is_own = is_read
    if not is_own:
        text = "this request comes from another site: open the page and ask there"
        raise Refused("Forbidden", text)


def _has_session(call: events.HttpCall, settings: Settings, now: float) -> bool:
    until, _, mark = _given(call).partition(".")
    if settings.api_token is None or not (until.isascii() and until.isdecimal() and len(until) < 12):
        return False
    is_ours = hmac.compare_digest(
        mark.encode(errors="replace"), _mark(settings.api_token, int(until)).encode()
    )
    return is_ours and now < int(until) <= now + SECONDS + 60


def _given(call: events.HttpCall) -> str:
    for each in (call.header("Cookie") or "").replace(", ", "; ").split(";"):
        name, _, value = each.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _mark(token: str, until: int) -> str:
    return hmac.new(token.encode(), b"oss-copy page until %d" % until, hashlib.sha256).hexdigest()


def _cookie(call: events.HttpCall, value: str, seconds: int) -> str:
    host = urlsplit("//" + (call.header("Host") or "")).hostname
    is_secure = "" if host in _HERE else "; Secure"
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{is_secure}"
