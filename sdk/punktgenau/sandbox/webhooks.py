"""Events pushed to partners that asked for it: signed by Standard Webhooks, at least once, and wrongly on request."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import sqlite3
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from . import events
from .database import Work
from .replies_events import Event

When = Literal["soon", "early", "asked"]
WebhookFault = Literal["late", "future", "out_of_order", "repeated", "forged", "mismatching"]
Books = Callable[[], AbstractContextManager[Work]]

SECRET_PREFIX = "whsec_"
TIMEOUT_S = 5.0
POLL_S = 0.1
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Between the attempts to deliver one event; after the last one it is given up, and stands in the log as before."""
AWAY_S = 3600
BATCH = 100


@dataclass
class Subscription:
    """Where events go, and how far that has got: `after` is the last sequence that was taken without a gap."""

    url: str
    key: bytes
    partner_id: str
    when: When
    after: int
    failures: int = 0
    next_s: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """One attempt; no status: nobody answered."""

    url: str
    id: str
    type: str
    sequence: int
    status: int | None

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class _Message:
    event: Event
    key: bytes
    moment: datetime
    counts: bool = True

    def send(self, url: str) -> Delivery:
        body = self.event.model_dump_json().encode()
        stamp = str(int(self.moment.timestamp()))
        mac = hmac.new(self.key, f"{self.event.id}.{stamp}.".encode() + body, hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": self.event.id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{b64encode(mac.digest()).decode()}",
        }
        return Delivery(url, self.event.id, self.event.type, self.event.sequence, _post(url, body, headers))


@dataclass
class WebhookBook:
    """Who wants events. A thread delivers the `soon` ones, each answer waits for the `early` ones, `asked` waits."""

    _subscriptions: list[Subscription] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _thread: threading.Thread | None = None
    _wake: threading.Event = field(default_factory=threading.Event)

    def add(self, subscription: Subscription, books: Books) -> None:
        """Deliver what happens from now on; the same address again replaces what was asked for it before."""
        with self._lock:
            self._subscriptions = [one for one in self._subscriptions if one.url != subscription.url]
            self._subscriptions.append(subscription)
            if subscription.when == "soon" and self._thread is None:
                self._thread = threading.Thread(target=self._keep_delivering, args=(books,), daemon=True)
                self._thread.start()

    def clear(self) -> None:
        """Nobody wants anything any more; the thread ends."""
        with self._lock:
            self._subscriptions = []
            thread, self._thread = self._thread, None
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._wake.clear()

    def listed(self) -> list[Subscription]:
        with self._lock:
            return list(self._subscriptions)

    def deliver(self, books: Books, *, when: When | None = None, fault: WebhookFault | None = None) -> list[Delivery]:
        """Push what waits, once, to everybody or to those of one kind. What was not taken is pushed again next time."""
        tried: list[Delivery] = []
        for subscription in self.listed():
            if when in (None, subscription.when):
                tried += self._push(subscription, self._messages(subscription, books, fault), on_the_whole=bool(fault))
        return tried

    def _push(self, to: Subscription, messages: list[_Message], *, on_the_whole: bool) -> list[Delivery]:
        """Send in this order, up to the first that is not taken unless `on_the_whole`; note how far that has got."""
        tried: list[Delivery] = []
        for message in messages:
            tried.append(message.send(to.url))
            if not (tried[-1].is_taken or on_the_whole):
                break
        sent = {message.event.sequence for message in messages if message.counts}
        taken = {delivery.sequence for delivery in tried if delivery.is_taken}
        with self._lock:
            for sequence in sorted(sent):
                if sequence not in taken:
                    break
                to.after, to.failures = max(to.after, sequence), 0
        return tried

    def _messages(self, to: Subscription, books: Books, fault: WebhookFault | None) -> list[_Message]:
        with books() as work:
            rows = events.after(work, partner_id=to.partner_id, sequence=to.after, limit=BATCH)
            moment = work.now
        messages = [_Message(_event(row), to.key, moment) for row in rows]
        if fault == "out_of_order":
            return messages[::-1]
        if fault == "repeated":
            return messages * 3
        return [_broken(message, fault) for message in messages]

    def _keep_delivering(self, books: Books) -> None:
        me = threading.current_thread()
        while self._thread is me:
            try:
                for subscription in self.listed():
                    if subscription.when == "soon" and time.monotonic() >= subscription.next_s:
                        self._deliver_in_turn(subscription, books)
            except sqlite3.Error:
                # The books were closed: this sandbox is over.
                return
            self._wake.wait(POLL_S)

    def _deliver_in_turn(self, subscription: Subscription, books: Books) -> None:
        """In order, until one is not taken; that one is tried again later, and given up in the end."""
        tried = self._push(subscription, self._messages(subscription, books, None), on_the_whole=False)
        if not tried or tried[-1].is_taken:
            return
        with self._lock:
            if subscription.failures < len(PAUSES_S):
                subscription.next_s = time.monotonic() + PAUSES_S[subscription.failures]
                subscription.failures += 1
            else:
                subscription.after, subscription.failures = tried[-1].sequence, 0


def key_of(secret: str) -> bytes:
    """The key in a `whsec_` secret. Raises ValueError for anything else."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    if not secret.startswith(SECRET_PREFIX) or not key:
        raise ValueError("a webhook secret is whsec_ and base64")
    return key


def last_sequence(work: Work) -> int:
    """How far the log has got."""
    return work.number("SELECT max(sequence) FROM event")


def _event(row: sqlite3.Row) -> Event:
    return Event(
        id=row["id"], type=row["type"], sequence=row["sequence"], timestamp=row["at"], data=json.loads(row["data"])
    )


def _broken(message: _Message, fault: WebhookFault | None) -> _Message:
    seconds = message.moment.timestamp() + {"late": -AWAY_S, "future": AWAY_S}.get(fault or "", 0)
    if fault in ("late", "future"):
        return replace(message, moment=datetime.fromtimestamp(seconds, message.moment.tzinfo))
    if fault == "forged":
        return replace(message, key=hashlib.sha256(message.key).digest(), counts=False)
    if fault == "mismatching":
        # Signed by us and about another order: with an id of its own, so that the true one is still to come.
        data = message.event.data
        other = "order_reference" if hasattr(data, "order_reference") else "member_id"
        lie = {"id": f"{message.event.id}_other", "data": data.model_copy(update={other: "OTHER-1"})}
        return replace(message, event=message.event.model_copy(update=lie), counts=False)
    return message


def _post(url: str, body: bytes, headers: dict[str, str]) -> int | None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
