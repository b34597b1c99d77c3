"""The forms of the page, and what a filled one asks for: one copy, many, or something about a job.

Knows names of fields and the form of a request; not what becomes of it. An address is literal text.
"""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

import msgspec

from osscopy import events
from osscopy.model import Problem, Refused
from osscopy.web import requests
from osscopy.web.page.markup import Html, tag
from osscopy.web.page.shown import pieces
from osscopy.web.page.words import Words

MOST_FIELDS = 40
_FORM = "application/x-www-form-urlencoded"
_SCHEME = "oss://"
_OVERWRITE = {
    "ifDifferent": "If it differs",
    "always": "Always",
    "never": "Never",
    "ifNewer": "If the source is newer",
}


def read(call: events.HttpCall) -> dict[str, str]:
    """Return the fields of a form that was sent; Refused for anything else."""
    sent = (call.header("Content-Type") or "").partition(";")[0].strip().lower()
    if sent != _FORM:
        raise Refused("UnsupportedMediaType", f"the page sends {_FORM}", field="Content-Type")
    if len(call.body) > requests.MAX_BODY:
        raise Refused("BodyTooLarge", f"a form has at most {requests.MAX_BODY} bytes")
    try:
        body = base64.b64decode(call.body, validate=True).decode() if call.is_base64_encoded else call.body
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError:
        raise Refused("InvalidForm", "this is no form of the page") from None


def wanted(form: dict[str, str]) -> bytes:
    """Return the request that a form of `start` asks for, as JSON; Refused names the field that is wrong."""
    source, destination = (_address(form, each) for each in ("source", "destination"))
    overwrite = form.get("overwrite", "ifDifferent")
    asked: dict[str, object] = {"overwrite": overwrite}
    if form.get("kind") == "one":
        asked["source"] = {"bucket": source[0], "key": source[1]}
        asked["destination"] = _target(source[1], *destination)
        return msgspec.json.encode(asked)
    asked["source"] = {"bucket": source[0], "prefix": source[1]}
    asked["destination"] = {"bucket": destination[0], "prefix": destination[1]}
    asked["dryRun"] = "dryRun" in form
    filters = {name: globs for name in ("include", "exclude") if (globs := form.get(name, "").split())}
    return msgspec.json.encode({**asked, "filters": filters} if filters else asked)


def _address(form: dict[str, str], field: str) -> tuple[str, str]:
    """Return bucket and key of an address, byte for byte as it was written."""
    text = form.get(field, "").strip("\r\n")
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not text.startswith(_SCHEME) or not bucket:
        raise Refused("InvalidField", "an address is oss://BUCKET/KEY", field=field)
    return bucket, key


def _target(source: str, bucket: str, key: str) -> dict[str, str]:
    """Return the destination of one copy: a folder takes it under the source's name."""
    if not key:
        return {"bucket": bucket}
    whole = key + source.rpartition("/")[2] if key.endswith("/") else key
    return {"bucket": bucket, "key": whole.replace("{", "{{").replace("}", "}}")}


# --- what is shown -----------------------------------------------------------------------------------------


def new(words: Words, key: str, given: dict[str, str], error: Problem | None = None) -> list[Html]:
    """Return the forms that start a job, as `given`; one that is sent twice is one job by its `key`."""
    one = given if given.get("kind") == "one" else {}
    many = given if given.get("kind") == "many" else {}
    box = pieces.problem(words, error, pieces.advised(error.code), role="alert") if error else Html("")
    ticked = "dryRun" in many or not many
    return [
        tag("h1", words("New job")),
        box,
        _form(
            words, "many", key, words("Many objects"),
            _field(words, "many", "source", "From", many, "oss://BUCKET/PREFIX/"),
            _field(words, "many", "destination", "To", many, "oss://BUCKET/PREFIX/"),
            _field(words, "many", "include", "Only keys like", many, "**/*.parquet", required=False),
            _field(words, "many", "exclude", "But no keys like", many, "tmp/**", required=False),
            _choice(words, "many", many, "ifDifferent"),
            tag("label", tag("input", type="checkbox", name="dryRun", value="1", checked=ticked),
                words("Dry run: show what would be copied, and copy nothing"), class_="tick"),
        ),
        _form(
            words, "one", key, words("One object"),
            _field(words, "one", "source", "From", one, "oss://BUCKET/KEY"),
            _field(words, "one", "destination", "To", one, "oss://BUCKET/KEY"),
            tag("p", words("A destination that ends with a slash takes the source's name."), class_="hint"),
            _choice(words, "one", one, "always"),
        ),
    ]  # fmt: skip


def _form(words: Words, kind: str, key: str, title: str, *fields: Html) -> Html:
    return tag(
        "form",
        tag("h2", title, id=f"title-{kind}"),
        tag("input", type="hidden", name="kind", value=kind),
        tag("input", type="hidden", name="key", value=f"{key}-{kind}"),
        fields,
        tag("p", tag("button", words("Start"), name="do", value="start")),
        method="post", action="./", class_="ask", aria_labelledby=f"title-{kind}",
    )  # fmt: skip


def _field(
    words: Words,
    kind: str,
    name: str,
    label: str,
    given: dict[str, str],
    example: str,
    *,
    required: bool = True,
) -> Html:
    own = f"{kind}-{name}"
    entry = tag(
        "input", type="text", id=own, name=name, value=given.get(name, ""), required=required,
        spellcheck="false", autocapitalize="off", autocomplete="off", aria_describedby=f"{own}-hint",
    )  # fmt: skip
    hint = tag("p", words("such as"), " ", tag("code", example), class_="hint", id=f"{own}-hint")
    return Html(tag("label", words(label), for_=own) + entry + hint)


def _choice(words: Words, kind: str, given: dict[str, str], usual: str) -> Html:
    chosen, own = given.get("overwrite", usual), f"{kind}-overwrite"
    options = [
        tag("option", words(label), value=value, selected=value == chosen)
        for value, label in _OVERWRITE.items()
    ]
    label = tag("label", words("Replace what is there"), for_=own)
    return Html(label + tag("select", options, id=own, name="overwrite"))


def sign_in(words: Words, error: Problem | None) -> list[Html]:
    """Return the form that asks for the token."""
    box = pieces.problem(words, error, role="alert") if error else None
    return [
        tag("h1", words("Sign in")),
        tag("div", box) if box else Html(""),
        tag(
            "form",
            tag("label", "API_TOKEN", for_="token"),
            tag("input", type="password", id="token", name="token", required=True,
                autocomplete="current-password"),
            tag("p", words("It is a setting of the function. This browser stays signed in for 12 hours."),
                class_="hint"),
            tag("p", tag("button", words("Sign in"), name="do", value="sign-in")),
            method="post", action="./", class_="ask",
        ),
    ]  # fmt: skip
