"""PostObject: an upload by HTML form, signed by a policy (PostObject docs, signatures V1 and V4)."""

from __future__ import annotations

import base64
import hmac
import json
import re
from datetime import datetime

import msgspec

from tests.cloud.accounts import Credentials

from . import authority
from .errors import OssError
from .objects import put_object
from .protocol import Body, Call, Response, document, header_value
from .signatures import signing_key
from .state import Store

_HEADERS = {
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-md5",
    "content-type",
    "expires",
}
_BOUNDARY = re.compile(r'^multipart/form-data;.*boundary="?([^";]+)"?')
_NAMES = re.compile(rb'; (name|filename)="([^"]*)"')


class Form(msgspec.Struct, frozen=True):
    """The fields by lower-case name, and the file."""

    fields: dict[str, str]
    file: bytes
    file_name: str
    file_type: str


def post_object(store: Store, call: Call) -> Response:
    bucket = store.bucket(call.bucket)
    form = read_form(call.header(b"content-type") or "", call.body.bytes())
    credentials = _signer(store, form.fields)
    key = form.fields.get("key", "").replace("${filename}", form.file_name)
    principal = credentials.principal if credentials else ""
    if store.is_stranger(principal, bucket) and not bucket.lets("write", key):
        raise OssError("AccessDenied")
    _check_policy(store, call.bucket, form, credentials)
    headers = {
        name.encode(): value.encode()
        for name, value in form.fields.items()
        if name in _HEADERS or name.startswith("x-oss-")
    }
    headers.setdefault(b"content-type", form.file_type.encode())
    writer = store.writer()
    writer.write(form.file)
    put = msgspec.structs.replace(
        call,
        key=key,
        headers=headers,
        body=Body(*writer.finish()),
        principal=principal,
    )
    authority.check(store, put)
    return _answered(store, call, form, key, put_object(store, put))


def _answered(store: Store, call: Call, form: Form, key: str, put: Response) -> Response:
    redirect = form.fields.get("success_action_redirect")
    if redirect:
        return Response(303, (*put.headers, (b"location", header_value(redirect))))
    status = form.fields.get("success_action_status", "204")
    if status == "201":
        etag = dict(put.headers)[b"etag"].decode()
        location = f"http://{store.address}/{call.bucket}/{key}"
        fields = [("Bucket", call.bucket), ("ETag", etag), ("Key", key), ("Location", location)]
        return Response(201, put.headers, document("PostResponse", fields))
    return Response(200 if status == "200" else 204, put.headers)


def read_form(content_type: str, body: bytes) -> Form:
    """A multipart/form-data body; the field `file` is the last that counts."""
    match = _BOUNDARY.match(content_type)
    if match is None:
        raise OssError("InvalidArgument", "The body is no multipart/form-data.", ArgumentName="Content-Type")
    fields: dict[str, str] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + match[1].encode())[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = {name: text.decode() for name, text in _NAMES.findall(head)}
        name = names.get(b"name", "").lower()
        if name == "file":
            kind = re.search(rb"(?i)content-type: *(\S+)", head)
            file_type = kind[1].decode() if kind else "application/octet-stream"
            return Form(fields, value, names.get(b"filename", ""), file_type)
        fields[name] = value.decode()
    raise OssError("InvalidArgument", "The form has no file.", ArgumentName="file")


def _signer(store: Store, fields: dict[str, str]) -> Credentials | None:
    """Whose signature the policy carries; None for a form without one."""
    policy = fields.get("policy", "").encode()
    v4 = "x-oss-signature" in fields
    if not v4 and "signature" not in fields:
        return None
    access_key_id, _, scope = fields.get("x-oss-credential", "").partition("/")
    if not v4:
        access_key_id = fields.get("ossaccesskeyid", "")
    credentials = store.accounts.find(access_key_id)
    if credentials is None:
        raise OssError("InvalidAccessKeyId", OSSAccessKeyId=access_key_id)
    if fields.get("x-oss-security-token") != credentials.security_token:
        raise OssError("InvalidSecurityToken")
    if credentials.expires is not None and credentials.expires <= store.clock():
        raise OssError("SecurityTokenExpired")
    secret = credentials.access_key_secret
    if v4:
        expected = hmac.digest(signing_key(secret, scope), policy, "sha256").hex()
    else:
        expected = base64.b64encode(hmac.digest(secret.encode(), policy, "sha1")).decode()
    given = fields["x-oss-signature" if v4 else "signature"]
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise OssError("SignatureDoesNotMatch", OSSAccessKeyId=access_key_id, SignatureProvided=given)
    return credentials


def _check_policy(store: Store, bucket: str, form: Form, credentials: Credentials | None) -> None:
    """The policy's expiry and conditions; a signed form needs one."""
    if credentials is None and "policy" not in form.fields:
        return
    try:
        policy = json.loads(base64.b64decode(form.fields["policy"]))
        expiry = datetime.fromisoformat(policy["expiration"].replace("Z", "+00:00")).timestamp()
        conditions = list(policy["conditions"])
    except (KeyError, TypeError, ValueError):
        raise OssError("InvalidPolicyDocument") from None
    if expiry < store.clock():
        raise OssError("AccessDenied", "Invalid according to Policy: Policy expired.", ec="0002-00000069")
    values = {**form.fields, "bucket": bucket}
    for condition in conditions:
        if not _holds(condition, values, len(form.file)):
            message = f"Invalid according to Policy: Policy Condition failed: {json.dumps(condition)}"
            raise OssError("AccessDenied", message, ec="0007-00000001")


def _holds(condition: object, values: dict[str, str], size: int) -> bool:
    match condition:
        case dict():
            return all(values.get(str(name).lower()) == value for name, value in condition.items())
        case ["content-length-range", int(low), int(high)]:
            return low <= size <= high
        case ["eq", str(name), value]:
            return values.get(name.removeprefix("$").lower()) == value
        case ["starts-with", str(name), str(value)]:
            return values.get(name.removeprefix("$").lower(), "").startswith(value)
        case ["in" | "not-in" as how, str(name), list(allowed)]:
            return (values.get(name.removeprefix("$").lower()) in allowed) == (how == "in")
        case _:
            raise OssError("InvalidPolicyDocument")
