"""The routes of members and events."""

from __future__ import annotations

import json
from functools import cache

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint

from . import events, members, replies, replies_events
from .answering import reply
from .clock import stamp
from .openapi import EVENTS, MEMBERS, NEEDS_TOKEN, answers
from .parameters import EntriesQuery, EventsQuery, MemberPath
from .state import request_work, sandbox


@cache
def member_routes() -> APIBlueprint:
    """Everything below /v1/members."""
    api = APIBlueprint("members", __name__, url_prefix="/v1/members", abp_tags=[MEMBERS], abp_security=NEEDS_TOKEN)
    for rule, operation, model, view in (
        ("/<member_id>", "member", replies.Member, member),
        ("/<member_id>/balance", "balance", replies.Balance, balance),
        ("/<member_id>/entries", "entries", replies.EntryPage, entries),
    ):
        api.get(rule, operation_id=operation, responses=answers({200: model}, 403, 404))(view)
    return api


@cache
def event_routes() -> APIBlueprint:
    """The log of what happened."""
    api = APIBlueprint("events", __name__, url_prefix="/v1/events", abp_tags=[EVENTS], abp_security=NEEDS_TOKEN)
    api.get("", operation_id="events", responses=answers({200: replies_events.EventPage}))(list_events)
    return api


def member(path: MemberPath) -> Response:
    """Who this member is to the partner."""
    with request_work() as work:
        return reply(members.member_reply(work, member_id=path.member_id, partner_id=g.partner_id))


def balance(path: MemberPath) -> Response:
    """What a member can spend, has reserved, and will get."""
    with request_work() as work:
        return reply(members.balance_reply(work, member_id=path.member_id, partner_id=g.partner_id))


def entries(path: MemberPath, query: EntriesQuery) -> Response:
    """A member's entries, newest first."""
    with request_work() as work:
        members.consenting(work, member_id=path.member_id, partner_id=g.partner_id)
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
            mode=sandbox().mode,
        )
    )


def list_events(query: EventsQuery) -> Response:
    """Events after a sequence, oldest first."""
    with request_work() as work:
        rows = events.after(work, partner_id=g.partner_id, sequence=query.after, limit=query.limit + 1)
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
            mode=sandbox().mode,
        )
    )  # fmt: skip
