"""What stands in our pages: every state in every language, plain forms, nothing inline, nothing unescaped."""

import gzip
import inspect
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import flask_punktgenau
from _reader import Reader
from _widget_states import (
    CSRF,
    EARN,
    ENTRIES,
    GOT,
    HISTORY,
    NOW,
    PAGES,
    PANELS,
    SUMMARIES,
    URLS,
    balance,
    bare,
    cart,
    chosen,
    got,
    payment,
    promised,
)
from flask_punktgenau.earning import EarnedView
from flask_punktgenau.earns import Earns
from flask_punktgenau.formatting import LANGUAGES
from flask_punktgenau.language import Language
from flask_punktgenau.pages import HistoryView, build_problem
from flask_punktgenau.panel import PanelView, Urls
from punktgenau import errors
from punktgenau.checkout.earning import looking
from punktgenau.checkout.payment import PaymentState
from punktgenau.provider import ExpiringPoints

PACKAGE = Path(flask_punktgenau.__file__).parent
ENVIRONMENT = Environment(
    loader=FileSystemLoader(PACKAGE / "templates"),
    autoescape=lambda name: name is not None and name.endswith(".html"),
    undefined=StrictUndefined,
)


def render(template: str, view: object, language: str = "en") -> str:
    spoken = Language(language, "Europe/Berlin")
    return ENVIRONMENT.get_template(f"punktgenau/{template}").render(view=view, t=spoken)


IDS = "code|voucher|tenders|reason|payment|entry|choice|problem|connect|reclamped|earns|earned|show"
WITHOUT_FORMS = [
    *(("earn.html", view) for view in EARN.values()),
    *((template, view) for template in ("earned.html", "earned_rows.html") for view in GOT.values()),
]
EVERYTHING = [
    *((template, view) for template in ("panel.html", "field.html", "summary.html") for view in PANELS.values()),
    *((template, view) for template in ("summary.html", "summary_rows.html") for view in SUMMARIES.values()),
    *((template, view) for template, view in PAGES.values()),
    *WITHOUT_FORMS,
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_is_sound_html_without_anything_inline(language: str) -> None:
    for template, view in EVERYTHING:
        page = Reader(render(template, view, language))
        ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
        assert max(ids.values(), default=1) == 1, ids
        for tag, attributes in page.tags:
            assert tag != "style"
            assert "src" in attributes or tag != "script"
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            for name in ("for", "form", "aria-labelledby", "aria-describedby"):
                assert name not in attributes or attributes[name] in ids
            for name in ("src", "href", "action"):
                assert not attributes.get(name, "").startswith(("http:", "https:", "//", "data:"))
        assert not re.search(
            r"\b(code|reason|payment|entry|choice|problem|connect|reclamped|earns|earned|show|voucher|tenders)\.[a-z]",
            page.text,
        ), page.text


def test_every_form_that_changes_something_carries_the_token_and_the_way_back() -> None:
    for template, view in EVERYTHING[: -len(WITHOUT_FORMS)]:
        page = render(template, replace(view, csrf=CSRF))
        for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
            if 'method="get"' in form:
                continue
            assert 'method="post"' in form
            assert f'name="{CSRF.name}" value="{CSRF.value}"' in form
            assert 'name="next" value="/cart"' in form or 'name="order_reference"' in form


def test_an_unlinked_customer_sees_one_button() -> None:
    page = Reader(render("panel.html", PANELS["not_linked"]))
    assert "Link points account" in page.text
    assert len(page.all("a", href="/points/connect")) == 1
    assert page.all("input") == []


def test_a_guest_learns_where_the_button_leads() -> None:
    page = Reader(render("panel.html", PANELS["guest"]))
    assert "You sign in at Sandbox Punkte and come back here." in page.text
    assert [link["href"] for link in page.all("a")] == ["/points/connect", "/sign-in"]


def test_the_field_and_the_slider_know_the_bounds() -> None:
    page = Reader(render("panel.html", PANELS["ready_small_cart"], "de"))
    # A field of the type "number" would hand on "1e3" or "1.000" as something else, or as nothing.
    (number,) = page.all("input", type="text")
    (slider,) = page.all("input", type="range")
    assert (number["name"], number["inputmode"], number["value"]) == ("points", "numeric", "")
    assert "pattern" not in number
    (picker,) = (found for found in page.all("div") if found.get("class") == "pg-picker")
    assert (picker["data-most"], picker["data-step"]) == ("1299", "1")
    assert (slider["max"], slider.get("name")) == ("1299", None)
    assert "Sie haben 2.500 Punkte (25,00 €)" in page.text
    assert "So viele wie möglich: 1.299" in page.text
    assert "Noch zu zahlen 12,99 €" in page.text


def test_use_all_is_a_form_of_its_own_so_that_one_number_is_sent() -> None:
    page = Reader(render("panel.html", PANELS["ready"]))
    (button,) = page.all("button", name="points", value="all")
    assert button["form"] == "punktgenau-all"
    assert "Use all 2,500" in page.text


def test_applied_says_how_many_what_worth_and_what_is_left() -> None:
    page = Reader(render("panel.html", PANELS["applied"], "de"))
    assert "427 Punkte = 4,27 €" in page.text
    assert "Noch zu zahlen 55,63 €" in page.text
    assert len(page.all("form", action="/points/remove")) == 1
    assert page.all("summary")


def test_a_small_rest_has_two_buttons_with_their_rest() -> None:
    page = Reader(render("panel.html", PANELS["small_rest"], "de"))
    assert "427 Punkte würden 0,23 € übrig lassen." in page.text
    assert "400 Punkte, 0,50 € zahlen" in page.text
    assert "450 Punkte, nichts zahlen" in page.text
    assert [found["value"] for found in page.all("input", name="points", type="hidden")] == ["400", "450"]


def test_a_correction_says_from_what_to_what_and_can_be_undone() -> None:
    smaller = Reader(render("panel.html", PANELS["reclamped"]))
    assert "Now 300 instead of 427 points: the cart became smaller." in smaller.text
    assert "Keep 300 points" in smaller.text
    larger = Reader(render("panel.html", PANELS["reclamped_undo"]))
    assert "Undo: 427 points again" in larger.text
    assert "427" in [found["value"] for found in larger.all("input", name="points", type="hidden")]


def test_a_refused_number_is_repeated_with_what_is_possible() -> None:
    page = Reader(render("panel.html", PANELS["too_many"]))
    assert "You entered “9999”." in page.text
    assert "No points were taken. Choose fewer points. Possible: 1,299 points." in page.text


def test_points_that_wait_elsewhere_lead_there() -> None:
    page = Reader(render("panel.html", PANELS["held_elsewhere"], "en"))
    assert len(page.all("a", href="/orders/A-1002")) == 1
    assert "300 of your points wait for order A-1002" in page.text


def test_without_points_there_is_no_dead_slider() -> None:
    page = Reader(render("panel.html", PANELS["no_balance"]))
    assert page.all("input", type="range") == []
    assert "120 points are on their way." in page.text


@pytest.mark.parametrize("template", ["panel.html", "summary.html"])
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "We could not confirm your points yet. None are lost."),
        ("de", "Wir konnten Ihre Punkte noch nicht bestätigen. Es gehen keine verloren."),
        ("zh", "我们暂时无法确认您的积分。积分不会丢失。"),
    ],
)
def test_unknown_offers_two_ways_on(template: str, language: str, said: str) -> None:
    page = Reader(render(template, PANELS["unknown"], language))
    assert said in page.text
    assert [form["action"] for form in page.all("form")] == ["/points/retry", "/points/without"]
    assert [found["value"] for found in page.all("input", name="order_reference")] == ["A-1001", "A-1001"]


