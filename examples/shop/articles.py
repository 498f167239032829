"""What the shop's articles earn and cost in points: a file, read as `flask punktgenau import-articles` reads it."""

from pathlib import Path

from . import language
from .points import points

FILE = Path(__file__).with_name("articles.csv")


def load() -> None:
    """Let the file be the list that counts; one that does already is left alone. Raises ValueError for a bad line."""
    with FILE.open("rb") as file:
        report = points.checkout.import_articles(file, zone=language.ZONE)
    if not report.is_good:
        raise ValueError(f"{FILE.name}: " + "; ".join(f"line {one.number}: {one.text}" for one in report.faults))
