"""Points that come back already expired, under the rule that new ones are given: once, whatever gets lost.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from datetime import UTC, datetime

import pytest
import sqlalchemy

from _commits import counted_commits
from _expired import BY, bought, euro, lamp_back, put_state, told
from _world import World
from punktgenau import ConfigurationError
from punktgenau.checkout.accruing import Accruing
from punktgenau.checkout.office import Office
from punktgenau.errors import ReturnConflictError
from punktgenau.provider import PROFILES
from punktgenau.webhooks import Event

RULE = {"expired_points": "new_points"}


def free_leases(world: World) -> None:
    """As time would: PostgreSQL judges by its own clock, which no test moves."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_operation SET lease_until = 0"))
    engine.dispose()


def test_what_came_back_expired_is_given_anew(world: World):
    shop = bought(world)
    with counted_commits(shop._database) as commits:
        given = lamp_back(shop)
    assert (given.state, given.points, given.restored, given.already_expired) == ("done", 194, 0, 194)
    assert (given.new_points, given.new_points_state) == (194, "posted")
    assert (given.money_due, given.expired_money) == (euro(2301), euro(0))
    assert world.provider.points("mbr_soon") == (194, 0)
    # The reversal's intent; its result with the accrual's intent; the accrual's result.
    assert len(commits) == 3
    assert shop.recover().still_open == 0
    assert world.provider.sent("accrue") == 1


def test_only_the_expired_part_is_given_anew(world: World):
    # The lot that lasts was drawn last and comes back first: 327 of 427 last, so of 194 + 194 + 39 only 100 expired.
    shop = bought(world, expiring=100, lasting=327)
    assert (lamp_back(shop).new_points, world.provider.points("mbr_soon")) == (0, (194, 0))
    # 133 of the lasting lot are left; the second lamp is 194 or 195 points, whatever is beyond 133 had expired.
    second = lamp_back(shop, "R-2")
    assert (second.restored, second.new_points) == (133, second.points - 133)
    assert world.provider.points("mbr_soon") == (194 + second.points, 0)


def test_the_same_return_twice_gives_once(world: World):
    shop = bought(world)
    first, again = lamp_back(shop), lamp_back(shop)
    assert (first.new_points, again.new_points, again.new_points_state) == (194, 194, "posted")
    # Another return of the rest: 233 points, all expired as well.
    shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)
    assert told(shop) == [("R-1", 194, "posted"), ("R-2", 233, "posted")]
    assert (world.provider.points("mbr_soon"), world.provider.sent("accrue")) == ((427, 0), 2)


@pytest.mark.parametrize(("kind", "when"), [("reset", "after"), ("reset", "before"), ("status_500", "after")])
def test_a_lost_answer_is_asked_for_again_under_the_same_key(world: World, kind: str, when: str):
    shop = bought(world)
    world.provider.fault("accrue", kind, when=when, times=20)
    given = lamp_back(shop)
    assert (given.state, given.new_points, given.new_points_state) == ("done", 194, "accruing")
    world.provider.heal()
    world.advance(600)
    world.checkout(**RULE).recover()
    assert told(shop) == [("R-1", 194, "posted")]
    assert world.provider.points("mbr_soon") == (194, 0)


def test_a_crash_between_reversal_and_accrual(world: World, monkeypatch: pytest.MonkeyPatch):
    shop = bought(world)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Accruing, "run", die)
        with pytest.raises(SystemExit):
            lamp_back(shop)
    assert (told(shop), world.provider.points("mbr_soon")) == ([("R-1", 194, "accruing")], (0, 0))
    world.advance(60)
    free_leases(world)
    other = world.checkout(**RULE)
    assert other.recover().still_open == 0
    other.recover()
    assert told(shop) == [("R-1", 194, "posted")]
    assert (world.provider.points("mbr_soon"), world.provider.sent("accrue")) == ((194, 0), 1)


def test_the_rule_is_the_one_of_the_day_of_the_return(world: World):
    shop = bought(world)
    world.provider.fault("reverse", "reset", when="after", times=20)
    assert lamp_back(shop).state == "reversing"
    world.provider.heal()
    world.advance(600)
    world.checkout(expired_points="tell").recover()
    assert told(shop) == [("R-1", 194, "posted")]
    told_only = world.checkout(expired_points="tell")
    told_only.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert told(shop)[1] == ("R-2", 0, "none")


