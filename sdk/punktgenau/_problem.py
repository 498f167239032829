"""What an answer that is no success means: RFC 9457 problems to error classes, everything else to unknown."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from punktgenau._operation import Answer, Operation, R
from punktgenau._redact import hide, secrets_sent
from punktgenau.codes import CODES
from punktgenau.errors import (
    AuthenticationError,
    ConfigurationError,
    NotSentError,
    OutcomeUnknownError,
    ProviderError,
    PunktgenauError,
    RateLimitedError,
    UnavailableError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from requests import Response

_TEXT_MAX = 300


class _Remaining(BaseModel):
    model_config = ConfigDict(strict=True)
    points: int


class _Problem(BaseModel):
    model_config = ConfigDict(strict=True)
    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,64}$")]
    detail: str = ""
    outcome: str = "unknown"
    field: str | None = None
    remaining: _Remaining | None = None
    redemption_id: str | None = None


def unanswered(
    operation: Operation[R],
    what: str,
    *,
    response: Response | None = None,
    code: str | None = None,
    now: datetime | None = None,
) -> PunktgenauError:
    """No proper answer: unknown on a write, nothing done on a read. Something may have been sent, so it counts."""
    error: PunktgenauError
    if operation.idempotency_key is not None:
        error = OutcomeUnknownError(
            f"{operation.name}: {what} came back, so it is not known whether points moved. "
            f"Make the same call with the same key, or ask {operation.look_up}.",
            code=code,
            idempotency_key=operation.idempotency_key,
        )
        error.look_up = operation.look_up
    elif response is not None and response.status_code < 500:
        error = UnexpectedResponseError(f"{operation.name}: {what} came back. Nothing was changed.")
    else:
        error = UnavailableError(f"{operation.name}: {what} came back. Nothing was changed; try again.")
    note(error, response, now)
    return error


def problem_error(
    operation: Operation[R], response: Response, body: bytes, content_type: str, *, now: datetime
) -> PunktgenauError:
    """The error for an answer without a success status, or with an unreadable one."""
    problem = _parsed(body) if content_type == "application/problem+json" else None
    name, key, status = operation.name, operation.idempotency_key, response.status_code
    if status == 429:
        error: PunktgenauError = RateLimitedError(
            f"{name}: the provider asks to slow down. Nothing was done; try again later.", idempotency_key=key
        )
        note(error, response, now)
        return error
    if problem is None or status < 400:
        what = f"an answer with status {status} that is no proper one"
        return unanswered(operation, what, response=response, now=now)
    if problem.outcome != "not_done" or status >= 500:
        code = problem.code if key and _is_unknown(problem.code) else None
        return unanswered(operation, f"the answer {problem.code!r}", response=response, code=code, now=now)
    row = CODES.get(problem.code)
    kind = row.error if row is not None and issubclass(row.error, ProviderError) else ProviderError
    # Before it is cut, so that no half of a secret is left.
    sent = secrets_sent(response.request.headers, response.request.body) if response.request is not None else ()
    error = kind(
        _plain(hide(problem.detail, sent)) or f"{name} was refused ({problem.code}).",
        code=problem.code,
        outcome="not_done",
        retry=row.retry if row is not None and row.error is kind else None,
        idempotency_key=key,
        field=_plain(hide(problem.field or "", sent)),
        remaining=problem.remaining.points if problem.remaining else None,
        redemption_id=_plain(problem.redemption_id),
    )
    note(error, response)
    return error


def without_token(operation: Operation[R], refused: PunktgenauError) -> PunktgenauError:
    """Nothing of the operation left, because there is no token to send it with."""
    if isinstance(refused, AuthenticationError | ConfigurationError):
        refused.idempotency_key = operation.idempotency_key
        refused.sends = 0
        return refused
    error = NotSentError(
        f"{operation.name} was not sent: the provider gave no token. Nothing happened; try again.",
        code=refused.code if isinstance(refused, NotSentError) else None,
        idempotency_key=operation.idempotency_key,
        request_id=refused.request_id,
    )
    error.status, error.answered, error.retry_after_s = refused.status, refused.answered, refused.retry_after_s
    error.__cause__ = refused.with_traceback(None)
    return error


def about_something_else(operation: Operation[R], field: str, answer: Answer[R]) -> PunktgenauError:
    """A proper answer, but not to what was asked: another member's, order's or key's."""
    what = f"{operation.name}: the answer is about something else ({field} differs from what was sent)"
    error: PunktgenauError
    if operation.idempotency_key is None:
        error = UnexpectedResponseError(f"{what}. Nothing was changed.", field=field)
    else:
        error = OutcomeUnknownError(
            f"{what}, so it is not known whether points moved. Ask {operation.look_up} before anything else.",
            code="wrong_echo",
            field=field,
            idempotency_key=operation.idempotency_key,
        )
        error.look_up = operation.look_up
    error.sends, error.answered = answer.sends, True
    return error


def note(error: PunktgenauError, response: Response | None, now: datetime | None = None) -> None:
    """Write on an error what the exchange was like."""
    error.sends = 1
    if response is None:
        return
    error.status = response.status_code
    error.answered = response.status_code < 500
    error.request_id = _plain(response.headers.get("X-Request-Id"))
    error.retry_after_s = _retry_after(response.headers.get("Retry-After"), now)


def _parsed(body: bytes) -> _Problem | None:
    try:
        return _Problem.model_validate_json(body)
    except ValidationError:
        return None


def _is_unknown(code: str) -> bool:
    row = CODES.get(code)
    return row is None or row.outcome == "unknown"


def _plain(text: str | None) -> str | None:
    """The provider's text as one short line, so that it cannot forge lines of a log."""
    if text is None:
        return None
    line = "".join(ch if ch.isprintable() else " " for ch in text[:_TEXT_MAX])
    return line.strip() or None


def _retry_after(text: str | None, now: datetime | None) -> float | None:
    """Seconds from a Retry-After header; None for none and for nonsense."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return None if moment.tzinfo is None or now is None else max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None
