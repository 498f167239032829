"""The tables of the books. What must never happen is refused here too, whatever the code above does."""

from __future__ import annotations

from .tables_vouchers import VOUCHERS

_ROWS = (
    "CREATE TABLE IF NOT EXISTS counter (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS profile (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS partner (
        id TEXT PRIMARY KEY, display_name TEXT NOT NULL, secret_digest TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS rate (
        id TEXT PRIMARY KEY, points INTEGER NOT NULL CHECK (points > 0),
        amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), currency TEXT NOT NULL, rounding TEXT NOT NULL,
        is_current INTEGER NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX IF NOT EXISTS rate_current ON rate (is_current) WHERE is_current = 1",
    """CREATE TABLE IF NOT EXISTS programme (
        only INTEGER PRIMARY KEY CHECK (only = 1), min_points INTEGER NOT NULL, max_points INTEGER,
        step INTEGER NOT NULL, max_share_percent INTEGER, max_value_minor INTEGER) STRICT""",
    """CREATE TABLE IF NOT EXISTS member (
        id TEXT PRIMARY KEY, display_name TEXT NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS consent (
        id TEXT PRIMARY KEY, member_id TEXT NOT NULL REFERENCES member, partner_id TEXT NOT NULL REFERENCES partner,
        scope TEXT NOT NULL, given_at TEXT NOT NULL, revoked_at TEXT, UNIQUE (member_id, partner_id)) STRICT""",
    """CREATE TABLE IF NOT EXISTS token (
        digest TEXT PRIMARY KEY, partner_id TEXT NOT NULL REFERENCES partner, expires_at TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS code (
        digest TEXT PRIMARY KEY, partner_id TEXT NOT NULL REFERENCES partner, member_id TEXT NOT NULL,
        consent_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL, scope TEXT NOT NULL,
        expires_at TEXT NOT NULL, used_at TEXT) STRICT""",
    """CREATE TABLE IF NOT EXISTS lot (
        id INTEGER PRIMARY KEY, member_id TEXT NOT NULL REFERENCES member, points INTEGER NOT NULL CHECK (points > 0),
        expires_at TEXT, created_at TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS redemption (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT NOT NULL REFERENCES partner,
        mode TEXT NOT NULL, member_id TEXT NOT NULL, order_reference TEXT NOT NULL, idempotency_key TEXT NOT NULL,
        points INTEGER NOT NULL, value_minor INTEGER NOT NULL, total_minor INTEGER NOT NULL, currency TEXT NOT NULL,
        rate_id TEXT NOT NULL REFERENCES rate, line_count INTEGER NOT NULL, context TEXT NOT NULL,
        held_points INTEGER NOT NULL CHECK (held_points >= 0),
        captured_points INTEGER NOT NULL CHECK (captured_points >= 0),
        released_points INTEGER NOT NULL CHECK (released_points >= 0),
        reversed_points INTEGER NOT NULL CHECK (reversed_points BETWEEN 0 AND captured_points),
        captured_minor INTEGER NOT NULL CHECK (captured_minor BETWEEN 0 AND value_minor),
        reversed_minor INTEGER NOT NULL CHECK (reversed_minor BETWEEN 0 AND captured_minor),
        state TEXT NOT NULL, is_live INTEGER NOT NULL, sequence INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, expires_at TEXT,
        vouchers_minor INTEGER NOT NULL DEFAULT 0,
        held_vouchers_minor INTEGER NOT NULL DEFAULT 0 CHECK (held_vouchers_minor >= 0),
        captured_vouchers_minor INTEGER NOT NULL DEFAULT 0 CHECK (captured_vouchers_minor >= 0),
        reversed_vouchers_minor INTEGER NOT NULL DEFAULT 0
            CHECK (reversed_vouchers_minor BETWEEN 0 AND captured_vouchers_minor),
        UNIQUE (partner_id, mode, idempotency_key),
        CHECK (held_points + captured_points + released_points = points),
        CHECK (held_vouchers_minor + captured_vouchers_minor <= vouchers_minor),
        CHECK (is_live = (held_points > 0 OR captured_points > reversed_points
            OR held_vouchers_minor > 0 OR captured_vouchers_minor > reversed_vouchers_minor)),
        CHECK ((expires_at IS NOT NULL) = (held_points > 0 OR held_vouchers_minor > 0))) STRICT""",
    """CREATE UNIQUE INDEX IF NOT EXISTS redemption_live
        ON redemption (partner_id, mode, order_reference) WHERE is_live = 1""",
    "CREATE INDEX IF NOT EXISTS redemption_order ON redemption (partner_id, mode, order_reference, number)",
    "CREATE INDEX IF NOT EXISTS redemption_due ON redemption (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS draw (
        redemption_id TEXT NOT NULL REFERENCES redemption (id), position INTEGER NOT NULL,
        lot_id INTEGER NOT NULL REFERENCES lot, points INTEGER NOT NULL CHECK (points > 0),
        captured_points INTEGER NOT NULL DEFAULT 0, released_points INTEGER NOT NULL DEFAULT 0,
        reversed_points INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (redemption_id, position),
        CHECK (captured_points >= 0 AND released_points >= 0 AND captured_points + released_points <= points),
        CHECK (reversed_points BETWEEN 0 AND captured_points)) STRICT""",
    """CREATE TABLE IF NOT EXISTS capture (
        redemption_id TEXT NOT NULL REFERENCES redemption (id), capture_reference TEXT,
        points INTEGER NOT NULL CHECK (points >= 0), value_minor INTEGER NOT NULL, idempotency_key TEXT NOT NULL,
        created_at TEXT NOT NULL, vouchers_minor INTEGER NOT NULL DEFAULT 0,
        UNIQUE (redemption_id, capture_reference), CHECK (points > 0 OR vouchers_minor > 0)) STRICT""",
    """CREATE TABLE IF NOT EXISTS reversal (
        id TEXT PRIMARY KEY, redemption_id TEXT NOT NULL REFERENCES redemption (id), return_reference TEXT NOT NULL,
        points INTEGER NOT NULL CHECK (points >= 0), value_minor INTEGER NOT NULL, restored INTEGER NOT NULL,
        already_expired INTEGER NOT NULL, converted INTEGER NOT NULL, idempotency_key TEXT NOT NULL,
        created_at TEXT NOT NULL, vouchers_minor INTEGER NOT NULL DEFAULT 0, UNIQUE (redemption_id, return_reference),
        CHECK (points > 0 OR vouchers_minor > 0),
        CHECK (restored + already_expired + converted = points)) STRICT""",
    """CREATE TABLE IF NOT EXISTS accrual (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT NOT NULL REFERENCES partner,
        mode TEXT NOT NULL, member_id TEXT NOT NULL REFERENCES member, order_reference TEXT NOT NULL,
        accrual_reference TEXT NOT NULL, idempotency_key TEXT NOT NULL, points INTEGER NOT NULL CHECK (points > 0),
        reversed_points INTEGER NOT NULL CHECK (reversed_points BETWEEN 0 AND points), value_minor INTEGER NOT NULL,
        currency TEXT NOT NULL, rate_id TEXT NOT NULL REFERENCES rate, lot_id INTEGER REFERENCES lot,
        reason TEXT NOT NULL, state TEXT NOT NULL, sequence INTEGER NOT NULL, created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, posted_at TEXT, pending_until TEXT,
        taken_points INTEGER NOT NULL DEFAULT 0 CHECK (taken_points BETWEEN 0 AND reversed_points),
        UNIQUE (partner_id, mode, accrual_reference),
        CHECK ((state = 'pending') = (pending_until IS NOT NULL)),
        CHECK ((state = 'reversed') = (reversed_points = points)),
        CHECK ((lot_id IS NOT NULL) = (posted_at IS NOT NULL))) STRICT""",
    """CREATE TABLE IF NOT EXISTS accrual_reversal (
        id TEXT PRIMARY KEY, accrual_id TEXT NOT NULL REFERENCES accrual (id), return_reference TEXT NOT NULL,
        points INTEGER NOT NULL CHECK (points > 0), value_minor INTEGER NOT NULL,
        taken_pending INTEGER NOT NULL CHECK (taken_pending >= 0),
        taken_available INTEGER NOT NULL CHECK (taken_available >= 0),
        taken_below_zero INTEGER NOT NULL CHECK (taken_below_zero >= 0),
        not_taken INTEGER NOT NULL CHECK (not_taken >= 0), idempotency_key TEXT NOT NULL, reason TEXT NOT NULL,
        created_at TEXT NOT NULL, UNIQUE (accrual_id, return_reference),
        CHECK (taken_pending + taken_available + taken_below_zero + not_taken = points)) STRICT""",
    "CREATE INDEX IF NOT EXISTS accrual_order ON accrual (partner_id, mode, order_reference, number)",
    "CREATE INDEX IF NOT EXISTS accrual_key ON accrual (partner_id, mode, idempotency_key)",
    """CREATE TABLE IF NOT EXISTS statement_line (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT NOT NULL REFERENCES partner,
        mode TEXT NOT NULL, period TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
        points INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
        redemption_id TEXT REFERENCES redemption (id), accrual_id TEXT REFERENCES accrual (id),
        idempotency_key TEXT NOT NULL, order_reference TEXT NOT NULL, capture_reference TEXT, return_reference TEXT,
        corrects TEXT, reason TEXT NOT NULL, voucher_id TEXT, UNIQUE (partner_id, mode, period, sequence),
        CHECK ((redemption_id IS NULL) <> (accrual_id IS NULL))) STRICT""",
    """CREATE TABLE IF NOT EXISTS lot_issuer (
        lot_id INTEGER PRIMARY KEY REFERENCES lot, partner_id TEXT NOT NULL REFERENCES partner) STRICT""",
    """CREATE TABLE IF NOT EXISTS issued_line (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT REFERENCES partner,
        mode TEXT NOT NULL, period TEXT NOT NULL, sequence INTEGER, kind TEXT NOT NULL, at TEXT NOT NULL,
        points INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
        redemption_id TEXT REFERENCES redemption (id), lot_id INTEGER NOT NULL REFERENCES lot,
        accrual_id TEXT REFERENCES accrual (id), redeemed_before INTEGER, redeemed_with TEXT REFERENCES partner,
        UNIQUE (partner_id, mode, period, sequence),
        CHECK ((kind = 'redeemed' AND points > 0 AND amount_minor >= 0)
            OR (kind = 'given_back' AND points < 0 AND amount_minor <= 0)),
        CHECK ((partner_id IS NULL) = (sequence IS NULL)),
        CHECK ((redemption_id IS NULL) = (redeemed_with IS NULL)),
        CHECK ((accrual_id IS NULL) = (redeemed_before IS NULL)), CHECK (redeemed_before >= 0)) STRICT""",
    "CREATE INDEX IF NOT EXISTS issued_line_redemption ON issued_line (redemption_id, lot_id, kind)",
    "CREATE INDEX IF NOT EXISTS issued_line_accrual ON issued_line (accrual_id)",
    "CREATE INDEX IF NOT EXISTS accrual_lot ON accrual (lot_id)",
    """CREATE TABLE IF NOT EXISTS idempotency (
        partner_id TEXT NOT NULL REFERENCES partner, mode TEXT NOT NULL, key TEXT NOT NULL, operation TEXT NOT NULL,
        fingerprint TEXT NOT NULL, redemption_id TEXT, reversal_id TEXT, accrual_id TEXT, refusal TEXT,
        created_at TEXT NOT NULL, voucher_id TEXT, payout_id TEXT, PRIMARY KEY (partner_id, mode, key)) STRICT""",
    """CREATE TABLE IF NOT EXISTS account (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, member_id TEXT, lot_id INTEGER,
        redemption_id TEXT, partner_id TEXT, points INTEGER NOT NULL, accrual_id TEXT,
        CHECK (CASE kind WHEN 'issued' THEN 1 WHEN 'owed' THEN points <= 0 ELSE points >= 0 END)) STRICT""",
    "CREATE INDEX IF NOT EXISTS account_member ON account (member_id, kind)",
    "CREATE INDEX IF NOT EXISTS account_lot ON account (lot_id, kind)",
    "CREATE INDEX IF NOT EXISTS lot_member ON lot (member_id)",
    "CREATE INDEX IF NOT EXISTS lot_expiry ON lot (expires_at)",
    "CREATE INDEX IF NOT EXISTS idempotency_age ON idempotency (created_at)",
    """CREATE TABLE IF NOT EXISTS movement (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, member_id TEXT NOT NULL, sequence INTEGER NOT NULL,
        kind TEXT NOT NULL, points INTEGER NOT NULL, balance INTEGER NOT NULL, partner_id TEXT, order_reference TEXT,
        redemption_id TEXT, reason TEXT NOT NULL, at TEXT NOT NULL, pending_points INTEGER NOT NULL DEFAULT 0,
        accrual_id TEXT, UNIQUE (member_id, sequence)) STRICT""",
    """CREATE TABLE IF NOT EXISTS entry (
        id INTEGER PRIMARY KEY, movement_number INTEGER NOT NULL REFERENCES movement,
        account_id INTEGER NOT NULL REFERENCES account, points INTEGER NOT NULL CHECK (points <> 0)) STRICT""",
    "CREATE INDEX IF NOT EXISTS entry_account ON entry (account_id)",
    """CREATE TABLE IF NOT EXISTS event (
        sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT NOT NULL, mode TEXT NOT NULL,
        type TEXT NOT NULL, data TEXT NOT NULL, at TEXT NOT NULL) STRICT""",
)

APPEND_ONLY = (
    "movement", "entry", "event", "capture", "reversal", "accrual_reversal", "statement_line", "issued_line",
    "voucher_entry", "voucher_reversal",
)  # fmt: skip

_GUARDS = tuple(
    f"""CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""
    for table in APPEND_ONLY
    for verb in ("UPDATE", "DELETE")
)

TABLES = _ROWS + VOUCHERS + _GUARDS

GAINED = {
    "idempotency": "payout_id", "statement_line": "voucher_id", "account": "accrual_id", "movement": "accrual_id",
    "accrual": "taken_points", "redemption": "vouchers_minor", "capture": "vouchers_minor",
    "reversal": "vouchers_minor",
}  # fmt: skip
"""Tables that have got columns since there were files of them, each with the last one."""

# Children first; counters and settings outlive a reset.
DROP_ORDER = (
    "event", "entry", "movement", "account", "idempotency", "issued_line", "lot_issuer", "statement_line",
    "accrual_reversal", "accrual", "voucher_reversal", "voucher_tender", "voucher_entry", "voucher_account",
    "voucher_shown", "voucher", "voucher_product", "payout_draw", "payout", "payout_account", "reversal", "capture",
    "draw", "redemption", "lot", "code", "token", "consent", "member", "programme", "rate", "partner", "profile",
)  # fmt: skip
