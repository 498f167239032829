"""One key, one effect: what a write with this key has led to, and what it is answered with from then on."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from . import profile
from .clock import stamp
from .database import Work
from .problems import Refusal

TOMBSTONE = "tombstone"


@dataclass(frozen=True)
class Write:
    """One write request, as far as its key is concerned. `payload` is the body as it came, parsed."""

    partner_id: str
    operation: str
    key: str
    method: str
    path: str
    payload: object

    @property
    def fingerprint(self) -> str:
        """A digest of method, path and canonical body."""
        canonical = json.dumps([self.method, self.path, self.payload], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Effect:
    """What a write led to: a redemption or an accrual, with the reversal if it made one; a voucher; or a payout."""

    redemption_id: str | None = None
    reversal_id: str | None = None
    accrual_id: str | None = None
    voucher_id: str | None = None
    payout_id: str | None = None


@dataclass(frozen=True)
class Answer:
    """The effect or the refusal, now or from an earlier request with the same key."""

    effect: Effect | None
    refusal: Refusal | None
    is_replay: bool


def once(work: Work, write: Write, execute: Callable[[], Effect]) -> Answer:
    """Run `execute` unless the key has been used; then answer as the first time.

    A business refusal is an answer like any other and is kept; others are raised and leave no trace of the key.
    """
    played = profile.current(work)
    if not played.has_keys:
        return Answer(execute(), None, is_replay=False)
    row = find(work, write.key, partner_id=write.partner_id)
    if row is not None:
        return _again(write, row, is_silent=played.is_silent)
    work.run("SAVEPOINT execution")
    try:
        effect = execute()
    except Refusal as refusal:
        if not refusal.is_kept:
            raise
        work.run("ROLLBACK TO execution")
        _keep(work, write, refusal=refusal)
        return Answer(None, refusal, is_replay=False)
    _keep(work, write, effect=effect)
    return Answer(effect, None, is_replay=False)


def find(work: Work, key: str, *, partner_id: str) -> sqlite3.Row | None:
    return work.one(
        "SELECT * FROM idempotency WHERE partner_id = ? AND mode = ? AND key = ?", partner_id, work.mode, key
    )


def bury(work: Work, *, partner_id: str, key: str, redemption_id: str) -> None:
    """Make sure that nothing will ever happen under this key. An earlier refusal is forgotten."""
    work.run(
        "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, '', ?, NULL, NULL, NULL, ?, NULL, NULL)",
        partner_id, work.mode, key, TOMBSTONE, redemption_id, work.at,
    )  # fmt: skip


def keep_refusal(work: Work, write: Write, refusal: Refusal) -> None:
    """Answer this key with `refusal` from now on, whatever it led to before."""
    work.run(
        "DELETE FROM idempotency WHERE partner_id = ? AND mode = ? AND key = ?", write.partner_id, work.mode, write.key
    )
    _keep(work, write, refusal=refusal)


def forget_old(work: Work) -> None:
    """Forget keys past their time. A tombstone stays for ever."""
    oldest = stamp(work.now - timedelta(seconds=profile.current(work).key_window_s))
    work.run("DELETE FROM idempotency WHERE created_at < ? AND operation <> ?", oldest, TOMBSTONE)


def _again(write: Write, row: sqlite3.Row, *, is_silent: bool) -> Answer:
    if row["operation"] == TOMBSTONE:
        refusal = Refusal(
            "key_cancelled", "Nothing was done with this key, and nothing will be.", redemption_id=row["redemption_id"]
        )
        return Answer(None, refusal, is_replay=False)
    if row["fingerprint"] != write.fingerprint and not is_silent:
        raise Refusal(
            "idempotency_key_reused", f"The key was used for another {row['operation']}.", field="Idempotency-Key"
        )
    if row["refusal"] is not None:
        return Answer(None, Refusal(**json.loads(row["refusal"])), is_replay=True)
    effect = Effect(row["redemption_id"], row["reversal_id"], row["accrual_id"], row["voucher_id"], row["payout_id"])
    return Answer(effect, None, is_replay=True)


def _keep(work: Work, write: Write, *, effect: Effect | None = None, refusal: Refusal | None = None) -> None:
    work.run(
        "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        write.partner_id, work.mode, write.key, write.operation, write.fingerprint,
        effect.redemption_id if effect else None, effect.reversal_id if effect else None,
        effect.accrual_id if effect else None,
        json.dumps(vars(refusal)) if refusal else None, work.at,
        effect.voucher_id if effect else None, effect.payout_id if effect else None,
    )  # fmt: skip
