"""The points box in a real browser: accessible, calm in narrow places, quick with script, complete without."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from _widget_shop import THEMES, WidgetShop, widget_shop
from _widget_states import PAGES
from punktgenau.money import Rate

NewPage = Callable[..., Page]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture(scope="module")
def _served() -> Iterator[WidgetShop]:
    with widget_shop() as shop:
        yield shop


@pytest.fixture
def shop(_served: WidgetShop) -> WidgetShop:
    _served.posted.clear()
    _served.asked.clear()
    return _served


@pytest.mark.parametrize(
    ("kind", "theme"),
    [
        *(("panel", theme) for theme in THEMES),
        ("field", "dark"),
        ("summary", "warm"),
        ("earned", "dark"),
        ("earn", "bare"),
    ],
)
def test_every_state_is_accessible_in_every_kind_of_shop(
    new_page: NewPage, axe: Callable[..., None], shop: WidgetShop, theme: str, kind: str
) -> None:
    page = new_page(dark=theme == "dark")
    page.goto(f"{shop.url}/{theme}/{kind}/all")
    page.evaluate(OPEN_ALL)
    # Thirty boxes on one page carry the same name; one box alone does not.
    axe(page, allow=("landmark-unique",))


@pytest.mark.parametrize("name", PAGES)
def test_whole_pages_are_accessible_and_fit_a_phone(
    new_page: NewPage, axe: Callable[..., None], shop: WidgetShop, name: str
) -> None:
    page = new_page(width=320, dark=name.endswith("away"))
    page.goto(f"{shop.url}/pages/{name}?lang=de")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("language", ["de", "en", "zh"])
@pytest.mark.parametrize("kind", ["panel", "field", "summary", "earned", "earn"])
def test_nothing_sticks_out_at_320_pixels(new_page: NewPage, shop: WidgetShop, language: str, kind: str) -> None:
    page = new_page(width=320)
    page.goto(f"{shop.url}/warm/{kind}/all?lang={language}")
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    outside = page.evaluate(
        "[...document.querySelectorAll('.pg-box *')].filter(e => e.checkVisibility() && !e.closest('.pg-heard')"
        " && e.getBoundingClientRect().right > e.closest('.pg-box').getBoundingClientRect().right + .5)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []


@pytest.mark.scenario("T17", "worth and what is left to pay follow the number before anything is sent")
def test_worth_and_due_follow_the_number_at_once_and_are_said_once(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.get_by_role("textbox", name="Points").fill("427")
    assert page.locator("[data-pg=due]").inner_text() == "€55.63"
    assert page.locator("[data-pg=value]").inner_text() == "€4.27"
    assert page.get_by_role("slider").input_value() == "427"
    expect(page.get_by_role("status")).to_have_text("427 points, worth €4.27. Left to pay: €55.63.")
    assert shop.asked == ["427"]


def test_what_the_order_earns_follows_the_number_too(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready_earns")
    expect(page.locator("[data-pg=earns]")).to_contain_text("You earn 29 points with this order. Offer: Lamp weeks.")
    page.get_by_role("textbox", name="Points").fill("427")
    expect(page.locator("[data-pg=earns]")).to_have_text(
        "You earn 27 points with this order. Usable from Dec 6, 2026 on."
    )


def test_the_slider_moves_the_number_by_keyboard(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    expect(page.get_by_role("textbox")).to_have_value("2500")
    expect(page.locator("[data-pg=due]")).to_have_text("€34.90")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("textbox")).to_have_value("2499")


def test_a_gift_card_is_taken_off_before_the_points(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready_gift_card")
    assert page.locator("[data-pg=due]").inner_text() == "€49.90"
    page.get_by_role("textbox").fill("427")
    assert page.locator("[data-pg=due]").inner_text() == "€45.63"


def test_typing_asks_the_server_only_when_the_hand_rests(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    # Standing still: on a busy machine real time would pass between two keys.
    page.clock.install(time="2026-11-22T10:00:00")
    page.clock.pause_at("2026-11-22T10:01:00")
    number = page.get_by_role("textbox")
    for entered in ("4", "42", "427"):
        number.fill(entered)
        page.clock.run_for(100)
    assert shop.asked == []
    page.clock.run_for(300)
    expect(page.get_by_role("status")).to_contain_text("427 points")
    assert shop.asked == ["427"]


def test_a_number_that_is_too_large_is_explained_not_swallowed(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.get_by_role("textbox").fill("9999")
    expect(page.locator("[data-pg=why]")).to_have_text("You have 2,500 points.")
    expect(page.locator("[data-pg=due]")).to_have_text("€34.90")
    assert page.get_by_role("textbox").input_value() == "9999"


def test_a_small_rest_offers_both_neighbours_while_typing(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/field/small_rest")
    page.get_by_role("textbox").fill("427")
    page.get_by_role("button", name="450 points, pay nothing").click()
    expect(page.get_by_role("textbox")).to_have_value("450")
    expect(page.locator("[data-pg=due]")).to_have_text("€0.00")


def test_neighbours_that_come_with_the_page_are_buttons_with_script_and_words_without(
    new_page: NewPage, shop: WidgetShop
) -> None:
    page = new_page()
    page.goto(f"{shop.url}/bare/field/small_rest")
    page.get_by_role("button", name="450 points, pay nothing").click()
    expect(page.get_by_role("textbox")).to_have_value("450")
    plain = new_page(script=False)
    plain.goto(f"{shop.url}/bare/field/small_rest")
    expect(plain.get_by_text("400 points, pay €0.50 · 450 points, pay nothing")).to_be_visible()
    expect(plain.get_by_role("button")).to_have_count(1)


def test_use_points_sends_the_number(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.get_by_role("textbox").fill("427")
    page.get_by_role("button", name="Use points").click()
    page.wait_for_url("**/points/apply")
    assert shop.posted == [("points/apply", {"csrf_token": "c5rf", "next": "/cart", "points": "427"})]


def test_use_all_sends_the_word(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.get_by_role("button", name="Use all 2,500").click()
    page.wait_for_url("**/points/apply")
    assert shop.posted == [("points/apply", {"csrf_token": "c5rf", "next": "/cart", "points": "all"})]


def test_change_opens_with_the_number_in_hand(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/warm/panel/applied")
    expect(page.get_by_text("427 points = €4.27")).to_be_visible()
    page.get_by_text("Change").click()
    expect(page.get_by_role("textbox")).to_be_focused()
    expect(page.get_by_role("textbox")).to_have_value("427")
    expect(page.get_by_text("427 points = €4.27")).to_be_hidden()


def test_without_script_the_forms_do_the_work(new_page: NewPage, shop: WidgetShop) -> None:
    page = new_page(script=False)
    page.goto(f"{shop.url}/bare/panel/applied")
    expect(page.get_by_role("slider")).to_have_count(0)
    page.get_by_text("Change").click()
    page.get_by_role("textbox").fill("300")
    page.get_by_role("button", name="Use points").click()
    page.goto(f"{shop.url}/bare/panel/applied")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/points/remove")
    assert [(path, form.get("points")) for path, form in shop.posted] == [
        ("points/apply", "300"),
        ("points/remove", None),
    ]


def test_the_field_goes_along_with_the_shops_form(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/field/ready")
    page.get_by_role("textbox").fill("427")
    page.get_by_role("button", name="Order").click()
    page.wait_for_url("**/order")
    seen = {"punktgenau_points": "427", "punktgenau_apply": "1", "punktgenau_seen_points": "427"}
    assert shop.posted == [("order", {**seen, "punktgenau_seen_due": "5563"})]


def test_without_script_the_field_tells_what_was_really_seen(new_page: NewPage, shop: WidgetShop) -> None:
    page = new_page(script=False)
    page.goto(f"{shop.url}/bare/field/ready")
    page.get_by_role("textbox").fill("427")
    page.get_by_role("button", name="Order").click()
    page.wait_for_url("**/order")
    seen = {"punktgenau_points": "427", "punktgenau_apply": "1", "punktgenau_seen_points": "0"}
    assert shop.posted == [("order", {**seen, "punktgenau_seen_due": "5990"})]


def test_all_in_the_field_needs_no_round_trip(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/field/ready")
    page.get_by_role("button", name="Use all 2,500").click()
    expect(page.get_by_role("textbox")).to_have_value("2500")
    expect(page.locator("[data-pg=due]")).to_have_text("€34.90")


def test_a_shop_that_changes_its_cart_by_script_can_have_the_box_anew(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.evaluate("document.dispatchEvent(new Event('punktgenau:refresh'))")
    expect(page.get_by_text("427 points = €4.27")).to_be_visible()
    page.get_by_text("Change").click()
    page.get_by_role("textbox").fill("100")
    expect(page.locator("[data-pg=due]")).to_have_text("€58.90")


def test_the_shop_hears_what_is_left_to_pay(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    page.evaluate("addEventListener('punktgenau:change', (event) => { window.heard = event.detail })")
    page.get_by_role("textbox").fill("427")
    assert page.evaluate("window.heard") == {"points": 427, "valueMinor": 427, "dueMinor": 5563, "currency": "EUR"}


@pytest.mark.scenario("B3", "the browser's preview rounds as the programme does, also where numbers do not divide")
def test_the_preview_rounds_as_the_programme(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    rates = [
        Rate(id="r", points=per, amount_minor=minor, currency="EUR", rounding=rounding)
        for per, minor in ((1, 1), (3, 1), (3, 2), (7, 5), (2, 3), (200, 99))
        for rounding in ("down", "half_up", "up")
    ]
    for rate in rates:
        shown = page.evaluate(
            """([per, minor, rounding, numbers]) => {
              const box = document.querySelector('punktgenau-panel');
              Object.assign(box.picker.dataset, {ratePoints: per, rateMinor: minor, rounding});
              return numbers.map((points) => box.worthMinor(points));
            }""",
            [rate.points, rate.amount_minor, rate.rounding, [*range(30), 427, 10**12 + 1]],
        )
        assert shown == [rate.worth(points).amount_minor for points in (*range(30), 427, 10**12 + 1)], rate


@pytest.mark.parametrize(
    ("language", "due"), [("de", "55,63\xa0€"), ("de-AT", "€\xa055,63"), ("en", "€55.63"), ("zh", "€55.63")]
)
def test_preview_and_server_write_the_same_amount(page: Page, shop: WidgetShop, language: str, due: str) -> None:
    page.goto(f"{shop.url}/bare/panel/applied?lang={language}")
    assert page.locator("[data-pg=due]").text_content() == due
    written = page.evaluate("document.querySelector('punktgenau-panel').money(5563)")
    assert written == due


NOT_WHOLE = "Please enter a whole number in digits only, without point or comma, such as 427."
LEFT_AS_TYPED = ("1e3", "1.5", "12.9", "1,000", "1.000", "-5", "+5", "007", "٣", "４２")


@pytest.mark.parametrize("kind", ["panel", "field"])
def test_what_is_no_plain_number_is_sent_as_typed_and_never_shown_as_another(
    page: Page, shop: WidgetShop, kind: str
) -> None:
    send, name = ("Use points", "points") if kind == "panel" else ("Order", "punktgenau_points")
    # The same script looks at both.
    all_typed = LEFT_AS_TYPED if kind == "panel" else LEFT_AS_TYPED[::4]
    for typed in all_typed:
        page.goto(f"{shop.url}/bare/{kind}/ready")
        number = page.get_by_role("textbox", name="Points")
        number.fill(typed)
        number.blur()
        expect(number).to_have_value(typed)
        expect(number).to_have_attribute("aria-invalid", "true")
        expect(page.locator("[data-pg=why]")).to_have_text(NOT_WHOLE)
        expect(page.locator("[data-pg=value]")).to_have_text("–")
        expect(page.locator("[data-pg=due]")).to_have_text("€59.90")
        page.get_by_role("button", name=send).click()
        page.wait_for_url("**/points/apply" if kind == "panel" else "**/order")
    assert [form[name] for _, form in shop.posted] == list(all_typed)
    assert shop.asked == []


@pytest.mark.parametrize("typed", ["0", "99999", "1" + "0" * 40])
def test_numbers_out_of_bounds_are_sent_as_typed(page: Page, shop: WidgetShop, typed: str) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    number = page.get_by_role("textbox", name="Points")
    number.fill(typed)
    number.blur()
    page.get_by_role("button", name="Use points").click()
    page.wait_for_url("**/points/apply")
    assert [form["points"] for _, form in shop.posted] == [typed]


def test_a_number_above_the_most_is_explained_at_once(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/ready?lang=de")
    page.clock.install(time="2026-11-22T10:00:00")
    page.clock.pause_at("2026-11-22T10:01:00")
    number = page.get_by_role("textbox", name="Punkte")
    number.fill("9999")
    expect(page.locator("[data-pg=why]")).to_have_text("Möglich: 2.500 Punkte.")
    expect(number).to_have_attribute("aria-invalid", "true")
    number.fill("427")
    expect(page.locator("[data-pg=why]")).to_be_empty()
    expect(number).not_to_have_attribute("aria-invalid", "true")


def test_nought_and_an_empty_field_ask_nothing(page: Page, shop: WidgetShop) -> None:
    page.goto(f"{shop.url}/bare/panel/applied")
    page.get_by_text("Change").click()
    page.clock.install(time="2026-11-22T10:00:00")
    page.clock.pause_at("2026-11-22T10:01:00")
    for typed in ("0", "", "00", "1e3", "9" * 30):
        page.get_by_role("textbox", name="Points").fill(typed)
        page.clock.run_for(1000)
    page.get_by_role("textbox", name="Points").fill("428")
    page.clock.run_for(1000)
    expect(page.get_by_role("status")).to_contain_text("428 points")
    assert shop.asked == ["428"]


@pytest.mark.parametrize("by_keyboard", [True, False])
def test_who_used_the_box_is_in_the_box_again(page: Page, shop: WidgetShop, by_keyboard: bool) -> None:
    page.goto(f"{shop.url}/bare/panel/ready")
    if by_keyboard:
        page.get_by_role("textbox", name="Points").fill("427")
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name="Use all 2,500").click()
    page.wait_for_url("**/points/apply")
    page.goto(f"{shop.url}/bare/panel/ready")
    expect(page.locator(".pg-box")).to_be_focused()
    ring = page.locator(".pg-box").evaluate("(box) => getComputedStyle(box).outlineStyle")
    assert (ring != "none") is by_keyboard
    page.reload()
    expect(page.locator(".pg-box")).not_to_be_focused()
