"""Linking an account: to the provider's sign-in page and back, once, for the person and browser that started it."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from hmac import compare_digest
from typing import Literal

from flask import Blueprint, make_response, render_template, request, session, url_for
from werkzeug import Response

from flask_punktgenau import csrf
from flask_punktgenau.consent import ConsentPort
from flask_punktgenau.locales import current_language
from flask_punktgenau.pages import ConnectView
from flask_punktgenau.redirects import next_page, see_other
from flask_punktgenau.session import drop_vouchers, drop_wish, forget, keep
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.urls import BLUEPRINT, panel_urls
from flask_punktgenau.visitor import GUEST, begin_guest, current_visitor
from punktgenau.checkout import Checkout
from punktgenau.codes import explain
from punktgenau.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    ProviderError,
    PunktgenauError,
    RateLimitedError,
)
from punktgenau.members import pkce_pair

STARTED = "_punktgenau_link"
STARTED_MAX = 3
STARTED_AGE_MAX_S = 600
BACK_LENGTH_MAX = 300
"""Longer ones would not fit into a session's cookie, and the session would be lost."""
_ANSWER_LENGTH_MAX = 2048
ConnectState = Literal["offer", "denied", "expired", "failed"]
_STATUS: dict[ConnectState, int] = {"offer": 200, "denied": 200, "expired": 400, "failed": 503}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    """One way to the provider that was begun in this browser; it is good for one return."""

    state: str
    verifier: str
    customer_id: str
    expires_at_s: int
    back: str


def add_routes(pages: Blueprint) -> None:
    """GET connect, GET callback, POST disconnect."""
    pages.get("/connect")(connect)
    pages.get("/callback")(callback)
    pages.post("/disconnect")(disconnect)


def connect() -> Response:
    """Send the browser to the provider's sign-in page, with a secret that only this browser can answer for."""
    state = current_state()
    back = next_page()
    if len(back) > BACK_LENGTH_MAX:
        back = request.script_root + "/"
    if state.off_reason() is not None:
        return _page(state, "failed", reason_code="points_off", back=back)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # Where the provider asks nothing twice, a page of somebody else's would link the account by itself.
        return _page(state, "offer", reason_code="", back=back)
    visitor = current_visitor(state)
    customer_id = visitor.customer_id if visitor.customer_id is not None else begin_guest(state)
    verifier, challenge = pkce_pair(state.clock)
    started = _Started(
        state=state.clock.random_bytes(16).hex(),
        verifier=verifier,
        customer_id=customer_id,
        expires_at_s=_now_s(state) + STARTED_AGE_MAX_S,
        back=back,
    )
    _keep_started([*_kept_started(), started])
    return see_other(
        _consent(state).consent_url(
            redirect_uri=_redirect_uri(),
            state=started.state,
            code_challenge=challenge,
            locale=current_language(state).tag,
        )
    )


def callback() -> Response:
    """The way back: the state must be one begun here, unused, fresh, and by the same customer."""
    state = current_state()
    started = _take_started(request.args.get("state", ""))
    if started is None or started.expires_at_s <= _now_s(state) or not _is_same_visitor(state, started):
        return _page(state, "expired", reason_code="callback_invalid", back=started.back if started else "")
    code = request.args.get("code", "")
    if request.args.get("error") or not 1 <= len(code) <= _ANSWER_LENGTH_MAX:
        return _page(state, "denied", reason_code="consent_denied", back=started.back)
    try:
        who = _consent(state).identify(code=code, redirect_uri=_redirect_uri(), code_verifier=started.verifier)
        before = state.require().find_link(started.customer_id)
        state.require().link(started.customer_id, member_id=who.member_id, consent_id=who.consent_id)
    except PunktgenauError as error:
        logger.warning("an account could not be linked: %s", error.brief)
        status = 400 if _is_about_the_code(error) else None
        return _page(state, "failed", reason_code=explain(error).code, back=started.back, status=status)
    if before is None or before.member_id != who.member_id:
        # What the account before this one could use is nobody's business any more.
        state.vouchers.seen.forget(started.customer_id)
        drop_vouchers()
    return see_other(started.back)


def disconnect() -> Response:
    """Forget which account belongs to this customer; what is held for placed orders goes on."""
    state = current_state()
    customer_id = current_visitor(state).customer_id
    if customer_id is not None:
        unlink(state.journal(), customer_id)
        state.vouchers.seen.forget(customer_id)
    drop_wish()
    drop_vouchers()
    forget(GUEST)
    return see_other(next_page())


def unlink(checkout: Checkout | None, customer_id: str) -> None:
    """Forget a link, where there is a journal to forget it in."""
    if checkout is not None:
        checkout.unlink(customer_id)


def _is_about_the_code(error: PunktgenauError) -> bool:
    """Whether what the browser brought was refused; else the provider or the shop could not do their part."""
    if isinstance(error, InvalidArgumentError):
        return True
    return isinstance(error, ProviderError) and not isinstance(error, AuthenticationError | RateLimitedError)


def _is_same_visitor(state: AppState, started: _Started) -> bool:
    return current_visitor(state).customer_id == started.customer_id


def _consent(state: AppState) -> ConsentPort:
    members = state.provider().members
    if not isinstance(members, ConsentPort):
        raise ConfigurationError("This provider has no page on which a member can consent.", code="points_off")
    return members


def _redirect_uri() -> str:
    return url_for(f"{BLUEPRINT}.callback", _external=True)


def _now_s(state: AppState) -> int:
    return int(state.clock.now().timestamp())


def _page(state: AppState, what: ConnectState, *, reason_code: str, back: str, status: int | None = None) -> Response:
    urls = panel_urls(state, back=back or request.script_root + "/")
    view = ConnectView(
        state=what,
        reason_code=reason_code,
        provider_name=state.config.provider_name,
        urls=urls,
        csrf=csrf.form_field(),
    )
    page = make_response(render_template("punktgenau/connect.html", view=view, t=current_language(state)))
    page.status_code = status or _STATUS[what]
    return page


def _keep_started(all_started: list[_Started]) -> None:
    keep(STARTED, [list(astuple(one)) for one in all_started[-STARTED_MAX:]])


def _kept_started() -> list[_Started]:
    kept = session.get(STARTED)
    found = []
    for entry in kept if isinstance(kept, list) else []:
        match entry:
            case [str(state), str(verifier), str(customer_id), int(expires_at_s), str(back)]:
                found.append(
                    _Started(
                        state=state,
                        verifier=verifier,
                        customer_id=customer_id,
                        expires_at_s=expires_at_s,
                        back=back,
                    )
                )
    return found


def _take_started(state: str) -> _Started | None:
    """The start that this return belongs to; it is forgotten now, whatever comes of it."""
    kept = _kept_started()
    found = next((one for one in kept if compare_digest(one.state.encode(), state.encode())), None)
    if found is not None:
        _keep_started([one for one in kept if one is not found])
    return found