def test_a_placed_order_offers_nothing_to_change() -> None:
    for state in ("placed_held", "placed_captured", "placed_given_back"):
        assert Reader(render("panel.html", PANELS[state])).all("form") == []


def test_a_placed_order_says_until_when_and_why() -> None:
    held = Reader(render("panel.html", PANELS["placed_held"], "de"))
    assert "Die Punkte sind für diese Bestellung vorgemerkt bis 22.11.2026, 14:03." in held.text
    back = Reader(render("panel.html", PANELS["placed_given_back"], "de"))
    assert "Die Punkte wurden zurückgegeben. Die Karte wurde abgelehnt." in back.text


def test_reasons_for_programs_are_not_shown_to_people() -> None:
    view = bare(payment=payment("voided", points=0, reason="order_missing"))
    assert "order_missing" not in render("summary.html", view)
    declined = bare(payment=payment("declined", points=0, reason="member_blocked"))
    assert "has blocked your account" in render("summary.html", declined)


SHORT = {
    "en": ("being checked", "The points for this order could not be taken. The shop will contact you about this sum."),
    "de": (
        "werden geprüft",
        "Die Punkte für diese Bestellung konnten nicht eingelöst werden. "
        "Der Shop meldet sich bei Ihnen wegen dieses Betrags.",
    ),
    "zh": ("正在核实", "此订单的积分未能扣除。商店会就这笔金额与您联系。"),
}


