"""A provider that answers by a script, and what it shows of a row: the executor without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from _calls import eur, reply
from _desk import Desk
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.goals import Goals
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.provider import PROFILES, Redemption, Reversal

Answer = Redemption | tuple[Redemption, ...] | Reversal | Exception | Callable[[], Any]


class Scripted:
    """Answers the next call with the next answer, a function's with what it returns; one too many is an error."""

    partner_id = "demo-shop"
    mode = "sandbox"

    def __init__(self, profile: str = "reference", **changes: Any) -> None:
        self.profile = replace(PROFILES[profile], **changes)
        self.redemptions = self
        self.answers: list[Answer] = []
        self.calls: list[str] = []
        self.said: list[dict[str, Any]] = []

    def _answer(self, name: str, **said: Any) -> Any:
        self.calls.append(name)
        self.said.append(said)
        if not self.answers:
            raise AssertionError(f"{name} was not expected")
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in ("authorize", "capture", "extend", "void", "reverse", "cancel_by_key", "get", "find"):
            raise AttributeError(name)
        return lambda *named, **said: self._answer(name, **said, **({"id": named[0]} if named else {}))


class Engine:
    """A journal, an executor and the goals of one process, at a scripted provider."""

    def __init__(self, desk: Desk, provider: Scripted) -> None:
        self.desk, self.provider = desk, provider
        self.heard: list[tuple[str, str]] = []
        self.executor = Executor(provider, desk.journal, clock=desk.clock, heard=self._hear)  # type: ignore[arg-type]
        self.goals = Goals(desk.journal, self.executor, clock=desk.clock, heard=self._hear)

    def _hear(self, before: RedemptionRow, after: RedemptionRow) -> None:
        self.heard.append((before.state, after.state))

    def ends(self, seconds: float = 2.0) -> float:
        """A deadline from now."""
        return self.desk.clock.monotonic() + seconds

    def now(self, row: RedemptionRow) -> RedemptionRow:
        """The row as it stands."""
        return self.desk.journal.redemption(row.id)


def shown(row: RedemptionRow, state: str, **more: Any) -> Redemption:
    """What the provider shows of a row: `held`, `captured`, `back`, `released` points, worth a cent each."""
    held, captured, back, released = (more.pop(name, 0) for name in ("held", "captured", "back", "released"))
    echoed = {
        "id": row.provider_id or f"red-{row.order_reference}",
        "state": state,
        "idempotency_key": row.key,
        "order_reference": row.order_reference,
        "member_id": row.member_id,
        "points": row.points,
        "value": eur(row.value_minor),
        "total": eur(row.total_minor),
        "held_points": held,
        "captured_points": captured,
        "captured_value": eur(captured),
        "reversed_points": back,
        "reversed_value": eur(back),
        "released_points": released,
    }
    sample = Redemption.model_validate_json(json.dumps(reply("authorize")))
    return sample.model_copy(update=echoed | more)


def given_back(redemption: Redemption, points: int, *, reference: str) -> Reversal:
    """The answer to a reversal: all of it is there again."""
    sample = Reversal.model_validate_json(json.dumps(reply("reverse")))
    echoed = {"return_reference": reference, "points": points, "value": eur(points), "restored": points}
    return sample.model_copy(update={**echoed, "already_expired": 0, "converted": 0, "redemption": redemption})