@pytest.mark.parametrize(
    "shop",
    ["no_keys", "no_lookup", "silent_mismatch", "replays_errors", "short_window", "no_cancel_by_key"],
    indirect=True,
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_the_provider_lacks_it_is_given_once(shop: World, when: str):
    checkout = bought(shop)
    shop.provider.fault("accrue", "status_500", when=when, times=20)
    # Where an error would be answered again under its key, what was done is looked for at once.
    assert lamp_back(checkout).new_points_state in {"accruing", "posted"}
    shop.provider.heal()
    for _ in range(6):
        shop.advance(900)
        checkout.recover()
    assert told(checkout) == [("R-1", 194, "posted")]
    assert shop.provider.points("mbr_soon") == (194, 0)


@pytest.mark.parametrize("shop", ["neither"], indirect=True)
def test_where_nobody_can_tell_a_person_is_asked(shop: World):
    checkout = bought(shop)
    shop.provider.fault("accrue", "reset", when="after", times=20)
    assert lamp_back(checkout).new_points_state == "needs_attention"
    shop.provider.heal()
    shop.advance(3600)
    report = checkout.recover()
    assert (told(checkout), report.needs_attention) == ([("R-1", 194, "needs_attention")], 1)
    assert shop.provider.points("mbr_soon") == (194, 0)
    given = checkout.settle_new_points("A-1", return_reference="R-1", given=True, actor="clerk", reason="They said so")
    assert given.new_points_state == "posted"
    assert checkout.recover().needs_attention == 0
    assert shop.provider.points("mbr_soon") == (194, 0)


def test_refused_new_points_need_a_person_and_are_given_when_asked_again(world: World):
    shop = bought(world)
    put_state(world, "blocked")
    assert lamp_back(shop).new_points_state == "declined"
    assert shop.recover().needs_attention == 1
    put_state(world, "active")
    said = {"return_reference": "R-1", "actor": "clerk", "reason": "Unblocked by the provider"}
    again = shop.settle_new_points("A-1", given=False, **said)
    assert (again.new_points, again.new_points_state) == (194, "posted")
    assert world.provider.points("mbr_soon") == (194, 0)
    assert shop.recover().needs_attention == 0
    with pytest.raises(ReturnConflictError):
        shop.settle_new_points("A-1", given=False, **said)


def test_refused_new_points_may_become_money(world: World):
    shop = bought(world)
    put_state(world, "blocked")
    assert lamp_back(shop).new_points_value == euro(194)
    shop.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert list(shop.open_refunds()) == []
    owed = shop.pay_instead("A-1", return_reference="R-1", **BY)
    assert (owed.new_points, owed.new_points_state, owed.new_points_value) == (0, "none", euro(0))
    assert (owed.expired_money, owed.money_due, owed.points, owed.state) == (euro(194), euro(194), 194, "done")
    assert list(shop.open_refunds()) == [("A-1", "R-1", euro(194))]
    (deed,) = Office(shop).log()
    assert (deed.kind, deed.actor, deed.detail["points"]) == ("settle_return", "clerk 7", 194)
    for given in (True, False):
        with pytest.raises(ReturnConflictError):
            shop.settle_new_points("A-1", return_reference="R-1", given=given, **BY)
    with pytest.raises(ReturnConflictError):
        shop.pay_instead("A-1", return_reference="R-1", **BY)
    put_state(world, "active")
    assert (shop.recover().needs_attention, world.provider.points("mbr_soon")) == (0, (0, 0))


@pytest.mark.parametrize("shop", ["neither"], indirect=True)
def test_what_nobody_can_tell_may_become_money_and_is_asked_about_no_more(shop: World):
    checkout = bought(shop)
    shop.provider.fault("accrue", "reset", when="before", times=20)
    assert lamp_back(checkout).new_points_state == "needs_attention"
    assert checkout.pay_instead("A-1", return_reference="R-1", **BY).money_due == euro(2301 + 194)
    shop.provider.heal()
    sent = shop.provider.sent("accrue")
    shop.advance(86_400)
    assert (checkout.recover().needs_attention, shop.provider.sent("accrue")) == (0, sent)


@pytest.mark.parametrize("shop", ["neither"], indirect=True)
def test_what_was_paid_in_money_and_given_all_the_same_is_told_by_the_statement(shop: World):
    checkout = bought(shop)
    shop.provider.fault("accrue", "reset", when="after", times=20)
    lamp_back(checkout)
    checkout.pay_instead("A-1", return_reference="R-1", **BY)
    shop.advance(5)
    # Its clock may be months ahead by what other tests have waited for.
    theirs = shop.provider.http.get(f"{shop.provider.url}/sandbox/clock", timeout=20).json()["now"]
    checkout.reconcile(theirs[:7])
    (told_twice,) = [one for one in checkout.differences() if one.kind == "only_there"]
    assert (told_twice.order_reference, shop.provider.points("mbr_soon")) == ("A-1", (194, 0))


def test_new_points_that_are_given_become_no_money(world: World):
    shop = bought(world)
    assert lamp_back(shop).new_points_state == "posted"
    with pytest.raises(ReturnConflictError):
        shop.pay_instead("A-1", return_reference="R-1", **BY)
    assert shop.refunds("A-1")[0].money_due == euro(2301)


def test_a_cancelled_rest_is_given_anew_as_well(world: World):
    shop = bought(world)
    lamp_back(shop)
    shop.cancel("A-1")
    (first, rest) = shop.refunds("A-1")
    assert [(one.is_rest, one.new_points, one.new_points_state) for one in (first, rest)] == [
        (False, 194, "posted"),
        (True, 233, "posted"),
    ]
    assert (world.provider.points("mbr_soon"), world.provider.sent("accrue")) == ((427, 0), 2)


@pytest.mark.parametrize("name", ["no_accruals", "classic"])
def test_where_shops_give_no_points_the_rule_is_refused_at_once(world: World, name: str):
    world.profile = PROFILES[name]
    with pytest.raises(ConfigurationError) as caught:
        world.checkout(**RULE)
    assert (caught.value.field, "money or tell" in caught.value.message) == ("expired_points", True)


def test_the_providers_event_belongs_to_its_return(world: World):
    shop = bought(world)
    lamp_back(shop)
    row = shop._journal.latest("A-1")
    assert row is not None
    (accrued,) = [one for one in shop._journal.operations(row.id) if one.kind == "accrue"]
    at = datetime(2026, 11, 22, tzinfo=UTC)

    def told_of(key: str, event_id: str) -> Event:
        data = {"accrual_id": "acc_1", "order_reference": "A-1", "idempotency_key": key, "state": "posted"}
        return Event(id=event_id, type="accrual.posted", timestamp=at, data=data)

    heard = told_of(accrued.key, "evt_1")
    assert (heard.accrual_id, shop.hear(heard), shop.hear(heard)) == ("acc_1", "matched", "repeated")
    assert shop.hear(told_of("key-of-nobody", "evt_2")) == "unmatched"
    assert shop.recover().looked_at == 0
