"""The error tree: as drawn, with its defaults, carried whole between processes, and silent about secrets."""

import copy
import inspect
import pickle
import re

import pytest

import punktgenau.errors as errors
from punktgenau.errors import (
    InvalidArgumentError,
    OutcomeUnknownError,
    PunktgenauError,
    ReversalExceedsCaptureError,
)

CLASSES = [
    member
    for _, member in inspect.getmembers(errors, inspect.isclass)
    if issubclass(member, PunktgenauError) and member.__module__ == errors.__name__
]


def drawn_tree() -> dict[str, str]:
    """Child -> parent, as the docstring draws it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└ ]*)([A-Z]\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 2
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else ""
    return parents


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    real = {cls.__name__: cls.__mro__[1].__name__ for cls in CLASSES}
    real["PunktgenauError"] = ""
    assert drawn_tree() == real


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_has_a_code_and_says_what_happened(cls: type[PunktgenauError]) -> None:
    error = cls("Something.")
    assert error.code == cls.default_code
    assert error.outcome in ("not_done", "done", "unknown")
    assert error.retry in ("same_key", "new_attempt", "never")
    assert cls.__doc__
    assert (error.idempotency_key, error.request_id, error.field, error.remaining, error.redemption_id) == (None,) * 5


def test_only_the_unknown_is_unknown() -> None:
    assert [cls for cls in CLASSES if cls.default_outcome != "not_done"] == [OutcomeUnknownError]


def test_wrong_arguments_are_value_errors_too() -> None:
    assert {cls.__name__ for cls in CLASSES if issubclass(cls, ValueError)} == {
        "InvalidArgumentError",
        "CartMismatchError",
    }


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("carry", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_survive_copying_and_pickling(cls: type[PunktgenauError], carry: object) -> None:
    error = cls(
        "328 points were asked for.",
        code="reversal_exceeds_capture",
        outcome="done",
        retry="new_attempt",
        idempotency_key="key-1",
        request_id="req-1",
        field="points",
        remaining=327,
        redemption_id="red-1",
    )
    error.sends = 2
    again = carry(error)  # type: ignore[operator]
    assert type(again) is cls
    assert vars(again) == vars(error)
    assert str(again) == str(error)
    assert again.args == error.args


def test_the_text_names_outcome_key_request_and_what_remains() -> None:
    error = ReversalExceedsCaptureError(
        "328 points were asked for.", idempotency_key="key-1", request_id="req-1", remaining=327
    )
    assert str(error) == (
        "328 points were asked for. "
        "[reversal_exceeds_capture, outcome not_done; 327 points remain possible; key key-1; request req-1]"
    )
    assert str(InvalidArgumentError("No.", remaining=0)) == (
        "No. [invalid_argument, outcome not_done; 0 points remain possible]"
    )


def test_the_unknown_names_the_next_call() -> None:
    error = OutcomeUnknownError("No answer.", idempotency_key="key-1")
    assert error.next_call == "redemptions.find(idempotency_key='key-1')"
    assert (error.outcome, error.retry) == ("unknown", "same_key")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_texts_show_nothing_of_the_request_or_its_cause(cls: type[PunktgenauError]) -> None:
    error = cls("It failed.", field="client_secret")
    error.__cause__ = OSError("Authorization: Bearer s3cret")
    assert "s3cret" not in str(error) + repr(error)
