"""The noun member: who they are, what they have, and how a person consents."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import get_args
from urllib.parse import urlencode

from punktgenau._arguments import day, one_of, segment, several, text, whole
from punktgenau._clock import Clock
from punktgenau._operation import Operation
from punktgenau._problem import about_something_else
from punktgenau._redact import Hidden
from punktgenau._transport import Transport
from punktgenau.records import Balance, Entries, EntryGroup, Identification, Member

ENTRIES_MAX = 100
"""No page has more."""


def pkce_pair(clock: Clock) -> tuple[str, str]:
    """A fresh code verifier and its S256 challenge (RFC 7636); the verifier stays with the browser's session."""
    verifier = urlsafe_b64encode(clock.random_bytes(32)).rstrip(b"=").decode()
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return verifier, challenge


def _path(member_id: str, tail: str = "") -> str:
    return f"/v1/members/{segment(member_id, field='member_id')}{tail}"


class Members:
    """`client.members`: balances, movements, and the consent of a member."""

    def __init__(self, transport: Transport, *, base_url: str, client_id: str) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._client_id = client_id

    def balance(self, *, member_id: str, deadline_s: float | None = None) -> Balance:
        """Points of a member: available, held, pending, with rate and limits; never cached here.

        Raises NotLinkedError without consent, NotFoundError, NotSentError or UnavailableError when there is no answer.
        """
        operation = Operation(name="balance", method="GET", path=_path(member_id, "/balance"), reply=Balance)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if member_id not in (answer.record.member_id, *answer.record.former_member_ids):
            raise about_something_else(operation, "member_id", answer)
        return answer.record

    def get(self, *, member_id: str, deadline_s: float | None = None) -> Member:
        """A member as this partner may see them: state and consent.

        Raises NotFoundError, NotSentError or UnavailableError.
        """
        operation = Operation(name="member", method="GET", path=_path(member_id), reply=Member)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if member_id not in (answer.record.member_id, *answer.record.former_member_ids):
            raise about_something_else(operation, "member_id", answer)
        return answer.record

    def entries(
        self,
        *,
        member_id: str,
        cursor: str | None = None,
        kinds: Sequence[EntryGroup] | None = None,
        since: date | None = None,
        until: date | None = None,
        limit: int | None = None,
        deadline_s: float | None = None,
    ) -> Entries:
        """Movements of a member, newest first; `cursor` is the page before's `next_cursor`, with the same filters.

        `kinds` leaves only these groups; `since` and `until` are days in UTC, both included; `limit`: up to 100 a page.
        Raises NotLinkedError, NotFoundError, NotSentError or UnavailableError.
        """
        groups = () if kinds is None else several(kinds, field="kinds")
        query = [("kind", one_of(group, *get_args(EntryGroup), field="kinds")) for group in groups]
        query += [("since", day(since, field="since"))] if since is not None else []
        query += [("until", day(until, field="until"))] if until is not None else []
        query += [("limit", str(whole(limit, field="limit", most=ENTRIES_MAX)))] if limit is not None else []
        query += [("cursor", text(cursor, field="cursor", most=255))] if cursor is not None else []
        page = f"?{urlencode(query)}" if query else ""
        operation = Operation(name="entries", method="GET", path=_path(member_id, f"/entries{page}"), reply=Entries)
        return self._transport.call(operation, deadline_s=deadline_s).record

    def consent_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        scope: str = "balance redeem",
        locale: str | None = None,
    ) -> str:
        """Where the customer's browser goes to sign in at the provider and consent (authorization code with PKCE)."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": text(redirect_uri, field="redirect_uri", most=2048),
            "scope": text(scope, field="scope"),
            "state": text(state, field="state", most=512),
            "code_challenge": text(code_challenge, field="code_challenge", most=128),
            "code_challenge_method": "S256",
        }
        if locale is not None:
            query["ui_locales"] = text(locale, field="locale")
        return f"{self._base_url}/oauth/authorize?{urlencode(query)}"

    def identify(
        self, *, code: str, redirect_uri: str, code_verifier: str, deadline_s: float | None = None
    ) -> Identification:
        """Exchange the code that came back with the browser, once, for the member and their consent; no token is kept.

        Raises ProviderError where the code is old, used or not for this shop; NotSentError or UnavailableError.
        """
        code = Hidden(text(code, field="code", most=2048))
        code_verifier = Hidden(text(code_verifier, field="code_verifier", most=128))
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": text(redirect_uri, field="redirect_uri", most=2048),
            "code_verifier": code_verifier,
        }
        operation = Operation(
            name="identify",
            method="POST",
            path="/oauth/token",
            reply=Identification,
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
            authenticated=False,
        )
        return self._transport.call(operation, deadline_s=deadline_s).record
