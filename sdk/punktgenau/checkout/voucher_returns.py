"""What goes back onto vouchers with a return, as far as so much of them is still left. Pure."""

from __future__ import annotations

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.books import Books
from punktgenau.checkout.returned import Returned
from punktgenau.checkout.vouchers import Parts, check_whole, filled, of_cart, parts_of, rest, share_minor, sum_of
from punktgenau.errors import ReversalExceedsCaptureError


def onto_of(
    books: Books, allocation: Allocation, states: tuple[Returned, Returned], *, whole: bool, reference: str = ""
) -> Parts:
    """What goes back onto which voucher by a return that leads from the one state to the other.

    `whole`: the provider gives a redemption back as a whole or not at all. Raises ReversalExceedsCaptureError, and
    StateConflictError (`not_offered`) for a part of it then.
    """
    vouchers, (before, after) = of_cart(books.cart), states
    if not vouchers:
        return ()
    other_total_minor = sum(line.other_minor for line in allocation.lines)
    came, comes = (
        share_minor(vouchers, other_total_minor=other_total_minor, other_minor=at.other_minor) for at in (before, after)
    )
    minor = comes - came
    onto = filled(vouchers_left(books), minor)
    check_vouchers(books, sum_of(onto), minor, reference=reference)
    if whole:
        check_whole(vouchers, onto, points_left=allocation.points - after.points)
    return onto


def vouchers_left(books: Books, *, besides: str = "") -> Parts:
    """What can still go back onto each voucher, without what returns have promised, that with this id aside."""
    row, promised = books.redemption, dict[str, int]()
    for one in books.returns:
        if one.state in {"requested", "reversing"} and one.id != besides:
            for voucher_id, minor in parts_of(one.vouchers):
                promised[voucher_id] = promised.get(voucher_id, 0) + minor
    return rest(of_cart(row.cart), row.vouchers_gone, promised=promised)


def check_vouchers(books: Books, left_minor: int, wanted_minor: int, *, reference: str = "") -> None:
    """Raises ReversalExceedsCaptureError where less of the vouchers is left than a return would give back."""
    if left_minor < wanted_minor:
        raise ReversalExceedsCaptureError(
            f"Return {reference or '–'} of order {books.redemption.order_reference} would put {wanted_minor} back onto "
            f"vouchers, and {left_minor} are left (smallest unit): the provider has given some back by itself. Nothing "
            "was booked; give money back.",
        )
