"""Who may do what: signatures, owners, and ACLs for everybody else.

It must not know what an operation does, only what access it needs.
"""

from __future__ import annotations

from tests.cloud.accounts import Accounts, Credentials

from .errors import OssError
from .operations import Operation
from .protocol import Request, pays
from .signatures import Signatures
from .state import Bucket, Store

_READABLE = {"public-read", "public-read-write"}
_MAKES_BUCKETS = {"PutBucket", "PutBucketAcl"}


class Admission:
    def __init__(self, accounts: Accounts, store: Store) -> None:
        self._accounts = accounts
        self._store = store
        self.signatures = Signatures(accounts)

    def admit(self, request: Request, operation: Operation) -> Credentials | None:
        """The credentials that signed `request`, None for a permitted anonymous one.

        A missing bucket is told before a wrong key, except to who would make it (as SDK tests assert).
        """
        bucket = self._store.buckets.get(request.bucket)
        if bucket is None and request.bucket and operation.name not in _MAKES_BUCKETS:
            raise OssError("NoSuchBucket", BucketName=request.bucket)
        region = bucket.region if bucket is not None else request.region
        credentials = self.signatures.check(request, (self._store.region, region))
        if bucket is None:
            if credentials is None:
                message = "Anonymous access is forbidden for this operation."
                raise OssError("AccessDenied", message, ec="0003-00000001")
        elif credentials is None or (self._foreign(bucket) and operation.name != "PutBucket"):
            _admit_stranger(request, operation, bucket)
            bucket.charge(pays=pays(request.headers))
        return credentials

    def _foreign(self, bucket: Bucket) -> bool:
        return bucket.owner != self._accounts.account_id


def _admit_stranger(request: Request, operation: Operation, bucket: Bucket) -> None:
    """The object's ACL counts, or the bucket's if it is `default`."""
    acl = bucket.acl
    version = bucket.current(request.key) if request.key else None
    if version is not None and version.acl != "default":
        acl = version.acl
    match operation.access:
        case "form":
            return  # its signature is in its body
        case "read" if acl in _READABLE:
            return
        case "write" if acl == "public-read-write":
            return
        case _:
            raise OssError("AccessDenied")
