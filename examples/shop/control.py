"""The sandbox's control plane, as far as the demo uses it: clock, faults, members and entries. Loopback only."""

from collections.abc import Mapping
from datetime import datetime

import requests

JsonObject = Mapping[str, object]

_TIMEOUT_S = 1.0


class SandboxAwayError(Exception):
    """The sandbox did not answer, or not as expected."""


class SandboxControl:
    """One per process; every call is short and raises SandboxAwayError when there is no proper answer."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def now(self) -> datetime:
        answer = self._call("GET", "/sandbox/clock")
        stated = answer.get("now") if isinstance(answer, dict) else None
        if not isinstance(stated, str):
            raise SandboxAwayError("the clock's answer has no `now`")
        return datetime.fromisoformat(stated)

    def advance(self, *, advance_s: int) -> None:
        self._call("POST", "/sandbox/clock", {"advance_s": advance_s})

    def play_fault(self, *, operation: str, kind: str, when: str, times: int) -> None:
        self._call("POST", "/sandbox/faults", {"operation": operation, "kind": kind, "when": when, "times": times})

    def clear_faults(self) -> None:
        self._call("DELETE", "/sandbox/faults")

    def member(self, member_id: str) -> JsonObject:
        answer = self._call("GET", f"/sandbox/members/{member_id}")
        return answer if isinstance(answer, dict) else {}

    def entries(self) -> tuple[JsonObject, ...]:
        answer = self._call("GET", "/sandbox/entries")
        rows = answer.get("entries") if isinstance(answer, dict) else answer
        return tuple(row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()

    def _call(self, method: str, path: str, body: JsonObject | None = None) -> object:
        try:
            reply = self._session.request(method, self.url + path, json=body, timeout=_TIMEOUT_S)
            reply.raise_for_status()
            return reply.json() if reply.content else None
        except requests.RequestException as error:
            raise SandboxAwayError(str(error)) from error
