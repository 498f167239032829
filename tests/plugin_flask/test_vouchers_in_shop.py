"""Vouchers at the shop's checkout: added by code or from one's own, shown with what they pay, held with the order."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from html import unescape

import pytest

from _small_shop import Provider, SmallShop, Visitor, cart_of
from punktgenau.checkout import Cart, Line


def shown(page: str) -> str:
    """What a person reads: the text, without tags, blanks as one."""
    body = re.sub(r"<(script|style|head).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@dataclass(frozen=True)
class Made:
    """A voucher of the provider's, with its code."""

    id: str
    code: str


def brought(provider: Provider, minor: int, *, residual: str = "keeps", **more: object) -> Made:
    """A voucher that somebody brings along; with `member_id`, one of that member's own."""
    made = provider.control("POST", "/vouchers", {"value_minor": minor, "residual": residual, **more})
    assert isinstance(made, dict)
    return Made(id=made["id"], code=made["code"])


def left(provider: Provider) -> dict[str, tuple[str, int, int]]:
    """State, what is left and what is held, by id."""
    told = provider.control("GET", "/vouchers")
    assert isinstance(told, dict)
    return {
        one["id"]: (one["state"], one["left"]["amount_minor"], one["held"]["amount_minor"]) for one in told["items"]
    }


def add(visitor: Visitor, code: str, **more: object):  # type: ignore[no-untyped-def]
    return visitor.post("/points/vouchers/add", code=code, next="/cart", **more)


