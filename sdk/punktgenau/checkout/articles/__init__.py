"""Articles, as far as points are concerned: what they earn, what they cost in points, and where the shop says so."""

from punktgenau.checkout.articles.article import Article, ArticleLoader
from punktgenau.checkout.articles.report import ArticleFault, ArticleImport

__all__ = ["Article", "ArticleFault", "ArticleImport", "ArticleLoader"]
