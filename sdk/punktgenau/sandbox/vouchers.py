"""Vouchers: a value with a code, bought with points or brought along, valid at the partners that it names."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from . import issued, ledger, lots, members, profile, voucher_values
from .clock import stamp
from .database import Work
from .problems import Refusal
from .replies import Money
from .replies_vouchers import Voucher, VoucherProduct, VoucherState
from .schemas_vouchers import VoucherRequest

Residual = Literal["keeps", "lost"]
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 4, 4


@dataclass(frozen=True, kw_only=True)
class Product:
    """What can be bought: a value, its price in points, and what happens to what a use leaves over."""

    id: str
    value_minor: int
    currency: str
    price_points: int
    valid_days: int
    residual: Residual
    partners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A voucher that is brought into the world."""

    code: str
    value_minor: int
    currency: str
    residual: str
    partners: str
    expires_at: datetime
    product_id: str | None = None
    partner_id: str | None = None
    member_id: str | None = None
    reference: str | None = None
    key: str = ""
    points: int = 0


def offer(work: Work, product: Product) -> None:
    """Offer a product, or offer it otherwise."""
    work.run(
        "INSERT OR REPLACE INTO voucher_product VALUES (?, ?, ?, ?, ?, ?, ?)",
        product.id, product.value_minor, product.currency, product.price_points, product.valid_days, product.residual,
        json.dumps(product.partners),
    )  # fmt: skip


def products(work: Work) -> list[sqlite3.Row]:
    """Everything that can be bought, the smallest value first."""
    return work.all("SELECT * FROM voucher_product ORDER BY currency, value_minor, id")


def buy(work: Work, request: VoucherRequest, *, partner_id: str, key: str) -> str:
    """Turn points of a member into a voucher at once, and say its id. Raises Refusal."""
    played = profile.current(work)
    profile.need(played.vouchers, "There are no vouchers here.")
    member, _ = members.consenting(work, member_id=request.member_id, partner_id=partner_id)
    if member["state"] != "active":
        raise Refusal("member_blocked", "The provider has blocked this account.", field="member_id")
    reference = request.voucher_reference
    known = work.one(
        "SELECT id FROM voucher WHERE partner_id = ? AND mode = ? AND voucher_reference = ?",
        partner_id, work.mode, reference,
    )  # fmt: skip
    if known is not None:
        raise Refusal("reference_reused", f"{reference} was bought as {known['id']}.", field="voucher_reference")
    product = work.one("SELECT * FROM voucher_product WHERE id = ?", request.voucher_product_id)
    if product is None:
        raise Refusal("voucher_unknown", "There is no such voucher product.", field="voucher_product_id")
    points, available_points = int(product["price_points"]), ledger.available_points(work, member["id"])
    if points > available_points:
        raise Refusal(
            "insufficient_points", f"{available_points} points are available, {points} are its price.",
            field="voucher_product_id", remaining_points=available_points,
        )  # fmt: skip
    made = issue(
        work,
        Made(
            code=new_code(), value_minor=product["value_minor"], currency=product["currency"],
            residual=product["residual"], partners=product["partners"],
            expires_at=work.now + timedelta(days=product["valid_days"]), product_id=product["id"],
            partner_id=partner_id, member_id=member["id"], reference=reference,
            key=key if played.has_keys else "", points=points,
        ),
    )  # fmt: skip
    shares = lots.spend(
        work, ledger.Movement("voucher", member["id"], f"Voucher {made['id']} bought", partner_id),
        target=ledger.Account("vouchers"), points=points,
    )  # fmt: skip
    issued.spent(work, shares, amount_minor=product["value_minor"], currency=product["currency"])
    return str(made["id"])


def issue(work: Work, made: Made) -> sqlite3.Row:
    """Bring a voucher into the world, with its value. Raises Refusal where its code is another's."""
    code = normal(made.code)
    if work.one("SELECT id FROM voucher WHERE code = ?", code):
        raise Refusal("invalid_request", "code: there is a voucher with this code", field="code")
    number, voucher_id = work.next_id("vou")
    work.run(
        "INSERT INTO voucher VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        number, voucher_id, work.mode, made.product_id, made.partner_id, made.member_id, made.reference, made.key, code,
        made.points, made.value_minor, made.currency, made.residual, made.partners, work.at, work.at,
        stamp(made.expires_at),
    )  # fmt: skip
    row = get(work, voucher_id)
    voucher_values.move(
        work, row, "issue", source=voucher_values.ISSUED, target=voucher_values.left(row),
        amount_minor=made.value_minor,
    )  # fmt: skip
    return row


def withdraw(work: Work, voucher_id: str) -> None:
    """Make a voucher void: what is left of it goes; what is held or was paid with it stays."""
    row = get(work, voucher_id)
    left_minor = voucher_values.figures(work, voucher_id).left
    if left_minor:
        voucher_values.move(
            work, row, "withdraw", source=voucher_values.left(row), target=voucher_values.expired(row),
            amount_minor=left_minor,
        )  # fmt: skip
    work.run("UPDATE voucher SET voided_at = ?, updated_at = ? WHERE id = ?", work.at, work.at, voucher_id)


