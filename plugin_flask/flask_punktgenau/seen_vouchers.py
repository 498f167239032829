"""Vouchers as the provider told them last: a few seconds old at most on a page, so that clicks ask nothing twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from flask_punktgenau.guessing import Guessing
from punktgenau import Clock
from punktgenau.voucher_records import Voucher

CUSTOMERS_MAX = 2000
EACH_MAX = 100


@dataclass(slots=True)
class _Seen:
    """What one customer may use: all that is their own, since when it is known, and each voucher with its time."""

    own: tuple[str, ...] | None = None
    own_at: float = 0.0
    each: dict[str, tuple[Voucher, float]] = field(default_factory=dict)


class SeenVouchers:
    """One process's memory of vouchers, by customer, without their codes; whether one may pay is the provider's to say.

    Times are of the monotonic clock, ages in seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def own(self, customer_id: str, *, max_age_s: float) -> tuple[Voucher, ...] | None:
        """All vouchers of the linked member, newest first; None where they are not known, or too old."""
        with self._lock:
            seen = self._seen.get(customer_id)
            if seen is None or seen.own is None or self._clock.monotonic() - seen.own_at > max_age_s:
                return None
            return tuple(seen.each[one][0] for one in seen.own if one in seen.each)

    def own_ids(self, customer_id: str) -> frozenset[str] | None:
        """The ids of the member's own, as they were seen last; None: they never were."""
        with self._lock:
            seen = self._seen.get(customer_id)
            return None if seen is None or seen.own is None else frozenset(seen.own)

    def some(self, customer_id: str, voucher_ids: Iterable[str], *, max_age_s: float) -> Mapping[str, Voucher]:
        """Those of these that are known and no older, by id."""
        with self._lock:
            seen = self._seen.get(customer_id)
            if seen is None:
                return {}
            now = self._clock.monotonic()
            found = {one: seen.each[one] for one in voucher_ids if one in seen.each}
            return {one: voucher for one, (voucher, at) in found.items() if now - at <= max_age_s}

    def keep_own(self, customer_id: str, vouchers: Iterable[Voucher]) -> None:
        """Remember all that the member has."""
        kept = tuple(vouchers)[:EACH_MAX]
        with self._lock:
            seen = self._of(customer_id)
            seen.own, seen.own_at = tuple(one.id for one in kept), self._clock.monotonic()
            self._keep(seen, kept)

    def keep(self, customer_id: str, vouchers: Iterable[Voucher]) -> None:
        """Remember vouchers that somebody brought along."""
        with self._lock:
            self._keep(self._of(customer_id), tuple(vouchers))

    def forget(self, customer_id: str) -> None:
        """What was seen last is no longer true."""
        with self._lock:
            self._seen.pop(customer_id, None)

    def _of(self, customer_id: str) -> _Seen:
        seen = self._seen.setdefault(customer_id, _Seen())
        self._seen.move_to_end(customer_id)
        while len(self._seen) > CUSTOMERS_MAX:
            self._seen.popitem(last=False)
        return seen

    def _keep(self, seen: _Seen, vouchers: tuple[Voucher, ...]) -> None:
        now = self._clock.monotonic()
        for one in vouchers:
            seen.each.pop(one.id, None)
            seen.each[one.id] = (one.model_copy(update={"code": None}), now)
        while len(seen.each) > 2 * EACH_MAX:
            seen.each.pop(next(iter(seen.each)))


class VoucherMemory:
    """What one process remembers of vouchers: as they were seen last, and who tried codes."""

    def __init__(self, clock: Clock) -> None:
        self.seen = SeenVouchers(clock)
        self.guessing = Guessing(clock)
