"""Tells whether requests to an endpoint are encrypted. Sends none."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_in_clear(endpoint: str) -> bool:
    """Tell whether others could read requests on their way: no TLS, and not on this machine."""
    parts = urlsplit(endpoint)
    return parts.scheme == "http" and not _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
