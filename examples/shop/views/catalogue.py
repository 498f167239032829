"""The start page with everything on its shelves, and a page per article."""

from flask import Blueprint, abort, render_template

from .. import catalogue

pages = Blueprint("catalogue", __name__)


@pages.get("/")
def start() -> str:
    return render_template(
        "start.html", shelves={"lamps": catalogue.on_shelf("lamps"), "desk": catalogue.on_shelf("desk")}
    )


@pages.get("/articles/<sku>")
def article(sku: str) -> str:
    found = catalogue.find(sku) or abort(404)
    return render_template("article.html", article=found, beside=catalogue.beside(found))
