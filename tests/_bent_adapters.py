"""Adapters that are wrong in one way each: the reference client with one method bent."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from punktgenau import Client, Money
from punktgenau.errors import (
    AlreadyCapturedError,
    DeclinedError,
    IdempotencyConflictError,
    InsufficientPointsError,
    LiveRedemptionError,
    OutcomeUnknownError,
    ProviderError,
    ReversalExceedsCaptureError,
    StateConflictError,
    VoucherError,
)

Bend = Callable[[Any, Any], Any]
"""Called with the unbent method's bound version and its arguments; see `Bent`."""


class Bent:
    """A provider, a noun of it, or both, with single methods replaced by functions `(unbent, **arguments)`."""

    def __init__(self, unbent: Any, **replaced: Any) -> None:
        self._unbent = unbent
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced[name] if name in self._replaced else getattr(self._unbent, name)


def redemptions(**methods: Callable[..., Any]) -> Callable[[Client], Any]:
    """A client whose redemptions have these methods; each gets the unbent noun first."""

    def bend(client: Client) -> Any:
        noun = client.redemptions
        return Bent(client, redemptions=Bent(noun, **{name: _bound(method, noun) for name, method in methods.items()}))

    return bend


def members(**methods: Callable[..., Any]) -> Callable[[Client], Any]:
    """The same for its members."""

    def bend(client: Client) -> Any:
        noun = client.members
        return Bent(client, members=Bent(noun, **{name: _bound(method, noun) for name, method in methods.items()}))

    return bend


def accruals(**methods: Callable[..., Any]) -> Callable[[Client], Any]:
    """The same for the points that it gives."""

    def bend(client: Client) -> Any:
        noun = client.accruals
        return Bent(client, accruals=Bent(noun, **{name: _bound(method, noun) for name, method in methods.items()}))

    return bend


def vouchers(**methods: Callable[..., Any]) -> Callable[[Client], Any]:
    """The same for its vouchers."""

    def bend(client: Client) -> Any:
        noun = client.vouchers
        return Bent(client, vouchers=Bent(noun, **{name: _bound(method, noun) for name, method in methods.items()}))

    return bend


def _bound(method: Callable[..., Any], noun: Any) -> Callable[..., Any]:
    return lambda *arguments, **named: method(noun, *arguments, **named)


# What is wrong with them, by the check that has to notice.


def unknown_told_as_declined(noun: Any, **asked: Any) -> Any:
    try:
        return noun.authorize(**asked)
    except OutcomeUnknownError as error:
        raise DeclinedError("No answer, so no points.") from error


def unknown_told_as_done(noun: Any, redemption_id: str, **asked: Any) -> Any:
    try:
        return noun.capture(redemption_id, **asked)
    except OutcomeUnknownError:
        return noun.get(redemption_id)


def key_of_its_own(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"idempotency_key": secrets.token_hex(16)})


def key_of_the_order(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"idempotency_key": asked["order_reference"]})


def wrong_answer_believed(noun: Any, **asked: Any) -> Any:
    try:
        return noun.authorize(**asked)
    except OutcomeUnknownError as error:
        if error.code != "wrong_echo":
            raise
        (found,) = noun.find(idempotency_key=asked["idempotency_key"])
        return found.model_copy(update={"points": found.points + 1})


def points_to_the_ten(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"points": max(10, asked["points"] // 10 * 10)})


def any_number_is_points(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"points": int(asked["points"] or 1)})


def reference_cut(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"order_reference": asked["order_reference"][:36]})


def currency_ignored(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"total": Money(amount_minor=asked["total"].amount_minor, currency="EUR")})


def deadline_ignored(noun: Any, **asked: Any) -> Any:
    return noun.authorize(**asked | {"deadline_s": 20.0})


def remaining_hidden(noun: Any, **asked: Any) -> Any:
    try:
        return noun.authorize(**asked)
    except InsufficientPointsError as error:
        error.remaining = None
        raise


