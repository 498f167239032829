"""The adapter under the client: carries each request into the sandbox and back, through simulated time and trouble."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

import requests
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from punktgenau.checkout.resolve import LEAST_SETTLE_S
from punktgenau.profiles import ProviderProfile
from punktgenau.testing import _broken
from punktgenau.testing.simulator.faults import LAGGING, Aim, Trouble, impossible, odds, trouble
from punktgenau.testing.simulator.provider import BEGINS, Fault, FaultOnWire, Reply, Sent, SimulatedProvider, sent_of
from punktgenau.testing.simulator.seams import Seams
from punktgenau.testing.simulator.watch import Watch

_ROUTES = tuple(
    (operation, method, re.compile(pattern))
    for operation, method, pattern in (
        ("token", "POST", r"/oauth/token"),
        ("balance", "GET", r"/v1/members/[^/]+/balance"),
        ("authorize", "POST", r"/v1/redemptions"),
        ("cancel_by_key", "POST", r"/v1/redemptions/cancel-by-key"),
        ("capture", "POST", r"/v1/redemptions/[^/]+/capture"),
        ("extend", "POST", r"/v1/redemptions/[^/]+/extend"),
        ("void", "POST", r"/v1/redemptions/[^/]+/void"),
        ("reverse", "POST", r"/v1/redemptions/[^/]+/reversals"),
        ("find", "GET", r"/v1/redemptions"),
        ("get", "GET", r"/v1/redemptions/[^/]+"),
        ("accrue", "POST", r"/v1/accruals"),
        ("post_accrual", "POST", r"/v1/accruals/[^/]+/post"),
        ("reverse_accrual", "POST", r"/v1/accruals/[^/]+/reversals"),
        ("find_accruals", "GET", r"/v1/accruals"),
        ("get_accrual", "GET", r"/v1/accruals/[^/]+"),
        ("look_up_voucher", "POST", r"/v1/vouchers/look-up"),
        ("vouchers", "GET", r"/v1/vouchers"),
        ("buy_voucher", "POST", r"/v1/vouchers"),
        ("voucher_products", "GET", r"/v1/voucher-products"),
        ("get_voucher", "GET", r"/v1/vouchers/[^/]+"),
    )
)
_JUST_AFTER_S = 0.001


class StraightWire(BaseAdapter):
    """A way to the provider on which nothing happens, for what stands before a history begins."""

    def __init__(self, provider: SimulatedProvider) -> None:
        super().__init__()
        self._provider = provider

    def close(self) -> None:
        """There is nothing to close."""

    def send(self, request: PreparedRequest, *args: object, **kwargs: object) -> Response:
        """Answer."""
        return _response(request, self._provider.deliver(_sent(request), at=BEGINS), truncated=False)


class Wire(BaseAdapter):
    """One process's way to the provider."""

    def __init__(
        self,
        seams: Seams,
        provider: SimulatedProvider,
        watch: Watch,
        *,
        ahead_s: int,
        profile: ProviderProfile,
        aimed: Aim,
        has_token: bool,
    ) -> None:
        super().__init__()
        self._seams = seams
        self._provider = provider
        self._watch = watch
        self._ahead = timedelta(seconds=ahead_s)
        self._has_token = has_token
        self._never, self._aimed = impossible(profile), aimed
        self._with_keys = profile.keys != "none"
        self._behind_s = profile.settle_s
        settle_s = max(LEAST_SETTLE_S, profile.settle_s)
        self._latest_s = settle_s / 2 if "slow_lookup" in self._never else 90.0

    def close(self) -> None:
        """There is nothing to close."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Answer, or raise what requests would."""
        seams, operation = self._seams, operation_of(request.method, request.path_url.partition("?")[0])
        if operation == "token" and self._has_token:
            self._has_token = False
            return _response(request, self._provider.token, truncated=False)
        connect_s, left_s = timeout if isinstance(timeout, tuple) else (3.0, 8.0)
        seams.reach("before the bytes", operation)
        ends_us = seams.turns.now_us + round((left_s or 8.0) * 1_000_000)
        place = seams.place("fault")
        met: Trouble | None = None
        if seams.script.happens(place, odds(operation, seams.odds.fault, self._aimed)):
            met = trouble(
                seams.script, place, operation, aimed=self._aimed, never=self._never, with_keys=self._with_keys
            )
            seams.cells["fault", operation, str(met)] += 1
            seams.note(f"{operation} MEETS {met}")
        if met is not None and met.kind == "refused":
            raise _broken.refused(request)
        if met is not None and met.kind == "connect timeout":
            seams.sleep(connect_s, "request on its way")
            raise requests.ConnectTimeout("connect timed out", request=request)
        return self._travel(request, operation, met, ends_us)

    def _travel(self, request: PreparedRequest, operation: str, met: Trouble | None, ends_us: int) -> Response:
        seams, place = self._seams, self._seams.place("way")
        slow = seams.script.happens(seams.place("slow"), seams.odds.slow)
        longest = 3.0 if slow else 0.15
        key = request.headers.get("Idempotency-Key")
        self._watch.sending(operation, key, _body(request))
        kind, when = (met.kind, met.when) if met is not None else ("", "after")
        if when == "late":
            self._later(request, operation, seams.script.between(place, 1.0, self._latest_s, "late"))
        there_s = seams.script.between(place, 0.005, longest, "there")
        if seams.turns.now_us + round(there_s * 1_000_000) > ends_us:
            # It arrives when its sender has given up.
            self._later(request, operation, there_s)
            self._give_up(request, ends_us)
        arrives = kind not in ("reset", "timeout", "stale connection") or when == "after"
        try:
            seams.sleep(there_s, "request on its way")
        except BaseException:
            # Whoever dies now has sent the bytes: they arrive or not, without anybody who waits for the answer.
            if arrives and seams.script.fraction(place, "arrives") < 0.7:
                self._later(request, operation, seams.script.between(place, 0.0, 5.0, "arrives late"))
            raise
        played, behind_s = met.fault if met is not None else None, 0.0
        if kind == LAGGING:
            behind_s = seams.script.between(place, 0.0, self._behind_s, "behind")
        reply = self._deliver(request, operation, played, behind_s=behind_s) if arrives else None
        if kind == "duplicate" and when == "after":
            self._deliver(request, operation, None)
        if kind == "timeout":
            self._give_up(request, ends_us)
        back_s = seams.script.between(place, 0.005, longest, "back")
        if seams.turns.now_us + round(back_s * 1_000_000) > ends_us:
            self._give_up(request, ends_us)
        seams.sleep(back_s, "answer on its way")
        if reply is None or kind == "reset":
            fault = FaultOnWire(Fault("any", "stale_connection" if kind == "stale connection" else "reset"))
            _broken.play(fault, request, timeout_s=1, sleep=seams.turns.spend)
        assert reply is not None
        if reply.status < 300:
            self._watch.read(key, wrong=kind == "wrong_echo")
        seams.reach("answer read", operation)
        return _response(request, reply, truncated=kind == "truncated")

    def _give_up(self, request: PreparedRequest, ends_us: int) -> None:
        left_s = max(0, ends_us - self._seams.turns.now_us) / 1_000_000
        self._seams.sleep(left_s + _JUST_AFTER_S, "answer on its way")
        raise requests.ReadTimeout("read timed out", request=request)

    def _later(self, request: PreparedRequest, operation: str, delay_s: float) -> None:
        self._seams.turns.later(
            f"late {operation}", lambda: self._arrive_late(request, operation), delay_s=max(_JUST_AFTER_S, delay_s)
        )

    def _arrive_late(self, request: PreparedRequest, operation: str) -> None:
        self._deliver(request, operation, None, actor="(late)")

    def _deliver(
        self,
        request: PreparedRequest,
        operation: str,
        fault: Fault | None,
        *,
        actor: str | None = None,
        behind_s: float = 0.0,
    ) -> Reply:
        at = self._seams.now() + self._ahead
        as_of = at - timedelta(seconds=behind_s) if behind_s else None
        reply = self._provider.deliver(_sent(request), at=at, fault=fault, as_of=as_of)
        key, gist = request.headers.get("Idempotency-Key"), _gist(reply)
        self._watch.heard(operation, key, reply.status, gist, path=request.path_url)
        self._seams.note(f"{operation} -> {reply.status} {gist}{f' key {key[3:9]}' if key else ''}", actor=actor)
        return reply