@pytest.mark.parametrize("language", SHORT)
def test_points_that_could_not_be_taken_anew_are_not_called_checked(language: str) -> None:
    checked, refused = SHORT[language]
    for reason in ("hold_expired", "hold_voided", ""):
        under_way = Reader(render("summary.html", bare(payment=payment("short", reason=reason)), language)).text
        assert checked in under_way
        assert refused not in under_way
    for reason in ("insufficient_points", "member_blocked", "consent_revoked"):
        over = Reader(render("summary.html", bare(payment=payment("short", reason=reason)), language)).text
        assert refused in over
        assert checked not in over


@pytest.mark.parametrize("state", ["abandoning", "abandoned"])
def test_who_cancelled_is_not_told_of_an_order_without_points(state: PaymentState) -> None:
    for reason in ("order_cancelled", "payment_failed", "order_gone", ""):
        page = render("summary.html", bare(payment=payment(state, points=0, reason=reason)))
        assert "You ordered without points" not in page
    page = render("summary.html", bare(payment=payment(state, points=0, reason="without_points")))
    assert "You ordered without points." in page


def test_points_are_good_until_the_day_before_they_end_at_midnight() -> None:
    """2027-09-30T22:00:00Z is midnight in Berlin, where the shop is, and the first of October."""
    page = Reader(render("history.html", PAGES["history"][1])).text
    assert "700 points can be used until Sep 30, 2027." in page


def test_a_form_from_before_a_correction_does_not_contradict_it() -> None:
    """2,335 instead of 2,500 points: what the old page had typed needs no refusal of its own."""
    small = cart(2335)
    stale = chosen("all", of=small, before=2500, notice="exceeds_total", entered="2500", remaining=2335)
    for template in ("panel.html", "field.html"):
        page = Reader(render(template, stale))
        assert "Now 2,335 instead of 2,500 points" in page.text
        assert "You entered" not in page.text
        assert "Choose fewer" not in page.text
    typed = chosen("all", of=small, before=2500, notice="points_not_whole", entered="1e3")
    assert "You entered “1e3”." in Reader(render("field.html", typed)).text


def test_switched_off_is_silent_for_those_who_have_no_points() -> None:
    assert Reader(render("panel.html", PANELS["off_quiet"])).text == ""
    assert "Points can't be used in this shop at the moment." in Reader(
        render("panel.html", PANELS["off"])
    ).text.replace("’", "'")


def test_an_account_that_cannot_be_linked_here_is_not_advertised() -> None:
    view = replace(PANELS["not_linked"], urls=replace(URLS, connect=""))
    assert Reader(render("panel.html", view)).text == ""
    assert "hidden" in Reader(render("field.html", view)).all("punktgenau-panel")[0]


def test_the_field_has_no_form_and_says_what_was_seen() -> None:
    page = Reader(render("field.html", PANELS["applied"]))
    assert page.all("form") == []
    assert [found["type"] for found in page.all("button")] == ["button"]
    names = {found["name"]: found["value"] for found in page.all("input") if "name" in found}
    assert names == {
        "punktgenau_points": "427",
        "punktgenau_apply": "1",
        "punktgenau_seen_points": "427",
        "punktgenau_seen_due": "5563",
    }


def test_sums_of_a_summary() -> None:
    page = Reader(render("summary.html", SUMMARIES["captured"], "de"))
    assert "Rechnungsbetrag 59,90 € 427 Punkte −4,27 € In Geld 55,63 €" in page.text
    held = Reader(render("summary.html", SUMMARIES["authorized"], "de"))
    assert "427 Punkte −4,27 € Restbetrag 55,63 €" in held.text
    rows = Reader(f"<table>{render('summary_rows.html', SUMMARIES['captured'], 'de')}</table>")
    assert rows.text == "427 Punkte −4,27 € In Geld 55,63 €"


def test_a_bill_adds_up_after_a_return_in_part() -> None:
    page = Reader(render("summary.html", SUMMARIES["partially_reversed"], "de"))
    assert "Rechnungsbetrag 59,90 € 427 Punkte −4,27 € In Geld 55,63 €" in page.text
    assert "100 Punkte im Wert von 1,00 € kamen zurück." in page.text


def test_the_summary_for_a_mail_is_plain_text() -> None:
    text = render("summary.txt", SUMMARIES["captured"], "en")
    assert text.splitlines() == [
        "Bill: €59.90",
        "427 points: −€4.27",
        "In money: €55.63",
        "The points were used for this order.",
    ]


def test_no_points_no_summary() -> None:
    assert render("summary.html", bare()).strip() == ""