def conflict_without_a_name(noun: Any, **asked: Any) -> Any:
    try:
        return noun.authorize(**asked)
    except LiveRedemptionError as error:
        raise ProviderError(error.message, code=error.code) from None


def other_content_answered_with_the_first(noun: Any, **asked: Any) -> Any:
    try:
        return noun.authorize(**asked)
    except IdempotencyConflictError:
        (found,) = noun.find(idempotency_key=asked["idempotency_key"])
        return found.model_copy(update={"replayed": True})


def replay_not_marked(noun: Any, redemption_id: str, **asked: Any) -> Any:
    return noun.capture(redemption_id, **asked).model_copy(update={"replayed": False})


def capture_cut_to_what_is_held(noun: Any, redemption_id: str, **asked: Any) -> Any:
    try:
        return noun.capture(redemption_id, **asked)
    except StateConflictError as error:
        return noun.capture(redemption_id, **asked | {"points": error.remaining})


def part_ignored(noun: Any, redemption_id: str, **asked: Any) -> Any:
    return noun.capture(redemption_id, **asked | {"points": None})


def void_that_reverses(noun: Any, redemption_id: str, **asked: Any) -> Any:
    try:
        return noun.void(redemption_id, **asked)
    except AlreadyCapturedError:
        points = noun.get(redemption_id).captured_points
        return noun.reverse(redemption_id, points=points, return_reference="void").redemption


def reversal_cut_to_what_is_left(noun: Any, redemption_id: str, **asked: Any) -> Any:
    try:
        return noun.reverse(redemption_id, **asked)
    except ReversalExceedsCaptureError as error:
        return noun.reverse(redemption_id, **asked | {"points": error.remaining, "idempotency_key": "cut"})


def reference_ignored(noun: Any, redemption_id: str, **asked: Any) -> Any:
    return noun.reverse(redemption_id, **asked | {"return_reference": secrets.token_hex(8)})


def no_tombstone(noun: Any, *, target_key: str, **asked: Any) -> Any:
    if noun.find(idempotency_key=target_key):
        return noun.cancel_by_key(target_key=target_key, **asked)
    nothing = noun.cancel_by_key(target_key=secrets.token_hex(16))
    return nothing.model_copy(update={"idempotency_key": target_key})


def nothing_is_an_error(noun: Any, **asked: Any) -> Any:
    found = noun.find(**asked)
    if not found:
        raise ProviderError("There is none.", code="not_found")
    return found


def oldest_first(noun: Any, **asked: Any) -> Any:
    return tuple(reversed(noun.find(**asked)))


def held_is_available(noun: Any, **asked: Any) -> Any:
    balance = noun.balance(**asked)
    return balance.model_copy(update={"available": balance.available + balance.held})


def another_library_s_error(noun: Any, **asked: Any) -> Any:
    try:
        return noun.balance(**asked)
    except Exception as error:
        raise ConnectionError("refused") from error


def local_times(noun: Any, **asked: Any) -> Any:
    redemption = noun.authorize(**asked)
    return redemption.model_copy(update={"now": redemption.now.replace(tzinfo=None)})


def with_secret(client: Client) -> Any:
    class Shown(Bent):
        def __repr__(self) -> str:
            return "Adapter(password='demo-secret')"

    return Shown(client)


def one_point_less(noun: Any, **asked: Any) -> Any:
    return noun.create(**asked | {"points": asked["points"] - 1})


def new_points_each_time(noun: Any, **asked: Any) -> Any:
    fresh = {"idempotency_key": secrets.token_hex(16), "accrual_reference": secrets.token_hex(8)}
    return noun.create(**asked | fresh)


def nothing_was_given(noun: Any, **asked: Any) -> Any:
    return ()


def posted_at_once(noun: Any, **asked: Any) -> Any:
    return noun.create(**asked | {"pending_s": None})


def early_is_no_error(noun: Any, accrual_id: str, **asked: Any) -> Any:
    try:
        return noun.post(accrual_id, **asked)
    except StateConflictError:
        return noun.get(accrual_id)


