"""The journal's tables of articles: whole editions, of which one counts for a shop.

An import writes an edition that nobody reads, in pieces, and then names it as the one that counts: whoever reads sees
the old list or the new one, and no writer of the shop waits for longer than a piece takes.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table

from punktgenau.checkout.schema import PREFIX, metadata

# Byte by byte, as every SQLite compares: both sides of a comparison are read in the same order.
SKU = String(64).with_variant(String(64, collation="C"), "postgresql")

article = Table(
    f"{PREFIX}article",
    metadata,
    # A random number; whose edition it is stands in article_edition.
    Column("edition", BigInteger, primary_key=True, autoincrement=False),
    Column("sku", SKU, primary_key=True),
    Column("points", BigInteger),
    Column("price_points", BigInteger),
    Column("copayment_minor", BigInteger),
    Column("currency", String(3)),
    Column("exclusive", Integer, nullable=False),
    Column("valid_from", BigInteger),
    Column("valid_until", BigInteger),
    sqlite_with_rowid=False,
)

edition = Table(
    f"{PREFIX}article_edition",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("mode", String(16), primary_key=True),
    # The edition that counts, and how many articles it has; NULL: there is none yet.
    Column("current", BigInteger),
    Column("articles", BigInteger, nullable=False),
    Column("imported_at", BigInteger),
    # What is being written, and what counted before: their rows go when nobody needs them, by whoever comes next.
    Column("incoming", BigInteger),
    Column("leaving", BigInteger),
    # One import at a time; a token that is lost writes nothing any more.
    Column("lease_token", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("lease_since", BigInteger, nullable=False),
)

VALUES = ("points", "price_points", "copayment_minor", "currency", "exclusive", "valid_from", "valid_until")
"""What an article says, in the order of the columns behind its sku."""
