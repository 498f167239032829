"""The routes of members and events."""

from __future__ import annotations

import json

from . import events, members, replies, replies_events
from .answering import reply
from .call import Call, Reply
from .clock import stamp
from .openapi import EVENTS, MEMBERS, answers
from .parameters import EntriesQuery, EventsQuery, MemberPath
from .routes import Noun


def member(call: Call, path: MemberPath) -> Reply:
    """Who this member is to the partner."""
    with call.work() as work:
        return reply(members.member_reply(work, member_id=path.member_id, partner_id=call.partner_id))


def balance(call: Call, path: MemberPath) -> Reply:
    """What a member can spend, has reserved, and will get."""
    with call.work() as work:
        return reply(members.balance_reply(work, member_id=path.member_id, partner_id=call.partner_id))


def entries(call: Call, path: MemberPath, query: EntriesQuery) -> Reply:
    """A member's entries, newest first."""
    with call.work() as work:
        members.consenting(work, member_id=path.member_id, partner_id=call.partner_id)
        before = None if query.cursor is None else int(query.cursor)
        rows = members.movements(
            work, member_id=path.member_id, before=before, limit=query.limit + 1, groups=query.kind, since=query.since,
            until=query.until,
        )  # fmt: skip
    page = rows[: query.limit]
    names = list(replies.Entry.model_fields)
    return reply(
        replies.EntryPage(
            items=[replies.Entry.model_validate({name: row[name] for name in names}) for row in page],
            next_cursor=str(page[-1]["sequence"]) if len(rows) > len(page) else None,
            now=stamp(work.now),
            mode=call.provider.mode,
        )
    )


def list_events(call: Call, query: EventsQuery) -> Reply:
    """Events after a sequence, oldest first."""
    with call.work() as work:
        rows = events.after(work, partner_id=call.partner_id, sequence=query.after, limit=query.limit + 1)
    page = rows[: query.limit]
    return reply(
        replies_events.EventPage(
            items=[
                replies_events.Event(
                    id=row["id"], type=row["type"], sequence=row["sequence"], timestamp=row["at"],
                    data=json.loads(row["data"]),
                )
                for row in page
            ],
            next_cursor=str(page[-1]["sequence"]) if len(rows) > len(page) else None,
            now=stamp(work.now),
            mode=call.provider.mode,
        )
    )  # fmt: skip


_below = Noun("/v1/members", MEMBERS)
MEMBER_ROUTES = (
    _below.get("/<member_id>", "member", member, answers({200: replies.Member}, 403, 404)),
    _below.get("/<member_id>/balance", "balance", balance, answers({200: replies.Balance}, 403, 404)),
    _below.get("/<member_id>/entries", "entries", entries, answers({200: replies.EntryPage}, 403, 404)),
)
EVENT_ROUTES = (Noun("/v1/events", EVENTS).get("", "events", list_events, answers({200: replies_events.EventPage})),)
