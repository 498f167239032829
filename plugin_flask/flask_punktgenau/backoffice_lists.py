"""The back office's lists: redemptions, what needs a person, figures over time, who did what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from flask import request
from werkzeug import Response

from flask_punktgenau.backoffice_chart import Chart, chart
from flask_punktgenau.backoffice_csv import csv_response, figure_rows, redemption_rows
from flask_punktgenau.backoffice_gate import language, office, page, to
from flask_punktgenau.backoffice_language import By, OfficeLanguage
from flask_punktgenau.state import current_state
from punktgenau.checkout.earning.schema import EarningRow
from punktgenau.checkout.figures import Figures, Span
from punktgenau.checkout.moments import milliseconds
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import ANY, STATES, FoundPage, Search
from punktgenau.money import Money

TEXT_LENGTH_MAX = 255
_BESIDES = 20
_SPANS: dict[By, int] = {"day": 30, "week": 26, "month": 12}
_CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters as they stand in the address, and what they ask for; what cannot be meant is left out."""

    text: str
    state: str
    since: str
    until: str
    search: Search

    @property
    def is_set(self) -> bool:
        """Whether anything is left out by them."""
        return bool(self.text or self.state or self.since or self.until)

    @property
    def query(self) -> dict[str, str]:
        """For addresses of other pages with the same filters."""
        said = {"q": self.text, "state": self.state, "since": self.since, "until": self.until}
        return {name: text for name, text in said.items() if text}


def redemptions() -> Response:
    """Every redemption that fits the filters, newest first, a page at a time."""
    t = language()
    filters = filters_of(t)
    cursor = request.args.get("after", "")
    its = office()
    found = its.searching.page(filters.search, cursor=cursor)
    older = to("redemptions", **filters.query, after=found.next_cursor) if found.next_cursor else ""
    return page(
        "redemptions.html",
        here="redemptions",
        filters=filters,
        found=found.items,
        states=STATES,
        beginning=found.beginning,
        all_with_it=_all_with_it(filters, found),
        older=older,
        newest=to("redemptions", **filters.query) if cursor else "",
        earned=_earned_besides(its, filters) if not cursor else (),
        csv=to("redemptions_csv", **filters.query),
    )


def _earned_besides(its: Office, filters: Filters) -> tuple[EarningRow, ...]:
    """Orders of that name, or of that person, which no points have paid and which earn some."""
    if not filters.text or filters.state:
        return ()
    found = its.listed.earnings(filters.search, limit=_BESIDES).items
    return tuple(one for one in found if not its.searching.attempts(one.order_reference))


def _all_with_it(filters: Filters, found: FoundPage) -> str:
    """Where one order is found by its whole reference: all whose references begin with it; empty elsewhere."""
    if found.beginning or not any(one.order_reference == filters.text for one in found.items):
        return ""
    return to("redemptions", **filters.query | {"q": filters.text + ANY})


def redemptions_csv() -> Response:
    """The same without pages, as CSV."""
    return csv_response("redemptions.csv", redemption_rows(office().searching.all(filters_of(language()).search)))


def attention() -> Response:
    """What cannot go on without a person, and what is merely late."""
    return page("attention.html", here="attention", all=office().attention())


def figures() -> Response:
    """What orders paid with points and what came back, by day, week or month."""
    t, by = language(), _by()
    found = office().figures(spans(t, by, current_state().clock.now()))
    return page(
        "figures.html",
        here="figures",
        by=by,
        choices=tuple(_SPANS),
        figures=found,
        total=_total(found),
        worth=_worth(one.captured for one in found),
        lost=_worth(one.written_off for one in found),
        currencies=sorted({currency for one in found for currency in (*one.captured, *one.written_off)}),
        points=_chart(t, by, [(one, one.captured_points, one.kept_points) for one in found]),
        orders=_chart(t, by, [(one, one.attempts, one.attempts - one.refused) for one in found]),
        csv=to("figures_csv", by=by),
    )


def figures_csv() -> Response:
    """The same numbers as CSV."""
    t = language()
    found = office().figures(spans(t, _by(), current_state().clock.now()))
    return csv_response("figures.csv", figure_rows(found, t))


def log() -> Response:
    """Who did what by hand, newest first."""
    cursor = _CURSOR.fullmatch(request.args.get("after", ""))
    found = office().log(before=(int(cursor[1]), cursor[2]) if cursor else None, most=51)
    shown, last = found[:50], found[49] if len(found) > 50 else None
    after = f"{milliseconds(last.at)}-{last.id}" if last else ""
    return page(
        "log.html",
        here="log",
        actions=shown,
        older=to("log", after=after) if after else "",
        newest=to("log") if cursor else "",
    )


def spans(t: OfficeLanguage, by: By, now: datetime) -> tuple[Span, ...]:
    """The last days, weeks (from Monday) or months of the page's timezone, today's included."""
    today = t.local(now).date()
    starts = [_start(today, by, back) for back in range(_SPANS[by] - 1, -2, -1)]
    moments = [_midnight(t, now, start) for start in starts]
    return tuple(Span(since=since, until=until) for since, until in pairwise(moments))


def _start(today: date, by: By, back: int) -> date:
    if by == "day":
        return today - timedelta(days=back)
    if by == "week":
        return today - timedelta(days=today.weekday(), weeks=back)
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _midnight(t: OfficeLanguage, now: datetime, day: date) -> datetime:
    """Where a day begins in the page's timezone."""
    return datetime.combine(day, time(), tzinfo=t.local(now).tzinfo)


def filters_of(t: OfficeLanguage, states: Sequence[str] = STATES) -> Filters:
    """What the address filters by; `states` are those that there are."""
    said = {name: request.args.get(name, "").strip() for name in ("q", "state", "since", "until")}
    text = said["q"][:TEXT_LENGTH_MAX]
    text = text if text.isprintable() else ""
    state = said["state"] if said["state"] in states else ""
    since, until = _day(said["since"]), _day(said["until"])
    now = current_state().clock.now()
    search = Search(
        text=text,
        state=state,
        since=None if since is None else _midnight(t, now, since),
        until=None if until is None else _midnight(t, now, until + timedelta(days=1)),
    )
    return Filters(
        text=text,
        state=state,
        since="" if since is None else since.isoformat(),
        until="" if until is None else until.isoformat(),
        search=search,
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 < day.year < 9999 else None


def _by() -> By:
    wanted = request.args.get("by", "day")
    return next((by for by in _SPANS if by == wanted), "day")


def _chart(t: OfficeLanguage, by: By, numbers: list[tuple[Figures, int, int]]) -> Chart:
    return chart([(t.span(one.span.since, by), whole, part) for one, whole, part in numbers])


def _worth(figures: Iterable[dict[str, Money]]) -> dict[str, Money]:
    worth: dict[str, Money] = {}
    for one in figures:
        for currency, amount in one.items():
            worth[currency] = worth[currency] + amount if currency in worth else amount
    return worth


def _total(found: tuple[Figures, ...]) -> dict[str, int]:
    return {
        "attempts": sum(one.attempts for one in found),
        "refused": sum(one.refused for one in found),
        "captured": sum(one.captured_points for one in found),
        "reversed": sum(one.reversed_points for one in found),
        "kept": sum(one.kept_points for one in found),
    }
