"""One check: its id, what it looks at, why the engine relies on that, and how its failure is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from punktgenau.errors import PunktgenauError

_MARK = "punktgenau_check"


_SUCCEED = "the call that raised this has to succeed here."
_OWN_ERRORS = "an adapter raises errors of punktgenau.errors only, and what a test class supplies raises none."


class _Kit(Protocol):
    def heal(self) -> None: ...


S = TypeVar("S", bound=_Kit)


class ConformanceError(AssertionError):
    """A check found something else than the contract says; its text tells what, and what to do."""


class NotApplicableError(Exception):
    """This check says nothing about this adapter or shop; its text is the reason. Counted apart, never as passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one check is called, looks at, and is for."""

    id: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"check {self.id}: {self.what}\nwhy: {self.why}"


def check(id: str, *, why: str) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
    """Make a method a check. Its docstring says what it looks at, in one line; `why` who relies on it."""

    def made(method: Callable[[S], None]) -> Callable[[S], None]:
        described = Check(id=id, what=(method.__doc__ or "").strip(), why=why)

        @functools.wraps(method)
        def run(self: S) -> None:
            __tracebackhide__ = True
            try:
                method(self)
            except NotApplicableError:
                raise
            except ConformanceError as found:
                found.add_note(str(described))
                raise
            except Exception as found:
                found.add_note(f"to do: {_SUCCEED if isinstance(found, PunktgenauError) else _OWN_ERRORS}\n{described}")
                raise
            finally:
                self.heal()

        setattr(run, _MARK, described)
        return run

    return made


def check_of(function: object) -> Check | None:
    """The check that a method is, or None."""
    described = getattr(function, _MARK, None)
    return described if isinstance(described, Check) else None


def checks_of(kit: type) -> tuple[Check, ...]:
    """Every check of a kit, in alphabetical order of their ids."""
    found = {described.id: described for name in dir(kit) if (described := check_of(getattr(kit, name)))}
    return tuple(found[id] for id in sorted(found))


def expect(about: str, found: object, wanted: object, *, to_do: str) -> None:
    """Fail where `found` is not `wanted`; the message says what to do about it."""
    __tracebackhide__ = True
    if type(found) is not type(wanted) or found != wanted:
        raise ConformanceError(f"{about} should be {wanted!r}, and is {found!r}.\nto do: {to_do}")


def expect_that(holds: bool, found: str, *, to_do: str) -> None:
    """Fail where something does not hold; `found` says what was seen instead."""
    __tracebackhide__ = True
    if not holds:
        raise ConformanceError(f"{found}\nto do: {to_do}")


def not_applicable(reason: str) -> NotApplicableError:
    """To be raised where a check says nothing about what is under test."""
    return NotApplicableError(reason)
