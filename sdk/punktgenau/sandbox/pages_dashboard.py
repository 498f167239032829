"""The overview for developers."""

from __future__ import annotations

from flask import Blueprint, Response

from . import overview, pages
from .state import request_work


def add_to(routes: Blueprint) -> None:
    """/ and what belongs to it."""
    routes.add_url_rule("/", view_func=dashboard)


def dashboard() -> Response:
    """Everything at a glance."""
    with request_work() as work:
        return pages.show("dashboard.html", members=overview.all_members(work))
