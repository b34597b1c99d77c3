"""The document around every view: its head, style, script, and the headers that let nothing else in.

Knows no job. The policy names style and script by their hashes, so that nothing that stands in a text is ever
one; no address but the page's own is asked.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from osscopy.web.page.markup import Child, Html, tag
from osscopy.web.page.words import Words
from osscopy.web.responses import Response

_HERE = Path(__file__).parent


@functools.cache
def _asset(name: str) -> Html:
    return Html((_HERE / name).read_text(encoding="utf-8"))


@functools.cache
def policy() -> str:
    """Return the Content-Security-Policy."""
    style, script = (_hash(_asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def document(words: Words, title: str, *body: Child, seconds: int = 0, session: bool = False) -> Html:
    """Return the whole document; a script asks for it again after `seconds`, if there are any.

    `session`: a browser's own, which can be ended.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · oss-copy"),
        tag("link", rel="icon", href="data:,"),
        tag("style", _asset("page.css")),
    )
    out = tag(
        "form", tag("button", words("Sign out"), name="do", value="sign-out", class_="plain"),
        method="post", action="./",
    ) if session else None  # fmt: skip
    top = tag(
        "header",
        tag("a", words("Skip to the content"), href="#content", class_="skip"),
        tag(
            "nav",
            tag("a", tag("strong", "oss-copy"), href="./"),
            tag("a", words("Jobs"), href="./"),
            tag("a", words("New"), href="./?new=1"),
            out,
            aria_label=words("Main"),
        ),
    )
    live = tag("p", id="news", role="status", class_="hidden")
    lost = tag("p", words("No answer: what is shown may be old."), id="lost", role="alert", hidden=True)
    main = tag("main", body, id="content", tabindex="-1", data_seconds=seconds or None)
    foot = tag("footer", tag("a", words("Look again"), href=""), class_="noscript") if seconds else None
    page = tag("body", top, lost, main, foot, live, tag("script", _asset("page.js")))
    return Html("<!doctype html>" + tag("html", head, page, lang=words.language))


def answer(status: int, text: Html, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that a browser shows."""
    return {
        "statusCode": status,
        "headers": {**_safe("text/html; charset=utf-8"), **(headers or {})},
        "isBase64Encoded": False,
        "body": str(text),
    }


def picture(text: Html) -> Response:
    """Return a response that is a picture, which may have the style that stands in it."""
    (style,) = re.findall("<style>(.*?)</style>", text)
    headers = _safe("image/svg+xml; charset=utf-8")
    headers["Content-Security-Policy"] = f"default-src 'none'; style-src '{_hash(style)}'"
    return {"statusCode": 200, "headers": headers, "isBase64Encoded": False, "body": str(text)}


def elsewhere(place: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response that sends a browser to another view, so that no form is sent twice."""
    told = {**_safe("text/plain"), "Location": place, **(headers or {})}
    return {"statusCode": 303, "headers": told, "isBase64Encoded": False, "body": ""}


def _safe(kind: str) -> dict[str, str]:
    return {
        "Content-Type": kind,
        "Content-Security-Policy": policy(),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language, Cookie",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
