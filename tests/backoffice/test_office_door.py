"""Who may come into the back office: nobody whom the shop does not name, and nothing without a form of its own."""

import pytest
from flask import Flask

from _office_shop import OPERATOR, paid, text_of
from _small_shop import SmallShop, Visitor
from flask_punktgenau import Punktgenau

PAGES = ("", "redemptions.csv", "attention", "figures", "figures.csv", "log")
DEEDS = ("retry", "resolve", "cancel", "return", "money", "settle")
EARNED = tuple(
    f"/points/admin/{of}/{'0' * 32}/{deed}" for of in ("earned", "exchanged") for deed in ("retry", "settle")
)


def everywhere(redemption_id: str) -> list[tuple[str, str]]:
    """Method and path of everything that is in the office, and of what is not."""
    one = f"/points/admin/redemptions/{redemption_id}"
    return [
        *(("GET", f"/points/admin/{page}") for page in PAGES),
        *(("GET", f"{one}{page}") for page in ("", "/resolve", "/cancel", "/return")),
        *(("POST", f"{one}/{deed}") for deed in DEEDS),
        # The address without the slash as well: a redirect would tell that there is something.
        *((method, "/points/admin") for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE")),
        *(("GET", path) for path in ("/points//admin", "/points//admin/log", "/points/admin//log")),
        *(("POST", path) for path in ("/points/admin/", "/points/admin/figures", "/points/admin/elsewhere", one)),
        ("GET", "/points/admin/elsewhere"),
        ("DELETE", one),
        *(("GET", f"/points/admin/{listed}") for listed in ("earned", "exchanged")),
        *(("POST", path) for path in EARNED),
    ]


@pytest.mark.scenario("S21", "the back office is not there for strangers and shoppers: 404 for every page and deed")
def test_nobody_comes_in_who_is_not_named(shop: SmallShop) -> None:
    redemption_id = paid(shop)
    anna = shop.visitor("anna")
    for method, path in everywhere(redemption_id):
        answer = anna.browser.open(path, method=method, data={"punktgenau_csrf": anna.token(), "reason": "x"})
        assert answer.status_code == 404, (method, path)
        assert "A-1" not in answer.text
    payment = shop.find("A-1")
    assert payment is not None
    assert payment.state == "captured"


def test_without_a_loader_there_is_no_back_office() -> None:
    app = Flask("plain")
    app.config.update(SECRET_KEY="only for tests", TESTING=True)
    Punktgenau(app)
    for method, path in everywhere("0" * 32):
        assert app.test_client().open(path, method=method).status_code == 404, (method, path)


@pytest.mark.parametrize("named", [7, "", "a\x00b", "x" * 201, True])
def test_an_operator_has_a_name(shop: SmallShop, named: object) -> None:
    shop.points.operator_loader(lambda: named)  # type: ignore[arg-type, return-value]
    answer = shop.app.test_client().get("/points/admin/")
    assert answer.status_code == 503
    assert "A-1" not in answer.text


def test_pages_are_kept_nowhere_and_framed_by_nobody(shop: SmallShop, mira: Visitor) -> None:
    redemption_id = paid(shop)
    for method, path in everywhere(redemption_id):
        if method == "GET" and "//" not in path and not path.endswith("elsewhere"):
            assert mira.browser.get(path).status_code == 200, path
            headers = mira.browser.get(path).headers
            assert headers["Cache-Control"] == "no-store", path
            assert headers["X-Frame-Options"] == "SAMEORIGIN"
            assert "noindex" in headers["X-Robots-Tag"]


@pytest.mark.scenario("S2", "no form of the back office is accepted without its token, or from another site")
def test_every_deed_needs_a_form_of_this_session(shop: SmallShop, mira: Visitor) -> None:
    redemption_id = paid(shop)
    stranger = shop.visitor("anna")
    for deed in DEEDS:
        path = f"/points/admin/redemptions/{redemption_id}/{deed}"
        form = {"reason": "x", "reference": "R-1", "line.lamp": "1", "seen_points": "427", "seen_money": "5563"}
        for token in ("", "x.y.z", stranger.token()):
            answer = mira.browser.post(path, data={**form, "punktgenau_csrf": token})
            assert answer.status_code == 400, (deed, token)
        other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        answer = mira.browser.post(path, data={**form, "punktgenau_csrf": mira.token()}, headers=other)
        assert answer.status_code == 400
    payment = shop.find("A-1")
    assert payment is not None
    assert payment.state == "captured"
    assert "Nobody has changed anything by hand yet." in text_of(mira.browser, "/points/admin/log")


def test_the_operator_is_named_on_every_page(shop: SmallShop, mira: Visitor) -> None:
    assert OPERATOR in text_of(mira.browser, "/points/admin/")


def test_points_that_are_off_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    app = Flask("off", instance_path=str(tmp_path_factory.mktemp("off")))
    app.config.update(SECRET_KEY="only for tests", TESTING=True)
    Punktgenau(app).operator_loader(lambda: OPERATOR)
    answer = app.test_client().get("/points/admin/")
    assert answer.status_code == 503
    assert "provider_missing" in answer.text
