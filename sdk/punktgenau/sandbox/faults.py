"""Which faults wait for which operation. What they look like is in fault_replies.py and wire.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

Operation = Literal[
    "token", "identify", "member", "balance", "entries", "events", "quote", "authorize", "capture", "extend", "void",
    "reverse", "quote_reversal", "get", "find", "cancel_by_key", "statement", "statement_csv",
    "issued", "issued_csv",
    "accrue", "post_accrual", "reverse_accrual", "get_accrual", "find_accruals",
    "voucher_products", "buy_voucher", "look_up_voucher", "get_voucher", "vouchers", "payout", "get_payout",
    "find_payouts",
]  # fmt: skip
When = Literal["before", "after"]
Kind = Literal[
    "refuse", "hang", "drip_headers", "drip_body", "reset", "stale_connection", "truncated_body",
    "html_200", "html_502", "empty_200", "other_json_200", "status_500", "status_503", "status_429",
    "in_progress_409", "malformed_json", "huge_body", "gzip_bomb", "redirect", "wrong_echo",
    "partial_approval", "rate_changed", "slow_lookup", "expired_early", "replayed_500", "duplicate_delivery",
]  # fmt: skip
Echo = Literal["points", "order_reference", "member_id", "currency", "idempotency_key"]

KINDS: tuple[Kind, ...] = get_args(Kind)
# Played on the connection, instead of a proper answer.
ON_WIRE: frozenset[Kind] = frozenset(
    {"refuse", "hang", "drip_headers", "drip_body", "reset", "stale_connection", "truncated_body"}
)
# These have one natural moment; `when` says nothing about them.
ALWAYS_BEFORE: frozenset[Kind] = frozenset(
    {"refuse", "stale_connection", "partial_approval", "rate_changed", "slow_lookup", "duplicate_delivery"}
)
ALWAYS_AFTER: frozenset[Kind] = frozenset({"wrong_echo"})

# These change what happens instead of what is answered, so they fit some operations only.
WRITES: frozenset[Operation] = frozenset({
    "authorize", "capture", "extend", "void", "reverse", "cancel_by_key", "accrue", "post_accrual", "reverse_accrual",
    "buy_voucher", "payout",
})  # fmt: skip
IN_ROUTES: dict[Kind, frozenset[Operation]] = {
    "partial_approval": frozenset({"authorize"}),
    "rate_changed": frozenset({"authorize"}),
    "slow_lookup": frozenset({"get", "find", "get_accrual", "find_accruals", "vouchers", "get_payout", "find_payouts"}),
    "expired_early": frozenset({"authorize", "capture", "extend", "void"}),
    "replayed_500": WRITES,
    "duplicate_delivery": WRITES,
}

MAX_DELAY_S = 30.0
REFUSE_S = 5.0


@dataclass(frozen=True)
class Fault:
    """One fault for the next `times` requests of an operation; `any` stands for every operation."""

    operation: Operation | Literal["any"]
    kind: Kind
    when: When = "before"
    times: int = 1
    delay_s: float | None = None
    retry_after: str | None = None
    echo: Echo = "points"

    @property
    def moment(self) -> When:
        """When it is played: before the state change (which then never happens) or after its commit."""
        if self.kind in ALWAYS_BEFORE:
            return "before"
        return "after" if self.kind in ALWAYS_AFTER else self.when

    @property
    def is_in_routes(self) -> bool:
        """Whether a route plays it, rather than its answer being replaced."""
        return self.kind in IN_ROUTES

    def fits(self, operation: Operation) -> bool:
        """Whether it waits for this operation."""
        return self.operation in ("any", operation) and operation in IN_ROUTES.get(self.kind, (operation,))


class FaultOnWire(Exception):
    """Raised out of the WSGI application where an answer cannot show the fault and the connection has to.

    The server catches it and plays it on the socket. Whoever calls the application in process translates it:
    `refuse`: the connection was refused; `stale_connection`, `reset`: it broke without an answer; `hang`: no answer
    for `delay_s`; `drip_headers`, `drip_body`: one byte a second; `truncated_body`: half of `body`, then the end.
    `status`, `headers` and `body` are the answer that the dripping and truncating kinds begin to give.
    """

    def __init__(
        self, fault: Fault, *, status: int = 200, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> None:
        super().__init__(fault.kind)
        self.kind: Kind = fault.kind
        self.delay_s = fault.delay_s
        self.status = status
        self.headers = headers
        self.body = body


class FaultBook:
    """The faults that wait, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._refuse: Callable[[float], None] | None = None

    def when_refusing(self, refuse: Callable[[float], None]) -> None:
        """Let a server know how long to refuse connections, in seconds: no request is there to play it on."""
        self._refuse = refuse

    def add(self, fault: Fault) -> None:
        """Queue a fault. Behind a server `refuse` begins now, for `delay_s`, whatever the operation."""
        if fault.kind == "refuse" and self._refuse is not None:
            self._refuse(REFUSE_S if fault.delay_s is None else fault.delay_s)
            return
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def take(self, operation: Operation, *, is_fresh_connection: bool = False) -> Fault | None:
        """The fault for this request, used up by one. A fresh connection cannot be stale."""
        with self._lock:
            for position, fault in enumerate(self._waiting):
                if not fault.fits(operation) or (fault.kind == "stale_connection" and is_fresh_connection):
                    continue
                if fault.times > 1:
                    self._waiting[position] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[position]
                return fault
        return None
