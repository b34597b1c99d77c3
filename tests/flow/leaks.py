"""Secrets in what a local cloud has been told: logs, results, errors and records of all invocations.

Knows what secrets look like; must not know which test has run.
"""

from __future__ import annotations

import json
import re

import oss2

from tests.cloud.client import LocalCloud

STATE = "oss-copy-state"
# What secrets look like: the temporary ones are made anew for every invocation.
NAMED = re.compile(
    r"(?<![0-9a-zA-Z])[0-9a-f]{44}(?![0-9a-zA-Z])|STS\.[0-9a-f]{24}"
    r"|[Ss]ignature=|OSS4-HMAC|ACS3-HMAC|FC LTAI|FC STS|(?i:bearer |authorization\W|security[-_]token)"
)

KNOWN = (  # what looks like one: the advice of a 401, and the OpenAPI document
    "send `Authorization: Bearer` with",
    "the bearer token is missing",
    "is signed with ACS3-HMAC-SHA256",
)
SECRET = re.compile(rf"[A-Za-z0-9_-]{{128}}|{NAMED.pattern}")  # as keys of tests look that are very long


def leaks(cloud: LocalCloud, *secrets: str, of: re.Pattern[str] = SECRET) -> list[str]:
    """What was told of all invocations, or is on record, and is a secret, with some text around."""
    secrets = (cloud.owner.access_key_secret, *secrets)
    found = []
    for invocation in cloud.invocations():
        told = json.dumps([invocation[name] for name in ("logs", "result", "error")], ensure_ascii=False)
        found += within(told, *secrets, of=of)
    bucket = cloud.oss_bucket(STATE)
    for each in oss2.ObjectIteratorV2(bucket, "oss-copy/"):
        if each.size < 1 << 20:
            found += within(bucket.get_object(each.key).read().decode("utf-8", "replace"), *secrets, of=of)
    return found


def within(told: str, *secrets: str, of: re.Pattern[str] = SECRET) -> list[str]:
    """The secrets in a text."""
    for known in KNOWN:
        told = told.replace(known, "")
    hits = [match.span() for match in of.finditer(told)]
    hits += [(told.index(secret), told.index(secret) + 9) for secret in secrets if secret in told]
    return [told[max(0, first - 60) : last + 20] for first, last in hits]
