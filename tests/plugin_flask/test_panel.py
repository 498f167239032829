"""Which state the points box is in, and what it offers there."""

import pytest

from _widget_states import CSRF, PANELS, URLS, balance, bare, cart, chosen, eur, payment, quoted
from flask_punktgenau.language import Language
from flask_punktgenau.pages import build_problem
from flask_punktgenau.panel import PanelState, Urls, build_panel
from flask_punktgenau.preview import preview
from punktgenau import errors
from punktgenau.checkout.rules import ShopRules

STATES: dict[str, PanelState] = {
    "guest": "guest",
    "not_linked": "not_linked",
    "consent_revoked": "not_linked",
    "ready": "ready",
    "ready_small_cart": "ready",
    "ready_gift_card": "ready",
    "too_many": "ready",
    "bad_input": "ready",
    "applied": "applied",
    "applied_all": "applied",
    "limited_articles": "limited",
    "limited_minimum": "limited",
    "limited_share": "limited",
    "limited_step": "limited",
    "limited_nothing": "limited",
    "small_rest": "small_rest",
    "reclamped": "reclamped",
    "reclamped_undo": "reclamped",
    "held_elsewhere": "held_elsewhere",
    "held_elsewhere_all": "held_elsewhere",
    "no_balance": "no_balance",
    "away": "away",
    "away_with_wish": "away",
    "rewards": "applied",
    "rewards_only": "applied",
    "rewards_more": "applied",
    "rewards_too_few": "limited",
    "rewards_one_lacks": "applied",
    "rewards_all_lack": "ready",
    "rewards_guest": "guest",
    "rewards_away": "away",
    "rewards_off": "off",
    "rewards_unknown": "unknown",
    "ready_earns": "ready",
    "applied_all_earns": "applied",
    "not_linked_earns": "not_linked",
    "no_balance_earns": "no_balance",
    "unknown": "unknown",
    "placed_held": "placed",
    "placed_captured": "placed",
    "placed_given_back": "placed",
    "off_quiet": "off",
    "off": "off",
    "vouchers_none": "ready",
    "vouchers_own": "ready",
    "vouchers_one": "applied",
    "vouchers_all": "limited",
    "vouchers_only": "no_balance",
    "vouchers_over": "ready",
    "vouchers_away": "away",
    "vouchers_waiting": "applied",
    "vouchers_not_linked": "not_linked",
    "vouchers_unknown": "unknown",
}


def test_each_situation_has_its_state() -> None:
    assert {name: view.state for name, view in PANELS.items()} == STATES


def test_nothing_applied_leaves_the_whole_bill() -> None:
    view = chosen()
    assert (view.points, view.value, view.due, view.available_value) == (0, None, eur(5990), eur(2500))
    assert view.usable


def test_applied_points_leave_the_rest() -> None:
    view = chosen(427)
    assert (view.points, view.value, view.due) == (427, eur(427), eur(5563))


def test_a_rule_is_named_before_a_number_is_chosen() -> None:
    view = chosen(rules=ShopRules(max_share_percent=30))
    assert [(reason.code, reason.points) for reason in view.reasons] == [("share", 1797)]


@pytest.mark.parametrize("points", [None, "all"])
def test_a_small_cart_is_no_limit_worth_a_word(points: str | None) -> None:
    view = chosen("all" if points else None, of=cart(1299))
    assert view.reasons == ()


def test_a_number_above_the_cart_is_explained() -> None:
    view = chosen(2000, of=cart(1299))
    assert (view.state, view.points) == ("limited", 1299)
    assert [reason.code for reason in view.reasons] == ["cart"]


def test_all_that_would_leave_a_small_rest_is_a_limit_not_a_question() -> None:
    view = chosen("all", of=cart(2520))
    assert (view.state, view.points, view.due) == ("limited", 2470, eur(50))
    assert [reason.code for reason in view.reasons] == ["money_minimum"]


def test_a_small_rest_offers_both_neighbours() -> None:
    view = chosen(427, of=cart(450))
    assert [(near.points, near.due) for near in view.neighbours] == [(400, eur(50)), (450, eur(0))]
    assert view.points == 400


