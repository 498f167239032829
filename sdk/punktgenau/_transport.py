"""The only file that speaks HTTP: one call with its deadline and repeats, one send, and what an answer means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError, NewConnectionError

from punktgenau._auth import PartnerToken, TokenReply
from punktgenau._clock import Clock
from punktgenau._deadline import DeadlineAdapter, ends_at, read_bounded
from punktgenau._problem import problem_error, unanswered
from punktgenau._redact import logger, short
from punktgenau._retry import Circuit, RetryPolicy, RetryQuota, delay_s, proves_not_done
from punktgenau.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidArgumentError,
    NotSentError,
    OutcomeUnknownError,
    PunktgenauError,
)
from punktgenau.provider import Mode, Record

Adapter = BaseAdapter
R = TypeVar("R", bound=Record)
REPLY_BYTES_MAX = 262_144
CONNECT_S_MAX = 3.0

# Raised by requests before anything can have left the machine.
_NOT_SENDABLE: tuple[type[Exception], ...] = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.URLRequired,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[R]):
    """One call of the partner API; a write is what carries an idempotency key."""

    name: str
    method: str
    path: str
    reply: type[R]
    body: bytes | None = None
    content_type: str = "application/json"
    idempotency_key: str | None = None
    authenticated: bool = True
    """With the partner's bearer token; otherwise with client id and secret."""


TOKEN = Operation(
    name="token",
    method="POST",
    path="/oauth/token",
    reply=TokenReply,
    body=b"grant_type=client_credentials",
    content_type="application/x-www-form-urlencoded",
    authenticated=False,
)


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """A proper answer: the record, whether it repeats an earlier one, and how often this call's bytes went out."""

    record: R
    replayed: bool
    sends: int


class Transport:
    """Sends operations of one client to one provider; safe for many threads and after a fork."""

    def __init__(
        self,
        base_url: str,
        *,
        token: PartnerToken,
        clock: Clock,
        deadline_s: float,
        mode: Mode | None = None,
        adapter: BaseAdapter | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._base_url = _checked(base_url)
        self._token = token
        self._clock = clock
        self._deadline_s = deadline_s
        self._mode: Mode | None = mode
        self._policy = policy or RetryPolicy()
        self._quota = RetryQuota()
        self._circuit = Circuit()
        self._own_adapter = adapter is None
        self._connect(adapter)

    def _connect(self, adapter: BaseAdapter | None) -> None:
        # The environment (proxies, CA bundle) is looked up once, not per call: a quarter of what requests costs.
        session = requests.Session()
        session.mount(self._base_url, adapter or DeadlineAdapter())
        settings = session.merge_environment_settings(self._base_url, {}, None, None, None)
        self._verify: bool | str = True if settings["verify"] is None else settings["verify"]
        self._cert, self._proxies = settings["cert"], settings["proxies"]
        self._adapter = session.get_adapter(self._base_url)
        self._template = session.prepare_request(
            requests.Request(
                "GET",
                self._base_url,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "punktgenau/0.1"},
            )
        )
        self._pid = os.getpid()

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def call(self, operation: Operation[R], *, deadline_s: float | None = None) -> Answer[R]:
        """Send one operation, again with the same key where that helps, until the deadline (seconds, in all).

        Raises NotSentError, OutcomeUnknownError (writes), UnavailableError and UnexpectedResponseError (reads), and
        ProviderError with its children. Unknown stays unknown until an answer proves something about the key.
        """
        ends = self._clock.monotonic() + _positive(self._deadline_s if deadline_s is None else deadline_s)
        unknown: OutcomeUnknownError | None = None
        attempts = sends = 0
        renewed = False
        while True:
            attempts += 1
            try:
                answer = self._send_once(operation, ends=ends, sends=sends + 1)
            except PunktgenauError as error:
                sends += error.sends
                error.sends = sends
                if error.status == 401 and operation.authenticated and not renewed:
                    renewed = True
                    self._token.forget()
                    continue
                if isinstance(error, OutcomeUnknownError):
                    unknown = unknown or error
                if self._waited(error, attempts=attempts, ends=ends):
                    continue
                self._circuit.note(answered=error.answered, now=self._clock.monotonic())
                if unknown is not None and unknown is not error and not proves_not_done(error):
                    unknown.sends = sends
                    raise unknown from error
                raise
            self._circuit.note(answered=True, now=self._clock.monotonic())
            self._quota.give()
            return answer

    def _waited(self, error: PunktgenauError, *, attempts: int, ends: float) -> bool:
        chance = int.from_bytes(self._clock.random_bytes(4), "big") / 2**32
        seconds = delay_s(self._policy, error, sends=attempts, chance=chance, retry_after_s=error.retry_after_s)
        if seconds is None or self._clock.monotonic() + seconds >= ends or not self._quota.take(error):
            return False
        if seconds:
            self._clock.sleep(seconds)
        return True

    def _send_once(self, operation: Operation[R], *, ends: float, sends: int) -> Answer[R]:
        started = self._clock.monotonic()
        if started >= ends:
            raise NotSentError(
                "The deadline passed before anything was sent. Nothing happened; make the same call again.",
                code="deadline_passed",
                idempotency_key=operation.idempotency_key,
            )
        if not self._circuit.admits(started):
            raise NotSentError(
                "The provider did not answer several calls in a row, so this one was not sent. Nothing happened.",
                code="circuit_open",
                idempotency_key=operation.idempotency_key,
            )
        if operation.authenticated and (refused := self._token.ensure(lambda: self._partner_token(ends), ends=ends)):
            if isinstance(refused, AuthenticationError | ConfigurationError):
                raise refused
            raise NotSentError(
                f"{operation.name} was not sent: the provider gave no token. Nothing happened; try again.",
                idempotency_key=operation.idempotency_key,
            ) from refused
        request = self._prepared(operation)
        try:
            with ends_at(ends, self._clock.monotonic):
                response = self._adapter.send(
                    request,
                    stream=True,
                    timeout=(min(CONNECT_S_MAX, ends - started), ends - started),
                    verify=self._verify,
                    cert=self._cert,
                    proxies=self._proxies,
                )
                body = read_bounded(response, limit_bytes=REPLY_BYTES_MAX)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise not_answered(operation, error) from error
        logger.debug(
            "%s %s in %.0f ms, key %s",
            operation.name,
            response.status_code,
            (self._clock.monotonic() - started) * 1000,
            short(operation.idempotency_key),
        )
        return self._judged(operation, response, body, sends=sends)

    def _judged(self, operation: Operation[R], response: Response, body: bytes | None, *, sends: int) -> Answer[R]:
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        if body is None or encoded:
            raise unanswered(
                operation.name, operation.idempotency_key, response, "an answer that is too large or packed"
            )
        if response.status_code in (200, 201) and content_type == "application/json":
            try:
                record = operation.reply.model_validate_json(body)
            except ValidationError as error:
                raise unanswered(
                    operation.name, operation.idempotency_key, response, "an answer of another shape"
                ) from error
            self._check_mode(operation, record)
            return Answer(record, response.headers.get("Idempotency-Replayed", "").lower() == "true", sends)
        raise problem_error(
            operation.name, operation.idempotency_key, response, body, content_type, now=self._clock.now()
        )

    def _partner_token(self, ends: float) -> TokenReply:
        return self._send_once(TOKEN, ends=ends, sends=1).record

    def _prepared(self, operation: Operation[R]) -> PreparedRequest:
        if os.getpid() != self._pid and self._own_adapter:
            # After a fork, sockets belong to the parent; sharing them would cross answers.
            self._connect(None)
        request = self._template.copy()
        request.method = operation.method
        request.url = self._base_url + operation.path
        headers = request.headers
        headers["Authorization"] = self._token.header if operation.authenticated else self._token.basic
        if operation.idempotency_key is not None:
            headers["Idempotency-Key"] = operation.idempotency_key
        if operation.body is not None:
            headers["Content-Type"] = operation.content_type
            headers["Content-Length"] = str(len(operation.body))
            request.body = operation.body
        return request

    def _check_mode(self, operation: Operation[R], record: Record) -> None:
        mode: Mode | None = getattr(record, "mode", None)
        if mode is None or mode == self._mode:
            return
        if self._mode is None:
            self._mode = mode
            return
        message = f"The provider answered in {mode} mode, expected was {self._mode}."
        if operation.idempotency_key is None:
            raise ConfigurationError(
                f"{message} Nothing was sent; check the address and the credentials.", code="wrong_mode"
            )
        raise OutcomeUnknownError(message, code="mode_mismatch", idempotency_key=operation.idempotency_key)


