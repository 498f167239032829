"""The doctor's look at articles with points of their own: where they come from, and that it answers."""

from __future__ import annotations

from collections.abc import Iterator

from flask_punktgenau.doctor import Finding, Scope, Sheet, ago, plural
from flask_punktgenau.state import AppState
from punktgenau.checkout import Article
from punktgenau.checkout.examining import Examiner
from punktgenau.errors import UnavailableError

UNKNOWN_SKU = "no-such-article"
ARTICLE = "@points.article_loader\ndef article(sku: str) -> Article | None: ..."


def look_at_articles(state: AppState, examiner: Examiner | None, scope: Scope) -> Iterator[Finding]:
    """The shop's loader, or the list that was imported; a shop with neither is not asked for one."""
    sheet = Sheet("loaders")
    try:
        standing = examiner.articles() if examiner is not None else None
    except UnavailableError:
        # Told where the database is looked at.
        standing = None
    has_loader = state.loaders.article is not None
    if has_loader:
        yield _loader(sheet, state)
    if standing is None:
        return
    what = f"{plural(standing.articles, 'article', 'articles')}, imported {ago(standing.imported_at, scope.now)}"
    if has_loader:
        yield sheet.note("articles_unread", f"The list of {what}, is not read: there is an article_loader.")
    else:
        yield sheet.fine("articles", f"There is a list of {what}.")


def _loader(sheet: Sheet, state: AppState) -> Finding:
    """Without a request, about an article that there is not."""
    try:
        answer = state.load_article(UNKNOWN_SKU)
    except Exception as error:  # the shop's code: told, whatever it is
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        fix = "return None for an article without points of its own, and use no request in it"
        return sheet.broken("article_loader_fails", f"article_loader fails outside of a request: {what}", fix)
    if answer is not None and (not isinstance(answer, Article) or answer.sku != UNKNOWN_SKU):
        what = f"article_loader answers something else than the article that it is asked for: {type(answer).__name__}."
        return sheet.broken("article_loader_answer", what, ARTICLE)
    return sheet.fine("article_loader", "article_loader answers outside of a request.")
