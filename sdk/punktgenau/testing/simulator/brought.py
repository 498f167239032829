"""Vouchers that are there when a history begins, on the provider's own books."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from punktgenau.sandbox import vouchers
from punktgenau.sandbox.database import Work
from punktgenau.testing.simulator.audit import LINKS

if TYPE_CHECKING:
    from punktgenau.testing.simulator.plans import Voucher


def code_of(number: int) -> str:
    """The code of a history's voucher, as somebody types it."""
    return f"SECR-ETPA-PERN-{number:04d}"


def issue(work: Work, voucher: Voucher, number: int, *, partner_id: str) -> str:
    """Let it be there; its id."""
    made = vouchers.Made(
        code=code_of(number),
        value_minor=voucher.value_minor,
        currency="EUR",
        residual=voucher.residual,
        partners=json.dumps(["elsewhere" if voucher.elsewhere else partner_id]),
        expires_at=work.now + timedelta(seconds=voucher.valid_s),
        member_id=None if voucher.owner is None else LINKS[voucher.owner][0],
    )
    return str(vouchers.issue(work, made)["id"])
