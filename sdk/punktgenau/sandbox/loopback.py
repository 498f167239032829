"""Whether an address is this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def host_in(address: str) -> str:
    """The host that a URL names; nothing for what is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
