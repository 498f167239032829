"""How the fake gets between the shop and its provider: in front of what a `responses` mock has registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import responses
from requests.adapters import HTTPAdapter

from punktgenau.testing._broken import Answer

if TYPE_CHECKING:
    from requests import PreparedRequest
    from responses.registries import FirstMatchRegistry

Handler = Callable[["PreparedRequest"], Answer]


class _Host(responses.CallbackResponse):
    """Answers everything that is sent to one host, whatever the method and path."""

    def __init__(self, base_url: str, handler: Handler) -> None:
        super().__init__("ANY", base_url, handler, content_type=None)
        self._origin = origin_of(base_url)

    def matches(self, request: PreparedRequest) -> tuple[bool, str]:
        return (True, "") if origin_of(str(request.url)) == self._origin else (False, "Host does not match")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, whatever way they are written."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


@contextmanager
def own_mock() -> Iterator[responses.RequestsMock]:
    """A mock that answers nothing and lets everything through to where it went before: other mocks, or the network."""
    before = HTTPAdapter.send
    with responses.RequestsMock(assert_all_requests_are_fired=False, real_adapter_send=before) as mock:
        mock.add_passthru(re.compile(""))
        yield mock


class _Front:
    """Stands before what one mock has registered, for as many hosts as have joined it.

    They are not registered, because registries count: the usual one drops the first of two entries that fit, the
    ordered one every entry that was used, and a mock may insist that each was used.
    """

    def __init__(self, registry: FirstMatchRegistry) -> None:
        self._registry = registry
        self._theirs = registry.find
        self._hosts: list[_Host] = []

    def find(self, request: PreparedRequest) -> tuple[responses.BaseResponse | None, list[str]]:
        for host in self._hosts:
            if host.matches(request)[0]:
                return host, []
        return self._theirs(request)

    def enter(self, host: _Host) -> None:
        self._hosts = [host, *self._hosts]
        self._registry.find = self.find  # type: ignore[method-assign]

    def leave(self, host: _Host) -> None:
        self._hosts = [other for other in self._hosts if other is not host]
        if not self._hosts:
            self._registry.find = self._theirs  # type: ignore[method-assign]


def join(mock: responses.RequestsMock, base_url: str, handler: Handler) -> Callable[[], None]:
    """Answer for one host in this mock, before anything that it has registered; returns how to leave it."""
    registry = mock.get_registry()
    standing = getattr(registry.find, "__self__", None)
    front = standing if isinstance(standing, _Front) else _Front(registry)
    host = _Host(base_url, handler)
    front.enter(host)
    return lambda: front.leave(host)
