"""Errors of ours that nobody caught: a page with choices for people, problem+json for scripts, never 500."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask, Response

from _small_shop import SmallShop, cart_of
from flask_punktgenau.problems import status_of
from punktgenau import errors
from punktgenau.codes import CODES

JSON = {"Accept": "application/json"}


EVERY_ERROR = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PunktgenauError)
]


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_people_get_409_or_503_with_a_way_on(small: SmallShop, kind: type[errors.PunktgenauError]) -> None:
    @small.app.get("/boom")
    def boom() -> str:
        raise kind("Something of ours went wrong.")

    answer = small.visitor("anna").browser.get("/boom")
    assert answer.status_code in (409, 503)
    assert answer.content_type == "text/html; charset=utf-8"
    assert "pg-button" in answer.text
    assert "Something of ours" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("code", sorted(CODES))
def test_scripts_get_a_problem_by_the_book(small: SmallShop, code: str) -> None:
    @small.app.get("/boom")
    def boom() -> str:
        row = CODES[code]
        raise row.error("Message for developers.", code=code, outcome=row.outcome, retry=row.retry, remaining=42)

    answer = small.visitor("anna").browser.get("/boom", headers=JSON)
    problem = answer.get_json()
    assert answer.content_type == "application/problem+json"
    assert 400 <= answer.status_code <= 503
    assert answer.status_code != 500
    assert problem.keys() == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "code",
        "outcome",
        "retryable",
        "field",
        "remaining",
    }
    assert (problem["code"], problem["status"], problem["instance"]) == (code, answer.status_code, "/boom")
    assert (problem["outcome"], problem["remaining"]) == (CODES[code].outcome, 42)
    assert problem["retryable"] is (CODES[code].retry == "same_key")


@pytest.mark.parametrize(
    ("error", "page", "script"),
    [
        (errors.InvalidArgumentError("x"), 409, 422),
        (errors.LimitError("x"), 409, 422),
        (errors.InsufficientPointsError("x"), 409, 422),
        (errors.AmountChangedError("x"), 409, 409),
        (errors.InProgressError("x"), 409, 409),
        (errors.NotLinkedError("x"), 409, 409),
        (errors.NotSentError("x"), 503, 503),
        (errors.OutcomeUnknownError("x"), 503, 503),
        (errors.UnavailableError("x"), 503, 503),
        (errors.AuthenticationError("x"), 503, 503),
        (errors.RateLimitedError("x"), 503, 503),
        (errors.OpenTransactionError("x"), 503, 503),
        (errors.InvalidArgumentError("x", code="form_expired"), 400, 400),
    ],
)
def test_the_status_of_an_error(error: errors.PunktgenauError, page: int, script: int) -> None:
    assert (status_of(error, as_page=True), status_of(error, as_page=False)) == (page, script)


def test_a_503_says_when_to_come_again(small: SmallShop) -> None:
    @small.app.get("/boom")
    def boom() -> str:
        raise errors.NotSentError("x")

    assert small.visitor().browser.get("/boom").headers["Retry-After"] == "5"


class TestTheShopsOwnHandlerWins:
    """Whichever came first, and however special."""

    def app(self, make_shop: Callable[..., SmallShop]) -> Flask:
        app = make_shop().app

        @app.get("/boom")
        def boom() -> str:
            raise errors.AmountChangedError("x")

        return app

    def test_registered_after_ours(self, make_shop: Callable[..., SmallShop]) -> None:
        app = self.app(make_shop)
        app.register_error_handler(errors.PunktgenauError, lambda error: (f"shop: {error.code}", 418))
        answer = app.test_client().get("/boom")
        assert (answer.status_code, answer.text) == (418, "shop: amount_changed")

    def test_registered_before_ours(self) -> None:
        from flask_punktgenau import Punktgenau

        app = Flask("shop")
        app.register_error_handler(errors.PunktgenauError, lambda error: (f"shop: {error.code}", 418))
        Punktgenau(app)

        @app.get("/boom")
        def boom() -> str:
            raise errors.AmountChangedError("x")

        assert app.test_client().get("/boom").status_code == 418

    def test_for_one_class(self, make_shop: Callable[..., SmallShop]) -> None:
        app = self.app(make_shop)
        app.register_error_handler(errors.AmountChangedError, lambda error: ("look again", 418))
        assert app.test_client().get("/boom").status_code == 418

    def test_of_a_blueprint(self, make_shop: Callable[..., SmallShop]) -> None:
        app = make_shop().app
        pages = Blueprint("pages", __name__)
        pages.register_error_handler(errors.PunktgenauError, lambda error: ("of the blueprint", 418))

        @pages.get("/boom")
        def boom() -> str:
            raise errors.AmountChangedError("x")

        app.register_blueprint(pages)
        assert app.test_client().get("/boom").status_code == 418


def test_other_errors_are_none_of_our_business(small: SmallShop) -> None:
    small.app.config["PROPAGATE_EXCEPTIONS"] = False

    @small.app.get("/boom")
    def boom() -> Response:
        raise KeyError("the shop's own")

    assert small.app.test_client().get("/boom").status_code == 500


def test_an_order_that_was_not_committed_offers_no_retry(small: SmallShop) -> None:
    """The shop holds first and commits then: when the hold fails, the order never was."""

    @small.app.post("/hold-first")
    def hold_first() -> str:
        small.points.authorize("A-9", cart_of(5990), points=9999)
        return "placed"

    answer = small.visitor("anna").browser.post("/hold-first", headers={"Referer": "http://localhost/checkout"})
    assert answer.status_code == 409
    assert "/points/retry" not in answer.text
    assert "/points/without" not in answer.text
    assert 'href="/checkout"' in answer.text


@pytest.mark.scenario("S14", "what customers and providers put into an error never becomes HTML")
def test_nothing_in_an_error_becomes_html(small: SmallShop) -> None:
    @small.app.get("/boom")
    def boom() -> str:
        raise errors.DeclinedError("<script>1</script>", code="<script>2</script>", field="<script>3</script>")

    answer = small.visitor("anna").browser.get("/boom", headers={"Referer": 'http://localhost/"><script>4</script>'})
    assert "<script>" not in answer.text
