"""Looks on while a history happens: every request is compared with the journal before its first byte leaves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from punktgenau.testing.simulator import earning_watch, voucher_watch
from punktgenau.testing.simulator.audit import LINKS, Auditor
from punktgenau.testing.simulator.faults import EARNING_WRITES, WRITES
from punktgenau.testing.simulator.provider import SimulatedProvider
from punktgenau.testing.simulator.seams import Seams
from punktgenau.testing.simulator.shop import CART, Shop

_CLAIMS = {
    "authorized": ("I5", "held"),
    "captured": ("I5", "taken"),
    "partially_captured": ("I5", "taken"),
    "partially_reversed": ("I5", "back"),
    "declined": ("I5", "gone"),
    "voided": ("I5", "gone"),
    "abandoned": ("I5", "gone"),
    "reversed": ("I5", "gone"),
    "expired": ("I7", "gone"),
}
"""What a state of the journal claims about the provider's books, and which invariant says so."""


_UNDER_WAY = {
    "authorize": "authorizing",
    "capture": "capturing",
    "void": "voiding",
    "reverse": "reversing",
    "cancel_by_key": "abandoning",
    "give_up": "abandoning",
    "extend": "extending",
}


@dataclass(frozen=True, order=True)
class Violation:
    """One invariant that did not hold."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass(frozen=True)
class Sent:
    """One request whose bytes left."""

    operation: str
    key: str | None
    body: dict[str, object]
    at_us: int
    actor: str


@dataclass(frozen=True)
class Answer:
    """One answer of the provider, heard or not."""

    operation: str
    key: str | None
    status: int
    code: str
    path: str = ""


@dataclass
class Watch:
    """What was seen on the wire, and what was wrong with it."""

    seams: Seams
    provider: SimulatedProvider
    auditor: Auditor
    shop: Shop
    vouchers: tuple[str, ...] = ()
    """Ids of the history's vouchers."""
    sent: list[Sent] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    taken_from: Callable[[str], str | None] = lambda operation: None
    """Who has the lease of an operation that the present process is about to send, if it should not."""
    moved: int = 0
    """The number of the last change in the journal."""
    _misled: dict[str, str | None] = field(default_factory=dict)
    """Who has read an answer about something else last, and under which key."""

    @property
    def keys(self) -> set[str | None]:
        """Every key under which a request that changes something has left."""
        return {one.key for one in self.sent}

    def sending(self, operation: str, key: str | None, body: bytes) -> None:
        """Bytes are about to leave."""
        self.calls[operation] += 1
        if operation not in WRITES:
            return
        me = self.seams.turns.current
        if me is not None and self._misled.get(me.name, key) != key:
            # What it read before was about another operation, and proves nothing of this one either way.
            del self._misled[me.name]
        content: dict[str, object] = json.loads(body)
        self.sent.append(Sent(operation, key, content, self.seams.turns.now_us, me.name if me is not None else "-"))
        beside = earning_watch.wrong_with if operation in EARNING_WRITES else voucher_watch.wrong_purchase
        if operation in EARNING_WRITES or operation == "buy_voucher":
            for invariant, what in beside(self, operation, key, content):
                self.wrong(invariant, what)
            return
        row = self.auditor.one(
            "SELECT o.id, o.kind, o.fingerprint, o.request, r.order_reference, r.member_id, r.points, r.value_minor,"
            " r.total_minor, r.customer_id, r.cart, r.key AS target, r.provider_id"
            " FROM punktgenau_operation o JOIN punktgenau_redemption r ON r.id = o.redemption_id WHERE o.key = ?",
            key,
        )
        if row is None or row["kind"] != operation or len(row["fingerprint"]) != 64:
            self.wrong("I4", f"{operation} leaves without a committed intent under its key")
            return
        if (holder := self.taken_from(row["id"])) is not None:
            self.wrong("I12", f"{operation} leaves while {holder} has its lease")
        if operation == "authorize":
            self._check_authorize(content, dict(row))
        elif operation == "cancel_by_key" and content.get("target_key") != row["target"]:
            self.wrong("I4", "cancel_by_key leaves for a key that is not in its intent")
        elif operation in ("capture", "reverse"):
            written = json.loads(row["request"])
            points = written.get("points") or 0
            meant = (points, written.get("value_minor", row["value_minor"]) if points else 0)
            said = (content.get("points") or 0, _minor(content.get("value")) or 0)
            if said != meant:
                self.wrong("I4", f"{operation} leaves with {said}, the intent says {meant}")
            if (onto := voucher_watch.put_back(content)) != json.loads(written.get("vouchers", "[]")):
                self.wrong("I4", f"{operation} leaves with {onto} for vouchers, the intent says something else")

    def heard(self, operation: str, key: str | None, status: int, code: str, *, path: str) -> None:
        """The provider has answered, whether anybody listens or not."""
        self.answered.append(Answer(operation, key, status, code, path))

    def read(self, key: str | None, *, wrong: bool) -> None:
        """A process has read a proper answer to what left under this key, or one that is about something else."""
        me = self.seams.turns.current
        if me is not None and wrong:
            self._misled[me.name] = key
        elif me is not None:
            self._misled.pop(me.name, None)

    def finished(self, kind: str, outcome: str, holder: str | None) -> None:
        """A result is in the journal: of whoever holds the lease, and from an answer about what was sent."""
        me = self.seams.turns.current
        if me is None:
            return
        if holder != me.name:
            self.wrong("I12", f"{me.name} wrote the result of a {kind} whose lease {holder} has")
        if outcome == "done" and me.name in self._misled:
            self.wrong("I5", f"{me.name} took a {kind} for done by an answer about something else")

    def committed(self) -> None:
        """The journal has changed: what it says from now on has to be so at the provider."""
        for row in self.auditor.rows(
            "SELECT a.number, coalesce(a.was_state, '') AS was, a.is_state, r.key, r.order_reference, r.attempt,"
            " r.provider_id FROM audit_redemption a JOIN punktgenau_redemption r ON r.id = a.row_id WHERE a.number > ?",
            self.moved,
        ):
            self.moved = row["number"]
            if row["was"] != row["is_state"]:
                self.seams.note(f"{row['order_reference']}/{row['attempt']}: {row['was']} -> {row['is_state']}")
                self._check_state(
                    row["is_state"],
                    row["key"],
                    row["provider_id"],
                    f"{row['order_reference']} attempt {row['attempt']}",
                )

        for row in self.auditor.rows(
            "SELECT r.state, r.order_reference, o.kind FROM punktgenau_operation o"
            " JOIN punktgenau_redemption r ON r.id = o.redemption_id WHERE o.open_key IS NOT NULL"
        ):
            if row["state"] not in (_UNDER_WAY[row["kind"]], "needs_attention"):
                self.wrong(
                    "I12", f"a {row['kind']} of {row['order_reference']} is under way while it is {row['state']}"
                )

    def _check_state(self, state: str, key: str, provider_id: str | None, named: str) -> None:
        claim = _CLAIMS.get(state)
        if claim is None:
            return
        # Where keys are nothing, by the id that the provider has given; before that only the end tells.
        query = (
            "SELECT held_points + held_vouchers_minor AS held, captured_points + captured_vouchers_minor AS captured,"
            " reversed_points + reversed_vouchers_minor AS reversed FROM redemption"
            " WHERE (idempotency_key = ?1 OR id = ?2) AND points + vouchers_minor > 0"
        )
        found = self.provider.rows(query, key, provider_id)
        row = found[0] if found else None
        invariant, means = claim
        held, captured, reversed_ = (row["held"], row["captured"], row["reversed"]) if row is not None else (0, 0, 0)
        true = {
            "held": row is not None,
            "taken": captured > 0,
            "back": 0 < reversed_ < captured,
            "gone": held == 0 and captured == reversed_,
        }[means]
        if not true:
            self.wrong(
                invariant, f"{named} is {state} in the journal; held {held}, captured {captured} at the provider"
            )

    def states_since(self, moved: int, key: str | None) -> tuple[str, ...]:
        """In which states the attempt with this key was: as change number `moved` left it, and each one after that."""
        rows = self.auditor.rows(
            "SELECT a.number, a.is_state, r.cause FROM audit_redemption a JOIN punktgenau_redemption r"
            " ON r.id = a.row_id WHERE r.key = ? ORDER BY a.number",
            key,
        )
        before = [row["is_state"] for row in rows if row["number"] <= moved]
        states = before[-1:] + [row["is_state"] for row in rows if row["number"] > moved]
        # A repair is told as the shortfall that it repairs, and a hold that is made longer as a hold.
        if rows and rows[0]["cause"] == "shortfall":
            states.append("short")
        return (*states, "authorized", "capturing") if "extending" in states else tuple(states)

    def left_open(self, begun: Iterable[str]) -> tuple[str, ...]:
        """Kinds of these operations that are open."""
        statement = "SELECT kind FROM punktgenau_operation WHERE id = ? AND open_key IS NOT NULL"
        return tuple(row["kind"] for one in begun for row in self.auditor.rows(statement, one))

    def books_of(self, reference: str) -> tuple[dict[str, object], ...]:
        """What the provider's books say about an order now."""
        if not reference:
            return ()
        rows = self.provider.rows(
            "SELECT CASE WHEN idempotency_key LIKE 'pg_%' OR length(idempotency_key) >= 32 THEN idempotency_key END"
            " AS idempotency_key, state, held_points + held_vouchers_minor AS held,"
            " captured_points + captured_vouchers_minor AS captured,"
            " reversed_points + reversed_vouchers_minor AS reversed FROM redemption"
            " WHERE order_reference = ? ORDER BY number",
            reference,
        )
        return tuple(dict(row) for row in rows)

    def back_of(self, reference: str) -> tuple[str, ...]:
        """References of the reversals that the provider has made for an order by now."""
        rows = self.provider.rows(
            "SELECT v.return_reference FROM reversal v JOIN redemption r ON r.id = v.redemption_id"
            " WHERE r.order_reference = ?",
            reference,
        )
        return tuple(row["return_reference"] for row in rows)

    def _check_authorize(self, content: dict[str, object], intent: dict[str, object]) -> None:
        tenders = content["tenders"]
        points = [one for one in tenders if one["kind"] == "points"] if isinstance(tenders, list) else []
        said = (
            content["order_reference"],
            content["member_id"],
            points[0]["points"] if points else 0,
            _minor(points[0]["value"]) if points else 0,
            _minor(content["total"]),
        )
        meant = tuple(intent[name] for name in ("order_reference", "member_id", "points", "value_minor", "total_minor"))
        if said != meant:
            self.wrong("I4", f"authorize leaves with {said}, the intent says {meant}")
        order = self.shop.orders.get(str(content["order_reference"]))
        if order is None:
            self.wrong("I9", f"authorize leaves for an order that the shop does not have: {said[0]}")
            return
        lines = content["lines"]
        shown = sum(line["amount_minor"] for line in lines) if isinstance(lines, list) else None
        allowed = (LINKS[order.plan.customer][0], CART.total.amount_minor, CART.total.amount_minor, "EUR")
        if (said[1], said[4], shown, _currency(content["total"])) != allowed:
            self.wrong("I9", f"authorize leaves for {said}, the shop's order says {allowed}")
        if said[3] != said[2]:
            self.wrong("I9", f"authorize leaves with {said[2]} points worth {said[3]}: a point is a cent")
        if said[2] not in order.wished:
            self.wrong("I9", f"authorize leaves with {said[2]} points, the customer asked for {sorted(order.wished)}")
        for invariant, what in voucher_watch.wrong_with(self, content, str(intent["cart"]), order):
            self.wrong(invariant, what)

    def wrong(self, invariant: str, what: str) -> None:
        """Note that something did not hold."""
        self.seams.note(f"!! {invariant} {what}")
        self.violations.append(Violation(invariant, what))


def _minor(money: object) -> object:
    return money.get("amount_minor") if isinstance(money, dict) else None


def _currency(money: object) -> object:
    return money.get("currency") if isinstance(money, dict) else None
