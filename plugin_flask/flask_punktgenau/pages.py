"""What the whole pages show: the history, a problem with its choices, the step before and after linking.

`render_template("punktgenau/history.html", view=HistoryView(...), t=Language(locale, timezone))`; likewise
`problem.html` with `build_problem(...)` and `connect.html` with `ConnectView(...)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from flask_punktgenau.panel import CsrfField, Urls
from punktgenau.checkout.payment import Payment
from punktgenau.codes import explain
from punktgenau.errors import (
    AmountChangedError,
    ConfigurationError,
    DeclinedError,
    InvalidArgumentError,
    NotLinkedError,
    Outcome,
    PunktgenauError,
)
from punktgenau.provider import Balance, Entry, ExpiringPoints

ConnectState = Literal["offer", "denied", "expired", "failed"]
ChoiceKind = Literal["retry", "without", "reload", "back", "connect"]
HistoryFilter = Literal["all", "earned", "spent", "given_back", "expired"]
SOON = timedelta(days=30)
NEED_POINTS = frozenset({"reward_points_missing", "reward_needs_points", "reward_price"})
"""Codes of carts that cannot be ordered without points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One way to look at the history: which movements it leaves, and where it leads."""

    show: HistoryFilter
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheWay:
    """Points that an order of this shop has earned, and from when on they can be used."""

    points: int
    usable_at: datetime
    order_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """Movements of the linked account, newest first; `entries` None: they could not be loaded, `reason_code` says why.

    `show` is the filter in use, `filters` are all of them. `next_url` leads to older ones, `first_url` back to the
    newest; both empty where there is nothing to go to. `order_urls` leads from order references of this shop to their
    pages. `on_the_way`: what is earned and cannot be used yet, the soonest first.
    """

    entries: tuple[Entry, ...] | None
    balance: Balance | None = None
    show: HistoryFilter = "all"
    filters: tuple[Filter, ...] = ()
    on_the_way: tuple[OnTheWay, ...] = ()
    next_url: str = ""
    first_url: str = ""
    order_urls: dict[str, str] = field(default_factory=dict)
    reason_code: str | None = None
    linked: bool = True
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None

    @property
    def available(self) -> int:
        """Points that can be used now."""
        return max(0, self.balance.available) if self.balance is not None else 0

    @property
    def owed(self) -> int:
        """Points that the account is below zero: what comes in settles them first."""
        return max(0, -self.balance.available) if self.balance is not None else 0

    def ends_soon(self, lot: ExpiringPoints) -> bool:
        """Whether these points end within a month."""
        return self.balance is not None and lot.expires_at <= self.balance.now + SOON


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to go on: a link (`get`), or a form (`post`) with the order's reference."""

    kind: ChoiceKind
    url: str
    method: Literal["get", "post"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """What went wrong, what became of the points, and how to go on; the first choice is the one to recommend."""

    code: str
    outcome: Outcome
    remaining: int | None
    order_reference: str
    choices: tuple[Choice, ...]
    payment: Payment | None = None
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectView:
    """The link step where it does not lead straight on.

    `offer`: asks before leaving for the provider; `denied`: the customer said no there; `expired`: the way back came
    too late or twice; `failed`: the provider could not be asked, `reason_code` says why. `urls.connect` starts (again),
    `urls.back` goes on without points.
    """

    state: ConnectState
    reason_code: str | None = None
    provider_name: str = ""
    urls: Urls = field(default_factory=Urls)
    csrf: CsrfField | None = None


def build_problem(
    error: PunktgenauError,
    *,
    urls: Urls,
    order_reference: str = "",
    payment: Payment | None = None,
    csrf: CsrfField | None = None,
) -> ProblemView:
    """The page for an error that nobody caught: its choices are those that make sense and have a URL.

    `order_reference` where an order is concerned: only then "try again" and "go on without points" are offered;
    `urls.back` is the page to return to.
    """
    offered = tuple(_choices(error, urls=urls, order_reference=order_reference, payment=payment))
    return ProblemView(
        code=explain(error).code,
        outcome=error.outcome,
        remaining=error.remaining,
        order_reference=order_reference,
        choices=offered,
        payment=payment,
        urls=urls,
        csrf=csrf,
    )


def _choices(error: PunktgenauError, *, urls: Urls, order_reference: str, payment: Payment | None) -> list[Choice]:
    choices: list[Choice] = []
    again = error.outcome == "unknown" or error.retry == "same_key"
    if again and order_reference and urls.retry:
        choices.append(Choice(kind="retry", url=urls.retry, method="post"))
    if isinstance(error, NotLinkedError) and urls.connect:
        choices.append(Choice(kind="connect", url=urls.connect, method="get"))
    if isinstance(error, (AmountChangedError, DeclinedError, InvalidArgumentError)) and urls.back:
        choices.append(Choice(kind="back", url=urls.back, method="get"))
    may_go_without = error.code not in NEED_POINTS and not (payment is not None and payment.needs_points)
    is_no_answer = isinstance(error, (ConfigurationError, AmountChangedError))
    if order_reference and urls.without and may_go_without and not is_no_answer:
        choices.append(Choice(kind="without", url=urls.without, method="post"))
    if not choices and urls.back:
        choices.append(Choice(kind="reload" if again else "back", url=urls.back, method="get"))
    return choices
