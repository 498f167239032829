"""Reconciling a month: statement, journal and the shop's orders, row by row and in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from punktgenau.checkout.booking import VOUCHER_KINDS, Booking, Window, voucher_reference
from punktgenau.checkout.bookings import MANY, Bookings
from punktgenau.checkout.findings import Findings
from punktgenau.checkout.matched import Finding, corrected, disagreement, fits_figures, groups, match
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.sorting import By, Sorting, sorting
from punktgenau.checkout.tenders import TAKEN
from punktgenau.checkout.vouchers import gone_of, of_cart
from punktgenau.statement_records import BrokenLine, StatementLine

Progress = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and of how much (0: nobody knows)."""
TOLD_EVERY = 500
TOLD_LEFT = 20
"""What has found nothing is told more often: each such line or booking asks the journal, and perhaps the shop."""
KNOWN, BY_ID, BY_ORDER, LEFT = 1, 2, 3, 4
"""What a line or booking has left to try: what the journal knows of it; the provider's id; the order; nothing."""


@dataclass(slots=True)
class Counted:
    """How much was read and paired; points as each side has them, of what belongs to the month."""

    lines: int = 0
    bookings: int = 0
    matched: int = 0
    points_there: int = 0
    points_here: int = 0


class Reconciling:
    """One run over one month."""

    def __init__(
        self, bookings: Bookings, findings: Findings, *, partner_id: str, window: Window, progress: Progress
    ) -> None:
        self._bookings = bookings
        self._findings = findings
        self._partner_id = partner_id
        self._window = window
        self._progress = progress
        self._left = 0
        self.counted = Counted()

    def run(self, statement: Iterable[StatementLine | BrokenLine]) -> None:
        """Read both sides, match them, and tell `findings` what does not agree."""
        with sorting() as store:
            self._read_statement(store, statement)
            self._read_journal(store)
            self._match(store, "key", round_=0, following=BY_ID)
            self._sort_out_known(store)
            self._match(store, "provider_id", round_=BY_ID, following=BY_ORDER)
            self._match_by_order(store)
            self._settle_lines(store)
            for booking in store.rest("booking", round_=LEFT):
                self._go_on()
                self._findings.lost_booking(booking, self._window)

    def _go_on(self) -> None:
        if self._left % TOLD_LEFT == 0:
            self._progress("left", self._left, 0)
        self._left += 1

    def _read_statement(self, store: Sorting, statement: Iterable[StatementLine | BrokenLine]) -> None:
        for line in statement:
            if isinstance(line, BrokenLine):
                self._findings.broken(line.number, line.reason)
            elif (flaw := line.flaw) is not None:
                self._findings.broken(line.sequence, flaw)
            elif line.partner_id and line.partner_id != self._partner_id:
                self._findings.broken(line.sequence, "belongs to another partner")
            elif not store.add("line", _booking(line)):
                self._findings.broken(line.sequence, f"its id {line.id[:40]} stands on the statement twice")
            else:
                self.counted.lines += 1
                self.counted.points_there += line.points

    def _read_journal(self, store: Sorting) -> None:
        for number, booking in enumerate(self._bookings.within(self._window), 1):
            store.add("booking", booking)
            if self._window.is_of_month(booking.at):
                self.counted.bookings += 1
                self.counted.points_here += booking.points
            if number % TOLD_EVERY == 0:
                self._progress("journal", number, 0)

    def _match(self, store: Sorting, by: By, *, round_: int, following: int) -> None:
        def column(booking: Booking) -> str:
            return str(getattr(booking, by))

        total, done = store.count("line"), 0
        lines, bookings = (store.ordered(side, by, round_=round_) for side in ("line", "booking"))
        for theirs, mine in groups(lines, bookings, column):
            result = match(theirs, mine, self._window)
            self.counted.matched += len(result.pairs)
            for finding in result.findings:
                self._findings.add(finding)
            for _, booking in result.pairs:
                self._findings.paired(booking, self._window)
            # Where the redemption is known by what is surest, it is not looked for by anything less sure.
            self._put_off(store, theirs, result.lines, round_=KNOWN if mine else following)
            if result.bookings:
                store.put_off("booking", [one.id for one in result.bookings], round_=following)
            done += len(theirs)
            if round_ == 0 and done % TOLD_EVERY < len(theirs):
                self._progress("matching", done, total)
        store.pass_on(by, round_=round_, following=following)

    def _sort_out_known(self, store: Sorting) -> None:
        """A line whose key the journal has, though with nothing booked near this month, is about that and no other."""
        with_key = (one for one in store.rest("line", round_=BY_ID) if one.key)
        for batch in _batches(with_key):
            known = self._bookings.known_keys([one.key for one in batch])
            store.put_off("line", [one.id for one in batch if one.key in known], round_=KNOWN)

    def _match_by_order(self, store: Sorting) -> None:
        """At last by order and figures, one by one: of two that are the same each finds its own."""
        lines, bookings = (store.ordered(side, "order_reference", round_=BY_ORDER) for side in ("line", "booking"))
        for theirs, mine in groups(lines, bookings, lambda booking: booking.order_reference):
            left = list(mine)
            for line in corrected(theirs):
                fits = next((one for one in left if fits_figures(line, one)), None)
                if fits is None:
                    self._put_off(store, theirs, [line], round_=KNOWN)
                    continue
                left.remove(fits)
                finding = disagreement(line, fits, self._window)
                if finding is None:
                    self.counted.matched += 1
                    self._findings.paired(fits, self._window)
                else:
                    self._findings.add(finding)
            store.put_off("booking", [one.id for one in left], round_=LEFT)
        store.pass_on("order_reference", round_=BY_ORDER, following=KNOWN)

    def _put_off(self, store: Sorting, theirs: Sequence[Booking], left: Sequence[Booking], *, round_: int) -> None:
        """Keep for later what found nothing, as its corrections among `theirs` leave it: they count once."""
        if left:
            said = {one.id: one for one in theirs}
            store.correct(one for one in left if one is not said[one.id])
            store.put_off("line", [one.id for one in left], round_=round_)

    def _settle_lines(self, store: Sorting) -> None:
        """Lines that have found no booking of the month: what the journal knows of them at any other time."""
        for line in store.rest("line", round_=KNOWN):
            self._go_on()
            if self._findings.is_full:
                self._findings.count("only_there")
            elif (row := self._bookings.redemption(line)) is not None:
                self._settle_known(store, line, row)
            elif line.key and (earned := self._bookings.earned.of_key(line.key)):
                self._settle_earned(line, earned)
            else:
                points = self._bookings.of_orders([line.order_reference]).get(line.order_reference)
                booked = () if points is None else self._bookings.of_redemption(points.id)
                twin = next((one for one in booked if fits_figures(line, one)), None)
                self._findings.unknown_line(line, twin)

    def _settle_known(self, store: Sorting, line: Booking, row: RedemptionRow) -> None:
        booked = self._bookings.of_redemption(row.id)
        twin = next((one for one in booked if (one.kind, one.reference) == (line.kind, line.reference)), None)
        if twin is not None and self._window.is_near(twin.at):
            # It was booked near this month, so another line has found it.
            self._findings.double(line, twin)
        elif twin is not None:
            self._findings.add(Finding("period", line, twin, "booked here in another month"))
        elif _was_seen(line, row, booked, store.seen(row.id, line.about)):
            # Found out by looking it up, so no operation of ours stands for it.
            store.see(row.id, line)
            self.counted.matched += 1
        else:
            self._findings.known_line(line, row)

    def _settle_earned(self, line: Booking, booked: Sequence[Booking]) -> None:
        """A line about what an order has earned, of which nothing is booked near this month, or not for this line."""
        twin = next((one for one in booked if (one.kind, one.reference) == (line.kind, line.reference)), None)
        if twin is None:
            self._findings.add(
                Finding("only_there", line, None, "what this order has earned was booked otherwise here")
            )
        elif self._window.is_near(twin.at):
            self._findings.double(line, twin)
        else:
            self._findings.add(Finding("period", line, twin, "booked here in another month"))


