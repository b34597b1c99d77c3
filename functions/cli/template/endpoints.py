"""Tells whether requests to an endpoint are encrypted, and whether they leave this machine. Sends none."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_in_clear(endpoint: str) -> bool:
    """Tell whether others could read requests on their way: no TLS, and not on this machine."""
    parts = urlsplit(endpoint)
    return parts.scheme == "http" and not is_here(parts.hostname or "")


def is_here(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
