"""The demo's own list: every article of its shop, at prices that its points are worth."""

from examples.shop import articles, catalogue

from punktgenau.checkout import Checkout


def test_the_demos_list_is_its_catalogue(own_shop: Checkout) -> None:
    for expected in (len(catalogue.ARTICLES), 0):
        with articles.FILE.open("rb") as file:
            report = own_shop.import_articles(file)
        assert (report.faults, report.not_read, report.notes, report.added) == ((), (), (), expected)
    found = own_shop.articles_of([article.sku for article in catalogue.ARTICLES])
    assert set(found) == {article.sku for article in catalogue.ARTICLES}
    # A point is worth a cent: points and co-payment make the price.
    priced = [(one, found[one.sku]) for one in catalogue.ARTICLES if found[one.sku].price_points]
    assert len(priced) >= 2
    for article, known in priced:
        assert (known.price_points or 0) + (known.copayment_minor or 0) == article.price_minor
    # What is itself a kind of money earns nothing.
    assert found["gutschein"].points == 0
