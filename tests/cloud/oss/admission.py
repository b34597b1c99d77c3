"""Who may do what: signatures, owners, and ACLs for everybody else.

It must not know what an operation does, only what access it needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.cloud.accounts import Accounts, Credentials

from .errors import OssError
from .operations import Operation
from .protocol import Request, pays
from .signatures import Signatures
from .state import Store

_MAKES_BUCKETS = {"PutBucket", "PutBucketAcl"}


class Admission:
    def __init__(self, accounts: Accounts, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._store = store
        self.signatures = Signatures(accounts, clock)

    def admit(
        self, request: Request, operation: Operation, readings: frozenset[str] = frozenset()
    ) -> Credentials | None:
        """The credentials that signed `request`, None for a permitted anonymous one.

        Strangers may do what an ACL or a policy of the bucket lets them. Nobody pays for an anonymous request
        where the requester should. A missing bucket is told before a wrong key, except to who would make it
        (as SDK tests assert).
        """
        bucket = self._store.buckets.get(request.bucket)
        if bucket is None and request.bucket and operation.name not in _MAKES_BUCKETS:
            raise OssError("NoSuchBucket", BucketName=request.bucket)
        region = bucket.region if bucket is not None else request.region
        credentials = self.signatures.check(request, (self._store.region, region), readings)
        if bucket is None:
            if credentials is None:
                message = "Anonymous access is forbidden for this operation."
                raise OssError("AccessDenied", message, ec="0003-00000001")
        elif operation.name != "PutBucket" and self._store.is_stranger(
            credentials.principal if credentials else "", bucket
        ):
            form = operation.access == "form"  # its signature is in its body
            if not form and not bucket.lets(operation.access, request.key):
                raise OssError("AccessDenied")
            bucket.charge(pays=(form or credentials is not None) and pays(request.headers))
        return credentials
