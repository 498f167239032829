"""Reading articles: those of a cart by one statement, from the edition that counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, select

from punktgenau.checkout.articles.article import Article
from punktgenau.checkout.articles.schema import VALUES, article, edition
from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.moments import moment
from punktgenau.checkout.statements import own

AT_ONCE_MOST = 4_096
"""More than any cart has; more than so many articles are asked for in pieces."""
_A, _E = article.c, edition.c
COLUMNS = (_A.sku, *(_A[name] for name in VALUES))
CURRENT = select(_E.current).where(own(edition)).scalar_subquery()
_STANDING = select(_E.articles, _E.imported_at).where(own(edition), _E.current.is_not(None))
_BY_WIDTH: dict[int, Select[tuple[object, ...]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The list that counts now: how many articles, since when."""

    articles: int
    imported_at: datetime


class Articles:
    """The articles of one shop, as they were imported."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, skus: Collection[str]) -> Mapping[str, Article]:
        """Those of these that are in the list, whether they are valid by now or not."""
        wanted = list(dict.fromkeys(skus))
        found: dict[str, Article] = {}
        if wanted:
            with self._database.transaction(write=False) as tx:
                for start in range(0, len(wanted), AT_ONCE_MOST):
                    found |= self._read(tx, wanted[start : start + AT_ONCE_MOST])
        return found

    def standing(self) -> Standing | None:
        """The list that counts; None where none was imported so far."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(_STANDING, {})
        if row is None:
            return None
        return Standing(articles=int(row[0] or 0), imported_at=moment(int(row[1] or 0)))

    def _read(self, tx: Transaction, skus: list[str]) -> dict[str, Article]:
        # Statements are compiled once, so there is one per power of two; what is too wide asks for the last one again.
        width = 1 << (len(skus) - 1).bit_length()
        padded = skus + skus[-1:] * (width - len(skus))
        rows = tx.all(_statement(width), {f"sku_{place}": sku for place, sku in enumerate(padded)})
        return {(one := article_of(row)).sku: one for row in rows}


def _statement(width: int) -> Select[tuple[object, ...]]:
    known = _BY_WIDTH.get(width)
    if known is None:
        places = [bindparam(f"sku_{place}", type_=_A.sku.type) for place in range(width)]
        known = _BY_WIDTH[width] = select(*COLUMNS).where(_A.edition == CURRENT, _A.sku.in_(places))
    return known


def article_of(row: tuple[Value, ...]) -> Article:
    """An article as it is kept."""
    sku, points, price_points, copayment_minor, currency, exclusive, valid_from, valid_until = row
    return Article(
        sku=str(sku),
        points=_whole(points),
        price_points=_whole(price_points),
        copayment_minor=_whole(copayment_minor),
        currency=None if currency is None else str(currency),
        exclusive=bool(exclusive),
        valid_from=None if valid_from is None else moment(int(valid_from)),
        valid_until=None if valid_until is None else moment(int(valid_until)),
    )


def _whole(value: Value) -> int | None:
    return None if value is None else int(value)