def _was_seen(line: Booking, row: RedemptionRow, booked: Sequence[Booking], seen: tuple[int, int]) -> bool:
    """Whether a look-up has shown what a line says, and no more of it than that: `seen` is what other lines took."""
    same = [one for one in booked if one.about == line.about]
    if line.needs_reference:
        return _was_seen_of_voucher(line, row, same, seen[1])
    if line.currency != row.currency or line.amount_minor is None:
        return False
    if line.kind == "capture":
        is_all = (line.points, line.amount_minor) == (row.captured_points, row.captured_minor)
        return is_all and not same and seen == (0, 0)
    # A correction can have made something else of it than what goes back.
    if line.kind != "reversal" or line.points >= 0 or line.amount_minor > 0:
        return False
    points = -line.points - seen[0] - sum(one.points for one in same)
    minor = -line.amount_minor - seen[1] - sum(one.amount_minor or 0 for one in same)
    is_known = all(one.amount_minor is not None for one in same)
    if points == row.reversed_points and is_known:
        return minor == row.reversed_minor
    return points <= row.reversed_points and minor <= row.reversed_minor


def _was_seen_of_voucher(line: Booking, row: RedemptionRow, booked: Sequence[Booking], seen_minor: int) -> bool:
    voucher_id, minor = line.about.split(" ", 1)[1], line.amount_minor or 0
    paid = next((one for one in of_cart(row.cart) if one.id == voucher_id), None)
    if paid is None or line.currency != row.currency or line.points:
        return False
    if line.kind == "voucher":
        return row.state in TAKEN and minor == paid.value_minor and not booked and not seen_minor
    gone_minor = gone_of(row.vouchers_gone).get(voucher_id, (0, 0))[0]
    return 0 < -minor <= gone_minor + seen_minor + sum(one.amount_minor or 0 for one in booked)


def _booking(line: StatementLine) -> Booking:
    return Booking(
        id=line.id,
        kind=line.kind,
        at=int(line.at.timestamp()) * 1000,
        points=line.points,
        amount_minor=line.amount_minor,
        currency=line.currency,
        key=line.idempotency_key,
        provider_id=line.redemption_id or line.accrual_id or "",
        order_reference=line.order_reference,
        reference=_reference(line) or "",
        corrects=line.corrects or "",
    )


def _reference(line: StatementLine) -> str | None:
    if line.kind == "accrual":
        return line.accrual_id
    if line.kind in VOUCHER_KINDS:
        return voucher_reference(line.voucher_id or "", line.return_reference or "")
    goes_back = line.kind in ("reversal", "accrual_reversal")
    return line.return_reference if goes_back else line.capture_reference


def _batches(bookings: Iterator[Booking]) -> Iterator[list[Booking]]:
    while batch := list(islice(bookings, MANY)):
        yield batch