def test_a_correction_can_be_undone_only_where_the_old_number_still_fits() -> None:
    smaller = chosen(427, of=cart(300), before=427)
    assert (smaller.reclamped_from, smaller.points, smaller.undo_points) == (427, 300, None)
    larger = chosen("all", of=cart(1299), before=427)
    assert (larger.points, larger.undo_points) == (1299, 427)


def test_a_provider_that_does_not_answer_is_away_and_says_why() -> None:
    view = bare(linked=True, error=errors.NotSentError("Refused.", code="circuit_open"))
    assert (view.state, view.reason_code, view.usable) == ("away", "circuit_open", False)


def test_a_code_that_only_the_provider_knows_has_the_text_of_its_class() -> None:
    view = bare(linked=True, error=errors.DeclinedError("No.", code="moon_phase"))
    assert view.reason_code == "declined"


def test_an_unknown_payment_has_no_due() -> None:
    view = bare(payment=payment("authorizing"))
    assert (view.state, view.due) == ("unknown", None)


def test_switched_off_wins_over_everything_but_a_placed_order() -> None:
    assert bare(enabled=False, linked=True, signed_in=True, balance=balance()).state == "off"
    assert bare(enabled=False, payment=payment("captured")).state == "placed"


def test_points_held_at_the_provider_for_nobody_we_know_are_told() -> None:
    view = chosen(has=balance(0, held=300))
    assert (view.state, view.held, view.elsewhere) == ("held_elsewhere", 300, ())


def test_the_preview_has_numbers_and_texts() -> None:
    told = preview(quoted(427, of=cart(450)), Language("de"))
    assert (told["asked"], told["points"], told["most"], told["least"], told["step"]) == (427, 400, 450, 1, 1)
    assert told["due"] == {"amount_minor": 50, "currency": "EUR"}
    assert told["texts"] == {
        "points": "400",
        "value": "4,00\xa0€",
        "due": "0,50\xa0€",
        "sentence": "400 Punkte im Wert von 4,00\xa0€. Noch zu zahlen: 0,50\xa0€.",
        "earns": "",
    }
    assert [near["text"] for near in told["neighbours"]] == [
        "400 Punkte, 0,50\xa0€ zahlen",
        "450 Punkte, nichts zahlen",
    ]
    assert [reason["code"] for reason in told["reasons"]] == ["money_minimum"]


def test_a_preview_of_nothing_says_so() -> None:
    told = preview(quoted(0), Language("en"))
    assert (told["points"], told["reasons"]) == (0, [])
    assert told["texts"]["sentence"] == "No points are used. Left to pay: €59.90."


CHOICES = [
    (errors.OutcomeUnknownError("?"), "A-1", ["retry", "without"]),
    (errors.NotSentError("?"), "A-1", ["retry", "without"]),
    (errors.InProgressError("?"), "A-1", ["retry", "without"]),
    (errors.InsufficientPointsError("?"), "A-1", ["back", "without"]),
    (errors.NotLinkedError("?"), "A-1", ["connect", "back", "without"]),
    (errors.AmountChangedError("?"), "A-1", ["back"]),
    (errors.InsufficientPointsError("?"), "", ["back"]),
    (errors.UnavailableError("?"), "", ["reload"]),
    (errors.ConfigurationError("?"), "", ["back"]),
]


@pytest.mark.parametrize(("error", "order_reference", "kinds"), CHOICES)
def test_a_problem_offers_what_makes_sense(
    error: errors.PunktgenauError, order_reference: str, kinds: list[str]
) -> None:
    view = build_problem(error, urls=URLS, order_reference=order_reference, csrf=CSRF)
    assert [choice.kind for choice in view.choices] == kinds
    assert {choice.method for choice in view.choices if choice.kind in ("retry", "without")} <= {"post"}


def test_a_choice_without_a_url_is_not_offered() -> None:
    view = build_problem(errors.OutcomeUnknownError("?"), urls=Urls(without="/w"), order_reference="A-1")
    assert [choice.kind for choice in view.choices] == ["without"]


def test_a_view_without_anything_is_still_a_view() -> None:
    view = build_panel()
    assert (view.state, view.due, view.points, view.usable) == ("guest", None, 0, False)
