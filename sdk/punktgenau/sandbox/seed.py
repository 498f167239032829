"""The demo programme: the shop's partner and another one, three members, one point is one cent."""

from __future__ import annotations

from datetime import datetime, timedelta

from . import issued, members, payouts, programme, vouchers
from .arithmetic import ProgrammeRate
from .database import Work
from .tokens import digest

DEMO_PARTNER = "demo-shop"
DEMO_SECRET = "demo-secret"
OTHER_PARTNER = "demo-books"
OTHER_SECRET = "books-secret"

# Days from the day of seeding until a lot expires, and its points: 2500 and 42 together.
_LOTS = {
    "mbr_2500": ("Demo 2500", ((92, 313), (312, 700), (705, 1487))),
    "mbr_42": ("Demo 42", ((61, 17), (395, 25))),
    "mbr_0": ("Demo 0", ()),
}
# Who gave out some of these, by the order in which they stand; of the others the programme itself did.
_ISSUERS = {"mbr_2500": {0: OTHER_PARTNER}, "mbr_42": {0: DEMO_PARTNER, 1: OTHER_PARTNER}}


# Id, value in cents and price in points, and what happens to what a use leaves over.
_VOUCHERS: tuple[tuple[str, int, vouchers.Residual], ...] = (
    ("voucher_10", 1_000, "lost"),
    ("voucher_25", 2_500, "lost"),
    ("voucher_50", 5_000, "keeps"),
    ("voucher_100", 10_000, "keeps"),
)
_VOUCHER_DAYS = 1_095
_BANK_ACCOUNT = "DE… 4711"


def demo(work: Work) -> None:
    """Fill an empty database. A database with a partner is left alone."""
    if work.one("SELECT id FROM partner"):
        return
    work.run("INSERT INTO partner VALUES (?, ?, ?)", DEMO_PARTNER, "Demo shop", digest(DEMO_SECRET))
    other_partner(work)
    programme.set_rate(work, ProgrammeRate("rate_eur_1", points=1, amount_minor=1, currency="EUR"))
    programme.set_limits(work, programme.Limits())
    for member_id, (display_name, lots) in _LOTS.items():
        members.create(work, member_id=member_id, display_name=display_name)
        shares = [(points, _end_of_day(work.now, days)) for days, points in lots]
        members.credit(work, member_id=member_id, shares=shares, reason="Opening balance")
        members.give_consent(work, member_id=member_id, partner_id=DEMO_PARTNER)
        of_member = work.all("SELECT id FROM lot WHERE member_id = ? ORDER BY id", member_id)
        for position, partner_id in _ISSUERS.get(member_id, {}).items():
            issued.name_issuer(work, lot_id=of_member[position]["id"], partner_id=partner_id)
    for product_id, value_minor, residual in _VOUCHERS:
        vouchers.offer(
            work,
            vouchers.Product(
                id=product_id, value_minor=value_minor, currency="EUR", price_points=value_minor,
                valid_days=_VOUCHER_DAYS, residual=residual, partners=(DEMO_PARTNER,),
            ),
        )  # fmt: skip
    payouts.set_account(work, member_id="mbr_2500", hint=_BANK_ACCOUNT)


def other_partner(work: Work) -> None:
    """Let there be a second partner, which takes the shop's points and whose points the shop takes."""
    work.run("INSERT OR IGNORE INTO partner VALUES (?, ?, ?)", OTHER_PARTNER, "Demo books", digest(OTHER_SECRET))


def _end_of_day(now: datetime, days: int) -> datetime:
    """The end of that day in Berlin's summer time: the last second before is that day in UTC as well, all year."""
    return (now + timedelta(days=days)).replace(hour=22, minute=0, second=0)
