"""What a customer does at the provider's sign-in page, for tests of a shop that links accounts."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from punktgenau.sandbox import oauth
from punktgenau.sandbox.database import Work


def asked(url: str | None) -> dict[str, str]:
    """The question that a shop's browser redirect asks. Raises ValueError where a provider would not take it."""
    if url is None:
        raise ValueError("the shop sent the browser nowhere: its answer has no Location")
    asks = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    missing = {"response_type", "client_id", "redirect_uri", "state", "code_challenge"} - asks.keys()
    if missing:
        raise ValueError(f"the address lacks {', '.join(sorted(missing))}")
    if asks["response_type"] != "code" or asks.get("code_challenge_method") != "S256":
        raise ValueError("only response_type=code with code_challenge_method=S256 is offered")
    if not oauth.is_allowed_redirect(asks["redirect_uri"]):
        raise ValueError(f"redirect_uri {asks['redirect_uri']!r} is not on this machine or does not end as it must")
    return asks


def agreed(work: Work, url: str | None, *, member_id: str) -> str:
    """Where the browser goes when the member agrees: the shop's callback with a code."""
    asks = asked(url)
    code = oauth.issue_code(
        work,
        partner_id=asks["client_id"],
        member_id=member_id,
        redirect_uri=asks["redirect_uri"],
        challenge=asks["code_challenge"],
    )
    return _back(asks, code=code)


def declined(url: str | None) -> str:
    """Where the browser goes when the member does not agree: the shop's callback with an error."""
    return _back(asked(url), error="access_denied")


def _back(asks: dict[str, str], **answer: str) -> str:
    joint = "&" if urlsplit(asks["redirect_uri"]).query else "?"
    return f"{asks['redirect_uri']}{joint}{urlencode({**answer, 'state': asks['state']})}"
