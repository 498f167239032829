"""What a partner may send about vouchers and payouts."""

from __future__ import annotations

from .schemas import Name, Points, Reference, VoucherCode, _Request


class VoucherRequest(_Request):
    """Turn points into a voucher. `voucher_reference` is the partner's own name for it, unique for ever."""

    member_id: Name
    voucher_product_id: Name
    voucher_reference: Reference


class VoucherLookUp(_Request):
    """A code that somebody brought along; in a body, because addresses are written down everywhere."""

    code: VoucherCode


class PayoutRequest(_Request):
    """Turn points into money. `payout_reference` is the partner's own name for it, unique for ever."""

    member_id: Name
    points: Points
    payout_reference: Reference
