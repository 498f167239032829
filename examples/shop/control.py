"""The sandbox's control plane, as far as the demo uses it: clock, faults, and a look at its books. Loopback only."""

from collections.abc import Mapping
from datetime import UTC, datetime

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
        # A connection that was kept may be closed at the other end just when it is used again.
        self._session.headers["Connection"] = "close"

    def advanced_s(self) -> int:
        """How far the sandbox's clock is ahead of this machine's, in seconds."""
        advanced = self._ask("/sandbox/clock").get("advanced_s")
        if not isinstance(advanced, int):
            raise SandboxAwayError("the clock's answer does not say how far it was moved")
        return advanced

    def advance(self, *, advance_s: int) -> None:
        self._call("POST", "/sandbox/clock", {"advance_s": advance_s})

    def play_fault(self, *, operation: str, kind: str, when: str, times: int) -> None:
        self._call("POST", "/sandbox/faults", {"operation": operation, "kind": kind, "when": when, "times": times})

    def clear_faults(self) -> None:
        self._call("DELETE", "/sandbox/faults")

    def faults(self) -> list[JsonObject]:
        """What waits to go wrong."""
        return self._items("/sandbox/faults")

    def member(self, member_id: str) -> JsonObject:
        return self._ask(f"/sandbox/members/{member_id}")

    def put_member(self, member_id: str, *, points: int) -> None:
        """A member who has so many points, and has consented to this shop."""
        self._call("POST", "/sandbox/members", {"id": member_id, "points": points})

    def add_points(self, member_id: str, *, points: int, expire_at: datetime | None = None) -> None:
        """More points for a member who is there, perhaps with a date."""
        until = f"{expire_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if expire_at else None
        lot = {"points": points, "expires_at": until}
        self._call("POST", "/sandbox/members", {"id": member_id, "lots": [lot]})

    def give_voucher(self, member_id: str, *, value_minor: int, residual: str) -> None:
        """A voucher of that member's own."""
        body = {"member_id": member_id, "value_minor": value_minor, "residual": residual}
        self._call("POST", "/sandbox/vouchers", body)

    def add_statement_line(self, line_id: str, *, kind: str, points: int, amount_minor: int, reason: str) -> None:
        """A mistake on this month's statement, about what another line is about."""
        body = {"line_id": line_id, "kind": kind, "points": points, "amount_minor": amount_minor, "reason": reason}
        self._call("POST", "/sandbox/statement-lines", body)

    def play_profile(self, name: str) -> None:
        """From now on the provider can do what this one of its profiles can."""
        self._call("POST", "/sandbox/profile", {"name": name})

    def redemptions(self, *, member_id: str) -> list[JsonObject]:
        """What the provider holds and has captured of a member, newest first."""
        return self._items(f"/sandbox/redemptions?member_id={member_id}")

    def requests(self) -> list[JsonObject]:
        """What the provider was asked lately, newest first."""
        return self._items("/sandbox/requests")

    def _items(self, path: str) -> list[JsonObject]:
        items = self._ask(path).get("items")
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

    def _ask(self, path: str) -> JsonObject:
        answer = self._call("GET", path)
        return answer if isinstance(answer, dict) else {}

    def _call(self, method: str, path: str, body: JsonObject | None = None) -> object:
        try:
            reply = self._session.request(method, self.url + path, json=body, timeout=_TIMEOUT_S)
            reply.raise_for_status()
            return reply.json() if reply.content else None
        except requests.RequestException as error:
            raise SandboxAwayError(str(error)) from error
