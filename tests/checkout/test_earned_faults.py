"""Earned points through lost answers, crashes, double clicks, several workers: given, posted and taken back once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from _earning import PENDING_S, earning, free_leases, paid, placed, purchase, settle, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.earning.execute import EarnExecutor
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.office import Office
from punktgenau.errors import InvalidArgumentError, NotFoundError, StateConflictError
from punktgenau.provider import ProviderProfile
from punktgenau.webhooks import Event

OPERATION = {"accrue": "accrue", "post": "post_accrual", "claw_back": "reverse_accrual"}
STEPS = sorted(OPERATION)


def until(world: World, shop: Checkout, step: str) -> None:
    """Everything is done but this step."""
    paid(world, shop, points=427)
    if step == "accrue":
        return
    shop.recover()
    if step == "post":
        world.advance(PENDING_S + 60)
    else:
        there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))


AFTER = {
    "accrue": ([("purchase", "pending", 46, 0)], (2073, 46)),
    "post": ([("purchase", "posted", 46, 0)], (2119, 0)),
    "claw_back": ([("purchase", "pending", 46, 23)], (2267, 23)),
}
"""What each step leads to: 46 points earned on 46.01, 23 of them taken with one of two lamps."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("kind", "when"),
    [("reset", "before"), ("reset", "after"), ("status_500", "after"), ("wrong_echo", "after")],
)
def test_a_lost_answer_is_asked_for_again_under_the_same_key(world: World, step: str, kind: str, when: str):
    shop = earning(world)
    until(world, shop, step)
    world.provider.fault(OPERATION[step], kind, when=when, times=20)
    shop.recover()
    # What somebody else's answer is about is looked up at once.
    assert (told(shop) == AFTER[step][0]) is (kind == "wrong_echo")
    world.provider.heal()
    settle(world, shop, rounds=3)
    assert (told(shop), standing(world)) == AFTER[step]
    settle(world, shop, rounds=2)
    assert standing(world) == AFTER[step][1]


@pytest.mark.parametrize(
    "shop",
    ["no_keys", "no_lookup", "replays_errors", "short_window"],
    indirect=True,
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_the_provider_lacks_each_step_is_done_once(shop: World, step: str, when: str):
    checkout = earning(shop)
    until(shop, checkout, step)
    shop.provider.fault(OPERATION[step], "status_500", when=when, times=20)
    checkout.recover()
    shop.provider.heal()
    settle(shop, checkout, rounds=5)
    assert (told(checkout), standing(shop)) == AFTER[step]


@pytest.mark.parametrize("shop", ["neither"], indirect=True)
def test_where_nobody_can_tell_a_person_is_asked(shop: World):
    checkout = earning(shop)
    until(shop, checkout, "accrue")
    shop.provider.fault("accrue", "reset", when="after", times=20)
    report = checkout.recover()
    assert (purchase(checkout).state, report.needs_attention) == ("needs_attention", 1)
    shop.provider.heal()
    settle(shop, checkout, rounds=2)
    assert (purchase(checkout).state, standing(shop)) == ("needs_attention", (2073, 46))
    # They have it, by the provider's own word; nothing more is sent.
    checkout.settle_earned("A-1", again=False, actor="mira", reason="It is there")
    sent = shop.provider.sent("accrue")
    settle(shop, checkout, rounds=2)
    assert (checkout.unsettled_earned(), shop.provider.sent("accrue")) == ((), sent)


class Dead(BaseException):
    """A process ends here."""


def before(function: Callable[..., object]) -> Callable[..., object]:
    def die(*args: object, **kwargs: object) -> object:
        raise Dead

    return die


def after(function: Callable[..., object]) -> Callable[..., object]:
    def die(*args: object, **kwargs: object) -> object:
        function(*args, **kwargs)
        raise Dead

    return die


PLACES = [(EarnJournal, "begin"), (EarnExecutor, "_send"), (EarnJournal, "finish")]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("place", PLACES, ids=["intent", "send", "result"])
@pytest.mark.parametrize("side", [before, after])
def test_a_process_that_dies_leaves_nothing_undone_and_nothing_twice(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    place: tuple[type, str],
    side: Callable[[Callable[..., object]], Callable[..., object]],
):
    shop = earning(world)
    until(world, shop, step)
    owner, name = place
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, side(getattr(owner, name)))
        with pytest.raises(Dead):
            shop.recover()
    other = earning(world)
    settle(world, other, rounds=2)
    assert (told(other), standing(world)) == AFTER[step]


