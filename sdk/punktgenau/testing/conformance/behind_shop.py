"""The test kit's fake as the provider behind a shop under test."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Literal, Protocol

from punktgenau.testing.conformance.adapter_world import Operation

# More than any call is repeated.
_EVERY = 50


class _Points(Protocol):
    @property
    def available(self) -> int: ...

    @property
    def held(self) -> int: ...


class _Faults(Protocol):
    def next(
        self, operation: Operation, kind: Literal["reset"], when: Literal["after"] = "after", times: int = 1
    ) -> None: ...

    def clear(self) -> None: ...


class _Fake(Protocol):
    @property
    def faults(self) -> _Faults: ...

    def member(self, member_id: str, points: int = 0) -> str: ...

    def balance(self, member_id: str) -> _Points: ...

    def away(self) -> AbstractContextManager[None]: ...


class BehindShop:
    """What `ShopConformance.provider` returns where the shop's provider is a `punktgenau.testing.FakeProvider`.

    `member_id` is the member whom the customer of the checks has linked.
    """

    def __init__(self, fake: _Fake, *, member_id: str = "mbr_2500") -> None:
        self._fake = fake
        self._member_id = member_id
        self._away = ExitStack()

    def give(self, points: int) -> None:
        """From now on the member can spend just so many points."""
        self._fake.member(self._member_id, points)

    def available(self) -> int:
        """Points that can be spent."""
        return self._fake.balance(self._member_id).available

    def held(self) -> int:
        """Points that are held for orders."""
        return self._fake.balance(self._member_id).held

    def lose_answers(self, operation: Operation) -> None:
        """Until `heal`: what the shop sends for this operation is carried out, and its answer gets lost."""
        self._fake.faults.next(operation, "reset", "after", _EVERY)

    def go_away(self) -> None:
        """Until `heal`: every connection is refused."""
        self._away.enter_context(self._fake.away())

    def heal(self) -> None:
        """End every trouble."""
        self._fake.faults.clear()
        self._away.close()
