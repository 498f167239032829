"""The start page with everything on its shelves, and a page per article."""

from flask import Blueprint, abort, render_template

from .. import catalogue
from ..catalogue import SHELVES

pages = Blueprint("catalogue", __name__)


@pages.get("/")
def start() -> str:
    return render_template("start.html", shelves={shelf: catalogue.on_shelf(shelf) for shelf in SHELVES})


@pages.get("/articles/<sku>")
def article(sku: str) -> str:
    found = catalogue.find(sku) or abort(404)
    return render_template("article.html", article=found, beside=catalogue.beside(found))