@lru_cache(maxsize=4096)
def operation_of(method: str | None, path: str) -> str:
    """Which operation of the contract a request is."""
    for operation, its_method, pattern in _ROUTES:
        if method == its_method and pattern.fullmatch(path):
            return operation
    raise AssertionError(f"{method} {path}: the provider offers no such thing")


def _sent(request: PreparedRequest) -> Sent:
    return sent_of(str(request.method), str(request.url), request.headers, _body(request))


def _body(request: PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _gist(reply: Reply) -> str:
    """State or code of an answer, never a token."""
    found = re.search(rb'"(?:code|state)": ?"([a-z_]+)"', reply.content)
    return found.group(1).decode() if found else ""


def _response(request: PreparedRequest, reply: Reply, *, truncated: bool) -> Response:
    body = reply.content[: len(reply.content) // 2] if truncated else reply.content
    length = {"Content-Length": str(len(reply.content))}
    response = Response()
    response.status_code = reply.status
    response.headers = CaseInsensitiveDict(reply.headers, **length)
    response.url = str(request.url)
    response.request = request
    response.raw = HTTPResponse(
        body=io.BytesIO(body),
        headers=length,
        status=reply.status,
        preload_content=False,
        enforce_content_length=True,
        request_method=request.method,
    )
    return response