def new_code() -> str:
    """A fresh code, such as 7K2M-9QXF-3WHD-TRBA."""
    signs = [secrets.choice(_SIGNS) for _ in range(_GROUPS * _GROUP)]
    return written("".join(signs))


def normal(code: str) -> str:
    """A code as it is kept, however somebody wrote it."""
    return code.replace("-", "").replace(" ", "").upper()


def written(code: str) -> str:
    """A code as people read it."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def get(work: Work, voucher_id: str) -> sqlite3.Row:
    """The voucher. Raises Refusal voucher_unknown."""
    row = work.one("SELECT * FROM voucher WHERE id = ? AND mode = ?", voucher_id, work.mode)
    if row is None:
        raise Refusal("voucher_unknown", "There is no such voucher.", field="voucher_id")
    return row


def known_to(work: Work, voucher_id: str, *, partner_id: str) -> sqlite3.Row:
    """The voucher, for a partner that was shown its code, sold it, or is linked to its member. Raises Refusal."""
    row = work.one(
        "SELECT * FROM voucher WHERE id = ?1 AND mode = ?2 AND (partner_id = ?3"
        " OR EXISTS (SELECT 1 FROM voucher_shown AS seen WHERE seen.voucher_id = ?1 AND seen.partner_id = ?3)"
        " OR EXISTS (SELECT 1 FROM consent WHERE consent.member_id = voucher.member_id AND consent.partner_id = ?3"
        " AND consent.revoked_at IS NULL))",
        voucher_id, work.mode, partner_id,
    )  # fmt: skip
    if row is None:
        raise Refusal("voucher_unknown", "There is no such voucher.", field="voucher_id")
    return row


def by_code(work: Work, code: str, *, field: str = "code") -> sqlite3.Row:
    """The voucher with this code. Raises Refusal voucher_unknown, which never repeats it."""
    row = work.one("SELECT * FROM voucher WHERE code = ? AND mode = ?", normal(code), work.mode)
    if row is None:
        raise Refusal("voucher_unknown", "There is no voucher with this code.", field=field)
    return row


def show(work: Work, row: sqlite3.Row, *, partner_id: str) -> None:
    """Whoever was shown the code may name the voucher by its id from now on."""
    work.run("INSERT OR IGNORE INTO voucher_shown VALUES (?, ?)", row["id"], partner_id)


def of_member(work: Work, member_id: str, *, before: int | None, limit: int) -> list[sqlite3.Row]:
    """The vouchers of a member, newest first."""
    return work.all(
        "SELECT * FROM voucher WHERE member_id = ?1 AND mode = ?2 AND (?3 IS NULL OR number < ?3)"
        " ORDER BY number DESC LIMIT ?4",
        member_id, work.mode, before, limit,
    )  # fmt: skip


def state(row: sqlite3.Row, figures: voucher_values.Figures) -> VoucherState:
    """What a voucher is by now."""
    if row["voided_at"] is not None:
        return "void"
    if figures.held or figures.left:
        return "active"
    return "expired" if figures.expired else "used"


def partners_of(row: sqlite3.Row) -> Sequence[str]:
    """Where it can be used; empty: everywhere."""
    named: list[str] = json.loads(row["partners"])
    return named


def reply(work: Work, row: sqlite3.Row, *, partner_id: str, with_code: bool = False) -> Voucher:
    """The voucher as it is now. Who bought it, and how, is told to the partner at which that was."""
    figures = voucher_values.figures(work, row["id"])
    is_theirs = row["partner_id"] == partner_id

    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=row["currency"])

    return Voucher(
        id=row["id"], state=state(row, figures), voucher_product_id=row["voucher_product_id"],
        value=money(row["value_minor"]), left=money(figures.left), held=money(figures.held), residual=row["residual"],
        partners=list(partners_of(row)), last_four=row["code"][-4:], code=written(row["code"]) if with_code else None,
        points=row["points"], member_id=row["member_id"] if is_theirs else None, former_member_ids=[],
        voucher_reference=row["voucher_reference"] if is_theirs else None,
        idempotency_key=row["idempotency_key"] if is_theirs else "",
        created_at=row["created_at"], updated_at=row["updated_at"], expires_at=row["expires_at"], now=work.at,
        mode="sandbox" if work.mode == "sandbox" else "live",
    )  # fmt: skip


def product_reply(row: sqlite3.Row) -> VoucherProduct:
    """A product as partners see it."""
    return VoucherProduct(
        id=row["id"],
        value=Money(amount_minor=row["value_minor"], currency=row["currency"]),
        price_points=row["price_points"],
        valid_days=row["valid_days"],
        partners=list(partners_of(row)),
        residual=row["residual"],
    )
