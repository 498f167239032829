"""The only file that speaks HTTP: one call with its deadline and repeats, one send, and what no answer means."""

from __future__ import annotations

import os
from http.client import HTTPException
from logging import DEBUG
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError

from punktgenau._arguments import base_url as checked_url
from punktgenau._arguments import deadline, is_loopback
from punktgenau._auth import PartnerToken, TokenReply
from punktgenau._clock import Clock
from punktgenau._deadline import DeadlineAdapter, begin_call, end_call, read_bounded
from punktgenau._operation import TOKEN, Answer, Operation, R
from punktgenau._problem import note, problem_error, unanswered, without_token
from punktgenau._redact import logger, plain_words, short, speak_plainly
from punktgenau._retry import NEVER_TRIED, Circuit, RetryPolicy, RetryQuota, delay_s, proves_not_done
from punktgenau.errors import ConfigurationError, NotSentError, OutcomeUnknownError, PunktgenauError
from punktgenau.records import Mode, Record

Adapter = BaseAdapter
REPLY_BYTES_MAX = 262_144
CONNECT_S_MAX = 3.0
_ENVIRONMENT = requests.Session()
"""Sends nothing: it only says what the environment asks for, and making one costs more than all else of a client."""
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "punktgenau/0.1"}

# Raised by requests before anything can have left the machine; all about the address or a proxy's.
_NOT_SENDABLE: tuple[type[Exception], ...] = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.URLRequired,
)


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
        has_keys: bool = True,
    ) -> None:
        self.base_url = checked_url(base_url)
        self._token = token
        self._clock = clock
        self._deadline_s = deadline(deadline_s)
        self._mode: Mode | None = mode
        self._policy, self._has_keys = policy or RetryPolicy(), has_keys
        self._own_adapter = adapter is None
        self._connect(adapter or DeadlineAdapter())

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def _connect(self, adapter: BaseAdapter) -> None:
        # The environment (proxies, CA bundle) is looked up once, not per call: a quarter of what requests costs.
        settings = _ENVIRONMENT.merge_environment_settings(self.base_url, {}, None, None, None)
        self._verify: bool | str = True if settings["verify"] is None else settings["verify"]
        if isinstance(self._verify, str) and not os.path.exists(self._verify):
            raise ConfigurationError(f"There is no CA bundle at {self._verify!r}.", field="REQUESTS_CA_BUNDLE")
        # What may go without TLS must not leave the machine by way of a proxy.
        self._proxies = {} if is_loopback(urlsplit(self.base_url).hostname or "") else settings["proxies"]
        self._cert = settings["cert"]
        self._adapter = adapter
        self._quota = RetryQuota()
        self._circuit = Circuit()
        self._pid = os.getpid()

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def call(self, operation: Operation[R], *, deadline_s: float | None = None) -> Answer[R]:
        """Send one operation, again with the same key where that helps, until the deadline (seconds, in all).

        Raises NotSentError, OutcomeUnknownError (writes), UnavailableError and UnexpectedResponseError (reads), and
        ProviderError with its children. Unknown stays unknown until an answer proves something about the key.
        """
        ends = self._clock.monotonic() + (self._deadline_s if deadline_s is None else deadline(deadline_s))
        unknown: OutcomeUnknownError | None = None
        tried: PunktgenauError | None = None
        attempts = sends = 0
        renewed = False
        while True:
            attempts += 1
            try:
                answer = self._send_once(operation, ends=ends, sends=sends + 1)
            except PunktgenauError as error:
                refused_token = error.status == 401 and error.sends > 0 and operation.authenticated
                sends += error.sends
                error.sends = sends
                if error.code not in NEVER_TRIED:
                    tried = error
                if isinstance(error, OutcomeUnknownError):
                    unknown = unknown or error
                if refused_token and not renewed:
                    renewed = True
                    continue
                # Without keys what may have arrived is never sent again.
                may_repeat = self._has_keys or error.outcome != "unknown"
                if may_repeat and self._waited(error, attempts=attempts, ends=ends):
                    continue
                if tried is not None:
                    self._circuit.note(answered=tried.answered, now=self._clock.monotonic())
                final = tried or error
                if unknown is not None and final.outcome != "unknown" and not proves_not_done(final):
                    final = unknown
                if final is error:
                    raise
                final.sends = sends
                raise final.with_traceback(None) from error
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
        """One send. Everything below returns its error, so that a trace shows the noun, the loop and this."""
        if os.getpid() != self._pid:
            self._after_fork()
        now = self._clock.monotonic()
        if now < ends and not self._circuit.admits(now):
            raise NotSentError(
                "The provider did not answer several calls in a row, so this one was not sent. Nothing happened.",
                code="circuit_open",
                idempotency_key=operation.idempotency_key,
            )
        authorization: str | PunktgenauError = self._token.basic
        if operation.authenticated:
            authorization = self._token.header(lambda: self._new_token(ends), ends=ends)
        if isinstance(authorization, PunktgenauError):
            raise without_token(operation, authorization)
        answer = self._exchange(operation, authorization, ends=ends)
        if isinstance(answer, PunktgenauError):
            if answer.status == 401:
                self._token.forget(authorization)
            raise answer
        record, replayed = answer
        return Answer(record, replayed, sends)

    def _new_token(self, ends: float) -> TokenReply | PunktgenauError:
        answer = self._exchange(TOKEN, self._token.basic, ends=ends)
        return answer if isinstance(answer, PunktgenauError) else answer[0]

    def _exchange(
        self, operation: Operation[R], authorization: str, *, ends: float
    ) -> tuple[R, bool] | PunktgenauError:
        started = self._clock.monotonic()
        left_s = ends - started
        if left_s <= 0:
            return NotSentError(
                "The deadline passed before anything was sent. Nothing happened; make the same call again.",
                code="deadline_passed",
                idempotency_key=operation.idempotency_key,
            )
        try:
            begin_call(ends, self._clock.monotonic)
            response = self._adapter.send(
                self._prepared(operation, authorization),
                stream=True,
                timeout=(min(CONNECT_S_MAX, left_s), left_s),
                verify=self._verify,
                cert=self._cert,
                proxies=self._proxies,
            )
            body = read_bounded(response, limit_bytes=REPLY_BYTES_MAX)
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            return not_answered(operation, error)
        finally:
            end_call()
        if logger.isEnabledFor(DEBUG):
            duration_ms = (self._clock.monotonic() - started) * 1000
            key = short(operation.idempotency_key)
            logger.debug("%s %s in %.0f ms, key %s", operation.name, response.status_code, duration_ms, key)
        return self._judged(operation, response, body)

    def _judged(
        self, operation: Operation[R], response: Response, body: bytes | None
    ) -> tuple[R, bool] | PunktgenauError:
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if body is None or response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return unanswered(operation, "an answer that is too large or packed", response=response)
        if response.status_code not in (200, 201) or content_type != "application/json":
            return problem_error(operation, response, body, content_type, now=self._clock.now())
        try:
            record = operation.reply.model_validate_json(body)
        except ValidationError as error:
            fields = sorted({".".join(map(str, part["loc"])) or "all of it" for part in error.errors()})
            what = f"an answer of another shape ({', '.join(fields[:3])})"
            return unanswered(operation, what, response=response)
        if wrong := self._wrong_mode(operation, record):
            note(wrong, response)
            return wrong
        return record, response.headers.get("Idempotency-Replayed", "").lower() == "true"

    def _prepared(self, operation: Operation[R], authorization: str) -> PreparedRequest:
        headers = {**_HEADERS, "Authorization": authorization}
        if operation.idempotency_key is not None:
            headers["Idempotency-Key"] = operation.idempotency_key
        if operation.body is not None:
            headers["Content-Type"] = operation.content_type
            headers["Content-Length"] = str(len(operation.body))
        # Made by hand: `prepare` would parse, encode and merge what is known to fit.
        request = PreparedRequest()
        request.method, request.url, request.body = operation.method, self.base_url + operation.path, operation.body
        request.headers = CaseInsensitiveDict(headers)
        return request

    def _after_fork(self) -> None:
        # Sockets belong to the parent, sharing them would cross answers; a lock may be held by a thread left there.
        self._token.after_fork()
        self._connect(DeadlineAdapter() if self._own_adapter else self._adapter)

    def _wrong_mode(self, operation: Operation[R], record: Record) -> PunktgenauError | None:
        mode: Mode | None = getattr(record, "mode", None)
        if mode is None or mode == self._mode:
            return None
        if self._mode is None:
            self._mode = mode
            return None
        message = f"{operation.name}: the provider answered in {mode} mode, expected was {self._mode}."
        if operation.idempotency_key is None:
            return ConfigurationError(
                f"{message} Nothing was changed; check the address and the credentials.", field="mode"
            )
        unknown = OutcomeUnknownError(
            f"{message} Ask {operation.look_up} before anything else.",
            code="mode_mismatch",
            idempotency_key=operation.idempotency_key,
        )
        unknown.look_up = operation.look_up
        return unknown