def taken_from_nowhere(noun: Any, accrual_id: str, **asked: Any) -> Any:
    back = noun.reverse(accrual_id, **asked)
    return back.model_copy(update={"taken_pending": 0, "not_taken": back.taken_pending + back.not_taken})


def another_return_each_time(noun: Any, accrual_id: str, **asked: Any) -> Any:
    fresh = {"idempotency_key": secrets.token_hex(16), "return_reference": secrets.token_hex(8)}
    return noun.reverse(accrual_id, **asked | fresh)


def all_of_it(noun: Any, accrual_id: str, **asked: Any) -> Any:
    return noun.reverse(accrual_id, **asked | {"points": noun.get(accrual_id).points})


def claw_back_cut_to_what_is_left(noun: Any, accrual_id: str, **asked: Any) -> Any:
    try:
        return noun.reverse(accrual_id, **asked)
    except StateConflictError as error:
        return noun.reverse(accrual_id, **asked | {"points": error.remaining, "idempotency_key": "cut"})


def always_below_zero(noun: Any, accrual_id: str, **asked: Any) -> Any:
    return noun.reverse(accrual_id, **asked | {"below_zero": True})


def never_below_zero(noun: Any, accrual_id: str, **asked: Any) -> Any:
    return noun.reverse(accrual_id, **asked | {"below_zero": False})


def no_order_named(client: Client) -> Any:
    noun = client.statements

    def issued(period: str, **asked: Any) -> Any:
        for line in noun.issued(period, **asked):
            yield line.model_copy(update={"order_reference": None})

    return Bent(client, statements=Bent(noun, issued=issued))


def asks_the_member_first(client: Client) -> Any:
    noun = client.accruals

    def reverse(accrual_id: str, **asked: Any) -> Any:
        client.members.balance(member_id=noun.get(accrual_id).member_id)
        return noun.reverse(accrual_id, **asked)

    return Bent(client, accruals=Bent(noun, reverse=reverse))


def code_told(noun: Any, *, code: str, **asked: Any) -> Any:
    try:
        return noun.look_up(code=code, **asked)
    except VoucherError as error:
        raise VoucherError(f"There is no voucher {code}.", code=error.code) from None


def codes_listed(noun: Any, **asked: Any) -> Any:
    return tuple(one.model_copy(update={"code": "7K2M-9QXF"}) for one in noun.list(**asked))


def only_points(noun: Any, **asked: Any) -> Any:
    tenders = [one for one in asked.pop("tenders") if one.kind == "points"]
    return noun.authorize(**asked, tenders=tenders)


def vouchers_by_themselves(noun: Any, **asked: Any) -> Any:
    tenders = asked["tenders"]
    first = [one for one in tenders if one.kind == "voucher"]
    held = noun.authorize(**asked | {"tenders": first, "capture": "now"})
    return held if first == tenders else noun.authorize(**asked | {"tenders": [tenders[-1]], "order_reference": "C-2"})


def no_more_than_its_value(noun: Any, **asked: Any) -> Any:
    most = Money(amount_minor=1500, currency="EUR")
    tenders = [replace(one, value=most) if one.kind == "voucher" else one for one in asked["tenders"]]
    return noun.authorize(**asked | {"tenders": tenders})


def points_only_go_back(noun: Any, *arguments: Any, **asked: Any) -> Any:
    return noun.reverse(*arguments, **asked | {"vouchers": None})