def test_the_history_lists_movements_with_signs_and_balances() -> None:
    page = Reader(render("history.html", PAGES["history"][1], "de"))
    assert "Vorgemerkt für Bestellung A-1001" in page.text
    assert "−427 2.073" in page.text
    assert "+2.500 2.500" in page.text
    assert len(page.all("a", href="?c=2")) == 1


def test_an_empty_history_says_what_would_stand_there() -> None:
    assert "Nothing here yet." in Reader(render("history.html", PAGES["history_empty"][1])).text


def test_the_history_says_what_is_on_its_way_and_from_when_on_it_can_be_used() -> None:
    html = render("history.html", PAGES["history_earned"][1])
    # A reference does not break on a phone; read out, it is a word like any other.
    page = Reader(html.replace('<span class="pg-ref">A-1003</span>', "A-1003"))
    assert 'order <span class="pg-ref">A-1003</span>, on their way' in html
    assert "30 points from order A-1003 can be used from Dec 6, 2026 on." in page.text
    assert "Earned with order A-1003, on their way" in page.text
    assert "+30 on their way 0" in page.text
    assert "−18 on their way 0" in page.text
    assert "A part of order A-1003 came back" in page.text
    # Posted: what was on its way is told by the points that came.
    assert "+12 12" in page.text


def test_a_balance_below_zero_is_owed_and_worth_nothing() -> None:
    page = Reader(render("history.html", PAGES["history_earned"][1])).text
    assert "Available 0 Worth €0.00 Owed 12" in page
    assert "−12 −12" in page
    panel = Reader(render("panel.html", chosen(has=balance(-12)))).text
    assert "There are no points in your account at the moment." in panel


def test_points_that_end_within_a_month_say_so() -> None:
    soon = balance(300).model_copy(
        update={
            "expiring": (
                ExpiringPoints(points=100, expires_at=NOW + timedelta(days=30)),
                ExpiringPoints(points=200, expires_at=NOW + timedelta(days=31)),
            )
        }
    )
    page = Reader(render("history.html", replace(HISTORY, balance=soon))).text
    assert "Ends soon : 100 points can be used until Dec 22, 2026." in page
    assert "200 points can be used until Dec 23, 2026." in page
    assert page.count("Ends soon") == 1


def test_a_filter_that_leaves_nothing_does_not_say_that_there_is_nothing() -> None:
    page = Reader(render("history.html", PAGES["history_none"][1]))
    assert "There are no such movements." in page.text
    assert [link["href"] for link in page.all("a", **{"aria-current": "page"})] == ["/points/history?show=expired"]


def said(earns: Earns, language: str = "en") -> str:
    return Language(language, "Europe/Berlin").earns(earns)


def test_what_a_cart_earns_in_a_sentence() -> None:
    assert said(promised()) == "You earn 29 points with this order. Usable from Dec 6, 2026 on."
    assert said(promised(1, pending=False)) == "You earn 1 point with this order."
    assert said(promised(welcome=50), "de") == (
        "Mit dieser Bestellung sammeln Sie 79 Punkte. Darin ist ein Willkommensgeschenk: 50 Punkte. "
        "Einsetzbar ab 06.12.2026."
    )
    assert said(promised(offset=5, campaigns=("Lamp weeks",), pending=False)) == (
        "You earn 29 points with this order. Offer: Lamp weeks. "
        "5 points of these settle what is owed from an earlier return."
    )
    assert said(promised(0)) == said(promised(0, campaigns=("Lamp weeks",))) == ""


def test_without_a_link_a_welcome_is_no_promise() -> None:
    """Somebody else's account may have had it: nobody knows whose it will be."""
    assert said(promised(welcome=50, linked=False)) == (
        "Link to earn 29 points. A first order brings 50 points on top. Usable from Dec 6, 2026 on."
    )
    assert said(promised(welcome=50, linked=False, of="article", pending=False)) == ("Link to earn 29 points.")
    page = Reader(render("earn.html", EARN["link"]))
    assert [link["href"] for link in page.all("a")] == ["/points/connect"]
    assert render("earn.html", replace(EARN["link"], urls=Urls())).strip() == ""


def test_an_empty_account_is_told_what_this_cart_earns() -> None:
    page = Reader(render("panel.html", PANELS["no_balance_earns"])).text
    assert "There are no points in your account at the moment." in page
    assert "You earn 79 points with this order. 50 points of these are a welcome gift." in page


def test_what_earns_nothing_now_is_there_for_the_script_and_nobody_else() -> None:
    page = Reader(render("panel.html", PANELS["applied_all_earns"]))
    assert "hidden" in next(found for found in page.all("p", **{"data-pg": "earns"}))