def test_a_code_is_added_and_pays_before_points(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    answer = add(anna, ten.code)
    assert (answer.status_code, answer.location) == (303, "/cart")
    page = anna.browser.get("/cart").text
    assert ten.code not in page
    assert f"Voucher …{ten.code[-4:]} −€10.00" in shown(page)
    assert "Left to pay €49.90" in shown(page)
    anna.apply("427")
    assert "427 points = €4.27 Left to pay €45.63" in shown(anna.browser.get("/cart").text)
    anna.place("A-1")
    assert anna.small.shop.paid == {"A-1": 4563}
    assert left(provider) == {ten.id: ("used", 0, 0)}
    assert provider.available() == 2073
    page = shown(anna.browser.get("/orders/A-1").text)
    assert f"Bill €59.90 Voucher …{ten.code[-4:]} −€10.00 427 points −€4.27 In money €45.63" in page
    assert "−€10.00" not in anna.browser.get("/cart").text


def chosen(visitor: Visitor) -> list[str]:
    """The ids of what was added, as the session keeps them."""
    with visitor.browser.session_transaction() as kept:
        found = kept.get("_punktgenau_vouchers")
    return [one[0] for one in found["chosen"]] if found else []


def use(visitor: Visitor, voucher_id: str, **more: object):  # type: ignore[no-untyped-def]
    return visitor.post("/points/vouchers/use", voucher=voucher_id, next="/cart", **more)


def remove(visitor: Visitor, voucher_id: str):  # type: ignore[no-untyped-def]
    return visitor.post("/points/vouchers/remove", voucher=voucher_id, next="/cart")


def test_ones_own_are_offered_with_what_they_leave_over(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    big = brought(provider, 10_000, member_id="mbr_2500")
    lost = brought(provider, 7000, residual="lost", member_id="mbr_2500", valid_s=3600)
    other = brought(provider, 2000, member_id="mbr_0")
    page = anna.browser.get("/cart").text
    said = shown(page)
    assert "Add a voucher (2 of yours)" in said
    # What is over soonest comes first; 59.90 are to pay.
    assert said.index(f"€70.00 …{lost.code[-4:]}") < said.index(f"€100.00 …{big.code[-4:]}")
    assert "€10.10 of it is lost with this order." in said
    assert "€40.10 stays on it." in said
    assert other.code[-4:] not in said
    use(anna, big.id)
    said = shown(anna.browser.get("/cart").text)
    assert f"Voucher …{big.code[-4:]} €40.10 stays on it. −€59.90 Remove Left to pay €0.00" in said
    assert "Add a voucher" not in said
    anna.place("A-1")
    assert anna.small.shop.paid == {"A-1": 0}
    assert left(provider)[big.id] == ("active", 4010, 0)


def test_they_pay_in_the_order_in_which_they_were_added(anna: Visitor, provider: Provider) -> None:
    lost, ten = brought(provider, 5500, residual="lost"), brought(provider, 1000, residual="lost")
    add(anna, ten.code)
    add(anna, lost.code)
    assert chosen(anna) == [ten.id, lost.id]
    said = shown(anna.browser.get("/cart").text)
    assert f"…{ten.code[-4:]} −€10.00 Remove Voucher …{lost.code[-4:]} €5.10 of it is lost with this order." in said
    remove(anna, ten.id)
    add(anna, ten.code)
    said = shown(anna.browser.get("/cart").text)
    assert f"…{lost.code[-4:]} −€55.00 Remove Voucher …{ten.code[-4:]} €5.10 of it is lost" in said
    with anna.browser.session_transaction() as kept:
        # Ids and who: no amount, no code.
        assert kept["_punktgenau_vouchers"] == {"customer": "anna", "chosen": [[lost.id, ""], [ten.id, ""]]}


def test_one_for_which_nothing_is_left_stays_as_it_is(anna: Visitor, provider: Provider) -> None:
    big, ten = brought(provider, 10_000), brought(provider, 1000)
    add(anna, ten.code)
    remove(anna, ten.id)
    add(anna, big.code)
    add(anna, ten.code)
    assert "Nothing is left for it to pay; it stays as it is." in shown(anna.browser.get("/cart").text)
    anna.place("A-1")
    assert left(provider) == {big.id: ("active", 4010, 0), ten.id: ("active", 1000, 0)}


@pytest.mark.scenario("S15", "a voucher's code is in the body that looks it up, and in no session, URL, page or log")
def test_a_code_is_nowhere_after_it_was_looked_up(
    anna: Visitor, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.NOTSET)
    ten, wrong = brought(provider, 1000), "ABCD-EFGH-JKLM-9999"
    answers = [add(anna, ten.code), add(anna, wrong), anna.browser.get("/cart"), anna.place("A-1")]
    with anna.browser.session_transaction() as kept:
        session = str(dict(kept))
    orders = anna.browser.get("/orders/A-1").text
    for text in (*(one.text for one in answers), *(str(one.location) for one in answers), session, caplog.text, orders):
        for code in (ten.code, wrong):
            assert code not in text
            assert code.replace("-", "") not in text


@pytest.mark.scenario("S1", "ids of other people's vouchers in a form are nobody's, and pay nothing")
@pytest.mark.parametrize("made_up", ["", "vou_9999", "../x", "<b>", "x" * 500])
def test_ids_of_others_are_not_taken(anna: Visitor, provider: Provider, made_up: str) -> None:
    theirs = brought(provider, 1000, member_id="mbr_0")
    for wanted in (theirs.id, made_up):
        assert use(anna, wanted).status_code == 303
        assert "does not know this voucher" in shown(anna.browser.get("/cart").text)
    assert chosen(anna) == []
    assert anna.browser.post("/points/vouchers/use", data={"voucher": theirs.id}).status_code == 400


def test_who_guesses_learns_nothing_and_is_stopped(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    elsewhere = brought(provider, 1000, partners=["other-shop"])
    dollars = brought(provider, 1000, currency="USD")
    told = set()
    for code in (elsewhere.code, dollars.code, "ABCD-EFGH-JKLM-9999", "x"):
        add(anna, code)
        told.add(re.search(r'role="alert">([^<]*)<', anna.browser.get("/cart").text)[1])  # type: ignore[index]
    assert len(told) == 1
    ten = brought(provider, 1000)
    for _ in range(4):
        add(anna, "ABCD-EFGH-JKLM-9999")
        anna.browser.get("/cart")
    asked = provider.operations().count("look_up_voucher")
    # Another browser, and another customer with the same account, are the same guesser.
    small.link("ben")
    for visitor in (anna, small.visitor("anna"), small.visitor("ben")):
        add(visitor, ten.code)
        assert "Too many voucher codes were entered lately." in shown(visitor.browser.get("/cart").text)
        assert chosen(visitor) == []
    assert provider.operations().count("look_up_voucher") == asked
    # Nobody else has to wait.
    small.link("carl", "mbr_0")
    carl = small.visitor("carl")
    add(carl, ten.code)
    assert chosen(carl) == [ten.id]


def test_whoever_has_many_vouchers_adds_them_all(anna: Visitor, provider: Provider) -> None:
    for _ in range(7):
        add(anna, "ABCD-EFGH-JKLM-9999")
    made = [brought(provider, 100) for _ in range(10)]
    for one in made:
        add(anna, one.code)
    assert chosen(anna) == [one.id for one in made]
    # Not one guess more for all of them; what is added already is one.
    add(anna, made[0].code)
    add(anna, brought(provider, 100).code)
    assert "Too many voucher codes were entered lately." in shown(anna.browser.get("/cart").text)


def test_added_twice_and_the_twenty_first(anna: Visitor, provider: Provider) -> None:
    made = [brought(provider, 100, member_id="mbr_2500") for _ in range(21)]
    use(anna, made[0].id)
    use(anna, made[0].id)
    assert "This voucher is added already." in shown(anna.browser.get("/cart").text)
    for one in made[1:20]:
        use(anna, one.id)
    said = shown(anna.browser.get("/cart").text)
    assert said.count("−€1.00") == 20
    assert "Add a voucher" not in said
    use(anna, made[20].id)
    assert "No more than 20 vouchers pay one order." in shown(anna.browser.get("/cart").text)
    anna.place("A-1")
    assert anna.small.shop.paid == {"A-1": 3990}
    assert sum(state == "used" for state, _, _ in left(provider).values()) == 20


@pytest.mark.scenario("K1", "an order with a voucher placed twice is one hold, and both are told the same")
def test_a_double_click_holds_a_voucher_once(anna: Visitor, provider: Provider) -> None:
    half = brought(provider, 10_000)
    add(anna, half.code)
    with anna.browser.session_transaction() as kept:
        wish = kept["_punktgenau_vouchers"]
    anna.place("A-1", card="later")
    with anna.browser.session_transaction() as kept:
        kept["_punktgenau_vouchers"] = wish
        kept.pop("_punktgenau_orders")
    assert anna.place("A-1", card="later").status_code == 303
    assert left(provider) == {half.id: ("active", 4010, 5990)}
    anna.browser.post("/pay/A-1")
    assert anna.small.shop.paid == {"A-1": 0}


def test_a_declined_card_gives_it_back_and_the_next_try_holds_it_again(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000, residual="lost")
    add(anna, ten.code)
    anna.apply("427")
    anna.place("A-1", card="declined")
    assert left(provider) == {ten.id: ("active", 1000, 0)}
    said = shown(anna.browser.get("/orders/A-1").text)
    assert "Vouchers and points were given back." in said
    anna.place("A-1")
    assert left(provider) == {ten.id: ("used", 0, 0)}
    assert anna.small.shop.paid == {"A-1": 4563}


def test_used_elsewhere_meanwhile_is_said_at_its_row_and_nothing_is_lost(
    small: SmallShop, anna: Visitor, provider: Provider
) -> None:
    ten, five = brought(provider, 1000, residual="lost"), brought(provider, 500)
    add(anna, ten.code)
    add(anna, five.code)
    anna.apply("427")
    anna.browser.get("/cart")
    small.link("ben", "mbr_0")
    ben = small.visitor("ben")
    add(ben, ten.code)
    ben.place("B-1")
    answer = anna.place("A-1")
    assert answer.status_code == 409
    assert "Nothing is left on this voucher." in shown(answer.text)
    assert (small.shop.paid, provider.available()) == ({"B-1": 4990}, 2500)
    # On the cart's page, and on the order's own, it stands at its row; the others pay, and so do the points.
    said = shown(anna.browser.get("/cart").text)
    assert f"…{ten.code[-4:]} It is used up. It pays nothing any more. Remove Voucher …{five.code[-4:]} −€5.00" in said
    assert "427 points = €4.27 Left to pay €50.63" in said
    anna.place("A-2")
    assert small.shop.paid == {"B-1": 4990, "A-2": 5063}
    assert left(provider)[five.id] == ("used", 0, 0)


def test_a_lost_answer_is_unknown_and_trying_again_ends_it(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    provider.fault("authorize", "reset", when="after", times=9)
    provider.fault("find", "reset", times=9)
    anna.place("A-1")
    said = shown(anna.browser.get("/orders/A-1").text)
    assert "We could not confirm your points and vouchers yet. None are lost." in said
    assert "go on without points and vouchers and pay €59.90." in said
    provider.no_faults()
    assert anna.post("/points/retry", order_reference="A-1").status_code == 303
    assert "All of it is held for this order" in shown(anna.browser.get("/orders/A-1").text)
    anna.browser.post("/pay/A-1")
    assert anna.small.shop.paid == {"A-1": 4990}


def test_going_on_without_gives_everything_back(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    provider.fault("authorize", "reset", when="after", times=9)
    provider.fault("find", "reset", times=9)
    anna.place("A-1")
    provider.no_faults()
    anna.post("/points/without", order_reference="A-1")
    anna.browser.post("/pay/A-1")
    assert anna.small.shop.paid == {"A-1": 5990}
    with anna.small.app.app_context():
        anna.small.points.checkout.recover()
    assert left(provider) == {ten.id: ("active", 1000, 0)}


def test_without_a_link_the_way_is_said(small: SmallShop, provider: Provider) -> None:
    ten = brought(provider, 1000)
    for visitor in (small.visitor("ben"), small.visitor()):
        assert "Then vouchers pay here as well." in shown(visitor.browser.get("/cart").text)
        add(visitor, ten.code)
        assert chosen(visitor) == []
        page = shown(visitor.browser.get("/points/vouchers?next=/cart").text)
        assert "Link your points account, and vouchers pay here as well" in page
    assert "look_up_voucher" not in provider.operations()


def test_provider_away_they_wait_and_the_shop_sells(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    checkout = anna.browser.get("/checkout").text
    assert 'name="punktgenau_vouchers" value="cart"' in checkout
    with anna.small.app.app_context():
        anna.small.points.checkout._balances.forget("anna")
    provider.fault("balance", "status_503", times=9)
    said = shown(anna.browser.get("/cart").text)
    assert "It can’t be used right now; it stays added." in said
    checkout = anna.browser.get("/checkout").text
    assert 'name="punktgenau_vouchers" value="none"' in checkout
    fields = dict(re.findall(r'name="(punktgenau_\w+)" value="([^"]*)"', checkout))
    anna.place("A-1", **fields)
    assert anna.small.shop.paid == {"A-1": 5990}
    assert left(provider) == {ten.id: ("active", 1000, 0)}


def test_a_shop_may_want_none(make_shop, provider: Provider) -> None:  # type: ignore[no-untyped-def]
    small = make_shop(PUNKTGENAU_VOUCHERS="0")
    small.link()
    anna, ten = small.visitor("anna"), brought(provider, 1000, member_id="mbr_2500")
    page = anna.browser.get("/cart").text
    assert "oucher" not in page
    for answer in (add(anna, ten.code), use(anna, ten.id)):
        assert answer.status_code == 303
    assert chosen(anna) == []
    assert not {"vouchers", "look_up_voucher"} & set(provider.operations())


def test_json_tells_what_each_pays(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    headers = {"X-Punktgenau-CSRF": anna.token()}
    answer = anna.browser.post("/points/vouchers/add", json={"code": ten.code}, headers=headers)
    (one,) = answer.json["vouchers"]
    assert (one["id"], one["value"]["amount_minor"], one["problem"]) == (ten.id, 1000, "")
    assert (answer.json["payable"]["amount_minor"], answer.json["due"]["amount_minor"]) == (4990, 4990)
    asked = anna.browser.get("/points/quote?points=427").json
    assert (asked["payable"]["amount_minor"], asked["due"]["amount_minor"]) == (4990, 4563)
    again = anna.browser.post("/points/vouchers/add", json={"code": ten.code}, headers=headers)
    assert (again.status_code, again.json["code"]) == (422, "voucher_chosen")
    for body in ({}, {"code": 7}, [], {"code": ""}):
        assert anna.browser.post("/points/vouchers/add", json=body, headers=headers).status_code == 422


def test_a_warm_page_asks_nothing_and_placing_only_holds(anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    anna.browser.get("/cart")
    before = len(provider.operations())
    anna.browser.get("/cart")
    anna.place("A-1")
    assert provider.operations()[: len(provider.operations()) - before][::-1] == ["authorize", "capture"]


def test_somebody_elses_choice_is_dropped(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    small.link("ben", "mbr_0")
    anna.browser.post("/sign-in", data={"customer": "ben"})
    assert "−€10.00" not in shown(anna.browser.get("/cart").text)
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 5990}


def test_a_smaller_cart_and_points_make_room(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    thirty = brought(provider, 3000)
    anna.apply("2500")
    add(anna, thirty.code)
    assert "2,500 points = €25.00 Left to pay €4.90" in shown(anna.browser.get("/cart").text)
    small.shop.cart = cart_of(4000)
    said = shown(anna.browser.get("/cart").text)
    assert "Now 1,000 instead of 2,500 points: vouchers pay first." in said
    small.shop.cart = cart_of(2000)
    said = shown(anna.browser.get("/cart").text)
    assert "€10.00 stays on it. −€20.00" in said
    assert "Left to pay €0.00" in said


def test_points_that_must_pay_an_article_still_do(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    pen = Line(sku="pen", quantity=1, unit_price_minor=2575, vat_rate="19", reward_points=75, name="Pen")
    small.shop.cart = Cart(currency="EUR", lines=[pen, *cart_of(1000).lines])
    big = brought(provider, 10_000)
    add(anna, big.code)
    said = shown(anna.browser.get("/cart").text)
    # 35.75 less the 0.75 of 75 points.
    assert "€65.00 stays on it. −€35.00" in said
    assert "75 points pay for “Pen”." in said
    assert "75 points = €0.75 Left to pay €0.00" in said
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 0}
    assert provider.states("A-1") == [("captured", 75)]
    assert left(provider) == {big.id: ("active", 6500, 0)}


def test_another_try_to_pay_an_order_may_change_them(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    ten, five = brought(provider, 1000), brought(provider, 500)
    add(anna, ten.code)
    anna.place("A-1", card="declined")
    about = {"order_reference": "A-1"}
    page = anna.browser.get("/points/vouchers?next=/orders/A-1&order_reference=A-1").text
    assert f"Voucher …{ten.code[-4:]} −€10.00" in shown(page)
    assert 'name="order_reference" value="A-1"' in page
    add(anna, five.code, **about)
    anna.post("/points/vouchers/remove", voucher=ten.id, **about)
    # The cart in front is another thing.
    assert chosen(anna) == []
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 5490}
    assert left(provider) == {ten.id: ("active", 1000, 0), five.id: ("used", 0, 0)}
    # And of an order that is paid, or somebody else's, nothing can be changed.
    for reference in ("A-1", "A-9"):
        add(anna, ten.code, order_reference=reference)
        page = anna.browser.get(f"/points/vouchers?order_reference={reference}").text
        assert "There is nothing here that a voucher could pay." in shown(page)
    assert anna.browser.get("/points/vouchers?order_reference=" + "x" * 99).status_code == 409


def test_unlinked_elsewhere_meanwhile_the_form_goes_without(
    small: SmallShop, anna: Visitor, provider: Provider
) -> None:
    ten = brought(provider, 1000)
    add(anna, ten.code)
    with small.app.app_context():
        small.points.checkout.unlink("anna")
    checkout = anna.browser.get("/checkout").text
    fields = dict(re.findall(r'name="(punktgenau_\w+)" value="([^"]*)"', checkout))
    assert fields["punktgenau_vouchers"] == "none"
    anna.place("A-1", **fields)
    assert small.shop.paid == {"A-1": 5990}


def test_a_number_that_is_typed_asks_nothing_about_vouchers_that_nobody_added(
    anna: Visitor, provider: Provider
) -> None:
    brought(provider, 1000, member_id="mbr_2500")
    answer = anna.browser.get("/points/quote?points=427").get_json()
    assert (answer["due"]["amount_minor"], answer["vouchers"]) == (5563, [])
    assert "vouchers" not in provider.operations()
    anna.browser.get("/cart")
    assert provider.operations().count("vouchers") == 1


@pytest.mark.scenario("S3", "another site's form adds, chooses and takes off no voucher")
@pytest.mark.parametrize("deed", ["add", "use", "remove"])
def test_another_sites_form_changes_nothing(anna: Visitor, provider: Provider, deed: str) -> None:
    ten, own = brought(provider, 1000), brought(provider, 500, member_id="mbr_2500")
    add(anna, ten.code)
    body = {"punktgenau_csrf": anna.token(), "code": own.code, "voucher": own.id if deed == "use" else ten.id}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert anna.browser.post(f"/points/vouchers/{deed}", data=body, headers=headers).status_code == 400
    assert anna.browser.post(f"/points/vouchers/{deed}", data={**body, "punktgenau_csrf": "x"}).status_code == 400
    assert anna.browser.get(f"/points/vouchers/{deed}").status_code == 405
    assert chosen(anna) == [ten.id]


@pytest.mark.scenario("S2", "an order of somebody else's: nobody adds a voucher to it, or sees those it has")
def test_vouchers_of_somebody_elses_order(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    ten, five = brought(provider, 1000), brought(provider, 500)
    add(anna, ten.code)
    anna.place("A-1", card="declined")
    small.link("ben", "mbr_0")
    ben = small.visitor("ben")
    add(ben, five.code, order_reference="A-1")
    page = ben.browser.get("/points/vouchers?order_reference=A-1").text
    assert "There is nothing here that a voucher could pay." in shown(page)
    assert ten.code[-4:] not in page
    assert "look_up_voucher" not in provider.operations()[:3]
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 4990}


def test_another_account_has_nothing_of_the_one_before(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    own = brought(provider, 1000, member_id="mbr_2500")
    assert "Add a voucher (1 of yours)" in shown(anna.browser.get("/cart").text)
    anna.post("/points/disconnect", next="/cart")
    anna.link(member_id="mbr_42")
    assert "of yours" not in shown(anna.browser.get("/cart").text)
    use(anna, own.id)
    said = shown(anna.browser.get("/cart").text)
    assert "does not know this voucher" in said
    assert "Left to pay €59.90" in said
    # Linked anew without a word before, as where another tab did it.
    mine = brought(provider, 1000, member_id="mbr_42")
    anna.post("/points/disconnect", next="/cart")
    anna.link(member_id="mbr_42")
    use(anna, mine.id)
    anna.link(member_id="mbr_2500")
    assert "Left to pay €59.90" in shown(anna.browser.get("/cart").text)


def test_the_session_keeps_ids_of_any_length_within_a_cookie(anna: Visitor, provider: Provider) -> None:
    long = "v" * 60
    with anna.browser.session_transaction() as kept:
        kept["_punktgenau_orders"] = [[f"A-{one}", "anna", 0, [[f"{long}{one}", ""]] * 6] for one in range(4)]
    ten = brought(provider, 1000)
    add(anna, ten.code)
    anna.place("A-9")
    with anna.browser.session_transaction() as kept:
        remembered = {entry[0]: len(entry[3]) if len(entry) > 3 else 0 for entry in kept["_punktgenau_orders"]}
    # The latest ones, each with all of its vouchers or with none.
    assert remembered == {"A-0": 0, "A-1": 0, "A-2": 6, "A-3": 6, "A-9": 1}


@pytest.mark.parametrize("way", ["add", "remove"])
def test_what_json_tells_as_not_done_is_not(anna: Visitor, provider: Provider, way: str) -> None:
    ten = brought(provider, 1000)
    if way == "remove":
        add(anna, ten.code)
    token = anna.token()
    provider.fault("balance", "status_503", times=9)
    form = {"code": ten.code, "voucher": ten.id, "punktgenau_csrf": token}
    # Without a page before, nothing is known of the balance.
    answer = anna.browser.post(f"/points/vouchers/{way}", data=form, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["outcome"]) == (503, "not_done")  # type: ignore[index]
    assert chosen(anna) == ([ten.id] if way == "remove" else [])
