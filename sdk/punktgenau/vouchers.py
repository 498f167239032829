"""The noun voucher: what points can buy, buying one, what a code is worth, and whose are whose."""

from __future__ import annotations

from functools import partial

from punktgenau import _arguments as given
from punktgenau._finding import pages
from punktgenau._operation import Operation, derived_key, write
from punktgenau._problem import about_something_else
from punktgenau._redact import Hidden
from punktgenau._transport import Transport
from punktgenau.errors import InvalidArgumentError
from punktgenau.profiles import ProviderProfile
from punktgenau.voucher_records import Voucher, VoucherPage, VoucherProduct, VoucherProducts

_PATH = "/v1/vouchers"


class Vouchers:
    """`client.vouchers`: points as vouchers, and vouchers that a customer brings along.

    A code is a secret: it travels in bodies only, and stands in no address, log, error or `repr`.
    """

    def __init__(self, transport: Transport, *, profile: ProviderProfile | None = None) -> None:
        self._transport = transport
        profile = profile or ProviderProfile()
        self._has_keys = profile.keys != "none"
        self._key = partial(derived_key, profile)

    def products(self, *, deadline_s: float | None = None) -> tuple[VoucherProduct, ...]:
        """What can be bought, the smallest value first. Raises NotSentError, UnavailableError."""
        found = pages(
            self._transport, "voucher_products", "/v1/voucher-products", VoucherProducts, {}, deadline_s=deadline_s
        )
        return tuple(one for page in found for one in page.items)

    def buy(
        self,
        *,
        member_id: str,
        voucher_product_id: str,
        voucher_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Voucher:
        """Turn points of a member into a voucher at once; its `code` is in the answer, once.

        A missing key is derived from the voucher reference, which is unique for ever: the same call again answers with
        the same voucher. Raises DeclinedError (InsufficientPointsError, MemberBlockedError, NotLinkedError,
        VoucherError for a product that there is not), IdempotencyConflictError; NotFoundError for an unknown member;
        NotSentError, and OutcomeUnknownError: make the same call again, or look up.
        """
        body: dict[str, object] = {
            "member_id": given.text(member_id, field="member_id"),
            "voucher_product_id": given.text(voucher_product_id, field="voucher_product_id"),
            "voucher_reference": given.reference(voucher_reference, field="voucher_reference"),
        }
        key = given.key(idempotency_key, else_=self._key("buy_voucher", voucher_reference))
        by_key, by_name = f"idempotency_key={key!r}", f"voucher_reference={voucher_reference!r}"
        look_up = f"vouchers.find({by_key if self._has_keys else by_name})"
        operation = write("buy_voucher", _PATH, body, key, Voucher, look_up=look_up)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        made = answer.record
        wrong = (self._has_keys and made.idempotency_key != key and "idempotency_key") or _differs(
            made, member_id=member_id, product_id=voucher_product_id, reference=voucher_reference
        )
        if wrong:
            raise about_something_else(operation, wrong, answer)
        return made.model_copy(update={"replayed": answer.replayed, "sends": answer.sends})

    def look_up(self, *, code: str, deadline_s: float | None = None) -> Voucher:
        """What a code is worth; from then on this shop may use the voucher by its id.

        Raises VoucherError (`voucher_unknown`): there is no such code; NotSentError, UnavailableError.
        """
        code = Hidden(given.voucher_code(code, field="code"))
        operation = Operation(
            name="look_up_voucher",
            method="POST",
            path=f"{_PATH}/look-up",
            reply=Voucher,
            body=given.json_bytes({"code": code}),
        )
        return self._transport.call(operation, deadline_s=deadline_s).record

    def get(self, voucher_id: str, *, deadline_s: float | None = None) -> Voucher:
        """One voucher as it is now, by the id that this shop may use; never with its code.

        Raises VoucherError (`voucher_unknown`): there is none that this shop may name; NotSentError, UnavailableError.
        """
        path = f"{_PATH}/{given.segment(voucher_id, field='voucher_id')}"
        operation = Operation(name="get_voucher", method="GET", path=path, reply=Voucher)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.id != voucher_id:
            raise about_something_else(operation, "id", answer)
        return answer.record

    def list(self, *, member_id: str, deadline_s: float | None = None) -> tuple[Voucher, ...]:
        """A member's vouchers, newest first, used ones among them; `deadline_s` is per page.

        Raises NotLinkedError, NotFoundError, NotSentError, UnavailableError.
        """
        query = {"member_id": given.text(member_id, field="member_id")}
        found = pages(self._transport, "vouchers", _PATH, VoucherPage, query, echoed=False, deadline_s=deadline_s)
        return tuple(one for page in found for one in page.items)

    def find(
        self,
        *,
        voucher_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Voucher, ...]:
        """What this shop bought by a reference or a key; empty when there is nothing. Never with the code.

        Raises NotSentError, UnavailableError.
        """
        if (voucher_reference is None) == (idempotency_key is None):
            raise InvalidArgumentError("Give either voucher_reference or idempotency_key.", field="voucher_reference")
        if voucher_reference is not None:
            query = {"voucher_reference": given.reference(voucher_reference, field="voucher_reference")}
        else:
            query = {"idempotency_key": given.key(idempotency_key)}
        found = pages(self._transport, "vouchers", _PATH, VoucherPage, query, deadline_s=deadline_s)
        return tuple(one for page in found for one in page.items)


def _differs(made: Voucher, *, member_id: str, product_id: str, reference: str) -> str | None:
    """The first field in which this is not what was asked for, or None: only a full echo counts."""
    if member_id != made.member_id and member_id not in made.former_member_ids:
        return "member_id"
    if made.voucher_product_id != product_id:
        return "voucher_product_id"
    return None if made.voucher_reference == reference else "voucher_reference"
