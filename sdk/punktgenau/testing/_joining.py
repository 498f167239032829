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


def join(mock: responses.RequestsMock, base_url: str, handler: Handler) -> Callable[[], None]:
    """Answer for one host in this mock, before anything that it has registered; returns how to leave it.

    Not registered, because registries count: the usual one drops the first of two entries that fit, the ordered one
    every entry that was used, and a mock may insist that each was used.
    """
    host = _Host(base_url, handler)
    registry = mock.get_registry()
    theirs = registry.find

    def find(request: PreparedRequest) -> tuple[responses.BaseResponse | None, list[str]]:
        return (host, []) if host.matches(request)[0] else theirs(request)

    def leave() -> None:
        registry.find = theirs  # type: ignore[method-assign]

    registry.find = find  # type: ignore[method-assign]
    return leave
