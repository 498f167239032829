"""One process of the shop: an own client, an own engine on the shared journal, and the requests that it serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from punktgenau import Client, Money, PunktgenauError
from punktgenau.checkout import Checkout, Payment, Refund
from punktgenau.checkout import Order as OrderOfShop
from punktgenau.testing.simulator.plans import NO_ORDER, Step
from punktgenau.testing.simulator.provider import PARTNER, SECRET, URL
from punktgenau.testing.simulator.script import Place
from punktgenau.testing.simulator.seams import SimulatedClock
from punktgenau.testing.simulator.settings import PAID, settings_of
from punktgenau.testing.simulator.shop import BACK, PARCELS, Bought, Told, due_of, shown
from punktgenau.testing.simulator.turns import Broken, Killed
from punktgenau.testing.simulator.voucher_desk import VoucherDesk
from punktgenau.testing.simulator.wire import Wire

if TYPE_CHECKING:
    from punktgenau.testing.simulator.world import World

_HAVE_A_TOKEN, _HAVE_ONE_AGAIN = 0.9, 0.5  # most have been at work for a while; who starts anew mostly has to ask


class Process:
    """Serves its steps one after the other; when it dies, another one goes on with the rest."""

    def __init__(self, world: World, name: str, steps: tuple[Step, ...], *, life: int = 1) -> None:
        self._world, self._seams = world, world.seams
        self._base_name = name
        self.name = name if life == 1 else f"{name}.{life}"
        self._life = life
        self._steps = steps
        clock = SimulatedClock(self._seams, self.name)
        wire = Wire(
            self._seams,
            world.provider,
            world.watch,
            ahead_s=world.plan.provider_ahead_s,
            profile=world.profile,
            aimed=world.plan.aimed,
            has_token=self._seams.script.fraction(Place(self.name, 0, "token"))
            < (_HAVE_A_TOKEN if life == 1 else _HAVE_ONE_AGAIN),
        )
        self._client = Client(
            URL, client_id=PARTNER, client_secret=SECRET, clock=clock, adapter=wire, profile=world.profile
        )
        self.checkout = Checkout(
            self._client,
            f"sqlite:///{world.file.path}",
            order_loader=self._load,
            settings=settings_of(world.plan.taken, world.plan.earns),
            clock=clock,
            connect=world.file.open,
        )
        self._desk = VoucherDesk(world, self.checkout, self._told)

    def run(self) -> None:
        """Serve every step."""
        served = 0
        try:
            for served, step in enumerate(self._steps):  # noqa: B007
                self._seams.turns.sleep(step.wait_s)
                try:
                    self._serve(step)
                except Broken:
                    continue
        except Killed:
            self._die(served)
        finally:
            self.close()

    def close(self) -> None:
        """Its connections go with it."""
        self.checkout.close()
        self._client.close()

    def _die(self, served: int) -> None:
        if self._seams.turns.failure is not None:
            return
        script, here = self._seams.script, self._seams.place("restart")
        again = script.fraction(here, "again") < 0.5
        rest = self._steps[served if again else served + 1 :]
        if not rest:
            return
        following = Process(self._world, self._base_name, rest, life=self._life + 1)
        delay_s = script.one_of(here, (0.0, 0.2, 3.0, 20.0, 300.0), "delay")
        self._seams.turns.start(following.name, following.run, delay_s=delay_s)

    def _serve(self, step: Step) -> None:
        me = self._seams.turns.current
        if me is not None:
            me.crossing = step.crossing
        self._seams.note(step.kind if step.kind in NO_ORDER else f"{step.kind} A-{step.order}")
        if step.kind in NO_ORDER:
            self._worked(step.kind)
            return
        order = self._world.shop.orders[f"A-{step.order}"]
        served: dict[str, Callable[[Bought], object]] = {
            "place": self._place,
            "buy": Bought.write,
            "get": self._desk.get,
            "other": self._other,
            "without": self._without,
            "pay": self._pay,
            "capture": self.captured,
            "decline": self._declined,
            "void": self._declined,
            "cancel": self.cancel,
            "show": lambda order: self._told("find", order.reference, lambda: self.checkout.find(order.reference)),
        }
        if step.kind in BACK:
            self.take_back(order, step.kind)
        elif step.kind in PARCELS:
            self._ship(order, step.kind)
        else:
            served[step.kind](order)

    # What the shop's pages do

    def recover(self) -> None:
        """One round of a worker."""
        self._told("recover", "", lambda: self._nothing(self.checkout.recover()))

    def _worked(self, kind: str) -> None:
        if kind == "recover":
            self.recover()
        elif kind == "hear":
            self.hear()
        elif kind == "work":
            self._told("work", "", lambda: self._nothing(self.checkout.recover(due_only=True)))
        else:
            self._told("help", "", lambda: self._nothing(self.checkout.recover_one(deadline_s=PAID.deadline_s)))

    def hear(self) -> None:
        """The route that the provider posts its events to."""
        for sequence, event in self._world.post.arriving(all_of_it=self._seams.script.over):
            told = self._told("hear", "", lambda: self._noted(self.checkout.hear(event)))  # noqa: B023
            if told.error is None:
                self._world.post.taken(sequence)

    def _noted(self, heard: str) -> None:
        self._seams.cells["hint", heard, ""] += 1

    @staticmethod
    def _nothing(_: object) -> None:
        """The shop is told nothing of it."""

    def _place(self, order: Bought) -> None:
        seen = order.plan.seen_due_minor
        self._hold(order, order.plan.points, None if seen is None else Money(amount_minor=seen, currency="EUR"))

    def _other(self, order: Bought) -> None:
        self._hold(order, order.plan.other_points, None, leaves_out=1)

    def _hold(self, order: Bought, points: int, seen: Money | None, *, leaves_out: int = 0) -> None:
        if order.state in ("paid", "cancelled"):
            return
        vouchers = self._desk.shown(order, order.plan.vouchers[leaves_out:])
        if vouchers is None or order.state in ("paid", "cancelled"):
            return
        if order.plan.written_first:
            order.state = "pending"
        order.wished.add(points)
        customer, cart = order.plan.customer, order.cart
        with order.holding():
            told = self._told(
                "authorize",
                order.reference,
                lambda: self.checkout.authorize(
                    order.reference, cart, customer_id=customer, points=points, seen_due=seen, vouchers=vouchers
                ),
            )
        if told.error is None and order.state == "missing":
            order.state = "pending"

    def _without(self, order: Bought) -> None:
        if order.state != "pending":
            return
        with order.holding():
            self._told(
                "without",
                order.reference,
                lambda: self.checkout.authorize(order.reference, order.cart, customer_id=order.plan.customer, points=0),
            )

    def _pay(self, order: Bought) -> None:
        """The order's page: what is due is read and charged, and then the points are taken."""
        if order.state == "pending":
            told = self._told("find", order.reference, lambda: self.checkout.find(order.reference))
            if told.error is not None or order.state != "pending":
                return
            try:
                due_minor = order.due_minor(told.payment)
            except PunktgenauError:
                self._seams.note("nothing can be charged yet")
                return
            order.charge(due_minor, told.payment)
            self._seams.note(f"{order.reference} is paid: {due_minor} charged")
        if self._world.plan.taken != "shipped":
            self.captured(order)

    def captured(self, order: Bought) -> None:
        """All that is left of its points is paid."""
        if order.state == "paid" and (order.with_points or self._world.shop.earns):
            told = self._told("capture", order.reference, lambda: self.checkout.capture(order.reference))
            order.is_told = order.is_told or told.error is None

    def _ship(self, order: Bought, parcel: str) -> None:
        """A parcel leaves, and takes the points of what is in it."""
        if order.state == "paid" and order.with_points:
            lines = PARCELS[parcel]
            self._told(
                "ship",
                order.reference,
                lambda: self.checkout.capture(order.reference, lines=lines, shipment_reference=parcel),
            )

    def take_back(self, order: Bought, reference: str) -> None:
        """Goods come back."""
        if order.state != "paid":
            return
        back = BACK[reference]
        order.came_back.setdefault(reference, False)
        if self._world.shop.earns and not order.is_told:
            # What nobody knows as paid has earned nothing that could be taken back.
            self.captured(order)
        told = self._told(
            "refund",
            order.reference,
            lambda: self.checkout.refund(
                order.reference,
                return_reference=reference,
                lines={"lamp": back.lamps} if back.lamps else None,
                shipping_minor=back.shipping_minor,
                amount_minor=back.amount_minor,
            ),
        )
        order.came_back[reference] = order.came_back[reference] or told.error is None

    def _declined(self, order: Bought) -> None:
        if order.state == "pending":
            with order.holding():
                self._told("void", order.reference, lambda: self.checkout.void(order.reference))

    def cancel(self, order: Bought) -> None:
        """The order will not happen; what was charged is paid back by the payment provider."""
        order.state, order.charged_minor, order.uncancelled = "cancelled", 0, True
        told = self._told("cancel", order.reference, lambda: self.checkout.cancel(order.reference, cause="clerk"))
        order.uncancelled = told.error is not None
        if told.error is None and order.cancelled_ms is None:
            order.cancelled_ms = self._seams.now_ms()

    def _load(self, reference: str) -> OrderOfShop | None:
        seams = self._seams
        if seams.script.happens(seams.place("loader"), seams.odds.loader):
            raise RuntimeError("the shop's database is away")
        return self._world.shop.load(reference)

    def _told(self, call: str, reference: str, work: Callable[[], Payment | Refund | None]) -> Told:
        seams = self._seams
        me = seams.turns.current
        began_us, idle_us = seams.turns.now_us, me.idle_us if me is not None else 0
        begun, moved = len(self._world.file.begun), self._world.watch.moved
        payment: Payment | None = None
        refund: Refund | None = None
        error: Exception | None = None
        try:
            answer = work()
            if isinstance(answer, Refund):
                refund = answer
            else:
                payment = answer
        except Exception as caught:  # whatever the shop was told is written down and judged afterwards
            error = caught
        except BaseException:
            if call in ("authorize", "without"):
                self._world.shop.interrupted.add(reference)
            raise
        told = Told(
            self.name,
            call,
            reference,
            began_us,
            seams.turns.now_us,
            (me.idle_us if me is not None else 0) - idle_us,
            payment,
            refund,
            error,
            self._world.watch.books_of(reference),
            due_of(payment),
            self._world.watch.left_open(one for name, one in self._world.file.begun[begun:] if name == self.name),
            self._world.watch.back_of(reference) if refund is not None else (),
            self._world.watch.states_since(moved, payment.idempotency_key) if payment is not None else (),
        )
        self._world.shop.told.append(told)
        seams.note(f"{call} {reference} told {shown(payment, refund, error)}")
        return told
