"""The socket guard: tests talk to this machine only, and look up no names elsewhere."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_UNGUARDED_LOOKUP = socket.getaddrinfo
_GUARDED = ("connect", "connect_ex", "sendto")


def is_loopback(host: object) -> bool:
    """Whether a host, as a name or an address, is this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(sock: socket.socket, address: object) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple) and not is_loopback(address[0]):
        # Not an OSError: code under test would take that for an ordinary network failure and the test might pass.
        pytest.fail(f"a test tried to reach {address[0]} port {address[1]}; only this machine is allowed")


def _guarded(name: str) -> Callable[..., object]:
    original = getattr(socket.socket, name)

    def checked(self: socket.socket, *args: object) -> object:
        _check(self, args[-1])
        return original(self, *args)

    return checked


def _lookup(host: bytes | str | None, *args: Any, **kwargs: Any) -> Any:
    if host is None or is_loopback(host) or _is_address(host):
        return _UNGUARDED_LOOKUP(host, *args, **kwargs)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known (tests look up no names)")


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host))
    except ValueError:
        return False
    return True


@contextmanager
def guard() -> Iterator[None]:
    """Until it is left, sockets of this process reach loopback only and names beyond it do not resolve."""
    for name in _GUARDED:
        setattr(socket.socket, name, _guarded(name))
    socket.getaddrinfo = _lookup
    try:
        yield
    finally:
        socket.getaddrinfo = _UNGUARDED_LOOKUP
        for name in _GUARDED:
            delattr(socket.socket, name)


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    with guard():
        yield