def not_answered(operation: Operation[R], cause: Exception) -> PunktgenauError:
    """What an exception of the lower layers means: NotSent only where nothing can have left, else unknown."""
    error = _meaning(operation, cause)
    # Its text says why. Its frames and its request hold the credentials, where a crash reporter would read them.
    cause.__suppress_context__ = True
    if isinstance(cause, requests.RequestException | HTTPError):
        speak_plainly(cause, operation.path)
    if isinstance(cause, requests.RequestException):
        cause.request = cause.response = None
    error.__cause__ = cause.with_traceback(None)
    return error


def _meaning(operation: Operation[R], cause: Exception) -> PunktgenauError:
    name, key = operation.name, operation.idempotency_key
    if isinstance(cause, _NOT_SENDABLE):
        words = plain_words(cause, operation.path)
        return ConfigurationError(f"{name} cannot be sent: {words}. Nothing happened.", field="base_url")
    if isinstance(cause, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return NotSentError(
            f"{name} was not sent: the provider's certificate is not trusted.",
            code="tls_untrusted",
            idempotency_key=key,
        )
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    refused = isinstance(cause, requests.exceptions.ConnectionError) and isinstance(reason, NewConnectionError)
    if refused or isinstance(cause, requests.exceptions.ConnectTimeout):
        # urllib3's ConnectTimeoutError counts as ConnectTimeout here; a read timeout never does.
        return NotSentError(
            f"{name} did not reach the provider. Nothing happened there; try again.", idempotency_key=key
        )
    late = isinstance(cause, requests.exceptions.Timeout | TimeoutError) or "timed out" in str(cause).lower()
    error = unanswered(operation, "no answer in time" if late else "no complete answer")
    if late:
        error.lost_by = "timeout"
    elif isinstance(cause, requests.exceptions.ConnectionError):
        error.lost_by = "disconnected"
    return error
