"""The tables of vouchers and payouts: values of vouchers have books of their own, in money instead of points."""

from __future__ import annotations

VOUCHERS = (
    """CREATE TABLE IF NOT EXISTS voucher_product (
        id TEXT PRIMARY KEY, value_minor INTEGER NOT NULL CHECK (value_minor > 0), currency TEXT NOT NULL,
        price_points INTEGER NOT NULL CHECK (price_points > 0), valid_days INTEGER NOT NULL CHECK (valid_days > 0),
        residual TEXT NOT NULL CHECK (residual IN ('keeps', 'lost')), partners TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS voucher (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, mode TEXT NOT NULL, voucher_product_id TEXT,
        partner_id TEXT, member_id TEXT, voucher_reference TEXT, idempotency_key TEXT NOT NULL,
        code TEXT NOT NULL UNIQUE, points INTEGER NOT NULL CHECK (points >= 0),
        value_minor INTEGER NOT NULL CHECK (value_minor > 0), currency TEXT NOT NULL, residual TEXT NOT NULL,
        partners TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, expires_at TEXT NOT NULL,
        voided_at TEXT, UNIQUE (partner_id, mode, voucher_reference)) STRICT""",
    "CREATE INDEX IF NOT EXISTS voucher_member ON voucher (member_id, number)",
    "CREATE INDEX IF NOT EXISTS voucher_key ON voucher (partner_id, mode, idempotency_key)",
    """CREATE TABLE IF NOT EXISTS voucher_account (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, voucher_id TEXT, redemption_id TEXT,
        partner_id TEXT, currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, expires_at TEXT,
        CHECK (kind = 'issued' OR amount_minor >= 0)) STRICT""",
    "CREATE INDEX IF NOT EXISTS voucher_account_voucher ON voucher_account (voucher_id, kind)",
    """CREATE INDEX IF NOT EXISTS voucher_account_due ON voucher_account (expires_at)
        WHERE kind = 'left' AND amount_minor > 0""",
    """CREATE TABLE IF NOT EXISTS voucher_entry (
        id INTEGER PRIMARY KEY, movement INTEGER NOT NULL, kind TEXT NOT NULL,
        voucher_id TEXT NOT NULL REFERENCES voucher (id), account_id INTEGER NOT NULL REFERENCES voucher_account,
        amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0), redemption_id TEXT, at TEXT NOT NULL) STRICT""",
    "CREATE INDEX IF NOT EXISTS voucher_entry_account ON voucher_entry (account_id)",
    """CREATE TABLE IF NOT EXISTS voucher_tender (
        redemption_id TEXT NOT NULL, position INTEGER NOT NULL, voucher_id TEXT NOT NULL REFERENCES voucher (id),
        value_minor INTEGER NOT NULL CHECK (value_minor > 0), captured_minor INTEGER NOT NULL DEFAULT 0,
        released_minor INTEGER NOT NULL DEFAULT 0, reversed_minor INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (redemption_id, voucher_id),
        CHECK (captured_minor + released_minor <= value_minor), CHECK (reversed_minor BETWEEN 0 AND captured_minor)
        ) STRICT""",
    "CREATE INDEX IF NOT EXISTS voucher_tender_voucher ON voucher_tender (voucher_id)",
    """CREATE TABLE IF NOT EXISTS voucher_reversal (
        reversal_id TEXT NOT NULL, position INTEGER NOT NULL, voucher_id TEXT NOT NULL REFERENCES voucher (id),
        value_minor INTEGER NOT NULL CHECK (value_minor > 0), already_expired_minor INTEGER NOT NULL,
        PRIMARY KEY (reversal_id, position)) STRICT""",
    """CREATE TABLE IF NOT EXISTS voucher_shown (
        voucher_id TEXT NOT NULL REFERENCES voucher (id), partner_id TEXT NOT NULL REFERENCES partner,
        PRIMARY KEY (voucher_id, partner_id)) STRICT""",
    """CREATE TABLE IF NOT EXISTS payout_account (
        member_id TEXT PRIMARY KEY REFERENCES member, hint TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS payout (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, partner_id TEXT NOT NULL REFERENCES partner,
        mode TEXT NOT NULL, member_id TEXT NOT NULL REFERENCES member, payout_reference TEXT NOT NULL,
        idempotency_key TEXT NOT NULL, points INTEGER NOT NULL CHECK (points > 0), value_minor INTEGER NOT NULL,
        currency TEXT NOT NULL, rate_id TEXT NOT NULL REFERENCES rate, account_hint TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('requested', 'paid', 'rejected')), reason TEXT, sequence INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (partner_id, mode, payout_reference)) STRICT""",
    "CREATE INDEX IF NOT EXISTS payout_member ON payout (member_id, number)",
    "CREATE INDEX IF NOT EXISTS payout_key ON payout (partner_id, mode, idempotency_key)",
    """CREATE TABLE IF NOT EXISTS payout_draw (
        payout_id TEXT NOT NULL REFERENCES payout (id), position INTEGER NOT NULL,
        lot_id INTEGER NOT NULL REFERENCES lot, points INTEGER NOT NULL CHECK (points > 0),
        PRIMARY KEY (payout_id, position)) STRICT""",
)
