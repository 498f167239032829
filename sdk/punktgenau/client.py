"""The client: configuration, and one attribute per noun."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from punktgenau._auth import PartnerToken
from punktgenau._clock import Clock, SystemClock
from punktgenau._transport import Adapter, Transport
from punktgenau.errors import ConfigurationError
from punktgenau.members import Members
from punktgenau.provider import Mode, ProviderProfile
from punktgenau.redemptions import Redemptions

if TYPE_CHECKING:
    from punktgenau.accruals import Accruals
    from punktgenau.payouts import Payouts
    from punktgenau.statements import Statements
    from punktgenau.vouchers import Vouchers


class Client:
    """Speaks to one points provider for one partner; safe for many threads; a `Provider` as it stands.

    `deadline_s` bounds each call in all, repeats included (seconds; name resolution aside). https is required except
    on loopback. `mode` ("sandbox" or "live") is what every answer must say; left out, the first answer decides.
    Raises ConfigurationError for an address, mode or credentials that cannot be meant, InvalidArgumentError for such a
    deadline; nothing is sent here.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str,
        client_secret: str,
        deadline_s: float = 8.0,
        mode: Mode | None = None,
        profile: ProviderProfile | None = None,
        clock: Clock | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        # First what a report of a client that cannot be made shows.
        self._base_url, self._client_id = base_url, client_id
        if mode not in (None, "sandbox", "live"):
            raise ConfigurationError("mode must be 'sandbox', 'live' or None.", field="mode")
        clock = clock or SystemClock()
        token = PartnerToken(client_id, client_secret, clock=clock)
        self._profile = profile or ProviderProfile()
        has_keys = self._profile.keys != "none"
        self._transport = Transport(
            base_url, token=token, clock=clock, deadline_s=deadline_s, mode=mode, adapter=adapter, has_keys=has_keys
        )
        self._base_url = self._transport.base_url
        self._configured_mode = mode
        self._members = Members(self._transport, base_url=self._base_url, client_id=client_id)
        self._redemptions = Redemptions(self._transport, client_id=client_id, profile=self._profile)

    @property
    def partner_id(self) -> str:
        """The shop as the provider knows it: its client id."""
        return self._client_id

    @property
    def mode(self) -> Mode | None:
        """The mode that was configured; None: the provider's first answer decides."""
        return self._configured_mode

    @property
    def profile(self) -> ProviderProfile:
        """How this provider behaves, as data."""
        return self._profile

    @property
    def members(self) -> Members:
        """Balances, movements, consent."""
        return self._members

    @property
    def redemptions(self) -> Redemptions:
        """Paying with points."""
        return self._redemptions

    @property
    def accruals(self) -> Accruals:
        """Giving points."""
        # Most processes give none.
        from punktgenau.accruals import Accruals

        return Accruals(self._transport, profile=self._profile)

    @property
    def vouchers(self) -> Vouchers:
        """Points as vouchers, and vouchers that a customer brings along."""
        from punktgenau.vouchers import Vouchers

        return Vouchers(self._transport, profile=self._profile)

    @property
    def payouts(self) -> Payouts:
        """Money instead of points."""
        from punktgenau.payouts import Payouts

        return Payouts(self._transport, profile=self._profile)

    @property
    def statements(self) -> Statements:
        """What the provider settles with the shop, month by month."""
        # Clearing is done once a month, by no process that serves customers.
        from punktgenau.statements import Statements

        return Statements(self._transport)

    def close(self) -> None:
        """Close the pooled connections; the client can not be used afterwards."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._base_url!r}, client_id={self._client_id!r})"
