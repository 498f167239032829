"""What an adapter's author supplies, and the steps that the checks are made of."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import ClassVar, Literal, TypeVar, get_args

import pytest

from punktgenau.errors import Outcome, PunktgenauError, Retry
from punktgenau.money import Money
from punktgenau.provider import Balance, MembersPort, Provider, ProviderProfile, Redemption, RedemptionsPort
from punktgenau.testing.conformance.check import ConformanceError, expect, expect_that, not_applicable
from punktgenau.testing.conformance.counting import install

LookupBy = Literal["key", "order"]
Operation = Literal["balance", "authorize", "capture", "void", "reverse", "get", "find", "cancel_by_key"]
E = TypeVar("E", bound=PunktgenauError)

POINTS = 427
HAS = 1000


class AdapterWorld:
    """Two functions are needed, `provider` and `member`; checks that need one of the others say so where it is missing.

    Fixtures of your own come in by a fixture with `autouse=True` in your class, which sets attributes of `self`.
    """

    currency: ClassVar[str] = "EUR"
    """The programme's currency; an order of 59.90 of it has to be allowed, and 1000 points of one member."""
    secrets: tuple[str, ...] = ()
    """Texts that must not be seen anywhere: the shop's password at the provider, say."""

    # Needed

    def provider(self) -> Provider:
        """The adapter under test. Asked for often in one check: the same one, or one that sees the same books."""
        raise NotImplementedError("supply provider(): the adapter under test")

    def member(self, points: int) -> str:
        """A new member, known to nobody yet, who has agreed to the shop and can spend so many points; its id."""
        raise NotImplementedError("supply member(points): the id of a new member who has so many points")

    # Optional: a provider that can be troubled

    def lose_answers(self, operation: Operation) -> None:
        """Until `heal`: what is sent for this operation is carried out, and its answer gets lost."""
        raise not_applicable("lose_answers is not supplied")

    def never_answer(self, operation: Operation) -> None:
        """Until `heal`: what is sent for this operation gets no answer and no end of the connection."""
        raise not_applicable("never_answer is not supplied")

    def answer_wrongly(self, operation: Operation) -> None:
        """Until `heal`: the answers to this operation look fine and are about other points than asked for."""
        raise not_applicable("answer_wrongly is not supplied")

    def go_away(self) -> None:
        """Until `heal`: nobody listens at the provider's address."""
        raise not_applicable("go_away is not supplied")

    def heal(self) -> None:
        """End every trouble, and what the adapter remembers of it, such as an open circuit; also after each check."""

    def voucher(self, amount_minor: int) -> str:
        """A voucher of the programme's currency that somebody brings along, good at this shop; its code."""
        raise not_applicable("voucher is not supplied")

    def withdraw_consent(self, member_id: str) -> None:
        """The member does not want the shop to use their points any more."""
        raise not_applicable("withdraw_consent is not supplied")

    def advance(self, seconds: int) -> None:
        """Move the provider's clock, and the adapter's with it."""
        raise not_applicable("advance is not supplied")

    def monotonic(self) -> float:
        """The seconds of the clock by which the adapter keeps its deadlines; for one that is moved by hand."""
        return time.monotonic()

    # Steps

    @pytest.fixture(autouse=True)
    def _counted(self, request: pytest.FixtureRequest) -> None:
        install(request.config)

    @property
    def profile(self) -> ProviderProfile:
        """How the provider behaves, which decides what applies."""
        return self.provider().profile

    @property
    def members(self) -> MembersPort:
        """Balances and movements."""
        return self.provider().members

    @property
    def redemptions(self) -> RedemptionsPort:
        """Paying with points."""
        return self.provider().redemptions

    @property
    def has_holds(self) -> bool:
        """Without holds, an authorize takes the points at once."""
        return self.profile.has_holds

    def needs_holds(self) -> None:
        """End the check where the provider has no holds."""
        if not self.has_holds:
            raise not_applicable("the profile says that there are no holds")

    def needs_keys(self) -> None:
        """End the check where the provider has no keys."""
        if self.profile.keys == "none":
            raise not_applicable("the profile says that there are no keys")

    def needs_lookup(self, by: LookupBy | None = None) -> None:
        """End the check where nothing can be looked up, or not by that."""
        if not self.profile.lookup or (by is not None and by not in self.profile.lookup):
            raise not_applicable(f"the profile says that there is no look-up{f' by {by}' if by else ''}")

    def money(self, amount_minor: int) -> Money:
        """An amount of the programme's currency."""
        return Money(amount_minor=amount_minor, currency=self.currency)

    def worth(self, member_id: str, points: int) -> Money:
        """What so many points pay, by the provider's own rate."""
        return self.members.balance(member_id=member_id).rate.worth(points)

    def new_order(self) -> str:
        """A reference that no earlier run has used."""
        return f"C-{secrets.token_hex(6)}"

    def new_key(self) -> str:
        """A key that no earlier run has used, in the form that the profile says."""
        return self.profile.key_of(secrets.token_bytes(32))

    def authorize(
        self,
        member_id: str,
        *,
        points: int = POINTS,
        order: str | None = None,
        key: str | None = None,
        value: Money | None = None,
        deadline_s: float | None = None,
    ) -> Redemption:
        """Hold points for an order of 59.90; take them where there are no holds."""
        return self.redemptions.authorize(
            member_id=member_id,
            order_reference=order or self.new_order(),
            total=self.money(5990),
            points=points,
            value=value,
            capture=None if self.has_holds else "now",
            idempotency_key=key or self.new_key(),
            deadline_s=deadline_s,
        )

    def take(self, member_id: str, *, points: int = POINTS, order: str | None = None) -> Redemption:
        """Points that are captured, whichever way."""
        redemption = self.authorize(member_id, points=points, order=order)
        if not self.has_holds:
            return redemption
        return self.redemptions.capture(redemption.id, idempotency_key=self.new_key())

    def settle(self) -> None:
        """Wait until a look-up sees everything that was done."""
        if self.profile.settle_s:
            self.advance(self.profile.settle_s)

    def expect_points(self, member_id: str, *, available: int, held: int, to_do: str) -> None:
        """What the provider says that a member has."""
        __tracebackhide__ = True
        balance: Balance = self.members.balance(member_id=member_id)
        expect("available, held", (balance.available, balance.held), (available, held), to_do=to_do)

    def expect_gone(self, member_id: str, *, points: int, to_do: str) -> None:
        """Of `HAS` points so many are not available any more, held or taken."""
        __tracebackhide__ = True
        expect("points that left", HAS - self.members.balance(member_id=member_id).available, points, to_do=to_do)

    def refused(self, kind: type[E], call: Callable[[], object], *, to_do: str, outcome: Outcome = "not_done") -> E:
        """The error that a call has to end with, complete in what every error carries."""
        __tracebackhide__ = True
        try:
            answer = call()
        except kind as error:
            self.expect_explained(error)
            expect(f"outcome of {type(error).__name__} ({error.code})", error.outcome, outcome, to_do=to_do)
            return error
        except PunktgenauError as error:
            raise ConformanceError(
                f"{kind.__name__} should be raised, and {type(error).__name__} ({error.code}) was: {error.message}"
                f"\nto do: {to_do}"
            ) from error
        raise ConformanceError(f"{kind.__name__} should be raised, and {answer!r} was returned.\nto do: {to_do}")

    def expect_explained(self, error: PunktgenauError) -> None:
        """Every error says what it is, what became of the points and what may follow, and shows no secret."""
        __tracebackhide__ = True
        expect_that(
            bool(error.code) and error.outcome in get_args(Outcome) and error.retry in get_args(Retry),
            f"{type(error).__name__} has code {error.code!r}, outcome {error.outcome!r} and retry {error.retry!r}.",
            to_do="give every error a stable code, an outcome and a retry of the words in punktgenau.errors.",
        )
        self.expect_no_secret(f"{error} {error!r} {error.__cause__!r} {error.__context__!r}", where="an error")

    def expect_no_secret(self, text: str, *, where: str) -> None:
        """No secret stands in a text that ends in logs."""
        __tracebackhide__ = True
        # The message must not repeat it either.
        seen = [f"secrets[{number}]" for number, secret in enumerate(self.secrets) if secret and secret in text]
        expect_that(
            not seen, f"{where} shows {', '.join(seen)}.", to_do="keep credentials out of repr, str and errors."
        )