def test_a_process_that_dies_as_the_order_is_paid(world: World, monkeypatch: pytest.MonkeyPatch):
    shop = earning(world)
    placed(world, "A-1", "pending")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    with monkeypatch.context() as patched:
        patched.setattr(EarnJournal, "plan", after(EarnJournal.plan))
        with pytest.raises(Dead):
            shop.capture("A-1")
    assert told(shop) == [("purchase", "planned", 46, 0)]
    placed(world, "A-1", "paid")
    settle(world, earning(world), rounds=2)
    assert (there(shop.find("A-1")).state, told(shop), standing(world)) == ("captured", *AFTER["accrue"])


def together(*calls: Callable[[], object]) -> None:
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("step", STEPS)
def test_several_workers_do_each_step_once(world: World, step: str):
    shop = earning(world)
    until(world, shop, step)
    sent = world.provider.sent(OPERATION[step])
    workers = [earning(world) for _ in range(3)]
    together(*(worker.recover for worker in workers))
    shop.recover()
    assert (told(shop), standing(world)) == AFTER[step]
    assert world.provider.sent(OPERATION[step]) == sent + 1


def test_a_payment_that_is_told_twice_at_once_earns_once(world: World):
    shops = [earning(world, welcome_points=50) for _ in range(3)]
    placed(world, "A-1")
    together(*(lambda shop=shop: shop.capture("A-1") for shop in shops))
    shops[0].recover()
    assert standing(world) == (2500, 99)
    assert told(shops[1]) == [("purchase", "pending", 49, 0), ("welcome", "pending", 50, 0)]


