"""What a shop asks about articles: those of a cart, what one costs in points, and importing the whole list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO

from punktgenau._clock import Clock
from punktgenau.checkout.articles.article import Article, ArticleLoader
from punktgenau.checkout.articles.report import ArticleImport, FileFormat, Progress
from punktgenau.checkout.articles.store import Articles, Standing
from punktgenau.checkout.balances import Balances
from punktgenau.checkout.database import Database
from punktgenau.checkout.rewards import RewardPrice, reward_price
from punktgenau.errors import ConfigurationError, InvalidArgumentError
from punktgenau.money import Rate

RATE_AGE_S = 60.0
"""How old a rate may be by which an article is priced; what is paid is reckoned anew when the order is placed."""


class ArticleCalls:
    """The part of `Checkout` that knows articles, from the shop's `article_loader` or the list that was imported."""

    article_loader: ArticleLoader | None
    _balances: Balances
    _database: Database
    _clock: Clock

    def articles_of(self, skus: Collection[str], *, at: datetime | None = None) -> Mapping[str, Article]:
        """Articles by their sku: those of these that are known and valid `at` a moment (None: now).

        One statement for all of them, or the shop's own loader once for each. Raises ConfigurationError where that
        returns something else than this article or None; UnavailableError where the journal does not answer.
        """
        moment = self._clock.now() if at is None else at
        loader = self.article_loader
        if loader is None:
            found = Articles(self._database).of(skus)
        else:
            loaded = ((sku, _loaded(loader, sku)) for sku in dict.fromkeys(skus))
            found = {sku: one for sku, one in loaded if one is not None}
        return {sku: one for sku, one in found.items() if one.is_valid(moment)}

    def reward_price(
        self, sku: str, *, quantity: int = 1, customer_id: str | None = None, rate: Rate | None = None
    ) -> RewardPrice | None:
        """What so many units of a reward article cost: points per unit, and in money what makes its `Line`.

        None: it has no price in points. At `rate`, else at the customer's, else at the one that was seen last. Raises
        InvalidArgumentError for numbers that cannot be meant, or a co-payment in another currency; UnavailableError
        where no rate is known yet; with `customer_id` also what `balance` raises.
        """
        article = self.articles_of([sku]).get(sku)
        if article is None or article.price_points is None:
            return None
        if rate is None and customer_id is not None:
            rate = self._balances.of(self._balances.link(customer_id), max_age_s=RATE_AGE_S).rate
        rate = rate or self._balances.newest_rate()
        if article.currency not in {None, rate.currency}:
            raise InvalidArgumentError(
                f"Article {sku!r} has a co-payment in {article.currency}, and points are worth {rate.currency}.",
                field="currency",
            )
        return reward_price(
            sku=sku,
            quantity=quantity,
            reward_points=article.price_points,
            copayment_minor=article.copayment_minor or 0,
            rate=rate,
        )

    def articles_standing(self) -> Standing | None:
        """How many articles the imported list has, and since when it counts; None: there is none."""
        return Articles(self._database).standing()

    def import_articles(
        self,
        file: BinaryIO,
        *,
        format: FileFormat | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        zone: tzinfo = UTC,
        is_currency: Callable[[str], bool] | None = None,
        dry_run: bool = False,
        may_drop: bool = True,
        progress: Progress | None = None,
    ) -> ArticleImport:
        """Let the articles of a CSV or JSON file be the whole list from now on, if every line of it can be meant.

        All or nothing: with a bad line nothing changes, and the report names every one. Until the last moment everybody
        reads the list before. `format`, `encoding` and `delimiter` are found in the file where they are None; days
        begin in `zone`; `dry_run` only says what would change. Not `may_drop`: a file that would remove more than half
        of the list changes nothing (`is_held_back`). Raises InvalidArgumentError for a file that is no list
        of articles, InProgressError while another import is at work, UnavailableError: nothing was changed then.
        """
        # Not needed by a shop that sells.
        from punktgenau.checkout.articles.importing import Wanted, import_articles

        wanted = Wanted(
            format=format,
            encoding=encoding,
            delimiter=delimiter,
            zone=zone,
            is_currency=is_currency,
            is_dry_run=dry_run,
            may_drop=may_drop,
        )
        return import_articles(file, wanted, database=self._database, clock=self._clock, progress=progress)


def _loaded(loader: ArticleLoader, sku: str) -> Article | None:
    article = loader(sku)
    if article is not None and (not isinstance(article, Article) or article.sku != sku):
        what = f"the article {article.sku!r}" if isinstance(article, Article) else type(article).__name__
        raise ConfigurationError(
            f"article_loader must return the Article {sku!r} or None, not {what}.", field="article_loader"
        )
    return article
