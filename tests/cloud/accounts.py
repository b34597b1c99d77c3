"""Who may sign a request: the account's own access key, and temporary ones given out for a role.

The OSS server and the FC host share one `Accounts`, and with it what the roles may do; neither knows how the
other uses it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import msgspec

from tests.cloud.ram import Policies

ACCOUNT_ID = "1234567890123456"  # made up, and the one s.yaml comes with


class Credentials(msgspec.Struct, frozen=True):
    """An access key. `security_token` and `expires` (Unix seconds) are set on temporary ones (STS)."""

    access_key_id: str
    access_key_secret: str
    principal: str  # "acs:ram::<account>:root" or the ARN of the assumed role
    security_token: str | None = None
    expires: float | None = None


class AccessKey(msgspec.Struct, frozen=True):
    """An access key that does not expire."""

    id: str
    secret: str

    @classmethod
    def draw(cls) -> AccessKey:
        """A new one, made up."""
        return cls("LTAI" + secrets.token_hex(10), secrets.token_hex(15))


class Accounts:
    """The account that owns everything in this cloud, and the temporary credentials given out in its name."""

    def __init__(
        self,
        account_id: str = ACCOUNT_ID,
        clock: Callable[[], float] = time.time,
        key: AccessKey | None = None,
    ) -> None:
        """`key`: the owner's; by default a new one."""
        self.account_id = account_id
        self._clock = clock
        key = key or AccessKey.draw()
        self.owner = Credentials(key.id, key.secret, principal=f"acs:ram::{account_id}:root")
        self.policies = Policies()
        self._known = {self.owner.access_key_id: self.owner}

    def issue(self, principal: str, seconds: float = 3600) -> Credentials:
        """Temporary credentials of `principal`, valid for `seconds`."""
        credentials = Credentials(
            access_key_id="STS." + secrets.token_hex(12),
            access_key_secret=secrets.token_hex(22),
            principal=principal,
            security_token=secrets.token_urlsafe(96),
            expires=self._clock() + seconds,
        )
        self._known[credentials.access_key_id] = credentials
        return credentials

    def find(self, access_key_id: str) -> Credentials | None:
        """The credentials with this id, expired ones included: the caller names the right error."""
        return self._known.get(access_key_id)