def not_answered(operation: Operation[R], error: Exception) -> PunktgenauError:
    """What an exception of the lower layers means: NotSent only where nothing can have left, else unknown."""
    name, key = operation.name, operation.idempotency_key
    if isinstance(error, _NOT_SENDABLE):
        return InvalidArgumentError(f"{name} cannot be sent: {error}. Nothing happened.", idempotency_key=key)
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return NotSentError(
            f"{name} was not sent: the provider's certificate is not trusted.",
            code="tls_untrusted",
            idempotency_key=key,
        )
    reason = getattr(error.args[0], "reason", None) if error.args else None
    refused = isinstance(error, requests.exceptions.ConnectionError) and isinstance(reason, NewConnectionError)
    if refused or isinstance(error, requests.exceptions.ConnectTimeout):
        # urllib3's ConnectTimeoutError counts as ConnectTimeout here; a read timeout never does.
        sent = NotSentError(
            f"{name} did not reach the provider. Nothing happened there; try again.", idempotency_key=key
        )
        sent.sends = 0
        return sent
    timeout = isinstance(error, requests.exceptions.Timeout | TimeoutError) or "timed out" in str(error).lower()
    dropped = isinstance(error, requests.exceptions.ConnectionError) and not timeout
    code = "timeout" if timeout else "disconnected" if dropped else "outcome_unknown"
    return unanswered(name, key, None, "no complete answer", code=code)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    loopback = host == "localhost" or host == "::1" or host.startswith("127.")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"{base_url!r} is not the address of a provider.", field="base_url")
    if parts.scheme == "http" and not loopback:
        raise ConfigurationError("The provider's address must use https, except on this machine.", field="base_url")
    return base_url.rstrip("/")


def _positive(deadline_s: float) -> float:
    if isinstance(deadline_s, bool) or not isinstance(deadline_s, int | float) or not 0 < deadline_s <= 600:
        raise InvalidArgumentError("deadline_s must be seconds between 0 and 600.", field="deadline_s")
    return float(deadline_s)
