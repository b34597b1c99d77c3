"""The note of a local cloud that runs: where it is, and by which keys it is asked.

`oss-copy local` writes it; the other commands read it if nothing else says whom to ask. The keys are made up,
and good for that cloud alone. It knows no command.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Local(msgspec.Struct, frozen=True, kw_only=True):
    """A local cloud; `pid` is that of the program that holds it."""

    pid: int
    http_trigger: str
    oss: str
    fc: str
    admin: str
    region: str
    account_id: str
    access_key_id: str
    access_key_secret: str
    api_token: str
    function: str
    destination: str  # a bucket to copy into
    watched: str = ""  # a prefix, as an address, of which an upload is copied by itself

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which every client asks this cloud."""
        return {
            "OSS_COPY_URL": self.http_trigger,
            "API_TOKEN": self.api_token,
            "OSS_COPY_REGION": self.region,
            "OSS_COPY_ADMIN": self.admin,
            "OSS_ENDPOINT": self.oss,
            "FC_CLIENT_CUSTOM_ENDPOINT": self.fc,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.access_key_secret,
        }


def place(environ: Mapping[str, str]) -> Path:
    """Return where the note is."""
    state = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "/") / ".local" / "state"
    return Path(state) / "oss-copy" / "local.json"


def write(path: Path, local: Local) -> None:
    """Write the note, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{local.pid}")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(msgspec.json.encode(local))
    new.replace(path)


def forget(path: Path, pid: int) -> None:
    """Take away the note of the cloud that this process holds."""
    if (noted := _read(path)) and noted.pid == pid:
        path.unlink(missing_ok=True)


def find(environ: Mapping[str, str]) -> Local | None:
    """Return the local cloud that runs, if one does."""
    noted = _read(place(environ))
    return noted if noted and _is_alive(noted.pid) else None


def _read(path: Path) -> Local | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Local)
    except (OSError, msgspec.DecodeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return pid > 0
