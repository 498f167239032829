"""A whole provider inside a test: the sandbox's ledger behind `responses`, no network, no waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import responses

from punktgenau.sandbox import create_app, members, overview, programme, replies, replies_accruals, vouchers
from punktgenau.sandbox.arithmetic import ProgrammeRate
from punktgenau.sandbox.clock import SandboxClock, stamp
from punktgenau.sandbox.seed import DEMO_PARTNER, DEMO_SECRET
from punktgenau.sandbox.state import sandbox_of
from punktgenau.testing import books, consent
from punktgenau.testing._inside import Inside, SentRequest
from punktgenau.testing._joining import join, own_mock
from punktgenau.testing.books import MemberBalance
from punktgenau.testing.clock import ManualClock
from punktgenau.testing.faults import ScriptedFaults

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://points.example"


@contextmanager
def fake_provider(
    base_url: str = URL, *, mock: responses.RequestsMock | None = None, clock: ManualClock | None = None
) -> Iterator[FakeProvider]:
    """A provider for the length of a `with`: it answers every request to `base_url`, and touches no other host.

    `mock` is the shop's own active mock, which it joins. Left out, it works by itself, beside any mock that was active
    before, and joins `responses.mock`, so that `@responses.activate` works too. `clock` is shared with the shop: on a
    clock of its own a shop does not see a hang's time pass, and repeats the call as after a broken connection.
    """
    provider = FakeProvider(base_url, clock=clock or ManualClock())
    with ExitStack() as stack:
        stack.callback(provider.close)
        for joined in (stack.enter_context(own_mock()), responses.mock) if mock is None else (mock,):
            stack.callback(provider.join(joined))
        yield provider


class FakeProvider:
    """One provider: `url`, `client_id` and `client_secret` are what a shop configures, `clock` is its time.

    It begins with the members mbr_2500, mbr_42 and mbr_0, who have as many points and have agreed to the shop; one
    point is one cent. Requests follow the contract as over TCP: the same keys, headers and refusals.
    """

    client_id = DEMO_PARTNER
    client_secret = DEMO_SECRET

    def __init__(self, base_url: str, *, clock: ManualClock) -> None:
        self.url = base_url.rstrip("/")
        self.clock = clock
        app = create_app(clock=_FollowingClock(clock))
        self._state = sandbox_of(app)
        self._inside = Inside(app, self.url, clock=clock)
        self.faults = ScriptedFaults(self._state.faults, go_away=self._inside.go_away)

    # Being asked

    def join(self, mock: responses.RequestsMock) -> Callable[[], None]:
        """Answer through this mock as well, until it is reset; call the result to leave it earlier."""
        return join(mock, self.url, self._inside.handle)

    @property
    def requests(self) -> tuple[SentRequest, ...]:
        """What reached the provider, oldest first: operation, key and body, never a secret."""
        return tuple(self._inside.sent)

    @contextmanager
    def away(self) -> Iterator[None]:
        """The provider is not there: until the block ends, every connection is refused."""
        self._inside.go_away(float("inf"))
        try:
            yield
        finally:
            self._inside.come_back()

    # Members

    def member(
        self,
        member_id: str,
        points: int = 0,
        *,
        expires_at: datetime | None = None,
        blocked: bool = False,
        consent: bool = True,
    ) -> str:
        """A member with exactly so many points to spend, new or known; `consent`: has agreed to the shop.

        `expires_at` is for points that are added. Returns the member's id. Raises ValueError for negative points.
        """
        if type(points) is not int or points < 0:
            raise ValueError("points must be a whole number, at least 0")
        with self._state.work() as work:
            if members.find(work, member_id) is None:
                members.create(work, member_id=member_id, display_name=member_id)
            missing_points = points - books.balance(work, member_id).available
            if missing_points > 0:
                shares = [(missing_points, expires_at)]
                members.credit(work, member_id=member_id, shares=shares, reason="Opening balance")
            else:
                members.set_available(work, member_id=member_id, points=points)
            members.set_state(work, member_id=member_id, state="blocked" if blocked else "active")
            change = members.give_consent if consent else members.withdraw_consent
            change(work, member_id=member_id, partner_id=DEMO_PARTNER)
        return member_id

    def withdraw_consent(self, member_id: str) -> None:
        """The member does not want the shop to use their points any more."""
        with self._state.work() as work:
            members.withdraw_consent(work, member_id=member_id, partner_id=DEMO_PARTNER)

    def agree(self, url: str | None, *, member_id: str) -> str:
        """The customer signs in at the address that the shop redirected to, as this member, and agrees.

        Returns where the browser goes next: the shop's callback. Raises ValueError where a provider would not take the
        address, or there is none.
        """
        with self._state.work() as work:
            members.get(work, member_id)
            return consent.agreed(work, url, member_id=member_id)

    def decline(self, url: str | None) -> str:
        """The customer does not agree; returns where the browser goes next. Raises ValueError as `agree`."""
        return consent.declined(url)

    # The programme

    def set_rate(self, *, points: int, amount_minor: int) -> str:
        """From now on `points` are worth `amount_minor`; redemptions keep the rate they began with. Returns its id."""
        if min(points, amount_minor) < 1:
            raise ValueError("points and amount_minor must be at least 1")
        with self._state.work() as work:
            rate_id = f"rate_{work.number('SELECT count(*) FROM rate') + 1}"
            currency = programme.current_rate(work).currency
            programme.set_rate(
                work, ProgrammeRate(rate_id, points=points, amount_minor=amount_minor, currency=currency)
            )
        return rate_id

    def set_limits(
        self,
        *,
        min_points: int = 1,
        max_points: int | None = None,
        step: int = 1,
        max_share_percent: int | None = None,
        max_value_minor: int | None = None,
    ) -> None:
        """How many points an order may take from now on; None: no such limit."""
        limits = programme.Limits(min_points, max_points, step, max_share_percent, max_value_minor)
        with self._state.work() as work:
            programme.set_limits(work, limits)

    # Books

    def balance(self, member_id: str) -> MemberBalance:
        """What a member can spend, what is held for orders, and what is pending."""
        self._catch_up()
        with self._state.work() as work:
            return books.balance(work, member_id)

    def entries(self, member_id: str | None = None) -> tuple[replies.Entry, ...]:
        """Movements as the member reads them, oldest first: `.kind`, `.points`, `.balance`, `.order_reference`."""
        self._catch_up()
        with self._state.work() as work:
            chosen = [row["id"] for row in members.all_members(work)] if member_id is None else [member_id]
            rows = [row for one in chosen for row in overview.member_entries(work, member_id=one, limit=10_000)]
        found = [replies.Entry.model_validate(row) for row in rows]
        return tuple(sorted(found, key=lambda entry: entry.id))

    def redemptions(self, order_reference: str | None = None) -> tuple[replies.Redemption, ...]:
        """Redemptions as they are now, oldest first: `.state`, `.points`, `.captured_points`, `.idempotency_key`."""
        self._catch_up()
        with self._state.work() as work:
            rows = overview.all_redemptions(work, order_reference=order_reference, limit=10_000)
        fields = replies.Redemption.model_fields
        found = [replies.Redemption.model_validate({name: row[name] for name in fields}) for row in rows]
        return tuple(reversed(found))

    def accruals(self, order_reference: str | None = None) -> tuple[replies_accruals.Accrual, ...]:
        """Points that the shop gave, as they are now, oldest first: `.state`, `.points`, `.reversed_points`."""
        self._catch_up()
        with self._state.work() as work:
            return tuple(overview.all_accruals(work, order_reference=order_reference))

    def voucher(self, code: str, amount_minor: int, *, residual: Literal["keeps", "lost"] = "keeps") -> str:
        """A voucher that somebody brings along, good at the demo shop for a year; its id."""
        with self._state.work() as work:
            made = vouchers.Made(
                code=code, value_minor=amount_minor, currency=programme.current_rate(work).currency,
                residual=residual, partners=json.dumps([self.client_id]),
                expires_at=work.now + timedelta(days=365),
            )  # fmt: skip
            return str(vouchers.issue(work, made)["id"])

    def assert_books_balance(self) -> None:
        """Every point is where the books say, none was made or lost. Raises AssertionError with all that differs."""
        self._catch_up()
        with self._state.work() as work:
            found = books.findings(work)
        if found:
            raise AssertionError("the provider's books do not balance:\n  " + "\n  ".join(found))

    def close(self) -> None:
        """Throw the books away."""
        self._state.database.close()

    def _catch_up(self) -> None:
        self._state.catch_up(self._state.clock.now())

    def __repr__(self) -> str:
        return f"FakeProvider({self.url!r}, now={stamp(self.clock.now())})"


class _FollowingClock(SandboxClock):
    """The sandbox's time, taken from the clock that the test moves."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._followed = clock

    @property
    def advanced_s(self) -> int:
        return int(self._followed.monotonic())

    def now(self) -> datetime:
        return self._followed.now().replace(microsecond=0)

    def advance(self, advance_s: int) -> datetime:
        self._followed.advance(advance_s)
        return self.now()
