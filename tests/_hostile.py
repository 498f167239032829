"""Hostile requests, made from a description of what a route takes: wrong, huge, doubled, forged, or almost right."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

Body = Literal["none", "form", "json"]
Token = Literal["right", "none", "garbage", "foreign"]
Origin = Literal["own", "unsaid", "foreign"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
NUMBERS = (
    "427", "1", "0", "-1", "-0", "+427", "4.27", "4,27", "1e3", "1_000", "0x1ab", "NaN", "Infinity", "-inf", "true",
    "٤٢٧", "４２７", "①", " 427 ", "427\x00", "4\u200b27", "9" * 18, "9" * 400, "all", "ALL", "null", "[]", "{}", "",
)  # fmt: skip
TEXTS = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "{% raw %}", "%s%n", "\x00", "\r\n",
    "A-1\r\nSet-Cookie: owned=1", "%0d%0aX-Owned: 1", "' OR '1'='1", "1); DROP TABLE punktgenau_link; --",
    "../../etc/passwd", "..\\..\\", "//evil.example/", "/\\evil.example/", "https://evil.example/", "/%09/evil.example",
    "javascript:alert(1)", "/cart", "/cart?x=1#y", "\u202ednoces", "\ud7ff\uffff", "a" * 300, "\U0001f3ee" * 90,
    "__proto__", "constructor", "guest:" + "0" * 32, "true", "None",
)  # fmt: skip
SURPRISES = ("customer", "customer_id", "member_id", "due", "rate", "value", "currency", "_method", "__proto__", "[0]")
HEADERS: tuple[tuple[str, str], ...] = (
    ("Accept", "application/json"), ("Accept", "text/html;q=0.9, */*;q=nan"), ("Accept", "application/problem+json"),
    ("Accept-Language", "de"), ("Accept-Language", "../../../de, *;q=2, zz-\xff"), ("Accept-Language", "zh-" * 500),
    ("X-HTTP-Method-Override", "DELETE"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Prefix", "//evil"),
    ("X-Original-URL", "/points/admin"), ("Referer", "https://evil.example/"), ("Referer", "http://localhost//evil/"),
    ("Referer", "http://[broken"), ("Referer", "http://localhost/cart?a=1"), ("Range", "bytes=0-0,5-,-9"),
    ("If-None-Match", "*"), ("If-Modified-Since", "\xff"), ("Expect", "100-continue"), ("Content-Encoding", "gzip"),
    ("Idempotency-Key", "\xff" * 300), ("Authorization", "Basic =="), ("Authorization", "Digest x=\""),
    ("webhook-id", "evt_1"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,AAAA v1a,BBBB"),
)  # fmt: skip
CONTENT_TYPES = (
    "application/x-www-form-urlencoded", "application/json", "application/json; charset=utf-16", "text/plain", "",
    "multipart/form-data", "multipart/form-data; boundary=x", "application/problem+json", "application/xml", "\xff/",
)  # fmt: skip
RAW = (
    b"", b"\x00", b"\xff\xfe\xfd", b"{", b"[" * 5000, b"null", b"NaN", b'"\\ud800"', b'{"points": 1e999}', b"%",
    b'{"points": 1, "points": 427}', b"=&=&&;", b"a=%ff%fe&points=%00", b"points=" + b"9" * 20_000, b"x&" * 3000,
    b"--x\r\nContent-Disposition: form-data; name=\"points\"\r\n\r\n427", b"<!DOCTYPE x [<!ENTITY y SYSTEM 'z'>]>",
)  # fmt: skip

FEW = settings(
    max_examples=int(os.environ.get("HOSTILE_REQUESTS", "40")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
"""The same cases in every run; HOSTILE_REQUESTS=4000 in the environment asks for so many of each route."""

TYPES = ("text/html; charset=utf-8", "application/json", "application/problem+json")
LEAKS = ("Traceback (most recent", 'File "/', "site-packages", "sqlite3.", "werkzeug.exceptions", "OperationalError")


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a route takes, by name, and what it may answer, whatever it is sent."""

    method: str = "GET"
    query: tuple[str, ...] = ()
    body: Body = "none"
    fields: tuple[str, ...] = ()
    path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: frozenset[int] = frozenset({200})
    types: tuple[str, ...] = ("text/html; charset=utf-8",)
    known: tuple[str, ...] = ()
    """Values that mean something there, such as somebody's order."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request; the token and where it says to come from are filled in by who sends it."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes | None
    pairs: tuple[tuple[str, str], ...] | None
    content_type: str
    headers: tuple[tuple[str, str], ...]
    token: Token
    origin: Origin
    who: int

    @property
    def url(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@st.composite
def requests_to(draw: st.DrawFn, rule: Rule, described: Described) -> Sent:
    """A request to that route."""
    value = _value(described.known)
    method = draw(_method(described.method))
    pairs = _pairs(draw, described.fields, value) if described.body == "form" else None
    body, content_type = None, CONTENT_TYPES[0]
    if described.body == "json":
        body, content_type = json.dumps(draw(_json(described.known, described.fields))).encode(), "application/json"
    if draw(st.integers(0, 5)) == 0:
        body, pairs = draw(st.sampled_from(RAW)), None
        content_type = draw(st.sampled_from(CONTENT_TYPES))
    return Sent(
        method=method,
        path=_path(draw, rule, described),
        query=_pairs(draw, described.query, value),
        body=body if method not in ("GET", "HEAD") else None,
        pairs=pairs if method not in ("GET", "HEAD") else None,
        content_type=content_type,
        headers=tuple(draw(_HEADERS)),
        token=draw(st.sampled_from(("right", "right", "none", "garbage", "foreign"))),
        origin=draw(st.sampled_from(("own", "unsaid", "unsaid", "foreign"))),
        who=draw(st.integers(0, 3)),
    )


def assert_proper(answer: TestResponse, described: Described, sent: Sent, *, secrets: tuple[str, ...]) -> None:
    """Whatever was sent: a described status, a type, nothing of the inside, nothing of anybody else."""
    is_other = sent.method != described.method
    # The same address may be another route's as well.
    others = {200, 201, 204, 303, 400, 403, 409, 422} if is_other else set()
    assert answer.status_code in described.answers | {404, 405, 413, 415} | others, answer.status
    if answer.status_code not in (204, 304) and (answer.data or sent.method == "HEAD"):
        refused = TYPES if is_other or answer.status_code in (404, 405, 413) else TYPES[:1]
        assert answer.headers.get("Content-Type") in (*described.types, *refused), answer.headers
    text = answer.get_data(as_text=True)
    assert [leak for leak in (*LEAKS, *secrets) if leak in text] == []
    if answer.mimetype == "text/html":
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text
    told = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    # Within the value of a header of ours it is only text.
    assert not re.search(r"(?im)^(x-owned|set-cookie: *owned)", told.replace("\r", "\n")), told
    assert [secret for secret in secrets if secret in told] == []


def _path(draw: st.DrawFn, rule: Rule, described: Described) -> str:
    values = {name: draw(st.sampled_from(described.path[name] + TEXTS[:12])) for name in rule.arguments}
    path = rule.rule
    for name, value in values.items():
        for converter in ("", "path:", "redemption:"):
            path = path.replace(f"<{converter}{name}>", quote(value, safe="/") or "-")
    return path


def _pairs(draw: st.DrawFn, names: tuple[str, ...], value: st.SearchStrategy[str]) -> tuple[tuple[str, str], ...]:
    """Every name with some value, now and then none or twice, with others that nobody asked for."""
    pairs = [(name, draw(value)) for name in names for _ in range(draw(_TIMES))]
    if draw(st.booleans()):
        pairs.append((draw(_SURPRISES), draw(value)))
    return tuple(pairs)


# Made once: to make and check a strategy for each request takes longer than the request.
_HEADERS = st.lists(st.sampled_from(HEADERS), max_size=3, unique_by=lambda one: one[0])
_TIMES = st.sampled_from((1, 1, 1, 1, 0, 2))
_SURPRISES = st.sampled_from(SURPRISES)


@cache
def _method(expected: str) -> st.SearchStrategy[str]:
    return st.sampled_from((expected,) * 12 + METHODS)


@cache
def _value(known: tuple[str, ...]) -> st.SearchStrategy[str]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return st.sampled_from(NUMBERS + TEXTS + known * 8) | text


@cache
def _json(known: tuple[str, ...], fields: tuple[str, ...]) -> st.SearchStrategy[object]:
    scalar: st.SearchStrategy[object] = (
        st.none() | st.booleans() | st.integers(-5, 10**25) | st.floats() | st.sampled_from(NUMBERS + TEXTS + known * 8)
    )
    anything = st.recursive(
        scalar, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part)
    )
    wanted = st.fixed_dictionaries({}, optional=dict.fromkeys((*fields, "__proto__", "member"), scalar))
    return wanted | wanted | wanted | anything
