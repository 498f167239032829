"""What an answer that is no success means: RFC 9457 problems to error classes, everything else to unknown."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from pydantic import BaseModel, ConfigDict, ValidationError
from requests import Response

from punktgenau.codes import CODES
from punktgenau.errors import (
    OutcomeUnknownError,
    ProviderError,
    PunktgenauError,
    RateLimitedError,
    UnavailableError,
    UnexpectedResponseError,
)


class _Remaining(BaseModel):
    model_config = ConfigDict(strict=True)
    points: int


class _Problem(BaseModel):
    model_config = ConfigDict(strict=True)
    code: str
    detail: str = ""
    outcome: str = "unknown"
    field: str | None = None
    remaining: _Remaining | None = None
    redemption_id: str | None = None


def unanswered(
    name: str,
    key: str | None,
    response: Response | None,
    what: str,
    *,
    code: str | None = None,
    now: datetime | None = None,
) -> PunktgenauError:
    """No proper answer: unknown on a write, nothing done on a read. Something may have been sent, so it counts."""
    error: PunktgenauError
    if key is not None:
        error = OutcomeUnknownError(
            f"{name}: {what} came back, so it is not known whether points moved. "
            f"Make the same call with the same key, or ask redemptions.find(idempotency_key={key!r}).",
            code=code,
            idempotency_key=key,
        )
    elif response is not None and response.status_code < 500:
        error = UnexpectedResponseError(f"{name}: {what} came back. Nothing was changed.")
    else:
        error = UnavailableError(f"{name}: {what} came back in time. Nothing was changed; try again.", code=code)
    _note(error, response, now)
    return error


def problem_error(
    name: str, key: str | None, response: Response, body: bytes, content_type: str, *, now: datetime
) -> PunktgenauError:
    """The error for an answer without a success status, or with an unreadable one."""
    problem = _parsed(body) if content_type == "application/problem+json" else None
    status = response.status_code
    if status == 429:
        error: PunktgenauError = RateLimitedError(
            f"{name}: the provider asks to slow down. Nothing was done; try again later.", idempotency_key=key
        )
        _note(error, response, now)
        return error
    if problem is None or status < 400:
        return unanswered(name, key, response, f"an answer with status {status} that is no proper one", now=now)
    if problem.outcome == "unknown" or status >= 500:
        return unanswered(
            name, key, response, f"the answer {problem.code!r}", code=problem.code if key else None, now=now
        )
    row = CODES.get(problem.code)
    kind = row.error if row is not None and issubclass(row.error, ProviderError) else ProviderError
    error = kind(
        problem.detail or f"{name} was refused ({problem.code}).",
        code=problem.code,
        outcome="not_done",
        idempotency_key=key,
        field=problem.field,
        remaining=problem.remaining.points if problem.remaining else None,
        redemption_id=problem.redemption_id,
    )
    _note(error, response)
    return error


def _parsed(body: bytes) -> _Problem | None:
    try:
        return _Problem.model_validate_json(body)
    except ValidationError:
        return None


def _note(error: PunktgenauError, response: Response | None, now: datetime | None = None) -> None:
    error.sends = 1
    if response is None:
        return
    error.status = response.status_code
    error.answered = response.status_code < 500
    error.request_id = response.headers.get("X-Request-Id")
    error.retry_after_s = _retry_after(response.headers.get("Retry-After"), now)


def _retry_after(text: str | None, now: datetime | None) -> float | None:
    """Seconds from a Retry-After header; None for none and for nonsense."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None or now is None:
        return None
    return max(0.0, (moment - now).total_seconds())