def test_a_return_that_races_the_posting_is_taken_after_it(world: World, monkeypatch: pytest.MonkeyPatch):
    shop, desk = earning(world), earning(world)
    until(world, shop, "post")
    post = EarnExecutor._send

    def with_a_return(self: EarnExecutor, *args: object, **kwargs: object) -> object:
        monkeypatch.setattr(EarnExecutor, "_send", post)
        there(desk.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
        return post(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(EarnExecutor, "_send", with_a_return)
    shop.recover(due_only=True)
    # It was seen as the posting ended.
    shop.recover(due_only=True)
    assert (told(shop), standing(world)) == ([("purchase", "posted", 46, 23)], (2267 + 23, 0))


def test_a_return_between_a_look_and_its_step_is_looked_at_anew(world: World, monkeypatch: pytest.MonkeyPatch):
    shop, desk = earning(world), earning(world)
    until(world, shop, "post")
    begin = EarnJournal.begin

    def with_a_return(self: EarnJournal, *args: object, **kwargs: object) -> object:
        monkeypatch.setattr(EarnJournal, "begin", begin)
        there(desk.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
        return begin(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(EarnJournal, "begin", with_a_return)
    shop.recover(due_only=True)
    free_leases(world)
    shop.recover(due_only=True)
    free_leases(world)
    shop.recover(due_only=True)
    assert (told(shop), standing(world)) == ([("purchase", "posted", 46, 23)], (2267 + 23, 0))


def test_points_that_somebody_at_the_provider_took_back_are_taken_once(world: World):
    shop = earning(world, earn_pending_s=0)
    until(world, shop, "accrue")
    shop.recover()
    port = shop._provider.accruals  # type: ignore[attr-defined]
    (made,) = port.find(order_reference="A-1")
    port.reverse(made.id, points=40, return_reference="their-desk", reason="By hand")
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    settle(world, shop, rounds=3)
    # 23 were to be taken, and 40 are gone.
    assert (purchase(shop).taken_back, standing(world)) == (40, (2267 + 6, 0))
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}))
    settle(world, shop, rounds=2)
    assert (told(shop), standing(world)[0]) == ([("purchase", "reversed", 46, 46)], 2500 - 427 + 389)


def test_a_provider_whose_clock_is_behind_is_asked_again(world: World):
    shop = earning(world)
    until(world, shop, "accrue")
    shop.recover()
    world.clock.advance(PENDING_S + 60)
    shop.recover(due_only=True)
    assert (told(shop), world.provider.sent("post_accrual")) == ([("purchase", "pending", 46, 0)], 1)
    world.advance(PENDING_S + 60)
    settle(world, shop, rounds=1)
    assert (told(shop), standing(world)) == AFTER["post"]


def test_a_refused_accrual_needs_a_person(world: World):
    shop = earning(world)
    world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "state": "blocked"}, timeout=20
    )
    paid(world, shop)
    assert shop.recover().needs_attention == 1
    assert (purchase(shop).state, purchase(shop).kept, standing(world)) == ("declined", 0, (2500, 0))
    assert [one.order_reference for one in shop.unsettled_earned()] == ["A-1"]
    unblock = {"id": "mbr_2500", "state": "active"}
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=unblock, timeout=20)
    for wrong in ({"actor": "", "reason": "x"}, {"actor": "mira", "reason": ""}):
        with pytest.raises(InvalidArgumentError):
            shop.settle_earned("A-1", again=True, **wrong)
    shop.settle_earned("A-1", again=True, actor="mira", reason="Unblocked by the provider")
    assert shop.recover().needs_attention == 0
    assert (purchase(shop).state, standing(world)) == ("pending", (2500, 49))
    (deed,) = Office(shop).log()
    assert (deed.kind, deed.actor, deed.subject) == ("earned_again", "mira", "A-1")
    with pytest.raises(StateConflictError):
        shop.settle_earned("A-1", again=False, actor="mira", reason="Changed my mind")
    with pytest.raises(NotFoundError):
        shop.settle_earned("A-1", kind="welcome", again=False, actor="mira", reason="x")


def test_whoever_has_a_moment_does_what_is_due(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    assert shop.recover_one(deadline_s=2.0) is True
    assert told(shop) == AFTER["accrue"][0]
    assert shop.recover_one(deadline_s=2.0) is False
    world.advance(PENDING_S + 60)
    assert shop.recover_one(deadline_s=2.0) is True
    assert (told(shop), standing(world)) == AFTER["post"]


def test_where_points_are_posted_at_once_they_are_given_when_nothing_comes_back_any_more(world: World):
    world.provider.play("reference", accrual_pending=False)
    world.profile = ProviderProfile(accrual_pending=False)
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    assert (told(shop), standing(world)) == ([("purchase", "planned", 49, 0)], (2500, 0))
    assert purchase(shop).pending_until is not None
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    shop.recover()
    world.advance(PENDING_S + 60)
    shop.recover(due_only=True)
    assert (told(shop), standing(world)) == ([("purchase", "posted", 49, 25)], (2524, 0))


def test_the_providers_events_belong_to_what_was_earned(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    (step,) = shop._earn_journal.steps(shop._earn_journal.of_order("A-1")[0].id)
    data = {"accrual_id": "acc_1", "order_reference": "A-1", "idempotency_key": step.key, "state": "pending"}
    heard = Event(id="evt_1", type="accrual.pending", timestamp=shop._clock.now(), data=data)
    assert (shop.hear(heard), shop.hear(heard)) == ("matched", "repeated")
    assert shop.recover().earned == {"waiting": 1}
    assert (told(shop), standing(world)) == ([("purchase", "pending", 49, 0)], (2500, 49))
