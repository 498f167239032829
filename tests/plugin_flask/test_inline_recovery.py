"""Nobody runs a worker: requests help after their answer is sent, a little, and never at anybody's expense."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask, Response

from _small_shop import Provider, SmallShop
from flask_punktgenau import inline
from flask_punktgenau.state import EXTENSION, AppState
from punktgenau.checkout import Checkout


@pytest.fixture
def shop(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """A shop in which anna may place orders of 100 points each."""
    shop = make_shop()
    shop.link()
    return shop


def left_paid(shop: SmallShop, *references: str) -> None:
    """Orders whose money is there and whose process died before the capture."""
    anna = shop.visitor("anna")
    for reference in references:
        anna.apply("100")
        anna.place(reference, card="later")
        shop.shop.mark(reference, "paid")


def visit(shop: SmallShop, path: str = "/cart") -> int:
    """A page view to its very end, as a server ends it."""
    answer = shop.app.test_client().get(path)
    status = answer.status_code
    answer.close()
    return status


def later(shop: SmallShop, monkeypatch: pytest.MonkeyPatch, seconds: float = 10) -> None:
    """So many seconds on, by both of the shop's clocks."""
    shop.clock.shift += timedelta(seconds=seconds)
    moved_s = shop.clock.shift.total_seconds()
    real = type(shop.clock).__mro__[1].monotonic  # type: ignore[attr-defined]
    monkeypatch.setattr(shop.clock, "monotonic", lambda: real(shop.clock) + moved_s, raising=False)


def states(provider: Provider, *references: str) -> list[str]:
    return [provider.states(reference)[0][0] for reference in references]


@pytest.mark.scenario("C8", "without worker and cron, a page view ends what killed checkouts left")
def test_page_views_end_what_was_left_open(shop: SmallShop, provider: Provider) -> None:
    references = ("A-1", "A-2", "A-3")
    left_paid(shop, *references)
    assert visit(shop) == 200
    assert states(provider, *references) == ["captured", "captured", "captured"]


def test_a_turn_ends_before_its_two_seconds_and_the_next_begins_ten_after_it(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float] = []

    def takes_half_a_second(self: Checkout, *, deadline_s: float) -> bool:
        deadlines.append(deadline_s)
        later(shop, monkeypatch, 0.5)
        return True

    monkeypatch.setattr(Checkout, "recover_one", takes_half_a_second)
    visit(shop)
    # Begun after 0, 0.5 and 1 s; after 1.5 s what is left is too short for a call.
    assert [round(left, 1) for left in deadlines] == [2.0, 1.5, 1.0]
    later(shop, monkeypatch, 8.4)
    visit(shop)
    assert len(deadlines) == 3
    later(shop, monkeypatch, 0.1)
    visit(shop)
    assert len(deadlines) == 6


def test_one_defect_does_not_stand_before_the_rest(
    shop: SmallShop, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_paid(shop, "A-1", "A-2")
    recover_one = Checkout.recover_one
    broken = iter((True, False, False, False))

    def breaks_once(self: Checkout, *, deadline_s: float) -> bool:
        done = recover_one(self, deadline_s=deadline_s)
        if next(broken):
            raise RuntimeError("boom")
        return done

    monkeypatch.setattr(Checkout, "recover_one", breaks_once)
    visit(shop)
    assert states(provider, "A-1", "A-2") == ["captured", "captured"]


def test_it_happens_after_the_answer(shop: SmallShop, provider: Provider) -> None:
    left_paid(shop, "A-1")
    answer = shop.app.test_client().get("/cart")
    assert b"Cart" in answer.data
    assert states(provider, "A-1") == ["authorized"]
    answer.close()
    assert states(provider, "A-1") == ["captured"]


def test_where_a_worker_was_seen_requests_leave_it_to_that(
    shop: SmallShop, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.app.app_context():
        shop.points.checkout.recover()
    left_paid(shop, "A-1")
    later(shop, monkeypatch, 110)
    visit(shop)
    assert states(provider, "A-1") == ["authorized"]
    later(shop, monkeypatch, 15)
    visit(shop)
    assert states(provider, "A-1") == ["captured"]


def test_it_can_be_switched_off(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    shop = make_shop(PUNKTGENAU_INLINE_RECOVERY="0")
    shop.link()
    left_paid(shop, "A-1")
    visit(shop)
    assert states(provider, "A-1") == ["authorized"]


def test_a_stream_has_no_end_that_could_be_waited_for(shop: SmallShop, provider: Provider) -> None:
    shop.app.add_url_rule("/stream", view_func=lambda: Response(iter([b"a", b"b"])))
    left_paid(shop, "A-1")
    visit(shop, "/stream")
    assert states(provider, "A-1") == ["authorized"]


def test_it_waits_two_seconds_at_most(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(Checkout, "recover_one", lambda self, *, deadline_s: asked.append(deadline_s))
    visit(shop)
    assert [round(left, 1) for left in asked] == [2.0]


@pytest.mark.parametrize("broken", ["recover_one", "recovered_at"])
def test_whatever_goes_wrong_the_answer_is_out(
    shop: SmallShop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail(self: Checkout, **named: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(Checkout, broken, fail)
    assert visit(shop) == 200
    assert "could not" in caplog.text
    later(shop, monkeypatch)
    assert visit(shop) == 200


def test_one_thread_at_a_time(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    asked: list[int] = []

    def slow(self: Checkout, *, deadline_s: float) -> bool:
        asked.append(1)
        inside.set()
        assert go_on.wait(10)
        return False

    monkeypatch.setattr(Checkout, "recover_one", slow)
    first = threading.Thread(target=visit, args=(shop,))
    first.start()
    assert inside.wait(10)
    later(shop, monkeypatch, 60)
    assert visit(shop) == 200  # while the other one is still at it
    go_on.set()
    first.join()
    assert asked == [1]


def test_a_child_does_not_wait_for_a_thread_of_its_parent(shop: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    monkeypatch.setattr(Checkout, "recover_one", lambda self, *, deadline_s: asked.append(deadline_s))
    helper = _helper_of(shop.app)
    helper._busy.acquire()
    _state_of(shop.app).after_fork()
    visit(shop)
    assert len(asked) == 1


def test_points_that_are_off_need_no_help(make_shop: Callable[..., SmallShop]) -> None:
    assert visit(make_shop(provider_url=None), "/points/healthz") == 200


def _state_of(app: Flask) -> AppState:
    state = app.extensions[EXTENSION]
    assert isinstance(state, AppState)
    return state


def _helper_of(app: Flask) -> inline.Helper:
    found = [one.__self__ for one in app.after_request_funcs[None] if hasattr(one, "__self__")]
    helpers = [one for one in found if isinstance(one, inline.Helper)]
    assert len(helpers) == 1
    return helpers[0]
