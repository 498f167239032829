"""Every state of the points box and its pages, with records made by hand; for tests that render them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, get_args

import _widget_vouchers as vouchers
from flask_punktgenau.earning import EarnedView, EarnView
from flask_punktgenau.earns import EarnOf, Earns
from flask_punktgenau.exchanging import Asked, ExchangeView
from flask_punktgenau.pages import (
    ConnectState,
    ConnectView,
    Filter,
    HistoryFilter,
    HistoryView,
    OnTheWay,
    ProblemView,
    build_problem,
)
from flask_punktgenau.panel import CsrfField, PanelView, Urls, build_panel
from flask_punktgenau.voucher_page import VouchersView
from flask_punktgenau.vouchers import VoucherBox
from punktgenau.checkout import Exchange
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.earning.told import Earned, EarnedKind, EarnedMove, EarnedState, EarnPreview
from punktgenau.checkout.payment import Payment, PaymentState
from punktgenau.checkout.quote import CartQuote, quote
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import (
    InsufficientPointsError,
    NotLinkedError,
    OutcomeUnknownError,
    PunktgenauError,
    UnavailableError,
)
from punktgenau.money import Money, Rate
from punktgenau.provider import Balance, Entry, ExpiringPoints, Limits
from punktgenau.voucher_records import Voucher, VoucherProduct

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RATE = Rate(id="rate_eur_1", points=1, amount_minor=1, currency="EUR")
LIMITS = Limits(min_points=1, max_points=None, step=1, max_share_percent=None, max_value=None)
CSRF = CsrfField(name="csrf_token", value="c5rf")
URLS = Urls(
    apply="/points/apply",
    remove="/points/remove",
    quote="/points/quote",
    panel="/points/panel",
    connect="/points/connect",
    disconnect="/points/disconnect",
    history="/points/history",
    retry="/points/retry",
    without="/points/without",
    sign_in="/sign-in",
    back="/cart",
    style="/points/static/punktgenau.css",
    script="/points/static/punktgenau.js",
)


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def cart(total_minor: int = 5990, *, excluded_minor: int = 0, gift_card_minor: int = 0) -> Cart:
    lines = [Line(sku="lamp", quantity=1, unit_price_minor=total_minor - excluded_minor, vat_rate="19")]
    if excluded_minor:
        lines.append(Line(sku="book", quantity=1, unit_price_minor=excluded_minor, vat_rate="7", points_allowed=False))
    return Cart(currency="EUR", lines=lines, other_tenders_minor=gift_card_minor)


def rewards(*, others_minor: int = 2990) -> Cart:
    """A lamp beside a brush for 50 points, and a tray for 25 points and 30 EUR."""
    lines = [
        Line(sku="lamp", quantity=1, unit_price_minor=others_minor, vat_rate="19"),
        Line(sku="brush", quantity=1, unit_price_minor=50, vat_rate="19", reward_points=50, name="Brush Karo"),
        Line(sku="tray", quantity=1, unit_price_minor=3025, vat_rate="19", reward_points=25, name="Tray <Ufer>"),
    ]
    return Cart(currency="EUR", lines=lines)


def balance(available: int = 2500, *, held: int = 0, pending: int = 0, limits: Limits = LIMITS) -> Balance:
    return Balance(
        member_id="mbr_2500",
        former_member_ids=(),
        available=available,
        held=held,
        pending=pending,
        expiring=(ExpiringPoints(points=700, expires_at=datetime(2027, 9, 30, 22, tzinfo=UTC)),),
        rate=RATE,
        limits=limits,
        now=NOW,
        mode="sandbox",
    )


def payment(
    state: PaymentState, *, points: int = 427, total_minor: int = 5990, reason: str = "", reference: str = "A-1001"
) -> Payment:
    return Payment(
        state=state,
        order_reference=reference,
        points=points,
        value=eur(points),
        total=eur(total_minor),
        due_minor=total_minor - (427 if state == "partially_reversed" else points),
        returned_points=100 if state == "partially_reversed" else 0,
        returned_minor=100 if state == "partially_reversed" else 0,
        agreed_points=427 if state == "partially_reversed" else points,
        attempt=1,
        hold_until=datetime(2026, 11, 22, 13, 3, tzinfo=UTC) if state == "authorized" else None,
        reason=reason,
    )


def quoted(
    points: int | Literal["all"],
    *,
    of: Cart | None = None,
    has: Balance | None = None,
    rules: ShopRules | None = None,
) -> CartQuote:
    account = has or balance()
    return quote(
        cart=of or cart(),
        available=account.available,
        rate=account.rate,
        limits=account.limits,
        rules=rules or ShopRules(),
        asked=points,
    )


def chosen(
    points: int | Literal["all"] | None = None,
    *,
    of: Cart | None = None,
    has: Balance | None = None,
    rules: ShopRules | None = None,
    before: int | None = None,
    notice: str | None = None,
    entered: str = "",
    remaining: int | None = None,
    elsewhere: tuple[Payment, ...] = (),
    earns: Earns | None = None,
) -> PanelView:
    """A linked account, with so many points asked for."""
    return build_panel(
        cart=of or cart(),
        linked=True,
        signed_in=True,
        balance=has or balance(),
        offer=quoted("all", of=of, has=has, rules=rules),
        quote=quoted(points, of=of, has=has, rules=rules) if points is not None else None,
        wish=points,
        reclamped_from=before,
        notice=notice,
        entered=entered,
        remaining=remaining,
        elsewhere=elsewhere,
        order_urls={"A-1002": "/orders/A-1002"},
        earns=earns,
        urls=URLS,
        csrf=CSRF,
    )


def promised(
    points: int = 29,
    *,
    welcome: int = 0,
    offset: int = 0,
    campaigns: tuple[str, ...] = (),
    linked: bool = True,
    pending: bool = True,
    of: EarnOf = "order",
) -> Earns:
    """What a cart would earn; from the sixth of December on it can be used."""
    preview = EarnPreview(
        points=points,
        lines=(),
        campaigns=campaigns,
        welcome_points=welcome,
        offset=offset,
        pending_s=14 * 86_400 if pending else 0,
        is_linked=linked,
    )
    return Earns(of=of, preview=preview, usable_from=datetime(2026, 12, 5, 23, tzinfo=UTC) if pending else None)


def bare(**given: object) -> PanelView:
    of = given.pop("of", None) or cart()
    return build_panel(cart=of, urls=URLS, csrf=CSRF, **given)  # type: ignore[arg-type]


def unasked(*, of: Cart, has: Balance | None = None) -> PanelView:
    """A linked account, and a cart whose articles need points although nobody asked for any."""
    return build_panel(
        cart=of,
        linked=True,
        signed_in=True,
        balance=has or balance(),
        offer=quoted("all", of=of, has=has),
        quote=quoted(0, of=of, has=has),
        urls=URLS,
        csrf=CSRF,
    )


WAITING = payment("authorized", points=300, reference="A-1002")
PANELS: dict[str, PanelView] = {
    "guest": bare(provider_name="Sandbox Punkte"),
    "not_linked": bare(signed_in=True),
    "consent_revoked": bare(signed_in=True, linked=True, error=NotLinkedError("Gone.", code="consent_revoked")),
    "ready": chosen(),
    "ready_small_cart": chosen(of=cart(1299)),
    "ready_gift_card": chosen(of=cart(gift_card_minor=1000)),
    "too_many": chosen(notice="exceeds_total", entered="9999", remaining=1299, of=cart(1299)),
    "bad_input": chosen(notice="points_not_whole", entered="1e3"),
    "applied": chosen(427),
    "applied_all": chosen("all", of=cart(1299)),
    "limited_articles": chosen(2500, of=cart(5990, excluded_minor=4995)),
    "limited_minimum": chosen(has=balance(42), rules=ShopRules(min_points=200)),
    "limited_share": chosen(rules=ShopRules(max_share_percent=30)),
    "limited_step": chosen(427, rules=ShopRules(step=50)),
    "limited_nothing": chosen(of=cart(4995, excluded_minor=4995)),
    "small_rest": chosen(427, of=cart(450)),
    "reclamped": chosen(427, of=cart(300), before=427),
    "reclamped_undo": chosen("all", of=cart(1299), before=427),
    "held_elsewhere": chosen(has=balance(2200, held=300), elsewhere=(WAITING,)),
    "held_elsewhere_all": chosen(has=balance(0, held=300), elsewhere=(WAITING,)),
    "no_balance": chosen(has=balance(0, pending=120)),
    "no_balance_earns": chosen(has=balance(0), earns=promised(welcome=50)),
    "not_linked_earns": bare(signed_in=True, earns=promised(welcome=50, linked=False)),
    "ready_earns": chosen(earns=promised(offset=5, campaigns=("Lamp weeks",))),
    "applied_all_earns": chosen("all", of=cart(1299), earns=promised(0)),
    "away": bare(signed_in=True, linked=True, error=UnavailableError("No answer.")),
    "away_with_wish": bare(signed_in=True, linked=True, error=UnavailableError("No answer."), wish=427),
    "rewards": unasked(of=rewards()),
    "rewards_only": unasked(of=rewards(others_minor=0), has=balance(75)),
    "rewards_more": chosen(200, of=rewards()),
    "rewards_too_few": chosen(10, of=rewards()),
    "rewards_one_lacks": unasked(of=rewards(), has=balance(60)),
    "rewards_all_lack": chosen(of=rewards(), has=balance(12)),
    "rewards_guest": bare(of=rewards()),
    "rewards_away": bare(of=rewards(), signed_in=True, linked=True, error=UnavailableError("No answer.")),
    "rewards_off": bare(of=rewards(), enabled=False),
    "rewards_unknown": bare(payment=replace(payment("authorizing"), needs_points=True)),
    "unknown": bare(payment=payment("authorizing")),
    "placed_held": bare(payment=payment("authorized")),
    "placed_captured": bare(payment=payment("captured")),
    "placed_given_back": bare(payment=payment("voided", points=0, reason="Die Karte wurde abgelehnt.")),
    "off_quiet": bare(enabled=False),
    "off": bare(enabled=False, linked=True),
}


def _with(made: tuple[Cart, VoucherBox], points: int | None = None, *, has: Balance | None = None) -> PanelView:
    return vouchers.with_vouchers(chosen(points, of=made[0], has=has), made[1])


BOTH = vouchers.box(cart(), vouchers.TEN, vouchers.FIFTY)
PANELS |= {
    "vouchers_none": _with(vouchers.box(cart())),
    "vouchers_own": _with(vouchers.box(cart(), own=vouchers.OWN)),
    "vouchers_one": _with(vouchers.box(cart(), vouchers.TEN, own=vouchers.OWN), 427),
    "vouchers_all": _with(BOTH),
    "vouchers_only": _with(vouchers.box(cart(), vouchers.TEN), has=balance(0)),
    "vouchers_over": _with(vouchers.box(cart(), vouchers.GONE, vouchers.TEN, notice="voucher_unknown")),
    "vouchers_away": vouchers.with_vouchers(PANELS["away"], vouchers.away(vouchers.TEN)),
    "vouchers_waiting": vouchers.with_vouchers(chosen(427), vouchers.away(vouchers.TEN)),
    "vouchers_not_linked": vouchers.with_vouchers(PANELS["not_linked"], VoucherBox(is_linked=False)),
    "vouchers_unknown": bare(payment=vouchers.paid_by(payment("authorizing"))),
}
PLACED: tuple[tuple[PaymentState, int], ...] = (
    ("authorizing", 427),
    ("authorized", 427),
    ("captured", 427),
    ("voided", 0),
    ("expired", 0),
    ("partially_reversed", 327),
    ("abandoning", 0),
    ("needs_attention", 427),
)
SUMMARIES: dict[str, PanelView] = {state: bare(payment=payment(state, points=points)) for state, points in PLACED}
SUMMARIES |= {
    "vouchers_held": bare(payment=vouchers.paid_by(payment("authorized", points=0))),
    "vouchers_captured": bare(payment=vouchers.paid_by(payment("captured"))),
    "vouchers_voided": bare(payment=vouchers.paid_by(payment("voided", points=0), still=False)),
}


def entry(
    sequence: int,
    kind: str,
    points: int,
    balance: int,
    *,
    order: str | None = None,
    reason: str = "",
    pending: int = 0,
) -> Entry:
    return Entry(
        id=f"ent_{sequence:08}",
        sequence=sequence,
        kind=kind,
        points=points,
        pending_points=pending,
        balance=balance,
        at=datetime(2026, 11, sequence + 10, 9, 30, tzinfo=UTC),
        partner_id="demo-shop",
        order_reference=order,
        redemption_id=None,
        reason=reason,
    )


def got(
    state: EarnedState,
    points: int = 29,
    *,
    kind: EarnedKind = "purchase",
    taken: int = 0,
    owed: int = 0,
    offset: int = 0,
    reason: str = "Return R-1 of order A-1001",
) -> Earned:
    """What order A-1001 has earned."""
    back = EarnedMove(kind="taken_back", points=-taken, at=NOW, reason=reason, owed=owed)
    return Earned(
        order_reference="A-1001",
        kind=kind,
        state=state,
        points=points,
        taken_back=taken,
        owed=owed,
        offset=offset,
        pending_until=datetime(2026, 12, 5, 23, tzinfo=UTC) if state == "pending" else None,
        reason="",
        moves=(back,) if taken else (),
    )


GOT: dict[str, EarnedView] = {
    **{state: EarnedView(earned=(got(state),), urls=URLS) for state in get_args(EarnedState)},
    "pending": EarnedView(earned=(got("pending"), got("pending", 50, kind="welcome")), urls=URLS),
    "taken_back": EarnedView(earned=(got("posted", 24, taken=12, owed=2, offset=5),), urls=URLS),
    "reversed": EarnedView(earned=(got("reversed", taken=29),), urls=URLS),
}
EARN: dict[str, EarnView] = {
    "order": EarnView(earns=promised(welcome=50, campaigns=("Lamp weeks",)), urls=URLS),
    "article": EarnView(earns=promised(of="article"), urls=URLS),
    "at_once": EarnView(earns=promised(pending=False), urls=URLS),
    "link": EarnView(earns=promised(linked=False, of="article"), urls=URLS),
}


ENTRIES = (
    entry(6, "reversal", 100, 2173, order="A-1001", reason="Returned, order A-1001"),
    entry(5, "hold", -100, 2073, order="A-1003", reason="Held for order A-1003"),
    entry(4, "release", 300, 2173, order="A-1002", reason="Hold ended, order A-1002"),
    entry(3, "capture", 0, 1873, order="A-1001", reason="Captured for order A-1001"),
    entry(2, "hold", -427, 2073, order="A-1001", reason="Held for order A-1001"),
    entry(1, "opening", 2500, 2500, reason="Opening balance"),
)
EARNED = (
    entry(11, "owed_settled", -12, 0, reason="Settled what was owed"),
    entry(10, "accrual_posted", 12, 12, order="A-1003", reason="Order A-1003 was kept", pending=-12),
    entry(9, "claw_back", -12, -12, order="A-1001", reason="Order A-1001 came back"),
    entry(8, "claw_back", 0, 0, order="A-1003", reason="A part of order A-1003 came back", pending=-18),
    entry(7, "accrual", 0, 0, order="A-1003", reason="Earned with order A-1003", pending=30),
)
FILTERS = tuple(Filter(show=show, url=f"/points/history?show={show}") for show in get_args(HistoryFilter))
HISTORY = HistoryView(
    filters=FILTERS,
    on_the_way=(OnTheWay(points=30, usable_at=datetime(2026, 12, 5, 23, tzinfo=UTC), order_reference="A-1003"),),
    entries=ENTRIES,
    balance=balance(2173, held=100, pending=30),
    next_url="?c=2",
    first_url="?",
    order_urls={"A-1001": "/orders/A-1001"},
    urls=URLS,
    csrf=CSRF,
)


def _problem(error: PunktgenauError, *, order: str = "A-1001", paid: Payment | None = None) -> tuple[str, ProblemView]:
    return "problem.html", build_problem(error, urls=URLS, order_reference=order, payment=paid, csrf=CSRF)


def _connect(state: ConnectState) -> tuple[str, ConnectView]:
    view = ConnectView(state=state, reason_code="not_sent", provider_name="Sandbox Punkte", urls=URLS, csrf=CSRF)
    return "connect.html", view


def _exchange() -> ExchangeView:
    """One of everything: what can be had and what cannot, a code just told, what became of money."""
    now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    product = {"valid_days": 1095, "partners": ("demo-shop",), "residual": "lost"}
    money = {
        "value": Money(amount_minor=1000, currency="EUR"),
        "points": 1000,
        "reference": "x-1",
        "provider_id": "p-1",
    }
    asked = {**money, "hint": "DE… 4711", "reason": "", "asked_at": now, "changed_at": now}
    voucher = {
        "state": "active", "voucher_product_id": "voucher_10", "residual": "lost", "partners": ("demo-shop",),
        "last_four": "TRBA", "code": None, "points": 1000, "member_id": "mbr_2500", "former_member_ids": (),
        "voucher_reference": "x-1", "idempotency_key": "k", "created_at": now, "updated_at": now, "now": now,
        "expires_at": datetime(2029, 11, 21, 10, 0, tzinfo=UTC), "mode": "sandbox",
        **{name: Money(amount_minor=1000, currency="EUR") for name in ("value", "left")},
        "held": Money(amount_minor=0, currency="EUR"),
    }  # fmt: skip
    return ExchangeView(
        form="f" * 32,
        balance=balance(1200),
        products=tuple(
            VoucherProduct.model_validate(
                {"id": f"voucher_{euros}", "value": Money(amount_minor=euros * 100, currency="EUR"),
                 "price_points": euros * 100, **product}
            )
            for euros in (10, 25)
        ),
        vouchers=(
            Voucher.model_validate({"id": "vou_1", **voucher}),
            Voucher.model_validate({"id": "vou_2", **voucher, "state": "used"}),
        ),
        payouts=tuple(
            Exchange(kind="payout", state=state, **asked)  # type: ignore[arg-type]
            for state in ("requested", "paid", "rejected")
        ),
        under_way=(Exchange(kind="voucher", state="sending", **asked),),  # type: ignore[arg-type]
        offers_payouts=True,
        made=Exchange(kind="voucher", state="done", code="7K2M-9QXF-3WHD-TRBA", **asked),  # type: ignore[arg-type]
        problem="insufficient_points",
        urls=URLS,
        csrf=CSRF,
        exchange_url="/points/exchange",
        voucher_url="/points/voucher",
        payout_url="/points/payout",
    )  # fmt: skip


PAGES: dict[str, tuple[str, HistoryView | ProblemView | ConnectView | ExchangeView | VouchersView]] = {
    "history": ("history.html", HISTORY),
    "history_empty": ("history.html", replace(HISTORY, entries=(), balance=balance(0), next_url="", first_url="")),
    "history_away": ("history.html", replace(HISTORY, entries=None, balance=None, reason_code="not_sent")),
    "history_earned": ("history.html", replace(HISTORY, entries=EARNED, show="earned", balance=balance(-12))),
    "history_none": ("history.html", replace(HISTORY, entries=(), show="expired", next_url="", first_url="")),
    "history_unlinked": ("history.html", replace(HISTORY, entries=(), balance=None, linked=False)),
    "exchange": ("exchange.html", _exchange()),
    "exchange_away": (
        "exchange.html",
        replace(_exchange(), made=None, problem=None, under_way=(), reason_code="not_sent"),
    ),
    "exchange_unlinked": ("exchange.html", replace(_exchange(), made=None, problem=None, linked=False)),
    "exchange_sure": (
        "exchange.html",
        replace(
            _exchange(),
            made=None,
            problem=None,
            under_way=(),
            asked=Asked(points=1000, value=eur(1000), rest=200, product=_exchange().products[0]),
        ),
    ),
    "vouchers": vouchers.page(PANELS["vouchers_one"], CSRF),
    "vouchers_away": vouchers.page(PANELS["vouchers_waiting"], CSRF),
    "vouchers_not_linked": vouchers.page(PANELS["vouchers_not_linked"], CSRF),
    "problem_unknown": _problem(OutcomeUnknownError("?"), paid=payment("authorizing")),
    "problem_few": _problem(InsufficientPointsError("?", remaining=42)),
    "problem_away": _problem(UnavailableError("?"), order=""),
    "connect_offer": _connect("offer"),
    "connect_denied": _connect("denied"),
    "connect_expired": _connect("expired"),
    "connect_failed": _connect("failed"),
}