BENT: dict[str, tuple[str, Callable[[Client], Any]]] = {
    "unknown told as declined": ("lost-authorize", redemptions(authorize=unknown_told_as_declined)),
    "unknown told as done": ("lost-capture", redemptions(capture=unknown_told_as_done)),
    "a key of its own for each call": ("key-same-content", redemptions(authorize=key_of_its_own)),
    "a key of its own for each thread": ("key-threads", redemptions(authorize=key_of_its_own)),
    "one key for all attempts of an order": ("hold-attempts", redemptions(authorize=key_of_the_order)),
    "a wrong answer is believed": ("wrong-answer", redemptions(authorize=wrong_answer_believed)),
    "points to the ten": ("hold-echo", redemptions(authorize=points_to_the_ten)),
    "ten instead of one": ("hold-one", redemptions(authorize=points_to_the_ten)),
    "any number is points": ("strict-points", redemptions(authorize=any_number_is_points)),
    "a long reference is cut": ("long-reference", redemptions(authorize=reference_cut)),
    "the currency is ignored": ("currency", redemptions(authorize=currency_ignored)),
    "the deadline is ignored": ("deadline-write", redemptions(authorize=deadline_ignored)),
    "what remains is hidden": ("hold-too-many", redemptions(authorize=remaining_hidden)),
    "a conflict without its name": ("hold-one-live", redemptions(authorize=conflict_without_a_name)),
    "other content is answered": ("key-other-content", redemptions(authorize=other_content_answered_with_the_first)),
    "a replay is not marked": ("capture-twice", redemptions(capture=replay_not_marked)),
    "a capture is cut": ("capture-too-many", redemptions(capture=capture_cut_to_what_is_held)),
    "a part is taken as the whole": ("capture-in-part", redemptions(capture=part_ignored)),
    "a void gives captured points back": ("void-captured", redemptions(void=void_that_reverses)),
    "a reversal is cut": ("reverse-too-many", redemptions(reverse=reversal_cut_to_what_is_left)),
    "a return gives back twice": ("reverse-reference", redemptions(reverse=reference_ignored)),
    "a cancelled key lives": ("cancel-before", redemptions(cancel_by_key=no_tombstone)),
    "nothing is an error": ("find-nothing", redemptions(find=nothing_is_an_error)),
    "oldest first": ("find-by-order", redemptions(find=oldest_first)),
    "a point less is given": ("accrue", accruals(create=one_point_less)),
    "a repeat gives again": ("accrue-twice", accruals(create=new_points_each_time)),
    "a reference gives again": ("accrue-reference", accruals(create=new_points_each_time)),
    "what was given is not found": ("accrue-found", accruals(find=nothing_was_given)),
    "pending is posted": ("accrue-pending", accruals(create=posted_at_once)),
    "too early is posted": ("accrue-post", accruals(post=early_is_no_error)),
    "what was pending is not told": ("claw-back-pending", accruals(reverse=taken_from_nowhere)),
    "a part takes all back": ("claw-back", accruals(reverse=all_of_it)),
    "a return takes back twice": ("claw-back-once", accruals(reverse=another_return_each_time)),
    "a repeat takes again": ("claw-back-twice", accruals(reverse=another_return_each_time)),
    "a claw-back is cut": ("claw-back-too-many", accruals(reverse=claw_back_cut_to_what_is_left)),
    "below zero unasked": ("claw-back-to-zero", accruals(reverse=always_below_zero)),
    "never below zero": ("claw-back-below-zero", accruals(reverse=never_below_zero)),
    "consent to be taken from": ("claw-back-without-consent", asks_the_member_first),
    "no order is named": ("issued", no_order_named),
    "a code is told": ("voucher-unknown", vouchers(look_up=code_told)),
    "codes are listed": ("voucher-bought", vouchers(list=codes_listed)),
    "a voucher is left out": ("voucher-and-points", redemptions(authorize=only_points)),
    "a voucher is taken by itself": ("voucher-all-or-none", redemptions(authorize=vouchers_by_themselves)),
    "a voucher's value is cut": ("voucher-more-than-left", redemptions(authorize=no_more_than_its_value)),
    "a voucher stays used": ("voucher-given-back", redemptions(reverse=points_only_go_back)),
    "held points are available": ("hold-arithmetic", members(balance=held_is_available)),
    "another library's error": ("away-read", members(balance=another_library_s_error)),
    "times of nowhere": ("times", redemptions(authorize=local_times)),
    "a secret is shown": ("no-secret", with_secret),
}
"""What is wrong: the check that has to notice, and how to make it of the reference client."""