def test_an_order_tells_what_it_has_earned_and_what_became_of_it() -> None:
    page = Reader(render("earned.html", GOT["pending"])).text
    assert "Earned 29 points On their way, usable from Dec 6, 2026 on." in page
    assert "Welcome gift 50 points On their way" in page
    # 29 were earned: 5 settled what was owed, 12 of the rest were taken back, of which 2 were not there any more.
    page = Reader(render("earned.html", GOT["taken_back"])).text
    assert "Earned 29 points Settled what was owed −5 Taken back −12 Left 12 points" in page
    assert "2 points could not be taken back; later orders earn that much less." in page
    assert "Nov 22, 2026 −12 · Return R-1 of order A-1001" in page


def test_earned_points_in_a_table_and_in_a_mail() -> None:
    rows = Reader(render("earned_rows.html", GOT["taken_back"])).text
    assert rows == "Points earned with this order 24 Taken back −12"
    assert render("earned_rows.html", GOT["declined"]).strip() == ""
    assert render("earned.txt", GOT["pending"], "de") == (
        "Punkte aus dieser Bestellung: 29\nNoch unterwegs, einsetzbar ab 06.12.2026.\n"
        "Willkommensgeschenk: 50\nNoch unterwegs, einsetzbar ab 06.12.2026.\n"
    )


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Order A-1: welcome points", "Willkommensgeschenk"),
        ("Order A-1: points earned", ""),
        ("Order A-1: points earned (Lamp weeks, More)", "Lamp weeks, More"),
        ("Order A-1: returned, so its points are taken back", "Ware kam zurück"),
        ("Order A-1: cancelled, so its points are taken back", "Bestellung storniert"),
        ("Order A-1: a gift from us", "Order A-1: a gift from us"),
    ],
)
def test_the_engines_reasons_are_told_in_the_customers_language(reason: str, told: str) -> None:
    assert Language("de").told(reason) == told


def test_the_engine_gives_no_other_reasons() -> None:
    """What it writes is in two functions; each of their sentences is known by its shape."""
    order = "Order {row.order_reference}: "
    source = inspect.getsource(looking.claw_back) + inspect.getsource(looking.reason_of)
    assert re.findall(r'f"(Order [^"]*)"', source) == [
        order + "{what}, so its points are taken back",
        order + "welcome points",
        order + "points earned",
    ]


INJECTIONS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "%(x)s %s {{ 7*7 }}"]


@pytest.mark.scenario("S14", "what people and partners wrote is shown as text, never as markup")
@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_that_others_wrote_becomes_markup(text: str) -> None:
    paid = payment("voided", points=0, reference=text, reason=text)
    views: list[tuple[str, object]] = [
        ("panel.html", chosen(notice="points_not_whole", entered=text, elsewhere=(paid,))),
        ("panel.html", bare(provider_name=text)),
        ("panel.html", bare(payment=payment("authorizing", reference=text))),
        ("summary.html", bare(payment=paid)),
        ("earned.html", EarnedView(earned=(got("reversed", taken=29, reason=text),))),
        ("panel.html", chosen(earns=promised(campaigns=(text,)))),
        ("problem.html", build_problem(errors.NotSentError(text), urls=URLS, order_reference=text)),
        (
            "history.html",
            HistoryView(entries=(ENTRIES[0].model_copy(update={"reason": text, "kind": "odd"}),), urls=URLS),
        ),
    ]
    for template, view in views:
        page = Reader(render(template, view))
        assert not [tag for tag, _ in page.tags if tag == "img"]
        assert [found for found in page.all("script") if "src" not in found] == []


def test_numbers_without_script_are_those_of_the_server() -> None:
    page = Reader(render("panel.html", chosen(427, of=cart(5990))))
    live = [found for _, found in page.tags if "data-pg-live" in found]
    assert live
    assert all("hidden" in found for found in live)


def test_script_and_style_are_small() -> None:
    both = b"".join((PACKAGE / "static" / name).read_bytes() for name in ("punktgenau.js", "punktgenau.css"))
    assert len(gzip.compress(both)) <= 8 * 1024


def test_style_fetches_nothing_and_draws_no_shadow() -> None:
    style = (PACKAGE / "static" / "punktgenau.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|@font-face|gradient|box-shadow|text-shadow", style)


def test_script_needs_no_eval_and_writes_no_html() -> None:
    script = (PACKAGE / "static" / "punktgenau.js").read_text(encoding="utf-8")
    assert not re.search(r"\beval\b|new Function|innerHTML|outerHTML|document\.write|\.cssText", script)


def test_views_are_frozen() -> None:
    view: PanelView = PANELS["ready"]
    with pytest.raises(AttributeError):
        view.state = "off"  # type: ignore[misc]
